# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done while requests come in, one row each. The scenario plays those that are ``short``, `make bench` all of them.

A row starts from whatever the one before left, which is three healthy replicas and all nodes active, and leaves the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from load_home import EXPOSED, HOST, NO_VERSION, WORKER, Home
from tally import Tally

Act = Callable[[Home], None]
#: Of the app that is released blue-green.
TWIN_HOST = "twin.home.arpa"


def nothing(_home: Home) -> None:
    """Where a row needs none of it."""


@dataclass(frozen=True)
class Row:
    """``act`` is under way while requests come in; ``before`` is not. ``host`` is asked."""

    name: str
    act: Act
    before: Act = nothing
    host: str = HOST
    short: bool = False
    #: requests move at once, from one version to the next
    switches: bool = False
    #: the version that it tries answers with errors, which are its own
    bad: bool = False

    def play(self, home: Home) -> Tally:
        self.before(home)
        return home.under_load(lambda: self.act(home), self.host)


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


def twin(home: Home, behave: str = "well", version: str = "", **release: Any) -> dict[str, Any]:
    """The same app once more, released blue-green; in its next version, or in the one that is named."""
    env = {"IMAGE": "{{ lab_registry }}/target:2", "VERSION": version or home.next_version(), "BEHAVE": behave, "ON_TERM": "drain"}
    return {
        "name": "twin",
        "compose": ["{{ playbook_dir }}/stack.yml"],
        "env": {**env, "REPLICAS": 2, "UNCHECKED": "false"},
        "secrets": {"token": "twin"},
        "strategy": "blue_green",
        "release": {"bake_time": 5, "checks": [{"path": "/health", "times": 3}], **release},
        "expose": [{"service": "web", "port": 8000, "host": TWIN_HOST}],
    }


def a_twin(home: Home) -> None:
    """The one that runs will do, if one does: nothing is released for the sake of it."""
    found = home.version_at(TWIN_HOST)
    home.apply(load_more=[twin(home, version="" if found == NO_VERSION else found)])


def no_twin(home: Home) -> None:
    home.apply(load_more=[{"name": "twin", "state": "absent"}])
    home.now.pop("load_more")


def release(home: Home) -> None:
    home.apply(load_more=[twin(home)])


def canary(home: Home) -> None:
    home.apply(load_more=[twin(home, weights=[10, 50, 100])])


def abort(home: Home) -> None:
    """It is well in its checks, gets all requests, and answers with errors: the watch finds out."""
    home.apply_in_vain(load_more=[twin(home, behave="errors", bake_time=60)])


def bad_release(home: Home) -> None:
    """Its health check is well and its answers are errors: the preview finds out, and nobody else."""
    home.apply_in_vain(load_more=[twin(home, behave="errors", checks=[{"path": "/"}])])


#: No request may fail. A new row is one function and one line.
ROWS = (
    Row("rolling update", update),
    Row("rolling update that fails and goes back", failing_update, short=True),
    Row("rotation of a secret", rotation),
    Row("3 replicas, 6, 2, 3 again", scale),
    Row("a node without ingress is drained, and back", drain, before=something_on_the_worker),
    Row("two changes of the ingress", ingress_change),
    Row("another leader", leader_change),
    Row("a blue-green release", release, before=a_twin, host=TWIN_HOST, switches=True),
    Row("a blue-green release in three steps", canary, host=TWIN_HOST),
    Row("a blue-green release that its preview stops", bad_release, host=TWIN_HOST),
    Row("a blue-green release that its watch takes back", abort, before=a_twin, host=TWIN_HOST, short=True, switches=True, bad=True),
)
