# SPDX-License-Identifier: GPL-3.0-or-later
"""The manager that the tests ask, chosen by --node."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
for folder in (ROOT / "tests", ROOT / ".cache" / "collections", ROOT / "molecule" / "shared", Path(__file__).parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

pytest_plugins = ["asked"]


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether there is time for more of the same."""
    return bool(os.environ.get("TEST_FULL"))
