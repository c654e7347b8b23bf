# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service's name means to its neighbours, on every node: one address that all replicas stand behind, or those of the tasks."""

from __future__ import annotations

import pytest
from swarm import REPLICAS, Swarm, Task

NAMES = ("web", "tasks.web", "direct", "tasks.direct")
#: All in one, as a command in a container takes seconds to start on a guest.
LOOK = f"""
for name in {" ".join(NAMES)}; do echo $name $(dig +short $name); done
echo answers $(for number in $(seq {2 * REPLICAS}); do curl --fail --silent --max-time 10 http://web/; echo; done)
"""

Seen = dict[str, set[str]]


@pytest.fixture(scope="module")
def seen(swarm: Swarm) -> list[Seen]:
    """From each node: name -> addresses, and the tasks that answered at the service's one."""
    return [look(swarm, client) for client in swarm.running("direct").values()]


def look(swarm: Swarm, client: Task) -> Seen:
    lines = [line.split() for line in swarm.inside(client, "sh", "-c", LOOK).splitlines()]
    return {name: set(words) for name, *words in lines}


def addresses(swarm: Swarm, key: str) -> set[str]:
    return {address for task in swarm.running(key).values() for address in task.addresses}


def test_a_name_with_an_address_of_its_own(swarm: Swarm, seen: list[Seen]) -> None:
    assert len(seen) == 3
    for answers in seen:
        assert answers["web"] == {swarm.service_address("web", "default")}
        assert len(answers["tasks.web"]) == REPLICAS
        assert answers["tasks.web"] <= addresses(swarm, "web")
        # behind the one address, each replica has its turn
        assert answers["answers"] == set(swarm.running("web"))


def test_a_name_without(swarm: Swarm, seen: list[Seen]) -> None:
    own = addresses(swarm, "direct")
    assert len(own) == 3
    for answers in seen:
        assert answers["direct"] == answers["tasks.direct"] == own
