# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine that answers from a table and remembers what was written to it, and a clock that jumps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._clock import Clock
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import NotFoundError


class TableEngine:
    """Answers by path; an answer may be an error, or a function that is called. Writes may have effects."""

    address = "tcp://table"

    def __init__(self, answers: dict[str, Any], effects: dict[str, Callable[[Any], Any]] | None = None) -> None:
        self.answers = answers
        self.effects = effects or {}
        self.written: list[tuple[str, Any]] = []

    def get(self, path: str, **_query: Any) -> Any:
        answer = self.answers.get(path, NotFoundError(f"{path} not found", 404))
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def find(self, path: str) -> Any:
        return self.answers.get(path)

    def info(self) -> Any:
        return self.get("/info")

    def post(self, path: str, body: Any = None, **_query: Any) -> Any:
        self.written.append((path, body))
        return self._effect(path)(body) or {"ID": "new"}

    def delete(self, path: str, **_query: Any) -> None:
        self.written.append((path, None))
        self._effect(path)(None)

    def _effect(self, path: str) -> Callable[[Any], Any]:
        return self.effects.get(path, _nothing)

    @property
    def paths(self) -> list[str]:
        return [path for path, _body in self.written]


def _nothing(_body: Any) -> None:
    return None


@pytest.fixture
def clock() -> Clock:
    """Sleeping makes the time jump."""
    moment = [0.0]

    def sleep(seconds: float) -> None:
        moment[0] += seconds

    return Clock(lambda: moment[0], sleep)
