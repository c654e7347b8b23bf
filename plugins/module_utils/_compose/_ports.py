# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The short form of published ports: ``[[ip:]published:]target[/protocol]``, each part a port or a range."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ._notes import At

DIGITS = re.compile(r"[0-9]{1,9}\Z")
PROTOCOLS = ("tcp", "udp", "sctp")


def short_ports(value: str | float, at: At) -> list[dict[str, Any]]:
    try:
        return _ports(str(value), at)
    except ValueError as problem:
        at.wrong(str(problem))
        return []


def _ports(spec: str, at: At) -> list[dict[str, Any]]:
    ports, _slash, protocol = spec.partition("/")
    protocol = protocol.lower() or "tcp"
    if protocol not in PROTOCOLS:
        raise ValueError(f"'{protocol}' is not a protocol; it is one of {', '.join(PROTOCOLS)}.")
    address_and_published, _colon, target = ports.rpartition(":")
    address, _colon, published = address_and_published.rpartition(":")
    if address:
        _check_address(address, spec, at)
    targets = _range(target, spec)
    if not published:
        pairs = [(one, 0) for one in targets]
    else:
        outside = _range(published, spec)
        if len(targets) not in (1, len(outside)):
            raise ValueError(f"'{spec}' publishes {len(outside)} ports for {len(targets)}; the numbers must be equal.")
        pairs = list(zip(targets * len(outside) if len(targets) == 1 else targets, outside))
    # The CLI sorts by the text of the target: 10/tcp comes before 9/tcp.
    pairs.sort(key=lambda pair: (f"{pair[0]}/{protocol}", pair[1]))
    return [{"target": inside, "published": outside_port, "protocol": protocol, "mode": "ingress"} for inside, outside_port in pairs]


def _range(text: str, spec: str) -> list[int]:
    low, _dash, high = text.partition("-")
    if not (DIGITS.match(low) and DIGITS.match(high or low)):
        raise ValueError(f"'{spec}' is not a port. Write it like 80, 8080:80 or 8080:80/udp.")
    first, last = int(low), int(high or low)
    if not 0 <= first <= last <= 65535:
        raise ValueError(f"'{spec}' has a port outside 0 to 65535, or a range that ends before it starts.")
    return list(range(first, last + 1))


def _check_address(address: str, spec: str, at: At) -> None:
    bare = address[1:-1] if address.startswith("[") and address.endswith("]") else address
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        raise ValueError(f"'{spec}': '{address}' is not an IP address.") from None
    if found.version == 6 and bare == address:
        raise ValueError(f"'{spec}': write the address in brackets, like [{address}].")
    if not found.is_unspecified:
        at.warn(f"the address {bare} is ignored; Swarm publishes on all addresses of a node.")
