# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was wrong with the answers of a new version, as a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any


def release_failures(asked: Iterable[Mapping[str, Any]]) -> str:
    """What was wrong with the answers; empty if nothing was."""
    return "; ".join(dict.fromkeys(sentence for answer in asked for sentence in _wrong(answer)))


def _wrong(answer: Mapping[str, Any]) -> Iterator[str]:
    check = answer["item"]
    status = answer.get("status", -1)
    if status != check["status"]:
        said = f"status {status}" if status > 0 else str(answer.get("msg") or "no answer")
        yield f"{check['url']} was to have status {check['status']}, and had {said}"
    elif check["contains"] not in (answer.get("content") or ""):
        yield f"the answer of {check['url']} does not contain '{check['contains']}'"


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"release_failures": release_failures}
