# SPDX-License-Identifier: GPL-3.0-or-later
"""A manager and a worker have left for good."""

from __future__ import annotations

import pytest
from managers import members, on


def test_no_entry_is_left() -> None:
    assert sorted(members("manager1")) == ["manager1", "manager2", "worker1"]


def test_two_managers_are_left() -> None:
    assert on("manager1").check_output("docker info --format '{{.Swarm.Managers}}'") == "2"
    assert sorted(state.split()[-1] for name, state in members("manager1").items() if name != "worker1") == ["Leader", "Reachable"]


@pytest.mark.parametrize("node", ["manager3", "worker2"])
def test_the_node_is_in_no_swarm(node: str) -> None:
    assert on(node).check_output("docker info --format '{{.Swarm.LocalNodeState}}'") == "inactive"
