from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils import _ports
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import SwarmError
from ansible_collections.homecloud.swarm.plugins.module_utils._ports import Port, listen, probe, stop_listening


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(_ports, "PATIENCE", 0.3)
    # a name of its own: a listener of this machine's real user is left alone
    monkeypatch.setattr(_ports, "CONTROL", f"\0homecloud.swarm.test.{time.time_ns()}")
    yield
    stop_listening()


def free_port(protocol: str) -> int:
    with socket.socket(socket.AF_INET, _ports.KINDS[protocol]) as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        return int(probe_socket.getsockname()[1])


def answers(**peer: Any) -> dict[str, dict[str, Any]]:
    return {answer["port"]: answer for answer in probe([{"name": "peer", "address": "127.0.0.1", **peer}])}


def test_free_ports_answer_with_the_clock() -> None:
    tcp, udp = f"{free_port('tcp')}/tcp", f"{free_port('udp')}/udp"
    listener = listen([Port.of(tcp), Port.of(udp)], 30)
    assert (listener["listening"], listener["in_use"]) == ([tcp, udp], [])
    found = answers(ports=[tcp, udp], clock_port=listener["clock_port"])
    assert list(found) == [tcp, udp, "clock"]
    assert all(answer["reachable"] and abs(answer["clock"]) < 1 for answer in found.values())


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_ports_answer_over_ipv6_too() -> None:
    tcp, udp = f"{free_port('tcp')}/tcp", f"{free_port('udp')}/udp"
    listen([Port.of(tcp), Port.of(udp)], 30)
    found = answers(address="::1", ports=[tcp, udp])
    assert [found[port]["reachable"] for port in (tcp, udp)] == [True, True]


def test_clock_that_goes_wrong_is_told() -> None:
    listener = listen([], 30)
    peer = {"name": "peer", "address": "127.0.0.1", "ports": [], "clock_port": listener["clock_port"]}
    (answer,) = probe([peer], now=lambda: time.time() - 100)
    assert 99 < answer["clock"] < 101


def test_ports_of_others_are_left_alone() -> None:
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(("127.0.0.1", 0))
        ports = [f"{tcp.getsockname()[1]}/tcp", f"{udp.getsockname()[1]}/udp"]
        listener = listen([Port.of(port) for port in ports], 30)
        assert (listener["listening"], listener["in_use"]) == ([], ports)
        found = answers(ports=ports, in_use=ports)
    assert [found[port]["reachable"] for port in ports] == [True, None]
    assert all(answer["clock"] is None for answer in found.values())


def test_closed_ports() -> None:
    ports = [f"{free_port('tcp')}/tcp", f"{free_port('udp')}/udp"]
    assert [answer["reachable"] for answer in answers(ports=ports).values()] == [False, False]


def test_listener_ends_when_told_and_is_replaced_by_the_next() -> None:
    port = f"{free_port('tcp')}/tcp"
    for _run in range(2):
        assert listen([Port.of(port)], 30)["listening"] == [port]
    stop_listening()
    assert answers(ports=[port])[port]["reachable"] is False


def test_listener_ends_by_itself() -> None:
    port = f"{free_port('tcp')}/tcp"
    listen([Port.of(port)], 0.2)
    deadline = time.monotonic() + 5
    while answers(ports=[port])[port]["reachable"]:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("callers", [0, 1, 2])
def test_listener_ends_when_all_have_called(callers: int) -> None:
    listener = listen([], 30, callers)
    clock = {"ports": [], "clock_port": listener["clock_port"]}
    assert [answers(**clock)["clock"]["reachable"] for _caller in range(callers)] == [True] * callers
    deadline = time.monotonic() + 5
    while answers(**clock)["clock"]["reachable"]:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("text", ["7946", "7946/sctp", "x/tcp", "70000/tcp"])
def test_what_is_no_port(text: str) -> None:
    with pytest.raises(SwarmError, match="not a port"):
        Port.of(text)
