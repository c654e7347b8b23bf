# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host leads to which service, and with which certificate: what the ingress is configured from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

from ansible.errors import AnsibleFilterError

#: Ways to a certificate besides those the user gives by name.
ISSUERS = ("internal", "acme", "none")


@dataclass(frozen=True)
class Site:
    """A host name, and the service that answers for it."""

    host: str
    app: str
    service: str
    port: int
    tls: str


def ingress_sites(
    apps: Iterable[Mapping[str, Any]],
    tls: str = "internal",
    certificates: Iterable[str] = (),
    nodes: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """The sites of all apps that shall be present, by host. Everything that is wrong is named at once."""
    sites = list(_sites(apps, tls))
    wrong = [*_twice(sites), *_unknown(sites, tuple(certificates)), *_shared_acme(sites, nodes)]
    if wrong:
        raise AnsibleFilterError(" ".join(wrong))
    return [asdict(site) for site in sorted(sites, key=lambda site: site.host)]


def _sites(apps: Iterable[Mapping[str, Any]], tls: str) -> Iterator[Site]:
    for app in apps:
        if app.get("state", "present") == "present":
            for way in app.get("expose") or ():
                yield Site(str(way["host"]).lower(), app["name"], way["service"], int(way["port"]), way.get("tls") or tls)


def _twice(sites: Sequence[Site]) -> Iterator[str]:
    owners: dict[str, Site] = {}
    for site in sites:
        first = owners.setdefault(site.host, site)
        if first is not site:
            yield (
                f"swarm_apps: the host {site.host} is exposed twice, by {first.app} ({first.service}) and {site.app} ({site.service}); "
                "give one of them another host."
            )


def _unknown(sites: Sequence[Site], certificates: tuple[str, ...]) -> Iterator[str]:
    known = (*ISSUERS, *certificates)
    for site in sites:
        if site.tls not in known:
            near = get_close_matches(site.tls, known, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            yield (
                f"swarm_apps: {site.app}: host {site.host}: tls is {site.tls}, which is neither {', '.join(ISSUERS)} "
                f"nor a name in swarm_ingress_certificates.{hint}"
            )


def _shared_acme(sites: Sequence[Site], nodes: Sequence[str] | None) -> Iterator[str]:
    hosts = [site.host for site in sites if site.tls == "acme"]
    if hosts and nodes is not None and len(nodes) != 1:
        yield (
            f"Certificates from ACME ({', '.join(hosts)}) need exactly one ingress node, and there are {len(nodes)} ({', '.join(nodes)}): "
            "a challenge could reach a node that knows nothing of it. Leave one in swarm_ingress_nodes, "
            "or use tls: internal or a certificate of your own."
        )


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"ingress_sites": ingress_sites}
