# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the stack module: what it hands over, with real files and a module that only listens."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible_collections.homecloud.swarm.plugins.action.stack import ActionModule, as_list, as_text

WEB = "services: {web: {image: 'nginx:${TAG}', secrets: [pw]}}\nsecrets: {pw: {file: ./pw.txt}}\n"


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the action with options beside a playbook in an empty folder; the answer is (result, module arguments)."""

    def run(**options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        loader = DataLoader()
        loader.set_basedir(str(tmp_path))
        task = Task()
        task.action, task.args = "homecloud.swarm.stack", options
        sent: dict[str, Any] = {}

        def listen(_name: str, module_args: dict[str, Any], **_rest: Any) -> dict[str, Any]:
            sent.update(module_args)
            return {"changed": False}

        action = ActionModule(task, MagicMock(), MagicMock(), loader, MagicMock(), None)
        monkeypatch.setattr(action, "_execute_module", listen)
        return action.run(task_vars={"inventory_dir": str(tmp_path / "inventory")}), sent

    return run


def test_files_become_one_project(play: Any, tmp_path: Path) -> None:
    (tmp_path / "stack.yml").write_text(WEB)
    (tmp_path / "pw.txt").write_bytes(b"hush\x00\xff")
    result, sent = play(name="s", compose=["stack.yml"], env={"TAG": 1.4})
    assert not result.get("failed")
    assert sent["project"]["services"]["web"]["image"] == "nginx:1.4"
    assert base64.b64decode(sent["secrets"]["pw"]) == b"hush\x00\xff"


def test_a_file_beside_the_inventory_is_found_after_one_beside_the_playbook(play: Any, tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "stack.yml").write_text("services: {a: {image: inventory}}")
    assert play(name="s", compose="stack.yml")[1]["project"]["services"]["a"]["image"] == "inventory"
    (tmp_path / "stack.yml").write_text("services: {a: {image: playbook}}")
    assert play(name="s", compose="stack.yml")[1]["project"]["services"]["a"]["image"] == "playbook"


def test_a_removal_hands_no_values_over(play: Any) -> None:
    _result, sent = play(name="s", state="absent", compose=["gone.yml"], secrets={"pw": "hush"}, configs={"a": "b"}, env={"A": "b"})
    assert sent == {"name": "s", "state": "absent"}


def test_no_file_at_all_is_refused(play: Any) -> None:
    result, sent = play(name="s", compose=[], prune=True)
    assert (result["failed"], sent) == (True, {})
    assert result["msg"].startswith("The option 'compose' names no file")


def test_a_value_stands_in_for_the_file(play: Any, tmp_path: Path) -> None:
    (tmp_path / "stack.yml").write_text(WEB)
    _result, sent = play(name="s", compose="stack.yml", env={"TAG": 1}, secrets={"pw": "given"})
    assert base64.b64decode(sent["secrets"]["pw"]) == b"given"


def test_later_variables_win(play: Any, tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("TAG=1\nOTHER=x\n")
    (tmp_path / "b.env").write_text("TAG=2\n")
    mapping = {"services": {"web": {"image": "nginx:${TAG}", "hostname": "${OTHER}-${MINE}"}}}
    _result, sent = play(name="s", compose=[mapping], env_files=["a.env", "b.env"], env={"MINE": True})
    assert sent["project"]["services"]["web"]["image"] == "nginx:2"
    assert sent["project"]["services"]["web"]["hostname"] == "x-true"


def test_the_callers_shell_is_not_asked(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAG", "from-the-shell")
    result, sent = play(name="s", compose=[{"services": {"web": {"image": "nginx:${TAG-none}"}}}])
    assert sent["project"]["services"]["web"]["image"] == "nginx:none"
    assert not result["warnings"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compose": ["none.yml"]}, r"no file .none.yml. on the controller"),
        ({"compose": [{"services": {"web": {"image": "x", "replica": 1}}}]}, r"compose\[1\]: services.web.replica: unknown key"),
        ({"compose": [{"services": {"web": {"image": "x:${TAG}"}}}], "env_strict": True}, r"TAG"),
        ({"compose": [{"services": {"web": {"image": "x"}}}], "secrets": ["pw"]}, r"'secrets' takes a mapping"),
        ({"compose": [], "env": ["A=b"]}, r"'compose' names no file"),
        ({"compose": [{}], "env": ["A=b"]}, r"'env' takes a mapping from names of variables"),
        ({"compose": [{}], "env": "A=b"}, r"'env' takes a mapping from names of variables"),
    ],
)
def test_mistakes_end_before_the_node(play: Any, options: dict[str, Any], message: str) -> None:
    result, sent = play(name="s", **options)
    assert result["failed"]
    assert not sent
    assert re.search(message, result["msg"])


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
@pytest.mark.parametrize("option", ["compose", "env_files"])
def test_a_file_in_another_encoding_is_named(play: Any, tmp_path: Path, encoding: str, option: str) -> None:
    (tmp_path / "odd").write_bytes("# für alle\n".encode(encoding))
    result, sent = play(name="s", **{"compose": [{"services": {}}], option: ["odd"]})
    assert (result["failed"], sent) == (True, {})
    assert re.fullmatch(r"odd: the file is no text in UTF-8 \(byte \d\); save it as UTF-8\.", result["msg"])


def test_a_mark_before_a_file_is_no_part_of_it(play: Any, tmp_path: Path) -> None:
    (tmp_path / "stack.yml").write_text("services: {a: {image: x}}", encoding="utf-8-sig")
    assert list(play(name="s", compose="stack.yml")[1]["project"]["services"]) == ["a"]


@pytest.mark.parametrize("option", ["env_strict", "beyond_cli", "progress"])
@pytest.mark.parametrize("value", ["maybe", ["yes"]])
def test_what_is_neither_true_nor_false_is_left_to_the_module(play: Any, option: str, value: Any) -> None:
    result, sent = play(name="s", compose=[{"services": {}}], **{option: value})
    assert not result.get("failed")
    assert sent[option] == value


def test_removing_needs_no_files(play: Any) -> None:
    _result, sent = play(name="s", state="absent")
    assert sent == {"name": "s", "state": "absent"}


@pytest.mark.parametrize(("value", "text"), [(None, ""), (True, "true"), (False, "false"), (1.5, "1.5"), ("a", "a")])
def test_as_text(value: Any, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(("value", "expected"), [(None, []), ("a", ["a"]), (["a", {}], ["a", {}]), ({"a": 1}, [{"a": 1}])])
def test_as_list(value: Any, expected: list[Any]) -> None:
    assert as_list(value) == expected
