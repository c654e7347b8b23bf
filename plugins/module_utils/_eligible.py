# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a service may run on, as far as their state, its constraints and its image's platforms tell. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from ._model import Body

#: Names of one architecture that swarmkit takes for the same (manager/scheduler, PlatformFilter).
ARCHITECTURES: Mapping[str, str] = {"x86_64": "amd64", "aarch64": "arm64"}

#: What a constraint may name -> where the node has it.
FACETS: Mapping[str, Callable[[Body], Any]] = {
    "node.id": lambda node: node["ID"],
    "node.hostname": lambda node: node["Description"].get("Hostname"),
    "node.role": lambda node: node["Spec"].get("Role"),
    "node.ip": lambda node: node["Status"].get("Addr"),
    "node.platform.os": lambda node: node["Description"]["Platform"].get("OS"),
    "node.platform.arch": lambda node: node["Description"]["Platform"].get("Architecture"),
}


def eligible(node: Body, spec: Body) -> bool:
    """Whether a global service puts a task on the node."""
    if not is_ready(node) or node["Spec"].get("Availability", "active") != "active":
        return False
    placement = spec["TaskTemplate"].get("Placement") or {}
    return all(fits(node, constraint) for constraint in placement.get("Constraints") or []) and can_execute(
        node, placement.get("Platforms") or []
    )


def is_ready(node: Body) -> bool:
    return bool(node["Status"]["State"] == "ready")


def fits(node: Body, constraint: str) -> bool:
    """One constraint, as swarmkit reads it: == and != only, values compared without case, and only addresses by their network."""
    key, operator, value = (part.strip() for part in constraint.partition("!=" if "!=" in constraint else "=="))
    found = _facet(node, key)
    matches = _is_within(found, value) if key.lower() == "node.ip" else found.lower() == value.lower()
    return matches is (operator == "==")


def can_execute(node: Body, platforms: list[Body]) -> bool:
    """Whether one of the image's platforms is the node's; what a platform leaves open fits all."""
    have = node["Description"].get("Platform") or {}
    return not platforms or any(_is_platform(have, platform) for platform in platforms)


def _is_platform(have: Body, platform: Body) -> bool:
    return platform.get("OS", "") in ("", have.get("OS", "")) and _architecture(platform) in ("", _architecture(have))


def _architecture(platform: Body) -> str:
    found = str(platform.get("Architecture") or "")
    return ARCHITECTURES.get(found, found)


def _is_within(address: str, value: str) -> bool | None:
    """Whether this is the address, or the network that it is in; None where it is neither, which fits no node either way."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None
    try:
        return ipaddress.ip_address(address) in network
    except ValueError:  # the node has none yet
        return False


def _facet(node: Body, key: str) -> str:
    if key.lower().startswith("node.labels."):
        return str((node["Spec"].get("Labels") or {}).get(key[len("node.labels.") :], ""))
    if key.lower().startswith("engine.labels."):
        return str((node["Description"].get("Engine", {}).get("Labels") or {}).get(key[len("engine.labels.") :], ""))
    facet = FACETS.get(key.lower())
    return str(facet(node) or "") if facet else ""
