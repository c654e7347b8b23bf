# SPDX-License-Identifier: GPL-3.0-or-later
"""History outlives a lost manager, the CLI and people in between, and a damaged record. And it tells no secrets."""

from __future__ import annotations

import base64
import json
import lzma
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import access
import leaks
import pytest
import yaml
from driver import Driver, eventually

STACK = "past"
PASSWORD = "correct-horse-7431"
RECORD = "homecloud.swarm.revision"


def file(driver: Driver, release: str, replicas: int = 1) -> dict[str, Any]:
    deploy = {"replicas": replicas, "endpoint_mode": "dnsrr", "update_config": {"monitor": "1s"}}
    web = {"image": driver.image(), "command": ["sleep", "infinity"], "stop_signal": "SIGKILL", "environment": {"RELEASE": release}}
    return {
        "version": "3.8",
        "services": {"web": {**web, "secrets": ["password"], "deploy": deploy}},
        "secrets": {"password": {"environment": "PASSWORD"}},
    }


def deploy(driver: Driver, release: str, replicas: int = 1) -> Any:
    return driver.stack(STACK, driver.load(file(driver, release, replicas), {"PASSWORD": PASSWORD}), resolve_image="never")


def release_of(driver: Driver) -> list[str]:
    found: list[str] = driver.specs(STACK)["web"]["TaskTemplate"]["ContainerSpec"]["Env"]
    return found


@pytest.fixture(autouse=True)
def two_revisions(driver: Driver) -> Iterator[None]:
    deploy(driver, "one")
    deploy(driver, "two")
    yield
    driver.remove(STACK)


def records(driver: Driver) -> list[dict[str, Any]]:
    found = driver.engine.get("/configs", filters={"label": [f"com.docker.stack.namespace={STACK}"]})
    return [item for item in found if RECORD in item["Spec"]["Labels"]]


def test_the_cli_in_between_is_noted_and_undone(driver: Driver) -> None:
    theirs = file(driver, "by the CLI", 2)
    theirs["secrets"] = {"password": {"external": True, "name": f"{STACK}_password"}}
    driver.node.check("docker", "stack", "deploy", "--resolve-image", "never", "-c", "-", STACK, text=yaml.safe_dump(theirs))
    back = driver.roll_back(STACK, 1)
    assert [step["action"] for step in back.values["plan"]] == ["update"]
    assert release_of(driver) == ["RELEASE=one"]
    assert len(driver.tasks(STACK)["web"]) == 1
    newest = driver.revisions(STACK)[0]
    assert newest["note"] == "rollback to 1"
    assert "services.web.environment.RELEASE two -> by the CLI" in newest["outside"]
    assert "services.web.deploy.replicas 1 -> 2" in newest["outside"]


def test_a_removed_stack_comes_back_as_it_was_before(driver: Driver) -> None:
    """Removed with its history kept, deployed anew, and then brought back to a revision from before the removal."""
    (secret,) = (item["ID"] for item in driver.engine.get("/secrets") if item["Spec"]["Name"] == f"{STACK}_password")
    foretold = driver.remove(STACK, keep_history=True, check=True)
    assert driver.remove(STACK, keep_history=True).values["plan"] == foretold.values["plan"]
    assert not driver.services(STACK)
    assert not driver.engine.get("/networks", filters={"label": [f"com.docker.stack.namespace={STACK}"]})
    with driver.ear.heard():
        assert not driver.remove(STACK, keep_history=True).changed
    assert driver.ear.writes() == []
    assert [revision["number"] for revision in driver.revisions(STACK)] == [2, 1]

    deploy(driver, "three")
    planned = driver.roll_back(STACK, 1, check=True)
    done = driver.roll_back(STACK, 1)
    assert planned.values["plan"] == done.values["plan"]
    assert release_of(driver) == ["RELEASE=one"]
    (used,) = driver.specs(STACK)["web"]["TaskTemplate"]["ContainerSpec"]["Secrets"]
    assert used["SecretID"] == secret
    assert [(revision["number"], revision["note"]) for revision in driver.revisions(STACK)] == [
        (4, "rollback to 1"),
        (3, ""),
        (2, ""),
        (1, ""),
    ]
    with driver.ear.heard():
        assert not driver.roll_back(STACK, 1).changed
    assert driver.ear.writes() == []


def test_a_damaged_record_is_named_and_passed_over(driver: Driver) -> None:
    newest = max(records(driver), key=lambda item: int(item["Spec"]["Labels"][RECORD]))
    driver.engine.delete(f"/configs/{newest['ID']}")
    driver.engine.post("/configs/create", {**newest["Spec"], "Data": base64.b64encode(b"garbage").decode()})
    found = driver.look(STACK)
    assert any(f"The record of revision 2 (config {STACK}.r2) cannot be read" in warning for warning in found.warnings)
    assert [revision["readable"] for revision in found.values["stacks"][0]["revisions"]] == [False, True]
    assert driver.roll_back(STACK).values["restored"] == 1
    assert release_of(driver) == ["RELEASE=one"]


def test_a_lost_manager_takes_no_history_with_it(driver: Driver) -> None:
    lab = [sys.executable, "molecule/lab/lab.py", "fault"]
    victim = next(name for name in ("manager3", "manager2") if name != driver.node.name)
    subprocess.run([*lab, "kill", victim], cwd=access.ROOT, check=True)
    try:
        gone = eventually(lambda: states(driver)[victim], lambda state: state == "down")
        assert gone == "down"
        assert [revision["number"] for revision in driver.revisions(STACK)] == [2, 1]
        driver.roll_back(STACK, 1)
        assert release_of(driver) == ["RELEASE=one"]
    finally:
        subprocess.run([*lab, "start", victim], cwd=access.ROOT, check=True)
        back = eventually(lambda: states(driver)[victim], lambda state: state == "ready")
    assert back == "ready"


def states(driver: Driver) -> dict[str, str]:
    return {node["Description"]["Hostname"]: node["Status"]["State"] for node in driver.engine.get("/nodes")}


def told(driver: Driver) -> str:
    """Everything that the swarm and our own module show of the stack."""
    return "\n".join([leaks.told(driver.engine.get), str(driver.look(STACK, [1, 2]))])


def test_nothing_tells_the_secret(driver: Driver) -> None:
    driver.roll_back(STACK, 1)
    assert not leaks.hidden_in(told(driver), PASSWORD)
    # the same search finds one that is planted, in a label and in a record
    planted = driver.engine.post("/configs/create", {"Name": "planted", "Data": "eA==", "Labels": {"leak": PASSWORD}})
    assert leaks.hidden_in(told(driver), PASSWORD)
    driver.engine.delete(f"/configs/{planted['ID']}")
    record = {"Name": f"{STACK}.r99", "Labels": {"com.docker.stack.namespace": STACK, RECORD: "99"}}
    data = base64.b64encode(lzma.compress(json.dumps({"format": 1, "oops": PASSWORD}).encode())).decode()
    planted = driver.engine.post("/configs/create", {**record, "Data": data})
    assert leaks.hidden_in(told(driver), PASSWORD)
    driver.engine.delete(f"/configs/{planted['ID']}")
