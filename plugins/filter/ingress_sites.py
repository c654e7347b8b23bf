# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host leads to which service, and with which certificate: what the ingress is configured from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Site:
    """A host name, and the service that answers for it."""

    host: str
    app: str
    service: str
    port: int
    tls: str


def ingress_sites(apps: Iterable[Mapping[str, Any]], tls: str = "internal") -> list[dict[str, Any]]:
    """The sites of all apps that shall be present, by host."""
    return [asdict(site) for site in sorted(sites(apps, tls), key=lambda site: site.host)]


def sites(apps: Iterable[Mapping[str, Any]], tls: str) -> Iterator[Site]:
    """In the order of the apps."""
    for app in apps:
        if app.get("state", "present") == "present":
            for way in app.get("expose") or ():
                yield Site(str(way["host"]).lower(), app["name"], way["service"], int(way["port"]), way.get("tls") or tls)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"ingress_sites": ingress_sites}
