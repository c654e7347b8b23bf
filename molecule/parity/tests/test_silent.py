# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that finds nothing to change is silent: heard at the engine's socket, and seen in what the engine keeps."""

from __future__ import annotations

from typing import Any

import pytest
from driver import Driver


def stack(driver: Driver, count: int, label: str = "1") -> dict[str, Any]:
    """So many services, one of them a job that runs."""
    idle = {"image": driver.image(), "deploy": {"replicas": 0, "labels": {"a": label}}}
    job = {"image": driver.image(), "command": ["true"], "deploy": {"mode": "replicated-job"}}
    return {"services": {**{f"s{number:02}": idle for number in range(count - 1)}, "job": job}}


def test_silence(driver: Driver, capsys: pytest.CaptureFixture[str]) -> None:
    reads = {}
    for count in (5, 50):
        name = f"many{count}"
        driver.stack(name, stack(driver, count))
        # So that there is an earlier spec to go back to.
        driver.stack(name, stack(driver, count, label="2"))
        before = driver.services(name)
        with driver.ear.heard() as requests:
            assert not driver.stack(name, stack(driver, count, label="2")).changed
            assert not driver.stack(name, stack(driver, count, label="2"), check=True).changed
            assert driver.ear.writes() == []
            reads[count] = len(requests)
        # Version.Index, PreviousSpec, JobStatus and all the rest.
        assert driver.services(name) == before
        assert all(service["PreviousSpec"]["Labels"]["a"] == "1" for key, service in before.items() if key != "job")
        driver.remove(name)
    with capsys.disabled():
        print(f"\nrequests of a run and a check that find nothing to change, by the number of services: {reads}")
    assert reads[5] == reads[50]
