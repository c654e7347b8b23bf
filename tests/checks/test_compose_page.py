"""docs/compose.md says what the tables do, of every key."""

from __future__ import annotations

import compose_page


def test_the_page_is_up_to_date() -> None:
    assert compose_page.PAGE.read_text() == compose_page.page(), "docs/compose.md is out of date: run tests/compose_page.py"


def test_every_note_is_about_a_key() -> None:
    """What is known of a key that is no more would never be read."""
    known = dict(compose_page.keys())
    assert sorted(compose_page.OTHERS.keys() - known.keys()) == []
