# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tasks a step replaces, as swarmkit decides it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._foretell import foretold
from ansible_collections.homecloud.swarm.plugins.module_utils._model import Kind, Plan, Sort, Step


def spec(replicas: int | None = 2, mode: str = "Replicated") -> dict[str, Any]:
    return {
        "Labels": {},
        "Mode": {mode: {} if replicas is None else {"Replicas": replicas}},
        "EndpointSpec": {"Mode": "vip"},
        "TaskTemplate": {"ContainerSpec": {"Image": "nginx:1", "Env": ["A=1"]}, "Placement": {}, "Runtime": "container", "ForceUpdate": 0},
    }


def changed(given: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    body = copy.deepcopy(given)
    *parents, name = path.split(".")
    place = body
    for parent in parents:
        place = place[parent]
    place[name] = value
    return body


def node(name: str, **labels: str) -> dict[str, Any]:
    return {
        "ID": name,
        "Spec": {"Availability": "active", "Labels": labels, "Role": "manager"},
        "Status": {"State": "ready"},
        "Description": {"Hostname": name, "Platform": {"OS": "linux", "Architecture": "x86_64"}},
    }


NODES = [node("n1", disk="ssd"), node("n2")]


def tasks(live: dict[str, Any], count: int = 2) -> list[dict[str, Any]]:
    """One task per slot, on the nodes in turn."""
    return [
        {"ServiceID": "web", "Slot": slot + 1, "NodeID": NODES[slot % 2]["ID"], "Spec": copy.deepcopy(live["TaskTemplate"])}
        for slot in range(count)
    ]


def count(before: dict[str, Any], after: dict[str, Any], kind: Kind = Kind.UPDATE, **step: Any) -> int:
    live = {"ID": "web", "Spec": before}
    plan = Plan((Step(kind, Sort.SERVICE, "s_web", body=after, live=live, **step),))
    return foretold(plan, tasks(before), NODES).steps[0].restarts


SSD = {"Constraints": ["node.labels.disk==ssd"]}
HERE = {"Constraints": ["node.role==manager"]}


@pytest.mark.parametrize(
    ("path", "value", "restarts"),
    [
        ("TaskTemplate.ContainerSpec.Image", "nginx:2", 2),
        ("TaskTemplate.Resources", {"Limits": {"Pids": 5}}, 2),
        ("TaskTemplate.ForceUpdate", 1, 2),
        ("EndpointSpec.Mode", "dnsrr", 2),
        ("Labels", {"a": "b"}, 0),
        ("UpdateConfig", {"Parallelism": 2}, 0),
        ("Mode.Replicated.Replicas", 5, 0),
        ("Mode.Replicated.Replicas", 1, 0),
        # the node fits or does not
        ("TaskTemplate.Placement", HERE, 0),
        ("TaskTemplate.Placement", SSD, 1),
        ("TaskTemplate.Placement", {"Preferences": [{"Spread": {"SpreadDescriptor": "node.id"}}]}, 0),
    ],
)
def test_restarts(path: str, value: Any, restarts: int) -> None:
    assert count(spec(), changed(spec(), path, value)) == restarts


def test_of_a_smaller_service_only_what_stays_restarts() -> None:
    assert count(spec(2), changed(spec(1), "TaskTemplate.ContainerSpec.Image", "nginx:2")) == 1


def test_a_global_service_restarts_where_it_runs() -> None:
    before = spec(None, "Global")
    assert count(before, changed(before, "TaskTemplate.ContainerSpec.Image", "nginx:2")) == 2
    # from a node that does not fit any more its task goes, and nothing comes
    assert count(before, changed(before, "TaskTemplate.Placement", SSD)) == 0


def test_a_replaced_or_detached_service_restarts_whole() -> None:
    assert count(spec(), spec(None, "Global"), Kind.REPLACE) == 2
    assert count(spec(), spec(), detached=True) == 2


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ({"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 3}}, 3),
        ({"ReplicatedJob": {"MaxConcurrent": 2}}, 2),
        ({"ReplicatedJob": {}}, 1),
        ({"ReplicatedJob": {"MaxConcurrent": 0, "TotalCompletions": 0}}, 0),
        ({"ReplicatedJob": {"MaxConcurrent": 0}}, 0),
        ({"GlobalJob": {}}, 2),
    ],
)
def test_a_job_runs_again_whatever_changes(mode: dict[str, Any], expected: int) -> None:
    before = {**spec(), "Mode": mode}
    assert count(before, changed(before, "Labels", {"a": "b"})) == expected


def test_tasks_of_an_older_spec_are_replaced_too() -> None:
    """A paused update goes on with any write, even one that changes only labels."""
    live, old = spec(), changed(spec(), "TaskTemplate.ContainerSpec.Image", "nginx:0")
    step = Step(Kind.UPDATE, Sort.SERVICE, "s_web", body=changed(live, "Labels", {"a": "b"}), live={"ID": "web", "Spec": live})
    assert foretold(Plan((step,)), [tasks(old)[0], tasks(live)[1]], NODES).steps[0].restarts == 1


def test_other_steps_restart_nothing() -> None:
    plan = Plan((Step(Kind.CREATE, Sort.SERVICE, "s_web", body=spec()), Step(Kind.CREATE, Sort.NETWORK, "s_default")))
    assert foretold(plan, [], NODES) == plan
