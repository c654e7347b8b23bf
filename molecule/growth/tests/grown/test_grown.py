# SPDX-License-Identifier: GPL-3.0-or-later
"""A second machine came into the inventory, before the first: one run made a manager of it, as check mode had said; the app runs there."""

from __future__ import annotations

import os
from pathlib import Path

import outside
from changed_tasks import Run, differences
from home_registry import REGISTRY, login, password
from managers import members, on
from outside import eventually

RUNS = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
ENTRANCE = next(node for node in outside.nodes() if node.name == "manager1")
AUTHORITY = outside.HOME / "authority.crt"


def test_check_mode_predicted_it() -> None:
    predicted, done = Run.read(RUNS / "changed-check.jsonl"), Run.read(RUNS / "changed-real.jsonl")
    assert {host for _task, host in done.changed} == {"manager2"}
    assert list(differences(predicted, done)) == []


def test_the_new_machine_is_a_ready_node() -> None:
    assert members("manager1") == {"manager1": "Ready Active Leader", "manager2": "Ready Active Reachable"}


def test_the_app_runs_there_from_our_registry() -> None:
    listed = "docker service ps --filter desired-state=running --format '{{.Node}} {{.CurrentState}}' guestbook_web"
    running = on("manager1").check_output(listed)
    assert sorted(line.split()[:2] for line in running.splitlines()) == [["manager1", "Running"], ["manager2", "Running"]]
    pulled = on("manager2").check_output("docker image ls --digests --format '{{.Repository}} {{.Digest}}'")
    assert [line.split()[0] for line in pulled.splitlines()] == [f"{REGISTRY}/guestbook"]


def test_the_one_ingress_node_leads_to_it() -> None:
    seen = set()

    def both() -> set[str]:
        seen.add(ENTRANCE.ask("/api/about", ca=AUTHORITY)["node"])
        return seen

    assert eventually(both, lambda nodes: len(nodes) == 2) == {"manager1", "manager2"}


def test_the_new_node_knows_and_trusts_the_registry() -> None:
    assert login(on("manager2"), password()).succeeded
    assert login(on("manager2"), "not the password").failed
