# SPDX-License-Identifier: GPL-3.0-or-later
"""The first manager has left by `swarm_cluster_state: absent` and a run of site.yml; the others are as wanted."""

from __future__ import annotations

import outside
import pytest
from managers import members, on
from outside import Node, eventually

LEFT = [node for node in outside.nodes() if node.name in ("manager2", "worker1")]


def test_no_entry_is_left() -> None:
    assert sorted(members("manager2")) == ["manager2", "worker1"]


def test_it_is_in_no_swarm_and_serves_nothing() -> None:
    assert on("manager1").check_output("docker info --format '{{.Swarm.LocalNodeState}}'") == "inactive"
    assert on("manager1").check_output("docker ps --quiet") == ""


@pytest.mark.parametrize("node", LEFT, ids=lambda node: node.name)
def test_the_app_answers_through_every_node_that_stays(node: Node) -> None:
    assert eventually(lambda: node.ask("/health"), lambda health: health["status"] == "ok")["status"] == "ok"
