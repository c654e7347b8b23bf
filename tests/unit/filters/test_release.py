# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters that judge a release."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.filter.release_checks import release_checks
from ansible_collections.homecloud.swarm.plugins.filter.release_failures import release_failures
from ansible_collections.homecloud.swarm.plugins.filter.release_problem import release_problem

SITES = [{"host": "shop.x", "preview": "preview.shop.x"}]
CHECK = {"url": "http://preview.shop.x/", "status": 200, "contains": ""}


def test_checks_are_made_as_often_as_they_shall_be() -> None:
    asked = release_checks([{}, {"path": "/health", "status": 204, "contains": "ok", "times": 2}], SITES)
    more = {"url": "http://preview.shop.x/health", "status": 204, "contains": "ok"}
    assert asked == [CHECK, more, more]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"status": 200, "content": "hello", "item": CHECK}, ""),
        ({"status": 503, "item": CHECK}, "http://preview.shop.x/ was to have status 200, and had status 503"),
        ({"status": -1, "msg": "Request failed", "item": CHECK}, "http://preview.shop.x/ was to have status 200, and had Request failed"),
        ({"status": 200, "content": "a", "item": {**CHECK, "contains": "b"}}, "the answer of http://preview.shop.x/ does not contain 'b'"),
    ],
)
def test_answers(answer: dict[str, Any], sentence: str) -> None:
    assert release_failures([answer, answer]) == sentence


def counted(**servers: tuple[int, int]) -> str:
    """Caddy's metrics: good and failed answers of each server."""
    line = 'caddy_http_request_duration_seconds_count{{code="{code}",handler="{handler}",method="GET",server="shop.x/{side}"}} {count}'
    return "\n".join(
        line.format(code=code, handler=handler, side=side, count=count)
        for side, counts in servers.items()
        for code, count in zip((200, 502), counts, strict=True)
        for handler in ("reverse_proxy", "subroute")
    )


@pytest.mark.parametrize(
    ("before", "now", "problem"),
    [
        pytest.param({"new": (0, 0)}, {"new": (100, 0), "old": (100, 0)}, "", id="all is well"),
        pytest.param({"new": (0, 0)}, {"new": (10, 9), "old": (100, 0)}, "", id="too few to say"),
        pytest.param({"new": (0, 0)}, {"new": (98, 2), "old": (100, 0)}, "2 of 100 answers", id="worse"),
        pytest.param({"new": (0, 0)}, {"new": (98, 2), "old": (98, 2)}, "", id="no worse than before"),
        pytest.param({"new": (100, 50)}, {"new": (200, 50), "old": (100, 0)}, "", id="it was worse earlier"),
        pytest.param({"new": (500, 0)}, {"new": (50, 50)}, "50 of 100 answers", id="counted anew"),
        pytest.param({}, {}, "", id="nothing counted"),
    ],
)
def test_who_does_worse(before: dict[str, tuple[int, int]], now: dict[str, tuple[int, int]], problem: str) -> None:
    found = release_problem(SITES, [counted(**before)], [counted(**now)])
    assert problem in found
    assert bool(found) is bool(problem)


def test_all_ingress_nodes_count() -> None:
    one = counted(new=(10, 1))
    assert "2 of 22 answers" in release_problem(SITES, ["", ""], [one, one])
