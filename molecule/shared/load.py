# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests at a constant rate, from this machine through the published port of every ingress node, over TLS that is checked.

Outside of the lab on purpose: no node that is updated, drained or killed takes the one who asks with it. A request is sent at its
time whatever became of those before, and is never sent again.
"""

from __future__ import annotations

import asyncio
import resource
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tally import Answer, Tally

#: Longer than the ingress itself goes on trying.
PATIENCE_S = 20
BODY = b"something to keep"
#: Every so many requests on each way is one that must not be repeated by anybody in between.
POST_EVERY = 4
#: Every so many requests one that the app takes a second for: some are always under way, whatever happens. The number goes with no
#: other one here, so that these requests take all ways.
SLOW_EVERY, SLOW_S = 17, 1.0

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Door:
    """An ingress node's port on this machine."""

    node: str
    port: int


@dataclass(frozen=True)
class Asked:
    """What is asked, and how."""

    method: str
    kept: bool
    seconds: float = 0.0


class NoAnswer(Exception):
    """What came instead of an answer."""


@dataclass
class Load:
    """``doors`` take turns; half of the requests are sent on connections that are kept."""

    doors: Sequence[Door]
    host: str
    ca: Path
    rate: float
    _kept: dict[Door, list[Connection]] = field(default_factory=dict)

    def during(self, action: Callable[[], None], requests: int, tail: float = 3) -> Tally:
        """Ask while the action is under way and some seconds more, and at least so often."""
        _least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        return asyncio.run(self._during(action, requests, tail))

    def answered(self, seconds: float = 60) -> None:
        """Wait until each door has led to the app."""
        asyncio.run(self._answered(time.monotonic() + seconds))

    async def _answered(self, deadline: float) -> None:
        self._trust = ssl.create_default_context(cafile=str(self.ca))
        for door in self.doors:
            while not (seen := await self._ask(door, Asked("GET", kept=False), 0.0)).good:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"https://{self.host} does not answer: {seen}")
                await asyncio.sleep(0.2)

    async def _during(self, action: Callable[[], None], requests: int, tail: float) -> Tally:
        self._trust = ssl.create_default_context(cafile=str(self.ca))
        self._kept = {door: [] for door in self.doors}
        began, number, asked = time.monotonic(), 0, set[asyncio.Task[Answer]]()
        acting = asyncio.create_task(asyncio.to_thread(action))
        enough = [float("inf")]
        acting.add_done_callback(lambda _done: enough.append(time.monotonic() + tail))
        while number < requests or time.monotonic() < min(enough):
            if acting.done() and acting.exception():
                break
            await asyncio.sleep(max(0.0, began + number / self.rate - time.monotonic()))
            asked.add(asyncio.create_task(self._turn(number, began)))
            number += 1
        answers = await asyncio.gather(*asked)
        for _reader, writer in (connection for kept in self._kept.values() for connection in kept):
            writer.transport.abort()
        # an action that failed is more to the point than what the load has seen of it
        await acting
        return Tally(tuple(sorted(answers, key=lambda answer: answer.began)))

    async def _turn(self, number: int, began: float) -> Answer:
        rounds, turn = divmod(number, len(self.doors))
        method = "POST" if rounds // 2 % POST_EVERY == 0 else "GET"
        asked = Asked(method, rounds % 2 == 0, 0.0 if number % SLOW_EVERY else SLOW_S)
        return await self._ask(self.doors[turn], asked, began)

    async def _ask(self, door: Door, asked: Asked, began: float) -> Answer:
        sent = time.monotonic()
        status, headers, problem = 0, dict[str, str](), ""
        try:
            status, headers = await asyncio.wait_for(self._exchange(door, asked), PATIENCE_S)
        except asyncio.TimeoutError:
            problem = f"no answer in {PATIENCE_S} s"
        except (OSError, NoAnswer, asyncio.IncompleteReadError) as error:
            problem = repr(error)
        version, secret = headers.get("x-version", ""), headers.get("x-secret", "")
        taken, reached = time.monotonic() - sent, float(headers.get("x-reached", "0"))
        return Answer(sent - began, taken, door.node, asked.method, asked.kept, status, problem, version, secret, asked.seconds, reached)

    async def _exchange(self, door: Door, asked: Asked) -> tuple[int, dict[str, str]]:
        reader, writer = (self._waiting(door) if asked.kept else None) or await asyncio.open_connection(
            "127.0.0.1", door.port, ssl=self._trust, server_hostname=self.host
        )
        try:
            body = BODY if asked.method == "POST" else b""
            lines = [f"{asked.method} /?seconds={asked.seconds} HTTP/1.1", f"Host: {self.host}", f"Content-Length: {len(body)}"]
            lines += [] if asked.kept else ["Connection: close"]
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            status, headers = head(await reader.readuntil(b"\r\n\r\n"))
            await reader.readexactly(int(headers.get("content-length", 0)))
        except BaseException:
            writer.transport.abort()
            raise
        if asked.kept and headers.get("connection") != "close":
            self._kept[door].append((reader, writer))
        else:
            writer.transport.abort()
        return status, headers

    def _waiting(self, door: Door) -> Connection | None:
        """A kept connection that the other side has not ended."""
        waiting = self._kept[door]
        while waiting:
            reader, writer = waiting.pop()
            if not (reader.at_eof() or writer.is_closing()):
                return reader, writer
            writer.transport.abort()
        return None


def head(text: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer."""
    first, *rest = text.decode("latin-1").rstrip("\r\n").split("\r\n")
    version, _space, status = first.partition(" ")
    if not version.startswith("HTTP/1.") or not status[:3].isdigit():
        raise NoAnswer(f"this is no answer: {first!r}")
    pairs = (text.partition(":")[::2] for text in rest)
    return int(status[:3]), {name.strip().lower(): value.strip() for name, value in pairs}
