# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Act: plan -> engine, step by step in the plan's order. The only writes to a stack are here."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from typing import Any

from ._actual import labelled
from ._clock import SYSTEM, Clock, await_condition
from ._engine import Engine
from ._errors import EngineError, InUseError, OutOfSequenceError, RefusedError, SwarmError
from ._model import Kind, Plan, Sort, Step
from ._verifier import KEY, SALT_BYTES, VERIFIER, VERSION, make_verifier

#: How often a plan is made anew when somebody else writes to the same services.
ATTEMPTS = 5

#: States from which a task goes nowhere (moby api/types/swarm, TaskState).
TERMINAL = frozenset({"complete", "shutdown", "failed", "rejected", "remove", "orphaned"})


def apply(engine: Engine, plan: Plan, again: Callable[[], Plan], auth: str | None = None) -> None:
    """Carry the plan out.

    Services are planned ``again`` once the objects they refer to have ids, and whenever the engine says that a service
    has changed since it was read. Raises SwarmError with the steps done so far.
    """
    done: list[str] = []
    try:
        objects = [step for step in plan.steps if step.sort is not Sort.SERVICE]
        for step in objects:
            act(engine, step)
            done.append(f"{step.kind.value} {step.sort.value} {step.name}")
        _apply_services(engine, again() if objects else plan, again, auth, done)
    except SwarmError as error:
        error.achieved = {**error.achieved, "changed": bool(done), "done": done}
        raise


def _apply_services(engine: Engine, plan: Plan, again: Callable[[], Plan], auth: str | None, done: list[str]) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            for step in plan.steps:
                if step.sort is Sort.SERVICE:
                    act(engine, step, auth)
                    done.append(f"{step.kind.value} {step.sort.value} {step.name}")
            return
        except OutOfSequenceError:
            if attempt == ATTEMPTS:
                raise
            plan = again()


def act(engine: Engine, step: Step, auth: str | None = None) -> None:
    """One step."""
    headers = {"X-Registry-Auth": auth} if auth and step.sort is Sort.SERVICE else {}
    ACTS[step.kind](engine, step, headers)


def _create(engine: Engine, step: Step, headers: Mapping[str, str]) -> None:
    try:
        engine.post(f"/{step.sort.value}s/create", _on_the_wire(step), headers)
    except EngineError as error:
        raise type(error)(f"{step.sort.value.capitalize()} {step.name} could not be created. {error.message}", error.status) from error


def _update(engine: Engine, step: Step, headers: Mapping[str, str]) -> None:
    path = f"/{step.sort.value}s/{step.live['ID']}/update"
    try:
        engine.post(path, _on_the_wire(step), headers, version=step.live["Version"]["Index"])
    except OutOfSequenceError:
        raise
    except EngineError as error:
        if step.sort is Sort.SECRET and "only updates to Labels are allowed" in error.message:
            raise RefusedError(
                f"The value of secret {step.name} differs from the one the swarm holds, and a secret cannot be changed; "
                "give it another name in the file, or remove the stack first."
            ) from error
        raise type(error)(f"{step.sort.value.capitalize()} {step.name} could not be updated. {error.message}", error.status) from error


def _replace(engine: Engine, step: Step, headers: Mapping[str, str]) -> None:
    try:
        _remove(engine, step, headers)
    except InUseError as error:
        raise RefusedError(
            f"The {step.sort.value} {step.name} has another value in the file than in the swarm, where it is in use and cannot "
            f"be changed: {error.message.rpartition('refused: ')[2]}. Give it another name in the file, so that its services roll over."
        ) from error
    _create(engine, step, headers)


def _remove(engine: Engine, step: Step, _headers: Mapping[str, str]) -> None:
    engine.delete(f"/{step.sort.value}s/{step.live.get('ID') or step.live['Id']}")


ACTS: Mapping[Kind, Callable[[Engine, Step, Mapping[str, str]], None]] = {
    Kind.CREATE: _create,
    Kind.UPDATE: _update,
    Kind.REPLACE: _replace,
    Kind.REMOVE: _remove,
    Kind.ADOPT: _update,
}


def _on_the_wire(step: Step) -> dict[str, Any]:
    content = step.body.get("Data")
    if not isinstance(content, bytes):
        return dict(step.body)
    body = {**step.body, "Data": base64.b64encode(content).decode("ascii")}
    if step.sort is Sort.SECRET:
        verifier = make_verifier(content, os.urandom(SALT_BYTES))
        body["Labels"] = {**step.body.get("Labels", {}), KEY: step.name, VERSION: "1", VERIFIER: verifier}
    return body


def remove(engine: Engine, plan: Plan, stack: str, timeout: float, clock: Clock = SYSTEM) -> None:
    """Take a stack away and wait until its tasks and networks are really gone.

    A network cannot go before the last task that uses it, and a name is free only when its object is gone.
    """
    networks = [step for step in plan.steps if step.sort is Sort.NETWORK]
    for step in plan.steps:
        if step.sort is not Sort.NETWORK:
            _remove_patiently(engine, step, stack, timeout, clock)
    if not await_condition(lambda: not _tasks(engine, stack), timeout, clock):
        nodes = sorted({task.get("NodeID", "") for task in _tasks(engine, stack)})
        raise SwarmError(
            f"Tasks of stack '{stack}' still run after {timeout:g} s on node(s) {', '.join(nodes)}: is a node down? "
            "Run it again when the node is back or removed."
        )
    for step in networks:
        _remove_patiently(engine, step, stack, timeout, clock)
    await_condition(lambda: not labelled(engine, "/networks", stack), timeout, clock)


def _remove_patiently(engine: Engine, step: Step, stack: str, timeout: float, clock: Clock) -> None:
    if not await_condition(lambda: _gone(engine, step), timeout, clock):
        raise SwarmError(
            f"The {step.sort.value} {step.name} of stack '{stack}' is still in use after {timeout:g} s; "
            "remove what else uses it, then run it again."
        )


def _gone(engine: Engine, step: Step) -> bool:
    try:
        _remove(engine, step, {})
    except EngineError as error:
        if isinstance(error, InUseError) or "in use" in error.message or "active endpoints" in error.message:
            return False
        raise
    return True


def _tasks(engine: Engine, stack: str) -> list[dict[str, Any]]:
    return [task for task in labelled(engine, "/tasks", stack) if task["Status"]["State"] not in TERMINAL]
