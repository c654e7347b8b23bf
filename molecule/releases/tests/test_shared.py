# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret that three stacks share: each takes the new version at its next run, and the last to leave removes the old one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._content import SECRET, ContentOptions, converge_content, list_contents
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import RefusedError
from driver import Driver

STACKS = ("one", "two", "three")
OTHERS = ("common_vpn", "common_v2", "common.v9")


def secret(driver: Driver, value: str = "", *, check: bool = False, **options: Any) -> Any:
    return converge_content(driver.engine, SECRET, ContentOptions("common", content=value.encode(), **options), check)


def deploy(driver: Driver, stack: str, *, check: bool = False) -> Any:
    """As the stack's next run does, with nothing changed in its file. Only the present revision is remembered."""
    deploy = {"endpoint_mode": "dnsrr", "update_config": {"monitor": "1s"}}
    web = {"image": driver.image(), "command": ["sleep", "infinity"], "stop_signal": "SIGKILL", "deploy": deploy, "secrets": ["common"]}
    file = {"services": {"web": web}, "secrets": {"common": {"external": True}}}
    return driver.stack(stack, file, check=check, resolve_image="never", history_max=1)


def used(driver: Driver, stack: str) -> str:
    (item,) = driver.specs(stack)["web"]["TaskTemplate"]["ContainerSpec"]["Secrets"]
    return str(item["SecretName"])


def names(driver: Driver) -> set[str]:
    return {item["Spec"]["Name"] for item in driver.engine.get("/secrets")}


@pytest.fixture(autouse=True)
def three_stacks(driver: Driver) -> Iterator[None]:
    for name in OTHERS:
        driver.engine.post("/secrets/create", {"Name": name, "Data": "aHVzaA==", "Labels": {}})
    secret(driver, "first")
    for stack in STACKS:
        deploy(driver, stack)
    yield
    for stack in STACKS:
        driver.remove(stack)
    secret(driver, state="absent")
    assert names(driver) == set(OTHERS)
    for name in OTHERS:
        driver.engine.delete(f"/secrets/{name}")


def test_it_rotates_stack_by_stack(driver: Driver) -> None:
    users = sorted(f"{stack}_web" for stack in STACKS)
    foretold = secret(driver, "second", check=True)
    assert names(driver) == {"common", *OTHERS}
    made = secret(driver, "second")
    assert (made.before, made.after) == (foretold.before, foretold.after)
    assert (made.values["secret_name"], made.values["users"]) == ("common.v2", users)
    with driver.ear.heard():
        again = secret(driver, "second")
    assert (again.changed, again.values["users"], driver.ear.writes()) == (False, users, [])
    with pytest.raises(RefusedError, match="cannot be revoked, as one_web, three_web, two_web still use them"):
        secret(driver, "second", revoke=True)

    for stack in STACKS:
        assert used(driver, stack) == "common"
        planned = deploy(driver, stack, check=True)
        done = deploy(driver, stack)
        assert planned.values["plan"] == done.values["plan"]
        assert (used(driver, stack), "common" in names(driver)) == ("common.v2", stack != STACKS[-1])
        with driver.ear.heard():
            assert not deploy(driver, stack).changed
        assert driver.ear.writes() == []
    rows = list_contents(driver.engine, SECRET, {"name": ["common"]}).values["secrets"]
    assert [(row["name"], row["version"], row["is_newest"], row["users"]) for row in rows] == [("common.v2", 2, True, users)]
    assert rows[0]["revisions"] == sorted(f"{stack} 2" for stack in STACKS)
