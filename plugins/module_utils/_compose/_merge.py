# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several files into one, left to right, as docker stack deploy merges them.

Where the CLI would garble what the files say (53/tcp and 53/udp become one port, the words of two health checks
become one list) the later file simply wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from ._notes import At

Merge = Callable[[Any, Any, At], Any]
KEPT = "an empty value, false or zero does not replace what an earlier file says, as in docker stack deploy."


def scalar(base: Any, override: Any, at: At) -> Any:
    """False, zero and empty text never override."""
    if base and not override:
        at.warn(KEPT)
    return override or base


def latest(_base: Any, override: Any, _at: At) -> Any:
    return override


def append(base: list[Any], override: list[Any], _at: At) -> list[Any]:
    return base + override


def update(base: Mapping[str, Any], override: Mapping[str, Any], _at: At) -> dict[str, Any]:
    return {**base, **override}


def environment(base: Mapping[str, Any], override: Mapping[str, Any], at: At) -> dict[str, Any]:
    kept = {key: value for key, value in base.items() if value is not None and not override.get(key)}
    for key, value in kept.items():
        if value and key in override:
            at.to(key).warn(KEPT)
    return {**base, **override, **kept}


def replace_by(identity: Callable[[Mapping[str, Any]], Any]) -> Merge:
    """Lists of mappings: an entry of the later file replaces those that are the same thing."""

    def merge(base: list[Any], override: list[Any], _at: At) -> list[Any]:
        replaced = {identity(entry) for entry in override}
        return [entry for entry in base if identity(entry) not in replaced] + override

    return merge


def same_port(port: Mapping[str, Any]) -> tuple[Any, ...]:
    published = port.get("published", 0)
    return (published, 0 if published else port.get("target"), port.get("protocol", "tcp").lower())


def logging(base: Mapping[str, Any], override: Mapping[str, Any], at: At) -> Any:
    if base.get("driver") and override.get("driver") and base["driver"] != override["driver"]:
        return override
    return fields(LOGGING)(base, override, at)


def attachments(base: Mapping[str, Any], override: Mapping[str, Any], _at: At) -> dict[str, Any]:
    merged = dict(base)
    for name, attachment in override.items():
        earlier = merged.get(name)
        if attachment is None or earlier is None:
            merged[name] = attachment or earlier
        else:
            options = {**earlier.get("driver_opts", {}), **attachment.get("driver_opts", {})}
            merged[name] = {"aliases": attachment.get("aliases", []), "driver_opts": options}
    return merged


def fields(table: Mapping[str, Merge]) -> Merge:
    """Mappings with known keys: each key by its own rule, by ``scalar`` when it has none."""

    def merge(base: Mapping[str, Any], override: Mapping[str, Any], at: At) -> dict[str, Any]:
        shared = [key for key in base if key in override]
        both = {key: table.get(key, scalar)(base[key], override[key], at.to(key)) for key in shared}
        return {**base, **override, **both}

    return merge


LOGGING: Mapping[str, Merge] = {"options": update}
RESOURCES: Mapping[str, Merge] = {"generic_resources": append}
ROLLOUT: Mapping[str, Merge] = {"parallelism": latest}
DEPLOY: Mapping[str, Merge] = {
    "replicas": latest,
    "labels": update,
    "update_config": fields(ROLLOUT),
    "rollback_config": fields(ROLLOUT),
    "resources": fields({"limits": fields({}), "reservations": fields(RESOURCES)}),
    "restart_policy": fields({"max_attempts": latest}),
    "placement": fields({"constraints": append, "preferences": append}),
}
SERVICE: Mapping[str, Merge] = {
    "environment": environment,
    "healthcheck": fields({"retries": latest}),
    "logging": logging,
    "credential_spec": fields({}),
    "deploy": fields(DEPLOY),
    "ports": replace_by(same_port),
    "volumes": replace_by(itemgetter("target")),
    "secrets": replace_by(itemgetter("source")),
    "configs": replace_by(itemgetter("source")),
    "networks": attachments,
    **dict.fromkeys(("labels", "sysctls", "ulimits"), update),
    **dict.fromkeys(("group_add", "security_opt", "cap_add", "cap_drop", "dns", "dns_search", "extra_hosts", "depends_on"), append),
}
SORTED: Mapping[str, str] = {"volumes": "target", "secrets": "source", "configs": "source"}
TOP_LEVEL = ("networks", "volumes", "secrets", "configs")

_service = fields(SERVICE)


def merge_files(base: Mapping[str, Any], override: Mapping[str, Any], at: At) -> dict[str, Any]:
    """Services in both files are merged field by field; any other entry is replaced as a whole."""
    merged: dict[str, Any] = {**base, **override}
    for section in TOP_LEVEL:
        merged[section] = {**base.get(section, {}), **override.get(section, {})}
    earlier, later = base.get("services", {}), override.get("services", {})
    both = {
        name: _in_order(_service(earlier[name], service, at.to("services").to(name))) for name, service in later.items() if name in earlier
    }
    return {**merged, "services": {**earlier, **later, **both}}


def _in_order(service: Mapping[str, Any]) -> dict[str, Any]:
    """After a merge the CLI sorts these lists; keeping its order keeps tasks from restarting."""
    lists = {name: sorted(service[name], key=itemgetter(key)) for name, key in SORTED.items() if name in service}
    return {**service, **lists}
