# SPDX-License-Identifier: GPL-3.0-or-later
"""What the swarm says of the scenario's stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from access import Node
from driver import Driver

STACK = "mesh"
REPLICAS = 6


@dataclass(frozen=True)
class Task:
    id: str
    node: str
    container: str
    addresses: frozenset[str]


@dataclass(frozen=True)
class Swarm:
    driver: Driver

    def running(self, key: str) -> dict[str, Task]:
        """The tasks of a service that run and shall run, by id."""
        names = {node["ID"]: node["Description"]["Hostname"] for node in self.driver.engine.get("/nodes")}
        found = self.driver.engine.get("/tasks", filters={"service": [f"{STACK}_{key}"], "desired-state": ["running"]})
        return {task["ID"]: _task(task, names[task["NodeID"]]) for task in found if task["Status"]["State"] == "running"}

    def service_address(self, key: str, network: str) -> str:
        """The one that stands for all tasks."""
        number = next(one["Id"] for one in self.driver.engine.get("/networks") if one["Name"] == f"{STACK}_{network}")
        virtual = self.driver.service(STACK, key)["Endpoint"]["VirtualIPs"]
        return next(str(one["Addr"]).partition("/")[0] for one in virtual if one["NetworkID"] == number)

    def node_states(self) -> dict[str, str]:
        return {node["Description"]["Hostname"]: node["Status"]["State"] for node in self.driver.engine.get("/nodes")}

    def inside(self, task: Task, *command: str) -> str:
        """What a command says in the task's container."""
        return Node(task.node, self.driver.node.folder).check("docker", "exec", task.container, *command)


def _task(task: dict[str, Any], node: str) -> Task:
    attached = [address for one in task.get("NetworksAttachments") or () for address in one.get("Addresses") or ()]
    return Task(task["ID"], node, task["Status"]["ContainerStatus"]["ContainerID"], frozenset(one.partition("/")[0] for one in attached))
