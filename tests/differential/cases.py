"""The fixtures: each a file, or a folder of files that are merged in the order of their names.

`equal/` holds what has to give the same bodies with every CLI; `different/` what we mean to do otherwise, with the differences spelled
out beside it; `accepted/` what every CLI refuses and we take; `rejected/` what all refuse; `versions/` what CLIs of different age
take in different ways, with the outcome for each beside it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from clis import Cli, Version

FIXTURES = Path(__file__).parent / "fixtures"
#: CLIs before 23 take a file without a version for one of version 1; this is the newest that 20.10 knows.
OLDEST_WITHOUT_VERSION: Version = (23, 0)
ADDED = 'version: "3.9"\n'
SAID_OR_EMPTY = re.compile(r"^version:|\A(---)?\s*\Z", re.MULTILINE)


def cases(folder: str) -> list[str]:
    """Paths below the fixtures, of files and of folders of files."""
    there = sorted((FIXTURES / folder).iterdir())
    return [f"{folder}/{path.name}" for path in there if path.suffix == ".yml" or (path / "1.yml").exists()]


def files(case: Path) -> list[Path]:
    return sorted(case.glob("*.yml")) if case.is_dir() else [case]


def copied(folder: Path, cli: Cli) -> Path:
    """The fixtures as this CLI can read them."""
    there = Path(shutil.copytree(FIXTURES, folder / "fixtures"))
    declare_version(there.rglob("*.yml"), cli)
    return there


def declare_version(paths: Iterable[Path], cli: Cli) -> bool:
    """Whether a file has to say a version that it left out."""
    mute = [path for path in paths if cli.version < OLDEST_WITHOUT_VERSION and not SAID_OR_EMPTY.search(path.read_text())]
    for path in mute:
        path.write_text(ADDED + path.read_text().removeprefix("---\n"))
    return bool(mute)
