# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the play prints while the stack module waits: one line a change, and none where nobody reads it."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible import constants
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible_collections.homecloud.swarm.plugins.action.stack import ActionModule
from ansible_collections.homecloud.swarm.plugins.plugin_utils import _watched as watched
from ansible_collections.homecloud.swarm.plugins.plugin_utils._watched import Progress

WAITING = {"record": "c1", "why": []}
OPTIONS: dict[str, Any] = {"name": "shop", "compose": [{"services": {"web": {"image": "x"}}}], "secrets": {}}


def service(running: int, verdict: str, reason: str = "", name: str = "web") -> dict[str, Any]:
    return {"service": f"shop_{name}", "running": running, "wanted": 2, "verdict": verdict, "reason": reason}


def said(*answers: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    progress = Progress("shop", lines.append)
    for answer in answers:
        progress.show(answer)
    return [line.strip() for line in lines]


@pytest.mark.parametrize(
    ("answers", "lines"),
    [
        ([{"services": [service(0, "updating", "it starts")]}], ["shop: web 0/2 updating: it starts"]),
        ([{"services": [service(0, "updating")]}, {"services": [service(0, "updating")]}], ["shop: web 0/2 updating"]),
        (
            [{"services": [service(1, "updating"), service(2, "converged", name="db")]}, {"services": [service(2, "converged")]}],
            ["shop: web 1/2 updating", "shop: db 2/2 converged", "shop: web 2/2 converged"],
        ),
        (
            [
                {"services": [service(0, "rolled_back", "update rolled back")], "waiting": {"why": ["Service shop_web was rolled back."]}},
                {"services": [service(2, "converged")], "waiting": {"why": ["Service shop_web was rolled back."]}},
            ],
            [
                "shop: did not come up, and is taken back:",
                "shop: Service shop_web was rolled back.",
                "shop: web 0/2 rolled back: update rolled back",
                "shop: web 2/2 converged",
            ],
        ),
    ],
)
def test_a_line_for_each_change(answers: list[dict[str, Any]], lines: list[str]) -> None:
    assert said(*answers) == lines


def test_what_was_left_running_is_told() -> None:
    progress = Progress("shop", lambda _line: None)
    progress.show({"services": [service(1, "updating")]})
    assert "goes on in the swarm (web 1/2 updating)" in progress.left_running()


class Played:
    """One run of the action with a module that answers from a list."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, Any]], options: dict[str, Any], **task: Any) -> None:
        self.calls: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self.background: list[bool] = []
        self.answers = iter(answers)
        described = Task()
        described.action, described.args = "homecloud.swarm.stack", options
        described.no_log, described.async_val, described.check_mode = (task.get(name, 0) for name in ("no_log", "async_val", "check_mode"))
        connection = MagicMock(has_native_async=False)
        action = ActionModule(described, connection, MagicMock(), DataLoader(), MagicMock(), None)
        monkeypatch.setattr(action, "_execute_module", self.answer)
        monkeypatch.setattr(watched, "Display", lambda: MagicMock(display=self.lines.append))
        self.result = action.run(task_vars={})

    def answer(self, _name: str, module_args: dict[str, Any], wrap_async: bool, **_rest: Any) -> dict[str, Any]:
        self.calls.append(module_args)
        self.background.append(wrap_async)
        return next(self.answers)


SLICES = [
    {"changed": True, "plan": ["a step"], "diff": {"prepared": "~"}, "services": [service(1, "updating")], "waiting": WAITING},
    {"changed": True, "services": [service(1, "updating")], "waiting": WAITING},
    {"changed": True, "services": [service(2, "converged")], "diff": {}},
]


def test_the_module_is_called_until_it_stops_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(monkeypatch, SLICES, OPTIONS)
    assert [call.get("waiting") for call in played.calls] == [None, WAITING, WAITING]
    assert {call["patience"] for call in played.calls} == {10.0}
    assert [line.strip() for line in played.lines] == ["shop: web 1/2 updating", "shop: web 2/2 converged"]
    assert played.result["plan"] == ["a step"]
    assert played.result["diff"] == {"prepared": "~"}
    assert "waiting" not in played.result


def test_nothing_is_printed_when_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(monkeypatch, [{"changed": False, "services": [service(2, "converged")]}], OPTIONS)
    assert (len(played.calls), played.lines, played.result["changed"]) == (1, [], False)


def test_a_failure_on_the_way_keeps_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = {"failed": True, "msg": "did not come up", "changed": True, "failures": ["why"], "services": []}
    played = Played(monkeypatch, [SLICES[0], failed], OPTIONS)
    assert (played.result["failed"], played.result["failures"], played.result["plan"]) == (True, ["why"], ["a step"])


def test_what_an_interrupted_deploy_had_changed_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    first = {**SLICES[0], "changed": False}
    assert Played(monkeypatch, [first, {"failed": True, "changed": True, "services": []}], OPTIONS).result["changed"]
    assert not Played(monkeypatch, [first, {"changed": False, "services": []}], OPTIONS).result["changed"]


@pytest.mark.parametrize(
    ("options", "callback", "task"),
    [
        ({"progress": False}, "default", {}),
        ({"progress": "no"}, "default", {}),
        ({}, "ansible.posix.json", {}),
        ({}, "community.general.null", {}),
        ({}, "default", {"no_log": True}),
        ({}, "default", {"async_val": 60}),
        ({}, "default", {"check_mode": True}),
    ],
)
def test_where_nobody_reads_it_the_module_waits_alone(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], callback: str, task: dict[str, Any]
) -> None:
    monkeypatch.setattr(constants, "DEFAULT_STDOUT_CALLBACK", callback)
    played = Played(monkeypatch, [{"changed": True, "services": [service(2, "converged")]}], {**OPTIONS, **options}, **task)
    assert ["patience" in call for call in played.calls] == [False]
    assert played.lines == []
    assert played.background == [bool(task.get("async_val"))]
