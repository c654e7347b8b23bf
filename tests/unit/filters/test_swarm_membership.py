from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.homecloud.swarm.plugins.filter.swarm_membership import swarm_membership

Vars = dict[str, dict[str, Any]]

MANAGERS = ["m1", "m2", "m3"]
WORKERS = ["w1", "w2"]
UNREACHABLE = {"__swarm_cluster_seen": {"unreachable": True, "msg": "no route to host"}}
NOT_THERE: dict[str, Any] = {}


def host(**place: Any) -> dict[str, Any]:
    alone = {
        "hostname": None,
        "in_swarm": False,
        "locked": False,
        "role": None,
        "control_available": False,
        "cluster_id": None,
        "node_id": None,
    }
    return {"__swarm_cluster_seen": {**alone, **place}}


def manager(node_id: str, swarm: str = "s1", nodes: str = "m1 m2 m3 w1 w2", quorum: bool = True, **more: Any) -> dict[str, Any]:
    listed = [
        {
            "id": f"id-{name}",
            "hostname": name,
            "state": "down" if name in more.get("down", ()) else more.get("states", {}).get(name, "ready"),
            "reachability": "reachable" if name[0] == "m" else None,
            "manager_address": f"{name}:2377",
        }
        for name in nodes.split()
    ]
    return host(
        in_swarm=True,
        role="manager",
        control_available=True,
        node_id=node_id,
        cluster_id=swarm if quorum else None,
        has_quorum=quorum,
        nodes=listed,
    )


def worker(node_id: str) -> dict[str, Any]:
    return host(in_swarm=True, role="worker", node_id=node_id)


def plan(hosts: Vars, name: str, force: bool = False) -> dict[str, Any]:
    return swarm_membership(hosts, name, [one for one in hosts if one[0] == "m"], [one for one in hosts if one[0] == "w"], force)


BARE: Vars = {"m1": host(), "m2": host(), "m3": host(), "w1": host(), "w2": host()}
RUNNING: Vars = {**{name: manager(f"id-{name}") for name in MANAGERS}, **{name: worker(f"id-{name}") for name in WORKERS}}


def test_bare_hosts_form_a_swarm_around_the_first_manager() -> None:
    plans = {name: plan(BARE, name) for name in BARE}
    assert {one["speaker"] for one in plans.values()} == {"m1"}
    assert [name for name, one in plans.items() if one["initialises"]] == ["m1"]
    assert [name for name, one in plans.items() if one["joins"]] == ["m2", "m3", "w1", "w2"]
    assert plans["m1"]["joining"] == ("m2", "m3", "w1", "w2")
    assert [one["role"] for one in plans.values()] == ["manager"] * 3 + ["worker"] * 2


def test_running_swarm_needs_nothing() -> None:
    for name in RUNNING:
        done = plan(RUNNING, name)
        assert not any(done[step] for step in ("problem", "own_problem", "initialises", "joins", "promote", "demote", "leaves"))
        assert not any(done[names] for names in ("joining", "strangers", "unseen", "gone"))
        assert done["node_id"] == f"id-{name}"


@pytest.mark.parametrize(
    ("hosts", "speaker"),
    [
        (RUNNING, "m1"),
        ({**RUNNING, "m1": UNREACHABLE}, "m2"),
        ({**RUNNING, "m1": NOT_THERE}, "m2"),
        ({**RUNNING, "m1": host()}, "m2"),
        ({**RUNNING, "m1": manager("id-m1", quorum=False)}, "m2"),
        ({**RUNNING, "m1": {**RUNNING["m1"], "swarm_cluster_state": "absent"}}, "m2"),
        ({"m1": host(), "w1": manager("id-w1", nodes="w1")}, "w1"),
    ],
    ids=["all", "unreachable", "never asked", "new", "cut off", "leaving", "moved between groups"],
)
def test_who_speaks(hosts: Vars, speaker: str) -> None:
    assert plan(hosts, "w1")["speaker"] == speaker


def test_new_host_joins_through_reachable_managers() -> None:
    hosts = {**RUNNING, "w3": host()}
    done = plan(hosts, "w3")
    assert (done["joins"], done["role"], done["cluster_id"]) == (True, "worker", "s1")
    assert done["remote_addrs"] == ("m1:2377", "m2:2377", "m3:2377")
    assert plan(hosts, "m1")["joining"] == ("w3",)


@pytest.mark.parametrize(
    ("hosts", "says"),
    [
        ({**BARE, "m2": UNREACHABLE}, "m2 could not be asked"),
        ({**BARE, "m2": NOT_THERE}, "without --limit"),
        ({"m1": NOT_THERE, "w1": worker("id-w1")}, "w1: in a swarm, and m1 could not be asked about it. Run without --limit"),
        ({**BARE, "w1": worker("id-w1")}, "w1: in a swarm none of whose managers was reached"),
        ({**BARE, "m1": manager("id-m1", quorum=False)}, "m1: manager of a swarm that has no quorum"),
        ({**BARE, "m1": host(in_swarm=True, locked=True, role="manager")}, "m1: locked since the restart"),
        ({**BARE, "m1": manager("id-m1", "s1"), "m2": manager("id-m2", "s2")}, r"different swarms: m1 \(s1\), m2 \(s2\)"),
        ({"w1": host()}, "no manager to begin with"),
    ],
)
def test_nothing_is_begun_that_cannot_end_well(hosts: Vars, says: str) -> None:
    for name in hosts:
        with pytest.raises(AssertionError, match=says):
            raise AssertionError(plan(hosts, name)["problem"])


def test_force_init_begins_without_the_silent_manager() -> None:
    assert plan({**BARE, "m1": UNREACHABLE}, "m2", force=True)["initialises"]


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (worker("id-elsewhere"), "w1 is in a swarm, but m1 does not know it"),
        (host(in_swarm=True, locked=True, role="manager"), "w1 is locked"),
    ],
)
def test_host_that_belongs_elsewhere_is_refused_alone(place: dict[str, Any], says: str) -> None:
    hosts = {**RUNNING, "w1": place}
    assert says in plan(hosts, "w1")["own_problem"]
    assert plan(hosts, "w2")["own_problem"] is None


def test_moving_between_groups_changes_the_role() -> None:
    hosts = {"m1": manager("id-m1"), "m2": worker("id-m2"), "w1": manager("id-w1"), "w2": worker("id-w2")}
    assert [(name, plan(hosts, name)["promote"], plan(hosts, name)["demote"]) for name in hosts] == [
        ("m1", False, False),
        ("m2", True, False),
        ("w1", False, True),
        ("w2", False, False),
    ]


def test_only_manager_that_is_to_be_a_worker_is_demoted_by_its_successor() -> None:
    hosts = {"m1": host(), "w1": manager("id-w1", nodes="w1")}
    assert (plan(hosts, "w1")["speaker"], plan(hosts, "w1")["witness"]) == ("w1", "m1")


def test_leaving() -> None:
    hosts = {**RUNNING, "m1": {**RUNNING["m1"], "swarm_cluster_state": "absent"}}
    done = plan(hosts, "m1")
    assert (done["leaves"], done["role"], done["witness"]) == (True, None, "m2")
    left = {**RUNNING, "m1": {**host(), "swarm_cluster_state": "absent"}}
    assert not plan(left, "m1")["leaves"]
    assert not plan(left, "m1")["joins"]


def test_managers_are_all_replaced_by_others() -> None:
    old = {name: {**RUNNING[name], "swarm_cluster_state": "absent"} for name in MANAGERS}
    hosts = {**old, "m4": host(), "m5": host()}
    assert {plan(hosts, name)["speaker"] for name in hosts} == {"m1"}
    assert {plan(hosts, name)["witness"] for name in MANAGERS} == {"m4"}


def test_managers_that_become_workers_are_demoted_by_one_that_stays() -> None:
    hosts = {"m1": worker("id-m1"), "w1": manager("id-w1", nodes="m1 w1 w2"), "w2": manager("id-w2", nodes="m1 w1 w2")}
    assert [plan(hosts, name)["witness"] for name in hosts] == ["w1", "m1", "m1"]


@pytest.mark.parametrize(
    "others",
    [
        {"m2": NOT_THERE, "m3": UNREACHABLE},
        {"w1": RUNNING["w1"]},
        {"m2": {**RUNNING["m2"], "swarm_cluster_state": "absent"}, "w1": RUNNING["w1"]},
    ],
    ids=["the others were not asked", "a worker would stay", "all managers leave"],
)
def test_nobody_goes_before_one_that_stays_was_asked(others: Vars) -> None:
    hosts = {"m1": {**RUNNING["m1"], "swarm_cluster_state": "absent"}, **others}
    assert "m1 cannot go before a manager that stays has been asked" in plan(hosts, "m1")["own_problem"]
    below = {"m2": NOT_THERE, "w1": manager("id-w1", nodes="m2 w1")}
    assert "w1 cannot go before" in plan(below, "w1")["own_problem"]


def test_worker_that_leaves_alone_is_told_of_the_managers() -> None:
    hosts = {"m1": NOT_THERE, "w1": {**RUNNING["w1"], "swarm_cluster_state": "absent"}}
    assert "w1: in a swarm, and m1 could not be asked about it. Run without --limit" in plan(hosts, "w1")["problem"]


def test_everybody_leaves() -> None:
    hosts = {name: {**place, "swarm_cluster_state": "absent"} for name, place in RUNNING.items()}
    assert plan(hosts, "m1")["leaves"]
    assert plan(hosts, "m1")["witness"] is None
    gone = {name: {**host(), "swarm_cluster_state": "absent"} for name in RUNNING}
    assert plan(gone, "m1")["problem"] is None


def test_dead_node_that_shall_leave_is_taken_off_the_list() -> None:
    dead = {**UNREACHABLE, "swarm_cluster_state": "absent"}
    hosts = {"m1": manager("id-m1", nodes="m1 w1 w2", down=["w1"]), "w1": dead, "w2": {**dead}}
    assert plan(hosts, "m1")["gone"] == {"w1 (id-w1)": "id-w1"}


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("place", [worker("id-new"), host()], ids=["installed anew", "left, and cut off in it"])
def test_dead_node_of_a_host_that_is_no_longer_it_is_taken_off_the_list(place: dict[str, Any], state: str) -> None:
    pi = {"__swarm_cluster_seen": {**place["__swarm_cluster_seen"], "hostname": "w1"}, "swarm_cluster_state": state}
    hosts = {"m1": manager("id-m1", nodes="m1 w1 w2", down=["w1", "w2"]), "w3": pi}
    assert plan(hosts, "m1")["gone"] == {"w3 (id-w1)": "id-w1"}
    assert plan(hosts, "m1")["strangers"] == ("w2",)


def test_a_new_leader_that_has_not_heard_of_a_node_yet_takes_it_for_dead_only_where_its_host_says_so() -> None:
    here = {"__swarm_cluster_seen": {**host()["__swarm_cluster_seen"], "hostname": "w1"}}
    away = {**UNREACHABLE, "swarm_cluster_state": "absent"}
    hosts = {"m1": manager("id-m1", nodes="m1 w1 w2", states={"w1": "unknown", "w2": "unknown"}), "w1": here, "w2": away}
    assert plan(hosts, "m1")["gone"] == {"w1 (id-w1)": "id-w1"}


def test_node_that_lives_is_never_taken_off_the_list_for_its_name() -> None:
    hosts = {"m1": manager("id-m1", nodes="m1 w1"), "w1": {"__swarm_cluster_seen": {**host()["__swarm_cluster_seen"], "hostname": "w1"}}}
    assert plan(hosts, "m1")["gone"] == {}


def test_strangers_and_unseen_are_named() -> None:
    hosts = {"m1": manager("id-m1", nodes="m1 w1 w9"), "w1": UNREACHABLE}
    assert plan(hosts, "m1")["strangers"] == ("w9",)
    assert plan(hosts, "m1")["unseen"] == ("w1",)


def test_host_in_both_groups_or_none_is_an_error() -> None:
    with pytest.raises(AnsibleFilterError, match="m1: in the groups of managers and of workers"):
        swarm_membership(BARE, "m1", ["m1"], ["m1"])
    with pytest.raises(AnsibleFilterError, match="m1 is in neither"):
        swarm_membership(BARE, "m1", ["m2"], ["w1"])
