# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

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
    ("stacks", "files"),
    [
        ([], {"other": GREEN, "old": BLUE, "share": "0", "new": BLUE}),
        ([running("web")], {"other": BLUE, "old": "shop_web", "share": "0", "new": "shop_web"}),
        ([running("web-green", "db")], {"other": BLUE, "old": GREEN, "share": "0", "new": GREEN}),
        ([running("web", "web-blue")], {"other": BLUE, "old": "shop_web", "share": "0", "new": "shop_web"}),
        ([running("db")], {"other": GREEN, "old": BLUE, "share": "0", "new": BLUE}),
        ([stack()], {"other": BLUE, "old": GREEN, "share": "0", "new": GREEN}),
        # nobody may see a preview, whatever becomes of the version that serves
        ([stack(0)], {"other": GREEN, "old": GREEN, "share": "0", "new": BLUE}),
        ([stack(10)], {"new": BLUE, "old": GREEN, "share": "1a", "other": BLUE}),
        ([stack(100)], {"new": BLUE, "old": GREEN, "share": "g", "other": BLUE}),
    ],
)
def test_files_and_their_order(stacks: list[dict[str, Any]], files: dict[str, str]) -> None:
    wanted = [{"name": f"shop.x.{part}", "content": content} for part, content in files.items()]
    assert ingress_colours(SITES, stacks) == wanted


def test_no_request_goes_astray_between_two_files() -> None:
    """Whatever is written in between, a request for all goes to what serves before or after, never to what is only previewed."""
    states = [stack(), stack(0), stack(10), stack(100), {**stack(), "colours": {"web": "web-blue"}}, stack(0)]
    files: dict[str, str] = {}
    serving = {"shop_web-green"}
    for state in states:
        for file in ingress_colours(SITES, [state]):
            files[file["name"].rpartition(".")[2]] = file["content"]
            if len(files) == 4:
                reached = {side for side, reached in (("old", files["share"] != "g"), ("new", files["share"] != "0")) if reached}
                now = {files[side] for side in reached}
                assert now <= serving | {f"shop_{name}" for name in allowed(state)}, (state, files)
        serving = {f"shop_{name}" for name in allowed(state)}


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
