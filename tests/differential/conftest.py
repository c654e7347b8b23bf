"""Where the tests find the collection and each other."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "tests", ROOT / ".cache" / "collections"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
