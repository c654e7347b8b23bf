# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode tells the truth: for every kind of change the plan is what the real run does, and its restarts are the engine's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from changes import BASE, CASES, PROBE, TOP, WHOLE, Case, Whole
from driver import Driver, eventually

#: Nothing here depends on what a registry says.
QUICK: Mapping[str, Any] = {"resolve_image": "never", "wait": False}


def service(driver: Driver, fragment: Mapping[str, Any], replicas: int) -> dict[str, Any]:
    """The base with the fragment over it, at so many replicas unless that is what the case is about."""
    deploy = {"replicas": replicas, **fragment.get("deploy", {})}
    return {**BASE, **fragment, "image": driver.image(fragment.get("image", PROBE)), "deploy": deploy}


def completed(driver: Driver, document: Mapping[str, Any]) -> dict[str, Any]:
    services = {key: {**one, "image": driver.image(one["image"])} for key, one in document["services"].items()}
    return {**document, "services": services}


def four_steps(driver: Driver, stack: str, document: Mapping[str, Any], **options: Any) -> list[dict[str, Any]]:
    """Predicted, done, not done again, nothing left to predict; the plan."""
    predicted = driver.stack(stack, document, check=True, **QUICK, **options)
    done = driver.stack(stack, document, **QUICK, **options)
    assert done.values["plan"] == predicted.values["plan"]
    assert done.prepared == predicted.prepared
    assert done.changed == predicted.changed == bool(done.values["plan"])
    with driver.ear.heard():
        assert not driver.stack(stack, document, **QUICK, **options).changed
        assert not driver.stack(stack, document, check=True, **QUICK, **options).changed
        assert driver.ear.writes() == []
    plan: list[dict[str, Any]] = done.values["plan"]
    return plan


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_service(driver: Driver, case: Case) -> None:
    if driver.api < case.api:
        with pytest.raises(Exception, match="This engine speaks API"), driver.ear.heard():
            driver.stack("truth", {**TOP, "services": {"x": service(driver, case.after, 0)}})
        assert driver.ear.writes() == []
        return
    driver.stack("truth", {**TOP, "services": {"x": service(driver, case.before, 0)}}, **QUICK)
    plan = four_steps(driver, "truth", {**TOP, "services": {"x": service(driver, case.after, 0)}})
    changes = [change["path"] for step in plan if step["type"] == "service" for change in step["changes"]]
    wanted = [f"services.x.{name.format(stack='truth')}" for name in case.named]
    assert changes
    assert [path for path in changes if not path.startswith(tuple(wanted))] == []
    assert [name for name in wanted if not any(path.startswith(name) for path in changes)] == []


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case.name)
def test_a_stack(driver: Driver, case: Whole) -> None:
    driver.stack("whole", completed(driver, case.before), **QUICK)
    try:
        plan = four_steps(driver, "whole", completed(driver, case.after), **case.options)
        assert [(step["action"], step["type"], step["name"].removeprefix("whole_")) for step in plan] == list(case.steps)
    finally:
        driver.remove("whole")


@pytest.mark.one_engine_is_enough
def test_restarts(driver: Driver) -> None:
    """All kinds of change at once, each to a service of its own with running tasks: who restarts, and who does not."""
    cases = [case for case in CASES if driver.api >= case.api]
    before, after = (
        {**TOP, "services": {case.name: service(driver, fragment, 1) for case in cases for fragment in [getattr(case, moment)]}}
        for moment in ("before", "after")
    )
    driver.stack("restarts", before, resolve_image="never")
    old = driver.tasks("restarts")
    predicted = driver.stack("restarts", after, check=True, **QUICK)
    done = driver.stack("restarts", after, **QUICK)
    assert done.values["plan"] == predicted.values["plan"]
    foretold = {step["name"].removeprefix("restarts_"): step["restarts"] for step in done.values["plan"] if step["type"] == "service"}
    assert {case.name: foretold[case.name] > 0 for case in cases} == {case.name: case.restarts for case in cases}
    # The orchestrator takes the services in turn, so when the last restart is seen the others had theirs, if any.
    eventually(lambda: replaced(driver, old), lambda now: all(now[case.name] for case in cases if case.restarts), 120)
    assert replaced(driver, old) == {case.name: foretold[case.name] for case in cases}
    with driver.ear.heard():
        assert not driver.stack("restarts", after, **QUICK).changed
        assert driver.ear.writes() == []
    driver.remove("restarts")


def replaced(driver: Driver, old: Mapping[str, set[str]]) -> dict[str, int]:
    """How many of the tasks of before have been replaced by others."""
    now = driver.tasks("restarts")
    return {key: min(len(ids - now[key]), len(now[key] - ids)) for key, ids in old.items()}
