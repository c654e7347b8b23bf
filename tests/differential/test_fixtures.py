"""Our own files, each for a family of fields, value forms or merge rules, against the CLI on PATH.

`equal/` holds what has to give the same bodies; `different/` what we mean to do otherwise, with the differences
spelled out beside it; `accepted/` what only the CLI refuses; `rejected/` what both refuse. A folder is a set of
files that are merged in the order of their names.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._image import DEFAULT_DOMAIN
from differential.named import BOTH_REJECT, EQUAL, UNEXPLAINED, compare
from differential.normal import differences, normal
from differential.ours import converted
from differential.recorder import Recorded, record

DOCKER = shutil.which("docker") or ""
FIXTURES = Path(__file__).parent / "fixtures"
VARIABLES = {
    "HOME": "/home/someone",
    "REGISTRY": DEFAULT_DOMAIN,
    "TAG": "1.4.2",
    "WORD": "word",
    "EMPTY": "",
    "NUMBER": "3",
    "ZERO": "0",
    "FRACTION": "0.25",
    "YES": "yes",
    "OFF": "off",
    "OCTAL": "0440",
}

pytestmark = pytest.mark.skipif(not DOCKER, reason="no docker CLI on PATH to compare with")


def cases(folder: str) -> list[Path]:
    """Files and folders of files."""
    return sorted(path for path in (FIXTURES / folder).iterdir() if path.suffix == ".yml" or (path / "1.yml").exists())


def files(case: Path) -> list[Path]:
    return sorted(case.glob("*.yml")) if case.is_dir() else [case]


def recorded(case: Path) -> Recorded:
    return record(DOCKER, files(case), VARIABLES)


@pytest.mark.parametrize("case", cases("equal"), ids=lambda case: case.stem)
def test_equal(case: Path) -> None:
    comparison = compare(converted(files(case), VARIABLES), recorded(case))
    assert comparison.outcome == EQUAL, "\n".join(comparison.lines)


@pytest.mark.parametrize("case", cases("different"), ids=lambda case: case.stem)
def test_different(case: Path) -> None:
    ours, theirs = converted(files(case), VARIABLES), recorded(case)
    assert not ours.error
    assert not theirs.code, theirs.stderr
    expected = case.with_suffix(".differences").read_text().splitlines()
    assert differences(normal(ours.bodies), normal(theirs.bodies)) == [line for line in expected if not line.startswith("#")]


@pytest.mark.parametrize("case", cases("accepted"), ids=lambda case: case.stem)
def test_accepted_by_us_alone(case: Path) -> None:
    ours, theirs = converted(files(case), VARIABLES), recorded(case)
    assert not ours.error
    assert theirs.code
    assert compare(ours, theirs).outcome != UNEXPLAINED, theirs.stderr


@pytest.mark.parametrize("case", cases("rejected"), ids=lambda case: case.stem)
def test_rejected_by_both(case: Path) -> None:
    ours, theirs = converted(files(case), VARIABLES), recorded(case)
    assert compare(ours, theirs).outcome == BOTH_REJECT, f"ours: {ours.error or 'accepts'}\nthe CLI: {theirs.stderr or 'accepts'}"
