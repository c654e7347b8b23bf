# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What means the same to the engine, and what a graft leaves alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._spec import CANON, JOB, OBJECTS, canonical, graft, same
from hypothesis import example, given
from hypothesis import strategies as st

LIVE: dict[str, Any] = {
    "Name": "shop_web",
    "Labels": {"com.docker.stack.image": "nginx:1"},
    "TaskTemplate": {
        "ContainerSpec": {
            "Image": "nginx:1@sha256:aa",
            "Env": ["B=2", "A=1"],
            "Isolation": "default",
            "DNSConfig": {},
            "Mounts": [{"Type": "bind", "Source": "/a", "Target": "/b"}],
        },
        "Resources": {},
        "Placement": {},
        "Networks": [{"Target": "n2", "Aliases": ["web"]}, {"Target": "n1", "Aliases": ["web"]}],
        "ForceUpdate": 0,
        "Runtime": "container",
    },
    "Mode": {"Replicated": {"Replicas": 1}},
    "EndpointSpec": {"Mode": "vip", "Ports": [{"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 80, "PublishMode": "ingress"}]},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The live spec with one field set; None takes it out."""
    spec = copy.deepcopy(LIVE)
    *parents, name = path.split(".")
    place = spec
    for parent in parents:
        place = place.setdefault(parent, {})
    if value is None:
        place.pop(name, None)
    else:
        place[name] = value
    return spec


CONTAINER = "TaskTemplate.ContainerSpec"

SAME: list[tuple[str, Any]] = [
    (f"{CONTAINER}.Env", ["A=1", "B=2"]),
    (f"{CONTAINER}.Isolation", None),
    (f"{CONTAINER}.Isolation", "Default"),
    (f"{CONTAINER}.DNSConfig", None),
    (f"{CONTAINER}.Hosts", []),
    (f"{CONTAINER}.Mounts", [{"Type": "bind", "Source": "/a", "Target": "/b", "Consistency": "cached", "BindOptions": {}}]),
    ("TaskTemplate.Runtime", None),
    ("TaskTemplate.Resources", None),
    ("TaskTemplate.Placement", None),
    ("TaskTemplate.Networks", [{"Target": "n1", "Aliases": ["web"], "DriverOpts": {}}, {"Target": "n2", "Aliases": ["web"]}]),
    ("Mode", {"Replicated": {}}),
    ("EndpointSpec.Mode", None),
    ("EndpointSpec.Ports", [{"Protocol": "TCP", "TargetPort": 80, "PublishedPort": 80}]),
]

DIFFERENT: list[tuple[str, Any]] = [
    (f"{CONTAINER}.Env", ["A=1", "B=3"]),
    (f"{CONTAINER}.Env", ["A=1"]),
    (f"{CONTAINER}.Args", ["x"]),
    (f"{CONTAINER}.Init", False),
    (f"{CONTAINER}.StopGracePeriod", 0),
    ("Mode", {"Replicated": {"Replicas": 2}}),
    ("Mode", {"Replicated": {"Replicas": 0}}),
    ("Mode", {"Global": {}}),
    ("UpdateConfig", {"Parallelism": 1, "MaxFailureRatio": 0, "Order": ""}),
    ("TaskTemplate.RestartPolicy", {}),
    ("EndpointSpec.Mode", "dnsrr"),
    ("EndpointSpec.Ports", []),
    ("Labels", {}),
]


@pytest.mark.parametrize(("path", "value"), SAME)
def test_same_meaning_keeps_the_live_form(path: str, value: Any) -> None:
    desired = changed(path, value)
    assert same(desired, LIVE)
    assert graft(desired, LIVE) == LIVE


@pytest.mark.parametrize(("path", "value"), DIFFERENT)
def test_other_meaning_is_seen(path: str, value: Any) -> None:
    assert not same(changed(path, value), LIVE)


def test_graft_changes_only_the_differing_field() -> None:
    desired = changed(f"{CONTAINER}.Image", "nginx:2")
    desired["TaskTemplate"]["ContainerSpec"]["Env"].reverse()
    desired["TaskTemplate"]["Networks"].reverse()
    assert graft(desired, LIVE) == changed(f"{CONTAINER}.Image", "nginx:2")


@pytest.mark.parametrize(
    ("one", "other", "path"),
    [
        (
            {"FailureAction": "pause", "Order": "stop-first", "MaxFailureRatio": 0.1},
            {"MaxFailureRatio": 0.10000000149011612},
            "UpdateConfig",
        ),
        ({"Condition": "any", "MaxAttempts": 0}, {}, "TaskTemplate.RestartPolicy"),
        ({"SELinuxContext": None, "NoNewPrivileges": False}, {"SELinuxContext": None}, f"{CONTAINER}.Privileges"),
        (
            [{"OS": "linux", "Architecture": "amd64"}, {"OS": "linux"}, {"OS": "unknown", "Architecture": "unknown"}],
            [{"OS": "linux", "Architecture": "arm"}, {"OS": "linux", "Architecture": "amd64"}, {"OS": "linux", "Architecture": "amd64"}],
            "TaskTemplate.Placement.Platforms",
        ),
        ({"MaxConcurrent": 2, "TotalCompletions": 2}, {"MaxConcurrent": 2}, "Mode.ReplicatedJob"),
        ({"MaxConcurrent": 0, "TotalCompletions": 0}, {"MaxConcurrent": 0}, "Mode.ReplicatedJob"),
        ({"MaxConcurrent": 1, "TotalCompletions": 1}, {}, "Mode.ReplicatedJob"),
        ({"Test": ["NONE"], "Retries": 0}, {"Test": ["NONE"]}, f"{CONTAINER}.Healthcheck"),
    ],
)
def test_defaults_of_the_engine(one: Any, other: Any, path: str) -> None:
    assert same(one, other, path)


NAMES = sorted({name for path in (*CANON, *OBJECTS) for name in path.split(".") if name != "*"} | {"x"})
PATHS = sorted({path.rsplit(".", depth)[0] for path in (*CANON, *OBJECTS) for depth in range(4)} | {"", JOB, "x"})
LEAVES = st.sampled_from([None, "", 0, 1, False, "vip", "VIP", "default", "any", "pause"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, max_size=3) | st.lists(inner, max_size=2), max_leaves=6
)


@given(st.sampled_from(PATHS), VALUES, VALUES)
@example(JOB, {"MaxConcurrent": 2}, {"MaxConcurrent": 2, "TotalCompletions": 2})
@example("TaskTemplate.ContainerSpec.Mounts.*", {"Consistency": {"x": 1}}, {"Consistency": {"x": 2}})
@example("", {}, {"TaskTemplate": {"Placement": {}}, "EndpointSpec": {"Mode": "VIP"}})
def test_the_short_way_to_sameness_finds_what_the_canonical_forms_say(path: str, one: Any, other: Any) -> None:
    try:
        expected = canonical(one, path) == canonical(other, path)
    except (AttributeError, TypeError, ValueError):
        return  # a value that no engine gives at this place
    assert same(one, other, path) is expected
