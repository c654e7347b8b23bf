# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of deploys: written, read back, taken over, forgotten."""

from __future__ import annotations

import base64
import lzma
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils import _history as history
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import EngineError, NotFoundError, OutOfSequenceError, RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._history import Content, Ending, Revision
from ansible_collections.homecloud.swarm.plugins.module_utils._model import NAMESPACE, REVISION, VERDICT
from ansible_collections.homecloud.swarm.plugins.module_utils._situation import moment
from ansible_collections.homecloud.swarm.plugins.module_utils._state import State

STATE = State(services={"s_web": {"Name": "s_web"}}, order=("s_web",))
CONTENT = Content(before=State(), state=STATE, touched=("s_web",), summary=("create service s_web",), time="2026-01-01", by="me@nuc")


def record(number: int, ending: Ending = Ending.GOOD, data: bytes | None = None, content: Content = CONTENT) -> dict[str, Any]:
    packed = history.packed("s", number, content) if data is None else data
    return {
        "ID": f"c{number}",
        "Version": {"Index": number},
        "UpdatedAt": "2026-01-01T12:00:00Z",
        "Spec": {
            "Name": f"s.r{number}",
            "Labels": {NAMESPACE: "s", REVISION: str(number), VERDICT: ending.value},
            "Data": base64.b64encode(packed).decode(),
        },
    }


def test_what_was_written_is_read() -> None:
    assert Revision(1, record(1)).content() == CONTENT
    assert Revision(1, record(1, content=Content(None, STATE))).content() == Content(None, STATE)


@pytest.mark.parametrize("data", [b"", b"no compression", lzma.compress(b"{}"), lzma.compress(b'{"format":99}')])
def test_what_cannot_be_read_is_passed_over(data: bytes) -> None:
    assert Revision(2, record(2, data=data)).content() is None
    found = history.last_good(history.revisions([record(1), record(2, data=data)]))
    assert found
    assert found[0].number == 1


@pytest.mark.parametrize(
    ("endings", "good"),
    [
        ([Ending.GOOD, Ending.FAILED, Ending.ROLLED_BACK], 1),
        ([Ending.GOOD, Ending.GOOD, Ending.PENDING], 2),
        ([Ending.FAILED], None),
        ([], None),
    ],
)
def test_last_good(endings: list[Ending], good: int | None) -> None:
    found = history.last_good(history.revisions(record(number, ending) for number, ending in enumerate(endings, 1)))
    assert (found[0].number if found else None) == good


def test_the_newest_is_first_by_number_not_by_name() -> None:
    assert [revision.number for revision in history.revisions([record(9), record(10), record(2)])] == [10, 9, 2]


@pytest.mark.parametrize(
    ("stack", "number", "name"),
    [
        ("shop", 7, "shop.r7"),
        ("s" * 60, 10, "s" * 60 + ".r10"),
        ("s" * 61, 10, "s" * 51 + ".9e8ce8b5.r10"),
    ],
)
def test_names_fit(stack: str, number: int, name: str) -> None:
    found = history.name_of(stack, number)
    assert len(found) <= 64
    assert (found[:50], found[-4:]) == (name[:50], name[-4:])


def test_long_names_that_begin_alike_differ() -> None:
    assert history.name_of("s" * 60 + "a", 10) != history.name_of("s" * 60 + "b", 10)


def test_silence() -> None:
    assert Revision(1, record(1)).silent_for(moment("2026-01-01T12:01:30Z")) == 90


class Configs:
    """The engine's configs, as far as records need them."""

    def __init__(self, *records: dict[str, Any], refusal: Exception | None = None) -> None:
        self.found = {item["ID"]: item for item in records}
        self.refusal = refusal
        self.deleted: list[str] = []

    def get(self, path: str) -> Any:
        found = self.found.get(path.rpartition("/")[2])
        if found is None:
            raise NotFoundError("gone", 404)
        return found

    def post(self, path: str, body: Any, **_query: Any) -> Any:
        if self.refusal:
            raise self.refusal
        identity = path.split("/")[2] if path.endswith("/update") else "new"
        self.found[identity] = {"ID": identity, "Version": {"Index": 9}, "UpdatedAt": "2026-01-01T12:00:00Z", "Spec": body}
        return {"ID": identity}

    def delete(self, path: str) -> None:
        self.deleted.append(path.rpartition("/")[2])


def test_a_number_is_given_once() -> None:
    taken = Configs(refusal=EngineError("config s.r1 already exists", 409))
    assert history.open_record(taken, "s", 1, CONTENT) is None  # type: ignore[arg-type]
    configs = Configs()
    opened = history.open_record(configs, "s", 1, CONTENT)  # type: ignore[arg-type]
    assert opened == "new"
    found = history.read(configs, opened, "s")  # type: ignore[arg-type]
    assert (found.ending, found.content()) == ("pending", CONTENT)


def test_a_record_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "LARGEST", 10)
    with pytest.raises(RefusedError, match="split the stack"):
        history.open_record(Configs(), "s", 1, CONTENT)  # type: ignore[arg-type]


def test_a_deploy_that_was_taken_over_stops() -> None:
    for engine in (Configs(), Configs(record(1, Ending.GIVEN_UP))):
        with pytest.raises(history.TakenOverError, match="somebody else"):
            history.read(engine, "c1", "s")  # type: ignore[arg-type]
    conflict = Configs(record(1, Ending.PENDING), refusal=OutOfSequenceError("update out of sequence", 500))
    with pytest.raises(history.TakenOverError):
        history.mark(conflict, history.read(conflict, "c1", "s"), "s")  # type: ignore[arg-type]


def test_an_ending_changes_the_label_alone() -> None:
    engine = Configs(record(1, Ending.PENDING))
    history.mark(engine, history.read(engine, "c1", "s"), "s", Ending.GOOD)  # type: ignore[arg-type]
    ended = Revision(1, engine.found["c1"])
    assert (ended.ending, ended.content()) == ("converged", CONTENT)


@pytest.mark.parametrize(
    ("endings", "deleted"),
    [
        ([Ending.GOOD, Ending.GOOD, Ending.GOOD], ["c1"]),
        ([Ending.GOOD, Ending.UNSEEN, Ending.GOOD], ["c1"]),
        ([Ending.GOOD, Ending.FAILED, Ending.ROLLED_BACK, Ending.LOST], ["c2"]),
        ([Ending.GOOD, Ending.FAILED, Ending.GOOD], []),
        ([Ending.GOOD], []),
        ([], []),
    ],
)
def test_what_is_forgotten(endings: list[Ending], deleted: list[str]) -> None:
    engine = Configs()
    history.forget(engine, history.revisions(record(number, ending) for number, ending in enumerate(endings, 1)), 2)  # type: ignore[arg-type]
    assert engine.deleted == deleted
