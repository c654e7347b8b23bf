# SPDX-License-Identifier: GPL-3.0-or-later
"""The node under test, chosen by --node."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
for folder in (ROOT / "tests", ROOT / ".cache" / "collections", Path(__file__).parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from access import Ear, Node  # noqa: E402
from driver import Driver  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--node", help="name of the node whose engine is tried")


@pytest.fixture(scope="session")
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    # Sockets have short names.
    with tempfile.TemporaryDirectory(prefix="swarm") as folder:
        node = Node(request.config.getoption("--node"), Path(folder))
        with node.reached() as socket:
            ear = Ear(socket, Path(folder) / "ear.sock")
            with ear.listening():
                yield Driver(node, ear)


@pytest.fixture
def node(driver: Driver) -> Node:
    return driver.node
