# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Compose file may say: every key, its shape, and why some cannot be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ._mounts import PROPAGATIONS, short_mount, short_tmpfs
from ._notes import At
from ._ports import short_ports
from ._shapes import (
    Shape,
    between,
    beyond_cli,
    choice,
    cpus,
    duration,
    either,
    flag,
    ignored,
    list_of,
    map_of,
    mode,
    nullable,
    number,
    one_or_list,
    or_digits,
    pairs,
    parsed,
    scalar_text,
    size,
    struct,
    text,
    words,
)

NAMES = r"[a-zA-Z0-9._-]+"
VERSION = re.compile(r"3(\.([0-9]|1[0-3]))?\Z")
RESTART = re.compile(r"(no|always|unless-stopped|on-failure(:[0-9]+)?)?\Z")

unsigned = between(0, 2**64 - 1)
signed = between(-(2**63), 2**63 - 1)
port = or_digits(between(0, 65535))
labels = pairs(missing="")
options = map_of(lambda value, at: "" if value is None else scalar_text(value, at))

NOT_IN_SWARM = "Swarm cannot do this."
REFUSED_IN_SERVICE: Mapping[str, str] = {
    "extends": "cannot be used in a stack. Use YAML anchors or several files.",
    "volume_driver": "cannot be used in a stack. Set 'driver' of the volume under the top-level volumes.",
    "volumes_from": "cannot be used in a stack. Mount a named volume in both services.",
    "cpu_quota": "cannot be used in a stack. Set deploy.resources.limits.cpus.",
    "cpu_shares": "cannot be used in a stack. Set deploy.resources.reservations.cpus.",
    "cpus": "cannot be used here in a stack. Set deploy.resources.limits.cpus.",
    "cpuset": "cannot be used in a stack. Set deploy.resources.limits.cpus or a placement constraint.",
    "mem_limit": "cannot be used in a stack. Set deploy.resources.limits.memory.",
    "mem_reservation": "cannot be used in a stack. Set deploy.resources.reservations.memory.",
    "memswap_limit": "cannot be used in a stack. Set deploy.resources.limits.memory.",
    "pids_limit": "cannot be used here in a stack. Set deploy.resources.limits.pids.",
    "scale": "cannot be used in a stack. Set deploy.replicas.",
    **dict.fromkeys(
        ("profiles", "platform", "gpus", "runtime", "provider", "models", "use_api_socket"),
        f"{NOT_IN_SWARM} Remove it.",
    ),
}
REFUSED_AT_TOP: Mapping[str, str] = {
    "include": "cannot be used in a stack. Give several files instead.",
    "models": f"{NOT_IN_SWARM} Remove it.",
}


def _version(value: Any, at: At) -> None:
    if not VERSION.match(str(value)):
        at.wrong(f"'{value}' is not a version for stacks, which have 3 to 3.13. The key can simply be removed.")


def _port(value: Any, at: At) -> Any:
    return either(text=short_ports, number=short_ports, mapping=struct(LONG_PORT))(value, at)


def _ports(value: Any, at: At) -> list[Any]:
    """A short form may be a range and so become several entries."""
    found: list[Any] = []
    for entry in list_of(_port)(value, at) or ():
        found += entry if isinstance(entry, list) else [entry]
    return found


def _hosts(value: Any, at: At) -> list[str]:
    """``host:address`` items; the CLI sorts a mapping and keeps the order of a list."""
    if isinstance(value, dict):
        table = map_of(nullable(scalar_text))(value, at) or {}
        return sorted(f"{host}:{_bare(address)}" for host, address in table.items() if address is not None)
    found = []
    for index, item in enumerate(list_of(text)(value, at) or ()):
        host, mark, address = (item or "").partition("=" if "=" in (item or "") else ":")
        if mark:
            found.append(f"{host}:{_bare(address)}")
        else:
            at.to(index).warn("is ignored: it has no address. Write it like name:10.0.0.1.")
    return found


def _bare(address: str) -> str:
    return address[1:-1] if address.startswith("[") and address.endswith("]") else address


def _healthcheck(value: Any, at: At) -> dict[str, Any] | None:
    found: dict[str, Any] | None = struct(HEALTHCHECK)(value, at)
    if found and found.get("disable") and found.get("test"):
        at.wrong("has both test and disable. Remove one of them.")
    return found


def _test(value: Any, at: At) -> Any:
    return ["CMD-SHELL", str(value)] if isinstance(value, str) else list_of(text, unique=False)(value, at)


def _restart(value: str) -> str:
    if not RESTART.match(value):
        raise ValueError(f"'{value}' is not one of no, always, unless-stopped, on-failure, on-failure:3.")
    return value


def _reference(value: Any, at: At) -> Any:
    return {"source": str(value)} if isinstance(value, str) else struct(REFERENCE, required=("source",), lenient=True)(value, at)


def _credential_spec(value: Any, at: At) -> Any:
    found = struct({"config": text, "file": text, "registry": text})(value, at)
    if found and len([key for key in found if found[key]]) > 1:
        at.wrong("has more than one of config, file and registry. Keep one.")
    return found


def _top_level(fields: Mapping[str, Shape], empty: bool = True) -> Shape:
    """A network, volume, secret or config; ``external`` may hold the name, as it did before 3.5."""
    external = either(flag=flag, mapping=struct({"name": text}, lenient=not empty))
    shape = struct({**fields, "name": text, "labels": labels, "external": external})

    def read(value: Any, at: At) -> Any:
        found: dict[str, Any] | None = {} if value is None and empty else shape(value, at)
        external = (found or {}).get("external", False)
        if found is None or external is False:
            return {key: item for key, item in (found or {}).items() if key != "external"}
        if isinstance(external, dict) and "name" in external:
            if "name" in found:
                at.wrong("has both name and external.name. Keep name, and write external: true.")
            found["name"] = external["name"]
        return {"name": at.path[-1], **found, "external": True}

    return read


def _volume(value: Any, at: At) -> Any:
    found = _top_level({"driver": text, "driver_opts": options})(value, at)
    for key in ("driver", "driver_opts", "labels"):
        if found and found.get("external") and key in found:
            at.to(key).wrong("an external volume is made elsewhere, so this has no effect. Remove it, or external.")
    return found


LONG_PORT: Mapping[str, Shape] = {
    "target": port,
    "published": port,
    "protocol": text,
    "mode": text,
    "name": ignored("it has no meaning in Swarm."),
    "app_protocol": ignored("it has no meaning in Swarm."),
}
HEALTHCHECK: Mapping[str, Shape] = {
    "disable": flag,
    "test": _test,
    "interval": duration,
    "timeout": duration,
    "start_period": duration,
    "start_interval": duration,
    "retries": unsigned,
}
MOUNT: Mapping[str, Shape] = {
    "type": choice("volume", "bind", "tmpfs", "npipe", "cluster", "image"),
    "source": text,
    "target": text,
    "read_only": flag,
    "consistency": text,
    "bind": struct(
        {
            "propagation": choice("", *PROPAGATIONS),
            "create_host_path": ignored("Swarm never makes the folder."),
            "selinux": ignored(NOT_IN_SWARM),
        },
        lenient=True,
    ),
    "volume": struct({"nocopy": flag, "subpath": text}, lenient=True),
    "tmpfs": struct({"size": size, "mode": beyond_cli(mode)}, lenient=True),
    "image": struct({"subpath": text}),
}
REFERENCE: Mapping[str, Shape] = {"source": text, "target": text, "uid": text, "gid": text, "mode": mode}
ATTACHMENT: Mapping[str, Shape] = {
    "aliases": list_of(text),
    "driver_opts": options,
    **dict.fromkeys(
        ("ipv4_address", "ipv6_address", "link_local_ips", "mac_address"),
        ignored("Swarm gives a service its addresses itself."),
    ),
}
ROLLOUT: Mapping[str, Shape] = {
    "parallelism": unsigned,
    "delay": duration,
    "failure_action": choice("", "pause", "continue", "rollback"),
    "monitor": duration,
    "max_failure_ratio": number,
    "order": choice("start-first", "stop-first"),
}
GENERIC = struct({"discrete_resource_spec": struct({"kind": text, "value": signed})})
LIMITS: Mapping[str, Shape] = {"cpus": cpus, "memory": size, "pids": signed}
RESERVATIONS: Mapping[str, Shape] = {
    "cpus": cpus,
    "memory": size,
    "generic_resources": list_of(GENERIC, unique=False),
}
DEPLOY: Mapping[str, Shape] = {
    "mode": choice("", "replicated", "global", "replicated-job", "global-job"),
    "endpoint_mode": text,
    "replicas": unsigned,
    "labels": labels,
    "update_config": struct(ROLLOUT),
    "rollback_config": struct(ROLLOUT),
    "resources": struct(
        {
            "limits": struct(LIMITS),
            "reservations": struct(RESERVATIONS, refused={"devices": f"{NOT_IN_SWARM} Use generic_resources."}),
        }
    ),
    "restart_policy": struct(
        {
            "condition": choice("", "none", "on-failure", "any"),
            "delay": duration,
            "max_attempts": unsigned,
            "window": duration,
        }
    ),
    "placement": struct(
        {
            "constraints": list_of(text, unique=False),
            "preferences": list_of(struct({"spread": text}), unique=False),
            "max_replicas_per_node": unsigned,
        }
    ),
}
ENV_FILE = struct({"path": text, "required": flag, "format": choice("raw")}, required=("path",))
DEPENDENCY = struct({"condition": text, "restart": flag, "required": flag})
SERVICE: Mapping[str, Shape] = {
    "image": text,
    "command": words,
    "entrypoint": words,
    "hostname": text,
    "working_dir": text,
    "user": text,
    "init": flag,
    "tty": flag,
    "stdin_open": flag,
    "read_only": flag,
    "isolation": text,
    "stop_signal": text,
    "stop_grace_period": duration,
    "restart": parsed(_restart),
    "environment": pairs(missing=None),
    "env_file": either(text=one_or_list(), list=list_of(either(text=text, mapping=ENV_FILE))),
    "labels": labels,
    "sysctls": labels,
    "group_add": list_of(scalar_text),
    "cap_add": list_of(text),
    "cap_drop": list_of(text),
    "dns": one_or_list(),
    "dns_search": one_or_list(),
    "extra_hosts": _hosts,
    "ulimits": map_of(either(number=signed, mapping=struct({"soft": signed, "hard": signed}, required=("soft", "hard")))),
    "healthcheck": _healthcheck,
    "logging": struct({"driver": text, "options": options}),
    "credential_spec": _credential_spec,
    "ports": _ports,
    "networks": either(
        list=lambda value, at: dict.fromkeys(list_of(text)(value, at) or ()),
        mapping=map_of(nullable(struct(ATTACHMENT)), keys=NAMES),
    ),
    "volumes": list_of(either(text=short_mount, mapping=struct(MOUNT, required=("type",)))),
    "secrets": list_of(_reference, unique=False),
    "configs": list_of(_reference, unique=False),
    "depends_on": either(list=list_of(text), mapping=lambda value, at: list(map_of(DEPENDENCY)(value, at) or ())),
    "deploy": nullable(struct(DEPLOY)),
    "tmpfs": beyond_cli(one_or_list(parsed(short_tmpfs))),
    "oom_score_adj": beyond_cli(between(-1000, 1000)),
    "build": ignored("images are not built here. Build and push the image before."),
    **dict.fromkeys(
        (
            "cgroup_parent",
            "cgroupns_mode",
            "devices",
            "domainname",
            "external_links",
            "ipc",
            "links",
            "mac_address",
            "network_mode",
            "pid",
            "privileged",
            "security_opt",
            "shm_size",
            "userns_mode",
        ),
        ignored(NOT_IN_SWARM),
    ),
    **dict.fromkeys(("pull_policy", "develop", "attach"), ignored("it has no meaning in Swarm.")),
    "container_name": ignored("Swarm names containers itself."),
    "expose": ignored("services on the same network reach all ports of each other."),
}
CONTENT: Mapping[str, Shape] = {"file": text, "environment": text, "content": text, "template_driver": text}
POOL: Mapping[str, Shape] = {"subnet": text, "ip_range": text, "gateway": text, "aux_addresses": map_of(text)}
NETWORK = _top_level(
    {
        "driver": text,
        "driver_opts": options,
        "internal": flag,
        "attachable": flag,
        "enable_ipv6": flag,
        "ipam": struct({"driver": text, "options": options, "config": list_of(struct(POOL), unique=False)}),
    }
)
FILE: Shape = struct(
    {
        "version": _version,
        "name": text,
        "services": map_of(struct(SERVICE, refused=REFUSED_IN_SERVICE), keys=NAMES),
        "networks": map_of(NETWORK, keys=NAMES),
        "volumes": map_of(_volume, keys=NAMES),
        "secrets": map_of(_top_level({**CONTENT, "driver": text, "driver_opts": options}, empty=False), keys=NAMES),
        "configs": map_of(_top_level(CONTENT, empty=False), keys=NAMES),
    },
    refused=REFUSED_AT_TOP,
)
