# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.homecloud.swarm.plugins.filter.ingress_sites import ingress_sites


def app(name: str, *expose: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "expose": list(expose), **more}


def way(host: str, **more: Any) -> dict[str, Any]:
    return {"service": "web", "port": 80, "host": host, **more}


def site(host: str, app: str, port: int = 80, tls: str = "internal") -> dict[str, Any]:
    return {"host": host, "app": app, "service": "web", "port": port, "tls": tls}


@pytest.mark.parametrize(
    ("apps", "options", "sites"),
    [
        pytest.param([], {}, [], id="nothing"),
        pytest.param([{"name": "quiet"}], {}, [], id="an app without a host"),
        pytest.param(
            [app("a", way("B.home.arpa", port="8080"))], {}, [site("b.home.arpa", "a", 8080)], id="names and ports are normalised"
        ),
        pytest.param([app("b", way("b.x")), app("a", way("a.x"))], {}, [site("a.x", "a"), site("b.x", "b")], id="in the order of hosts"),
        pytest.param([app("a", way("a.x"), state="absent")], {}, [], id="absent apps have no host"),
        pytest.param([app("a", way("a.x")), app("b", way("a.x"), state="absent")], {}, [site("a.x", "a")], id="a host may change hands"),
        pytest.param([app("a", way("a.x", tls="none"))], {"tls": "acme"}, [site("a.x", "a", tls="none")], id="the app's word on TLS wins"),
        pytest.param([app("a", way("a.x"))], {"tls": "acme", "nodes": ["n1"]}, [site("a.x", "a", tls="acme")], id="acme on one node"),
        pytest.param([app("a", way("a.x"))], {"tls": "acme"}, [site("a.x", "a", tls="acme")], id="acme on nodes not told"),
        pytest.param([app("a", way("a.x", tls="mine"))], {"certificates": ["mine"]}, [site("a.x", "a", tls="mine")], id="own certificate"),
    ],
)
def test_sites(apps: list[dict[str, Any]], options: dict[str, Any], sites: list[dict[str, Any]]) -> None:
    assert ingress_sites(apps, **options) == sites


@pytest.mark.parametrize(
    ("apps", "options", "words"),
    [
        pytest.param([app("a", way("x.y")), app("b", way("X.y"))], {}, "x.y is exposed twice, by a (web) and b (web)", id="two apps"),
        pytest.param([app("a", way("x.y", tls="intern"))], {}, "Did you mean internal?", id="a misspelt issuer"),
        pytest.param([app("a", way("x.y", tls="q"))], {"certificates": ["mine"]}, "host x.y: tls is q", id="an unknown certificate"),
        pytest.param([app("a", way("x.y", tls="acme"))], {"nodes": ["n1", "n2"]}, "there are 2 (n1, n2)", id="acme on two nodes"),
    ],
)
def test_errors(apps: list[dict[str, Any]], options: dict[str, Any], words: str) -> None:
    with pytest.raises(AnsibleFilterError) as error:
        ingress_sites(apps, **options)
    assert words in str(error.value)


def test_all_errors_at_once() -> None:
    with pytest.raises(AnsibleFilterError) as error:
        ingress_sites([app("a", way("x.y", tls="q")), app("b", way("x.y"))])
    assert "twice" in str(error.value)
    assert "tls is q" in str(error.value)
