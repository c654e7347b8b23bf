# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blue-green releases against a swarm in memory: which services stand side by side, which ones go, and what is refused."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._colours import Switch, following, placed
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._load import load
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._project import Source
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import EngineError, NotConvergedError, RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._history import STALE, needed_by_all
from ansible_collections.homecloud.swarm.plugins.module_utils._model import Outcome
from ansible_collections.homecloud.swarm.plugins.module_utils._request import SWITCH_OPTIONS
from ansible_collections.homecloud.swarm.plugins.module_utils._stack_info import show_stacks
from ansible_collections.homecloud.swarm.plugins.module_utils._switch import switch_stack
from ansible_collections.homecloud.swarm.tests.unit.stack.in_memory import Swarm, encoded, removed, run
from ansible_collections.homecloud.swarm.tests.unit.stack.test_rollback import back, remembered


def release(swarm: Swarm, commands: dict[str, str], **more: Any) -> Outcome:
    return run(swarm, commands, **{"blue_green": ["a"], "prune": True, **more})


def switch(swarm: Swarm, state: str = "switched", weight: int | None = None, check: bool = False, **more: Any) -> Outcome:
    defaults = {name: option.get("default") for name, option in SWITCH_OPTIONS.items()}
    options = {**defaults, "name": "s", "state": state, "weight": weight, **more}
    return switch_stack(swarm, options, check, swarm.clock())  # type: ignore[arg-type]


def seen(swarm: Swarm) -> tuple[Any, Any]:
    stack = show_stacks(swarm, {"name": "s"}, False).values["stacks"][0]  # type: ignore[arg-type]
    return stack["release"] and stack["release"]["phase"], stack["colours"]


@pytest.fixture
def swarm() -> Swarm:
    """With a coloured service and another one."""
    found = Swarm()
    release(found, {"a": "one", "b": "one"})
    return found


@pytest.fixture
def released(swarm: Swarm) -> Swarm:
    """In the middle of a release."""
    release(swarm, {"a": "two", "b": "one"})
    return swarm


def test_it_begins_blue(swarm: Swarm) -> None:
    assert swarm.commands() == {"s_a-blue": "one", "s_b": "one"}
    assert seen(swarm) == (None, {"a": "a-blue"})


@pytest.mark.parametrize("again", [{}, {"check": True}])
def test_the_same_files_change_nothing(swarm: Swarm, again: dict[str, Any]) -> None:
    writes = swarm.writes
    assert not release(swarm, {"a": "one", "b": "one"}, **again).changed
    assert swarm.writes == writes


def test_another_service_changes_without_a_release(swarm: Swarm) -> None:
    assert release(swarm, {"a": "one", "b": "two"}).values["release"] is None
    assert swarm.commands() == {"s_a-blue": "one", "s_b": "two"}


def test_a_new_version_runs_beside_the_old_one(swarm: Swarm) -> None:
    foreseen = release(swarm, {"a": "two", "b": "one"}, check=True)
    came = release(swarm, {"a": "two", "b": "one"})
    assert came.values["plan"] == foreseen.values["plan"]
    assert came.values["release"] == foreseen.values["release"]
    assert came.values["release"] == {"phase": "preview", "weight": 0, "old": {"a": "a-blue"}, "new": {"a": "a-green"}}
    assert swarm.commands() == {"s_a-blue": "one", "s_a-green": "two", "s_b": "one"}
    assert seen(swarm) == ("preview", {"a": "a-blue"})


def test_the_same_files_go_on_with_the_release(released: Swarm) -> None:
    writes = released.writes
    came = release(released, {"a": "two", "b": "one"})
    assert not came.changed
    assert came.values["release"]["phase"] == "preview"
    assert released.writes == writes


@pytest.mark.parametrize(("weight", "phase"), [(0, "preview"), (10, "canary"), (100, "promoted")])
def test_requests_move(released: Swarm, weight: int, phase: str) -> None:
    assert switch(released, weight=weight, check=True).changed is (weight > 0)
    assert seen(released)[0] == "preview"
    assert switch(released, weight=weight).changed is (weight > 0)
    assert seen(released)[0] == phase
    writes = released.writes
    assert not switch(released, weight=weight).changed
    assert released.writes == writes


def test_the_old_colour_goes_at_the_end(released: Swarm) -> None:
    switch(released, weight=100)
    assert switch(released, "finished", check=True).changed
    assert switch(released, "finished").changed
    assert released.commands() == {"s_a-green": "two", "s_b": "one"}
    assert seen(released) == (None, {"a": "a-green"})
    assert not switch(released, "finished").changed
    writes = released.writes
    assert not release(released, {"a": "two", "b": "one"}).changed
    assert released.writes == writes
    release(released, {"a": "three", "b": "one"})
    assert released.commands() == {"s_a-green": "two", "s_a-blue": "three", "s_b": "one"}


def test_an_abort_takes_all_of_it_back(swarm: Swarm) -> None:
    release(swarm, {"a": "two", "b": "two"})
    switch(swarm, weight=50)
    with pytest.raises(RefusedError, match="still gets 50 of 100 requests"):
        switch(swarm, "aborted")
    switch(swarm, weight=0)
    assert switch(swarm, "aborted", check=True).changed
    assert switch(swarm, "aborted").changed
    assert swarm.commands() == {"s_a-blue": "one", "s_b": "one"}
    assert seen(swarm) == (None, {"a": "a-blue"})
    assert [revision.ending for revision in remembered(swarm)] == ["rolled_back", "converged"]
    assert not switch(swarm, "aborted").changed


def test_a_colour_that_does_not_come_up_goes(swarm: Swarm) -> None:
    with pytest.raises(NotConvergedError, match="The whole stack is back"):
        release(swarm, {"a": "bad", "b": "one"})
    assert swarm.commands() == {"s_a-blue": "one", "s_b": "one"}
    assert seen(swarm) == (None, {"a": "a-blue"})


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda swarm: run(swarm, {"a": "two", "b": "one"}), "A release of stack 's' is under way"),
        (lambda swarm: release(swarm, {"a": "three", "b": "one"}), "these files are not its own"),
        (lambda swarm: back(swarm, 1), "A release of stack 's' is under way"),
        (lambda swarm: switch(swarm, "finished"), "still gets 100 of 100 requests"),
        (lambda swarm: switch(swarm, weight=101), "weight takes 0 to 100"),
    ],
)
def test_what_a_release_under_way_forbids(released: Swarm, act: Any, sentence: str) -> None:
    writes = released.writes
    with pytest.raises(RefusedError, match=sentence):
        act(released)
    assert released.writes == writes


def test_no_release_no_switch(swarm: Swarm) -> None:
    with pytest.raises(RefusedError, match="is in no release"):
        switch(swarm, weight=10)


def test_a_release_needs_somebody_who_waits(swarm: Swarm) -> None:
    with pytest.raises(RefusedError, match="needs wait: true"):
        release(swarm, {"a": "two", "b": "one"}, wait=False)


def test_a_plain_deploy_leaves_the_colours_alone(swarm: Swarm) -> None:
    (warning,) = run(swarm, {"a": "two", "b": "two"}, prune=True).warnings
    assert warning.startswith("Service(s) a of stack 's' are released blue-green (a-blue run), so this deploy left them as they are")
    assert swarm.commands() == {"s_a-blue": "one", "s_b": "two"}
    assert seen(swarm) == (None, {"a": "a-blue"})


def test_a_service_without_colours_gets_them_at_its_next_version() -> None:
    swarm = Swarm()
    run(swarm, {"a": "one"})
    assert not release(swarm, {"a": "one"}).changed
    release(swarm, {"a": "two"})
    assert swarm.commands() == {"s_a": "one", "s_a-blue": "two"}
    switch(swarm, weight=100)
    switch(swarm, "finished")
    assert swarm.commands() == {"s_a-blue": "two"}


def test_a_rollback_keeps_the_colour_that_serves(released: Swarm) -> None:
    switch(released, weight=100)
    switch(released, "finished")
    assert back(released, 1).changed
    assert released.commands() == {"s_a-green": "one", "s_b": "one"}
    assert seen(released) == (None, {"a": "a-green"})
    assert not back(released, 1, check=True).changed


@pytest.mark.parametrize(
    ("service", "other", "sentence"),
    [
        ({"ports": ["80:80"]}, {}, "publishes port 80"),
        ({"volumes": ["data:/data"]}, {}, "writes to s_data, and both colours would"),
        ({"deploy": {"mode": "replicated-job"}}, {}, "is a job"),
        ({}, {"depends_on": ["a"]}, r"calls service a by name \(depends_on\)"),
        ({}, {"environment": {"API": "http://a:8000/x"}}, r"by name \(environment.API\)"),
        ({}, {"environment": {"API_HOST": "a"}}, r"by name \(environment.API_HOST\)"),
        ({}, {"command": ["serve", "--backend", "a:8000"]}, r"by name \(command\)"),
    ],
)
def test_who_cannot_have_colours(service: dict[str, Any], other: dict[str, Any], sentence: str) -> None:
    compose = {"services": {"a": {"image": "app:1", **service}, "b": {"image": "app:1", **other}}, "volumes": {"data": {}}}
    project = load([Source.inline("compose", compose)], {}, lambda _path: b"").project.to_wire()
    swarm = Swarm()
    with pytest.raises(RefusedError, match=sentence):
        release(swarm, {}, project=project)
    assert not swarm.writes


@pytest.mark.parametrize("value", ["http://app:80/a", "a-team", "/a/b", "banana:80", "data"])
def test_who_only_seems_to_be_called(value: str) -> None:
    compose = {"services": {"a": {"image": "app:1"}, "b": {"image": "app:1", "environment": {"X": value}}}}
    project = load([Source.inline("compose", compose)], {}, lambda _path: b"").project.to_wire()
    assert release(Swarm(), {}, project=project).changed


def test_a_secret_that_only_the_old_colour_uses_stays_until_the_end(swarm: Swarm) -> None:
    def rotated(value: str) -> Outcome:
        compose = {
            "services": {"a": {"image": "app:1", "command": ["one"], "secrets": ["password"]}},
            "secrets": {"password": {"file": "unused"}},
        }
        project = load([Source.inline("compose", compose)], {}, lambda _path: b"unused").project.to_wire()
        return release(swarm, {}, secrets={"password": encoded(value)}, project=project, history_max=1)

    for value in ("first", "second"):
        rotated(value)
        switch(swarm, weight=100)
        names = sorted(item["Spec"]["Name"] for item in swarm.objects["secrets"].values())
        switch(swarm, "finished", history_max=1)
    assert names == ["s_password", "s_password.v2"]
    assert [item["Spec"]["Name"] for item in swarm.objects["secrets"].values()] == ["s_password.v2"]


@pytest.mark.parametrize("label", ["", "null", "{}", "[1]", "nonsense", '{"old": 1, "new": {}, "weight": 0}'])
def test_a_label_that_says_nothing(label: str) -> None:
    assert Switch.from_label(label) is None


def test_colours_take_turns() -> None:
    assert following({"a": "a"}) == following({"a": "a-green"}) == {"a": "a-blue"}
    assert following({"a": "a-blue"}) == {"a": "a-green"}


@pytest.mark.parametrize(
    ("remembered_as", "live", "found"),
    [
        ({"a": "a-green"}, {"s_a-green", "s_a-blue"}, {"a": "a-green"}),
        ({"a": "a-green"}, {"s_a-blue"}, {"a": "a-blue"}),
        ({}, {"s_a"}, {"a": "a"}),
        # its first release has not ended
        ({}, {"s_a", "s_a-blue"}, {"a": "a"}),
        ({}, {"s_b"}, {}),
    ],
)
def test_who_stands_for_a_key(remembered_as: dict[str, str], live: set[str], found: dict[str, str]) -> None:
    assert placed(["a"], remembered_as, live, "s") == found


def cut_off(swarm: Swarm) -> Swarm:
    """The deploy that begins the release was killed when all was done but the last write, which says so."""
    labels = remembered(swarm)[0].live["Spec"]["Labels"]
    labels["homecloud.swarm.verdict"] = "pending"
    labels.pop("homecloud.swarm.switch")
    swarm.time += 100
    return swarm


def test_a_deploy_that_was_killed_becomes_a_release(released: Swarm) -> None:
    cut_off(released)
    assert seen(released) == ("starting", {"a": "a-blue"})
    assert release(released, {"a": "two", "b": "one"}).values["release"]["new"] == {"a": "a-green"}
    assert seen(released) == ("preview", {"a": "a-blue"})
    assert [ending for _number, ending in released.endings()] == ["converged", "interrupted", "switching"]
    switch(released, "aborted")
    assert released.commands() == {"s_a-blue": "one", "s_b": "one"}


def test_a_colour_that_was_left_broken_is_mended(swarm: Swarm) -> None:
    with pytest.raises(NotConvergedError, match="left as it is"):
        release(swarm, {"a": "bad", "b": "one"}, on_failure="pause")
    assert swarm.commands() == {"s_a-blue": "one", "s_a-green": "bad", "s_b": "one"}
    assert seen(swarm) == (None, {"a": "a-blue"})
    release(swarm, {"a": "two", "b": "one"})
    assert swarm.commands() == {"s_a-blue": "one", "s_a-green": "two", "s_b": "one"}
    assert seen(swarm) == ("preview", {"a": "a-blue"})


def test_a_removed_stack_has_no_colours(released: Swarm) -> None:
    removed(released)
    assert not any(released.objects.values())
    release(released, {"a": "two"})
    assert released.commands() == {"s_a-blue": "two"}


def test_a_record_that_cannot_be_read_does_not_hold_an_abort_up(released: Swarm) -> None:
    remembered(released)[0].live["Spec"]["Data"] = "bm9uc2Vuc2U="
    assert switch(released, "aborted").changed
    assert released.commands() == {"s_a-blue": "one", "s_b": "one"}


@pytest.mark.parametrize(
    ("healthcheck", "warned"),
    [(None, True), ({"disable": True}, True), ({"interval": "2s"}, True), ({"test": ["CMD", "true"]}, False)],
)
def test_who_cannot_say_that_it_is_well(healthcheck: dict[str, Any] | None, warned: bool) -> None:
    service = {"image": "app:1", **({"healthcheck": healthcheck} if healthcheck else {})}
    project = load([Source.inline("compose", {"services": {"a": service}})], {}, lambda _path: b"").project.to_wire()
    swarm = Swarm()
    assert any("services.a has no healthcheck" in warning for warning in release(swarm, {}, project=project).warnings) is warned
    # said when something changes
    assert not release(swarm, {}, project=project).warnings


@pytest.mark.parametrize(
    ("key", "words"), [("aa", r"do not have \(did you mean 'a'\?\)\."), ("zzz", r"the service zzz, which the files do not have\.")]
)
def test_a_key_that_the_files_do_not_have(key: str, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        release(Swarm(), {"a": "one"}, blue_green=[key])


@pytest.mark.parametrize(("letters", "fits"), [(55, True), (56, False)])
@pytest.mark.parametrize("check", [False, True])
def test_a_name_must_be_short_enough_for_either_colour(letters: int, fits: bool, check: bool) -> None:
    swarm, key = Swarm(), "a" * letters
    if fits:
        assert release(swarm, {key: "one"}, blue_green=[key], check=check).changed
        return
    with pytest.raises(RefusedError, match=f"service {key} would also be called s_{key}-green, and the engine takes 63 letters in a name"):
        release(swarm, {key: "one"}, blue_green=[key], check=check)
    assert not swarm.writes


def test_no_colour_answers_to_the_name_of_the_other(released: Swarm) -> None:
    aliases = {
        item["Spec"]["Name"]: network["Aliases"]
        for item in released.objects["services"].values()
        for network in item["Spec"]["TaskTemplate"]["Networks"]
    }
    assert aliases == {"s_a-blue": ["a-blue"], "s_a-green": ["a-green"], "s_b": ["b"]}


def test_what_the_way_back_needs_is_needed_while_a_release_is_under_way() -> None:
    swarm = Swarm()

    def deployed(secrets: list[str]) -> None:
        compose = {
            "services": {"a": {"image": "app:1", "secrets": secrets}},
            "secrets": {name: {"file": "unused"} for name in ("early", "late")},
        }
        project = load([Source.inline("compose", compose)], {}, lambda _path: b"unused").project.to_wire()
        release(swarm, {}, project=project, secrets={name: encoded(name) for name in ("early", "late")})

    deployed(["early"])
    deployed(["late"])
    needed = needed_by_all(swarm)  # type: ignore[arg-type]
    assert {name: users for (_sort, name), users in needed.items()} == {"s_early": ["s 1", "s 2"], "s_late": ["s 2"]}


def test_the_record_of_a_release_under_way_goes_with_its_stack(released: Swarm) -> None:
    """So that whoever leads it on notices."""
    removed(released, keep_history=True)
    assert [ending for _number, ending in released.endings()] == ["converged"]


def test_a_deploy_that_was_killed_is_taken_back(released: Swarm) -> None:
    cut_off(released)
    for state in ("finished", "switched"):
        with pytest.raises(RefusedError, match=r"still gets 100 of 100 requests|is still starting"):
            switch(released, state, weight=50)
    # nobody sends requests there yet
    assert not switch(released, weight=0).changed
    assert switch(released, "aborted", check=True).changed
    assert switch(released, "aborted").changed
    assert released.commands() == {"s_a-blue": "one", "s_b": "one"}
    assert seen(released) == (None, {"a": "a-blue"})
    assert [ending for _number, ending in released.endings()] == ["converged", "rolled_back"]


def test_a_deploy_that_is_alive_ends_before_it_is_taken_back(released: Swarm) -> None:
    cut_off(released).time -= 100
    began = released.time
    switch(released, "aborted")
    assert released.time - began >= STALE


@pytest.mark.parametrize("commands", [{"a": "two", "b": "one"}, {"a": "three", "b": "one"}])
def test_a_deploy_of_an_app_without_colours_yet_that_was_killed(commands: dict[str, str]) -> None:
    """What served before still does, however often the release is begun."""
    swarm = Swarm()
    run(swarm, {"a": "one", "b": "one"})
    release(swarm, {"a": "two", "b": "one"})
    cut_off(swarm)
    assert seen(swarm) == ("starting", {"a": "a"})
    assert release(swarm, commands).values["release"]["old"] == {"a": "a"}
    assert swarm.commands() == {"s_a": "one", "s_a-blue": commands["a"], "s_b": "one"}


def test_a_plain_deploy_that_was_killed_is_no_release(swarm: Swarm) -> None:
    release(swarm, {"a": "one", "b": "two"})
    remembered(swarm)[0].live["Spec"]["Labels"]["homecloud.swarm.verdict"] = "pending"
    swarm.time += 100
    assert seen(swarm) == (None, {"a": "a-blue"})
    assert not switch(swarm, "aborted").changed


def gone(swarm: Swarm, *services: str) -> None:
    swarm.objects["services"] = {key: item for key, item in swarm.objects["services"].items() if item["Spec"]["Name"] not in services}


@pytest.mark.parametrize(
    ("before", "removed", "weight", "sentence"),
    [
        (100, ["s_a-blue"], 0, r"old colour \(a-blue\) is gone"),
        (100, ["s_a-blue"], 100, ""),
        (50, ["s_a-blue"], 100, ""),
        (0, ["s_a-green"], 50, r"new colour \(a-green\) is gone"),
        (50, ["s_a-green"], 0, ""),
        # then there is nobody to keep requests with
        (50, ["s_a-green", "s_a-blue"], 0, ""),
    ],
)
def test_requests_do_not_move_to_what_is_gone(released: Swarm, before: int, removed: list[str], weight: int, sentence: str) -> None:
    switch(released, weight=before)
    gone(released, *removed)
    with pytest.raises(RefusedError, match=sentence) if sentence else nullcontext():
        switch(released, weight=weight)


def test_an_end_that_was_cut_off_is_reached(released: Swarm) -> None:
    switch(released, weight=100)
    gone(released, "s_a-blue")
    assert not release(released, {"a": "two", "b": "one"}).changed
    assert switch(released, "finished").changed
    assert seen(released) == (None, {"a": "a-green"})


def test_an_abort_that_was_cut_off_is_reached(released: Swarm) -> None:
    gone(released, "s_a-green")
    assert switch(released, "aborted").changed
    assert released.commands() == {"s_a-blue": "one", "s_b": "one"}
    assert [ending for _number, ending in released.endings()] == ["converged", "rolled_back"]


@pytest.mark.parametrize("check", [True, False])
def test_the_same_files_bring_back_what_an_abort_that_was_cut_off_took_away(released: Swarm, check: bool) -> None:
    gone(released, "s_a-green")
    with pytest.raises(RefusedError, match="these files are not its own"):
        release(released, {"a": "three", "b": "one"})
    came = release(released, {"a": "two", "b": "one"}, check=check)
    assert came.changed
    assert came.values["release"]["new"] == {"a": "a-green"}
    if not check:
        assert released.commands() == {"s_a-blue": "one", "s_a-green": "two", "s_b": "one"}
        assert [ending for _number, ending in released.endings()] == ["converged", "interrupted", "switching"]
        # the way back still leads to before the release
        switch(released, "aborted")
        assert released.commands() == {"s_a-blue": "one", "s_b": "one"}


def test_an_abort_after_which_the_stack_is_not_well_says_what_it_did(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    release(swarm, {"a": "two", "b": "two"})
    task = swarm._task

    def sick(service: Any) -> dict[str, Any]:
        ended = {"DesiredState": "shutdown", "Status": {"State": "failed", "Err": "boom"}}
        return {**task(service), **(ended if service["Spec"]["Name"] == "s_b" else {})}

    monkeypatch.setattr(swarm, "_task", sick)
    words = r"There is nothing else to go back to\.\nDone so far: .*remove service s_a-green"
    with pytest.raises(NotConvergedError, match=words) as raised:
        switch(swarm, "aborted")
    assert raised.value.achieved["changed"]
    assert "remove service s_a-green" in raised.value.achieved["done"]
    assert seen(swarm)[0] == "preview"
    monkeypatch.undo()
    assert switch(swarm, "aborted").changed
    assert seen(swarm) == (None, {"a": "a-blue"})


def test_an_abort_that_the_engine_stops_says_what_it_did(released: Swarm) -> None:
    released.traps["DELETE /services"] = EngineError("the disk is full")
    with pytest.raises(EngineError, match=r"the disk is full\nDone so far: nothing\. The release is still under way: abort it"):
        switch(released, "aborted")
    del released.traps["DELETE /services"]
    assert switch(released, "aborted").changed
