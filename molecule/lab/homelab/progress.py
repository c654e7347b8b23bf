# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress as lines, so that it reads the same in a terminal and in a CI log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

HEARTBEAT = 10.0

Item = TypeVar("Item")
Result = TypeVar("Result")


def say(line: str) -> None:
    print(f"lab: {line}", flush=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say how long `what` has been running every ten seconds, and how long it took at the end."""
    started = time.monotonic()
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT):
            say(f"{what} … {time.monotonic() - started:.0f} s")

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    end = "failed after "
    try:
        yield
        end = ""
    finally:
        ended.set()
        heart.join()
        say(f"{what}: {end}{time.monotonic() - started:.1f} s")


def at_once(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> list[Result]:
    """The results of `work` on every item, in order; the first failure is raised when all have ended."""
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        return list(pool.map(work, items))
