# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watch: services and their tasks -> a verdict on each. Pure predicates, time passed in.

``running`` alone proves little: a task counts when it is of the service's current spec, and has stayed up for
``monitor`` seconds. UpdateStatus alone proves less: it stays empty when no task had to be replaced.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from ._clock import SYSTEM, Clock
from ._errors import EngineError, EngineUnreachableError
from ._model import Body, Finding, Snapshot, Verdict

#: Task states in the order of a task's life (swarmkit api/types.proto).
STATES = (
    *("new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting", "running"),
    *("complete", "shutdown", "failed", "rejected", "remove", "orphaned"),
)
RUNNING = STATES.index("running")

#: Failed tasks of the current spec in one slot before the service counts as crash-looping.
CRASHES = 3
#: Seconds beyond its restart delay after which a dead task without successor stays dead.
GRACE = 2.0
#: Seconds between a task's end and its successor when the service names none (swarmkit's default).
RESTART_DELAY = 5.0
SECOND = 1_000_000_000
#: Seconds between two polls.
PAUSE = 0.5


@dataclass(frozen=True)
class Limits:
    """How long things may take, in seconds."""

    monitor: float = 5.0
    progress: float = 60.0
    timeout: float = 300.0


@dataclass(frozen=True)
class Situation:
    """One service at one moment. ``tasks`` are those of its current spec; ``now`` is in seconds since 1970."""

    service: Body
    tasks: tuple[Body, ...]
    nodes: Mapping[str, Body]
    now: float
    limits: Limits = field(default_factory=Limits)
    touched: bool = True

    @property
    def spec(self) -> Body:
        spec: Body = self.service["Spec"]
        return spec

    @property
    def status(self) -> str:
        """The update's state. One that we did not cause ourselves counts only while it is under way."""
        state = str((self.service.get("UpdateStatus") or {}).get("State") or "")
        return state if self.touched or state in ("updating", "rollback_started") else ""

    @cached_property
    def mode(self) -> str:
        return str(next(iter(self.spec.get("Mode") or {"Replicated": {}})))

    @cached_property
    def is_job(self) -> bool:
        return self.mode.endswith("Job")

    @cached_property
    def ends_by_itself(self) -> bool:
        """A job, or a service whose tasks are not restarted once they have succeeded."""
        policy = self.spec["TaskTemplate"].get("RestartPolicy") or {}
        return self.is_job or policy.get("Condition") in ("none", "on-failure")

    @cached_property
    def restart_delay(self) -> float:
        policy = self.spec["TaskTemplate"].get("RestartPolicy") or {}
        delay = policy.get("Delay")
        return RESTART_DELAY if delay is None else float(delay) / SECOND

    @cached_property
    def slots(self) -> Mapping[Any, list[Body]]:
        """The tasks of each slot (each node for global services), the newest first."""
        found: dict[Any, list[Body]] = defaultdict(list)
        iteration = ((self.service.get("JobStatus") or {}).get("JobIteration") or {}).get("Index", 0)
        for task in self.tasks:
            if self.is_job and (task.get("JobIteration") or {}).get("Index", 0) != iteration:
                continue
            key = task.get("NodeID") if self.mode.startswith("Global") else task.get("Slot", 0)
            found[key].append(task)
        for tasks in found.values():
            tasks.sort(key=lambda task: (_rank(task["DesiredState"]) <= RUNNING, task.get("CreatedAt", "")), reverse=True)
        return found

    @cached_property
    def newest(self) -> list[Body]:
        return [tasks[0] for tasks in self.slots.values()]

    @cached_property
    def wanted(self) -> int:
        mode = (self.spec.get("Mode") or {}).get(self.mode) or {}
        if self.mode == "Replicated":
            return 1 if mode.get("Replicas") is None else int(mode["Replicas"])
        if self.mode == "ReplicatedJob":
            return int(mode.get("TotalCompletions") or mode.get("MaxConcurrent") or 1)
        return len([node for node in self.nodes.values() if eligible(node, self.spec)])

    @cached_property
    def good(self) -> list[Body]:
        """Tasks that are as they should be: running, or done where that is the aim."""
        return [task for task in self.newest if is_up(task) or (self.ends_by_itself and is_done(task))]

    def up_for(self, task: Body) -> float:
        """Seconds since the swarm learnt of the task's present state."""
        return self.now - moment(task.get("UpdatedAt") or task["Status"].get("Timestamp", ""))


def is_up(task: Body) -> bool:
    return bool(task["Status"]["State"] == "running" and _rank(task["DesiredState"]) <= RUNNING)


def is_done(task: Body) -> bool:
    return bool(task["Status"]["State"] == "complete")


def is_dead(task: Body) -> bool:
    return task["Status"]["State"] in ("failed", "rejected")


def error_of(task: Body) -> str:
    return str(task["Status"].get("Err") or "")


def eligible(node: Body, spec: Body) -> bool:
    """Whether a global service puts a task on the node, as far as state and constraints tell."""
    if node["Status"]["State"] != "ready" or node["Spec"].get("Availability", "active") != "active":
        return False
    constraints = (spec["TaskTemplate"].get("Placement") or {}).get("Constraints") or []
    return all(fits(node, constraint) for constraint in constraints)


def fits(node: Body, constraint: str) -> bool:
    """One constraint, as swarmkit reads it: == and != only, values compared without case."""
    key, operator, value = constraint.partition("!=" if "!=" in constraint else "==")
    found = _facet(node, key.strip())
    return (found.lower() == value.strip().lower()) is (operator == "==")


#: What a constraint may name -> where the node has it.
FACETS: Mapping[str, Callable[[Body], Any]] = {
    "node.id": lambda node: node["ID"],
    "node.hostname": lambda node: node["Description"].get("Hostname"),
    "node.role": lambda node: node["Spec"].get("Role"),
    "node.ip": lambda node: node["Status"].get("Addr"),
    "node.platform.os": lambda node: node["Description"]["Platform"].get("OS"),
    "node.platform.arch": lambda node: node["Description"]["Platform"].get("Architecture"),
}


def _facet(node: Body, key: str) -> str:
    if key.lower().startswith("node.labels."):
        return str((node["Spec"].get("Labels") or {}).get(key[len("node.labels.") :], ""))
    if key.lower().startswith("engine.labels."):
        return str((node["Description"].get("Engine", {}).get("Labels") or {}).get(key[len("engine.labels.") :], ""))
    facet = FACETS.get(key.lower())
    return str(facet(node) or "") if facet else ""


def was_rolled_back(now: Situation) -> bool:
    return now.status in ("rollback_started", "rollback_completed")


def rollback_stopped(now: Situation) -> bool:
    return now.status == "rollback_paused"


def update_stopped(now: Situation) -> bool:
    """Paused, unless a one-shot that ended well was taken for a failure (the engine counts every early end as one)."""
    return now.status == "paused" and not (now.ends_by_itself and now.newest and all(map(is_done, now.newest)))


def image_is_missing(now: Situation) -> bool:
    """Every attempt so far ended for want of the image."""
    dead = [task for tasks in now.slots.values() for task in tasks if is_dead(task)]
    return bool(dead) and not now.good and all("No such image" in error_of(task) for task in dead) and len(dead) > now.wanted


def has_given_up(now: Situation) -> bool:
    """A slot whose task died and gets no successor: not restarted at all, or its attempts used up."""
    patience = now.restart_delay + GRACE
    return any(is_dead(task) and _rank(task["DesiredState"]) > RUNNING and now.up_for(task) > patience for task in now.newest)


def keeps_crashing(now: Situation) -> bool:
    return any(
        sum(map(is_dead, tasks)) >= CRASHES and not (is_up(tasks[0]) and now.up_for(tasks[0]) >= now.limits.monitor)
        for tasks in now.slots.values()
    )


def no_node_fits(now: Situation) -> bool:
    return any(task["Status"]["State"] == "pending" and error_of(task) and now.up_for(task) > now.limits.progress for task in now.newest)


def has_converged(now: Situation) -> bool:
    if now.status == "updating" or len(now.good) < now.wanted:
        return False
    if now.wanted == 0 and any(_rank(task["DesiredState"]) <= RUNNING and not is_done(task) for task in now.newest):
        return False
    return all(is_done(task) or now.up_for(task) >= now.limits.monitor for task in now.good)


#: The first predicate that holds decides.
VERDICTS: tuple[tuple[Verdict, Callable[[Situation], bool]], ...] = (
    (Verdict.ROLLBACK_PAUSED, rollback_stopped),
    (Verdict.ROLLED_BACK, was_rolled_back),
    (Verdict.PAUSED, update_stopped),
    (Verdict.CONVERGED, has_converged),
    (Verdict.IMAGE_MISSING, image_is_missing),
    (Verdict.FAILED, has_given_up),
    (Verdict.CRASH_LOOPING, keeps_crashing),
    (Verdict.UNSCHEDULABLE, no_node_fits),
)

#: Verdicts after which waiting makes no sense.
FINAL = frozenset(verdict for verdict, _predicate in VERDICTS)


def judge(now: Situation) -> Finding:
    """The verdict on one service, with the task and the words that show it."""
    verdict = next((verdict for verdict, holds in VERDICTS if holds(now)), Verdict.UPDATING)
    witness = _witness(now) if verdict is not Verdict.CONVERGED else None
    message = str((now.service.get("UpdateStatus") or {}).get("Message") or "") if now.status else ""
    return Finding(
        service=now.spec["Name"],
        verdict=verdict,
        running=len(now.good),
        wanted=now.wanted,
        reason=(error_of(witness) if witness else "") or message,
        node=_hostname(now, witness),
        task=str(witness["ID"]) if witness else "",
    )


def _witness(now: Situation) -> Body | None:
    """The newest task that tells what is wrong."""
    telling = [task for tasks in now.slots.values() for task in tasks if error_of(task)]
    return max(telling, key=lambda task: str(task.get("UpdatedAt", "")), default=None)


def _hostname(now: Situation, task: Body | None) -> str:
    node = now.nodes.get(str(task.get("NodeID"))) if task else None
    return str(node["Description"].get("Hostname", "")) if node else ""


def judge_all(snapshot: Snapshot, limits: Limits, touched: frozenset[str] = frozenset()) -> list[Finding]:
    """One verdict per service, by name. ``touched`` are those whose update is ours."""
    by_service: dict[str, list[Body]] = defaultdict(list)
    for task in snapshot.tasks:
        by_service[task["ServiceID"]].append(task)
    by_id = {node["ID"]: node for node in snapshot.nodes}
    return [
        judge(
            Situation(
                service=service,
                tasks=tuple(by_service[service["ID"]]),
                nodes=by_id,
                now=snapshot.now,
                limits=limits,
                touched=service["Spec"]["Name"] in touched,
            )
        )
        for service in sorted(snapshot.services, key=lambda service: str(service["Spec"]["Name"]))
    ]


def watch(poll: Callable[[], Snapshot], limits: Limits, touched: frozenset[str], clock: Clock = SYSTEM) -> Iterator[list[Finding]]:
    """Yield the verdicts on all services after each poll; ends when all are final or the time is over.

    One failed poll is not the end: a leader may just be changing.
    """
    deadline = clock.now() + limits.timeout
    while True:
        late = clock.now() >= deadline
        try:
            findings = judge_all(poll(), limits, touched)
        except (EngineError, EngineUnreachableError):
            if late:
                raise
        else:
            yield [_ended(finding) for finding in findings] if late else findings
            if late or all(finding.verdict in FINAL for finding in findings):
                return
        clock.sleep(PAUSE)


def _ended(finding: Finding) -> Finding:
    return finding if finding.verdict in FINAL else replace(finding, verdict=Verdict.TIMED_OUT)


def moment(text: str) -> float:
    """An RFC 3339 time of the engine's, in seconds since 1970; nanoseconds are cut, Python reads microseconds."""
    whole, _point, fraction = text.rstrip("Z").partition(".")
    try:
        parsed = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return 0.0
    return parsed.timestamp() + float(f"0.{fraction or 0}")


def _rank(state: str) -> int:
    return STATES.index(state) if state in STATES else len(STATES)
