from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._preflight import FEATURES, Kernel, describe_machine

RELEASE = "6.12.1"
ROUTES = """Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
br-0123456789ab\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""


def machine(root: Path, files: dict[str, str | bytes] | None = None) -> Path:
    every: dict[str, str | bytes] = {
        "proc/sys/kernel/osrelease": RELEASE + "\n",
        "proc/meminfo": "MemTotal:        2048 kB\nMemFree: 1 kB\n",
        "proc/net/route": ROUTES,
        "etc/machine-id": "abc\n",
        **(files or {}),
    }
    for name, content in every.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({"sys/module/vxlan/version": ""}, "present"),
        ({"proc/config.gz": gzip.compress(b"CONFIG_VXLAN=y\n")}, "present"),
        ({f"boot/config-{RELEASE}": "CONFIG_VXLAN=y\n"}, "present"),
        ({f"lib/modules/{RELEASE}/modules.builtin": "kernel/drivers/net/vxlan/vxlan.ko\n"}, "present"),
        ({f"lib/modules/{RELEASE}/modules.dep": "kernel/drivers/net/vxlan/vxlan.ko.xz: kernel/net/ipv4/udp_tunnel.ko.xz\n"}, "present"),
        ({f"boot/config-{RELEASE}": "CONFIG_VXLAN=m\n", f"lib/modules/{RELEASE}/modules.dep": ""}, "missing"),
        ({f"boot/config-{RELEASE}": "CONFIG_VXLAN=m\n"}, "unknown"),
        ({f"boot/config-{RELEASE}": "CONFIG_SMP=y\n# CONFIG_VXLAN is not set\n"}, "missing"),
        ({f"lib/modules/{RELEASE}/modules.dep": "kernel/fs/ext4/ext4.ko:\n"}, "missing"),
        ({}, "unknown"),
    ],
    ids=[
        "loaded",
        "built in",
        "built in by /boot",
        "listed as built in",
        "loadable",
        "split off",
        "out of sight",
        "off",
        "no such module",
        "silent",
    ],
)
def test_kernel_feature(tmp_path: Path, files: dict[str, str | bytes], state: str) -> None:
    assert Kernel.of(machine(tmp_path, files)).has(FEATURES["vxlan"]) == state


def test_filesystem_counts_as_present(tmp_path: Path) -> None:
    assert Kernel.of(machine(tmp_path, {"proc/filesystems": "nodev\toverlay\n"})).has(FEATURES["overlay"]) == "present"


def test_facts(tmp_path: Path) -> None:
    facts = describe_machine(machine(tmp_path))
    assert (facts["kernel"], facts["memory_bytes"], facts["machine_id"], facts["cgroup_version"]) == (RELEASE, 2048 * 1024, "abc", 1)
    assert facts["routes"] == [{"network": "192.168.0.0/16", "interface": "eth0"}]
    assert (facts["engine_running"], facts["in_swarm"], facts["live_restore"], facts["daemon_problem"]) == (False, False, False, None)


@pytest.mark.parametrize(
    ("text", "live", "problem"),
    [
        (json.dumps({"live-restore": True}), True, None),
        ("{", False, "is not JSON"),
        ("[]", False, "does not hold a mapping"),
        ("", False, None),
    ],
)
def test_daemon_json(tmp_path: Path, text: str, live: bool, problem: Any) -> None:
    facts = describe_machine(machine(tmp_path, {"etc/docker/daemon.json": text}))
    assert facts["live_restore"] is live
    assert (problem is None) if facts["daemon_problem"] is None else problem in facts["daemon_problem"]


def test_member_of_a_swarm_and_cgroup_v2(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "etc/docker/daemon.json": json.dumps({"data-root": "/srv/docker"}),
        "srv/docker/swarm/docker-state.json": "{}",
        "sys/fs/cgroup/cgroup.controllers": "",
    }
    facts = describe_machine(machine(tmp_path, files))
    assert (facts["in_swarm"], facts["cgroup_version"], facts["disk_path"]) == (True, 2, str(tmp_path / "srv/docker"))
