# SPDX-License-Identifier: GPL-3.0-or-later
"""Clean-up on a real engine: what a service or a revision needs stays, the rest goes, and a second run finds nothing."""

from __future__ import annotations

from typing import Any

from ansible_collections.homecloud.swarm.plugins.module_utils._cleanup import clean_up
from driver import Driver

STACK = "tidy"


def cleaned(driver: Driver, check: bool = False) -> Any:
    return clean_up(driver.engine, {"versions": True, "images": True, "keep_images": None}, check)


def deploy(driver: Driver, image: str, password: str) -> None:
    web = {"image": driver.image(image), "secrets": ["password"], "deploy": {"replicas": 0, "endpoint_mode": "dnsrr"}}
    loaded = driver.load({"services": {"web": web}, "secrets": {"password": {"environment": "PASSWORD"}}}, {"PASSWORD": password})
    driver.stack(STACK, loaded, history_max=2)


def test_what_nothing_needs_goes(driver: Driver) -> None:
    spare = driver.image("caddy:2.11")
    driver.node.check("docker", "pull", "--quiet", spare)
    for image, password in (("probe:1", "first"), ("postgres:17", "second")):
        driver.node.check("docker", "pull", "--quiet", driver.image(image))
        deploy(driver, image, password)
    # an old version that was left behind, and one of somebody else's
    labels = {"homecloud.swarm.key": f"{STACK}_password", "homecloud.swarm.version": "0"}
    driver.engine.post("/secrets/create", {"Name": f"{STACK}_password.v0", "Data": "eA==", "Labels": labels})
    theirs = driver.engine.post("/secrets/create", {"Name": f"{STACK}_password_v9", "Data": "eA==", "Labels": {}})

    with driver.ear.heard():
        foretold = cleaned(driver, check=True)
    assert driver.ear.writes() == []
    done = cleaned(driver)
    assert done.values == foretold.values
    assert done.values["versions"] == [f"secret {STACK}_password.v0"]
    assert spare in done.values["images"]
    # the first revision can still be brought back
    listed = driver.node.check("docker", "images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    assert {driver.image("probe:1"), driver.image("postgres:17")} <= set(listed)
    assert spare not in listed
    driver.roll_back(STACK, 1)

    with driver.ear.heard():
        assert not cleaned(driver).changed
    assert driver.ear.writes() == []
    driver.remove(STACK)
    driver.engine.delete(f"/secrets/{theirs['ID']}")
