# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.filter.ingress_problems import ingress_problems
from ansible_collections.homecloud.swarm.plugins.lookup.new_ca import new_ca
from ansible_collections.homecloud.swarm.plugins.plugin_utils._key_pair import pair_problem
from cryptography.hazmat.primitives import serialization

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=timezone.utc)
PAIR, OTHER = (new_ca(name, 10, NOW) for name in ("one", "other"))
CERTIFICATE, KEY = PAIR["certificate"], PAIR["key"]
PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----"
LOCKED = (
    serialization.load_pem_private_key(KEY.encode(), None)
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x"))
    .decode()
)


def app(name: str, *expose: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "expose": list(expose), **more}


def way(host: str, **more: Any) -> dict[str, Any]:
    return {"service": "web", "port": 80, "host": host, **more}


def own(name: str, certificate: str = CERTIFICATE, key: str = KEY) -> dict[str, str]:
    return {"name": name, "certificate": certificate, "key": key}


def cut(text: str) -> str:
    """The same with its middle lost."""
    lines = text.splitlines()
    return "\n".join([lines[0], lines[1][:20], lines[-1]])


@pytest.mark.parametrize(
    ("apps", "options"),
    [
        pytest.param([app("a", way("x.y")), app("b", way("z.y"))], {}, id="two hosts"),
        pytest.param([app("a", way("x.y")), app("b", way("x.y"), state="absent")], {}, id="a host changes hands"),
        pytest.param([app("a", way("x.y"))], {"tls": "acme", "nodes": ["n1"]}, id="acme on one node"),
        pytest.param([app("a", way("x.y", tls="none"))], {"tls": "acme", "nodes": ["n1", "n2"]}, id="acme that nobody uses"),
        pytest.param([app("a", way("*.x.y")), app("b", way("localhost")), app("c", way("a_b-c.x.y"))], {}, id="names of many kinds"),
        pytest.param([app("a", way("x.y", tls="mine"))], {"certificates": [own("mine")]}, id="own certificate"),
    ],
)
def test_good(apps: list[dict[str, Any]], options: dict[str, Any]) -> None:
    assert ingress_problems(apps, **options) == []


@pytest.mark.parametrize(
    ("apps", "options", "words"),
    [
        pytest.param([app("a", way("x.y")), app("b", way("X.y"))], {}, "x.y is exposed twice, by a (web) and b (web)", id="two apps"),
        pytest.param(
            [app("a", way("x.y"), strategy="blue_green"), app("b", way("preview.x.y"))],
            {},
            "preview.x.y is exposed twice, by a (web, its preview) and b (web); give one of them another preview.",
            id="a preview",
        ),
        pytest.param(
            [app("a", way("x.y", preview="X.y"), strategy="blue_green")], {}, "by a (web) and a (web, its preview)", id="its own preview"
        ),
        pytest.param([app("a", way("https://x.y"))], {}, "a: the host 'https://x.y' is not a host name; give one like", id="an address"),
        pytest.param([app("a", way("x" * 64 + ".y"))], {}, "is not a host name; give one like", id="a long word of a host"),
        pytest.param([app("a", way(".".join(["x" * 60] * 5)))], {}, "is not a host name; give one like", id="a long host"),
        pytest.param([app("my app", way("x.y"))], {}, "my app: 'my app' can be the name of no app; take letters", id="an app of two words"),
        pytest.param(
            [app("a", way("x.y", service="we{b"))], {}, "a: 'we{b' can be the name of no service; take", id="a brace in a service"
        ),
        pytest.param([app("a", way("x y"))], {}, "the host 'x y' is not", id="two words"),
        pytest.param([app("a", way("x.y", preview="x.y:80"), strategy="blue_green")], {}, "the preview 'x.y:80' is not", id="a port"),
        pytest.param([app("a", way("x.y", tls="intern"))], {}, "Did you mean internal?", id="a misspelt issuer"),
        pytest.param([app("a", way("x.y", tls="q"))], {"certificates": [own("mine")]}, "host x.y: tls is q", id="an unknown certificate"),
        pytest.param([app("a", way("x.y", tls="acme"))], {"nodes": ["n1", "n2"]}, "there are 2 (n1, n2)", id="acme on two nodes"),
        pytest.param(
            [app("a", way("x.y"))],
            {"nodes": [], "hosts": ["n1", "n2"]},
            "nothing would answer for x.y; take one or more of n1, n2.",
            id="nodes none of which stays",
        ),
        pytest.param(
            [], {"nodes": ["nod1"], "hosts": ["node1"]}, "nod1 is no host that stays in the swarm. Did you mean node1?", id="no such node"
        ),
        pytest.param([], {"certificates": [own("mine"), own("mine")]}, "mine: the name is given 2 times", id="a name twice"),
        pytest.param(
            [app("a", way("*.x.y", tls="acme"))], {"nodes": ["n1"]}, "ACME gives a certificate for *.x.y only", id="acme for all below"
        ),
        pytest.param([], {"certificates": [own("acme")]}, "tls: acme has a meaning of its own", id="an issuer's name"),
        pytest.param([], {"certificates": [own("*.home")]}, "*.home: a name has letters", id="no name for a secret"),
        pytest.param([], {"certificates": [own("mine", key=OTHER["key"])]}, "mine: the key does not belong", id="another's key"),
    ],
)
def test_one_sentence(apps: list[dict[str, Any]], options: dict[str, Any], words: str) -> None:
    (sentence,) = ingress_problems(apps, **options)
    assert words in sentence


def test_all_at_once() -> None:
    found = ingress_problems([app("a", way("x.y", tls="q")), app("b", way("x.y"))], certificates=[own("mine", key="?")])
    assert [word for word in ("twice", "tls is q", "mine: the key") if word in " ".join(found)] == ["twice", "tls is q", "mine: the key"]


@pytest.mark.parametrize(
    ("certificate", "key"),
    [
        pytest.param(CERTIFICATE, KEY, id="as made"),
        pytest.param(f"words\n{CERTIFICATE}{OTHER['certificate']}", KEY, id="with words and intermediates"),
        pytest.param(CERTIFICATE, f"{PARAMETERS}\n{KEY}", id="with parameters"),
    ],
)
def test_pairs_that_servers_take(certificate: str, key: str) -> None:
    assert pair_problem(certificate, key) is None


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [
        pytest.param("", KEY, "the certificate is not PEM", id="no certificate"),
        pytest.param(KEY, CERTIFICATE, "the certificate holds a private key", id="swapped"),
        pytest.param(CERTIFICATE + KEY, KEY, "the certificate holds a private key", id="a readable key"),
        pytest.param(cut(CERTIFICATE), KEY, "the certificate cannot be read", id="half a certificate"),
        pytest.param(CERTIFICATE, CERTIFICATE, "the key is not a private key", id="no key"),
        pytest.param(CERTIFICATE, cut(KEY), "the key cannot be read", id="half a key"),
        pytest.param(CERTIFICATE, LOCKED, "the key has a passphrase", id="locked"),
        pytest.param(CERTIFICATE, OTHER["key"], "the key does not belong", id="another's key"),
        pytest.param(OTHER["certificate"] + CERTIFICATE, KEY, "the key does not belong", id="the leaf comes last"),
    ],
)
def test_pairs_that_no_server_takes(certificate: str, key: str, words: str) -> None:
    assert words in (pair_problem(certificate, key) or "")
