# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollbacks against a swarm in memory: which revision comes back, with what, and what history keeps of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._load import load
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._project import Source
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import NotConvergedError, OutOfSequenceError, RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._history import Revision, revisions
from ansible_collections.homecloud.swarm.plugins.module_utils._model import NAMESPACE, REVISION, Outcome
from ansible_collections.homecloud.swarm.plugins.module_utils._request import ROLLBACK_OPTIONS
from ansible_collections.homecloud.swarm.plugins.module_utils._rollback import roll_back
from ansible_collections.homecloud.swarm.plugins.module_utils._stack_info import show_stacks
from ansible_collections.homecloud.swarm.tests.unit.stack.in_memory import Swarm, encoded, failing, removed, run


def back(swarm: Swarm, revision: int | None = None, check: bool = False, **more: Any) -> Outcome:
    defaults = {name: option.get("default") for name, option in ROLLBACK_OPTIONS.items()}
    return roll_back(swarm, {**defaults, "name": "s", "revision": revision, **more}, check, swarm.clock())  # type: ignore[arg-type]


def rotated(swarm: Swarm, value: str, command: str = "one", **more: Any) -> Outcome:
    """A deploy of one service with this password."""
    compose = {
        "services": {"a": {"image": "app:1", "command": [command], "secrets": ["password"]}},
        "secrets": {"password": {"file": "unused"}},
    }
    project = load([Source.inline("compose", compose)], {}, lambda _path: b"unused").project.to_wire()
    return run(swarm, {}, secrets={"password": encoded(value)}, project=project, **more)


def used(swarm: Swarm) -> list[str]:
    specs = [item["Spec"]["TaskTemplate"]["ContainerSpec"] for item in swarm.objects["services"].values()]
    return [secret["SecretName"] for spec in specs for secret in spec.get("Secrets", [])]


def remembered(swarm: Swarm) -> list[Revision]:
    return revisions(item for item in swarm.objects["configs"].values() if REVISION in item["Spec"]["Labels"])


@pytest.fixture
def swarm() -> Swarm:
    """With three revisions: another command, then a service more and one less."""
    found = Swarm()
    run(found, {"a": "one", "b": "one"})
    run(found, {"a": "two", "b": "one"})
    run(found, {"a": "two", "c": "new"}, prune=True)
    return found


COMMANDS = {1: {"s_a": "one", "s_b": "one"}, 2: {"s_a": "two", "s_b": "one"}, 3: {"s_a": "two", "s_c": "new"}}


@pytest.mark.parametrize(("first", "second"), [(first, second) for first in COMMANDS for second in COMMANDS])
def test_from_each_revision_to_each(swarm: Swarm, first: int, second: int) -> None:
    for number in (first, second):
        foreseen = back(swarm, number, check=True)
        writes = swarm.writes
        came = back(swarm, number)
        assert came.changed is foreseen.changed is (swarm.writes > writes)
        assert came.values["plan"] == foreseen.values["plan"]
        assert swarm.commands() == COMMANDS[number]
        writes = swarm.writes
        assert not back(swarm, number).changed
        assert not back(swarm, number, check=True).changed
        assert swarm.writes == writes


def test_check_mode_touches_nothing(swarm: Swarm) -> None:
    writes = swarm.writes
    assert back(swarm, 1, check=True).changed
    assert swarm.writes == writes


def test_a_rollback_is_a_revision_too(swarm: Swarm) -> None:
    came = back(swarm, 1)
    newest = remembered(swarm)[0]
    assert (came.values["restored"], came.values["revision"], newest.number, newest.ending) == (1, 4, 4, "converged")
    content = newest.content()
    assert content is not None
    assert content.note == "rollback to 1"
    back(swarm, 3)
    assert swarm.commands() == COMMANDS[3]


def test_without_a_number_the_last_good_one_comes_back(swarm: Swarm) -> None:
    failing(swarm, {"a": "bad"}, on_failure="pause")
    assert back(swarm).values["restored"] == 3
    assert swarm.commands() == COMMANDS[3]


def test_a_rollback_that_does_not_come_up_goes_back(swarm: Swarm) -> None:
    failing(swarm, {"a": "bad", "c": "new"}, on_failure="pause")
    back(swarm, 3)
    with pytest.raises(NotConvergedError) as caught:
        back(swarm, 4)
    assert caught.value.achieved["rollback"] == "done"
    assert swarm.commands() == COMMANDS[3]


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        (9, "has no revision 9; those that the swarm remembers are: 1, 2, 3."),
        (2, r"Revision 2 of stack 's' cannot be read: its record \(config s.r2\) is damaged"),
    ],
)
def test_a_revision_that_is_not_to_be_had(swarm: Swarm, revision: int, said: str) -> None:
    damaged = next(record for record in remembered(swarm) if record.number == 2)
    damaged.live["Spec"]["Data"] = "AAAA"
    writes = swarm.writes
    with pytest.raises(RefusedError, match=said):
        back(swarm, revision)
    assert swarm.writes == writes


def test_a_damaged_record_stops_nobody(swarm: Swarm) -> None:
    for record in remembered(swarm)[:2]:
        record.live["Spec"]["Data"] = "AAAA"
    assert run(swarm, {"a": "three", "c": "new"}).changed
    assert back(swarm, 1).changed
    found = show_stacks(swarm, {"name": "s", "compare": None}, False)  # type: ignore[arg-type]
    assert [warning.split(" (")[0] for warning in found.warnings] == [f"The record of revision {number}" for number in (3, 2)]


def test_without_history_there_is_nothing_to_go_back_to() -> None:
    with pytest.raises(RefusedError, match="no revision that came up"):
        back(Swarm())


def test_secrets_come_back_with_their_revision() -> None:
    swarm = Swarm()
    for value in ("first", "second"):
        rotated(swarm, value)
    assert (used(swarm), swarm.names("secrets")) == (["s_password.v2"], ["s_password", "s_password.v2"])
    back(swarm, 1)
    assert (used(swarm), swarm.names("secrets")) == (["s_password"], ["s_password", "s_password.v2"])
    back(swarm, 2)
    assert used(swarm) == ["s_password.v2"]


def test_secrets_may_stay_as_they_are() -> None:
    swarm = Swarm()
    rotated(swarm, "first")
    rotated(swarm, "second", "two")
    back(swarm, 1, secrets="current")
    assert (used(swarm), swarm.commands()) == (["s_password.v2"], {"s_a": "one"})


def test_versions_go_with_the_last_revision_that_needs_them() -> None:
    swarm = Swarm()
    for value in ("first", "second", "third", "fourth"):
        rotated(swarm, value, history_max=2)
    assert swarm.names("secrets") == ["s_password.v3", "s_password.v4"]
    writes = swarm.writes
    assert not rotated(swarm, "fourth", history_max=2).changed
    assert swarm.writes == writes


def test_revoked_versions_go_at_once_and_are_missed() -> None:
    swarm = Swarm()
    rotated(swarm, "leaked")
    rotated(swarm, "second", revoke=True)
    assert swarm.names("secrets") == ["s_password.v2"]
    assert [revision.revoked for revision in remembered(swarm)] == [(), ("secret s_password",)]
    with pytest.raises(RefusedError, match=r"s_password, which service s_a needs, is gone\. Revoked were secret s_password: bring"):
        back(swarm, 1)
    back(swarm, 1, secrets="current")
    assert used(swarm) == ["s_password.v2"]


def test_a_secret_made_anew_by_hand_is_not_the_same() -> None:
    swarm = Swarm()
    for value in ("first", "second"):
        rotated(swarm, value)
    replaced(swarm, "s_password")
    with pytest.raises(RefusedError, match="has been made anew since"):
        back(swarm, 1)


def replaced(swarm: Swarm, name: str) -> None:
    """Somebody removes a secret and makes another one under its name."""
    identity = next(key for key, item in swarm.objects["secrets"].items() if item["Spec"]["Name"] == name)
    swarm.objects["secrets"]["other"] = {**swarm.objects["secrets"].pop(identity), "ID": "other"}


@pytest.mark.parametrize("on_failure", ["rollback", "pause"])
def test_a_name_that_a_failed_deploy_used_first_is_not_its_secret(on_failure: str) -> None:
    """What it made is gone when the next deploy takes the name."""
    swarm = Swarm()
    rotated(swarm, "first")
    with pytest.raises(NotConvergedError):
        rotated(swarm, "broken", "bad", on_failure=on_failure)
    rotated(swarm, "first", "one more", prune="all", history_max=1)
    assert swarm.names("secrets") == ["s_password"]
    rotated(swarm, "second")
    assert used(swarm) == ["s_password.v2"]
    writes = swarm.writes
    with pytest.raises(RefusedError, match=r"s_password.v2, which service s_a needs, has been made anew since"):
        back(swarm, 2)
    assert swarm.writes == writes


def test_an_interrupted_deploy_never_said_which_secret_it_made() -> None:
    swarm = Swarm()
    rotated(swarm, "first")

    def killed() -> None:
        raise KeyboardInterrupt

    swarm.traps["POST /services/.*update"] = killed
    with pytest.raises(KeyboardInterrupt):
        rotated(swarm, "second")
    swarm.time += 600
    rotated(swarm, "first", "one more")
    rotated(swarm, "third")
    assert used(swarm) == ["s_password.v2"]
    assert swarm.endings()[1] == (2, "interrupted")
    with pytest.raises(RefusedError, match=r"s_password.v2, which service s_a needs, was never written down with its id"):
        back(swarm, 2)


def test_a_secret_that_is_replaced_while_the_stack_goes_back_is_noticed() -> None:
    swarm = Swarm()
    for value in ("first", "second"):
        rotated(swarm, value)

    def outrun() -> None:
        replaced(swarm, "s_password")
        raise OutOfSequenceError("update out of sequence", 500)

    swarm.traps["POST /services/.*update"] = outrun
    with pytest.raises(NotConvergedError, match="s_password, which service s_a needs, has been made anew since"):
        back(swarm, 1)
    assert used(swarm) == ["s_password.v2"]


def test_labels_that_were_erased_change_nothing() -> None:
    """Which object it is tells its id."""
    swarm = Swarm()
    for value in ("first", "second", "third"):
        rotated(swarm, value)
    for item in swarm.objects["secrets"].values():
        item["Spec"] = {**item["Spec"], "Labels": {NAMESPACE: "s"}}
    for revision, name in ((1, "s_password"), (2, "s_password.v2"), (3, "s_password.v3")):
        back(swarm, revision)
        assert used(swarm) == [name]


def erased(swarm: Swarm, *names: str) -> None:
    """What the CLI does to the labels of secrets."""
    for item in swarm.objects["secrets"].values():
        if item["Spec"]["Name"] in names:
            item["Spec"] = {**item["Spec"], "Labels": {NAMESPACE: "s"}}


@pytest.mark.parametrize("versions", [1, 2, 3])
def test_labels_that_were_erased_are_looked_up(versions: int) -> None:
    swarm = Swarm()
    for number in range(versions):
        rotated(swarm, f"value {number}")
    (newest,) = used(swarm)
    erased(swarm, newest)
    secrets, writes = dict(swarm.objects["secrets"]), swarm.writes
    assert not rotated(swarm, f"value {versions - 1}").changed
    assert (swarm.objects["secrets"], swarm.writes) == (secrets, writes)
    # another value is known to be another one, without a question to the engine
    rotated(swarm, "new")
    assert used(swarm) == [f"s_password.v{versions + 1}"]
    back(swarm, versions, secrets="current")
    assert used(swarm) == [f"s_password.v{versions + 1}"]


def test_labels_of_a_secret_that_was_made_anew_are_not_taken_from_its_predecessor() -> None:
    swarm = Swarm()
    rotated(swarm, "first")
    replaced(swarm, "s_password")
    erased(swarm, "s_password")
    writes = swarm.writes
    rotated(swarm, "first")
    assert swarm.writes > writes


def test_present_secrets_without_labels_are_not_guessed() -> None:
    swarm = Swarm()
    for value, command in (("first", "one"), ("second", "two")):
        rotated(swarm, value, command)
    # another object of that name, which no record knows
    replaced(swarm, "s_password.v2")
    erased(swarm, "s_password.v2")
    writes = swarm.writes
    with pytest.raises(RefusedError, match=r"as s_password.v2, which its services use now, has lost this collection's labels"):
        back(swarm, 1, secrets="current")
    assert swarm.writes == writes
    # as it says: another version, beside the one that nobody knows
    rotated(swarm, "second", "two")
    back(swarm, 1, secrets="current")
    assert (used(swarm), swarm.commands()) == (["s_password.v3"], {"s_a": "one"})


def test_what_others_changed_is_noted_and_undone(swarm: Swarm) -> None:
    service = next(item for item in swarm.objects["services"].values() if item["Spec"]["Name"] == "s_a")
    service["Spec"] = {**service["Spec"], "Mode": {"Replicated": {"Replicas": 1}}, "Labels": {**service["Spec"]["Labels"], "by": "hand"}}
    assert back(swarm).values["restored"] == 3
    content = remembered(swarm)[0].content()
    assert content is not None
    assert content.outside == ("services.a.deploy.labels.by None -> hand",)
    assert "by" not in next(item["Spec"]["Labels"] for item in swarm.objects["services"].values() if item["Spec"]["Name"] == "s_a")


@pytest.mark.parametrize(
    ("numbers", "steps"),
    [
        ([1, 2], ["update s_a"]),
        ([2, 1], ["update s_a"]),
        ([2, 3], ["create s_c", "remove s_b"]),
        ([3], []),
        ([2], ["create s_b", "remove s_c"]),
    ],
)
def test_revisions_can_be_compared(swarm: Swarm, numbers: list[int], steps: list[str]) -> None:
    found = show_stacks(swarm, {"name": "s", "compare": numbers}, False)  # type: ignore[arg-type]
    assert sorted(f"{step['action']} {step['name']}" for step in found.values["comparison"]) == steps


def test_the_list_of_revisions(swarm: Swarm) -> None:
    (stack,) = show_stacks(swarm, {"name": "s", "compare": None}, False).values["stacks"]  # type: ignore[arg-type]
    listed = stack["revisions"]
    assert [(revision["number"], revision["verdict"]) for revision in listed] == [(3, "converged"), (2, "converged"), (1, "converged")]
    assert listed[0]["changes"] == ["+ service s_c: create", "- service s_b: remove"]
    assert listed[0]["images"] == {"s_a": "app:1", "s_c": "app:1"}


def test_a_removed_stack_comes_back_from_its_history() -> None:
    swarm = Swarm()
    for value in ("first", "second"):
        rotated(swarm, value)
    rotated(swarm, "second", "two")
    foreseen = removed(swarm, check=True, keep_history=True)
    assert removed(swarm, keep_history=True).values["plan"] == foreseen.values["plan"]
    assert not swarm.objects["services"]
    assert not swarm.objects["networks"]
    writes = swarm.writes
    assert not removed(swarm, keep_history=True).changed
    assert swarm.writes == writes
    assert back(swarm, 1).changed
    assert swarm.commands() == {"s_a": "one"}
    assert used(swarm) == ["s_password"]
    assert removed(swarm).changed
    assert not any(swarm.objects.values())


def test_only_what_remembered_revisions_need_outlives_the_stack() -> None:
    swarm = Swarm()
    for value in ("first", "second", "third"):
        rotated(swarm, value)
    removed(swarm, keep_history=True, history_max=1)
    assert [item["Spec"]["Name"] for item in swarm.objects["secrets"].values()] == ["s_password.v3"]
