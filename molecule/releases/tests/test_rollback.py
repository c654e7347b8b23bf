# SPDX-License-Identifier: GPL-3.0-or-later
"""Ten revisions of a stack of five services, and from each to others: exactly its objects, as its plan foretold, and silence after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import pytest
from driver import Driver

STACK = "ten"
NUMBERS = range(1, 11)
#: Which services have what: the last revision that is named up to a number says how a thing is then.
ENVIRONMENT = {1: "one", 4: "four", 8: "eight"}
REPLICAS = {1: 1, 3: 2, 7: 1}
EXTRA_SERVICE = {1: False, 2: True, 6: False, 9: True}
EXTRA_NETWORK = {1: False, 3: True, 8: False}
PASSWORD = {1: "first", 5: "second", 7: "third", 10: "first"}
MOTD = {1: "hello", 6: "good bye"}
EXTRA_CONFIG = {1: False, 4: True, 9: False}


def at(number: int, changes: Mapping[int, Any]) -> Any:
    return changes[max(known for known in changes if known <= number)]


def release(driver: Driver, number: int) -> dict[str, Any]:
    """The file as it was at a revision."""
    deploy = {"endpoint_mode": "dnsrr", "restart_policy": {"delay": "1s"}, "update_config": {"monitor": "1s", "parallelism": 0}}
    idle = {"image": driver.image(), "command": ["sleep", "infinity"], "stop_signal": "SIGKILL", "deploy": deploy}
    services: dict[str, Any] = {name: dict(idle) for name in ("web", "api", "db", "cache")}
    services["web"]["environment"] = {"RELEASE": at(number, ENVIRONMENT)}
    services["api"]["deploy"] = {**deploy, "replicas": at(number, REPLICAS)}
    services["db"]["secrets"] = ["password"]
    services["cache"]["configs"] = [{"source": "motd", "target": "/motd"}]
    file: dict[str, Any] = {
        "services": services,
        "secrets": {"password": {"environment": "PASSWORD"}},
        "configs": {"motd": {"content": at(number, MOTD)}},
        "networks": {"default": {}},
    }
    if at(number, EXTRA_SERVICE):
        services["mail"] = dict(idle)
    if at(number, EXTRA_NETWORK):
        file["networks"]["back"] = {}
        services["db"]["networks"] = ["default", "back"]
    if at(number, EXTRA_CONFIG):
        file["configs"]["extra"] = {"content": f"since {number}"}
        services["web"]["configs"] = ["extra"]
    if number in (2, 9):
        services["api"]["labels"] = {"number": str(number)}
    return file


def objects(driver: Driver) -> dict[str, Any]:
    """What a revision is made of: specs of services with the ids they refer to, and networks."""
    networks = driver.engine.get("/networks", filters={"label": [f"com.docker.stack.namespace={STACK}"]})
    ids = {network["Id"]: network["Name"] for network in networks}

    def named(spec: dict[str, Any]) -> dict[str, Any]:
        # a network that was gone in between has another id
        targets = [{**item, "Target": ids.get(item["Target"], item["Target"])} for item in spec["TaskTemplate"]["Networks"]]
        ordered = sorted(targets, key=lambda item: str(item["Target"]))
        return {**spec, "TaskTemplate": {**spec["TaskTemplate"], "Networks": ordered}}

    return {
        "services": {key: named(spec) for key, spec in driver.specs(STACK).items()},
        "networks": {network["Name"]: (network["Driver"], network["Attachable"], network["Labels"]) for network in networks},
    }


def deployed(driver: Driver, number: int) -> dict[str, Any]:
    loaded = driver.load(
        {**release(driver, number), "secrets": {"password": {"environment": "PASSWORD"}}}, {"PASSWORD": at(number, PASSWORD)}
    )
    assert driver.stack(STACK, loaded, prune="all", resolve_image="never").changed
    return objects(driver)


@pytest.fixture(scope="module")
def revisions(driver: Driver) -> Iterator[dict[int, dict[str, Any]]]:
    yield {number: deployed(driver, number) for number in NUMBERS}
    driver.remove(STACK)


def test_ten_revisions_are_remembered(driver: Driver, revisions: dict[int, Any]) -> None:
    listed = driver.revisions(STACK)
    assert [revision["number"] for revision in listed] == list(reversed(revisions))
    assert {revision["verdict"] for revision in listed} == {"converged"}
    assert [driver.look(STACK, [number, number]).values["comparison"] for number in revisions] == [[]] * len(revisions)


def test_from_one_to_another(driver: Driver, revisions: dict[int, dict[str, Any]], full: bool) -> None:
    walks = [[1, 10, 2, 9, 3, 8, 4, 7, 5], *([number * stride % 11 for number in NUMBERS] for stride in (3, 7, 9) if full)]
    for number in chain.from_iterable(walks):
        foretold = driver.roll_back(STACK, number, check=True, history_max=50)
        done = driver.roll_back(STACK, number, history_max=50)
        assert done.values["plan"] == foretold.values["plan"]
        assert objects(driver) == revisions[number]
        with driver.ear.heard():
            assert not driver.roll_back(STACK, number, history_max=50).changed
            assert not driver.roll_back(STACK, number, check=True, history_max=50).changed
        assert driver.ear.writes() == []
