# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait on conditions. The clock is passed in, so that tests jump instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

Found = TypeVar("Found")


@dataclass(frozen=True)
class Clock:
    """Seconds that only go forward, how to let some pass, and seconds since 1970, which other processes and engines know too."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    wall: Callable[[], float] = time.time


SYSTEM = Clock()


def shifted(clock: Clock, seconds: float) -> Clock:
    """The same clock, its time of day told as by one that is so many seconds ahead."""
    return replace(clock, wall=lambda: clock.wall() + seconds)


def persist(
    attempt: Callable[[], Found],
    passing: type[Exception] | tuple[type[Exception], ...],
    seconds: float,
    clock: Clock = SYSTEM,
    pause: float = 0.5,
) -> Found:
    """Try again for so many seconds while it fails for what passes by itself; then raise that."""
    deadline = clock.now() + seconds
    while True:
        try:
            return attempt()
        except passing:
            if clock.now() >= deadline:
                raise
        clock.sleep(pause)


def await_condition(probe: Callable[[], Found], seconds: float, clock: Clock = SYSTEM, pause: float = 0.5) -> Found:
    """Ask until the answer is true or the time is over; the last answer, so a false one means "too late"."""
    deadline = clock.now() + seconds
    while True:
        answer = probe()
        if answer or clock.now() >= deadline:
            return answer
        clock.sleep(pause)
