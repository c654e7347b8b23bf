# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with what the ingress shall serve, as sentences: found before anything is deployed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._names import DNS_NAME
from .ingress_sites import Site, sites

#: Ways to a certificate besides those the user gives by name.
ISSUERS = ("internal", "acme", "none")

#: What Caddy, and the names of files, take; a name for all hosts below another one may begin with a star.
HOST = re.compile(r"(?=.{1,253}$)(\*\.)?[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")

#: Names of certificates become part of the names of secrets and configs.
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,30}[A-Za-z0-9])?")


def ingress_problems(
    apps: Iterable[Mapping[str, Any]],
    tls: str = "internal",
    certificates: Sequence[Mapping[str, Any]] = (),
    nodes: Sequence[str] = (),
    hosts: Sequence[str] | None = None,
) -> list[str]:
    """A sentence for each mistake; none of them holds anything of a key. ``hosts`` are those of the swarm, None if they are unknown."""
    wanted = list(sites(apps, tls))
    if odd := list(_no_names(wanted)):
        # what comes of them would be no clearer
        return odd
    names = tuple(str(one["name"]) for one in certificates)
    return [
        *_strangers(nodes, nodes if hosts is None else hosts),
        *_nowhere(wanted, nodes, hosts),
        *_twice(wanted),
        *_unknown(wanted, names),
        *_shared_acme(wanted, nodes),
        *_starred_acme(wanted),
        *_names(names),
        *_pairs(certificates),
    ]


def _strangers(nodes: Sequence[str], hosts: Sequence[str]) -> Iterator[str]:
    for node in nodes:
        if node not in hosts:
            yield f"swarm_ingress_nodes: {node} is no host that stays in the swarm.{_nearest(node, hosts)}"


def _nowhere(wanted: Sequence[Site], nodes: Sequence[str], hosts: Sequence[str] | None) -> Iterator[str]:
    if wanted and hosts and not nodes:
        yield (
            f"swarm_ingress_nodes names no host that stays in the swarm, so nothing would answer for {wanted[0].host}; "
            f"take one or more of {', '.join(hosts)}."
        )


def _nearest(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, 1)
    return f" Did you mean {near[0]}?" if near else ""


def _no_names(wanted: Sequence[Site]) -> Iterator[str]:
    for site in wanted:
        for what, word in (("app", site.app), ("service", site.service)):
            if not DNS_NAME.fullmatch(str(word)):
                yield (
                    f"swarm_apps: {site.app}: '{word}' can be the name of no {what}; take letters, digits, - and _, "
                    "and none of the last two at its ends."
                )
        for what, host in (("host", site.host), ("preview", site.preview)):
            if host and not HOST.fullmatch(host):
                yield f"swarm_apps: {site.app}: the {what} '{host}' is not a host name; give one like photos.home.arpa, and nothing else."


def _twice(wanted: Sequence[Site]) -> Iterator[str]:
    owners: dict[str, tuple[str, str]] = {}
    ways = [(site, host, what) for site in wanted for host, what in ((site.host, "host"), (site.preview, "preview")) if host]
    for site, host, what in ways:
        user = f"{site.app} ({site.service}{'' if what == 'host' else ', its preview'})"
        if host in owners:
            first, other = owners[host]
            changed = "preview" if "preview" in (what, other) else "host"
            yield f"swarm_apps: the host {host} is exposed twice, by {first} and {user}; give one of them another {changed}."
        owners.setdefault(host, (user, what))


def _unknown(wanted: Sequence[Site], certificates: tuple[str, ...]) -> Iterator[str]:
    known = (*ISSUERS, *certificates)
    for site in wanted:
        if site.tls not in known:
            yield (
                f"swarm_apps: {site.app}: host {site.host}: tls is {site.tls}, which is neither {', '.join(ISSUERS)} "
                f"nor a name in swarm_ingress_certificates.{_nearest(site.tls, known)}"
            )


def _shared_acme(wanted: Sequence[Site], nodes: Sequence[str]) -> Iterator[str]:
    hosts = [site.host for site in wanted if site.tls == "acme"]
    if hosts and len(nodes) != 1:
        yield (
            f"Certificates from ACME ({', '.join(hosts)}) need exactly one ingress node, and there are {len(nodes)} ({', '.join(nodes)}): "
            "a challenge could reach a node that knows nothing of it. Leave one in swarm_ingress_nodes, "
            "or use tls: internal or a certificate of your own."
        )


def _starred_acme(wanted: Sequence[Site]) -> Iterator[str]:
    for site in wanted:
        if site.tls == "acme" and site.host.startswith("*"):
            yield (
                f"swarm_apps: {site.app}: ACME gives a certificate for {site.host} only to who may write into the DNS, which the ingress "
                "does not; use tls: internal or a certificate of your own there."
            )


def _names(names: Sequence[str]) -> Iterator[str]:
    for name, times in Counter(names).items():
        if times > 1:
            yield f"swarm_ingress_certificates: {name}: the name is given {times} times; give each certificate its own."
        if name in ISSUERS:
            yield f"swarm_ingress_certificates: {name}: tls: {name} has a meaning of its own; choose another name."
        if not NAME.fullmatch(name):
            yield (
                f"swarm_ingress_certificates: {name}: a name has letters, digits, -, _ and ., not at either end but the first two, "
                "and 32 in all; choose another one."
            )


def _pairs(certificates: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not certificates:
        return
    # Ansible reads every filter's file for each task that uses one of them: what takes a while to import waits until it is needed.
    from ..plugin_utils._key_pair import MISSING, pair_problem  # noqa: PLC0415

    if MISSING:
        raise AnsibleFilterError(f"Python's cryptography is missing on the controller ({MISSING}); install it beside ansible-core.")
    for one in certificates:
        problem = pair_problem(str(one["certificate"]), str(one["key"]))
        if problem:
            yield f"swarm_ingress_certificates: {one['name']}: {problem}"


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"ingress_problems": ingress_problems}
