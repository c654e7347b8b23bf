# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.filter.ingress_sites import ingress_sites


def app(name: str, *expose: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "expose": list(expose), **more}


def way(host: str, **more: Any) -> dict[str, Any]:
    return {"service": "web", "port": 80, "host": host, **more}


def site(host: str, app: str, port: int = 80, tls: str = "internal") -> dict[str, Any]:
    plain = {"sticky": False, "blue_green": False, "preview": "", "old": "", "new": "", "folder": ""}
    return {"host": host, "app": app, "service": "web", "port": port, "tls": tls, **plain}


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
        pytest.param([app("a", way("a.x"))], {"tls": "acme"}, [site("a.x", "a", tls="acme")], id="what goes for all"),
        pytest.param([app("a", way("a.x", sticky=True))], {}, [{**site("a.x", "a"), "sticky": True}], id="clients that stay"),
    ],
)
def test_sites(apps: list[dict[str, Any]], options: dict[str, Any], sites: list[dict[str, Any]]) -> None:
    assert ingress_sites(apps, **options) == sites


def test_two_sides() -> None:
    (found,) = ingress_sites([app("a", way("A.x"), strategy="blue_green")])
    (other,) = ingress_sites([app("b", way("b.x", preview="Next.b.x"), strategy="blue_green")])
    assert (found["blue_green"], found["preview"], other["preview"]) == (True, "preview.a.x", "next.b.x")
    addresses = {found["old"], found["new"], other["old"], other["new"]}
    assert len(addresses) == 4
    assert all(ip_address(address).is_loopback and not address.endswith((".0", ".255")) for address in addresses)


def test_an_app_that_had_colours_keeps_two_sides() -> None:
    stacks = [{"name": "a", "colours": {"web": "web-green"}}, {"name": "b", "colours": {}}]
    found = ingress_sites([app("a", way("a.x")), app("b", way("b.x"))], stacks=stacks)
    assert [(site["host"], site["blue_green"]) for site in found] == [("a.x", True), ("b.x", False)]
