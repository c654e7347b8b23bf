# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._verifier import VERIFIER, make_verifier, verdict_of, verify, verify_all

GOOD = make_verifier(b"hush", b"0123456789abcdef")


@pytest.mark.parametrize(
    ("content", "verifier", "verdict"),
    [
        (b"hush", GOOD, True),
        (b"hush ", GOOD, False),
        (b"", GOOD, False),
        (b"hush", None, None),
        (b"hush", "", None),
        (b"hush", "sha256$abc", None),
        (b"hush", "scrypt$a$8$1$AA==$AA==", None),
        (b"hush", "scrypt$1073741824$8$1$AA==$AA==", None),
        (b"hush", "scrypt$16384$8$1$***$***", False),
    ],
)
def test_verify(content: bytes, verifier: str | None, verdict: bool | None) -> None:
    assert verify(content, verifier) is verdict


def test_salt_makes_equal_values_look_different() -> None:
    assert make_verifier(b"hush", b"another salt 012") != GOOD


def test_the_value_is_not_in_the_label() -> None:
    assert "hush" not in GOOD


def test_labels_of_a_secret() -> None:
    assert verdict_of(b"hush", {VERIFIER: GOOD}) is True
    assert verdict_of(b"hush", None) is None


def test_several_at_once_leave_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was verified is known afterwards, without another digest."""
    labels = {number: make_verifier(b"right", str(number).encode() * 8) for number in range(3)}
    verify_all([(b"right", label) for label in labels.values()] + [(b"wrong", labels[0]), (b"right", None)])
    monkeypatch.setattr(hashlib, "scrypt", lambda *_args, **_more: pytest.fail("computed again"))
    assert [verify(b"right", label) for label in labels.values()] == [True] * 3
    assert (verify(b"wrong", labels[0]), verify(b"right", None)) == (False, None)
