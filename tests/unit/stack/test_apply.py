# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying plans out, at an engine that refuses now and then; the clock jumps."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._apply import ATTEMPTS, REMOVAL_SECONDS, apply, remove, remove_patiently
from ansible_collections.homecloud.swarm.plugins.module_utils._clock import Clock
from ansible_collections.homecloud.swarm.plugins.module_utils._engine import Engine, api_error
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import (
    EngineError,
    OutOfSequenceError,
    PluginMissingError,
    PortTakenError,
    SwarmError,
)
from ansible_collections.homecloud.swarm.plugins.module_utils._model import Kind, Plan, Sort, Step

SEQUENCE = api_error(500, "update out of sequence", "x")
TAKEN = api_error(400, "port '80' is already in use by service 's_b' (id) as an ingress port", "x")
LEAVING = api_error(404, "network s_default not found", "x")
NAME = api_error(409, "name conflicts with an existing object: service s_a already exists", "x")
NO_PLUGIN = api_error(404, 'plugin "vault" not found', "x")
BUSY = api_error(400, "network s_default is in use by task 17", "x")


class Refusing:
    """Answers the writes in turn: with an error, or None for "done"."""

    def __init__(self, *answers: EngineError | None) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.time = 0.0

    def post(self, path: str, *_body: Any, **_query: Any) -> None:
        self.asked.append(path)
        for answer in self.answers[:1]:
            del self.answers[0]
            if isinstance(answer, EngineError):
                raise answer

    def delete(self, path: str) -> None:
        self.post(path)

    def get(self, _path: str, **_query: Any) -> list[Any]:
        return []

    def find(self, _path: str) -> None:
        return None

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.time, self.sleep)

    @property
    def engine(self) -> Engine:
        return cast("Engine", self)


def step(kind: Kind, sort: Sort, name: str) -> Step:
    return Step(
        kind, sort, name, body={"Name": name, "TaskTemplate": {"ContainerSpec": {"Image": "x"}}}, live={"ID": name, "Version": {"Index": 1}}
    )


A = step(Kind.UPDATE, Sort.SERVICE, "s_a")
B = step(Kind.UPDATE, Sort.SERVICE, "s_b")
NET = step(Kind.CREATE, Sort.NETWORK, "s_default")


def carried_out(refusing: Refusing, plan: Plan, again: Plan) -> tuple[list[str], int]:
    """What was asked, and how often a plan was made anew."""
    plans = []

    def anew() -> Plan:
        plans.append(again)
        return again

    apply(refusing.engine, plan, anew, lambda _image: None, refusing.clock)
    return refusing.asked, len(plans)


@pytest.mark.parametrize(
    ("answers", "again", "asked", "plans"),
    [
        ((), Plan(), ["/services/s_a/update", "/services/s_b/update"], 0),
        # what is done is not done again
        ((None, SEQUENCE), Plan((B,)), ["/services/s_a/update", "/services/s_b/update", "/services/s_b/update"], 1),
        ((TAKEN,), Plan((B, A)), ["/services/s_a/update", "/services/s_b/update", "/services/s_a/update"], 1),
        # what somebody else has removed is made
        ((LEAVING,), Plan((NET,)), ["/services/s_a/update", "/networks/create"], 2),
        ((NAME,), Plan(), ["/services/s_a/update"], 1),
    ],
    ids=["nothing unforeseen", "a version conflict", "a port not free yet", "a network on its way out", "made meanwhile"],
)
def test_surprises(answers: tuple[EngineError | None, ...], again: Plan, asked: list[str], plans: int) -> None:
    assert carried_out(Refusing(*answers), Plan((A, B)), again) == (asked, plans)


def test_services_are_planned_again_when_what_they_refer_to_exists() -> None:
    assert carried_out(Refusing(), Plan((NET, A)), Plan((B,))) == (["/networks/create", "/services/s_b/update"], 1)


def test_conflicts_without_end() -> None:
    refusing = Refusing(*[SEQUENCE] * 100)
    with pytest.raises(OutOfSequenceError, match="Service s_a could not be updated"):
        carried_out(refusing, Plan((A,)), Plan((A,)))
    assert len(refusing.asked) == ATTEMPTS


def test_a_plugin_that_is_not_there_does_not_come_by_waiting() -> None:
    refusing = Refusing(NO_PLUGIN)
    with pytest.raises(PluginMissingError, match=r'Network s_default could not be created.*plugin "vault" not found; install that plugin'):
        carried_out(refusing, Plan((NET, A)), Plan((A,)))
    assert (refusing.asked, refusing.time) == (["/networks/create"], 0)


@pytest.mark.parametrize(("error", "kind"), [(TAKEN, PortTakenError), (LEAVING, EngineError)])
def test_patience_ends(error: EngineError, kind: type[EngineError]) -> None:
    refusing = Refusing(*[error] * 1000)
    with pytest.raises(kind):
        carried_out(refusing, Plan((A,)), Plan((A,)))
    assert REMOVAL_SECONDS <= refusing.time < REMOVAL_SECONDS + 1


def test_an_error_says_what_was_done() -> None:
    with pytest.raises(SwarmError) as caught:
        carried_out(Refusing(None, api_error(400, "invalid", "x")), Plan((A, B)), Plan())
    assert caught.value.achieved == {"changed": True, "done": ["update service s_a"]}


def test_a_busy_object_is_removed_when_it_is_free() -> None:
    refusing = Refusing(BUSY, BUSY)
    remove_patiently(refusing.engine, step(Kind.REMOVE, Sort.VOLUME, "s_data"), clock=refusing.clock)
    assert refusing.asked == ["/volumes/s_data"] * 3


def test_an_object_that_stays_busy_names_who_uses_it() -> None:
    refusing = Refusing(*[BUSY] * 1000)
    with pytest.raises(SwarmError, match=r"The volume s_data is still in use after 5 s.*in use by task 17"):
        remove_patiently(refusing.engine, step(Kind.REMOVE, Sort.VOLUME, "s_data"), 5, refusing.clock)


def test_volumes_go_last_and_without_a_swarm() -> None:
    refusing = Refusing()
    plan = Plan(tuple(step(Kind.REMOVE, sort, sort.value) for sort in (Sort.VOLUME, Sort.SERVICE)))
    remove(refusing.engine, plan, "s", 5, refusing.clock)
    assert refusing.asked == ["/services/service", "/volumes/volume"]
