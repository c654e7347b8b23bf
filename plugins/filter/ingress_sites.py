# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host leads to which service, and with which certificate: what the ingress is configured from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean


@dataclass(frozen=True)
class Site:
    """A host name, and the service that answers for it.

    With ``blue_green`` two services can: which ones, and with what share of the requests, is not part of the configuration, so that
    a release does not have it loaded anew. Each has an address of its own inside of the ingress.
    """

    host: str
    app: str
    service: str
    port: int
    tls: str
    #: whether a client stays with the replica that it had
    sticky: bool = False
    blue_green: bool = False
    #: where the new colour can be seen before it gets requests
    preview: str = ""
    #: addresses on the loopback of the ingress
    old: str = ""
    new: str = ""
    #: where the ingress finds which services these are
    folder: str = ""


def ingress_sites(
    apps: Iterable[Mapping[str, Any]], tls: str = "internal", stacks: Iterable[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """The sites of all apps that shall be present, by host. ``stacks`` are as stack_info returns them."""
    return [asdict(site) for site in sorted(sites(apps, tls, stacks), key=lambda site: site.host)]


def sites(apps: Iterable[Mapping[str, Any]], tls: str, stacks: Iterable[Mapping[str, Any]] = ()) -> Iterator[Site]:
    """In the order of the apps."""
    coloured = {(stack["name"], service) for stack in stacks for service in stack["colours"]}
    for app in apps:
        if app.get("state", "present") == "present":
            for way in app.get("expose") or ():
                host, sticky = str(way["host"]).lower(), boolean(way.get("sticky", False), strict=False)
                site = Site(host, app["name"], way["service"], int(way["port"]), way.get("tls") or tls, sticky)
                # an app that is not to be released so any more still runs in the colour that it had last
                has_colours = app.get("strategy") == "blue_green" or (site.app, site.service) in coloured
                yield _two_sided(site, way) if has_colours else site


def _two_sided(site: Site, way: Mapping[str, Any]) -> Site:
    preview = str(way.get("preview") or f"preview.{site.host}").lower()
    # a star stands for any name where Caddy looks for files
    folder = site.host.replace("*", "+")
    return replace(
        site, blue_green=True, preview=preview, old=_address(f"{site.host} old"), new=_address(f"{site.host} new"), folder=folder
    )


def _address(name: str) -> str:
    """One of the sixteen million addresses that every machine is itself, the same for the same name in every configuration."""
    first, second, third = hashlib.sha256(name.encode()).digest()[:3]
    return f"127.{first}.{second}.{1 + third % 254}"


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"ingress_sites": ingress_sites}
