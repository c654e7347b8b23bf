# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether nodes reach each other's ports: a listener that answers with its clock and dies by itself, and a prober.

A port that is in use already is left to whoever uses it: TCP is tried all the same, UDP cannot be told from outside.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ._errors import SwarmError

FAMILY = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
#: Begins every answer, so that another program's is not taken for ours.
GREETING = b"homecloud.swarm "
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
#: The one listener of a machine can be spoken to here (abstract: no file); a word on it ends the listener.
CONTROL = "\0homecloud.swarm.port_probe"
#: A datagram may get lost; each attempt waits this long.
UDP_ATTEMPTS = 3
PATIENCE = 2.0

Now = Callable[[], float]


@dataclass(frozen=True)
class Port:
    """A port as people write it: 7946/udp."""

    number: int
    protocol: str

    @classmethod
    def of(cls, text: str) -> Port:
        """From its text; the protocol must be tcp or udp."""
        number, _slash, protocol = text.partition("/")
        if protocol not in KINDS or not number.isdigit() or int(number) > 65535:
            raise SwarmError(f"{text}: not a port; write the number and the protocol, as in 7946/udp.")
        return cls(int(number), protocol)

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


@dataclass(frozen=True)
class Answer:
    """What came back from one port: reachable None means that it cannot be told, clock is the peer's difference in seconds."""

    peer: str
    port: str
    reachable: bool | None
    in_use: bool
    clock: float | None = None


def port_probe(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the module of this name does, by its state."""
    if options["state"] == "listened":
        return listen([Port.of(text) for text in options["ports"]], options["lifetime"], options["callers"])
    if options["state"] == "probed":
        return {"answers": probe(options["peers"])}
    stop_listening()
    return {}


def listen(ports: Sequence[Port], seconds: float, callers: int | None = None) -> dict[str, Any]:
    """Leave a listener behind on the free ones of these ports. ``clock_port`` is one more, which is always free.

    A prober asks for the clock last: when as many as ``callers`` have, nobody needs the listener any more.
    """
    stop_listening()
    sockets, taken = _bound(ports)
    clock = _bind(Port(0, "tcp"))
    control = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    control.bind(CONTROL)
    child = os.fork()
    if child == 0:
        try:
            _become_daemon()
            _serve([*sockets, clock], control, time.monotonic() + seconds, callers)
        finally:
            os._exit(0)  # never back into the module
    os.waitpid(child, 0)
    clock_port = clock.getsockname()[1]
    for one in (*sockets, clock, control):
        one.close()
    return {
        "listening": [str(port) for port in ports if port not in taken],
        "in_use": [str(port) for port in taken],
        "clock_port": clock_port,
    }


def stop_listening() -> None:
    """End the listener of this machine, if there is one, and wait until its ports are free."""
    for _attempt in range(50):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as word:
            try:
                word.connect(CONTROL)
                word.send(b"end")
            except OSError:
                return
        time.sleep(0.02)


def probe(peers: Iterable[Mapping[str, Any]], now: Now = time.time) -> list[dict[str, Any]]:
    """Try every port of every peer: name, address, ports, in_use (those its listener could not have), clock_port."""
    return [asdict(answer) for peer in peers for answer in _probe_peer(peer, now)]


def _probe_peer(peer: Mapping[str, Any], now: Now) -> Iterator[Answer]:
    in_use = set(peer.get("in_use") or ())
    for text in peer["ports"]:
        port = Port.of(text)
        if text in in_use and port.protocol == "udp":
            yield Answer(peer["name"], text, None, True)
            continue
        reachable, clock = _ask(peer["address"], port, None if text in in_use else now)
        yield Answer(peer["name"], text, reachable, text in in_use, clock)
    if peer.get("clock_port"):
        reachable, clock = _ask(peer["address"], Port(peer["clock_port"], "tcp"), now)
        yield Answer(peer["name"], "clock", reachable, False, clock)


def _ask(address: str, port: Port, now: Now | None) -> tuple[bool, float | None]:
    """Whether the port answers, and the difference of the clocks; without ``now`` nobody there would tell the time."""
    for _attempt in range(UDP_ATTEMPTS if port.protocol == "udp" else 1):
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, KINDS[port.protocol]) as peer:
            peer.settimeout(PATIENCE)
            try:
                peer.connect((address, port.number))
            except OSError:
                continue
            clock = _difference(peer, now) if now else None
            if clock is not None or port.protocol == "tcp":
                return True, clock
    return False, None


def _difference(peer: socket.socket, now: Now) -> float | None:
    """The peer's clock less ours, half of the way taken into account; None if it is not our listener that answers."""
    asked = now()
    try:
        if peer.type == socket.SOCK_DGRAM:
            peer.send(GREETING)
        answer = peer.recv(100)
    except OSError:
        return None
    if not answer.startswith(GREETING):
        return None
    return round(float(answer[len(GREETING) :]) - (asked + now()) / 2, 3)


def _bound(ports: Sequence[Port]) -> tuple[list[socket.socket], list[Port]]:
    sockets, taken = [], []
    for port in ports:
        try:
            sockets.append(_bind(port))
        except OSError:
            taken.append(port)
    return sockets, taken


def _bind(port: Port) -> socket.socket:
    # of both families where the kernel has both
    bound = socket.socket(FAMILY, KINDS[port.protocol])
    try:
        if port.protocol == "tcp":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if FAMILY == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind(("", port.number))
        if port.protocol == "tcp":
            bound.listen()
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound


def _become_daemon() -> None:
    """Let go of the session, or Ansible would wait for this process to end."""
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)


def _serve(sockets: Sequence[socket.socket], control: socket.socket, deadline: float, callers: int | None) -> None:
    *_ports, clock = sockets
    asked = 0
    with selectors.DefaultSelector() as waiting:
        for one in (*sockets, control):
            waiting.register(one, selectors.EVENT_READ)
        while time.monotonic() < deadline and asked != callers:
            ready: list[Any] = [key.fileobj for key, _events in waiting.select(deadline - time.monotonic())]
            if control in ready:
                return
            asked += clock in ready
            for one in ready:
                _answer(one)


def _answer(ready: Any) -> None:
    try:
        if ready.type == socket.SOCK_DGRAM:
            _word, sender = ready.recvfrom(100)
            ready.sendto(_clock(), sender)
            return
        caller, _address = ready.accept()
        with caller:
            caller.settimeout(PATIENCE)
            caller.send(_clock())
    except OSError:
        return  # the caller has gone


def _clock() -> bytes:
    return GREETING + f"{time.time():.6f}".encode()
