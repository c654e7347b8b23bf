# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Act: plan -> engine, step by step in the plan's order. The only writes to a stack are here."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from ._actual import labelled, targets, tasks_of
from ._clock import SYSTEM, Clock, await_condition
from ._engine import Engine, retried
from ._errors import (
    EngineError,
    EngineUnreachableError,
    InUseError,
    NameTakenError,
    NotFoundError,
    OutOfSequenceError,
    PortTakenError,
    QuorumLostError,
    SwarmError,
)
from ._images import Auth
from ._model import NAMESPACE, OURS, Body, Kind, Plan, Sort, Step
from ._verifier import KEY, SALT_BYTES, VERIFIER, VERSION, make_verifier

#: How often a plan is made anew when somebody else writes to the same objects.
ATTEMPTS = 5

#: How long an object's last users may take to let go of it.
REMOVAL_SECONDS = 60.0

#: Seconds before the next look at what is on its way out.
PAUSE = 0.5

#: States from which a task goes nowhere (moby api/types/swarm, TaskState).
TERMINAL = frozenset({"complete", "shutdown", "failed", "rejected", "remove", "orphaned"})

#: Somebody else has written, made or removed what we were about to: what is there now has to be read again.
SURPRISES = (OutOfSequenceError, NotFoundError, NameTakenError)

#: What passes by itself: the swarm's allocator is just behind (the plan has freed the port, or it would have been refused), or
#: its managers elect a leader.
PASSING = (PortTakenError, QuorumLostError)


def apply(engine: Engine, plan: Plan, again: Callable[[], Plan], auth: Auth, clock: Clock = SYSTEM) -> None:
    """Carry the plan out.

    Objects that services refer to come first; what nobody refers to any more is left to ``tidy``. Services are planned ``again`` once those
    objects have ids; everything is, whenever the engine says that things are not as they were read, or not yet free. Raises
    SwarmError with the steps done so far.
    """
    done: list[str] = []
    deadline = clock.now() + REMOVAL_SECONDS
    attempt = 1
    still_true: Plan | None = plan
    try:
        while True:
            try:
                _carry_out(engine, still_true or again(), again, auth, done, clock)
                return
            except PASSING:
                if clock.now() >= deadline:
                    raise
                clock.sleep(PAUSE)
            except SURPRISES as surprise:
                # a network on its way out is listed until its last task has gone
                leaving = isinstance(surprise, NotFoundError) and "network" in surprise.message
                if (not leaving and attempt >= ATTEMPTS) or clock.now() >= deadline:
                    raise
                attempt += 1
                clock.sleep(PAUSE * leaving)
            still_true = None
    except SwarmError as error:
        error.achieved = {**error.achieved, "changed": bool(done), "done": done}
        raise


def _carry_out(engine: Engine, plan: Plan, again: Callable[[], Plan], auth: Auth, done: list[str], clock: Clock) -> None:
    needed = [step for step in plan.steps if step.sort is not Sort.SERVICE and step.kind is not Kind.REMOVE]
    for step in needed:
        act(engine, step, None, clock)
        done.append(said(step))
    for step in (again() if needed else plan).steps:
        if step.sort is Sort.SERVICE:
            act(engine, step, auth, clock)
            done.append(said(step))


def begin_anew(engine: Engine, service: str) -> None:
    """Have the engine start over with an update of a service that stands still.

    It gives an update up for one to another spec, and a label makes another spec; the same spec again then continues from what has
    been updated already (swarmkit, UpdateSupervisor.Update). No task restarts for it.
    """

    def written(more: Mapping[str, str]) -> None:
        live = engine.get(f"/services/{service}")
        labels = {name: value for name, value in (live["Spec"].get("Labels") or {}).items() if not name.startswith(OURS)}
        engine.post(f"/services/{service}/update", {**live["Spec"], "Labels": {**labels, **more}}, version=live["Version"]["Index"])

    retried(lambda: written({f"{OURS}begun-anew": "true"}))
    retried(lambda: written({}))


def tidy(engine: Engine, plan: Plan, clock: Clock = SYSTEM) -> dict[str, str]:
    """Remove what the plan says nobody needs any more, when the services that let go of it are well; name -> why it could not go."""
    problems = {}
    for step in plan.steps:
        if step.sort is not Sort.SERVICE and step.kind is Kind.REMOVE:
            try:
                remove_patiently(engine, step, clock=clock)
            except EngineUnreachableError:
                raise
            except SwarmError as problem:
                problems[step.name] = problem.message
    return problems


def adopt(engine: Engine, plan: Plan) -> frozenset[tuple[Sort, str]]:
    """Have the engine verify the secrets whose value nobody recorded; the answer is those that hold another one.

    The engine accepts an update with the same data and refuses one with other data (swarmkit, UpdateSecret).
    """
    denied = set()
    for step in plan.steps:
        if step.kind is Kind.ADOPT:
            try:
                act(engine, step)
            except EngineError as error:
                if "only updates to Labels are allowed" not in error.message:
                    raise
                denied.add((step.sort, step.name))
    return frozenset(denied)


def said(step: Step) -> str:
    """A step in words, as what was achieved is told."""
    return f"{step.kind.value} {step.sort.value} {step.name}"


def act(engine: Engine, step: Step, auth: Auth | None = None, clock: Clock = SYSTEM) -> None:
    """One step. The credentials go with the service, for the nodes that pull its image."""
    header = auth(step.body["TaskTemplate"]["ContainerSpec"]["Image"]) if auth and step.body else None
    headers = {"X-Registry-Auth": header} if header else {}
    ACTS[step.kind](engine, step, headers, clock)


def _create(engine: Engine, step: Step, headers: Mapping[str, str], _clock: Clock) -> None:
    with _named(step, "created"):
        engine.post(f"/{step.sort.value}s/create", _on_the_wire(step), headers)


def _update(engine: Engine, step: Step, headers: Mapping[str, str], _clock: Clock) -> None:
    query = {"version": step.live["Version"]["Index"], **({"rollback": "previous"} if step.rollback else {})}
    with _named(step, "updated"):
        engine.post(f"/{step.sort.value}s/{step.live['ID']}/update", _on_the_wire(step), headers, **query)


@contextmanager
def _named(step: Step, what: str) -> Iterator[None]:
    """Say what the engine's refusal is about."""
    try:
        yield
    except EngineError as error:
        raise type(error)(f"{step.sort.value.capitalize()} {step.name} could not be {what}. {error.message}", error.status) from error


def _replace(engine: Engine, step: Step, headers: Mapping[str, str], clock: Clock) -> None:
    if step.sort is Sort.NETWORK:
        remove_patiently(engine, step, _detach(engine, step), clock)
    else:
        _remove(engine, step, headers, clock)
        _await_tasks(engine, step, clock)
    _create(engine, step, headers, clock)


def _detach(engine: Engine, step: Step) -> float:
    """Take the services off a network, which cannot go while one is on it; they are put on the new one afterwards.

    Returns the seconds in which their tasks should have ended.
    """
    network = step.live["Id"]
    seconds = [REMOVAL_SECONDS]

    def attempt() -> None:
        for service in engine.get("/services"):
            spec = service["Spec"]
            if network in targets(spec):
                seconds.append(ending(service))
                kept = [item for item in spec["TaskTemplate"]["Networks"] if item["Target"] != network]
                off = {**spec, "TaskTemplate": {**spec["TaskTemplate"], "Networks": kept}}
                engine.post(f"/services/{service['ID']}/update", off, version=service["Version"]["Index"])

    retried(attempt)
    return max(seconds)


def _await_tasks(engine: Engine, step: Step, clock: Clock) -> None:
    """Wait for the last tasks of a removed service: what they hold (a volume, a port of the node) is for its successor."""
    stack = step.live["Spec"]["Labels"][NAMESPACE]
    seconds = ending(step.live)
    if not await_condition(lambda: not _tasks(engine, stack, step.live["ID"]), seconds, clock):
        raise SwarmError(
            f"Tasks of service {step.name} still run {seconds:g} s after its removal: is a node down? Run it again when the "
            "node is back or removed."
        )


def ending(service: Mapping[str, Any]) -> float:
    """Seconds in which the tasks of a service should have ended, which may take all of their grace period."""
    container = service["Spec"]["TaskTemplate"].get("ContainerSpec") or {}
    return REMOVAL_SECONDS + (container.get("StopGracePeriod") or 0) / 1e9


def _remove(engine: Engine, step: Step, _headers: Mapping[str, str], _clock: Clock) -> None:
    engine.delete(f"/{step.sort.value}s/{quote(name_or_id(step), safe='')}")


def name_or_id(step: Step) -> str:
    """By what the engine finds the object: volumes have a name only."""
    return str(step.live.get("ID") or step.live.get("Id") or step.name)


ACTS: Mapping[Kind, Callable[[Engine, Step, Mapping[str, str], Clock], None]] = {
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
    return {**body, "Labels": _verifiable(step, content)} if step.sort is Sort.SECRET else body


def sealed(plan: Plan) -> Plan:
    """The plan whose new secrets have their verifiers already, so that these can be written down before."""

    def with_verifier(step: Step) -> Step:
        content = step.body.get("Data")
        if step.kind is not Kind.CREATE or step.sort is not Sort.SECRET or not isinstance(content, bytes):
            return step
        return replace(step, body={**step.body, "Labels": _verifiable(step, content)})

    return replace(plan, steps=tuple(map(with_verifier, plan.steps)))


def _verifiable(step: Step, content: bytes) -> dict[str, str]:
    labels = step.body.get("Labels", {})
    verifier = labels.get(VERIFIER) or make_verifier(content, os.urandom(SALT_BYTES))
    return {KEY: step.name, VERSION: "1", **labels, VERIFIER: verifier}


def remove(engine: Engine, plan: Plan, stack: str, timeout: float, clock: Clock = SYSTEM) -> None:
    """Take a stack away and wait until its tasks and networks are really gone.

    A network or a volume cannot go before the last task that uses it, and a name is free only when its object is gone.
    """
    last = (Sort.NETWORK, Sort.VOLUME)
    for step in plan.steps:
        if step.sort not in last:
            remove_patiently(engine, step, timeout, clock)

    def emptied() -> bool:
        # a deploy that was under way may have made one more service before it noticed
        for service in labelled(engine, "/services", stack):
            engine.delete(f"/services/{service['ID']}")
        return not _tasks(engine, stack)

    if any(step.sort is not Sort.VOLUME for step in plan.steps) and not await_condition(emptied, timeout, clock):
        nodes = sorted({task.get("NodeID", "") for task in _tasks(engine, stack)})
        raise SwarmError(
            f"Tasks of stack '{stack}' still run after {timeout:g} s on node(s) {', '.join(nodes)}: is a node down? "
            "Run it again when the node is back or removed."
        )
    for step in plan.steps:
        if step.sort in last:
            remove_patiently(engine, step, timeout, clock)


def remove_patiently(engine: Engine, step: Step, timeout: float = REMOVAL_SECONDS, clock: Clock = SYSTEM) -> None:
    """Remove an object as soon as its last user lets go."""
    obstacles: list[str] = []
    if not await_condition(lambda: _gone(engine, step, obstacles), timeout, clock):
        reason = f" {obstacles[-1]}" if obstacles else ""
        raise SwarmError(
            f"The {step.sort.value} {step.name} is still in use after {timeout:g} s; remove what else uses it, then run it again.{reason}"
        )


def _gone(engine: Engine, step: Step, obstacles: list[str]) -> bool:
    try:
        _remove(engine, step, {}, SYSTEM)
    except EngineError as error:
        if isinstance(error, InUseError) or "in use" in error.message:
            obstacles.append(error.message)
            return False
        raise
    # a network is first taken off the nodes; its name is free only when it is not listed any more
    return step.sort is not Sort.NETWORK or engine.find(f"/networks/{step.live['Id']}") is None


def _tasks(engine: Engine, stack: str, service: str = "") -> list[Body]:
    """The stack's tasks, or one service's, that have not ended."""
    ofs = [task for task in tasks_of(engine, stack) if not service or task["ServiceID"] == service]
    return [task for task in ofs if task["Status"]["State"] not in TERMINAL]
