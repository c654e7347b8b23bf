# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._labels import merge_labels, text_labels


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (None, None),
        ({}, {}),
        ({"a": "b"}, {"a": "b"}),
        ({"a": 7, 8: 1.5}, {"a": "7", "8": "1.5"}),
        ({"a": True, "b": False}, {"a": "true", "b": "false"}),
        ({"a": "", "b": None}, {"a": "", "b": ""}),
    ],
)
def test_text(given: Any, text: Any) -> None:
    assert text_labels(given) == text


def test_a_list_is_no_label() -> None:
    with pytest.raises(RefusedError, match="Label a: a list cannot be"):
        text_labels({"a": [1]})


LIVE = {"disk": "ssd", "spare": ""}


@pytest.mark.parametrize(
    ("given", "remove", "replace", "wanted"),
    [
        (None, [], False, LIVE),
        ({}, [], False, LIVE),
        ({"disk": "hdd"}, [], False, {"disk": "hdd", "spare": ""}),
        ({"new": ""}, [], False, {**LIVE, "new": ""}),
        (None, ["spare"], False, {"disk": "ssd"}),
        (None, ["unknown"], False, LIVE),
        ({"disk": "hdd"}, ["disk"], False, {"spare": ""}),
        ({"room": "attic"}, [], True, {"room": "attic"}),
        (None, [], True, {}),
    ],
)
def test_merge(given: Any, remove: list[str], replace: bool, wanted: dict[str, str]) -> None:
    assert merge_labels(LIVE, given, remove, replace) == wanted


def test_an_object_without_labels_has_none() -> None:
    assert merge_labels(None, {"a": "b"}, [], replace=False) == {"a": "b"}
