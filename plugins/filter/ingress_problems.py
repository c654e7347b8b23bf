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

from ..module_utils._desired import DNS_NAME
from .ingress_sites import Site, sites

try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.x509 import load_pem_x509_certificate

    MISSING: str | None = None
except ImportError as problem:
    MISSING = str(problem)

#: Ways to a certificate besides those the user gives by name.
ISSUERS = ("internal", "acme", "none")

#: What Caddy, and the names of files, take; a name for all hosts below another one may begin with a star.
HOST = re.compile(r"(?=.{1,253}$)(\*\.)?[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")

#: Names of certificates become part of the names of secrets and configs.
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,30}[A-Za-z0-9])?")

#: What servers look for in a file; anything else in it (other blocks, words in between) is passed over.
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
KEY = re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?-----END \1PRIVATE KEY-----", re.DOTALL)


def ingress_problems(
    apps: Iterable[Mapping[str, Any]],
    tls: str = "internal",
    certificates: Sequence[Mapping[str, Any]] = (),
    nodes: Sequence[str] = (),
    hosts: Sequence[str] | None = None,
) -> list[str]:
    """A sentence for each mistake; none of them holds anything of a key. ``hosts`` are those of the inventory, None if they are unknown."""
    if certificates and MISSING:
        raise AnsibleFilterError(f"Python's cryptography is missing on the controller ({MISSING}); install it beside ansible-core.")
    wanted = list(sites(apps, tls))
    if odd := list(_no_names(wanted)):
        # what comes of them would be no clearer
        return odd
    names = tuple(str(one["name"]) for one in certificates)
    return [
        *_strangers(nodes, nodes if hosts is None else hosts),
        *_twice(wanted),
        *_unknown(wanted, names),
        *_shared_acme(wanted, nodes),
        *_names(names),
        *_pairs(certificates),
    ]


def _strangers(nodes: Sequence[str], hosts: Sequence[str]) -> Iterator[str]:
    for node in nodes:
        if node not in hosts:
            yield f"swarm_ingress_nodes: there is no host {node} in the inventory.{_nearest(node, hosts)}"


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


def _pairs(certificates: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in certificates:
        problem = pair_problem(str(one["certificate"]), str(one["key"]))
        if problem:
            yield f"swarm_ingress_certificates: {one['name']}: {problem}"


def pair_problem(certificate: str, key: str) -> str | None:
    """Why no server can use this certificate with this key, if so."""
    return _shape_problem(certificate, key) or _content_problem(certificate, key)


def _shape_problem(certificate: str, key: str) -> str | None:
    if KEY.search(certificate):
        return "the certificate holds a private key too, and everybody on a manager could read it there; give it as the key only."
    if not CERTIFICATE.search(certificate):
        return "the certificate is not PEM; give the text from BEGIN CERTIFICATE to END CERTIFICATE, intermediates after it."
    private = KEY.search(key)
    if not private:
        return "the key is not a private key in PEM; give the text from BEGIN PRIVATE KEY to END PRIVATE KEY."
    if "ENCRYPTED" in private[0]:
        return "the key has a passphrase, and nobody is there to type it when Caddy starts; give it without (openssl pkey -in KEY)."
    return None


def _content_problem(certificate: str, key: str) -> str | None:
    try:
        public = load_pem_x509_certificate(_block(CERTIFICATE, certificate)).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "the certificate cannot be read; was it cut off or changed on its way?"
    try:
        own = serialization.load_pem_private_key(_block(KEY, key), password=None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "the key cannot be read; was it cut off or changed on its way?"
    if _encoded(own) != _encoded(public):
        return "the key does not belong to the certificate (the first one, where there are intermediates); give the one it was made with."
    return None


def _block(pattern: re.Pattern[str], text: str) -> bytes:
    found = pattern.search(text)
    return found[0].encode() if found else b""


def _encoded(public: Any) -> bytes:
    encoded: bytes = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encoded


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"ingress_problems": ingress_problems}
