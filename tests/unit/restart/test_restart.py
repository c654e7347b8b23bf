from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils import _restart
from ansible_collections.homecloud.swarm.plugins.module_utils._clock import Clock
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import (
    EngineUnreachableError,
    NotConvergedError,
    QuorumLostError,
    RefusedError,
)
from ansible_collections.homecloud.swarm.plugins.module_utils._restart import (
    RestartOptions,
    is_older,
    quorum_problem,
    restart_engine,
)


def managers(*reachabilities: str) -> list[dict[str, Any]]:
    return [
        {"ID": f"n{index}", "Description": {"Hostname": f"manager{index}"}, "ManagerStatus": {"Reachability": reachability}}
        for index, reachability in enumerate(reachabilities, start=1)
    ]


@pytest.mark.parametrize(
    ("states", "refused"),
    [
        ("u", False),
        ("uu", False),
        ("uuu", False),
        ("uud", True),
        ("uuud", True),
        ("uuuud", False),
        ("uuudd", True),
        ("", False),
    ],
)
def test_quorum(states: str, refused: bool) -> None:
    problem = quorum_problem(managers(*("reachable" if state == "u" else "unreachable" for state in states)), "n1")
    assert bool(problem) is refused
    if problem:
        assert f"manager{states.index('d') + 1}" in problem


class Engine:
    """Answers from a table of paths; a list is used up to its last answer."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.posted: list[tuple[str, Any]] = []

    def get(self, path: str, **_query: Any) -> Any:
        answer = self.answers[path.strip("/").split("/")[0]]
        if isinstance(answer, list) and path.count("/") > 1:
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def info(self) -> Any:
        swarm = self.answers["info"]
        return {"Swarm": swarm.pop(0) if len(swarm) > 1 else swarm[0]}

    def post(self, path: str, body: Any) -> None:
        self.posted.append((path, body))


WORKER = {"LocalNodeState": "active", "NodeID": "n1", "ControlAvailable": False}
MANAGER = {"LocalNodeState": "active", "NodeID": "n1", "ControlAvailable": True}
PENDING = {"LocalNodeState": "pending", "NodeID": "n1", "ControlAvailable": False}
LOCKED = {"LocalNodeState": "locked", "NodeID": "", "ControlAvailable": False}
ALONE = {"LocalNodeState": "inactive", "NodeID": "", "ControlAvailable": False}
READY = {"Status": {"State": "ready"}, "ManagerStatus": {"Reachability": "reachable"}}
AWAY = {"Status": {"State": "down"}, "ManagerStatus": {"Reachability": "unreachable"}}


@pytest.fixture
def restarted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    services: list[str] = []
    monkeypatch.setattr(_restart, "_restart_service", services.append)
    return services


def run(before: Engine, after: Engine | None, key: str | None = None, check: bool = False) -> bool:
    now = [0.0]
    clock = Clock(now=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))

    def reconnect() -> Any:
        if after is None:
            raise EngineUnreachableError("silent")
        return after

    engine: Any = before
    return restart_engine(engine, RestartOptions("docker", 60, key), check, reconnect, clock).changed


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Engine(info=[ALONE]), Engine(info=[ALONE])),
        (Engine(info=[WORKER]), Engine(info=[PENDING, PENDING, WORKER])),
        (
            Engine(info=[MANAGER], nodes=managers("reachable")),
            Engine(info=[PENDING, MANAGER], nodes=[QuorumLostError("electing"), AWAY, READY]),
        ),
        (Engine(info=[MANAGER], nodes=QuorumLostError("lost")), Engine(info=[MANAGER], nodes=[READY])),
    ],
)
def test_restart_waits_until_the_node_is_a_member_again(before: Engine, after: Engine, restarted: list[str]) -> None:
    assert run(before, after)
    assert restarted == ["docker"]


@pytest.mark.parametrize(
    ("engine_age", "file", "older"),
    [(100, True, True), (-100, True, False), (None, True, False), (100, False, False)],
    ids=["has not read it", "has read it", "no pid file", "no such file"],
)
def test_engine_older_than_its_files(tmp_path: Path, engine_age: float | None, file: bool, older: bool) -> None:
    pid_file, settings = tmp_path / "docker.pid", tmp_path / "daemon.json"
    if file:
        settings.touch()
    if engine_age is not None:
        pid_file.touch()
        started = time.time() - engine_age
        os.utime(pid_file, (started, started))
    assert is_older(pid_file, [str(settings)]) is older


def test_engine_that_is_new_enough_is_left_alone(restarted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_restart, "is_older", lambda _started, _files: False)
    engine: Any = Engine(info=[WORKER])
    options = RestartOptions("docker", 60, older_than=("/etc/docker/daemon.json",))
    assert not restart_engine(engine, options, False, lambda: engine).changed
    assert restarted == []


def test_check_mode_restarts_nothing(restarted: list[str]) -> None:
    assert run(Engine(info=[WORKER]), None, check=True)
    assert restarted == []


def test_quorum_at_risk_is_refused_before_anything_is_done(restarted: list[str]) -> None:
    with pytest.raises(RefusedError, match="bring manager3 back first"):
        run(Engine(info=[MANAGER], nodes=managers("reachable", "reachable", "unreachable")), None)
    assert restarted == []


def test_locked_manager_is_opened(restarted: list[str]) -> None:
    after = Engine(info=[LOCKED, MANAGER], nodes=[READY])
    assert run(Engine(info=[MANAGER], nodes=managers("reachable")), after, key="SWMKEY-1-x")
    assert after.posted == [("/swarm/unlock", {"UnlockKey": "SWMKEY-1-x"})]


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (None, "did not answer within 60 s"),
        (Engine(info=[LOCKED]), "autolock"),
        (Engine(info=[{**PENDING, "Error": "no route to host"}]), "no route to host"),
    ],
)
def test_what_does_not_come_back_is_named(after: Engine | None, says: str, restarted: list[str]) -> None:
    with pytest.raises(NotConvergedError, match=says):
        run(Engine(info=[WORKER]), after)
