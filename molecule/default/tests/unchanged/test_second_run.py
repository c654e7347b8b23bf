# SPDX-License-Identifier: GPL-3.0-or-later
"""The second run changed nothing, and wrote nothing to any engine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from changed_tasks import Run
from engine_writes import engine_log, requests, writes

testinfra_hosts = ["ansible://swarm_managers", "ansible://swarm_workers"]
SECOND = Run.read(Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "changed-real.jsonl"))


def test_no_task_changes() -> None:
    assert not SECOND.changed


def test_no_engine_is_written_to(host: Any) -> None:
    log = engine_log(host, SECOND.began)
    assert requests(log), "the engine's log names no request at all"
    assert writes(log) == []


def test_writes_would_be_seen(host: Any) -> None:
    assert writes(engine_log(host, 0)), "the first run joined this engine to the swarm, at least"
