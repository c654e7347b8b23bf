# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine brings along for being a node: read from files below a root folder, nothing is loaded, started or changed."""

from __future__ import annotations

import gzip
import ipaddress
import json
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRESENT, MISSING, UNKNOWN = "present", "missing", "unknown"


@dataclass(frozen=True)
class Feature:
    """A part of the kernel: its module, and the symbol of the kernel's configuration."""

    module: str
    symbol: str


FEATURES: dict[str, Feature] = {
    "overlay": Feature("overlay", "CONFIG_OVERLAY_FS"),
    "vxlan": Feature("vxlan", "CONFIG_VXLAN"),
    "ipvs": Feature("ip_vs", "CONFIG_IP_VS"),
    "bridge": Feature("bridge", "CONFIG_BRIDGE"),
    "veth": Feature("veth", "CONFIG_VETH"),
}

#: Routes of these interfaces are the engine's own.
ENGINE_INTERFACES = ("docker", "br-", "veth")


@dataclass(frozen=True)
class Kernel:
    """What can be known of the running kernel; None where the machine does not tell."""

    release: str
    running: frozenset[str]
    configured: Mapping[str, str] | None
    builtin: frozenset[str]
    loadable: frozenset[str] | None

    @classmethod
    def of(cls, root: Path) -> Kernel:
        """Containers and trimmed systems lack some of these files."""
        release = _text(root / "proc/sys/kernel/osrelease").strip()
        folder = root / "lib/modules" / release
        loadable = _module_names(folder / "modules.dep") if (folder / "modules.dep").exists() else None
        filesystems = {line.split()[-1] for line in _text(root / "proc/filesystems").splitlines()}
        modules = {entry.name for entry in _entries(root / "sys/module")}
        return cls(
            release, frozenset(modules | filesystems), _configured(root, release), _module_names(folder / "modules.builtin"), loadable
        )

    def has(self, feature: Feature) -> str:
        """Whether the kernel can do this now, or could once asked."""
        if feature.module in self.running | self.builtin | (self.loadable or frozenset()):
            return PRESENT
        setting = None if self.configured is None else self.configured.get(feature.symbol, "n")
        if setting == "y":
            return PRESENT
        if setting == "n" or self.loadable is not None:
            return MISSING
        return UNKNOWN  # a module that may lie where this system cannot see it


def describe_machine(root: Path = Path("/")) -> dict[str, Any]:
    """Everything the report wants to know of this machine."""
    kernel = Kernel.of(root)
    daemon, problem = _daemon(root / "etc/docker/daemon.json")
    folder = root / str(daemon.get("data-root", "/var/lib/docker")).lstrip("/")
    return {
        "hostname": socket.gethostname(),
        "machine_id": _text(root / "etc/machine-id").strip(),
        "kernel": kernel.release,
        "features": {name: kernel.has(feature) for name, feature in FEATURES.items()},
        "cgroup_version": 2 if (root / "sys/fs/cgroup/cgroup.controllers").exists() else 1,
        "memory_bytes": _memory(_text(root / "proc/meminfo")),
        "disk_free_bytes": shutil.disk_usage(_existing(folder)).free,
        "disk_path": str(folder),
        "address": _address(),
        "routes": list(_routes(_text(root / "proc/net/route"))),
        "live_restore": bool(daemon.get("live-restore")),
        "daemon_problem": problem,
        "in_swarm": (folder / "swarm/docker-state.json").exists(),
        "engine_running": _answers(root / "var/run/docker.sock"),
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _module_names(listing: Path) -> frozenset[str]:
    """The names in modules.dep or modules.builtin: a path to begin each line, its ending and dashes not part of the name."""
    paths = [line.partition(":")[0] for line in _text(listing).splitlines()]
    return frozenset(Path(path).name.partition(".")[0].replace("-", "_") for path in paths)


def _configured(root: Path, release: str) -> dict[str, str] | None:
    packed = root / "proc/config.gz"
    text = gzip.decompress(packed.read_bytes()).decode() if packed.exists() else _text(root / f"boot/config-{release}")
    set_ones = (line.partition("=") for line in text.splitlines() if line.startswith("CONFIG_"))
    return {symbol: setting for symbol, _equals, setting in set_ones} or None


def _daemon(path: Path) -> tuple[dict[str, Any], str | None]:
    text = _text(path)
    try:
        settings = json.loads(text or "{}")
    except ValueError as problem:
        return {}, f"{path} is not JSON: {problem}"
    return (settings, None) if isinstance(settings, dict) else ({}, f"{path} does not hold a mapping")


def _memory(meminfo: str) -> int:
    total = next((line for line in meminfo.splitlines() if line.startswith("MemTotal:")), "MemTotal: 0 kB")
    return int(total.split()[1]) * 1024


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


#: Addresses of documentation: to connect to them chooses a route, and sends nothing.
ANYWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def _address() -> str | None:
    """The address other machines most likely know this one by: the source of what leaves through the default route."""
    for family, anywhere in ANYWHERE.items():
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((anywhere, 9))
            return str(probe.getsockname()[0])
    return None


def _routes(table: str) -> Iterator[dict[str, str]]:
    """The host's own IPv4 networks, without the default route and the engine's."""
    for line in table.splitlines()[1:]:
        interface, destination, _gateway, _flags, _count, _use, _metric, mask = line.split()[:8]
        network = ipaddress.IPv4Network((_dotted(destination), str(_dotted(mask))))
        if network.prefixlen and not interface.startswith(ENGINE_INTERFACES):
            yield {"network": str(network), "interface": interface}


def _dotted(field: str) -> ipaddress.IPv4Address:
    # the kernel prints the bytes as they lie in memory, which is the order of this machine
    number = int(field, 16)
    return ipaddress.IPv4Address(number.to_bytes(4, sys.byteorder))


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
