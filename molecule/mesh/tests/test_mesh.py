# SPDX-License-Identifier: GPL-3.0-or-later
"""A published port answers on every node, in even shares; without a replica that is ill; and without a node that is down."""

from __future__ import annotations

import os
import time

from client import Stream, ask, doors, longest_silence, lost, shares
from driver import eventually
from outside import Node
from swarm import REPLICAS, STACK, Swarm

#: Guests are slow at it.
REQUESTS = 3000 if os.environ.get("TEST_FULL") else 900
UNEVEN = 1.3
VICTIM = "worker2"
#: Guests are slow; so long may a swarm take for what it does in a few seconds elsewhere.
PATIENCE_S = 180
#: A node that died is noticed after three heartbeats of five seconds; until then its replicas get their turn in vain.
SILENCE_S = 30


def test_even_shares(swarm: Swarm) -> None:
    nodes = doors()
    began = time.monotonic()
    answers = ask(nodes, REQUESTS // len(nodes))
    took = time.monotonic() - began
    print(f"{len(answers)} requests in {took:.0f} s, {lost(answers)} lost, shares {sorted(shares(answers).values())}")
    assert lost(answers) == 0
    for door in (*(node.node for node in nodes), None):
        counted = shares([answer for answer in answers if door in (None, answer.door)])
        even = counted.total() / REPLICAS
        assert set(counted) == set(swarm.running("web")), door
        assert max(counted.values()) <= even * UNEVEN, door
        assert min(counted.values()) >= even / UNEVEN, door


def own_time(swarm: Swarm) -> float:
    """How long a health check may take to find out: as many tries as it has, each after a pause and until it is given up."""
    check = swarm.driver.specs(STACK)["web"]["TaskTemplate"]["ContainerSpec"]["Healthcheck"]
    return float(check["Retries"] * (check["Interval"] + check["Timeout"]) / 1e9)


def test_a_sick_replica(swarm: Swarm) -> None:
    before = swarm.running("web")
    sick = next(task for task in before.values() if task.node == VICTIM)
    with Stream(doors()).flowing() as answers:
        eventually(lambda: sick.id in shares(answers), seconds=PATIENCE_S)
        swarm.inside(sick, "touch", "/sick")
        fell_ill = time.monotonic()
        after = eventually(lambda: swarm.running("web"), lambda now: len(now) == REPLICAS and sick.id not in now, PATIENCE_S)
        whole = time.monotonic()
        eventually(lambda: set(after) <= set(shares([one for one in list(answers) if one.at > whole])), seconds=PATIENCE_S)
    last = max(answer.at for answer in answers if answer.task == sick.id) - fell_ill
    print(f"last answer of the sick replica after {last:.1f} s of {own_time(swarm):.0f} s, {len(answers)} requests, {lost(answers)} lost")
    assert set(after) - set(before)
    assert set(after) <= set(shares([answer for answer in answers if answer.at > whole]))
    assert last <= own_time(swarm)


def test_a_node_down(swarm: Swarm) -> None:
    server = next(Node(door.node, "", 0) for door in doors() if door.node == VICTIM)
    alive = [door for door in doors() if door.node != VICTIM]
    with Stream(alive).flowing() as answers:
        server.suffer("kill")
        killed = time.monotonic()
        moved = eventually(
            lambda: swarm.running("web"),
            lambda now: len(now) == REPLICAS and VICTIM not in {task.node for task in now.values()},
            PATIENCE_S,
        )
        took = time.monotonic() - killed
    silence = {door.node: longest_silence(answers, door.node) for door in alive}
    print(f"moved after {took:.0f} s, {len(answers)} requests, {lost(answers)} lost, longest silence {silence}")
    assert VICTIM not in {task.node for task in moved.values()}
    assert max(silence.values()) <= SILENCE_S
    answers = ask(alive, 150)
    assert lost(answers) == 0
    assert set(shares(answers)) == set(moved)

    server.suffer("start")
    eventually(swarm.node_states, lambda states: states[VICTIM] == "ready", PATIENCE_S)
    back = eventually(lambda: ask(doors(VICTIM), REPLICAS), lambda answers: lost(answers) == 0, PATIENCE_S)
    assert lost(back) == 0
