# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports of which other hosts a host is to try."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: Ports that workers need not offer.
MANAGERS_ONLY = ("2377/tcp",)


def preflight_peers(hostvars: Mapping[str, Any], host: str, hosts: Sequence[str], managers: Sequence[str]) -> list[dict[str, Any]]:
    """The other hosts that listen, as homecloud.swarm.port_probe takes them. Silent ones are left out."""
    peers = []
    for name in hosts:
        known = hostvars.get(name, {})
        listener = known.get("__swarm_preflight_listener") or {}
        address = known.get("swarm_preflight_address") or (known.get("__swarm_preflight_machine") or {}).get("address")
        if name == host or not address or "clock_port" not in listener:
            continue
        ports = [*listener["listening"], *listener["in_use"]]
        wanted = [port for port in ports if name in managers or port not in MANAGERS_ONLY]
        peers.append(
            {
                "name": name,
                "address": address,
                "ports": wanted,
                "in_use": [port for port in listener["in_use"] if port in wanted],
                "clock_port": listener["clock_port"],
            }
        )
    return peers


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"preflight_peers": preflight_peers}
