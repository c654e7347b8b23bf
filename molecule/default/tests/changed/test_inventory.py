# SPDX-License-Identifier: GPL-3.0-or-later
"""A change in the inventory: predicted, made, seen outside; and at the highest verbosity the password is not in what is printed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import leaks
import outside
import plays
import pytest
from changed_tasks import Run, differences, environment
from outside import eventually

SCENARIO = outside.ROOT / "molecule" / "default"
VARIABLES = [outside.ROOT / "molecule" / "lab" / "demo.yml", SCENARIO / "vars" / "lab.yml", SCENARIO / "vars" / "changed.yml"]
PASSWORD = (outside.HOME / "guestbook-password").read_text().split()[0]


@dataclass(frozen=True)
class Played:
    run: Run
    output: str


def play(folder: Path, *more: str) -> Played:
    file = folder / "changed.jsonl"
    ran = plays.play("homecloud.swarm.site", VARIABLES, "-vvvv", "--diff", *more, environment=environment(file))
    assert ran.returncode == 0, ran.stdout[-5000:]
    return Played(Run.read(file), ran.stdout)


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("check"), "--check")


@pytest.fixture(scope="module")
def done(predicted: Played, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("real"))


def test_check_mode_predicts_the_change(predicted: Played, done: Played) -> None:
    assert done.run.changed
    assert list(differences(predicted.run, done.run)) == []


@pytest.mark.parametrize("node", outside.nodes(), ids=lambda node: node.name)
def test_every_node_serves_the_new_version(done: Played, node: outside.Node) -> None:
    assert eventually(lambda: node.ask("/api/about"), lambda about: about["version"] == "1.1")["version"] == "1.1"


def test_the_password_is_not_printed(predicted: Played, done: Played) -> None:
    printed = predicted.output + done.output
    # Detailed enough to be worth a search: each module's arguments are there.
    assert "module_args" in printed
    assert not leaks.hidden_in(leaks.printed(printed), PASSWORD)
