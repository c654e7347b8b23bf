# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every engine would refuse of services and networks in the middle of a deploy. Pure.

The rules are swarmkit's (manager/controlapi/service.go and network.go), the same in Engine 20.10 and 26.1.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from ._compose._notes import At
from ._compose._project import Entry


@dataclass(frozen=True)
class Range:
    """Which numbers the engine takes; 0 always, as it says nothing."""

    words: str
    least: float
    most: float = math.inf

    def takes(self, number: float) -> bool:
        return number == 0 or self.least <= number <= self.most


CPUS = Range("at least 0.001", 10**6)
MEMORY = Range("at least 4M", 4 * 1024**2)
MILLISECOND = Range("at least 1ms", 10**6)
NOT_NEGATIVE = Range("0 or more", 0)
#: Where in a service; durations and CPUs are in billionths. Of rollback_config the engine takes anything.
RANGES: Mapping[str, Range] = {
    "deploy.resources.limits.cpus": CPUS,
    "deploy.resources.limits.memory": MEMORY,
    "deploy.resources.reservations.cpus": CPUS,
    "deploy.resources.reservations.memory": MEMORY,
    "deploy.restart_policy.delay": NOT_NEGATIVE,
    "deploy.restart_policy.window": NOT_NEGATIVE,
    "deploy.update_config.delay": NOT_NEGATIVE,
    "deploy.update_config.monitor": NOT_NEGATIVE,
    "deploy.update_config.max_failure_ratio": Range("from 0 to 1", 0, 1),
    "healthcheck.interval": MILLISECOND,
    "healthcheck.timeout": MILLISECOND,
    "healthcheck.start_period": MILLISECOND,
    "healthcheck.start_interval": MILLISECOND,
    "healthcheck.retries": NOT_NEGATIVE,
}


def check_service(service: Entry, at: At) -> None:
    """Note what is wrong with a service of a file."""
    for path, allowed in RANGES.items():
        value = _value(service, path.split("."))
        if value is not None and not allowed.takes(value):
            reduce(At.to, path.split("."), at).wrong(f"the engine refuses it unless it is {allowed.words}.")
    for port in _published_twice(service.get("ports", ())):
        at.to("ports").wrong(f"the port {port} is published twice, which the engine refuses. Remove one, or publish another.")


def _value(service: Any, path: Sequence[str]) -> Any:
    if path[0] == "healthcheck" and (service.get("healthcheck") or {}).get("disable"):
        return None
    return reduce(lambda found, key: (found or {}).get(key), path, service)


def _published_twice(ports: Sequence[Entry]) -> Iterator[str]:
    """Whatever the mode."""
    numbers = Counter(f"{port['published']}/{port.get('protocol') or 'tcp'}" for port in ports if port.get("published"))
    return (number for number, count in numbers.items() if count > 1)


def check_network(network: Entry, at: At) -> None:
    """Note what is wrong with the address pools of a network of a file."""
    for index, pool in enumerate((network.get("ipam") or {}).get("config") or ()):
        for key, words in _misfits(pool):
            at.to("ipam").to("config").to(index).to(key).wrong(words)


def _misfits(pool: Entry) -> Iterator[tuple[str, str]]:
    subnet = _network(pool.get("subnet"))
    if subnet is None:
        if pool.get("subnet") or pool.get("ip_range"):
            yield "subnet", f"'{pool.get('subnet') or ''}' is not a network, as the engine demands. Write it like 10.5.0.0/16."
        return
    for key, sort, inside in (
        ("ip_range", "a network", _network(pool.get("ip_range"))),
        ("gateway", "an address", _address(pool.get("gateway"))),
    ):
        if pool.get(key) and not (inside and inside.version == subnet.version and inside.subnet_of(subnet)):
            yield (
                key,
                f"'{pool[key]}' is not {sort} in {pool['subnet']}, as the engine demands. Give one that is, or leave it to the engine.",
            )


def _network(text: Any) -> Any:
    """None unless it is one with the length of its prefix."""
    try:
        return ipaddress.ip_network(text, strict=False) if re.search(r"/\d+$", text or "") else None
    except ValueError:
        return None


def _address(text: Any) -> Any:
    """As the network of this one; None where it is no address."""
    return _network(f"{text}/{128 if ':' in str(text) else 32}")
