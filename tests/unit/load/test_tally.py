# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of many requests."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tally import Answer, Tally, failures, handovers, line

GOOD = Answer(0.0, 0.1, "one", "GET", False, 200, version="1", secret="a")


def at(*moments: float, through: str = "one", **more: object) -> tuple[Answer, ...]:
    return tuple(replace(GOOD, began=moment, reached=moment, through=through, **more) for moment in moments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answers", "failed"),
    [
        ((), 0),
        (at(0, 1), 0),
        (at(0, status=204), 0),
        (at(0, status=302), 1),
        (at(0, status=502), 1),
        (at(0, status=0, problem="refused"), 1),
        # the head came, the body did not
        (at(0, problem="cut off"), 1),
    ],
)
def test_failed(answers: tuple[Answer, ...], failed: int) -> None:
    assert len(Tally(answers).failed) == failed


@pytest.mark.parametrize(
    ("answers", "gap"),
    [
        pytest.param((), 0.0, id="nothing was asked"),
        pytest.param(at(0, 1, 2), 1.0, id="between good answers"),
        pytest.param(at(0) + at(1, 2, status=502) + at(3), 3.0, id="bad answers end no gap"),
        pytest.param(at(0, 1, status=502) + at(2), 2.1, id="nothing good at first"),
        pytest.param(at(0) + at(4, status=502), 3.9, id="nothing good in the end"),
        pytest.param(at(0, 1, 2, status=502), 2.0, id="nothing good at all"),
        pytest.param(at(0, 3) + at(0, 1, 2, 3, through="two"), 3.0, id="one ingress node alone"),
        pytest.param(at(0) + at(1, seconds=3.0) + at(2, seconds=2.0) + at(3, seconds=1.0) + at(4), 3.9, id="all were kept waiting"),
    ],
)
def test_gap(answers: tuple[Answer, ...], gap: float) -> None:
    assert Tally(answers).gap == pytest.approx(gap)


@pytest.mark.parametrize(
    ("answers", "versions"),
    [
        ((), {}),
        (at(0, 1) + at(2, version="2"), {"1": 2, "2": 1}),
        (at(2) + at(1, version="2"), {"2": 1, "1": 1}),
        (at(0) + at(1, status=502, version="2"), {"1": 1}),
        (at(0) + at(1, secret="b"), {"1 (a)": 1, "1 (b)": 1}),
    ],
)
def test_versions(answers: tuple[Answer, ...], versions: dict[str, int]) -> None:
    found = Tally(answers).versions
    assert list(found.items()) == list(versions.items())


def test_a_row_of_the_table() -> None:
    answers = at(0, 1, 2) + at(3, status=502)
    assert line("update", Tally(answers)) == ("update", "4", "1", "1", "1.00 s", "0.10 s", "1: 3")


def test_an_answer_is_late_beyond_what_was_asked() -> None:
    assert Tally(at(0, 1, seconds=1.25, asked=1.0) + at(2)).slowest == pytest.approx(0.25)


def test_failures_say_when_and_what() -> None:
    answers = at(0) + at(1, 2, status=502) + at(3, status=0, problem="refused", kept=True)
    assert list(failures(Tally(answers), shown=1)) == [
        "at 1.00 s: GET through one (new connection): 502 after 0.10 s",
        "2 in all: 502",
        "1 in all: refused",
    ]


@pytest.mark.parametrize(
    ("answers", "late"),
    [
        pytest.param((), [], id="nothing was asked"),
        pytest.param(at(0, 1), [], id="no other version"),
        pytest.param(at(0, 1, 2) + at(3, 4, 9, version="2"), [0.0], id="at once"),
        pytest.param(at(0, 1, 2.5) + at(2, 3, 9, version="2"), [0.5], id="half a second late"),
        pytest.param(at(0, 1, 2.5, 8, 9) + at(2, 3, 8.25, version="2"), [0.5, 0.25], id="and back"),
        pytest.param(at(0, 1, 8, 9) + at(2, 7, version="2"), [0.0, 0.0], id="and back at once"),
    ],
)
def test_handovers(answers: tuple[Answer, ...], late: list[float]) -> None:
    assert handovers(Tally(answers), "1", "2") == pytest.approx(late)


def test_what_one_version_answered_is_left_out() -> None:
    assert Tally(at(0, 1) + at(2, version="2", status=500)).but("2").answers == at(0, 1)
