# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done while requests come in, one row each. The scenario plays those that are ``short``, `make bench` all of them.

A row starts from whatever the one before left, which is three healthy replicas and all nodes active, and leaves the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from load_home import EXPOSED, HOST, WORKER, Home
from tally import Tally

Act = Callable[[Home], None]


def nothing(_home: Home) -> None:
    """Where a row needs none of it."""


@dataclass(frozen=True)
class Row:
    """``act`` is under way while requests come in; ``before`` and ``after`` are not. ``host`` is asked."""

    name: str
    act: Act
    before: Act = nothing
    after: Act = nothing
    host: str = HOST
    short: bool = False

    def play(self, home: Home) -> Tally:
        self.before(home)
        try:
            return home.under_load(lambda: self.act(home), self.host)
        finally:
            self.after(home)


def update(home: Home) -> None:
    home.apply(load_version=home.next_version())


def failing_update(home: Home) -> None:
    home.apply_in_vain(load_version=home.next_version(), load_behave="sick")


def rotation(home: Home) -> None:
    home.apply(load_token=f"token {home.next_version()}")


def scale(home: Home) -> None:
    for replicas in (6, 2, 3):
        home.apply(load_replicas=replicas)


def something_on_the_worker(home: Home) -> None:
    """Swarm gives a new task to the node that has least, but moves none that runs."""
    if WORKER not in home.running():
        update(home)
    home.wait(f"a task on {WORKER}", lambda: WORKER in home.running())


def drain(home: Home) -> None:
    for availability in ("drain", "active"):
        home.module(home.managers[0], "homecloud.swarm.node", hostname=WORKER, availability=availability)


def ingress_change(home: Home) -> None:
    """Every ingress node loads another configuration, twice."""
    home.apply(load_expose=[EXPOSED, {**EXPOSED, "host": "more.home.arpa"}])
    home.apply(load_expose=[EXPOSED])


def leader_change(home: Home) -> None:
    """The leader is made a worker, so another one is elected; then it is a manager again."""
    old = home.leader()
    other = next(name for name in home.managers if name != old)
    for role in ("worker", "manager"):
        home.module(other, "homecloud.swarm.node", hostname=old, role=role)


#: No request may fail. A new row is one function and one line.
ROWS = (
    Row("rolling update", update, short=True),
    Row("rolling update that fails and goes back", failing_update, short=True),
    Row("rotation of a secret", rotation, short=True),
    Row("3 replicas, 6, 2, 3 again", scale),
    Row("a node without ingress is drained, and back", drain, before=something_on_the_worker, short=True),
    Row("two changes of the ingress", ingress_change),
    Row("another leader", leader_change, short=True),
)
