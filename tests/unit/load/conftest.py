# SPDX-License-Identifier: GPL-3.0-or-later
"""The load is a program beside the collection, not a part of it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "molecule" / "shared"))
