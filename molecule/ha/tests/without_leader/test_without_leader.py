# SPDX-License-Identifier: GPL-3.0-or-later
"""The node that was the leader is off."""

from __future__ import annotations

import re
import subprocess
import uuid

import outside
import pytest
from managers import leader
from outside import Node, eventually

ALIVE = [node for node in outside.nodes() if outside.is_on(node)]
(DEAD,) = [node for node in outside.nodes() if node not in ALIVE]
MANAGERS = [node.name for node in ALIVE if node.name.startswith("manager")]


def ansible(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, cwd=outside.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


@pytest.mark.parametrize("node", ALIVE, ids=lambda node: node.name)
def test_the_app_answers_through_every_other_node(node: Node) -> None:
    text = f"left at {uuid.uuid4()}"
    eventually(lambda: node.ask("/api/entries", {"name": "the tests", "text": text}), bool)
    assert text in eventually(node.texts, lambda texts: text in texts)


def test_another_manager_leads() -> None:
    assert leader(MANAGERS[0]) in MANAGERS


def test_the_quorum_is_kept() -> None:
    """Two of three managers are left: none of them can be spared."""
    ran = ansible(
        *("ansible", MANAGERS[0], "--inventory", str(outside.INVENTORY)),
        *("--module-name", "homecloud.swarm.node", "--args", f"hostname={MANAGERS[1]} role=worker"),
    )
    assert ran.returncode != 0
    assert re.search(r"2 managers, 1 reachable, quorum 2", ran.stdout), ran.stdout


def test_site_does_what_it_can_and_names_the_node() -> None:
    ran = ansible(
        *("ansible-playbook", "--inventory", str(outside.INVENTORY), "--extra-vars", "@molecule/lab/demo.yml"),
        *("--extra-vars", "guestbook_replicas=3", "homecloud.swarm.site"),
    )
    recap = dict(re.findall(r"^(\S+) +: ok=\d+ +changed=\d+ +(unreachable=\d+ +failed=\d+)", ran.stdout, re.MULTILINE))
    assert ran.returncode != 0, "a node that is off is no success"
    assert recap.pop(DEAD.name).startswith("unreachable=1"), ran.stdout
    assert set(recap.values()) == {"unreachable=0    failed=0"}, ran.stdout
    assert DEAD.name in ran.stdout.partition("PLAY RECAP")[0]
    # What it could do: the change in the inventory is there.
    tasks = {eventually(lambda: ALIVE[0].ask("/api/about"), bool)["task"] for _question in range(60)}
    assert len(tasks) == 3
