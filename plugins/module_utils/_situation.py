# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One service at one moment, in the words that verdicts are made of. Pure, the time is passed in.

``running`` alone proves little: a task counts when it is of the service's current spec and its node is there. UpdateStatus
alone proves less: it stays empty when no task had to be replaced, and outlives what it tells of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from ._eligible import eligible, is_ready
from ._model import Body
from ._spec import completions

#: Task states in the order of a task's life (swarmkit api/types.proto).
STATES = (
    *("new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting", "running"),
    *("complete", "shutdown", "failed", "rejected", "remove", "orphaned"),
)
RUNNING = STATES.index("running")

SECOND = 1_000_000_000
#: What the engine takes where a spec is silent (swarmkit api/defaults, moby daemon/health), in seconds.
MONITOR = 5.0
RESTART_DELAY = 5.0
HEALTH_INTERVAL = 30.0
HEALTH_TIMEOUT = 30.0
HEALTH_RETRIES = 3

#: A task that lived for so many seconds did not crash at its start.
SHORT_LIFE = 30.0
#: Seconds by which the clocks of nodes may differ.
SKEW = 2.0
#: Ends in one slot that make a crash loop.
CRASHES = 3
#: What a task of a new network may end with whose node has not heard of the network yet: a later one finds it (moby/swarmkit#2725).
TOO_SOON = "node is missing network attachments"


@dataclass(frozen=True)
class Limits:
    """How long things may take, in seconds; ``monitor`` is the service's own unless it is given."""

    monitor: float | None = None
    progress: float = 60.0
    timeout: float = 300.0


@dataclass(frozen=True)
class Deed:
    """What we did to the stack: which services we wrote to, since when we watch, and whether in order to go back."""

    touched: frozenset[str] = frozenset()
    since: float = 0.0
    going_back: bool = False


#: How an update's state reads when a rollback is what is wanted.
ON_THE_WAY_BACK: Mapping[str, str] = {
    "rollback_started": "updating",
    "rollback_completed": "completed",
    "rollback_paused": "paused",
}


@dataclass(frozen=True)
class Situation:
    """``tasks`` are those of the service's current spec; ``now`` is in seconds since 1970."""

    service: Body
    tasks: tuple[Body, ...]
    nodes: Mapping[str, Body]
    now: float
    limits: Limits = field(default_factory=Limits)
    deed: Deed = field(default_factory=Deed)

    @property
    def spec(self) -> Body:
        spec: Body = self.service["Spec"]
        return spec

    @cached_property
    def touched(self) -> bool:
        return self.spec["Name"] in self.deed.touched

    @cached_property
    def status(self) -> str:
        """The update's state, as far as it tells of now.

        One that we did not cause counts while it is under way, and where it stopped half-way and still is.
        """
        state = str((self.service.get("UpdateStatus") or {}).get("State") or "")
        if self.deed.going_back:
            state = ON_THE_WAY_BACK.get(state, state)
        if self.touched or state in ("updating", "rollback_started"):
            return state
        return state if state in ("paused", "rollback_paused") and len(self.good) < self.wanted else ""

    @property
    def message(self) -> str:
        """What the engine says of an update that it stopped."""
        told = self.status in ("paused", "rollback_started", "rollback_completed", "rollback_paused")
        return str((self.service.get("UpdateStatus") or {}).get("Message") or "") if told else ""

    @cached_property
    def mode(self) -> str:
        return str(next(iter(self.spec.get("Mode") or {"Replicated": {}})))

    @cached_property
    def is_job(self) -> bool:
        return self.mode.endswith("Job")

    @cached_property
    def restart(self) -> Body:
        return self.spec["TaskTemplate"].get("RestartPolicy") or {}

    @cached_property
    def ends_by_itself(self) -> bool:
        """A job, or a service whose tasks are not restarted once they have succeeded."""
        return self.is_job or self.restart.get("Condition") in ("none", "on-failure")

    @cached_property
    def restart_delay(self) -> float:
        if self.restart.get("Condition") == "none":
            return 0.0
        return _seconds(self.restart.get("Delay"), RESTART_DELAY)

    @cached_property
    def crashes(self) -> int:
        """How many ends make a crash loop; attempts that the service grants itself are not cut short."""
        return max(CRASHES, int(self.restart.get("MaxAttempts") or 0) + 1)

    @cached_property
    def monitor(self) -> float:
        """Seconds for which a task must have been up to count as good."""
        if self.limits.monitor is not None:
            return self.limits.monitor
        return _seconds((self.spec.get("UpdateConfig") or {}).get("Monitor") or None, MONITOR)

    @cached_property
    def health_check(self) -> Body:
        return (self.spec["TaskTemplate"].get("ContainerSpec") or {}).get("Healthcheck") or {}

    @cached_property
    def health_allowance(self) -> float:
        """Seconds after which the engine itself gives up on a container whose health check never passes."""
        check = self.health_check
        interval = _seconds(check.get("Interval") or None, HEALTH_INTERVAL)
        timeout = _seconds(check.get("Timeout") or None, HEALTH_TIMEOUT)
        return _seconds(check.get("StartPeriod"), 0.0) + int(check.get("Retries") or HEALTH_RETRIES) * (interval + timeout)

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
            tasks.sort(key=lambda task: (is_wanted(task), task.get("CreatedAt", "")), reverse=True)
        return found

    @cached_property
    def newest(self) -> list[Body]:
        return [tasks[0] for tasks in self.slots.values()]

    @cached_property
    def places(self) -> frozenset[str]:
        """The nodes that a global service has a task on."""
        return frozenset(node["ID"] for node in self.nodes.values() if eligible(node, self.spec))

    @cached_property
    def wanted(self) -> int:
        mode = (self.spec.get("Mode") or {}).get(self.mode) or {}
        if self.mode == "Replicated":
            return 1 if mode.get("Replicas") is None else int(mode["Replicas"])
        if self.mode == "ReplicatedJob":
            return int(completions(mode))
        return len(self.places)

    @cached_property
    def good(self) -> list[Body]:
        """Tasks that are as they should be: running on a node that is there, or done where that is the aim."""
        return [task for task in self.newest if (is_up(task) and self.is_there(task)) or (self.ends_by_itself and is_done(task))]

    @cached_property
    def ended(self) -> Mapping[Any, list[Body]]:
        """Tasks of each slot that ended and should not have, lately and since we watch; the newest first.

        What ended before may have been mended meanwhile.
        """
        life = SHORT_LIFE + (self.health_allowance if self.health_check else 0.0)
        window = self.crashes * (self.restart_delay + life)
        since = max(self.now - window, self.deed.since)
        return {
            slot: [task for task in tasks if self.counts(task) and changed_at(task) >= since and self.is_new(task)]
            for slot, tasks in self.slots.items()
        }

    @cached_property
    def steady(self) -> frozenset[str]:
        """Good tasks that have shown that they stay.

        Where others ended before, up for longer than those lived: a starved engine takes dead processes for running for a while.
        When they started nobody tells, and one may have pulled its image for minutes: what is no short life is not asked for.
        """
        found = set()
        for slot, tasks in self.slots.items():
            lives = (changed_at(task) - moment(task.get("CreatedAt", "")) for task in self.ended[slot])
            longest = min(SHORT_LIFE, max(lives, default=0.0))
            if is_done(tasks[0]) or self.up_for(tasks[0]) >= self.monitor + longest:
                found.add(str(tasks[0]["ID"]))
        return frozenset(found)

    @cached_property
    def engine_decides(self) -> bool:
        """Whether the engine itself will soon say that the update failed.

        A rollback of ours at the moment of its own would swap the two specs twice (swarmkit, rollbackUpdate).
        """
        action = (self.spec.get("UpdateConfig") or {}).get("FailureAction")
        return self.touched and self.status == "updating" and action == "rollback"

    @cached_property
    def lost_starts(self) -> frozenset[str]:
        """Tasks that a node which has gone away was to start for an update of ours.

        The engine has replaced them, and still waits for them for ever: its update stands still (swarmkit, updater.updateTask).
        """
        if not (self.touched and self.status == "updating"):
            return frozenset()
        return frozenset(
            str(task["ID"])
            for task in self.tasks
            if _rank(task["Status"]["State"]) < RUNNING and not is_wanted(task) and task.get("NodeID") and not self.is_there(task)
        )

    @cached_property
    def is_early(self) -> bool:
        """Whether it is too early to condemn the service for tasks that end.

        What we did not write to may mend: a node that has just joined fails until it is set up.
        """
        return self.engine_decides or (not self.touched and self.now - self.deed.since <= self.limits.progress)

    def is_new(self, task: Body) -> bool:
        """Whether the task tells of the service as we have just written it.

        After an update to a spec that it had before, tasks from then are there too.
        """
        return not self.touched or moment(task.get("CreatedAt", "")) >= self.deed.since - SKEW

    def counts(self, task: Body) -> bool:
        """Whether it ended, should not have, and was not merely too soon."""
        too_soon = TOO_SOON in error_of(task) and self.now - self.deed.since <= self.limits.progress
        return self.should_not_have_ended(task) and not too_soon

    def should_not_have_ended(self, task: Body) -> bool:
        return is_dead(task) or (is_done(task) and not self.ends_by_itself)

    def is_there(self, task: Body) -> bool:
        """Whether the task's node answers, and should have the task where the service is global."""
        node = self.nodes.get(str(task.get("NodeID")))
        return node is not None and is_ready(node) and (self.mode != "Global" or node["ID"] in self.places)

    def up_for(self, task: Body) -> float:
        """Seconds since the swarm learnt of the task's present state."""
        return self.now - changed_at(task)

    def age(self, task: Body) -> float:
        return self.now - moment(task.get("CreatedAt", ""))


def is_wanted(task: Body) -> bool:
    return _rank(task["DesiredState"]) <= RUNNING


def is_up(task: Body) -> bool:
    return bool(task["Status"]["State"] == "running" and is_wanted(task))


def is_done(task: Body) -> bool:
    return bool(task["Status"]["State"] == "complete")


def is_dead(task: Body) -> bool:
    return task["Status"]["State"] in ("failed", "rejected")


def error_of(task: Body) -> str:
    return str(task["Status"].get("Err") or "")


def changed_at(task: Body) -> float:
    """When the swarm learnt of the task's present state."""
    return moment(task.get("UpdatedAt") or task["Status"].get("Timestamp", ""))


def moment(text: str) -> float:
    """An RFC 3339 time of the engine's, in seconds since 1970; nanoseconds are cut, Python reads microseconds."""
    whole, _point, fraction = text.rstrip("Z").partition(".")
    try:
        parsed = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return 0.0
    return parsed.timestamp() + float(f"0.{fraction or 0}")


def _seconds(nanoseconds: Any, default: float) -> float:
    return default if nanoseconds is None else float(nanoseconds) / SECOND


def _rank(state: str) -> int:
    return STATES.index(state) if state in STATES else len(STATES)
