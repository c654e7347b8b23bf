# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that stay: connections that outlive a change of the ingress and a release, cookies, and the client's address."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import outside
import pytest
from load import Door
from load_home import HOST, Home
from load_rows import TWIN_HOST, twin
from tally import failures
from visitor import Answer, Conversation, Visitor

#: Longer than two changes of the ingress take.
LONG_S = 20.0
#: How many clients with cookies ask, again and again.
CLIENTS = 12
#: So long the version before goes on after it got its last new request.
DELAY_S = 6


@pytest.fixture(scope="module")
def home() -> Home:
    """The app that it leaves is the next one's to release."""
    return Home(outside.INVENTORY, 40.0, 1, version=200)


def visitor(host: str) -> Visitor:
    return Visitor(host, outside.CA)


def sticky(home: Home, **release: Any) -> dict[str, Any]:
    app = twin(home, **release)
    return {**app, "expose": [{**app["expose"][0], "sticky": True}]}


@contextmanager
def conversations(doors: list[Door], host: str) -> Iterator[list[Conversation]]:
    opened = [visitor(host).converse(door) for door in doors]
    try:
        yield opened
    finally:
        for one in opened:
            one.end()


def test_what_is_open_outlives_a_change_of_the_ingress(home: Home) -> None:
    """Every ingress node loads a configuration with another host while a WebSocket is open through it, and a long answer under way."""
    with ThreadPoolExecutor(len(home.doors)) as pool, conversations(home.doors, HOST) as opened:
        long = [pool.submit(lines, door) for door in home.doors]
        home.apply(load_more=[sticky(home)])
        assert visitor(TWIN_HOST).ask(home.doors[0]).version == str(home.version)
        assert [one.say("still there") for one in opened] == [f"{one.version} still there" for one in opened]
        assert [told.result() for told in long] == [list(range(int(LONG_S * 4)))] * len(home.doors)


def lines(door: Door) -> list[int]:
    return visitor(HOST).lines(door, LONG_S)


def test_the_app_is_told_who_asks(home: Home) -> None:
    """Through one proxy (a plain host) and through two (one that is released blue-green); what a client claims is not believed."""
    for host in (HOST, TWIN_HOST):
        for door in home.doors:
            seen = visitor(host).ask(door, **{"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http"})
            assert (seen.client, seen.scheme) == (gateway(door), "https"), (host, door)


def gateway(door: Door) -> str:
    """This machine's address as the node sees it."""
    container = next(node.container for node in outside.nodes() if node.name == door.node)
    template = "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}"
    return subprocess.run(["docker", "inspect", "--format", template, container], capture_output=True, text=True, check=True).stdout.strip()


def test_a_client_stays_with_its_replica(home: Home) -> None:
    """Whichever ingress node it asks; others get the other replica."""
    replicas = set()
    for _number in range(CLIENTS):
        client = visitor(TWIN_HOST)
        (replica,) = {client.ask(door).replica for door in home.doors}
        replicas.add(replica)
    assert len(replicas) > 1


def test_clients_stay_while_requests_move(home: Home) -> None:
    """A release in two steps under load: none fails, clients with cookies move once, and what is open stays where it is."""
    clients = [visitor(TWIN_HOST) for _number in range(CLIENTS)]
    seen: list[list[Answer]] = [[] for _client in clients]
    old, over = str(home.version), threading.Event()
    # what the open WebSockets said once all clients had moved
    said: set[str] = set()

    def keep_asking() -> None:
        while not over.wait(0.2):
            for number, (client, answers) in enumerate(zip(clients, seen, strict=True)):
                # nodes hear of a share one a moment after the other, so a client that asks several might go back for that long
                answers.append(client.ask(home.doors[number % len(home.doors)]))
            if not said and old not in {answers[-1].version for answers in seen}:
                said.update(one.say("still there") for one in opened)

    with conversations(home.doors, TWIN_HOST) as opened, ThreadPoolExecutor(1) as pool:
        asking = pool.submit(keep_asking)
        try:
            tally = home.under_load(lambda: home.apply(load_more=[sticky(home, weights=[50, 100], scale_down_delay=DELAY_S)]), TWIN_HOST)
        finally:
            over.set()
        asking.result()
        assert said == {f"{old} still there"}
        # the version before has ended at last, and with it what was open there
        assert {one.say("gone") for one in opened} == {""}
    assert list(failures(tally)) == []
    assert {answer.status for answers in seen for answer in answers} == {200}
    for answers in seen:
        versions = [answer.version for answer in answers]
        assert versions == sorted(versions, key=lambda version: version != old)
        for version in (old, str(home.version)):
            assert len({answer.replica for answer in answers if answer.version == version}) == 1
    # some had moved before the others
    assert len({next(number for number, answer in enumerate(answers) if answer.version != old) for answers in seen}) > 1
