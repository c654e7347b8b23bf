# SPDX-License-Identifier: GPL-3.0-or-later
"""The second run and the check after it changed nothing, and wrote nothing to the engine of any manager."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from changed_tasks import Run
from engine_writes import engine_log, requests, writes

testinfra_hosts = ["ansible://swarm_managers"]
RUNS = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
SECOND = Run.read(RUNS / "changed-real.jsonl")


@pytest.mark.parametrize("mode", ["real", "check"])
def test_no_task_changes(mode: str) -> None:
    assert not Run.read(RUNS / f"changed-{mode}.jsonl").changed


def test_no_engine_is_written_to(host: Any) -> None:
    log = engine_log(host, SECOND.began)
    assert requests(log), "the engine's log names no request at all"
    assert writes(log) == []


def test_writes_would_be_seen(host: Any) -> None:
    assert writes(engine_log(host, 0)), "the first run joined this engine to the swarm, at least"
