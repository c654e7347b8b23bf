"""Our own files, each for a family of fields, value forms or merge rules, against real CLIs."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._image import DEFAULT_DOMAIN
from clis import Cli, Version
from differential.cases import FIXTURES, OLDEST_WITHOUT_VERSION, cases, copied, files
from differential.named import AND, BOTH_REJECT, EQUAL, NAMED, UNEXPLAINED, Comparison, compare
from differential.normal import differences, normal
from differential.ours import Converted, converted
from differential.recorder import Recorded, record

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


@pytest.fixture(scope="module")
def fixtures(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp(cli.name), cli)


#: The names of differences that fixtures have shown, by CLI.
MET: set[tuple[str, str]] = set()


def both(cli: Cli, case: Path) -> tuple[Converted, Recorded]:
    return converted(files(case), VARIABLES), record(cli, files(case), VARIABLES)


def compared(cli: Cli, case: Path) -> Comparison:
    comparison = compare(*both(cli, case), cli.version)
    MET.update((cli.name, name) for name in comparison.outcome.split(AND))
    return comparison


@pytest.mark.parametrize("case", cases("equal"))
def test_equal(cli: Cli, fixtures: Path, case: str) -> None:
    comparison = compared(cli, fixtures / case)
    assert comparison.outcome == EQUAL, "\n".join(comparison.lines)


@pytest.mark.parametrize("case", cases("different"))
def test_different(cli: Cli, fixtures: Path, case: str) -> None:
    ours, theirs = both(cli, fixtures / case)
    assert not ours.error
    assert not theirs.code, theirs.stderr
    expected = (fixtures / case).with_suffix(".differences").read_text().splitlines()
    assert differences(normal(ours.bodies), normal(theirs.bodies)) == [line for line in expected if not line.startswith("#")]


@pytest.mark.parametrize("case", cases("accepted"))
def test_accepted_by_us_alone(cli: Cli, fixtures: Path, case: str) -> None:
    comparison = compared(cli, fixtures / case)
    said = "\n".join(comparison.lines)
    assert said.startswith("only CLI rejects"), said
    assert comparison.outcome != UNEXPLAINED, said


@pytest.mark.parametrize("case", cases("rejected"))
def test_rejected_by_both(cli: Cli, fixtures: Path, case: str) -> None:
    ours, theirs = both(cli, fixtures / case)
    outcome = compare(ours, theirs, cli.version).outcome
    assert outcome == BOTH_REJECT, f"ours: {ours.error or 'accepts'}\nthe CLI: {theirs.stderr or 'accepts'}"


@pytest.mark.parametrize("case", cases("versions"))
def test_by_version(cli: Cli, fixtures: Path, case: str) -> None:
    comparison = compared(cli, fixtures / case)
    assert comparison.outcome == outcome_for(cli.version, outcomes(case)), "\n".join(comparison.lines)


def test_a_file_without_a_version(cli: Cli) -> None:
    """As it stands: for CLIs before 23 the other fixtures are given one."""
    expected = "the version may be left out" if cli.version < OLDEST_WITHOUT_VERSION else EQUAL
    assert compared(cli, FIXTURES / "equal" / "restart.yml").outcome == expected


def outcomes(case: str) -> dict[Version, str]:
    """What is said beside a fixture: `20.10: name of the difference` holds from this version on, until another line says more."""
    lines = (FIXTURES / case).with_suffix(".outcomes").read_text().splitlines()
    said = (line.partition(": ") for line in lines if not line.startswith("#"))
    return {parsed(version): outcome for version, _colon, outcome in said}


def outcome_for(version: Version, known: dict[Version, str]) -> str:
    return known[max(since for since in known if since <= version)]


def parsed(version: str) -> Version:
    major, minor = version.split(".")
    return int(major), int(minor)


def test_every_name_is_met(cli: Cli) -> None:
    """By one of the tests above: a name that no fixture shows is not needed any more."""
    assert [one.name for one in NAMED if one.holds_for(cli.version) and (cli.name, one.name) not in MET] == []
