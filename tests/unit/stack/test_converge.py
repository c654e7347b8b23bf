# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts as a table of what the engine may say. The clock jumps; nothing sleeps."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._clock import Clock
from ansible_collections.homecloud.swarm.plugins.module_utils._converge import judge_all, standing_still, watch
from ansible_collections.homecloud.swarm.plugins.module_utils._eligible import fits
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import EngineError
from ansible_collections.homecloud.swarm.plugins.module_utils._model import Snapshot, Verdict
from ansible_collections.homecloud.swarm.plugins.module_utils._situation import Deed, Limits, moment

NOW = moment("2026-01-01T12:00:00.5Z")
NODES = [
    {
        "ID": f"n{number}",
        "Spec": {"Role": "worker", "Availability": "active", "Labels": {"disk": "SSD" if number == 1 else "hdd", "zone": "EU/west"}},
        "Status": {"State": "ready", "Addr": f"192.0.2.{number}"},
        "Description": {"Hostname": f"node{number}", "Platform": {"OS": "linux", "Architecture": "x86_64"}, "Engine": {}},
    }
    for number in (1, 2)
]


def service(mode: dict[str, Any] | None = None, update: str = "", policy: dict[str, Any] | None = None, **template: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ID": "web",
        "Spec": {"Name": "s_web", "Mode": mode or {"Replicated": {"Replicas": 2}}, "TaskTemplate": template},
    }
    if policy is not None:
        found["Spec"]["TaskTemplate"]["RestartPolicy"] = policy
    if update:
        found["UpdateStatus"] = {"State": update, "Message": f"it is {update}"}
    return found


def task(slot: int, state: str, ago: float = 60, wanted: str = "running", error: str = "") -> dict[str, Any]:
    since = datetime.fromtimestamp(NOW - ago, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {
        "ID": f"task{slot}{state}{ago}",
        "ServiceID": "web",
        "Slot": slot,
        "NodeID": f"n{slot}",
        "DesiredState": wanted,
        "CreatedAt": since,
        "UpdatedAt": since,
        "Status": {"State": state, "Err": error},
    }


NO_IMAGE = "No such image: nosuch:1"
EXIT = "task: non-zero exit (1)"
GLOBAL: dict[str, Any] = {"Global": {}}
JOB = {"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 2}}
ONE = {"Replicated": {"Replicas": 1}}
#: We wrote to the service a minute ago.
OURS = Deed(frozenset({"s_web"}), NOW - 60)
UNHEALTHY = "task: non-zero exit (137): dockerexec: unhealthy container"
QUICK_CHECK = {"Healthcheck": {"Interval": 10**9, "Timeout": 10**9, "Retries": 2}}
SLOW_CHECK = {"Healthcheck": {"StartPeriod": 300 * 10**9}}


def dead(slot: int, ago: float, error: str = EXIT, state: str = "failed") -> dict[str, Any]:
    return task(slot, state, ago, "shutdown", error)


@pytest.mark.parametrize(
    ("case", "found", "tasks", "verdict"),
    [
        ("all up long enough", service(), [task(1, "running"), task(2, "running")], Verdict.CONVERGED),
        ("one not yet up for the monitor time", service(), [task(1, "running"), task(2, "running", 2)], Verdict.UPDATING),
        ("one still starting, as with a health check", service(), [task(1, "running"), task(2, "starting")], Verdict.UPDATING),
        ("one slot without a task", service(), [task(1, "running")], Verdict.UPDATING),
        ("no tasks yet", service(), [], Verdict.UPDATING),
        ("scaled to nothing", service({"Replicated": {"Replicas": 0}}), [], Verdict.CONVERGED),
        ("scaled to nothing, one task still ends", service({"Replicated": {"Replicas": 0}}), [task(1, "running")], Verdict.UPDATING),
        ("up, but the engine still updates", service(update="updating"), [task(1, "running"), task(2, "running")], Verdict.UPDATING),
        ("update done", service(update="completed"), [task(1, "running"), task(2, "running")], Verdict.CONVERGED),
        ("update paused", service(update="paused"), [task(1, "running"), dead(2, 9)], Verdict.PAUSED),
        ("rolled back, all up", service(update="rollback_completed"), [task(1, "running"), task(2, "running")], Verdict.ROLLED_BACK),
        ("rolling back", service(update="rollback_started"), [task(1, "running")], Verdict.ROLLED_BACK),
        ("rollback stopped", service(update="rollback_paused"), [task(1, "running")], Verdict.ROLLBACK_PAUSED),
        ("a one-shot that ended well", service(ONE, policy={"Condition": "none"}), [task(1, "complete", 3, "shutdown")], Verdict.CONVERGED),
        (
            "a one-shot that ended well and was taken for a failure",
            service(ONE, "paused", {"Condition": "on-failure"}),
            [task(1, "complete", 9, "shutdown")],
            Verdict.CONVERGED,
        ),
        ("a one-shot that failed", service(ONE, policy={"Condition": "none"}), [dead(1, 30)], Verdict.FAILED),
        ("dead, but its successor may still come", service(ONE), [dead(1, 3)], Verdict.UPDATING),
        ("attempts used up", service(ONE, policy={"Delay": 10**9, "MaxAttempts": 1}), [dead(1, 9), dead(1, 4)], Verdict.FAILED),
        (
            "crashing again and again",
            service(ONE),
            [dead(1, 30), dead(1, 20), dead(1, 10), task(1, "ready", 3)],
            Verdict.CRASH_LOOPING,
        ),
        (
            "crashed at first, up since",
            service(ONE),
            [dead(1, 30), dead(1, 20), dead(1, 10), task(1, "running", 8)],
            Verdict.CONVERGED,
        ),
        (
            "image missing on every try",
            service(ONE),
            [dead(1, 9, NO_IMAGE, "rejected"), dead(1, 4, NO_IMAGE, "rejected"), task(1, "ready", 1)],
            Verdict.IMAGE_MISSING,
        ),
        ("image missing once", service(ONE), [dead(1, 4, NO_IMAGE, "rejected"), task(1, "ready", 1)], Verdict.UPDATING),
        ("no node fits for long", service(ONE), [task(1, "pending", 70, error="no suitable node")], Verdict.UNSCHEDULABLE),
        ("no node fits yet", service(ONE), [task(1, "pending", 20, error="no suitable node")], Verdict.UPDATING),
        ("global on every node", service(GLOBAL), [task(1, "running"), task(2, "running")], Verdict.CONVERGED),
        ("global, one node lacks", service(GLOBAL), [task(1, "running")], Verdict.UPDATING),
        (
            "global, constraint leaves one node",
            service(GLOBAL, Placement={"Constraints": ["node.labels.disk==ssd"]}),
            [task(1, "running")],
            Verdict.CONVERGED,
        ),
        (
            "global, where the zone has a slash in its name",
            service(GLOBAL, Placement={"Constraints": ["node.labels.zone==eu/west"]}),
            [task(1, "running"), task(2, "running")],
            Verdict.CONVERGED,
        ),
        (
            "global, no node is eligible",
            service(GLOBAL, Placement={"Constraints": ["node.hostname==none"]}),
            [],
            Verdict.CONVERGED,
        ),
        (
            "global, a task is left on a node that should have none",
            service(GLOBAL, Placement={"Constraints": ["node.hostname==node1"]}),
            [task(2, "running")],
            Verdict.UPDATING,
        ),
        (
            "global, the image is for other machines",
            service(GLOBAL, Placement={"Platforms": [{"Architecture": "arm64", "OS": "linux"}]}),
            [],
            Verdict.CONVERGED,
        ),
        (
            "exits with success again and again",
            service(ONE),
            [*(task(1, "complete", ago, "shutdown") for ago in (30, 20, 10)), task(1, "ready", 3)],
            Verdict.CRASH_LOOPING,
        ),
        (
            "attempts left",
            service(ONE, policy={"MaxAttempts": 4, "Delay": 10**9}),
            [*(dead(1, ago) for ago in (9, 6, 3)), task(1, "ready", 1)],
            Verdict.UPDATING,
        ),
        (
            "unhealthy again and again",
            service(ONE, ContainerSpec=QUICK_CHECK),
            [*(dead(1, ago, UNHEALTHY) for ago in (30, 20, 10)), task(1, "starting", 3)],
            Verdict.UNHEALTHY,
        ),
        ("unhealthy, and not restarted", service(ONE, policy={"Condition": "none"}), [dead(1, 10, UNHEALTHY)], Verdict.UNHEALTHY),
        ("never healthy", service(ONE, ContainerSpec=QUICK_CHECK), [task(1, "starting", 70)], Verdict.UNHEALTHY),
        ("may yet get healthy", service(ONE, ContainerSpec=SLOW_CHECK), [task(1, "starting", 70)], Verdict.UPDATING),
        (
            "no image, and not restarted",
            service(ONE, policy={"Condition": "none"}),
            [dead(1, 9, NO_IMAGE, "rejected")],
            Verdict.IMAGE_MISSING,
        ),
        ("no address for long", service(ONE), [task(1, "new", 70)], Verdict.UNSCHEDULABLE),
        ("pulls for long", service(ONE), [task(1, "preparing", 200)], Verdict.UPDATING),
        ("job done", service(JOB), [task(0, "complete", 1, "complete"), task(1, "complete", 1, "complete")], Verdict.CONVERGED),
        ("job half done", service(JOB), [task(0, "complete", 1, "complete"), task(1, "starting")], Verdict.UPDATING),
        ("job of nothing", service({"ReplicatedJob": {"MaxConcurrent": 0, "TotalCompletions": 0}}), [], Verdict.CONVERGED),
        ("job of nothing, by its concurrency alone", service({"ReplicatedJob": {"MaxConcurrent": 0}}), [], Verdict.CONVERGED),
        ("job of one that says nothing", service({"ReplicatedJob": {}}), [], Verdict.UPDATING),
        ("job failed for good", service(JOB, policy={"Condition": "none"}), [dead(1, 20)], Verdict.FAILED),
    ],
)
def test_verdict(case: str, found: dict[str, Any], tasks: list[dict[str, Any]], verdict: Verdict) -> None:
    (finding,) = judge_all(Snapshot([found], tasks, NODES, NOW), Limits(), OURS)
    assert finding.verdict is verdict, case


@pytest.mark.parametrize(
    ("case", "found", "tasks", "verdict"),
    [
        ("an old rollback", service(update="rollback_completed"), [task(1, "running"), task(2, "running")], Verdict.CONVERGED),
        ("a rollback under way", service(update="rollback_started"), [task(1, "running")], Verdict.ROLLED_BACK),
        ("stopped half-way, and still there", service(update="paused"), [task(1, "running"), dead(2, 9)], Verdict.PAUSED),
        ("stopped once, whole since", service(update="paused"), [task(1, "running"), task(2, "running")], Verdict.CONVERGED),
        ("broken for long", service(ONE, policy={"Condition": "none"}), [dead(1, 9000)], Verdict.FAILED),
        (
            "crashed last week, just restarted",
            service(ONE),
            [dead(1, 9002), dead(1, 9001), dead(1, 9000), task(1, "running", 2)],
            Verdict.UPDATING,
        ),
    ],
)
def test_verdict_on_a_service_that_nobody_touched(case: str, found: Any, tasks: list[dict[str, Any]], verdict: Verdict) -> None:
    (finding,) = judge_all(Snapshot([found], tasks, NODES, NOW), Limits())
    assert finding.verdict is verdict, case


@pytest.mark.parametrize(
    ("update", "verdict"),
    [("rollback_started", Verdict.UPDATING), ("rollback_completed", Verdict.CONVERGED), ("updating", Verdict.UPDATING)],
)
def test_a_rollback_is_what_is_wanted_on_the_way_back(update: str, verdict: Verdict) -> None:
    snapshot = Snapshot([service(update=update)], [task(1, "running"), task(2, "running")], NODES, NOW)
    assert judge_all(snapshot, Limits(), Deed(frozenset({"s_web"}), NOW - 60, going_back=True))[0].verdict is verdict


@pytest.mark.parametrize(("since", "verdict"), [(59, Verdict.UPDATING), (61, Verdict.CRASH_LOOPING)])
def test_a_network_that_the_node_has_not_heard_of_yet_is_no_crash(since: float, verdict: Verdict) -> None:
    """For as long as anything may take to get on; then it is what is wrong, as addresses may be used up."""
    early = "node is missing network attachments, ip addresses may be exhausted"
    tasks = [*(dead(1, ago, early, "rejected") for ago in (30, 20, 10)), task(1, "ready", 3)]
    found = judge_all(Snapshot([service(ONE)], tasks, NODES, NOW), Limits(), Deed(frozenset({"s_web"}), NOW - since))[0]
    assert found.verdict is verdict
    assert (early in found.reason) is (verdict is Verdict.CRASH_LOOPING)


@pytest.mark.parametrize("newest", [[task(1, "starting", 1)], []])
def test_what_crashed_before_we_wrote_is_not_held_against_it(newest: list[dict[str, Any]]) -> None:
    # reported late, by a node that was away
    late = {**dead(1, 30), "UpdatedAt": task(1, "new", 4)["UpdatedAt"]}
    snapshot = Snapshot([service(ONE)], [late, dead(1, 20), dead(1, 10), *newest], NODES, NOW)
    assert judge_all(snapshot, Limits(), Deed(frozenset({"s_web"}), NOW - 5))[0].verdict is Verdict.UPDATING


@pytest.mark.parametrize("error", [EXIT, NO_IMAGE])
@pytest.mark.parametrize(("touched", "ago", "condemned"), [("s_web", 40, True), ("", 40, False), ("", 90, True)])
def test_what_we_did_not_write_to_may_mend(error: str, touched: str, ago: float, condemned: bool) -> None:
    tasks = [*(dead(1, past, error, "rejected") for past in (30, 20, 10)), task(1, "ready", 1)]
    deed = Deed(frozenset({touched}), NOW - ago)
    verdict = judge_all(Snapshot([service(ONE)], tasks, NODES, NOW), Limits(), deed)[0].verdict
    assert (verdict is not Verdict.UPDATING) is condemned


@pytest.mark.parametrize(
    ("given", "monitor", "ago", "verdict"),
    [
        (None, None, 4, Verdict.UPDATING),
        (None, None, 6, Verdict.CONVERGED),
        (None, 20, 6, Verdict.UPDATING),
        (1.0, 20, 2, Verdict.CONVERGED),
        (30.0, None, 6, Verdict.UPDATING),
    ],
)
def test_stable_for_the_services_own_monitor_unless_told(given: float | None, monitor: int | None, ago: float, verdict: Verdict) -> None:
    found = service(ONE)
    found["Spec"]["UpdateConfig"] = {"Monitor": monitor * 10**9} if monitor else {}
    assert judge_all(Snapshot([found], [task(1, "running", ago)], NODES, NOW), Limits(given))[0].verdict is verdict


def test_the_finding_names_error_task_and_node() -> None:
    (finding,) = judge_all(Snapshot([service(ONE)], [dead(2, 30)], NODES, NOW), Limits())
    assert (finding.reason, finding.node, finding.task) == (EXIT, "node2", "task2failed30")


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("node.hostname==NODE1", True),
        ("node.hostname != node1", False),
        ("node.labels.disk==ssd", True),
        ("node.labels.none==", True),
        ("node.labels.none!=x", True),
        ("node.role == manager", False),
        ("node.platform.os==linux", True),
        ("engine.labels.gpu==yes", False),
        ("node.id==n1", True),
        ("node.ip==192.0.2.1", True),
        ("node.ip!=192.0.2.1", False),
        ("node.ip==192.0.2.0/24", True),
        ("node.ip != 192.0.2.0/24", False),
        ("node.ip==198.51.100.0/24", False),
        ("node.ip!=2001:db8::/32", True),
        ("node.ip!=192.0.2.0/33", False),
        ("node.labels.zone==eu/west", True),
        ("node.labels.zone!=eu/west", False),
        ("node.labels.zone!=eu/north", True),
        ("node.labels.zone==192.0.2.0/24", False),
    ],
)
def test_constraints(constraint: str, expected: bool) -> None:
    assert fits(NODES[0], constraint) is expected


class Jumping:
    """A clock that moves only when someone sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def clock(self) -> Clock:
        return Clock(now=lambda: self.time, sleep=self.pass_by)

    def pass_by(self, seconds: float) -> None:
        self.time += seconds


def test_watch_ends_when_all_are_final() -> None:
    answers = iter([Snapshot([service()], [], NODES, NOW), Snapshot([service()], [task(1, "running"), task(2, "running")], NODES, NOW)])
    seen = [findings[0].verdict for findings in watch(lambda: next(answers), Limits(), Deed(), Jumping().clock())]
    assert seen == [Verdict.UPDATING, Verdict.CONVERGED]


def test_watch_ends_at_the_first_that_will_not_come_up() -> None:
    found = [service(ONE), {**service(), "ID": "db", "Spec": {**service()["Spec"], "Name": "s_db"}}]
    tasks = [dead(1, 9, NO_IMAGE, "rejected"), dead(1, 4, NO_IMAGE, "rejected"), task(1, "ready", 1)]
    (findings,) = watch(lambda: Snapshot(found, tasks, NODES, NOW), Limits(), Deed(), Jumping().clock())
    assert [finding.verdict for finding in findings] == [Verdict.UPDATING, Verdict.IMAGE_MISSING]


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        (task(1, "pending", 5, error="no suitable node"), Verdict.UNSCHEDULABLE),
        (task(1, "starting", 5), Verdict.UNHEALTHY),
        (task(1, "preparing", 5), Verdict.TIMED_OUT),
    ],
)
def test_what_it_waits_for_when_time_is_over_is_what_is_wrong(last: dict[str, Any], verdict: Verdict) -> None:
    polls = list(watch(lambda: Snapshot([service(ONE)], [last], NODES, NOW), Limits(timeout=1), Deed(), Jumping().clock()))
    assert polls[-1][0].verdict is verdict


@pytest.mark.parametrize(("ago", "verdict"), [(8, Verdict.UPDATING), (20, Verdict.CONVERGED)])
def test_after_a_crash_a_task_counts_when_it_outlives_the_one_before(ago: float, verdict: Verdict) -> None:
    crashed = {**dead(1, 30), "CreatedAt": task(1, "new", 42)["CreatedAt"]}
    assert judge_all(Snapshot([service(ONE)], [crashed, task(1, "running", ago)], NODES, NOW), Limits(), OURS)[0].verdict is verdict


@pytest.mark.parametrize(("ago", "verdict"), [(34, Verdict.UPDATING), (36, Verdict.CONVERGED)])
@pytest.mark.parametrize("container", [{}, {"ContainerSpec": {"Healthcheck": {"Test": ["CMD", "true"]}}}])
def test_pulling_an_image_is_no_life(container: dict[str, Any], ago: float, verdict: Verdict) -> None:
    crashed = {**dead(1, 41), "CreatedAt": task(1, "new", 200)["CreatedAt"]}
    deed = Deed(frozenset({"s_web"}), NOW - 201)
    snapshot = Snapshot([service(ONE, **container)], [crashed, task(1, "running", ago)], NODES, NOW)
    assert judge_all(snapshot, Limits(), deed)[0].verdict is verdict


def test_a_node_that_is_down_runs_nothing() -> None:
    nodes = [NODES[0], {**NODES[1], "Status": {"State": "down"}}]
    (finding,) = judge_all(Snapshot([service()], [task(1, "running"), task(2, "running")], nodes, NOW), Limits())
    assert (finding.verdict, finding.running) == (Verdict.UPDATING, 1)


def test_watch_gives_up_at_the_deadline() -> None:
    jumping = Jumping()
    polls = list(watch(lambda: Snapshot([service()], [], NODES, NOW), Limits(timeout=10), Deed(), jumping.clock()))
    assert polls[-1][0].verdict is Verdict.TIMED_OUT
    assert jumping.time == pytest.approx(10)


def test_watch_survives_a_change_of_leader() -> None:
    answers: list[Any] = [EngineError("no leader", 500), Snapshot([service()], [task(1, "running"), task(2, "running")], NODES, NOW)]

    def poll() -> Snapshot:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    assert list(watch(poll, Limits(), Deed(), Jumping().clock()))[-1][0].verdict is Verdict.CONVERGED


def test_watch_says_so_when_the_engine_stays_silent() -> None:
    def poll() -> Snapshot:
        raise EngineError("no leader", 500)

    with pytest.raises(EngineError, match="no leader"):
        list(watch(poll, Limits(timeout=5), Deed(), Jumping().clock()))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1970-01-01T00:00:10.123456789Z", 10.123456789), ("1970-01-01T00:00:10Z", 10.0), ("0001-01-01T00:00:00Z", -62135596800.0), ("", 0.0)],
)
def test_moment(text: str, seconds: float) -> None:
    assert moment(text) == pytest.approx(seconds)


GONE = [NODES[0], {**NODES[1], "Status": {"State": "down"}}]
LEFT = task(2, "assigned", 40, "shutdown")


@pytest.mark.parametrize(
    ("case", "found", "lost", "nodes", "deed", "stands_still"),
    [
        ("a node went away before it started the new task", service(update="updating"), LEFT, GONE, OURS, True),
        ("the node is still there", service(update="updating"), LEFT, NODES, OURS, False),
        ("the task had started", service(update="updating"), task(2, "running", 40, "shutdown"), GONE, OURS, False),
        ("the task is still wanted", service(update="updating"), task(2, "assigned", 40), GONE, OURS, False),
        ("the update has ended", service(update="completed"), LEFT, GONE, OURS, False),
        ("the update is not ours", service(update="updating"), LEFT, GONE, Deed(), False),
    ],
)
def test_updates_that_stand_still(
    case: str, found: dict[str, Any], lost: dict[str, Any], nodes: list[dict[str, Any]], deed: Deed, stands_still: bool
) -> None:
    snapshot = Snapshot([found], [task(1, "running"), lost], nodes, NOW)
    assert standing_still(snapshot, deed) == ({"web": frozenset({lost["ID"]})} if stands_still else {}), case


@pytest.mark.parametrize(
    ("action", "state", "policy", "verdict"),
    [
        ("rollback", "updating", None, Verdict.UPDATING),
        ("rollback", "updating", {"Condition": "none"}, Verdict.UPDATING),
        ("rollback", "completed", None, Verdict.CRASH_LOOPING),
        ("pause", "updating", None, Verdict.CRASH_LOOPING),
        ("pause", "updating", {"Condition": "none"}, Verdict.FAILED),
    ],
)
def test_an_engine_that_will_roll_back_decides_first(action: str, state: str, policy: dict[str, Any] | None, verdict: Verdict) -> None:
    found = service(ONE, state, policy)
    found["Spec"]["UpdateConfig"] = {"FailureAction": action}
    successors = [] if policy else [task(1, "ready", 1, "ready")]
    (finding,) = judge_all(Snapshot([found], [dead(1, 20), dead(1, 15), dead(1, 10), *successors], NODES, NOW), Limits(), OURS)
    assert finding.verdict is verdict
