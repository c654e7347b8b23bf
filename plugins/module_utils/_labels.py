# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels as people write them, and as the engine takes them: text to text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._errors import RefusedError

Labels = dict[str, str]


def text_labels(given: Mapping[str, Any] | None, called: str = "Label") -> Labels | None:
    """YAML's numbers and truths as text; None where the option was not passed, which is not the same as empty.

    ``called`` is how an error calls one of them: options of drivers are text to text as well.
    """
    if given is None:
        return None
    return {str(key): _text(f"{called} {key}", value) for key, value in given.items()}


def merge_labels(live: Mapping[str, str] | None, given: Labels | None, remove: Iterable[str], replace: bool) -> Labels:
    """The labels an object shall have."""
    kept = {} if replace else dict(live or {})
    wanted = {**kept, **(given or {})}
    return {key: value for key, value in wanted.items() if key not in set(remove)}


def _text(named: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    if isinstance(value, (str, int, float)):
        return str(value)
    raise RefusedError(f"{named}: a {type(value).__name__} cannot be its value; give a text or a number.")
