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
CHECK = {"url": "http://preview.shop.x/", "status": 200, "contains": "", "headers": {}, "timeout": 30}
TRY = {"url": "http://preview.shop.x", "command": "./try", "timeout": 30}


def test_checks_are_made_as_often_as_they_shall_be() -> None:
    asked = release_checks([{}, {"path": "/health", "status": 204, "contains": "ok", "times": 2}], SITES)
    more = {**CHECK, "url": "http://preview.shop.x/health", "status": 204, "contains": "ok"}
    assert asked == [CHECK, more, more]


def test_commands_are_told_apart() -> None:
    assert release_checks([{"command": "./try", "times": 2}, {"timeout": 5}], SITES) == [TRY, TRY, {**CHECK, "timeout": 5}]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"status": 200, "content": "hello", "item": CHECK}, ""),
        ({"status": 503, "item": CHECK}, "http://preview.shop.x/ was to have status 200, and had status 503"),
        ({"status": -1, "msg": "Request failed", "item": CHECK}, "http://preview.shop.x/ was to have status 200, and had Request failed"),
        ({"status": 200, "content": "a", "item": {**CHECK, "contains": "b"}}, "the answer of http://preview.shop.x/ does not contain 'b'"),
        ({"status": 200, "content_type": "text/html", "item": {**CHECK, "headers": {"Content-Type": "html"}}}, ""),
        (
            {"status": 200, "content_type": "text/html", "item": {**CHECK, "headers": {"Content-Type": "json"}}},
            "the header Content-Type of http://preview.shop.x/ does not contain 'json', it is 'text/html'",
        ),
        ({"status": 200, "item": {**CHECK, "headers": {"X-A": "b"}}}, "the answer of http://preview.shop.x/ has no header X-A"),
        ({"rc": 0, "stderr": "fine", "item": TRY}, ""),
        ({"rc": 3, "stderr": "no\n", "item": TRY}, "the command './try' ended with 3 and said: no"),
        ({"rc": 3, "stderr": "", "stdout": "", "item": TRY}, "the command './try' ended with 3"),
        ({"rc": 124, "stderr": "wait\n", "item": TRY}, "the command './try' did not end in 30 s"),
        ({"msg": "Failed to connect", "item": TRY}, "the command './try' could not be run: Failed to connect"),
        ({"skipped": True, "item": TRY}, ""),
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
        for handler in ("vars", "subroute")
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


def test_an_answer_counts_once() -> None:
    """Handlers count those that come as far as to them."""
    some = counted(new=(90, 10)).replace('"vars"', '"headers"').replace('"subroute"', '"file_server"')
    assert "20 of 200 answers" in release_problem(SITES, [""], [f"{some}\n{counted(new=(180, 20))}"])


def test_all_ingress_nodes_count() -> None:
    one = counted(new=(10, 1))
    assert "2 of 22 answers" in release_problem(SITES, ["", ""], [one, one])


#: Caddy's steps, in seconds.
STEPS = ("0.025", "0.5", "1", "2.5", "+Inf")


def timed(**servers: tuple[int, ...]) -> str:
    """Caddy's metrics: how many answers of each server took at most so long."""
    labels = 'code="200",handler="vars",{le}method="GET",server="shop.x/{side}"'
    line = f"caddy_http_request_duration_seconds_{{what}}{{{{{labels}}}}} {{count}}"
    buckets = [
        line.format(what="bucket", le=f'le="{step}",', side=side, count=count)
        for side, counts in servers.items()
        for step, count in zip(STEPS, counts, strict=True)
    ]
    return "\n".join(buckets + [line.format(what="count", le="", side=side, count=counts[-1]) for side, counts in servers.items()])


FAST, SLOW = (100, 100, 100, 100, 100), (0, 0, 0, 100, 100)


@pytest.mark.parametrize(
    ("before", "now", "latency", "problem"),
    [
        pytest.param({}, {"new": FAST, "old": FAST}, 100, "", id="both fast"),
        pytest.param({}, {"new": SLOW, "old": SLOW}, 100, "", id="both slow"),
        pytest.param({}, {"new": SLOW, "old": FAST}, 900, "took over 1 s, 95 % of the old one's 0.025 s or less, and 900 ms", id="slower"),
        pytest.param({}, {"new": SLOW, "old": FAST}, 1000, "", id="slower by less than is allowed, for all that is known"),
        pytest.param({}, {"new": (95, 95, 95, 95, 100), "old": FAST}, 100, "", id="the slowest few do not count"),
        pytest.param({}, {"new": (94, 94, 94, 94, 100), "old": FAST}, 2000, "took over 2.5 s", id="slower than Caddy counts"),
        pytest.param({}, {"new": (0, 0, 0, 19, 19), "old": FAST}, 100, "", id="too few to say"),
        pytest.param({}, {"new": SLOW, "old": (19, 19, 19, 19, 19)}, 100, "", id="nothing to compare with"),
        pytest.param({"new": SLOW}, {"new": (100, 100, 100, 200, 200), "old": FAST}, 100, "", id="it was slower earlier"),
    ],
)
def test_who_is_slower(before: dict[str, tuple[int, ...]], now: dict[str, tuple[int, ...]], latency: float, problem: str) -> None:
    found = release_problem(SITES, [timed(**before)], [timed(**now)], latency=latency)
    assert problem in found
    assert bool(found) is bool(problem)
