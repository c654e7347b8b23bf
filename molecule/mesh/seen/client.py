# SPDX-License-Identifier: GPL-3.0-or-later
"""A client outside of the swarm that asks the published port of every node, and keeps who answered when."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import yaml
from outside import INVENTORY

CLIENTS = 6
#: Long enough for a slow guest; a lost packet is sent again after one second and after three.
TIMEOUT_S = 5
#: A stream of requests that nobody stops ends here.
MOST = 6000
#: Seconds between two requests of a client: a fast machine would have asked its last before anything has happened.
PAUSE_S = 0.2


@dataclass(frozen=True)
class Answer:
    """``task`` is empty where none came."""

    at: float
    door: str
    task: str


@dataclass(frozen=True)
class Door:
    """The published port of a node, as this machine reaches it."""

    node: str
    port: int

    def ask(self) -> Answer:
        # a connection of its own each time: connections are what the mesh shares out
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        task = ""
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/")
            task = connection.getresponse().read().decode()
        return Answer(time.monotonic(), self.node, task)


def doors(*nodes: str) -> list[Door]:
    """Of these nodes, or of all."""
    groups = yaml.safe_load(INVENTORY.read_text())["all"]["children"]
    ports = {name: host["lab_http_port"] for group in groups.values() for name, host in group["hosts"].items()}
    return [Door(node, ports[node]) for node in nodes or ports]


def ask(asked: Sequence[Door], times: int) -> list[Answer]:
    """So many answers from each."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda door: door.ask(), [door for _time in range(times) for door in asked]))


def lost(answers: Sequence[Answer]) -> int:
    return sum(not answer.task for answer in answers)


def shares(answers: Sequence[Answer]) -> Counter[str]:
    """Task -> how often it answered."""
    return Counter(answer.task for answer in answers if answer.task)


def longest_silence(answers: Sequence[Answer], door: str) -> float:
    """Seconds between two answers through this door, at most."""
    moments = sorted(answer.at for answer in answers if answer.door == door and answer.task)
    return max((later - earlier for earlier, later in itertools.pairwise(moments)), default=float("inf"))


@dataclass
class Stream:
    """Requests to all doors in turn for as long as it is open."""

    asked: Sequence[Door]
    answers: list[Answer] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def flowing(self) -> Iterator[list[Answer]]:
        threads = [threading.Thread(target=self._flow, args=(number,), daemon=True) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield self.answers
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join()

    def _flow(self, number: int) -> None:
        for turn in range(number, number + MOST // CLIENTS):
            if self._stopped.wait(PAUSE_S):
                return
            self.answers.append(self.asked[turn % len(self.asked)].ask())
