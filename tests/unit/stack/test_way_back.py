"""The way back of a deploy that did not come up, where something comes in between; and who must not see what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._load import load
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._project import Source
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import EngineUnreachableError, NotConvergedError, QuorumLostError
from ansible_collections.homecloud.swarm.plugins.module_utils._request import OPTIONS, Request
from ansible_collections.homecloud.swarm.plugins.module_utils._stack import deploy
from ansible_collections.homecloud.swarm.tests.unit.stack.in_memory import Swarm, encoded, failing, run

UPDATE = r"POST /services/id\d+/update"


def leaderless(problem: Exception) -> Callable[[], None]:
    def effect() -> None:
        raise problem

    return effect


def updated_when(swarm: Swarm, traps: dict[str, Any]) -> None:
    """Set these traps with the next update of a service."""
    swarm.traps[UPDATE] = lambda: swarm.traps.update(traps)


@pytest.mark.parametrize("call", ["GET /nodes", "GET /networks", "GET /configs", "GET /services", "GET /tasks"])
@pytest.mark.parametrize("problem", [QuorumLostError("no leader", 503), EngineUnreachableError("gone")], ids=["no leader", "no engine"])
def test_one_question_without_an_answer_does_not_end_the_way_back(call: str, problem: Exception) -> None:
    swarm = Swarm()
    run(swarm, {"web": "good"})
    updated_when(swarm, {f"^{call}$": leaderless(problem)})
    assert failing(swarm, {"web": "bad"}).achieved["rollback"] == "done"
    assert swarm.commands() == {"s_web": "good"}
    assert swarm.endings() == [(1, "converged"), (2, "rolled_back")]


def test_without_any_answer_it_is_said_all_the_same_why_it_should_have_gone_back() -> None:
    swarm = Swarm()
    run(swarm, {"web": "good"})
    updated_when(swarm, {"GET /networks": QuorumLostError("No leader.", 503)})
    failed = failing(swarm, {"web": "bad"})
    assert failed.message.splitlines()[0] == "Stack 's' did not come up."
    assert "It could not be taken back, and is as this run has left it: No leader." in failed.message
    assert (failed.achieved["changed"], failed.achieved["rollback"]) == (True, "failed")


def test_secret_that_the_engine_quotes_is_seen_by_nobody() -> None:
    swarm = Swarm(error='expanding secret: line "hunter2secret" is bad')
    services = {"web": {"image": "app:1", "command": ["bad"], "secrets": ["pw"]}}
    secrets = {"pw": encoded("hunter2secret")}
    loaded = load([Source.inline("compose", {"services": services, "secrets": {"pw": {"file": "pw"}}})], {}, lambda _path: b"hunter2secret")
    defaults = {name: option.get("default") for name, option in OPTIONS.items()}
    given = {
        **defaults,
        "name": "s",
        "resolve_image": "never",
        "project": loaded.project.to_wire(),
        "secrets": secrets,
        "on_failure": "pause",
    }
    with pytest.raises(NotConvergedError) as caught:
        deploy(swarm, Request.of(given), False, swarm.clock())  # type: ignore[arg-type]
    assert "hunter2secret" not in f"{caught.value} {caught.value.achieved}"
    assert "********" in caught.value.achieved["services"][0]["reason"]


def test_service_that_is_replaced_may_take_all_of_its_grace_period() -> None:
    swarm = Swarm()

    def database(mode: str) -> Request:
        service = {"image": "app:1", "command": ["good"], "stop_grace_period": "2m", "deploy": {"mode": mode}}
        loaded = load([Source.inline("compose", {"services": {"db": service}})], {}, lambda _path: b"")
        defaults = {name: option.get("default") for name, option in OPTIONS.items()}
        return Request.of({**defaults, "name": "s", "resolve_image": "never", "project": loaded.project.to_wire()})

    deploy(swarm, database("replicated"), False, swarm.clock())  # type: ignore[arg-type]
    (service,) = swarm.objects["services"]

    def linger() -> None:
        end = swarm.time + 90
        swarm.lost = {
            "ID": "old",
            "ServiceID": service,
            "NodeID": "n1",
            "DesiredState": "remove",
            "Status": {"State": "running"},
            "Spec": {},
        }
        sleep = swarm.sleep

        def until_it_ends(seconds: float) -> None:
            sleep(seconds)
            if swarm.time >= end:
                swarm.lost = {}

        swarm.sleep = until_it_ends  # type: ignore[method-assign]

    swarm.traps["DELETE /services"] = linger

    def sleep_as_it_is_by_then(seconds: float) -> None:
        swarm.sleep(seconds)

    clock = replace(swarm.clock(), sleep=sleep_as_it_is_by_then)
    deploy(swarm, database("global"), False, clock)  # type: ignore[arg-type]
    assert swarm.endings() == [(1, "converged"), (2, "converged")]
