"""Where the tests find the collection and each other, and the CLIs that they run against."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "tests", ROOT / ".cache" / "collections"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import clis  # noqa: E402 -- found through the path above


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cli", action="append", choices=[*clis.RELEASES, clis.INSTALLED], help="compare with this CLI (default: all)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cli" in metafunc.fixturenames:
        metafunc.parametrize("cli", metafunc.config.getoption("cli") or (*clis.RELEASES, *clis.installed()), indirect=True, scope="session")


@pytest.fixture(scope="session")
def cli(request: pytest.FixtureRequest) -> clis.Cli:
    try:
        return clis.find(request.param)
    except clis.MissingError as reason:
        pytest.skip(str(reason))
