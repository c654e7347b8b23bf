# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watch: services and their tasks -> a verdict on each. Pure predicates, time passed in.

A new kind of failure is one predicate and one line of ``VERDICTS``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from ._clock import SYSTEM, Clock
from ._errors import EngineError, EngineUnreachableError
from ._model import Body, Finding, Snapshot, Verdict
from ._situation import Deed, Limits, Situation, error_of, is_dead, is_done, is_up, is_wanted

#: Seconds beyond its restart delay after which a dead task without successor stays dead.
GRACE = 2.0
#: Seconds between two polls.
PAUSE = 0.5


def was_rolled_back(now: Situation) -> bool:
    return now.status in ("rollback_started", "rollback_completed")


def rollback_stopped(now: Situation) -> bool:
    return now.status == "rollback_paused"


def update_stopped(now: Situation) -> bool:
    """Paused, unless a one-shot that ended well was taken for a failure (the engine counts every early end as one)."""
    return now.status == "paused" and not (now.ends_by_itself and now.newest and all(map(is_done, now.newest)))


def has_converged(now: Situation) -> bool:
    if now.status == "updating" or len(now.good) < now.wanted:
        return False
    if now.wanted == 0 and any(is_wanted(task) and not is_done(task) for task in now.newest):
        return False
    return all(task["ID"] in now.steady for task in now.good)


def image_is_missing(now: Situation) -> bool:
    """Every attempt so far ended for want of the image, and more than one a slot has been made, or none will follow."""
    ended = [task for tasks in now.ended.values() for task in tasks]
    missing = bool(ended) and not now.good and not now.is_early and all("No such image" in error_of(task) for task in ended)
    return missing and (len(ended) > now.wanted or has_given_up(now))


def has_given_up(now: Situation) -> bool:
    """A slot whose task ended and gets no successor: not restarted at all, or its attempts used up."""
    patience = now.restart_delay + GRACE
    ended = [task for task in now.newest if now.should_not_have_ended(task) and not is_wanted(task) and now.is_new(task)]
    return not now.engine_decides and any(now.up_for(task) > patience for task in ended)


def keeps_ending(now: Situation) -> bool:
    return not now.is_early and any(
        len(now.ended[slot]) >= now.crashes and not (is_up(tasks[0]) and tasks[0]["ID"] in now.steady) for slot, tasks in now.slots.items()
    )


def is_unhealthy(now: Situation) -> bool:
    """Its health check fails again and again, or does not pass in the time that it has."""
    patience = max(now.limits.progress, now.health_allowance)
    return any(task["Status"]["State"] == "starting" and now.up_for(task) > patience for task in now.newest) or (
        (keeps_ending(now) or has_given_up(now))
        and any("unhealthy" in error_of(task) for tasks in now.ended.values() for task in tasks[:1])
    )


def no_node_fits(now: Situation) -> bool:
    """The scheduler finds no node, or an address or port is not to be had."""
    stuck = [task for task in now.newest if task["Status"]["State"] == "new" or (task["Status"]["State"] == "pending" and error_of(task))]
    return any(now.age(task) > now.limits.progress for task in stuck)


#: The first predicate that holds decides.
VERDICTS: tuple[tuple[Verdict, Callable[[Situation], bool]], ...] = (
    (Verdict.ROLLBACK_PAUSED, rollback_stopped),
    (Verdict.ROLLED_BACK, was_rolled_back),
    (Verdict.PAUSED, update_stopped),
    (Verdict.CONVERGED, has_converged),
    (Verdict.IMAGE_MISSING, image_is_missing),
    (Verdict.UNHEALTHY, is_unhealthy),
    (Verdict.FAILED, has_given_up),
    (Verdict.CRASH_LOOPING, keeps_ending),
    (Verdict.UNSCHEDULABLE, no_node_fits),
)

#: Verdicts after which waiting makes no sense.
FINAL = frozenset(verdict for verdict, _predicate in VERDICTS)
BAD = FINAL - {Verdict.CONVERGED}

#: What a task waits for in a state that has no words of its own.
WAITS_FOR: Mapping[str, str] = {
    "new": "it waits for an address on its networks or for a port",
    "pending": "it waits for a node",
    "assigned": "it waits for its node to answer",
    "accepted": "it waits for its node to answer",
    "preparing": "its image and volumes are made ready",
    "starting": "it starts",
}


def judge(now: Situation) -> Finding:
    """The verdict on one service, with the task and the words that show it."""
    verdict = next((verdict for verdict, holds in VERDICTS if holds(now)), Verdict.UPDATING)
    witness = _witness(now) if verdict is not Verdict.CONVERGED else None
    return Finding(
        service=now.spec["Name"],
        verdict=verdict,
        running=len(now.good),
        wanted=now.wanted,
        reason=_reason(now, witness) if verdict is not Verdict.CONVERGED else "",
        node=_hostname(now, witness),
        task=str(witness["ID"]) if witness else "",
        state=str(witness["Status"]["State"]) if witness else "",
    )


def _reason(now: Situation, witness: Body | None) -> str:
    if witness is None:
        return now.message
    ended = f"it exits with code {_exit_code(witness)}" if now.should_not_have_ended(witness) else ""
    state = str(witness["Status"]["State"])
    waits_for = "its health check has not passed yet" if state == "starting" and now.health_check else WAITS_FOR.get(state, "")
    return error_of(witness) or now.message or ended or waits_for


def _exit_code(task: Body) -> int:
    return int((task["Status"].get("ContainerStatus") or {}).get("ExitCode") or 0)


def _witness(now: Situation) -> Body | None:
    """The newest task that tells what is wrong: one that ended of late, else one that is not up yet."""
    ended = [task for tasks in now.ended.values() for task in tasks]
    waiting = [task for task in now.newest if is_wanted(task) and not is_up(task)]
    telling = [task for task in now.newest if error_of(task)]
    groups = (ended, telling, waiting, [task for task in now.newest if is_dead(task)])
    return max(next(filter(None, groups), []), key=lambda task: str(task.get("UpdatedAt", "")), default=None)


def _hostname(now: Situation, task: Body | None) -> str:
    node = now.nodes.get(str(task.get("NodeID"))) if task else None
    return str(node["Description"].get("Hostname", "")) if node else ""


def judge_all(snapshot: Snapshot, limits: Limits, deed: Deed | None = None) -> list[Finding]:
    """One verdict per service, by name."""
    return list(map(judge, _situations(snapshot, limits, deed or Deed())))


def _situations(snapshot: Snapshot, limits: Limits, deed: Deed) -> Iterator[Situation]:
    by_service: dict[str, list[Body]] = defaultdict(list)
    for task in snapshot.tasks:
        by_service[task["ServiceID"]].append(task)
    by_id = {node["ID"]: node for node in snapshot.nodes}
    for service in sorted(snapshot.services, key=lambda service: str(service["Spec"]["Name"])):
        yield Situation(service, tuple(by_service[service["ID"]]), by_id, snapshot.now, limits, deed)


def standing_still(snapshot: Snapshot, deed: Deed) -> Mapping[str, frozenset[str]]:
    """Services whose update waits for tasks that will never start: id -> those tasks."""
    found = {now.service["ID"]: now.lost_starts for now in _situations(snapshot, Limits(), deed)}
    return {service: tasks for service, tasks in found.items() if tasks}


def watch(poll: Callable[[], Snapshot], limits: Limits, deed: Deed, clock: Clock = SYSTEM) -> Iterator[list[Finding]]:
    """Yield the verdicts on all services after each poll; ends when all are well, one is not and will not be, or time is over.

    One failed poll is not the end: a leader may just be changing.
    """
    deadline = clock.now() + limits.timeout
    while True:
        late = clock.now() >= deadline
        try:
            findings = judge_all(poll(), limits, deed)
        except (EngineError, EngineUnreachableError):
            if late:
                raise
        else:
            yield [_ended(finding) for finding in findings] if late else findings
            if late or is_settled(findings):
                return
        clock.sleep(PAUSE)


def is_settled(findings: list[Finding]) -> bool:
    """Whether waiting on would change nothing."""
    return all(finding.verdict is Verdict.CONVERGED for finding in findings) or any(finding.verdict in BAD for finding in findings)


def _ended(finding: Finding) -> Finding:
    return finding if finding.verdict in FINAL else replace(finding, verdict=LATE.get(finding.state, Verdict.TIMED_OUT))


#: When time is over, what a task still waits for is what is wrong with it.
LATE: Mapping[str, Verdict] = {"pending": Verdict.UNSCHEDULABLE, "new": Verdict.UNSCHEDULABLE, "starting": Verdict.UNHEALTHY}
