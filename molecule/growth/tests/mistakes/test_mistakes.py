# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes in the inventory: each is one sentence, before anything is deployed."""

from __future__ import annotations

from typing import Any

import outside
import pytest
from managers import on
from plays import play

SCENARIO = outside.ROOT / "molecule" / "growth"
VARIABLES = [SCENARIO / "vars" / "home.yml", SCENARIO / "vars" / "changed.yml"]
OWN = outside.HOME / "own.crt"
WEB: dict[str, Any] = {"services": {"web": {"image": "registry.home.arpa:5000/guestbook:1.1"}}}


def app(name: str, host: str = "shop.home.arpa", **more: Any) -> dict[str, Any]:
    return {"name": name, "compose": [WEB], "expose": [{"service": "web", "port": 8000, "host": host, **more}]}


def own(certificate: str, key: str) -> list[dict[str, str]]:
    """The user's certificate, made of these files."""
    return [{"name": "own", "certificate": (outside.HOME / certificate).read_text(), "key": (outside.HOME / key).read_text()}]


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "ACME on two ingress nodes": (
        {"swarm_ingress_nodes": ["manager1", "manager2"], "swarm_apps": [app("shop", tls="acme")]},
        (
            "Certificates from ACME (shop.home.arpa) need exactly one ingress node, and there are 2 (manager1, manager2): a challenge "
            "could reach a node that knows nothing of it. Leave one in swarm_ingress_nodes, or use tls: internal or a certificate of "
            "your own."
        ),
    ),
    "the key of another certificate": (
        {"swarm_ingress_certificates": own("own.crt", "authority.key")},
        (
            "swarm_ingress_certificates: own: the key does not belong to the certificate (the first one, where there are "
            "intermediates); give the one it was made with."
        ),
    ),
    "a certificate for a key": (
        {"swarm_ingress_certificates": own("own.crt", "own.crt")},
        "swarm_ingress_certificates: own: the key is not a private key in PEM; give the text from BEGIN PRIVATE KEY to END PRIVATE KEY.",
    ),
    "one host for two apps": (
        {"swarm_apps": [app("shop"), app("wiki")]},
        "swarm_apps: the host shop.home.arpa is exposed twice, by shop (web) and wiki (web); give one of them another host.",
    ),
    "the name of a stack that a role has": (
        {"swarm_apps": [app("registry")]},
        "swarm_apps: registry: the stack of this name belongs to the role swarm_registry; give the app another name.",
    ),
}


# Everything there is, with its version: what is written to has another one.
VERSIONS = "--format '{{.ID}} {{.Version.Index}}'"
OBJECTS = f"for sort in service secret config; do docker $sort ls --quiet | xargs docker $sort inspect {VERSIONS}; done"


@pytest.mark.parametrize(("given", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_one_sentence_and_nothing_done(given: dict[str, Any], sentence: str) -> None:
    before = on("manager1").check_output(OBJECTS)
    ran = play("molecule/growth/apps.yml", VARIABLES, **given)
    assert ran.returncode != 0
    assert sentence in ran.stdout
    assert "PRIVATE KEY-----" not in ran.stdout
    assert on("manager1").check_output(OBJECTS) == before


def test_what_was_served_is_served_still() -> None:
    entrance = next(node for node in outside.nodes() if node.name == "manager1")
    assert entrance.ask("/api/about", ca=OWN)["version"] == "1.1"
