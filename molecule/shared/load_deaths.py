# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that die while requests come in: what is lost is counted, as some has to be.

A process that is killed still says so to those who are connected with it; a machine without power or network says nothing. The
second is harder, so it has a row of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from load_home import WORKER, Home
from tally import Tally


@dataclass(frozen=True)
class Death:
    """What was lost through the ingress nodes that live, and through the one that died, if it was one."""

    others: Tally
    dead: Tally


def die(home: Home, node: str, fault: str, undo: str) -> Death:
    """Let it happen to the node; the load goes on until Swarm has as many replicas as before elsewhere. Then the node comes back."""
    # Swarm gives new replicas to the nodes that have least, so that now each has some
    home.apply(load_replicas=6)
    ask = next(name for name in home.managers if name != node)
    before = len(home.running(ask=ask))

    def replaced() -> bool:
        places = home.running(ask=ask)
        return node not in places and len(places) == before

    def act() -> None:
        home.fault(fault, node)
        home.wait("the replicas of the dead node elsewhere", replaced)

    try:
        tally = home.under_load(act)
    finally:
        home.fault(undo, node)
        home.wait(f"{node} is back", lambda: home.ready(node, ask))
        home.apply(load_replicas=3)
    return Death(tally.through(*(name for name in home.managers if name != node)), tally.through(node))


def worker_killed(home: Home) -> Death:
    return die(home, WORKER, "kill", "start")


def worker_cut_off(home: Home) -> Death:
    return die(home, WORKER, "cut", "heal")


def leader_killed(home: Home) -> Death:
    """An ingress node that has replicas and leads the managers."""
    return die(home, home.leader(), "kill", "start")


DEATHS = {
    "a node with replicas is killed": worker_killed,
    "a node with replicas is cut off": worker_cut_off,
    "the leader, which takes requests, is killed": leader_killed,
}
