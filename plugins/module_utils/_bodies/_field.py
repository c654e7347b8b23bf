# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table from keys of the file to keys of the API, and how it is filled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: The engine that brought each version of the API.
ENGINES: Mapping[str, str] = {
    "1.41": "20.10",
    "1.42": "23.0",
    "1.43": "24.0",
    "1.44": "25.0",
    "1.45": "26.0",
    "1.46": "27.0",
    "1.47": "27.2",
    "1.48": "28.0",
}


def released(api: str) -> str:
    return f"Engine {ENGINES[api]} (API {api})"


def same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Field:
    """One key: its name in the API, how its value becomes the API's, and the API version that brought it."""

    api: str
    convert: Callable[[Any], Any] = same
    keep_empty: bool = False
    since: str = ""


def fill(table: Mapping[str, Field], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The API's mapping. Empty values are left out, as the CLI does, unless the field says otherwise."""
    filled = {field.api: (field.convert(entry[key]), field) for key, field in table.items() if key in entry}
    return {api: value for api, (value, field) in filled.items() if value or field.keep_empty}


def too_new(table: Mapping[str, Field], entry: Mapping[str, Any], oldest: str) -> Iterator[tuple[str, str]]:
    """The keys in use, with the API version they need, of fields that are newer than ``oldest``."""
    for key, field in table.items():
        if field.since > oldest and entry.get(key):
            yield key, field.since
