# SPDX-License-Identifier: GPL-3.0-or-later
"""New values of secrets and configs: one task, new versions in use, old ones kept for as long as a revision needs them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import RefusedError
from driver import Driver

STACK = "app"
KEPT = 3
#: Made by hand, with names like ours.
OTHERS = ("app_password_vpn", "app_password_v2", "app_password.v9")


def names(driver: Driver, sort: str) -> set[str]:
    return {item["Spec"]["Name"] for item in driver.engine.get(f"/{sort}s")}


def file(driver: Driver) -> dict[str, Any]:
    here = [f"node.hostname == {driver.node.name}"]
    deploy = {"endpoint_mode": "dnsrr", "placement": {"constraints": here}, "update_config": {"monitor": "1s", "parallelism": 0}}
    web = {"image": driver.image(), "command": ["sleep", "infinity"], "stop_signal": "SIGKILL", "deploy": deploy}
    return {
        "services": {"web": {**web, "secrets": ["password"], "configs": [{"source": "motd", "target": "/motd"}]}},
        "secrets": {"password": {"environment": "PASSWORD"}},
        "configs": {"motd": {"content": "${MOTD}"}},
    }


def deploy(driver: Driver, password: str = "first", motd: str = "hello", *, check: bool = False, **options: Any) -> Any:
    loaded = driver.load(file(driver), {"PASSWORD": password, "MOTD": motd})
    return driver.stack(STACK, loaded, check=check, resolve_image="never", history_max=KEPT, **options)


def used(driver: Driver, word: str = "Secret") -> str:
    (item,) = driver.specs(STACK)["web"]["TaskTemplate"]["ContainerSpec"][f"{word}s"]
    return str(item[f"{word}Name"])


def read(driver: Driver, path: str) -> str:
    """What the service's container has there."""
    service = driver.service(STACK, "web")["ID"]
    script = f"for id in $(docker ps --quiet --filter label=com.docker.swarm.service.id={service}); do docker exec $id cat {path}; done"
    return driver.node.check("sh", "-c", script)


@pytest.fixture(autouse=True)
def clean(driver: Driver) -> Iterator[None]:
    for name in OTHERS:
        driver.engine.post("/secrets/create", {"Name": name, "Data": "aHVzaA==", "Labels": {}})
    yield
    driver.remove(STACK)
    assert names(driver, "secret") >= set(OTHERS)
    for name in OTHERS:
        driver.engine.delete(f"/secrets/{name}")


@pytest.mark.parametrize(
    ("word", "sort", "key", "path"),
    [("Secret", "secret", "password", "/run/secrets/password"), ("Config", "config", "motd", "/motd")],
)
def test_rotation_in_four_steps(driver: Driver, word: str, sort: str, key: str, path: str) -> None:
    values: dict[str, Any] = {"Secret": {"password": "second"}, "Config": {"motd": "good bye"}}[word]
    deploy(driver, "first")
    foretold = deploy(driver, **values, check=True)
    assert used(driver, word) == f"{STACK}_{key}"
    done = deploy(driver, **values)
    assert foretold.values["plan"] == done.values["plan"]
    assert [(step["action"], step["type"], step["restarts"]) for step in done.values["plan"]] == [
        ("create", sort, 0),
        ("update", "service", 1),
    ]
    assert used(driver, word) == f"{STACK}_{key}.v2"
    assert read(driver, path) == values[key]
    with driver.ear.heard():
        assert not deploy(driver, **values).changed
        assert not deploy(driver, **values, check=True).changed
    assert driver.ear.writes() == []
    assert "second" not in f"{foretold}{done}"


def test_many_rotations_leave_what_is_needed(driver: Driver, full: bool) -> None:
    times = 20 if full else 5
    for number in range(1, times + 1):
        deploy(driver, f"value {number}")
    ours = {f"{STACK}_password.v{number}" for number in range(times - KEPT + 1, times + 1)}
    # the name of version 9 was taken
    found = names(driver, "secret") - set(OTHERS)
    assert len(found) == KEPT
    assert found == ours if times < 9 else used(driver) in found
    assert len(driver.revisions(STACK)) == KEPT


def test_going_back_to_a_value_uses_its_version(driver: Driver) -> None:
    for value in ("first", "second", "first"):
        deploy(driver, value)
    assert used(driver) == f"{STACK}_password"
    assert names(driver, "secret") - set(OTHERS) == {f"{STACK}_password", f"{STACK}_password.v2"}


def test_what_is_revoked_is_gone(driver: Driver) -> None:
    deploy(driver, "leaked")
    deploy(driver, "second", revoke=True)
    assert names(driver, "secret") - set(OTHERS) == {f"{STACK}_password.v2"}
    assert [revision["revoked"] for revision in driver.revisions(STACK)] == [[], [f"secret {STACK}_password"]]
    with driver.ear.heard(), pytest.raises(RefusedError, match=r"cannot be brought back.* is gone.*secrets: current"):
        driver.roll_back(STACK, 1)
    assert driver.ear.writes() == []
    driver.roll_back(STACK, 1, secrets="current")
    assert used(driver) == f"{STACK}_password.v2"


def test_a_name_alone_is_not_a_secret(driver: Driver) -> None:
    """What tells which secret a revision used is its id: labels may be lost, but another one under its name is refused."""
    deploy(driver, "first")
    deploy(driver, "second")
    first = driver.engine.get(f"/secrets/{STACK}_password")
    bare = {**first["Spec"], "Labels": {"com.docker.stack.namespace": STACK}}
    driver.engine.post(f"/secrets/{first['ID']}/update", bare, version=first["Version"]["Index"])
    back = driver.roll_back(STACK, 1, check=True)
    assert [(step["action"], step["name"]) for step in back.values["plan"]] == [("update", f"{STACK}_web")]

    driver.engine.delete(f"/secrets/{first['ID']}")
    driver.engine.post("/secrets/create", {**first["Spec"], "Data": base64.b64encode(b"another").decode()})
    for check in (True, False):
        with driver.ear.heard(), pytest.raises(RefusedError, match=f"secret {STACK}_password, .* has been made anew since"):
            driver.roll_back(STACK, 1, check=check)
        assert driver.ear.writes() == []
    assert read(driver, "/run/secrets/password") == "second"


def test_a_secret_of_the_cli_is_adopted(driver: Driver) -> None:
    """The engine itself says whether it has the value; check mode says that it cannot know."""
    by_hand = {"Name": f"{STACK}_password", "Data": base64.b64encode(b"first").decode(), "Labels": {"com.docker.stack.namespace": STACK}}
    driver.engine.post("/secrets/create", by_hand)
    foretold = deploy(driver, "first", check=True)
    assert any("only the engine can tell" in warning for warning in foretold.warnings)
    deploy(driver, "first")
    assert used(driver) == f"{STACK}_password"
    with driver.ear.heard():
        assert not deploy(driver, "first").changed
    assert driver.ear.writes() == []
    deploy(driver, "second")
    assert used(driver) == f"{STACK}_password.v2"
