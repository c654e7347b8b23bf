# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service's name means to its neighbours, on every node: one address that all replicas stand behind, or those of the tasks."""

from __future__ import annotations

from swarm import REPLICAS, Swarm, Task

ASK_ALL = f"for number in $(seq {2 * REPLICAS}); do curl --fail --silent --max-time 10 http://web/; echo; done"


def looked_up(swarm: Swarm, task: Task, name: str) -> set[str]:
    return set(swarm.inside(task, "dig", "+short", name).split())


def test_a_name_with_an_address_of_its_own(swarm: Swarm) -> None:
    address, replicas = swarm.service_address("web", "default"), swarm.running("web")
    assert len(replicas) == REPLICAS
    own = frozenset[str]().union(*(task.addresses for task in replicas.values()))
    for client in swarm.running("direct").values():
        assert looked_up(swarm, client, "web") == {address}
        addresses = looked_up(swarm, client, "tasks.web")
        assert len(addresses) == REPLICAS
        assert addresses <= own
        # behind the one address, each replica has its turn
        assert set(swarm.inside(client, "sh", "-c", ASK_ALL).split()) == set(replicas)


def test_a_name_without(swarm: Swarm) -> None:
    tasks = swarm.running("direct").values()
    own = frozenset[str]().union(*(task.addresses for task in tasks))
    assert len(own) == len(tasks) == 3
    for client in tasks:
        assert looked_up(swarm, client, "direct") == looked_up(swarm, client, "tasks.direct") == own
