# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong when the order is wrong, when somebody else writes too, or when the engine is not done yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._engine import Connection, connect
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._model import NAMESPACE
from driver import Driver, eventually

QUICK: Mapping[str, Any] = {"resolve_image": "never", "wait": False}
#: Does not listen to the signal that tells it to end, so that its end takes the grace period.
STUBBORN = {"command": ["sleep", "infinity"], "stop_grace_period": "3s"}


def publishing(driver: Driver, **ports: int | None) -> dict[str, Any]:
    idle = {"image": driver.image(), "deploy": {"replicas": 0}}
    return {"services": {key: {**idle, **({"ports": [f"{port}:80"]} if port else {})} for key, port in ports.items()}}


def published(driver: Driver, stack: str) -> dict[str, int | None]:
    ports = {key: spec["EndpointSpec"].get("Ports") or [{}] for key, spec in driver.specs(stack).items()}
    return {key: listed[0].get("PublishedPort") for key, listed in ports.items()}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": None, "b": 23001}, {"a": 23001, "b": None}),
        ({"a": 23001, "b": None}, {"a": None, "b": 23001}),
        ({"b": 23001}, {"a": 23001}),
        ({"a": 23001, "b": 23002, "c": 23003}, {"a": 23002, "b": 23003, "c": None}),
        ({"a": 23001, "b": 23002}, {"a": 23002, "b": 23001}),
        ({"a": 23001, "b": 23002, "c": 23003}, {"a": 23002, "b": 23003, "c": 23001}),
    ],
    ids=["from the second", "from the first", "from a removed one", "in a chain", "swapped", "in a circle of three"],
)
def test_a_port_moves(driver: Driver, before: dict[str, int | None], after: dict[str, int | None]) -> None:
    driver.stack("ports", publishing(driver, **before), **QUICK)
    predicted = driver.stack("ports", publishing(driver, **after), check=True, prune=True, **QUICK)
    done = driver.stack("ports", publishing(driver, **after), prune=True, **QUICK)
    assert done.values["plan"] == predicted.values["plan"]
    assert published(driver, "ports") == after
    assert not driver.stack("ports", publishing(driver, **after), prune=True, **QUICK).changed
    driver.remove("ports")


def test_a_port_of_another_stack(driver: Driver) -> None:
    driver.stack("first", publishing(driver, a=23001), **QUICK)
    with driver.ear.heard(), pytest.raises(RefusedError, match=r"services\.b\.ports: the port 23001/tcp is published by service 'first_a'"):
        driver.stack("second", publishing(driver, a=None, b=23001), **QUICK)
    assert driver.ear.writes() == []
    driver.remove("first")


def once(driver: Driver, path: str, deed: Callable[[], Any]) -> Callable[[str, str], None]:
    """Do this just before the first write to that path."""
    left = [deed]

    def before(method: str, asked: str) -> None:
        if method == "POST" and path in asked and left:
            left.pop()()

    return before


def test_somebody_else_writes_at_the_same_time(driver: Driver) -> None:
    other = connect(Connection(f"unix://{driver.ear.engine}"))
    driver.stack("race", publishing(driver, a=None, b=None), **QUICK)

    def relabel() -> None:
        live = service()
        labels = {**live["Spec"]["Labels"], "x": "y"}
        other.post(f"/services/{live['ID']}/update", {**live["Spec"], "Labels": labels}, version=live["Version"]["Index"])

    def service() -> dict[str, Any]:
        found: dict[str, Any] = other.get("/services/race_a")
        return found

    with driver.ear.heard(once(driver, f"/services/{service()['ID']}/update", relabel)) as requests:
        driver.stack("race", publishing(driver, a=23001, b=None), **QUICK)
    # Refused once, planned again, taken.
    assert sum("/services/" in path and "/update" in path for _method, path in requests) == 2
    assert published(driver, "race") == {"a": 23001, "b": None}
    assert "x" not in service()["Spec"]["Labels"]

    # Gone under our hands: made again.
    gone = service()["ID"]
    with driver.ear.heard(once(driver, f"/services/{gone}/update", lambda: other.delete(f"/services/{gone}"))):
        driver.stack("race", publishing(driver, a=23002, b=None), **QUICK)
    assert published(driver, "race") == {"a": 23002, "b": None}

    # Made under our hands: taken as it is.
    def make() -> None:
        spec = driver.specs("race")["b"]
        other.post("/services/create", {**spec, "Name": "race_c"})

    with driver.ear.heard(once(driver, "/services/create", make)):
        driver.stack("race", publishing(driver, a=23002, b=None, c=23003), **QUICK)
    assert published(driver, "race") == {"a": 23002, "b": None, "c": 23003}
    driver.remove("race")


def running(driver: Driver, **more: Any) -> dict[str, Any]:
    return {"services": {"a": {"image": driver.image(), **STUBBORN, **more}}}


def test_right_after_the_cli_has_removed_it(driver: Driver) -> None:
    driver.stack("again", running(driver), resolve_image="never")
    driver.node.check("docker", "stack", "rm", "again")
    driver.stack("again", running(driver), resolve_image="never")
    assert len(driver.tasks("again")["a"]) == 1
    assert driver.remove("again").changed
    driver.stack("again", running(driver), resolve_image="never")
    driver.remove("again")


def test_another_mode_waits_for_the_end_of_the_tasks(driver: Driver) -> None:
    port = {"ports": [{"target": 80, "published": 23004, "mode": "host"}]}
    driver.stack("mode", running(driver, **port), resolve_image="never")
    ends = []

    def look(method: str, path: str) -> None:
        if method == "POST" and path.endswith("/services/create"):
            states = [task["Status"]["State"] for task in driver.engine.get("/tasks", filters={"label": [f"{NAMESPACE}=mode"]})]
            ends.append(all(state not in ("running", "starting", "preparing", "ready") for state in states))

    with driver.ear.heard(look):
        done = driver.stack("mode", running(driver, deploy={"mode": "global"}, **port), resolve_image="never")
    assert [(step["action"], step["restarts"]) for step in done.values["plan"]] == [("replace", 1)]
    assert done.values["plan"][0]["changes"][0] == {"path": "services.a.deploy.mode", "old": "replicated", "new": "global"}
    assert ends == [True]
    assert list(driver.specs("mode")["a"]["Mode"]) == ["Global"]
    driver.remove("mode")


def test_a_network_made_anew_under_running_tasks(driver: Driver) -> None:
    before, after = ({**running(driver), "networks": {"default": {"attachable": value}}} for value in (False, True))
    driver.stack("net", before, resolve_image="never")
    warned = driver.stack("net", after, resolve_image="never")
    assert not warned.changed
    assert "networks.net_default.attachable is False, but the file says True" in warned.warnings[0]
    done = driver.stack("net", after, resolve_image="never", recreate=True)
    assert [(step["action"], step["name"], step["restarts"]) for step in done.values["plan"]] == [
        ("replace", "net_default", 0),
        ("update", "net_a", 1),
    ]
    assert driver.engine.get("/networks/net_default")["Attachable"]
    assert len(driver.specs("net")["a"]["TaskTemplate"]["Networks"]) == 1
    assert not driver.stack("net", after, resolve_image="never").warnings
    driver.remove("net")


def test_what_an_earlier_removal_has_left(driver: Driver) -> None:
    full = {**publishing(driver, a=None), "secrets": {"key": {"content": "x"}}, "configs": {"motd": {"content": "x"}}}
    driver.stack("left", full, **QUICK)
    driver.engine.delete("/services/left_a")
    predicted = driver.remove("left", check=True)
    done = driver.remove("left")
    assert [(step["type"], step["name"]) for step in done.values["plan"]] == [
        ("secret", "left_key"),
        ("config", "left_motd"),
        # what remembers its deploy
        ("config", "left.r1"),
        ("network", "left_default"),
    ]
    assert done.values["plan"] == predicted.values["plan"]
    with driver.ear.heard():
        assert not driver.remove("left").changed
        assert driver.ear.writes() == []


def test_volumes_stay_unless_they_shall_go(driver: Driver) -> None:
    document = {**running(driver, volumes=["data:/data"], stop_signal="SIGKILL"), "volumes": {"data": {}}}
    driver.stack("keep", document, resolve_image="never")
    driver.remove("keep")
    assert driver.engine.get("/volumes/keep_data")
    # Found without the stack, and with it.
    assert [step["name"] for step in driver.remove("keep", volumes=True).values["plan"]] == ["keep_data"]
    driver.stack("keep", document, resolve_image="never")
    predicted = driver.remove("keep", volumes=True, check=True)
    assert driver.remove("keep", volumes=True).values["plan"] == predicted.values["plan"]
    assert driver.engine.find("/volumes/keep_data") is None
    with driver.ear.heard():
        assert not driver.remove("keep", volumes=True).changed
        assert driver.ear.writes() == []


def test_a_busy_network_is_waited_for(driver: Driver) -> None:
    """With prune: all the network of a removed service goes when its last task has ended."""
    document = running(driver)
    document["services"]["b"] = {**document["services"]["a"], "networks": ["back"]}
    driver.stack("prune", {**document, "networks": {"back": {}}}, resolve_image="never")
    done = driver.stack("prune", running(driver), resolve_image="never", prune="all")
    assert [(step["action"], step["type"], step["name"]) for step in done.values["plan"]] == [
        ("remove", "service", "prune_b"),
        ("remove", "network", "prune_back"),
    ]
    assert eventually(lambda: driver.engine.find("/networks/prune_back"), lambda found: found is None, 1) is None
    driver.remove("prune")
