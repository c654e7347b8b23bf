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
from ._ports import PROTOCOLS, short_ports
from ._shapes import (
    Composite,
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
    remarked,
    scalar_text,
    size,
    struct,
    text,
    then,
    word,
    words,
)

NAMES = r"[a-zA-Z0-9._-]+"
VERSION = re.compile(r"(3(\.([0-9]|1[0-3]))?)?\Z")
RESTART = re.compile(r"(no|always|unless-stopped|on-failure(:[0-9]{1,18})?)?\Z")
#: As swarmkit reads it (manager/constraint, Parse).
CONSTRAINT = re.compile(r"\s*[a-z_][a-z0-9_.-]+\s*[=!]=\s*(?=\S)[a-z0-9:_\s.*()?+\[\]\\^$|/-]+\Z", re.IGNORECASE | re.ASCII)

unsigned = between(0, 2**64 - 1)
signed = between(-(2**63), 2**63 - 1)
port = or_digits(between(0, 65535))
labels = pairs(missing="")
driver_opts = map_of(scalar_text)
options = map_of(lambda value, at: "" if value is None else scalar_text(value, at))

#: The ways to write what Swarm can do of security_opt, and the one that is used from here on.
SECURITY: Mapping[str, str] = {
    "no-new-privileges": "no-new-privileges",
    "no-new-privileges=true": "no-new-privileges",
    "seccomp=unconfined": "seccomp=unconfined",
    "apparmor=unconfined": "apparmor=unconfined",
}
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


def _flat(entries: list[Any], _at: At) -> list[Any]:
    """A short form may be a range and so become several entries."""
    return [port for entry in entries for port in (entry if isinstance(entry, list) else [entry])]


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


def _test_or_disable(found: dict[str, Any], at: At) -> dict[str, Any]:
    if found.get("disable") and found.get("test"):
        at.wrong("has both test and disable. Remove one of them.")
    return found


def _test(value: Any, at: At) -> Any:
    return ["CMD-SHELL", str(value)] if isinstance(value, str) else list_of(text, unique=False)(value, at)


def _mount_type(value: Any, at: At) -> Any:
    if value == "image":
        at.wrong("engines refuse a mount of type image in a service. Use a config, or put the files into the service's own image.")
        return None
    return choice("volume", "bind", "tmpfs", "npipe", "cluster")(value, at)


def _security(value: str) -> str:
    option = SECURITY.get(value.replace(":", "="))
    if not option:
        raise ValueError(f"'{value}' is not one of {', '.join(SECURITY)}, which are what Swarm can do.")
    return option


def _restart(value: str) -> str:
    if not RESTART.match(value):
        raise ValueError(f"'{value}' is not one of no, always, unless-stopped, on-failure, on-failure:3.")
    return value


def _constraint(value: str) -> str:
    if not CONSTRAINT.match(value):
        raise ValueError(f"'{value}' is no constraint. Write it like node.role == manager or node.labels.disk != ssd.")
    return value


def _one_kind(found: dict[str, Any], at: At) -> dict[str, Any]:
    if len([key for key in found if found[key]]) > 1:
        at.wrong("has more than one of config, file and registry. Keep one.")
    return found


def _top_level(fields: Mapping[str, Shape], empty: bool = True) -> Shape:
    """A network, volume, secret or config; ``external`` may hold the name, as it did before 3.5."""
    external = either(flag=flag, mapping=struct({"name": text}, lenient=not empty))
    shape = then(struct({**fields, "name": text, "labels": labels, "external": external}), _outside)
    return Composite(lambda value, at: shape({} if value is None and empty else value, at), parts=(shape,))


def _outside(found: dict[str, Any], at: At) -> dict[str, Any]:
    external = found.pop("external", False)
    if external is False:
        return found
    if isinstance(external, dict) and "name" in external:
        if "name" in found:
            at.wrong("has both name and external.name. Keep name, and write external: true.")
        found["name"] = external["name"]
        at.to("external").warn("has the name in it, as it was long ago. Write external: true and name: beside it.")
    return {**found, "name": found.get("name") or at.path[-1], "external": True}


def _made_elsewhere(found: dict[str, Any], at: At) -> dict[str, Any]:
    for key in ("driver", "driver_opts", "labels"):
        if found.get("external") and key in found:
            at.to(key).wrong("an external volume is made elsewhere, so this has no effect. Remove it, or external.")
    return found


LONG_PORT: Mapping[str, Shape] = {
    "target": port,
    "published": port,
    "protocol": word(*PROTOCOLS),
    "mode": word("ingress", "host"),
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
    "type": _mount_type,
    "source": text,
    "target": text,
    "read_only": flag,
    "consistency": remarked(text, "has no effect: the engine drops it."),
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
}
REFERENCE = either(
    text=lambda value, _at: {"source": str(value)},
    mapping=struct({"source": text, "target": text, "uid": text, "gid": text, "mode": mode}, required=("source",), lenient=True),
)
ATTACHMENT: Mapping[str, Shape] = {
    "aliases": list_of(text),
    "driver_opts": driver_opts,
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
    "endpoint_mode": word("vip", "dnsrr"),
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
            "constraints": list_of(parsed(_constraint), unique=False),
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
    "isolation": word("default", "process", "hyperv"),
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
    "healthcheck": then(struct(HEALTHCHECK), _test_or_disable),
    "logging": struct({"driver": text, "options": options}),
    "credential_spec": then(struct({"config": text, "file": text, "registry": text}), _one_kind),
    "ports": then(list_of(either(text=short_ports, number=short_ports, mapping=struct(LONG_PORT))), _flat),
    "networks": either(
        list=then(list_of(text), lambda names, _at: dict.fromkeys(names)),
        mapping=map_of(nullable(struct(ATTACHMENT)), keys=NAMES),
    ),
    "volumes": list_of(either(text=short_mount, mapping=struct(MOUNT, required=("type", "target")))),
    "secrets": list_of(REFERENCE, unique=False),
    "configs": list_of(REFERENCE, unique=False),
    "depends_on": either(list=list_of(text), mapping=then(map_of(DEPENDENCY), lambda names, _at: list(names))),
    "deploy": nullable(struct(DEPLOY)),
    "tmpfs": beyond_cli(one_or_list(parsed(short_tmpfs))),
    "oom_score_adj": beyond_cli(between(-1000, 1000)),
    "security_opt": beyond_cli(list_of(parsed(_security))),
    "build": ignored("images are not built here. Build and push the image before."),
    **dict.fromkeys(
        ("cgroup_parent", "cgroupns_mode", "devices", "domainname", "ipc", "mac_address", "pid", "privileged", "userns_mode"),
        ignored(NOT_IN_SWARM),
    ),
    **dict.fromkeys(("links", "external_links"), ignored("services on the same network find each other by name.")),
    "network_mode": ignored(f"{NOT_IN_SWARM} Use networks, with an external network named host for the host's own."),
    "shm_size": ignored(f"{NOT_IN_SWARM} Mount a tmpfs of that size at /dev/shm."),
    **dict.fromkeys(("pull_policy", "develop", "attach"), ignored("it has no meaning in Swarm.")),
    "container_name": ignored("Swarm names containers itself."),
    "expose": ignored("services on the same network reach all ports of each other."),
}
CONTENT: Mapping[str, Shape] = {"file": text, "environment": text, "content": text, "template_driver": text}
POOL: Mapping[str, Shape] = {"subnet": text, "ip_range": text, "gateway": text, "aux_addresses": map_of(text)}
NETWORK = _top_level(
    {
        "driver": text,
        "driver_opts": driver_opts,
        "internal": flag,
        "attachable": flag,
        "enable_ipv6": flag,
        "ipam": struct({"driver": text, "options": options, "config": list_of(struct(POOL), unique=False)}),
    }
)
VOLUME = then(
    _top_level(
        {
            "driver": text,
            "driver_opts": driver_opts,
            "x-cluster-spec": ignored("cluster volumes are not created here. Create it with docker volume create."),
        }
    ),
    _made_elsewhere,
)
FILE: Shape = struct(
    {
        "version": _version,
        "name": text,
        "services": map_of(struct(SERVICE, refused=REFUSED_IN_SERVICE), keys=NAMES),
        "networks": map_of(NETWORK, keys=NAMES),
        "volumes": map_of(VOLUME, keys=NAMES),
        "secrets": map_of(_top_level({**CONTENT, "driver": text, "driver_opts": driver_opts}, empty=False), keys=NAMES),
        "configs": map_of(_top_level(CONTENT, empty=False), keys=NAMES),
    },
    refused=REFUSED_AT_TOP,
)
