# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One node: the arithmetic of the quorum, which node is meant, what is written and what is awaited."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._clock import Clock
from ansible_collections.homecloud.swarm.plugins.module_utils._engine import Engine
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import (
    EngineError,
    NotConvergedError,
    NotFoundError,
    NotManagerError,
    RefusedError,
    SwarmError,
)
from ansible_collections.homecloud.swarm.plugins.module_utils._model import Outcome
from ansible_collections.homecloud.swarm.plugins.module_utils._node import (
    NodeOptions,
    Quorum,
    check_role_change,
    converge_node,
    list_nodes,
    pick,
    would_change,
)

from .conftest import TableEngine


def node(name: str, kind: str = "worker", state: str = "ready", **spec: Any) -> dict[str, Any]:
    """kind: worker, reachable, unreachable (a manager), leader."""
    found: dict[str, Any] = {
        "ID": f"id-{name}-{state}",
        "Version": {"Index": 7},
        "Spec": {"Role": "worker" if kind == "worker" else "manager", "Availability": "active", "Labels": {}, **spec},
        "Description": {"Hostname": name},
        "Status": {"State": state},
    }
    if kind != "worker":
        reachability = "unreachable" if kind == "unreachable" else "reachable"
        found["ManagerStatus"] = {"Reachability": reachability, "Leader": kind == "leader", "Addr": "192.0.2.1:2377"}
    return found


def managers(*kinds: str) -> list[dict[str, Any]]:
    return [node(f"manager{number}", kind, "down" if kind == "unreachable" else "ready") for number, kind in enumerate(kinds, 1)]


@pytest.mark.parametrize(
    ("kinds", "text", "holds"),
    [
        (["leader"], "1 manager, 1 reachable, quorum 1", True),
        (["leader", "reachable"], "2 managers, 2 reachable, quorum 2", True),
        (["leader", "unreachable"], "2 managers, 1 reachable, quorum 2", False),
        (["leader", "reachable", "unreachable"], "3 managers, 2 reachable, quorum 2", True),
        (["leader", "reachable", "reachable", "unreachable"], "4 managers, 3 reachable, quorum 3", True),
        (["leader", "reachable", "unreachable", "unreachable"], "4 managers, 2 reachable, quorum 3", False),
    ],
)
def test_quorum(kinds: list[str], text: str, holds: bool) -> None:
    quorum = Quorum.of([*managers(*kinds), node("worker1")])
    assert (str(quorum), quorum.holds) == (text, holds)


@pytest.mark.parametrize(
    ("kinds", "demoted"),
    [
        (["leader", "reachable"], 0),
        (["leader", "reachable"], 1),
        (["leader", "reachable", "reachable"], 0),
        (["leader", "reachable", "unreachable"], 2),
        (["leader", "reachable", "reachable", "unreachable"], 3),
        (["leader", "reachable", "reachable", "reachable", "unreachable"], 1),
    ],
)
def test_demotion_that_keeps_the_quorum(kinds: list[str], demoted: int) -> None:
    nodes = managers(*kinds)
    check_role_change(nodes, nodes[demoted], "worker")


@pytest.mark.parametrize(
    ("kinds", "demoted", "arithmetic"),
    [
        (["leader"], 0, "now 1 manager, 1 reachable, quorum 1; after demoting manager1: 0 managers, 0 reachable, quorum 1"),
        (
            ["leader", "reachable", "unreachable"],
            1,
            "now 3 managers, 2 reachable, quorum 2; after demoting manager2: 2 managers, 1 reachable, quorum 2",
        ),
        (
            ["leader", "reachable", "reachable", "unreachable", "unreachable"],
            0,
            "now 5 managers, 3 reachable, quorum 3; after demoting manager1: 4 managers, 2 reachable, quorum 3",
        ),
    ],
)
def test_demotion_that_loses_the_quorum(kinds: list[str], demoted: int, arithmetic: str) -> None:
    nodes = managers(*kinds)
    with pytest.raises(RefusedError) as refused:
        check_role_change(nodes, nodes[demoted], "worker")
    assert arithmetic in refused.value.message


@pytest.mark.parametrize(
    ("kinds", "state", "lost"),
    [
        (["leader"], "ready", False),
        (["leader", "reachable"], "ready", False),
        (["leader", "reachable", "unreachable"], "ready", False),
        (["leader"], "down", True),
        (["leader", "reachable", "unreachable"], "down", True),
        (["leader", "reachable", "reachable"], "down", False),
    ],
)
def test_promotion(kinds: list[str], state: str, lost: bool) -> None:
    nodes = managers(*kinds)
    if lost:
        with pytest.raises(RefusedError, match=r"Promoting worker1 would lose the quorum .* bring this node up first"):
            check_role_change(nodes, node("worker1", state=state), "manager")
    else:
        check_role_change(nodes, node("worker1", state=state), "manager")


TWINS = [node("a"), node("b", state="down"), node("b"), node("c", state="down"), node("c", state="unknown"), node("c")]


@pytest.mark.parametrize(
    ("name", "gone", "found"),
    [
        ("a", False, "id-a-ready"),
        ("id-b-down", False, "id-b-down"),
        ("b", False, "id-b-ready"),
        ("b", True, "id-b-down"),
        ("c", True, "id-c-down"),
        ("a", True, "id-a-ready"),
    ],
)
def test_pick(name: str, gone: bool, found: str) -> None:
    assert pick(TWINS, name, gone)["ID"] == found


def test_ambiguous_name_lists_the_ids() -> None:
    with pytest.raises(RefusedError, match=r"3 nodes are named c: id-c-down \(down\), id-c-unknown \(unknown\), id-c-ready \(ready\)"):
        pick(TWINS, "c")


def test_missing_name_offers_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="the hostname or id wroker1; there are: worker1"):
        pick([node("worker1"), node("database")], "wroker1")


def test_a_node_that_has_just_joined_has_no_hostname_yet() -> None:
    newcomer = {**node("x"), "Description": {}}
    assert pick([newcomer, node("a")], "a")["ID"] == "id-a-ready"


def converge(engine: TableEngine, clock: Clock, check: bool = False, **options: Any) -> Outcome:
    return converge_node(cast(Engine, engine), NodeOptions(**options), check, clock)


def swarm(*nodes: dict[str, Any], **more: Any) -> TableEngine:
    """An engine of manager1 that does what it is told at once."""
    answers: dict[str, Any] = {
        "/nodes": list(nodes),
        "/info": {"Swarm": {"NodeID": "id-manager1-ready"}},
        "/swarm": {"Spec": {"Dispatcher": {"HeartbeatPeriod": 5_000_000_000}}},
        "/tasks": [],
        "/services": [],
        **{f"/nodes/{node['ID']}": node for node in nodes},
        **more,
    }

    def update(node: dict[str, Any]) -> Any:
        def apply(spec: dict[str, Any]) -> None:
            node["Spec"] = spec
            if spec["Role"] == "worker":
                node.pop("ManagerStatus", None)
            else:
                node["ManagerStatus"] = {"Reachability": "reachable"}

        return apply

    return TableEngine(answers, {f"/nodes/{node['ID']}/update": update(node) for node in nodes})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"labels": {}},
        {"labels": {"disk": "ssd"}},
        {"labels_to_remove": ("unknown",)},
        {"availability": "active"},
        {"role": "worker"},
        {"labels": {"disk": "ssd", "spare": ""}, "labels_state": "replace"},
    ],
)
def test_no_change_writes_nothing(options: dict[str, Any], clock: Clock) -> None:
    engine = swarm(*managers("leader"), node("worker1", Labels={"disk": "ssd", "spare": ""}))
    outcome = converge(engine, clock, hostname="worker1", **options)
    assert not outcome.changed
    assert engine.written == []


@pytest.mark.parametrize(
    ("options", "spec"),
    [
        ({"labels_to_remove": ("spare",)}, {"Labels": {"disk": "ssd"}}),
        ({"labels": {"new": ""}}, {"Labels": {"disk": "ssd", "spare": "", "new": ""}}),
        ({"labels_state": "replace"}, {"Labels": {}}),
        ({"availability": "pause"}, {"Availability": "pause"}),
        ({"role": "manager"}, {"Role": "manager"}),
    ],
)
def test_a_change_keeps_everything_else(options: dict[str, Any], spec: dict[str, Any], clock: Clock) -> None:
    before: dict[str, Any] = {"Name": "", "Role": "worker", "Availability": "active", "Labels": {"disk": "ssd", "spare": ""}}
    for check in (True, False):
        engine = swarm(*managers("leader"), node("worker1", **before))
        outcome = converge(engine, clock, check, hostname="worker1", **options)
        assert outcome.changed
        assert engine.written == ([] if check else [("/nodes/id-worker1-ready/update", {**before, **spec})])


def test_a_missing_node_is_an_error_and_in_check_mode_a_warning(clock: Clock) -> None:
    outcome = converge(swarm(*managers("leader")), clock, True, hostname="worker1", labels={"a": "b"})
    assert outcome.changed
    assert outcome.warnings
    with pytest.raises(NotFoundError):
        converge(swarm(*managers("leader")), clock, hostname="worker1", labels={"a": "b"})
    assert not converge(swarm(*managers("leader")), clock, hostname="worker1", state="absent").changed


def test_on_a_bare_host() -> None:
    assert would_change(NodeOptions("worker1", labels={"a": "b"})).after == {"labels": {"a": "b"}}
    assert not would_change(NodeOptions("worker1")).changed
    assert not would_change(NodeOptions("worker1", state="absent")).changed


def task(state: str, service: str | None = "s1") -> dict[str, Any]:
    return {"ID": "t", "NodeID": "id-worker1-ready", "Status": {"State": state}, **({"ServiceID": service} if service else {})}


def test_a_drain_waits_for_services_only(clock: Clock) -> None:
    left = iter([[task("running")], [task("shutdown"), task("starting")], [task("shutdown"), task("running", service=None)]])
    engine = swarm(*managers("leader"), node("worker1"), **{"/tasks": lambda: next(left)})
    assert converge(engine, clock, hostname="worker1", availability="drain").changed
    assert clock.now() > 0


def test_a_drain_that_does_not_end_names_the_services(clock: Clock) -> None:
    services = [{"ID": "s1", "Spec": {"Name": "shop_db"}}]
    engine = swarm(*managers("leader"), node("worker1"), **{"/tasks": [task("running")], "/services": services})
    with pytest.raises(NotConvergedError, match="tasks of shop_db still run there after 9 s"):
        converge(engine, clock, hostname="worker1", availability="drain", wait_timeout=9)


def test_nobody_waits_for_a_node_that_is_down(clock: Clock) -> None:
    engine = swarm(*managers("leader"), node("worker1", state="down"), **{"/tasks": [task("running")]})
    assert converge(engine, clock, hostname="worker1", availability="drain").changed


@pytest.mark.parametrize("options", [{"labels": {"disk": "ssd"}}, {"availability": "drain"}, {"labels": {}}])
def test_nobody_waits_for_a_role_that_was_not_asked_for(options: dict[str, Any], clock: Clock) -> None:
    engine = swarm(*managers("leader", "reachable", "unreachable"))
    engine.effects.clear()  # it stays down, whatever is written
    assert converge(engine, clock, hostname="manager3", **options).changed is bool(engine.written)
    assert clock.now() == 0


def test_a_role_that_was_asked_for_before_is_waited_for_again(clock: Clock) -> None:
    engine = swarm(*managers("leader", "reachable", "unreachable"))
    with pytest.raises(NotConvergedError, match="manager3 has not become a manager within 120 s"):
        converge(engine, clock, hostname="manager3", role="manager")


@pytest.mark.parametrize(("answer", "fine"), [(NotManagerError("no manager any more"), True), (EngineError("no leader now"), False)])
def test_one_that_demotes_itself_loses_sight_of_itself(answer: SwarmError, fine: bool, clock: Clock) -> None:
    nodes = managers("leader", "reachable")
    engine = swarm(*nodes)

    def blind(_spec: Any) -> None:
        engine.answers["/nodes/id-manager1-ready"] = answer

    engine.effects["/nodes/id-manager1-ready/update"] = blind
    if fine:
        assert converge(engine, clock, hostname="manager1", role="worker").changed
    else:
        with pytest.raises(NotConvergedError, match="manager1 has not become a worker within 120 s"):
            converge(engine, clock, hostname="manager1", role="worker")


def test_a_node_that_is_up_is_not_removed(clock: Clock) -> None:
    engine = swarm(*managers("leader"), node("worker1"))
    with pytest.raises(RefusedError, match=r"worker1 \(id-worker1-ready\) is ready, not down"):
        converge(engine, clock, hostname="worker1", state="absent")
    assert engine.written == []
    assert converge(engine, clock, True, hostname="worker1", state="absent").warnings
    assert converge(engine, clock, hostname="worker1", state="absent", force=True).changed
    assert engine.paths == ["/nodes/id-worker1-ready"]


@pytest.mark.parametrize(
    ("dispatcher", "waited"), [({}, 30), ({"HeartbeatPeriod": 5_000_000_000}, 30), ({"HeartbeatPeriod": 15_000_000_000}, 90)]
)
def test_a_node_that_left_has_the_time_that_the_swarm_gives_it(dispatcher: dict[str, Any], waited: float, clock: Clock) -> None:
    engine = swarm(*managers("leader"), node("worker1"), **{"/swarm": {"Spec": {"Dispatcher": dispatcher}}})
    with pytest.raises(RefusedError, match="not down"):
        converge(engine, clock, hostname="worker1", state="absent")
    assert clock.now() == pytest.approx(waited, abs=1)


def test_a_manager_is_demoted_before_it_is_removed(clock: Clock) -> None:
    engine = swarm(*managers("leader", "reachable", "unreachable"))
    assert converge(engine, clock, hostname="manager3", state="absent").changed
    assert engine.paths == ["/nodes/id-manager3-down/update", "/nodes/id-manager3-down"]


def test_a_manager_that_the_swarm_was_made_anew_without_is_removed_as_it_is(clock: Clock) -> None:
    engine = swarm(*managers("leader"), node("manager2", state="down", Role="manager"))
    assert converge(engine, clock, hostname="manager2", state="absent").changed
    assert engine.paths == ["/nodes/id-manager2-down"]


@pytest.mark.parametrize(("name", "words"), [("manager1", "cannot remove itself"), ("manager2", "would lose the quorum")])
def test_removals_that_harm(name: str, words: str, clock: Clock) -> None:
    engine = swarm(*managers("leader", "reachable", "unreachable"))
    with pytest.raises(RefusedError, match=words):
        converge(engine, clock, hostname=name, state="absent", force=True)
    assert engine.written == []


def test_list_counts_running_tasks() -> None:
    engine = swarm(*managers("leader"), node("worker1"), **{"/tasks": [task("running"), task("running"), task("failed"), task("starting")]})
    listed = list_nodes(cast(Engine, engine), {"self": False, "name": None}).values["nodes"]
    assert [(row["hostname"], row["tasks"], row["leader"]) for row in listed] == [("manager1", 0, True), ("worker1", 2, False)]
    (own,) = list_nodes(cast(Engine, engine), {"self": True, "name": ["worker1"]}).values["nodes"]
    assert own["hostname"] == "manager1"
