# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs, in the words of the file."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._diff import differences, drawn, duration, size, told
from ansible_collections.homecloud.swarm.plugins.module_utils._model import IMAGE, Change, Kind, Plan, Sort, Step


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "0s"), (10_000_000_000, "10s"), (90_000_000_000, "1m30s"), (3_600_000_000_000, "1h"), (1_500_000_000, "1s500ms"), (None, None)],
)
def test_duration(nanoseconds: Any, text: Any) -> None:
    assert duration(nanoseconds) == text


@pytest.mark.parametrize(("count", "text"), [(64 << 20, "64M"), (1 << 30, "1G"), (1536 << 20, "1536M"), (1000, 1000), (0, 0), (None, None)])
def test_size(count: Any, text: Any) -> None:
    assert size(count) == text


def at(path: str, value: Any) -> dict[str, Any]:
    """A spec that has only this."""
    *parents, name = path.split(".")
    spec: dict[str, Any] = {name: value}
    for parent in reversed(parents):
        spec = {parent: spec}
    return spec


CONTAINER = "TaskTemplate.ContainerSpec"
PORT = {"TargetPort": 80, "PublishedPort": 8080}
SECRET = {"SecretName": "s_pw", "SecretID": "1", "File": {"Name": "pw", "Mode": 292}}


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        (f"{CONTAINER}.Env", ["A=1", "B=2"], ["B=2", "A=2"], ["environment.A: 1 -> 2"]),
        (f"{CONTAINER}.Env", ["A"], [], ["environment.A: (as the image has it) -> None"]),
        (f"{CONTAINER}.Args", ["a"], ["b"], ["command: ['a'] -> ['b']"]),
        (f"{CONTAINER}.StopGracePeriod", 1_000_000_000, 90_000_000_000, ["stop_grace_period: 1s -> 1m30s"]),
        (f"{CONTAINER}.DNSConfig", {}, {"Nameservers": ["1.1.1.1"]}, ["dns: None -> ['1.1.1.1']"]),
        (f"{CONTAINER}.Healthcheck.Interval", 1_000_000_000, 2_000_000_000, ["healthcheck.interval: 1s -> 2s"]),
        (
            f"{CONTAINER}.Ulimits",
            [{"Name": "nofile", "Soft": 1, "Hard": 2}],
            [{"Name": "nofile", "Soft": 1, "Hard": 3}],
            ["ulimits.nofile.hard: 2 -> 3"],
        ),
        (f"{CONTAINER}.Secrets", [SECRET], [{**SECRET, "SecretID": "2"}], ["secrets.pw.id: 1 -> 2"]),
        (
            f"{CONTAINER}.Mounts",
            [],
            [{"Type": "bind", "Source": "/a", "Target": "/b"}],
            ["volumes./b.source: None -> /a", "volumes./b.type: None -> bind"],
        ),
        ("TaskTemplate.Resources.Limits.MemoryBytes", 64 << 20, 128 << 20, ["deploy.resources.limits.memory: 64M -> 128M"]),
        ("TaskTemplate.Resources.Limits.NanoCPUs", None, 500_000_000, ["deploy.resources.limits.cpus: None -> 0.5"]),
        ("TaskTemplate.RestartPolicy", None, {}, ["deploy.restart_policy: None -> {}"]),
        (f"{CONTAINER}.Privileges", None, {"SELinuxContext": None}, ["container.Privileges: None -> {'SELinuxContext': None}"]),
        (
            "TaskTemplate.Networks",
            [{"Target": "s_a", "Aliases": ["x"]}],
            [{"Target": "s_a", "Aliases": ["y"]}],
            ["networks.s_a.aliases: ['x'] -> ['y']"],
        ),
        ("EndpointSpec.Ports", [PORT], [{**PORT, "PublishMode": "host"}], ["ports.8080:80/tcp: ingress -> host"]),
        ("UpdateConfig.Order", "stop-first", "start-first", ["deploy.update_config.order: stop-first -> start-first"]),
        ("Mode", {"Replicated": {"Replicas": 2}}, {"GlobalJob": {}}, ["deploy.mode: replicated -> global-job"]),
        ("Mode", {"Replicated": {"Replicas": 2}}, {"Replicated": {"Replicas": 3}}, ["deploy.replicas: 2 -> 3"]),
        ("Labels", {"a.b": "1"}, {"a.b": "2"}, ["deploy.labels.a.b: 1 -> 2"]),
    ],
)
def test_in_the_words_of_the_file(path: str, old: Any, new: Any, expected: list[str]) -> None:
    changes = differences(at(path, old), at(path, new), "services.web")
    assert [f"{change.path.removeprefix('services.web.')}: {change.old} -> {change.new}" for change in changes] == expected


def test_restarts_are_told() -> None:
    def step(restarts: int) -> Step:
        return Step(
            Kind.UPDATE, Sort.SERVICE, f"s_{restarts}", restarts=restarts, changes=(Change("services.x.image", "a", "b"),) * (restarts == 1)
        )

    assert drawn(Plan((step(0), step(1), step(2)))).splitlines() == [
        "~ service s_0: update, no restart",
        "~ service s_1: update, restarts 1 task",
        "    services.x.image: a -> b",
        "~ service s_2: update, restarts 2 tasks",
    ]


@pytest.mark.parametrize(
    ("paths", "left"),
    [
        (["a.image", f"a.deploy.labels.{IMAGE}"], ["a.image"]),
        ([f"a.deploy.labels.{IMAGE}"], [f"a.deploy.labels.{IMAGE}"]),
        (["a.secrets.pw.id", "a.secrets.pw.name"], ["a.secrets.pw.name"]),
        (["a.secrets.pw.id"], ["a.secrets.pw.id"]),
    ],
)
def test_what_another_change_says_is_not_repeated(paths: list[str], left: list[str]) -> None:
    assert [change.path for change in told(Change(path, 1, 2) for path in paths)] == left
