# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts on what real engines said (tests/recorder.py), played back poll by poll on a clock that jumps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._clock import Clock
from ansible_collections.homecloud.swarm.plugins.module_utils._converge import watch
from ansible_collections.homecloud.swarm.plugins.module_utils._model import Snapshot, Verdict
from ansible_collections.homecloud.swarm.plugins.module_utils._situation import Deed, Limits

RECORDINGS = Path(__file__).parent / "recordings"
ENGINES = sorted(path.name for path in RECORDINGS.glob("*"))

#: case -> (verdict, words of the reason)
FORETOLD: dict[str, tuple[Verdict, str]] = {
    "first": (Verdict.CONVERGED, ""),
    "first_crash": (Verdict.CRASH_LOOPING, "non-zero exit (3)"),
    "first_ends_at_once": (Verdict.CRASH_LOOPING, "exits with code 0"),
    "first_unhealthy": (Verdict.UNHEALTHY, "unhealthy container"),
    "first_no_image": (Verdict.IMAGE_MISSING, "No such image"),
    "first_no_node": (Verdict.UNSCHEDULABLE, "no suitable node"),
    "first_no_memory": (Verdict.UNSCHEDULABLE, "insufficient resources"),
    "first_attempts_used_up": (Verdict.FAILED, "non-zero exit (3)"),
    "global": (Verdict.CONVERGED, ""),
    "one_shot": (Verdict.CONVERGED, ""),
    "job": (Verdict.CONVERGED, ""),
    "job_fails": (Verdict.FAILED, "non-zero exit (3)"),
    "update": (Verdict.CONVERGED, ""),
    "update_paused": (Verdict.PAUSED, "non-zero exit (3)"),
    "update_rolled_back": (Verdict.ROLLED_BACK, "update rolled back"),
    "update_continues": (Verdict.CRASH_LOOPING, "non-zero exit (3)"),
    "update_scale_only": (Verdict.CONVERGED, ""),
    "update_of_a_one_shot": (Verdict.CONVERGED, ""),
}


class Playback:
    """A recording and the time that passes in it."""

    def __init__(self, recording: dict[str, Any]) -> None:
        self.recording = recording
        self.polls = recording["polls"]
        self.time = float(self.polls[0]["now"])

    def poll(self) -> Snapshot:
        assert self.time <= self.recording["looks"][-1] + 1, "judged by more than the engine said"
        now = [look for look in self.recording["looks"] if look <= self.time][-1]
        said = [poll for poll in self.polls if poll["now"] <= now][-1]
        return Snapshot(said["services"], said["tasks"], said["nodes"], now)

    def clock(self) -> Clock:
        return Clock(now=lambda: self.time, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", FORETOLD)
def test_verdict(engine: str, case: str) -> None:
    recording = json.loads((RECORDINGS / engine / f"{case}.json").read_text())
    playback = Playback(recording)
    deed = Deed(frozenset({case}), recording["began"])
    seen = [findings[0] for findings in watch(playback.poll, Limits(progress=20, timeout=60), deed, playback.clock())]
    verdict, words = FORETOLD[case]
    assert seen[-1].verdict is verdict
    assert words in seen[-1].reason
    assert {finding.verdict for finding in seen[:-1]} <= {Verdict.UPDATING}


def test_every_engine_was_recorded() -> None:
    assert ENGINES == ["20.10", "26.1", "28.5"]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_recording_is_judged(engine: str) -> None:
    assert sorted(path.stem for path in (RECORDINGS / engine).iterdir()) == sorted(FORETOLD)
