# SPDX-License-Identifier: GPL-3.0-or-later
"""The manager that the tests ask, chosen by --node."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
for folder in (ROOT / "tests", ROOT / ".cache" / "collections", ROOT / "molecule" / "shared", ROOT / "molecule" / "mesh" / "seen"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from driver import Driver, driving  # noqa: E402
from swarm import Swarm  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--node", help="name of the manager that is asked")


@pytest.fixture(scope="session")
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    with ExitStack() as stack:
        yield stack.enter_context(driving(request.config.getoption("--node")))


@pytest.fixture(scope="session")
def swarm(driver: Driver) -> Swarm:
    return Swarm(driver)
