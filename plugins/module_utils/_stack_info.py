# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show stacks: everything from a handful of requests, however many stacks there are."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from ._actual import labels_of, observe
from ._colours import placed, shown
from ._converge import judge_all
from ._diff import as_values, drawn
from ._engine import Engine
from ._errors import RefusedError
from ._history import Revision, aim, colours, revisions, starting, switching
from ._model import NAMESPACE, REVISION, Body, Outcome, Plan, Snapshot
from ._names import check_stack
from ._situation import RUNNING, STATES, Limits
from ._state import between, captured


def show_stacks(engine: Engine, options: Mapping[str, Any], _check: bool) -> Outcome:
    """All stacks, or the one that is named."""
    if options["name"] is not None:
        check_stack(options["name"])
    label = NAMESPACE if options["name"] is None else f"{NAMESPACE}={options['name']}"
    found = {
        sort: engine.get(f"/{sort}", filters={"label": [label]}) or [] for sort in ("services", "networks", "secrets", "configs", "tasks")
    }
    found["networks"] = [item for item in found["networks"] if item.get("Scope") == "swarm"]
    # records of deploys are none of the stack's own configs
    found["records"] = [item for item in found["configs"] if REVISION in item["Spec"]["Labels"]]
    found["configs"] = [item for item in found["configs"] if REVISION not in item["Spec"]["Labels"]]
    nodes = engine.get("/nodes")
    names = {_stack(item) for sort in ("services", "networks", "secrets", "configs", "records") for item in found[sort]}
    stacks = [describe(name, found, nodes) for name in sorted(names) if options["name"] in (None, name)]
    warnings = tuple(_unreadable(found["records"]))
    if not options.get("compare"):
        return Outcome(changed=False, values={"stacks": stacks}, warnings=warnings)
    plan = comparison(engine, options["name"], options["compare"])
    return Outcome(changed=False, prepared=drawn(plan), values={"stacks": stacks, "comparison": as_values(plan)}, warnings=warnings)


def comparison(engine: Engine, stack: str, numbers: list[int]) -> Plan:
    """The steps from the first of two revisions to the second, or from what runs to the one that is named."""
    if len(numbers) > 2:
        raise RefusedError(f"compare takes one or two numbers of revisions, not {len(numbers)}.")
    actual = observe(engine, stack)
    past = revisions(actual.records)
    first, second = [captured(actual, stack), *(aim(past, number, stack)[1].state for number in numbers)][-2:]
    return between(first, second, stack)


def _unreadable(records: Iterable[Body]) -> Iterator[str]:
    for revision in revisions(records):
        if revision.content() is None:
            record = revision.live["Spec"]["Name"]
            yield (
                f"The record of revision {revision.number} (config {record}) cannot be read: it is damaged, or written by a newer version "
                "of this collection."
            )


def show_nothing(_options: Mapping[str, Any]) -> Outcome:
    """What there is to see on a host without a swarm."""
    return Outcome(changed=False, values={"stacks": []})


def describe(name: str, found: Mapping[str, Iterable[Body]], nodes: list[Body]) -> dict[str, Any]:
    """One stack, from what all stacks have."""
    hostnames = {node["ID"]: node["Description"].get("Hostname", "") for node in nodes}
    services = [item for item in found["services"] if _stack(item) == name]
    tasks: dict[str, list[Body]] = defaultdict(list)
    for task in found["tasks"]:
        if STATES.index(task["DesiredState"]) <= RUNNING:
            tasks[task["ServiceID"]].append(task)
    by_name = {item["Spec"]["Name"]: item for item in services}
    current = [task for service in services for task in tasks[service["ID"]]]
    findings = judge_all(Snapshot(services, current, nodes, time.time()), Limits())
    past = revisions(item for item in found["records"] if _stack(item) == name)
    release = switching(past) or starting(past, by_name, name)
    return {
        "name": name,
        "release": {"revision": release[0].number, **(shown(release[1]) or {})} if release else None,
        "colours": dict(release[1].old if release else placed(colours(past), colours(past), by_name, name)),
        "services": [
            {
                **asdict(finding),
                "verdict": finding.verdict.value,
                "image": by_name[finding.service]["Spec"]["TaskTemplate"]["ContainerSpec"].get("Image", ""),
                "tasks": [_task(task, hostnames) for task in tasks[by_name[finding.service]["ID"]]],
            }
            for finding in findings
        ],
        "networks": sorted(item["Name"] for item in found["networks"] if _stack(item) == name),
        **{sort: sorted(item["Spec"]["Name"] for item in found[sort] if _stack(item) == name) for sort in ("secrets", "configs")},
        "revisions": [_revision(revision) for revision in past],
    }


def _revision(revision: Revision) -> dict[str, Any]:
    content = revision.content()
    told = {"number": revision.number, "verdict": revision.ending, "readable": content is not None, "revoked": list(revision.revoked)}
    if content is None:
        return told
    return {
        **told,
        "time": content.time,
        "by": content.by,
        "note": content.note,
        "changes": list(content.summary),
        "outside": list(content.outside),
        "images": {name: spec["TaskTemplate"]["ContainerSpec"].get("Image", "") for name, spec in content.state.services.items()},
    }


def _task(task: Body, hostnames: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": task["ID"],
        "slot": task.get("Slot", 0),
        "node": hostnames.get(task.get("NodeID", ""), ""),
        "state": task["Status"]["State"],
        "error": task["Status"].get("Err", ""),
    }


def _stack(item: Body) -> str:
    return labels_of(item).get(NAMESPACE, "")
