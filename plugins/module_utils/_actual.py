# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observe: what the swarm has of a stack, in the shape of what is desired. Reads only.

The number of requests does not depend on the number of objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ._clock import SYSTEM, Clock
from ._desired import Desired
from ._engine import Engine
from ._errors import RefusedError
from ._model import NAMESPACE, REVISION, Body, Snapshot
from ._versions import SHORTENED, versions_of
from ._versions import labelled as version_labels

#: Networks that every node has; they are no objects of the swarm's store, but can be looked up by name.
PREDEFINED = ("host", "bridge", "none")


@dataclass(frozen=True)
class Actual:
    """The objects that carry the stack's label, and the ids of all that the stack may refer to, by name."""

    networks: Mapping[str, Body] = field(default_factory=dict)
    secrets: Mapping[str, Body] = field(default_factory=dict)
    configs: Mapping[str, Body] = field(default_factory=dict)
    services: Mapping[str, Body] = field(default_factory=dict)
    #: services of other stacks and of none, which may use this stack's objects
    others: tuple[Body, ...] = ()
    network_ids: Mapping[str, str] = field(default_factory=dict)
    secret_ids: Mapping[str, str] = field(default_factory=dict)
    config_ids: Mapping[str, str] = field(default_factory=dict)
    #: names of secrets and configs of others that look like versions of ours
    taken: frozenset[str] = frozenset()
    #: what earlier deploys wrote down; no part of the stack's configs
    records: tuple[Body, ...] = ()


def labelled(engine: Engine, path: str, stack: str) -> list[dict[str, Any]]:
    """All objects of one sort that belong to the stack."""
    found: list[dict[str, Any]] = engine.get(path, filters={"label": [f"{NAMESPACE}={stack}"]}) or []
    # what is removed rests on this: no engine's reading of the filter has the last word
    return [item for item in found if belongs(item, stack)]


def tasks_of(engine: Engine, stack: str, more: Mapping[str, list[str]] | None = None) -> list[Body]:
    """The stack's tasks, which do not show the label: the engine filters them by that of their service."""
    found: list[Body] = engine.get("/tasks", filters={"label": [f"{NAMESPACE}={stack}"], **(more or {})}) or []
    return found


def labels_of(item: Body) -> Mapping[str, str]:
    """The labels of an object of any sort but tasks."""
    return item.get("Spec", item).get("Labels") or {}


def belongs(item: Body, stack: str) -> bool:
    """Whether it is the stack's, by its label."""
    return labels_of(item).get(NAMESPACE) == stack


def observe(engine: Engine, stack: str, desired: Desired | None = None, strict: bool = True) -> Actual:
    """Read the stack as it is now. Raises RefusedError for external objects that do not exist, if ``strict``."""
    wanted = desired or Desired(stack)
    networks = engine.get("/networks", filters={"scope": ["swarm"]}) or []
    secrets, alike = _contents(engine, "/secrets", stack, (*wanted.secrets, *wanted.external_secrets))
    found, more = _contents(engine, "/configs", stack, (*wanted.configs, *wanted.external_configs))
    configs = {name: item for name, item in found.items() if not _is_record(item)}
    services = engine.get("/services") or []
    actual = Actual(
        networks={item["Name"]: item for item in networks if belongs(item, stack)},
        secrets=secrets,
        configs=configs,
        services={item["Spec"]["Name"]: item for item in services if belongs(item, stack)},
        others=tuple(item for item in services if not belongs(item, stack)),
        network_ids={
            **_predefined(engine, wanted, networks, [item for item in services if belongs(item, stack)]),
            **{item["Name"]: item["Id"] for item in networks},
        },
        secret_ids={name: item["ID"] for name, item in secrets.items()},
        config_ids={name: item["ID"] for name, item in configs.items()},
        taken=alike | more,
        records=tuple(item for item in found.values() if _is_record(item)),
    )
    if strict:
        _check_externals(engine, wanted, actual)
    return actual


def snapshot(engine: Engine, stack: str, clock: Clock = SYSTEM) -> Snapshot:
    """What tells how the stack's services are: three requests, however many there are."""
    # a slow engine answers seconds later: a task must not seem older than it was when it was looked at
    now = clock.wall()
    services = labelled(engine, "/services", stack)
    # the internal filter keeps tasks of earlier specs out, so that nothing is judged by what is being replaced
    tasks = tasks_of(engine, stack, {"_up-to-date": ["true"]})
    return Snapshot(services, tasks, engine.get("/nodes"), now)


def running(engine: Engine, stack: str) -> tuple[list[Body], list[Body]]:
    """The stack's tasks that shall run, of whatever spec, and the nodes."""
    # a task that waits for its turn, or for its predecessor's end, is only wanted "ready"
    return tasks_of(engine, stack, {"desired-state": ["ready", "running"]}), engine.get("/nodes")


def volumes(engine: Engine, stack: str) -> tuple[list[Body], tuple[str, ...]]:
    """The stack's volumes on this engine's node, and the hostnames of other nodes that have had tasks with some."""
    listed = (engine.get("/volumes", filters={"label": [f"{NAMESPACE}={stack}"]}) or {}).get("Volumes") or []
    found = [volume for volume in listed if belongs(volume, stack)]
    swarm = engine.info()["Swarm"]
    if not swarm.get("ControlAvailable"):
        return found, ()
    nodes = {node["ID"]: node["Description"].get("Hostname", node["ID"]) for node in engine.get("/nodes")}
    used = {task.get("NodeID") for task in tasks_of(engine, stack) if _has_volumes(task, stack)}
    return found, tuple(sorted(name for node, name in nodes.items() if node in used - {swarm.get("NodeID")}))


def _has_volumes(task: Body, stack: str) -> bool:
    mounts = (task["Spec"].get("ContainerSpec") or {}).get("Mounts") or []
    return any(((mount.get("VolumeOptions") or {}).get("Labels") or {}).get(NAMESPACE) == stack for mount in mounts)


def of_stack(objects: Mapping[str, Body], stack: str) -> dict[str, Body]:
    """Only those secrets or configs that carry the stack's label."""
    return {name: item for name, item in objects.items() if belongs(item, stack)}


def _is_record(item: Body) -> bool:
    return REVISION in labels_of(item)


def _contents(engine: Engine, path: str, stack: str, names: Iterable[str]) -> tuple[dict[str, Body], frozenset[str]]:
    """By name: the stack's own, and those of these names with all their versions; and the names of others that begin so."""
    found = labelled(engine, path, stack)
    listed: list[dict[str, Any]] = []
    exact = set(names)
    if exact:
        # the engine's name filter matches prefixes, and long names of versions are cut
        listed = engine.get(path, filters={"name": sorted({name[:SHORTENED] for name in exact})}) or []
        found += [item for item in listed if exact & {item["Spec"]["Name"], version_labels(item)[0]}]
    known: dict[str, Body] = {item["Spec"]["Name"]: item for item in found}
    return known, frozenset(item["Spec"]["Name"] for item in listed) - known.keys()


def targets(spec: Body) -> frozenset[str]:
    """The networks a service is on: names in a desired spec, ids in a live one."""
    return frozenset(item["Target"] for item in spec["TaskTemplate"].get("Networks") or [])


def _predefined(engine: Engine, desired: Desired, networks: Iterable[Body], services: Iterable[Body]) -> dict[str, str]:
    """Those that a file names; all, where a service that runs is on a network that is not listed."""
    wanted = frozenset[str]().union(*map(targets, desired.services.values()))
    unlisted = frozenset[str]().union(*(targets(item["Spec"]) for item in services)) - {item["Id"] for item in networks}
    # without the scope the name leads to the node's own network, which has another id
    found = {name: engine.find(f"/networks/{name}", scope="swarm") for name in PREDEFINED if unlisted or name in wanted}
    return {name: network["Id"] for name, network in found.items() if network}


#: Sort of external object -> how to make it.
_MEND = {
    "network": "create it first (homecloud.swarm.network, or 'docker network create --driver overlay')",
    "secret": "create it first (homecloud.swarm.secret), or drop 'external' and give its value",
    "config": "create it first (homecloud.swarm.config), or drop 'external' and give its content",
}


def _is_there(name: str, objects: Mapping[str, Body]) -> bool:
    return bool(versions_of(name, objects))


def _check_externals(engine: Engine, desired: Desired, actual: Actual) -> None:
    missing = [
        *(("network", name) for name in desired.external_networks if name not in actual.network_ids),
        *(("secret", name) for name in desired.external_secrets if not _is_there(name, actual.secrets)),
        *(("config", name) for name in desired.external_configs if not _is_there(name, actual.configs)),
    ]
    if not missing:
        return
    sentences = []
    for sort, name in missing:
        local = engine.find(f"/networks/{quote(name, safe='')}") if sort == "network" else None
        if local:
            sentences.append(
                f"The external network '{name}' of stack '{desired.stack}' has the scope '{local['Scope']}', but services "
                "need one of scope 'swarm'; create it with the overlay driver."
            )
        else:
            sentences.append(f"The external {sort} '{name}' of stack '{desired.stack}' does not exist: {_MEND[sort]}.")
    raise RefusedError(" ".join(sentences))
