# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode on engines without a swarm said what the real run then did."""

from __future__ import annotations

import os
from pathlib import Path

from changed_tasks import Run, differences

RUNS = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])


def test_the_same_tasks_change_on_the_same_hosts() -> None:
    predicted, done = Run.read(RUNS / "changed-check.jsonl"), Run.read(RUNS / "changed-real.jsonl")
    assert {task for task, _host in done.changed} >= {"Make a swarm", "Join", "Label a worker", "Make a network", "Make a secret"}
    assert list(differences(predicted, done)) == []
