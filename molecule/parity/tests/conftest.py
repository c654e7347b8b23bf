# SPDX-License-Identifier: GPL-3.0-or-later
"""The node under test, chosen by --node."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
for folder in (ROOT / "tests", ROOT / ".cache" / "collections", ROOT / "molecule" / "shared", Path(__file__).parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from access import Node  # noqa: E402
from driver import Driver, driving  # noqa: E402

#: In a full run every engine does everything; else long tests are this node's (Engine 26.1) alone.
FULL = bool(os.environ.get("TEST_FULL"))
LONG_ON = "manager2"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--node", help="name of the node whose engine is tried")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "one_engine_is_enough: long, and on all engines in a full run only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not FULL and config.getoption("--node") != LONG_ON:
        for item in items:
            if item.get_closest_marker("one_engine_is_enough"):
                item.add_marker(pytest.mark.skip(reason=f"long, so {LONG_ON} does it; all do with `make test-full`"))


@pytest.fixture(scope="session")
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    with ExitStack() as stack:
        yield stack.enter_context(driving(request.config.getoption("--node")))


@pytest.fixture
def node(driver: Driver) -> Node:
    return driver.node
