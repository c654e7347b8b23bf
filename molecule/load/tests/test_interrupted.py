# SPDX-License-Identifier: GPL-3.0-or-later
"""A blue-green release that is cut off at each of its steps: the next run ends it in one of the two colours, whole."""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import outside
import pytest
from interrupted import (
    ASKS,
    ENDS,
    LABELS,
    LEARNS,
    WATCHES,
    WRITES,
    Act,
    Scene,
    an_abort_is_refused,
    by_hand,
    go_on,
    ingress_node_down_at_promote,
    killed,
    killed_while_starting,
    new_colour_gone,
    old_colour_gone,
    one_node_knows,
    other_files_are_refused,
    registry_down,
    registry_down_and_killed,
)
from load_home import Home
from load_rows import TWIN_HOST, a_twin, no_twin, twin
from tally import HEADINGS, failures, line

PREVIEW = f"preview.{TWIN_HOST}"
FULL = bool(os.environ.get("TEST_FULL"))
CHANGED = re.compile(r"changed=(\d+)")
#: What the newest revision says when this version serves.
VERDICTS = {"old": "rolled_back", "new": "converged"}


@dataclass(frozen=True)
class Row:
    """``cut`` leaves a release in its ``phase``, ``then`` are the next runs, and then ``serves`` does.

    ``ends`` says whether the module that the controller has left on a node may see that it fails, and end it, ``lossless`` whether no
    request may fail meanwhile, ``short`` whether `make test` plays it too.
    """

    name: str
    cut: tuple[Act, ...]
    phase: str | None
    then: tuple[Act, ...]
    serves: str = "new"
    ends: bool = False
    lossless: bool = True
    short: bool = False


BY_STEPS = (50, 100)
ROWS = (
    Row("killed while the new colour starts: on", (killed_while_starting,), "starting", (go_on,)),
    Row("killed while the new colour starts: back", (killed_while_starting,), "starting", (by_hand("abort"),), "old"),
    Row("killed before the ingress knows the preview: on", (killed(LABELS),), "preview", (go_on,)),
    Row("killed in the checks: back", (killed(ASKS),), "preview", (by_hand("abort"),), "old"),
    Row(
        "killed before the ingress knows the weight: on",
        (killed(WRITES, LEARNS, weights=BY_STEPS),),
        "canary",
        (go_on,),
        short=True,
    ),
    Row("one ingress node knows the weight: on", (killed(WRITES, LEARNS, weights=BY_STEPS), one_node_knows), "canary", (go_on,)),
    Row(
        "killed in the watch at 50 of 100: back",
        (killed(WATCHES, weights=BY_STEPS),),
        "canary",
        (other_files_are_refused, by_hand("abort")),
        "old",
    ),
    Row("killed before the ingress knows of 100: finished", (killed(WRITES, LEARNS),), "promoted", (by_hand("finish"),)),
    Row("killed in the end, the old colour is gone: on", (killed(WATCHES), old_colour_gone), "promoted", (go_on,)),
    Row(
        "killed in the end, the old colour is gone: finished",
        (killed(WATCHES), old_colour_gone),
        "promoted",
        (an_abort_is_refused, by_hand("finish")),
    ),
    Row("killed after the end, before the ingress knows: on", (killed(ENDS),), None, (go_on,)),
    Row(
        "killed in an abort, before the ingress knows: back",
        (killed(WATCHES, weights=BY_STEPS), killed(WRITES, LEARNS, step="abort")),
        "preview",
        (by_hand("abort"),),
        "old",
    ),
    Row("killed in an abort, the new colour is gone: back", (killed(ASKS), new_colour_gone), "preview", (by_hand("abort"),), "old"),
    Row("killed in an abort, the new colour is gone: on", (killed(ASKS), new_colour_gone), "preview", (go_on,)),
    Row("the registry is down while the new colour is pulled: on", (registry_down,), None, (go_on,)),
    Row("the registry is down, and killed while it is pulled: on", (registry_down_and_killed,), "starting", (go_on,), ends=True),
    # that node's requests fail until the next run has told it who serves, and those that its replicas had begun with
    Row("an ingress node is down at promote: on", (ingress_node_down_at_promote,), None, (go_on,), lossless=False),
)


@pytest.fixture(scope="module")
def home() -> Home:
    """With a version of the app that is released, and few requests: runs shall not be late for them."""
    found = Home(outside.INVENTORY, 10.0, 1, version=300)
    a_twin(found)
    return found


@pytest.fixture
def scene(home: Home) -> Iterator[Scene]:
    """What a row leaves that fails is not the next one's problem."""
    found = Scene(home, home.version_at(TWIN_HOST), home.next_version())
    yield found
    if found.release:
        no_twin(home)
        home.apply(load_more=[twin(home)])


@pytest.mark.parametrize("row", [row for row in ROWS if FULL or row.short], ids=lambda row: row.name)
def test_the_next_run_ends_in_one_colour(row: Row, scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()

    def act() -> None:
        for cut in row.cut:
            cut(scene)
        phase = scene.release.get("phase")
        assert phase == row.phase or (row.ends and phase is None)
        for run in row.then:
            run(scene)

    tally = scene.home.under_load(act, TWIN_HOST)
    with capsys.disabled():
        row_of_table = dict(zip(HEADINGS, line(row.name, tally), strict=True))
        lost = dict(Counter(answer.through for answer in tally.failed))
        print(f"\n{row_of_table}, {time.monotonic() - began:.0f} s, failed through {lost}", *failures(tally), sep="\n", file=sys.stderr)
    if row.lossless:
        assert list(failures(tally)) == []
    serves = {"old": scene.old, "new": scene.new}[row.serves]
    assert_serves(scene.home, serves)
    stack = scene.home.stack("twin")
    assert stack["release"] is None
    assert stack["revisions"][0]["verdict"] == VERDICTS[row.serves]
    assert len(scene.services()) == 1
    scene.home.now["load_more"] = [scene.app(serves)]
    assert_nothing_to_do(scene.home)


def assert_serves(home: Home, version: str) -> None:
    """This version answers through every ingress node, also where the next one would be shown."""
    for host in (TWIN_HOST, PREVIEW):
        tally = home.answers_at(host)
        assert list(failures(tally)) == []
        assert {node: set(tally.through(node).versions) for node in home.managers} == {node: {version} for node in home.managers}


def assert_nothing_to_do(home: Home) -> None:
    """For a run and for a check, which do not get in each other's way as neither writes."""
    for process in [home.begun("apps.yml", check=check) for check in (True, False)]:
        said, _nothing = process.communicate()
        assert not process.returncode, said[-6000:]
        assert sum(map(int, CHANGED.findall(said))) == 0, said[-6000:]
