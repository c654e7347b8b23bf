# SPDX-License-Identifier: GPL-3.0-or-later
"""For a scenario's conftest: the manager that the tests ask, chosen by --node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from driver import Driver, driving


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--node", help="name of the manager that is asked")


@pytest.fixture(scope="session")
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    with ExitStack() as stack:
        yield stack.enter_context(driving(request.config.getoption("--node")))
