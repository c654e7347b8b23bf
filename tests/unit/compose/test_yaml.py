# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scalars as Go's YAML parser types them, printed as Go prints them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._notes import At, Notes
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._values import go_text
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._yaml import parse


def parsed(text: str) -> tuple[Any, list[str], list[str]]:
    notes = Notes()
    value = parse(text, At(notes, "f"))
    return value, [line for _path, line in notes.errors], list(notes.warnings)


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        *((word, word) for word in ("yes", "No", "on", "OFF", "y", "N")),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        *((word, None) for word in ("~", "null", "Null", "NULL", "")),
        ("0755", 493),
        ("0o755", 493),
        ("0x1F", 31),
        ("0b11", 3),
        ("08", 8.0),
        ("1_000", 1000),
        ("+12", 12),
        ("-017", -15),
        ("1e3", 1000.0),
        ("1.50", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("9223372036854775808", 9223372036854775808),
        ("18446744073709551616", 18446744073709551616.0),
        ("12:30", "12:30"),
        ("22:22", "22:22"),
        ("2020-01-01", "2020-01-01"),
        (".inf", float("inf")),
        ("1.2.3", "1.2.3"),
        (".", "."),
        ("'1'", "1"),
        ("!!str 0755", "0755"),
        ("!!int '5'", 5),
        ("!!float 3", 3.0),
        ("!!binary aGk=", "hi"),
    ],
)
def test_scalar(scalar: str, value: Any) -> None:
    found, errors, _warnings = parsed(f"a: {scalar}")
    assert (found, errors) == ({"a": value}, [])
    assert type(found["a"]) is type(value)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (31, "31"),
        (8.0, "8"),
        (1.5, "1.5"),
        (100000.0, "100000"),
        (1000000.0, "1e+06"),
        (123456.7, "123456.7"),
        (1234567.5, "1.2345675e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-1.5e-10, "-1.5e-10"),
        (1e100, "1e+100"),
        (0.0, "0"),
        (-0.0, "-0"),
    ],
)
def test_number_as_go_prints_it(number: float, text: str) -> None:
    assert go_text(number) == text


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a: 1\na: 2", "f: a: the key is given twice (line 2, column 1). Remove one of them."),
        ("a: {1: x}", "f: a: the key 1 is not a string (line 1, column 5). Put it in quotes."),
        ("a: {true: x}", "f: a: the key true is not a string (line 1, column 5). Put it in quotes."),
        ("{[a]: x}", "f: the key a list or mapping is not a string (line 1, column 2). Put it in quotes."),
        ("a: !!int x", "f: a: the value does not fit its tag !!int (line 1, column 4)."),
        ("a: !mine x", "f: a: the tag !mine has no meaning here (line 1, column 4)."),
        ("", "f: the file is empty."),
        ("a: &a [*a]", "f: a.0: there is no &a before *a (line 1, column 8)."),
        ("a: !mine {}", "f: a: the tag !mine has no meaning here (line 1, column 4)."),
        ("<<: 1", "f: <<: only mappings can be merged with << (line 1, column 5)."),
    ],
)
def test_error(text: str, error: str) -> None:
    assert parsed(text)[1] == [error]


@pytest.mark.parametrize("text", ["a: [", "a: \x07", "a: 'b", "\ta: 1", "a: *", "%x", "a: \ud800"])
def test_broken_yaml(text: str) -> None:
    assert "not valid YAML: " in parsed(text)[1][0]


@pytest.mark.parametrize("text", ["[" * 5000, "- " * 5000, "{a: " * 5000])
def test_nesting_without_end(text: str) -> None:
    """Given up by us, or before that by a libyaml that has a limit of its own."""
    (error,) = parsed(text)[1]
    assert "nested more than 100 levels" in error or "maximum nesting depth" in error


def test_aliases_that_multiply_are_stopped() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "has more than 200000 values" in parsed("\n".join(lines))[1][0]


def test_merge_keys_fill_in_what_is_not_there() -> None:
    found, errors, _warnings = parsed("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], a: 3}")
    assert (found["z"], errors) == ({"a": 3, "b": 1, "c": 2}, [])


def test_a_quoted_merge_key_is_a_key() -> None:
    assert parsed("'<<': {a: 1}")[0] == {"<<": {"a": 1}}


def test_further_documents_are_named() -> None:
    assert parsed("a: 1\n---\nb: 2") == ({"a": 1}, [], ["f: only the first YAML document of the file is used."])
