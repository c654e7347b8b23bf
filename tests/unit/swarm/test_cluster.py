# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entering and leaving a swarm: every state an engine can be in, against every state it can be asked for."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._clock import Clock
from ansible_collections.homecloud.swarm.plugins.module_utils._cluster import (
    ClusterOptions,
    check_same_swarm,
    converge_cluster,
    join_failure,
    would_enter,
)
from ansible_collections.homecloud.swarm.plugins.module_utils._engine import Engine, api_error
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import (
    EngineError,
    EngineUnreachableError,
    NotConvergedError,
    QuorumLostError,
    RefusedError,
    SwarmError,
)
from ansible_collections.homecloud.swarm.plugins.module_utils._membership import Membership, describe, nothing_to_describe
from ansible_collections.homecloud.swarm.plugins.module_utils._model import Outcome

from .conftest import TableEngine
from .test_settings import SPEC

SWARM = {
    "ID": "ours",
    "Version": {"Index": 7},
    "Spec": SPEC,
    "JoinTokens": {"Worker": "SWMTKN-1-ca-worker", "Manager": "SWMTKN-1-ca-manager"},
}

INFO: dict[str, dict[str, Any]] = {
    "none": {"LocalNodeState": "inactive"},
    "manager": {
        "LocalNodeState": "active",
        "ControlAvailable": True,
        "NodeID": "me",
        "NodeAddr": "192.0.2.1",
        "Cluster": {"ID": "ours"},
        "RemoteManagers": [{"NodeID": "b", "Addr": "192.0.2.2:2377"}, {"NodeID": "me", "Addr": "192.0.2.1:2377"}],
    },
    "worker": {"LocalNodeState": "active", "ControlAvailable": False, "NodeID": "me", "NodeAddr": "192.0.2.1"},
    "locked": {"LocalNodeState": "locked", "ControlAvailable": False},
    "pending": {"LocalNodeState": "pending", "Error": "context deadline exceeded"},
    "error": {"LocalNodeState": "error", "Error": "no way"},
}


def manager(name: str, reachable: bool = True) -> dict[str, Any]:
    return {
        "ID": name,
        "Version": {"Index": 3},
        "Spec": {"Role": "manager", "Availability": "active", "Labels": {}},
        "Description": {"Hostname": name},
        "Status": {"State": "ready" if reachable else "down"},
        "ManagerStatus": {"Reachability": "reachable" if reachable else "unreachable"},
    }


def engine_in(place: str, *nodes: dict[str, Any], **more: Any) -> TableEngine:
    """An engine that goes where it is sent."""
    engine = TableEngine(
        {
            "/info": {"Name": "host", "Swarm": INFO[place]},
            "/swarm": SWARM,
            "/swarm/unlockkey": {"UnlockKey": "SWMKEY-1-x"},
            "/nodes": list(nodes),
            **{f"/nodes/{node['ID']}": node for node in nodes},
            **more,
        }
    )

    def goes(to: str) -> Any:
        def go(_body: Any) -> None:
            engine.answers["/info"] = {"Name": "host", "Swarm": INFO[to]}

        return go

    def demoted(spec: Any) -> None:
        if spec["Role"] == "worker":
            engine.answers["/nodes/me"].pop("ManagerStatus")
            goes("worker")(spec)

    engine.effects = {
        "/swarm/init": goes("manager"),
        "/swarm/join": goes("worker"),
        "/swarm/leave": goes("none"),
        "/swarm/unlock": goes("manager"),
        "/nodes/me/update": demoted,
    }
    return engine


def converge(engine: TableEngine, clock: Clock, state: str, check: bool = False, **given: Any) -> Outcome:
    return converge_cluster(cast(Engine, engine), ClusterOptions(state, given), check, clock)


JOINING: dict[str, Any] = {"join_token": "SWMTKN-1-ca-worker", "remote_addrs": ["192.0.2.2"]}


@pytest.mark.parametrize("check", [True, False])
def test_a_leader_that_is_alone_is_given_nothing_to_keep(check: bool, clock: Clock) -> None:
    """It would make the change when the others are back, although it was refused."""
    engine = engine_in("manager", manager("me"), manager("b", reachable=False), manager("c", reachable=False))
    with pytest.raises(QuorumLostError, match=r"has lost its quorum \(3 managers, 1 reachable, quorum 2\), so nothing was changed"):
        converge(engine, clock, "present", check, election_tick=11)
    assert engine.written == []
    assert not converge(engine, clock, "present", check, election_tick=10).changed


@pytest.mark.parametrize(
    ("place", "state", "given", "written"),
    [
        ("none", "present", {}, ["/swarm/init"]),
        ("none", "join", JOINING, ["/swarm/join"]),
        ("none", "absent", {}, []),
        ("manager", "present", {}, []),
        ("manager", "present", {"election_tick": 10}, []),
        ("manager", "present", {"election_tick": 11}, ["/swarm/update"]),
        ("manager", "present", {"rotate_worker_token": True}, ["/swarm/update"]),
        ("manager", "join", {"cluster_id": "ours", "role": "manager"}, []),
        ("manager", "absent", {"force": True}, ["/swarm/leave"]),
        ("worker", "join", JOINING, []),
        ("worker", "join", {"role": "worker"}, []),
        ("worker", "absent", {}, ["/swarm/leave"]),
        ("locked", "present", {"unlock_key": "x"}, ["/swarm/unlock"]),
        ("locked", "join", {"unlock_key": "x"}, ["/swarm/unlock"]),
        ("pending", "absent", {"force": True}, ["/swarm/leave"]),
        ("error", "absent", {"force": True}, ["/swarm/leave"]),
    ],
)
def test_from_each_place_to_each_state(place: str, state: str, given: dict[str, Any], written: list[str], clock: Clock) -> None:
    checked = engine_in(place, manager("me"))
    predicted = converge(checked, clock, state, True, **given)
    engine = engine_in(place, manager("me"))
    outcome = converge(engine, clock, state, **given)
    assert checked.written == []
    assert predicted.changed == outcome.changed == bool(written)
    # a new swarm takes its settings with it, so that the update which follows finds nothing to do
    assert engine.paths == written


@pytest.mark.parametrize(
    ("place", "state", "given", "words"),
    [
        ("worker", "present", {}, "is a worker of a swarm, and only a manager"),
        ("locked", "present", {}, "This manager is locked"),
        ("locked", "join", JOINING, "This manager is locked"),
        ("pending", "present", {}, "belongs to a swarm it cannot reach \\(pending: context deadline exceeded\\)"),
        ("error", "join", JOINING, "belongs to a swarm it cannot reach \\(error: no way\\)"),
        ("pending", "absent", {}, "state: absent and force: true"),
        ("error", "absent", {}, "state: absent and force: true"),
        ("none", "join", {}, "needs join_token"),
        ("none", "join", {"join_token": "x"}, "needs remote_addrs"),
        ("manager", "join", {"cluster_id": "theirs"}, "already in another swarm \\(ours, not theirs\\)"),
        ("manager", "join", {"role": "worker"}, "is in this swarm as manager, not as worker"),
        ("worker", "join", {"role": "manager"}, "is in this swarm as worker, not as manager"),
        ("manager", "absent", {}, "This is the last manager of its swarm \\(1 manager, 1 reachable, quorum 1\\)"),
        ("manager", "present", {"subnet_size": 20}, "cannot be changed"),
        ("manager", "remove", {}, "needs node_id"),
    ],
)
def test_refusals_write_nothing(place: str, state: str, given: dict[str, Any], words: str, clock: Clock) -> None:
    engine = engine_in(place, manager("me"), **{"/swarm": {**SWARM, "SubnetSize": 24}})
    with pytest.raises(RefusedError, match=words):
        converge(engine, clock, state, **given)
    assert engine.written == []


@pytest.mark.parametrize("state", ["present", "join"])
def test_a_swarm_without_quorum_is_not_made_anew(state: str, clock: Clock) -> None:
    engine = engine_in("manager", **{"/swarm": QuorumLostError("no leader", 503)})
    if state == "present":
        with pytest.raises(QuorumLostError):
            converge(engine, clock, state)
    else:
        assert not converge(engine, clock, state).changed
    assert engine.written == []


def test_a_pending_engine_gets_time(clock: Clock) -> None:
    places = iter(["pending", "pending", "pending"])
    engine = engine_in("manager")
    engine.answers["/info"] = lambda: {"Swarm": INFO[next(places, "manager")]}
    assert not converge(engine, clock, "present").changed


@pytest.mark.parametrize(
    ("stuck", "left"),
    [
        ("pending", ["/swarm/join", "/swarm/leave"]),
        ("error", ["/swarm/join", "/swarm/leave"]),
        ("none", ["/swarm/join"]),
        ("worker", ["/swarm/join"]),
    ],
)
def test_a_failed_join_leaves_nothing_behind(stuck: str, left: list[str], clock: Clock) -> None:
    engine = engine_in("none")

    def fail(_body: Any) -> None:
        engine.answers["/info"] = {"Swarm": INFO[stuck]}
        raise EngineError("The engine at x refused: Timeout was reached before node joined.", 500)

    engine.effects["/swarm/join"] = fail
    with pytest.raises(RefusedError, match=r"through 192\.0\.2\.2 failed: no manager answers there in time"):
        converge(engine, clock, "join", **JOINING)
    assert engine.paths == left


@pytest.mark.parametrize(
    ("state", "given", "got_in", "words"),
    [
        ("join", JOINING, "worker", ""),
        ("join", {**JOINING, "cluster_id": "ours", "role": "manager"}, "manager", ""),
        ("join", {**JOINING, "cluster_id": "theirs"}, "manager", "already in another swarm"),
        ("join", {**JOINING, "role": "manager"}, "worker", "is in this swarm as worker, not as manager"),
        ("join", JOINING, "pending", "belongs to a swarm it cannot reach"),
        ("join", JOINING, "none", "is in a swarm already"),
        ("present", {}, "manager", ""),
        ("present", {}, "worker", "is a worker of a swarm"),
    ],
)
def test_somebody_else_was_faster(state: str, given: dict[str, Any], got_in: str, words: str, clock: Clock) -> None:
    engine = engine_in("none", manager("me"))

    def refuse(_body: Any) -> None:
        engine.answers["/info"] = {"Swarm": INFO[got_in]}
        raise api_error(503, 'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm.', "x")

    engine.effects.update({"/swarm/join": refuse, "/swarm/init": refuse})
    if words:
        with pytest.raises(SwarmError, match=words):
            converge(engine, clock, state, **given)
    else:
        assert not converge(engine, clock, state, **given).changed
    assert "/swarm/leave" not in engine.paths


def test_a_join_that_never_becomes_active(clock: Clock) -> None:
    engine = engine_in("none")
    engine.effects["/swarm/join"] = lambda _body: engine.answers.update({"/info": {"Swarm": INFO["pending"]}})
    with pytest.raises(NotConvergedError, match=r"joined through 192\.0\.2\.2, but was not active within 120 s, and left again"):
        converge(engine, clock, "join", **JOINING)
    assert engine.paths == ["/swarm/join", "/swarm/leave"]


def test_a_token_for_the_other_role(clock: Clock) -> None:
    engine = engine_in("none")
    with pytest.raises(RefusedError, match=r"The join_token is for a worker, not for a manager: this node left again; .* the entry me"):
        converge(engine, clock, "join", role="manager", **JOINING)
    assert engine.paths == ["/swarm/join", "/swarm/leave"]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("invalid join token", "the join_token is not one of that swarm's"),
        ("A valid join token is necessary to join this cluster", "the join_token is not one of that swarm's"),
        ("remote CA does not match fingerprint. Expected: abc", "from another swarm"),
        ("invalid checksum digest length", "damaged"),
        ('"transport: Error while dialing: dial tcp 192.0.2.2:2377: connect: connection refused"', "nothing listens there"),
        ("could not find local IP address: dial udp: lookup a: no such host", "cannot be resolved"),
        ("The swarm of the engine at x has lost its quorum, as", "whether that swarm has its quorum"),
        ("something new", "failed: something new."),
    ],
)
def test_what_a_failed_join_means(message: str, words: str) -> None:
    said = join_failure(["192.0.2.2", "192.0.2.3"], message)
    assert said.startswith("Joining a swarm through 192.0.2.2, 192.0.2.3 failed: ")
    assert words in said


def membership(place: str, **more: Any) -> Membership:
    return Membership.of({"Swarm": {**INFO[place], **more}})


@pytest.mark.parametrize(
    ("given", "trusted"),
    [
        ({}, None),
        ({"cluster_id": "ours", "join_token": "SWMTKN-1-old-x"}, "new"),
        ({"join_token": "SWMTKN-1-ca-x"}, "ca"),
        ({"join_token": "SWMTKN-1-ca-x"}, None),
    ],
)
def test_the_same_swarm(given: dict[str, Any], trusted: str | None) -> None:
    check_same_swarm(membership("manager"), given, trusted)


@pytest.mark.parametrize("given", [{"cluster_id": "theirs"}, {"join_token": "SWMTKN-1-theirs-x"}])
def test_another_swarm(given: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="state: absent"):
        check_same_swarm(membership("manager"), given, "ca")


def test_a_manager_steps_down_before_it_leaves(clock: Clock) -> None:
    engine = engine_in("manager", manager("me"), manager("b"), manager("c"))
    assert converge(engine, clock, "absent").changed
    assert engine.paths == ["/nodes/me/update", "/swarm/leave"]


def test_leaving_that_loses_the_quorum(clock: Clock) -> None:
    nodes = (manager("me"), manager("b"), manager("c", reachable=False))
    engine = engine_in("manager", *nodes)
    arithmetic = "now 3 managers, 2 reachable, quorum 2; after that: 2 managers, 1 reachable, quorum 2"
    with pytest.raises(RefusedError, match=arithmetic):
        converge(engine, clock, "absent")
    assert engine.written == []
    assert converge(engine, clock, "absent", force=True).changed
    assert engine.paths == ["/swarm/leave"]


def test_leaving_a_swarm_without_quorum(clock: Clock) -> None:
    engine = engine_in("manager", **{"/nodes": QuorumLostError("no leader", 503)})
    with pytest.raises(RefusedError, match="cannot step down before it leaves"):
        converge(engine, clock, "absent")
    assert converge(engine, clock, "absent", force=True).changed


def test_secrets_come_only_when_asked_for(clock: Clock) -> None:
    engine = engine_in("manager")
    assert not {"join_tokens", "unlock_key"} & set(converge(engine, clock, "present").values)
    values = converge(engine, clock, "present", return_tokens=True, return_unlock_key=True).values
    assert values["join_tokens"] == {"worker": "SWMTKN-1-ca-worker", "manager": "SWMTKN-1-ca-manager"}
    assert values["unlock_key"] == "SWMKEY-1-x"


def test_secrets_are_not_in_the_diff(clock: Clock) -> None:
    given: dict[str, Any] = {"signing_ca_cert": "C", "signing_ca_key": "hidden", "join_token": "hidden", "rotate_manager_token": True}
    outcome = converge(engine_in("manager"), clock, "present", **given)
    assert outcome.changed
    assert "hidden" not in repr(outcome)
    assert outcome.after["rotate_manager_token"] == "rotated"


@pytest.mark.parametrize(("state", "changed"), [("present", True), ("join", True), ("absent", False), ("remove", False)])
def test_on_a_bare_host(state: str, changed: bool) -> None:
    assert would_enter(ClusterOptions(state, {"election_tick": 5})).changed == changed


ASKED = {"nodes": False, "return_tokens": False, "return_unlock_key": False}


@pytest.mark.parametrize(
    ("place", "role", "in_swarm", "quorum"),
    [
        ("none", None, False, None),
        ("manager", "manager", True, True),
        ("worker", "worker", True, None),
        ("locked", "manager", True, None),
        ("pending", None, True, None),
        ("error", None, True, None),
    ],
)
def test_describe_answers_everywhere(place: str, role: str | None, in_swarm: bool, quorum: bool | None) -> None:
    values = describe(cast(Engine, engine_in(place, manager("me"))), ASKED).values
    assert (values["available"], values["role"], values["in_swarm"], values["has_quorum"]) == (True, role, in_swarm, quorum)
    assert set(nothing_to_describe(ASKED).values) == set(values)


@pytest.mark.parametrize(
    "silence",
    [
        QuorumLostError("no leader", 503),
        EngineError("dial tcp 192.0.2.2:2377: connection refused", 500),
        EngineUnreachableError("timed out"),
    ],
)
@pytest.mark.parametrize("path", ["/swarm", "/nodes"])
def test_describe_a_swarm_without_quorum(path: str, silence: SwarmError) -> None:
    engine = engine_in("manager", **{path: silence})
    values = describe(cast(Engine, engine), {**ASKED, "return_tokens": True}).values
    assert values["has_quorum"] is False
    assert values["error"] == silence.message
    assert values["settings"] is None
    assert "join_tokens" not in values


def test_describe_all() -> None:
    engine = engine_in("manager", manager("me"), manager("b", reachable=False))
    values = describe(cast(Engine, engine), dict.fromkeys(ASKED, True)).values
    assert values["managers"] == ["192.0.2.1:2377", "192.0.2.2:2377"]
    assert values["node_counts"] == {"total": 2, "ready": 1, "managers": 2, "reachable_managers": 1, "quorum": 2}
    assert values["has_quorum"] is False
    assert [node["hostname"] for node in values["nodes"]] == ["me", "b"]
    assert values["unlock_key"] == "SWMKEY-1-x"
