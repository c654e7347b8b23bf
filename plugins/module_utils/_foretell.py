# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Foretell: which running tasks a plan replaces. Pure.

It follows swarmkit (orchestrator/task.go, IsTaskDirty): a task is replaced when its own spec or its service's endpoint differs
from what is wanted. A change of placement alone, however, spares every task whose node still fits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ._eligible import eligible, fits
from ._model import Body, Kind, Plan, Sort, Step
from ._plan import mode_of
from ._spec import completions, same


def foretold(plan: Plan, tasks: Iterable[Body], nodes: Sequence[Body]) -> Plan:
    """The plan, with the number of tasks that each step restarts. ``tasks`` are those that shall run now."""
    by_service: dict[str, list[Body]] = defaultdict(list)
    for task in tasks:
        by_service[task["ServiceID"]].append(task)
    by_id = {node["ID"]: node for node in nodes}
    return replace(plan, steps=tuple(_with_restarts(step, by_service, by_id) for step in plan.steps))


def _with_restarts(step: Step, tasks: Mapping[str, list[Body]], nodes: Mapping[str, Body]) -> Step:
    if step.sort is not Sort.SERVICE or step.kind not in (Kind.UPDATE, Kind.REPLACE):
        return step
    return replace(step, restarts=restarts(step, tasks.get(step.live["ID"], []), nodes))


def restarts(step: Step, tasks: Sequence[Body], nodes: Mapping[str, Body]) -> int:
    """How many running tasks are replaced; for a job, which runs again whenever it is written, how many it will have."""
    mode = mode_of(step.body)
    if mode.endswith("Job"):
        return _completions(step.body, nodes)
    everything = step.kind is Kind.REPLACE or step.detached
    slots = {task.get("Slot") or task.get("NodeID") for task in tasks if everything or is_replaced(step, task, nodes)}
    replicas = ((step.body.get("Mode") or {}).get("Replicated") or {}).get("Replicas", 1)
    # of a service that becomes smaller, the engine removes tasks before it replaces any
    return min(len(slots), replicas) if mode == "Replicated" and not everything else len(slots)


def is_replaced(step: Step, task: Body, nodes: Mapping[str, Body]) -> bool:
    """Whether swarmkit sees this task as one that the step has made outdated."""
    wanted, found = step.body["TaskTemplate"], task["Spec"]
    rest_is_same = all(same(wanted.get(name), found.get(name), f"TaskTemplate.{name}") for name in {*wanted, *found} - {"Placement"})
    if rest_is_same and not same(wanted.get("Placement"), found.get("Placement"), "TaskTemplate.Placement"):
        return not _still_fits(task, wanted.get("Placement") or {}, nodes) and mode_of(step.body) == "Replicated"
    return not (rest_is_same and same(step.body.get("EndpointSpec"), step.live["Spec"].get("EndpointSpec"), "EndpointSpec"))


def _still_fits(task: Body, placement: Body, nodes: Mapping[str, Body]) -> bool:
    node = nodes.get(task.get("NodeID") or "")
    return node is not None and all(fits(node, constraint) for constraint in placement.get("Constraints") or [])


def _completions(spec: Body, nodes: Mapping[str, Body]) -> int:
    job = (spec.get("Mode") or {}).get("ReplicatedJob")
    if job is None:
        return len([node for node in nodes.values() if eligible(node, spec)])
    return int(completions(job))
