# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of secrets over the life of stacks in memory: which one counts, for whom, and when one may go."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._load import load
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._project import Source
from ansible_collections.homecloud.swarm.plugins.module_utils._content import SECRET, ContentOptions, converge_content
from ansible_collections.homecloud.swarm.plugins.module_utils._history import Ending, revisions
from ansible_collections.homecloud.swarm.plugins.module_utils._model import NAMESPACE, REVISION, VERDICT, Outcome
from ansible_collections.homecloud.swarm.plugins.module_utils._request import ROLLBACK_OPTIONS
from ansible_collections.homecloud.swarm.plugins.module_utils._rollback import roll_back
from ansible_collections.homecloud.swarm.tests.unit.stack.in_memory import Swarm, encoded, failing, run


def project(web: dict[str, Any], **top: Any) -> dict[str, Any]:
    file = {"services": {"w": {"image": "app:1", **web}}, **top}
    return load([Source.inline("compose", file)], {}, lambda _path: b"unused").project.to_wire()


def owner(swarm: Swarm, value: str, **more: Any) -> Outcome:
    """Stack ``a`` with this password of its own."""
    file = project({"secrets": ["password"]}, secrets={"password": {"file": "unused"}})
    return run(swarm, {}, name="a", project=file, secrets={"password": encoded(value)}, **more)


def sharer(swarm: Swarm, secret: str = "a_password", command: str = "x") -> Outcome:
    """Stack ``b``, which uses a secret that is not its own."""
    file = project({"command": [command], "secrets": [{"source": "p", "target": "p"}]}, secrets={"p": {"external": True, "name": secret}})
    return run(swarm, {}, name="b", project=file)


def shared(swarm: Swarm, value: str = "", **more: Any) -> Outcome:
    """The secret ``db`` of no stack."""
    return converge_content(swarm, SECRET, ContentOptions("db", content=value.encode(), **more), False)  # type: ignore[arg-type]


def back(swarm: Swarm, stack: str, revision: int | None = None, **more: Any) -> Outcome:
    defaults = {name: option.get("default") for name, option in ROLLBACK_OPTIONS.items()}
    return roll_back(swarm, {**defaults, "name": stack, "revision": revision, **more}, False, swarm.clock())  # type: ignore[arg-type]


def used(swarm: Swarm) -> dict[str, list[str]]:
    specs = [item["Spec"] for item in swarm.objects["services"].values()]
    return {spec["Name"]: [item["SecretName"] for item in spec["TaskTemplate"]["ContainerSpec"].get("Secrets") or []] for spec in specs}


def test_a_rollback_keeps_what_other_stacks_remember() -> None:
    swarm = Swarm()
    owner(swarm, "one", history_max=1)
    for value in ("two", "three"):
        owner(swarm, value, history_max=1)
        sharer(swarm)
    assert swarm.names("secrets") == ["a_password.v2", "a_password.v3"]
    assert not back(swarm, "a", history_max=1).changed
    back(swarm, "b", 1)
    assert used(swarm)["b_w"] == ["a_password.v2"]


def test_what_its_own_stack_went_back_to_counts_for_others() -> None:
    swarm = Swarm()
    for value in ("one", "two", "one"):
        owner(swarm, value)
    sharer(swarm)
    assert used(swarm) == {"a_w": ["a_password"], "b_w": ["a_password"]}
    owner(swarm, "two")
    back(swarm, "a", 1)
    assert not sharer(swarm).changed


@pytest.mark.parametrize("revoke", [False, True])
def test_current_secrets_may_be_shared_ones(revoke: bool) -> None:
    swarm = Swarm()
    for number in ("1", "2", "3"):
        shared(swarm, number)
        sharer(swarm, "db", number)
    shared(swarm, "3", revoke=revoke)
    back(swarm, "b", 2, secrets="current")
    assert used(swarm)["b_w"] == ["db.v3"]


def test_a_current_secret_may_be_another_object() -> None:
    swarm = Swarm()
    shared(swarm, "1")
    sharer(swarm, "db")
    run(swarm, {}, name="b", project=project({}))
    shared(swarm, state="absent")
    shared(swarm, "2")
    back(swarm, "b", 1, secrets="current")
    assert used(swarm)["b_w"] == ["db"]


@pytest.mark.parametrize("leaves", [True, False])
def test_what_cannot_be_revoked_is_told(leaves: bool) -> None:
    """Others run the old version, or remember it."""
    swarm = Swarm()
    owner(swarm, "leaked")
    sharer(swarm)
    owner(swarm, "two")
    if leaves:
        sharer(swarm)
    (told,) = owner(swarm, "two", revoke=True).warnings
    assert "The secret a_password is not revoked, as others need it" in told
    assert ("revision b 1" in told, "service b_w" in told) == (True, not leaves)


def test_only_what_is_gone_counts_as_revoked() -> None:
    swarm = Swarm()
    owner(swarm, "one")
    swarm.stuck = "is in use by the following service"
    owner(swarm, "two", revoke=True)
    found = [item for item in swarm.objects["configs"].values() if REVISION in item["Spec"]["Labels"]]
    assert [revision.revoked for revision in revisions(found)] == [(), ()]


def test_a_declared_secret_that_nobody_uses_stays() -> None:
    swarm = Swarm()
    file = project({}, secrets={"password": {"file": "unused"}})
    run(swarm, {}, name="a", project=file, secrets={"password": encoded("x")})
    assert not back(swarm, "a").changed


def test_another_driver_is_another_version() -> None:
    swarm = Swarm()
    for driver, called in (({}, "s_c"), ({"template_driver": "golang"}, "s_c.v2"), ({}, "s_c")):
        file = project({"configs": ["c"]}, configs={"c": {"file": "unused", **driver}})
        assert run(swarm, {}, project=file, configs={"c": encoded("{{ .Node.Hostname }}")}).changed
        (item,) = next(iter(swarm.objects["services"].values()))["Spec"]["TaskTemplate"]["ContainerSpec"]["Configs"]
        assert item["ConfigName"] == called


def test_a_name_that_somebody_has_taken_is_passed_over() -> None:
    swarm = Swarm()
    owner(swarm, "one")
    swarm._keep("secrets", "theirs", {"Name": "a_password.v2", "Labels": {}})
    owner(swarm, "two")
    assert used(swarm)["a_w"] == ["a_password.v3"]


def by_hand(swarm: Swarm) -> None:
    """A service of the stack without any label of the CLI's or ours."""
    spec = {"Name": "s_hand", "Labels": {NAMESPACE: "s"}, "TaskTemplate": {"ContainerSpec": {"Image": "x"}}, "Mode": {"Replicated": {}}}
    swarm._keep("services", "hand", spec)


@pytest.mark.parametrize("later", [0, 600])
def test_a_service_made_by_hand_stays_whatever_happens(later: float) -> None:
    swarm = Swarm()
    run(swarm, {"a": "one"})
    swarm.time += 600
    by_hand(swarm)
    swarm.time += later
    failing(swarm, {"a": "bad"})
    assert swarm.commands()["s_a"] == "one"
    run(swarm, {"a": "two"})
    run(swarm, {"a": "three"})
    assert "s_hand" in swarm.names("services")


def test_what_nobody_waited_for_stays_when_the_next_deploy_fails() -> None:
    swarm = Swarm()
    run(swarm, {"a": "one"})
    swarm.time += 600
    run(swarm, {"a": "one", "c": "new"}, wait=False)
    failing(swarm, {"a": "bad", "c": "new"})
    assert swarm.commands() == {"s_a": "one", "s_c": "new"}


def test_the_newest_that_somebody_saw_come_up_is_remembered() -> None:
    swarm = Swarm()
    run(swarm, {"a": "good"}, history_max=2)
    for command in ("bad", "bad too", "bad as well"):
        run(swarm, {"a": command}, history_max=2, wait=False)
    back(swarm, "s", history_max=2)
    assert swarm.commands() == {"s_a": "good"}


def test_history_outlives_an_emptied_stack() -> None:
    swarm = Swarm()
    for command in ("1", "2"):
        run(swarm, {"a": command})
    for sort in ("services", "networks"):
        swarm.objects[sort].clear()
    failing(swarm, {"a": "bad"})
    assert swarm.endings() == [(1, "converged"), (2, "converged"), (3, "rolled_back")]


def test_addresses_that_the_engine_chose_make_no_network_anew() -> None:
    swarm = Swarm()
    run(swarm, {"a": "1"})
    _addressed(swarm, "10.0.1")
    run(swarm, {"a": "2"})
    for sort in ("services", "networks"):
        swarm.objects[sort].clear()
    run(swarm, {"a": "2"})
    _addressed(swarm, "10.0.2")
    assert not back(swarm, "s", 2).changed


def _addressed(swarm: Swarm, prefix: str) -> None:
    for network in swarm.objects["networks"].values():
        network["IPAM"] = {"Driver": "default", "Config": [{"Subnet": f"{prefix}.0/24", "Gateway": f"{prefix}.1"}]}


def test_what_a_deploy_under_way_may_go_back_to_stays() -> None:
    """Of another stack, whose newest deploy has not ended yet and whose earlier ones nobody remembers."""
    swarm = Swarm()
    owner(swarm, "one")
    sharer(swarm)
    owner(swarm, "two")
    sharer(swarm, command="y")
    newest, older = revisions(item for item in swarm.objects["configs"].values() if item["Spec"]["Name"].startswith("b.r"))
    newest.live["Spec"]["Labels"][VERDICT] = Ending.PENDING.value
    del swarm.objects["configs"][older.live["ID"]]
    owner(swarm, "three", history_max=1)
    assert swarm.names("secrets") == ["a_password", "a_password.v2", "a_password.v3"]
