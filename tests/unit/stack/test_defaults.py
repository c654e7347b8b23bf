# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services get which update settings, and what is said about those that cannot have the new task first."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._defaults import UPDATE, with_update_defaults
from ansible_collections.homecloud.swarm.plugins.module_utils._desired import Desired

VOLUME = {"Type": "volume", "Source": "s_data", "Target": "/data"}
HOST = {"TargetPort": 80, "PublishedPort": 8080, "PublishMode": "host"}
MESH = {**HOST, "PublishMode": "ingress"}


def service(
    mode: dict[str, Any] | None = None, ports: Any = (), mounts: Any = (), update: Any = None, placement: Any = None
) -> dict[str, Any]:
    return {
        "Name": "s_web",
        "Mode": mode or {"Replicated": {"Replicas": 1}},
        "EndpointSpec": {"Ports": list(ports)},
        "TaskTemplate": {"ContainerSpec": {"Mounts": list(mounts)}, "Placement": placement or {}},
        **({"UpdateConfig": update} if update else {}),
    }


@pytest.mark.parametrize(
    ("given", "order", "words"),
    [
        (service(), "start-first", ""),
        (service(ports=[MESH]), "start-first", ""),
        (service(ports=[HOST]), "stop-first", "holds port 8080 of its node"),
        (service(ports=[{**HOST, "PublishMode": "Host"}]), "stop-first", "holds port 8080 of its node"),
        (service(mounts=[VOLUME]), "stop-first", "writes to s_data"),
        (service(mounts=[{**VOLUME, "ReadOnly": True}]), "start-first", ""),
        (service(mounts=[{"Type": "volume", "Target": "/tmp"}]), "start-first", ""),
        (service(mounts=[{"Type": "tmpfs", "Target": "/tmp"}]), "start-first", ""),
        (service({"Replicated": {"Replicas": 3}}, mounts=[VOLUME]), "start-first", ""),
        (service({"Replicated": {}}, mounts=[VOLUME]), "stop-first", "writes to s_data"),
        (service({"Global": {}}), "stop-first", "runs once on every node"),
        (service(placement={"MaxReplicas": 1}), "stop-first", "max_replicas_per_node"),
        (service(ports=[HOST], update={"Order": "start-first"}), "start-first", ""),
        (service(mounts=[VOLUME], update={"Order": "stop-first"}), "stop-first", ""),
    ],
)
def test_order(given: dict[str, Any], order: str, words: str) -> None:
    desired, notes = with_update_defaults(Desired("s", services={"s_web": given}))
    assert desired.services["s_web"]["UpdateConfig"]["Order"] == order
    assert [words in note for note in notes] == ([True] if words else [])


def test_what_the_file_says_stays() -> None:
    desired, _notes = with_update_defaults(
        Desired("s", services={"s_web": service(update={"FailureAction": "continue", "Parallelism": 0})})
    )
    assert desired.services["s_web"]["UpdateConfig"] == {**UPDATE, "FailureAction": "continue", "Parallelism": 0}


def test_jobs_have_no_updates() -> None:
    job = service({"ReplicatedJob": {}}, mounts=[VOLUME])
    assert with_update_defaults(Desired("s", services={"s_web": job})) == (Desired("s", services={"s_web": job}), ())
