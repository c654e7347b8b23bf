# SPDX-License-Identifier: GPL-3.0-or-later
"""Five nodes, all ready; three managers, all reachable; the app answers through each of them with all its replicas."""

from __future__ import annotations

import outside
import pytest
from managers import members, on
from outside import Node, eventually


def test_every_node_is_ready() -> None:
    found = members("manager1")
    assert sorted(found) == ["manager1", "manager2", "manager3", "worker1", "worker2"]
    assert all(state.startswith("Ready Active") for state in found.values()), found


def test_three_managers_are_reachable() -> None:
    places = sorted(state.split()[-1] for name, state in members("manager1").items() if name.startswith("manager"))
    assert places == ["Leader", "Reachable", "Reachable"]


def test_all_replicas_run() -> None:
    listed = on("manager1").check_output("docker service ls --format '{{.Name}} {{.Replicas}}'").splitlines()
    counts = dict(line.split()[:2] for line in listed)
    assert {"guestbook_web", "guestbook_db"} <= set(counts)
    assert all(len(set(count.split("/"))) == 1 for count in counts.values()), counts


@pytest.mark.parametrize("node", outside.nodes(), ids=lambda node: node.name)
def test_the_app_answers_through_every_node(node: Node) -> None:
    assert eventually(lambda: node.ask("/health"), lambda health: health["status"] == "ok")["status"] == "ok"
