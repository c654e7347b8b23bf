# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show stacks: everything from a handful of requests, however many stacks there are."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ._converge import judge_all
from ._engine import Engine
from ._model import NAMESPACE, REVISION, Body, Outcome, Snapshot
from ._situation import RUNNING, STATES, Limits


def show_stacks(engine: Engine, options: Mapping[str, Any], _check: bool) -> Outcome:
    """All stacks, or the one that is named."""
    label = f"{NAMESPACE}={options['name']}" if options["name"] else NAMESPACE
    found = {
        sort: engine.get(f"/{sort}", filters={"label": [label]}) or [] for sort in ("services", "networks", "secrets", "configs", "tasks")
    }
    found["networks"] = [item for item in found["networks"] if item.get("Scope") == "swarm"]
    # records of deploys are none of the stack's own configs
    found["configs"] = [item for item in found["configs"] if REVISION not in item["Spec"]["Labels"]]
    nodes = engine.get("/nodes")
    names = {_stack(item) for sort in ("services", "networks", "secrets", "configs") for item in found[sort]}
    stacks = [describe(name, found, nodes) for name in sorted(names)]
    return Outcome(changed=False, values={"stacks": stacks})


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
    return {
        "name": name,
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
    labels = item.get("Labels") if "Labels" in item else item["Spec"].get("Labels")
    return str((labels or {}).get(NAMESPACE, ""))
