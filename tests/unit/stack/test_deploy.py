# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole deploys against a swarm in memory: what is left behind, what is remembered, who wins. Its clock jumps."""

from __future__ import annotations

import getpass
import os
from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._clock import Clock
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._load import load
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._project import Source
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import (
    ComposeError,
    EngineError,
    EngineUnreachableError,
    NotConvergedError,
    OutOfSequenceError,
    PortTakenError,
    QuorumLostError,
    RefusedError,
)
from ansible_collections.homecloud.swarm.plugins.module_utils._history import BEAT, Ending, TakenOverError, revisions
from ansible_collections.homecloud.swarm.plugins.module_utils._model import NAMESPACE, VERDICT, Outcome
from ansible_collections.homecloud.swarm.plugins.module_utils._situation import MONITOR, moment
from ansible_collections.homecloud.swarm.plugins.module_utils._stack import deploy
from ansible_collections.homecloud.swarm.plugins.module_utils._wait import TURNS, Waiting
from ansible_collections.homecloud.swarm.tests.unit.stack.in_memory import SORTS, Swarm, asked, encoded, failing, removed, run

# Of a deploy that changes both services; after it there is only waiting.
LAST_WRITE = r"POST /services/id\d+/update s_b"


@pytest.fixture
def swarm() -> Swarm:
    """With a stack that runs."""
    found = Swarm()
    run(found, {"a": "one", "b": "one"})
    return found


def test_a_deploy_that_comes_up_is_remembered(swarm: Swarm) -> None:
    assert swarm.commands() == {"s_a": "one", "s_b": "one"}
    assert swarm.endings() == [(1, "converged")]


def test_a_second_run_writes_nothing(swarm: Swarm) -> None:
    before = swarm.writes
    assert not run(swarm, {"a": "one", "b": "one"}).changed
    assert swarm.writes == before


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("sort", "size", "fits"),
    [("secrets", 0, False), ("secrets", 511999, True), ("secrets", 512000, False), ("configs", 0, False), ("configs", 1024000, False)],
)
def test_a_content_that_the_engine_refuses_is_told_before_anything_is_done(sort: str, size: int, fits: bool, check: bool) -> None:
    swarm = Swarm()
    compose = {"services": {}, sort: {"it": {"file": "it"}}}
    project = load([Source.inline("play", compose)], {}, lambda _path: b"").project.to_wire()
    options = {"project": project, sort: {"it": encoded("x" * size)}}
    if fits:
        assert run(swarm, {}, check, **options).changed
        return
    with pytest.raises(ComposeError, match=rf"^play: {sort}\.it: the engine takes 1 to \d+ bytes, this has {size};"):
        run(swarm, {}, check, **options)
    assert not swarm.writes


def test_the_whole_stack_goes_back(swarm: Swarm) -> None:
    error = failing(swarm, {"a": "two", "b": "bad", "c": "new"})
    assert swarm.commands() == {"s_a": "one", "s_b": "one"}
    assert (error.achieved["rollback"], error.achieved["changed"]) == ("done", True)
    assert [failure["service"] for failure in error.achieved["failures"]] == ["s_b"]
    assert swarm.endings() == [(1, "converged"), (2, "rolled_back")]


def test_nothing_is_left_of_a_first_deploy() -> None:
    swarm = Swarm()
    assert "first deploy" in failing(swarm, {"a": "one", "b": "bad"}).message
    assert {sort: swarm.names(sort) for sort in SORTS} == {sort: [] for sort in SORTS}


def test_pause_leaves_it(swarm: Swarm) -> None:
    error = failing(swarm, {"a": "two", "b": "bad"}, on_failure="pause")
    assert swarm.commands() == {"s_a": "two", "s_b": "bad"}
    assert error.achieved["rollback"] == "none"
    assert swarm.endings() == [(1, "converged"), (2, "failed")]


def test_over_a_broken_stack_it_goes_back_to_what_last_was_well(swarm: Swarm) -> None:
    failing(swarm, {"a": "two", "b": "bad"}, on_failure="pause")
    failing(swarm, {"a": "three", "b": "bad too"})
    assert swarm.commands() == {"s_a": "one", "s_b": "one"}


def test_where_nothing_was_ever_well_it_stays() -> None:
    swarm = Swarm()
    failing(swarm, {"a": "bad"}, on_failure="pause")
    assert "no earlier version" in failing(swarm, {"a": "bad too"}).message
    assert swarm.commands() == {"s_a": "bad too"}


def test_a_run_that_changes_nothing_only_fails(swarm: Swarm) -> None:
    failing(swarm, {"a": "one", "b": "bad"}, on_failure="pause")
    before = swarm.writes
    error = failing(swarm, {"a": "one", "b": "bad"})
    assert swarm.writes == before
    assert (error.achieved["changed"], error.achieved["rollback"]) == (False, "none")


def test_a_refused_step_takes_back_what_was_done(swarm: Swarm) -> None:
    swarm.traps["POST /services/create s_c"] = EngineError("no such thing", 400)
    error = failing(swarm, {"a": "two", "b": "one", "c": "new"})
    assert "Service s_c could not be created. no such thing" in error.message
    assert error.achieved["done"] == ["update service s_a"]
    assert swarm.commands() == {"s_a": "one", "s_b": "one"}


def test_when_going_back_fails_it_says_how_things_are(swarm: Swarm) -> None:
    def break_the_way() -> None:
        swarm.traps[r"POST /services/id\d+/update s_a"] = EngineError("not now", 400)

    swarm.traps[r"POST /services/id\d+/update s_b"] = break_the_way
    error = failing(swarm, {"a": "two", "b": "bad"})
    assert error.achieved["rollback"] == "failed"
    assert "Service s_a could not be updated. not now" in error.message
    assert "Service s_a has the new version, 1 of 1 running." in error.message
    assert swarm.endings()[-1] == (2, "rollback_failed")


def interrupted(swarm: Swarm, services: dict[str, str], at: str) -> None:
    """A deploy whose module is killed at this call."""
    swarm.traps[at] = EngineUnreachableError("killed")
    with pytest.raises(EngineUnreachableError):
        run(swarm, services)
    del swarm.traps[at]


def test_the_next_run_finishes_what_was_interrupted(swarm: Swarm) -> None:
    interrupted(swarm, {"a": "two", "b": "two"}, r"POST /services/id\d+/update s_b")
    assert swarm.commands() == {"s_a": "two", "s_b": "one"}
    began = swarm.time
    run(swarm, {"a": "two", "b": "two"})
    assert swarm.commands() == {"s_a": "two", "s_b": "two"}
    assert swarm.time - began < 75
    assert swarm.endings() == [(1, "converged"), (2, "interrupted"), (3, "converged")]


def test_from_an_interrupted_deploy_the_way_back_leads_to_before_it(swarm: Swarm) -> None:
    interrupted(swarm, {"a": "two", "b": "two"}, r"POST /services/id\d+/update s_b")
    failing(swarm, {"a": "three", "b": "bad"})
    assert swarm.commands() == {"s_a": "one", "s_b": "one"}


def test_a_run_without_changes_judges_what_was_interrupted(swarm: Swarm) -> None:
    swarm.traps[LAST_WRITE] = lambda: swarm.traps.update({"GET /tasks": EngineUnreachableError("killed")})
    with pytest.raises(EngineUnreachableError):
        run(swarm, {"a": "two", "b": "bad"}, wait_timeout=5)
    swarm.traps.clear()
    assert swarm.commands() == {"s_a": "two", "s_b": "bad"}
    error = failing(swarm, {"a": "two", "b": "bad"})
    assert error.achieved["rollback"] == "done"
    assert swarm.commands() == {"s_a": "one", "s_b": "one"}


def test_the_second_of_two_deploys_waits_for_the_first(swarm: Swarm) -> None:
    waited: list[Outcome] = []
    record = next(item for item in swarm.objects["configs"].values())
    record["Spec"]["Labels"]["homecloud.swarm.verdict"] = Ending.PENDING.value
    record["UpdatedAt"] = datetime.fromtimestamp(swarm.time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    seconds = iter(range(100))

    def sleep(some: float) -> None:
        swarm.time += some
        if next(seconds) == 10:
            record["Spec"]["Labels"]["homecloud.swarm.verdict"] = Ending.GOOD.value

    clock = Clock(now=lambda: swarm.time, sleep=sleep, wall=lambda: swarm.time)
    waited.append(deploy(swarm, asked({"a": "two", "b": "two"}), False, clock))  # type: ignore[arg-type]
    assert any("was under way, and this one waited" in warning for warning in waited[0].warnings)
    assert swarm.commands() == {"s_a": "two", "s_b": "two"}


def test_who_loses_the_number_starts_over(swarm: Swarm) -> None:
    def be_faster() -> None:
        run(swarm, {"a": "theirs", "b": "theirs"})

    swarm.traps[r"POST /configs/create s\.r2"] = be_faster
    run(swarm, {"a": "ours", "b": "ours"})
    assert swarm.commands() == {"s_a": "ours", "s_b": "ours"}
    assert swarm.endings() == [(1, "converged"), (2, "converged"), (3, "converged")]


def test_who_was_taken_over_stops(swarm: Swarm) -> None:
    def remove_all() -> None:
        for sort in SORTS:
            swarm.objects[sort].clear()

    swarm.traps[LAST_WRITE] = lambda: swarm.traps.update({"GET /tasks": remove_all})
    with pytest.raises(TakenOverError, match="by somebody else"):
        run(swarm, {"a": "two", "b": "two"})


def test_a_leader_that_changes_ends_no_deploy(swarm: Swarm) -> None:
    swarm.traps[r"POST /services/id\d+/update s_b"] = lambda: swarm.traps.update({"GET /(tasks|configs)": EngineError("no leader", 500)})
    clock = Clock(now=lambda: swarm.time, sleep=lambda some: _elect(swarm, some), wall=lambda: swarm.time)
    assert deploy(swarm, asked({"a": "two", "b": "two"}), False, clock).changed  # type: ignore[arg-type]
    assert swarm.endings() == [(1, "converged"), (2, "converged")]


def _elect(swarm: Swarm, some: float) -> None:
    """Half a minute later there is a leader again."""
    swarm.time += some
    if swarm.time > 1_800_000_030:
        swarm.traps.clear()


def test_a_wait_can_be_left_and_taken_up(swarm: Swarm) -> None:
    first = run(swarm, {"a": "two", "b": "bad"}, patience=0.1)
    assert Waiting.from_wire(first.values["waiting"]).touched == ("s_a", "s_b")
    waits = [first.values["waiting"]]

    def to_the_end() -> None:
        while True:
            waits.append(run(swarm, {}, patience=0.1, waiting=waits[-1]).values["waiting"])

    with pytest.raises(NotConvergedError) as caught:
        to_the_end()
    assert len(waits) > 2
    assert caught.value.achieved["rollback"] == "done"
    assert swarm.commands() == {"s_a": "one", "s_b": "one"}


@pytest.mark.parametrize(("patience", "stays"), [(0.5, 0.5), (2.0, 2.0), (10.0, 3.0)])
def test_a_call_that_has_something_to_show_stays_a_little_all_the_same(swarm: Swarm, patience: float, stays: float) -> None:
    """The first service has run for long enough one second after the last write, the other one four seconds later."""
    written: list[float] = []

    def wait_before_the_last() -> None:
        swarm.time += 4
        written.append(swarm.time)

    swarm.traps[LAST_WRITE] = wait_before_the_last
    first = run(swarm, {"a": "two", "b": "two"}, patience=patience)
    assert "waiting" in first.values
    assert swarm.time - written[0] == stays


def test_what_is_handed_on_spells_no_names_out(swarm: Swarm) -> None:
    """Ansible masks a password wherever its letters stand, in a service's name or in base64."""
    state = run(swarm, {"a": "two", "b": "two"}, patience=0.1).values["waiting"]["state"]
    assert not state.isascii()
    assert not any(letter.isalnum() for letter in state)


def test_who_was_taken_over_while_it_wrote_writes_no_more(swarm: Swarm) -> None:
    def removed() -> None:
        for sort in SORTS:
            swarm.objects[sort].clear()
        raise OutOfSequenceError("update out of sequence", 500)

    swarm.traps[LAST_WRITE] = removed
    with pytest.raises(TakenOverError) as caught:
        run(swarm, {"a": "two", "b": "two"})
    assert {sort: swarm.names(sort) for sort in SORTS} == {sort: [] for sort in SORTS}
    assert (caught.value.achieved["changed"], caught.value.achieved["done"]) == (True, ["update service s_a"])
    assert caught.value.achieved["plan"]


def test_a_deploy_that_writes_for_long_gives_signs_of_life(swarm: Swarm) -> None:
    silences: list[float] = []
    clock = Clock(now=lambda: swarm.time, sleep=lambda some: _taken_port(swarm, some, silences), wall=lambda: swarm.time)
    swarm.traps[LAST_WRITE] = PortTakenError("port '80' is already in use by service", 500)
    assert deploy(swarm, asked({"a": "two", "b": "two"}), False, clock).changed  # type: ignore[arg-type]
    assert max(silences) <= BEAT + 1


@pytest.mark.parametrize("call", [LAST_WRITE, r"POST /configs/id\d+/update s\.r2"])
def test_an_election_while_it_writes_or_ends_is_waited_for(swarm: Swarm, call: str) -> None:
    swarm.traps[call] = QuorumLostError("does not have a leader", 500)
    clock = Clock(now=lambda: swarm.time, sleep=lambda some: _elect(swarm, some), wall=lambda: swarm.time)
    assert deploy(swarm, asked({"a": "two", "b": "two"}), False, clock).changed  # type: ignore[arg-type]
    assert swarm.endings() == [(1, "converged"), (2, "converged")]


def test_what_a_deploy_makes_while_its_stack_is_removed_goes_too(swarm: Swarm) -> None:
    def late() -> None:
        swarm._keep("services", "late", {**next(iter(swarm.objects["services"].values()))["Spec"], "Name": "s_late"})
        swarm._keep("secrets", "later", {"Name": "s_later", "Labels": {NAMESPACE: "s"}})

    swarm.traps["DELETE /services"] = late
    removed(swarm)
    assert {sort: swarm.names(sort) for sort in SORTS} == {sort: [] for sort in SORTS}


def test_who_deploys_need_not_have_a_name(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(getpass, "getuser", nobody)
    run(swarm, {"a": "two", "b": "two"})
    newest, _older = revisions(item for item in swarm.objects["configs"].values())
    content = newest.content()
    assert content is not None
    assert content.by.startswith(f"{os.getuid()}@")


def _taken_port(swarm: Swarm, some: float, silences: list[float]) -> None:
    """Three quarters of a minute later the port is free."""
    swarm.time += some
    pending = [item for item in swarm.objects["configs"].values() if item["Spec"]["Labels"][VERDICT] == Ending.PENDING.value]
    silences += [swarm.time - moment(item["UpdatedAt"]) for item in pending]
    if swarm.time > 1_800_000_045:
        swarm.traps.clear()


def test_what_was_interrupted_is_remembered_as_what_it_came_to(swarm: Swarm) -> None:
    """The files may have gone back in between: the target of then must not count as good."""
    interrupted(swarm, {"a": "two", "b": "bad"}, r"POST /services/id\d+/update s_a")
    assert not run(swarm, {"a": "one", "b": "one"}).changed
    failing(swarm, {"a": "one", "b": "bad"}, on_failure="pause")
    failing(swarm, {"a": "three", "b": "bad too"})
    assert swarm.commands() == {"s_a": "one", "s_b": "one"}


def test_a_clock_that_is_ahead_proves_nothing(swarm: Swarm) -> None:
    """What is dated by the swarm is compared with the swarm's time, not with that of the module's machine."""
    began = swarm.time
    clock = Clock(now=lambda: swarm.time, sleep=swarm.sleep, wall=lambda: swarm.time + 50)
    deploy(swarm, asked({"a": "two", "b": "two"}), False, clock)  # type: ignore[arg-type]
    assert swarm.time - began >= MONITOR


def test_what_cannot_be_tidied_makes_no_good_deploy_bad(swarm: Swarm) -> None:
    run(swarm, {"a": "one", "b": "one"}, secrets={"password": encoded("old")}, project=_with_secret())
    swarm.stuck = "is in use by the following service"
    outcome = run(swarm, {}, secrets={"password": encoded("new")}, project=_with_secret(), history_max=1)
    assert swarm.endings()[-1][1] == "converged"
    assert any("secret s_password is still in use" in warning for warning in outcome.warnings)


def _with_secret() -> dict[str, Any]:
    compose = {
        "services": {"a": {"image": "app:1", "command": ["one"], "secrets": ["password"]}},
        "secrets": {"password": {"file": "unused"}},
    }
    return load([Source.inline("compose", compose)], {}, lambda _path: b"unused").project.to_wire()


def test_a_service_that_somebody_removed_is_no_success(swarm: Swarm) -> None:
    def remove_b() -> None:
        services = swarm.objects["services"]
        del services[next(key for key, item in services.items() if item["Spec"]["Name"] == "s_b")]

    swarm.traps[LAST_WRITE] = lambda: swarm.traps.update({"GET /tasks": remove_b})
    error = failing(swarm, {"a": "two", "b": "two"})
    assert "Service(s) s_b were removed by somebody else" in error.message
    assert swarm.commands() == {"s_a": "two"}


def test_a_way_back_that_the_engine_turns_round_is_gone_again(swarm: Swarm) -> None:
    """An engine that rolls back at the same moment swaps the specs once more."""
    turns: list[str] = []

    def turned() -> None:
        service = next(item for item in swarm.objects["services"].values() if item["Spec"]["Name"] == "s_a")
        turns.append(swarm.commands()["s_a"])
        service["Spec"] = {**service["Spec"], "TaskTemplate": _commanded(service["Spec"]["TaskTemplate"], "two")}

    swarm.traps[r"POST /services/id\d+/update s_b"] = lambda: swarm.traps.update(
        {LAST_WRITE: lambda: swarm.traps.update({"GET /tasks": turned})}
    )
    error = failing(swarm, {"a": "two", "b": "bad"})
    assert turns == ["one"]
    assert error.achieved["rollback"] == "done"
    assert swarm.commands() == {"s_a": "one", "s_b": "one"}


def test_an_engine_that_turns_it_round_again_and_again_is_told_of(swarm: Swarm) -> None:
    turned: list[str] = []

    def turn() -> None:
        turned.extend(command for command in [swarm.commands()["s_a"]] if command == "one")
        for service in swarm.objects["services"].values():
            if service["Spec"]["Name"] == "s_a":
                service["Spec"] = {**service["Spec"], "TaskTemplate": _commanded(service["Spec"]["TaskTemplate"], "two")}
        swarm.traps["GET /tasks"] = turn

    swarm.traps[LAST_WRITE] = lambda: swarm.traps.update({LAST_WRITE: turn})
    error = failing(swarm, {"a": "two", "b": "bad"})
    assert error.achieved["rollback"] == "failed"
    assert "Service s_a has the new version, 1 of 1 running." in error.message
    assert len(turned) == TURNS


def _commanded(template: dict[str, Any], command: str) -> dict[str, Any]:
    return {**template, "ContainerSpec": {**template["ContainerSpec"], "Args": [command]}}


def test_what_is_gone_cannot_come_back(swarm: Swarm) -> None:
    services = swarm.objects["services"].values()
    web = next(service for service in services if service["Spec"]["Name"] == "s_a")
    web["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"] = [{"SecretName": "theirs", "SecretID": "x", "File": {"Name": "theirs"}}]
    error = failing(swarm, {"a": "bad", "b": "one"})
    assert "secret theirs, which service s_a needs, is gone" in error.message
    assert error.achieved["rollback"] == "none"


def test_another_deploy_that_does_not_end_is_named(swarm: Swarm) -> None:
    record = next(item for item in swarm.objects["configs"].values())
    record["Spec"]["Labels"]["homecloud.swarm.verdict"] = Ending.PENDING.value
    record["UpdatedAt"] = "2999-01-01T00:00:00Z"
    with pytest.raises(RefusedError, match=r"revision 1\) is still under way"):
        run(swarm, {"a": "two", "b": "two"})


def test_nobody_waits(swarm: Swarm) -> None:
    run(swarm, {"a": "two", "b": "bad"}, wait=False)
    assert swarm.endings() == [(1, "converged"), (2, "unknown")]


def test_an_update_that_stands_still_is_pushed_on(swarm: Swarm) -> None:
    """A spec that differs and the same again, once; nothing of it stays."""
    service = next(key for key, item in swarm.objects["services"].items() if item["Spec"]["Name"] == "s_a")
    labels: list[dict[str, str]] = []

    def lose_a_node() -> None:
        swarm.objects["services"][service]["UpdateStatus"] = {"State": "updating"}
        swarm.lost = {"ID": "lost", "ServiceID": service, "NodeID": "n9", "DesiredState": "shutdown", "Status": {"State": "assigned"}}
        pattern = f"POST /services/{service}/update"
        swarm.traps[pattern] = lambda: swarm.traps.update({pattern: lambda: labels.append(_labels(swarm, service))})

    swarm.traps[LAST_WRITE] = lambda: swarm.traps.update({"GET /tasks": lose_a_node})
    assert run(swarm, {"a": "two", "b": "two"}).changed
    assert labels == [{**_labels(swarm, service), "homecloud.swarm.begun-anew": "true"}]
    assert swarm.commands() == {"s_a": "two", "s_b": "two"}


def _labels(swarm: Swarm, service: str) -> dict[str, str]:
    found: dict[str, str] = swarm.objects["services"][service]["Spec"]["Labels"]
    return found
