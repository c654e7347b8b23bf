# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports of which other hosts a host is to try."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any


def preflight_peers(hostvars: Mapping[str, Any], host: str, hosts: Sequence[str]) -> list[dict[str, Any]]:
    """The other hosts that listen, as homecloud.swarm.port_probe takes them. Silent ones are left out."""
    peers = []
    for name in hosts:
        known = hostvars.get(name, {})
        listener = known.get("__swarm_preflight_listener") or {}
        address = address_of(known)
        if name == host or not address or "clock_port" not in listener:
            continue
        peers.append(
            {
                "name": name,
                "address": address,
                "ports": [*listener["listening"], *listener["in_use"]],
                "in_use": listener["in_use"],
                "clock_port": listener["clock_port"],
            }
        )
    return peers


def address_of(known: Mapping[str, Any]) -> str | None:
    """The address by which the other nodes are to reach the host with these variables."""
    said = known.get("swarm_preflight_address") or _advertised(str(known.get("swarm_cluster_advertise_addr") or ""))
    return said or (known.get("__swarm_preflight_machine") or {}).get("address")


def _advertised(text: str) -> str:
    """The address in address[:port], as swarm_cluster_advertise_addr has it; nothing for an interface's name."""
    for address in (text, text.rpartition(":")[0].strip("[]")):
        with suppress(ValueError):
            return str(ipaddress.ip_address(address))
    return ""


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"preflight_peers": preflight_peers}
