# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revisions of a stack as lines for people, the newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any


def revision_lines(revisions: Iterable[Mapping[str, Any]]) -> list[str]:
    """What ``stack_info`` returns of a stack's revisions: number, verdict, time, who, and what it changed."""
    return [line for revision in revisions for line in _lines(revision)] or ["There are none."]


def _lines(revision: Mapping[str, Any]) -> Iterator[str]:
    if not revision["readable"]:
        yield f"{revision['number']}  {revision['verdict']}, but its record cannot be read"
        return
    note = f"  ({revision['note']})" if revision["note"] else ""
    yield f"{revision['number']}  {revision['verdict']}  {revision['time']}  {revision['by']}{note}"
    yield from (f"     {change}" for change in revision["changes"])
    yield from (f"     changed outside before: {change}" for change in revision["outside"])
    yield from (f"     needs what was revoked: {name}" for name in revision["revoked"])


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"revision_lines": revision_lines}
