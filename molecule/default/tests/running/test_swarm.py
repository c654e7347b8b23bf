# SPDX-License-Identifier: GPL-3.0-or-later
"""The swarm and the app's services, as the manager tells it."""

from __future__ import annotations

import json
from typing import Any

testinfra_hosts = ["ansible://swarm_managers"]


def inspected(host: Any, kind: str, *names: str) -> list[Any]:
    found: list[Any] = json.loads(host.check_output(f"docker {kind} inspect {' '.join(names)}"))
    return found


def test_each_machine_is_one_ready_node(host: Any) -> None:
    listed = host.check_output("docker node ls --format '{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}'").splitlines()
    assert sorted(line.strip() for line in listed) == ["manager1 Ready Active Leader", "worker1 Ready Active", "worker2 Ready Active"]


def test_labels_say_what_each_node_is_for(host: Any) -> None:
    nodes = inspected(host, "node", "manager1", "worker1", "worker2")
    ingress = {"homecloud_ingress": "true"}
    assert {node["Description"]["Hostname"]: node["Spec"]["Labels"] for node in nodes} == {
        "manager1": ingress,
        "worker1": {**ingress, "guestbook_db": "true"},
        "worker2": ingress,
    }


def test_all_replicas_run(host: Any) -> None:
    replicas = dict(line.split() for line in host.check_output("docker service ls --format '{{.Name}} {{.Replicas}}'").splitlines())
    assert replicas.pop("guestbook_web") == "2/2"
    assert replicas.pop("guestbook_db") == "1/1"
    assert all(running == wanted for running, _slash, wanted in (count.partition("/") for count in replicas.values()))


def test_images_are_pinned_to_digests(host: Any) -> None:
    for service in inspected(host, "service", "guestbook_web", "guestbook_db"):
        assert "@sha256:" in service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
