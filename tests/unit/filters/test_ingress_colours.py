# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.filter.ingress_colours import ingress_colours, share
from ansible_collections.homecloud.swarm.plugins.filter.ingress_sites import ingress_sites

SITES = ingress_sites(
    [
        {"name": "shop", "strategy": "blue_green", "expose": [{"service": "web", "port": 80, "host": "shop.x"}]},
        {"name": "plain", "expose": [{"service": "web", "port": 80, "host": "plain.x"}]},
    ]
)


BLUE, GREEN = "shop_web-blue", "shop_web-green"


def stack(weight: int | None = None) -> dict[str, Any]:
    colours = {"old": {"web": "web-green"}, "new": {"web": "web-blue"}}
    return {"name": "shop", "colours": colours["old"], "release": None if weight is None else {**colours, "weight": weight}}


def running(*services: str) -> dict[str, Any]:
    """A stack of whose colours no revision tells."""
    return {"name": "shop", "colours": {}, "release": None, "services": [{"service": f"shop_{name}"} for name in services]}


@pytest.mark.parametrize(
    ("stacks", "line"),
    [
        ([], (BLUE, BLUE, "0", GREEN)),
        ([running("web")], ("shop_web", "shop_web", "0", BLUE)),
        ([running("web-green", "db")], (GREEN, GREEN, "0", BLUE)),
        ([running("web", "web-blue")], ("shop_web", "shop_web", "0", BLUE)),
        ([running("db")], (BLUE, BLUE, "0", GREEN)),
        ([stack()], (GREEN, GREEN, "0", BLUE)),
        # nobody may see a preview, whatever becomes of the version that serves
        ([stack(0)], (GREEN, BLUE, "0", GREEN)),
        ([stack(10)], (GREEN, BLUE, "1a", BLUE)),
        ([stack(100)], (GREEN, BLUE, "g", BLUE)),
    ],
)
def test_lines(stacks: list[dict[str, Any]], line: tuple[str, str, str, str]) -> None:
    old, new, weight, other = line
    assert ingress_colours(SITES, stacks) == {"shop.x": f"old={old} new={new} share={weight} other={other}"}


def test_a_host_with_a_star() -> None:
    sites = ingress_sites([{"name": "shop", "strategy": "blue_green", "expose": [{"service": "web", "port": 80, "host": "*.shop.x"}]}])
    assert list(ingress_colours(sites, [])) == ["+.shop.x"]


def test_no_request_goes_astray_between_two_looks() -> None:
    """A request takes its side by one line and its service by the next: it goes to what serves by one of them, never to a preview."""
    states = [stack(), stack(0), stack(10), stack(100), {**stack(), "colours": {"web": "web-blue"}}, stack(0)]
    for before, after in pairwise(states):
        first, second = (dict(word.split("=") for word in ingress_colours(SITES, [state])["shop.x"].split()) for state in (before, after))
        reached = {side for side, reached in (("old", first["share"] != "g"), ("new", first["share"] != "0")) if reached}
        serving = {f"shop_{name}" for state in (before, after) for name in allowed(state)}
        assert {second[side] for side in reached} <= serving, (before, after)


def allowed(state: dict[str, Any]) -> set[str]:
    release = state["release"] or {}
    weight = release.get("weight", 0)
    old, new = state["colours"]["web"], (release.get("new") or state["colours"])["web"]
    return {*([old] if weight < 100 else []), *([new] if weight else [])}


@pytest.mark.parametrize("weight", range(101))
def test_shares(weight: int) -> None:
    digits = [f"{number:02x}" for number in range(256)]
    below = sum(f"{text}0f-uuid" < share(weight) for text in digits)
    assert abs(below / 256 - weight / 100) < 0.005
