# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets and configs: what is the same, what is replaced, what is refused, and what is never shown."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, cast

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._content import (
    CONFIG,
    SECRET,
    ContentOptions,
    Sort,
    converge_content,
    held,
    list_contents,
    references_of,
    would_create,
)
from ansible_collections.homecloud.swarm.plugins.module_utils._engine import Engine
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import EngineError, OutOfSequenceError, RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._history import Content, packed
from ansible_collections.homecloud.swarm.plugins.module_utils._model import REVISION, Outcome
from ansible_collections.homecloud.swarm.plugins.module_utils._state import State
from ansible_collections.homecloud.swarm.plugins.module_utils._verifier import KEY, VERIFIER, VERSION, make_verifier, verdict_of

from .conftest import TableEngine

OLD, NEW = b"correct horse", b"wrong donkey"


def live(sort: Sort, name: str = "pass", content: bytes = OLD, known: bool = True, **labels: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"Name": name, "Labels": labels}
    if sort is CONFIG:
        spec["Data"] = base64.b64encode(content).decode()
    elif known:
        spec["Labels"] = {**labels, VERIFIER: make_verifier(content, b"salt"), KEY: name, VERSION: "1"}
    return {"ID": f"id-{name}", "Version": {"Index": 7}, "Spec": spec, "CreatedAt": "then", "UpdatedAt": "now"}


def service(name: str, **container: Any) -> dict[str, Any]:
    return {"Spec": {"Name": name, "TaskTemplate": {"ContainerSpec": container}}}


USING: dict[Sort, dict[str, Any]] = {
    SECRET: service("shop_web", Secrets=[{"SecretID": "id-pass"}]),
    CONFIG: service("shop_web", Configs=[{"ConfigID": "id-pass"}]),
}


def engine_with(sort: Sort, *objects: dict[str, Any], users: tuple[dict[str, Any], ...] = ()) -> TableEngine:
    single = {f"{sort.path}/{one['ID']}": one for one in objects}
    return TableEngine({"/configs": [], sort.path: list(objects), "/services": list(users), **single})


def converge(engine: TableEngine, sort: Sort, check: bool = False, **options: Any) -> Outcome:
    return converge_content(cast(Engine, engine), sort, ContentOptions(**{"name": "pass", **options}), check)


SORTS = pytest.mark.parametrize("sort", [SECRET, CONFIG], ids=lambda sort: sort.name)


@SORTS
def test_create(sort: Sort) -> None:
    for check in (True, False):
        engine = engine_with(sort, live(sort, "password"))
        outcome = converge(engine, sort, check, content=OLD, labels={"a": "b"}, template_driver="golang")
        assert outcome.changed
        assert engine.paths == ([] if check else [f"{sort.path}/create"])
    body = engine.written[0][1]
    assert (body["Name"], body["Templating"], base64.b64decode(body["Data"])) == ("pass", {"Name": "golang"}, OLD)
    assert {key: body["Labels"][key] for key in ("a", KEY, VERSION)} == {"a": "b", KEY: "pass", VERSION: "1"}
    assert verdict_of(OLD, body["Labels"]) is (True if sort is SECRET else None)


@SORTS
@pytest.mark.parametrize("options", [{}, {"labels": {}}, {"labels": {"a": "b"}}])
def test_same_content_writes_nothing(sort: Sort, options: dict[str, Any]) -> None:
    engine = engine_with(sort, live(sort, a="b", c="d"))
    assert not converge(engine, sort, content=OLD, **options).changed
    assert engine.written == []


@SORTS
def test_labels_change_and_ours_stay(sort: Sort) -> None:
    held = live(sort, a="b", c="d")
    engine = engine_with(sort, held)
    assert converge(engine, sort, content=OLD, labels={"a": "x"}).changed
    assert engine.written == [(f"{sort.path}/id-pass/update", {**held["Spec"], "Labels": {**held["Spec"]["Labels"], "a": "x"}})]


@SORTS
@pytest.mark.parametrize("options", [{"content": NEW}, {"content": OLD, "force": True}, {"content": OLD, "template_driver": "golang"}])
def test_what_differs_is_replaced_unless_used(sort: Sort, options: dict[str, Any]) -> None:
    engine = engine_with(sort, live(sort, a="b"))
    assert converge(engine, sort, True, **options).changed
    assert engine.written == []
    assert converge(engine, sort, **options).changed
    assert engine.paths == [f"{sort.path}/id-pass", f"{sort.path}/create"]
    assert engine.written[1][1]["Labels"]["a"] == "b"
    used = engine_with(sort, live(sort, a="b"), users=(USING[sort],))
    foreseen = converge(used, sort, True, **options)
    assert used.written == []
    rotated = converge(used, sort, **options)
    assert (rotated.before, rotated.after) == (foreseen.before, foreseen.after)
    assert used.paths == [f"{sort.path}/create"]
    assert {key: used.written[0][1]["Labels"][key] for key in ("a", KEY, VERSION)} == {"a": "b", KEY: "pass", VERSION: "2"}
    assert [rotated.values[key] for key in (f"{sort.name}_name", "version", "users", "removed")] == ["pass.v2", 2, ["shop_web"], []]


def version(sort: Sort, number: int, content: bytes, key: str = "pass") -> dict[str, Any]:
    made = live(sort, f"{key}.v{number}", content)
    made["Spec"]["Labels"].update({KEY: key, VERSION: str(number)})
    return made


def using(sort: Sort, name: str) -> dict[str, Any]:
    word = sort.name.capitalize()
    return service("shop_web", **{f"{word}s": [{f"{word}ID": f"id-{name}", f"{word}Name": name}]})


def record(sort: Sort, name: str) -> dict[str, Any]:
    """Revision 7 of the stack shop, whose service uses this."""
    spec = {"Name": "shop_web", **using(sort, name)["Spec"]}
    content = Content(None, State(services={"shop_web": spec}))
    labels = {"com.docker.stack.namespace": "shop", REVISION: "7", "homecloud.swarm.verdict": "converged"}
    data = base64.b64encode(packed("shop", 7, content)).decode()
    return {
        "ID": "record",
        "Version": {"Index": 3},
        "Spec": {"Name": "shop.r7", "Labels": labels, "Data": data},
        "CreatedAt": "",
        "UpdatedAt": "",
    }


def engine_of(sort: Sort, *objects: dict[str, Any], needed: str = "", users: tuple[dict[str, Any], ...] = ()) -> TableEngine:
    records = [record(sort, needed)] if needed else []
    engine = engine_with(sort, *objects, users=users)
    engine.answers["/configs"] = [*engine.answers["/configs"], *records]
    return engine


@SORTS
@pytest.mark.parametrize(
    ("case", "content", "used", "needed", "revoke", "written", "removed"),
    [
        ("the newest fits, and an old one is in use", NEW, "pass", "", False, [], []),
        ("the newest fits, and nobody needs an old one", NEW, "", "", False, ["id-pass"], ["pass"]),
        ("the newest fits, and a revision needs an old one", NEW, "", "pass", False, [], []),
        ("a revision needs one that is revoked", NEW, "", "pass", True, ["id-pass", "record"], ["pass"]),
        ("an older value returns", OLD, "pass.v2", "", False, ["create", "id-pass"], ["pass"]),
        ("an older value returns where nobody needs anything", OLD, "", "", False, ["id-pass.v2", "create", "id-pass"], ["pass"]),
    ],
)
def test_versions(
    sort: Sort, *, case: str, content: bytes, used: str, needed: str, revoke: bool, written: list[str], removed: list[str]
) -> None:
    users = (using(sort, used),) if used else ()
    engine = engine_of(sort, live(sort), version(sort, 2, NEW), live(sort, "pass_v2"), live(sort, "pass.v9"), needed=needed, users=users)
    foreseen = converge(engine, sort, True, content=content, revoke=revoke)
    assert engine.written == []
    done = converge(engine, sort, content=content, revoke=revoke)
    assert [path.removesuffix("/update").rpartition("/")[2] for path in engine.paths] == written, case
    assert done.values["removed"] == foreseen.values["removed"] == removed
    assert done.changed is foreseen.changed is bool(written)


@SORTS
def test_what_is_in_use_cannot_be_revoked(sort: Sort) -> None:
    engine = engine_with(sort, live(sort), version(sort, 2, NEW), users=(USING[sort],))
    with pytest.raises(RefusedError, match=r"cannot be revoked, as shop_web still use them"):
        converge(engine, sort, content=NEW, revoke=True)
    assert engine.written == []


@SORTS
def test_names_of_others_are_passed_over(sort: Sort) -> None:
    engine = engine_with(sort, live(sort), live(sort, "pass.v2"), users=(USING[sort],))
    assert converge(engine, sort, content=NEW).values[f"{sort.name}_name"] == "pass.v3"


@SORTS
def test_absent(sort: Sort) -> None:
    engine = engine_with(sort, live(sort))
    assert not converge(engine, sort, state="absent", name="pas").changed
    assert converge(engine, sort, True, state="absent").changed
    assert engine.written == []
    assert converge(engine, sort, state="absent").changed
    assert engine.paths == [f"{sort.path}/id-pass"]
    with pytest.raises(RefusedError, match="pass is used by shop_web"):
        converge(engine_with(sort, live(sort), users=(USING[sort],)), sort, state="absent")


REFUSED = EngineError("The engine at x refused: only updates to Labels are allowed", 400)


def answering(problem: Exception | None) -> TableEngine:
    engine = engine_with(SECRET, live(SECRET, known=False, owner="me"))

    def update(_spec: Any) -> None:
        if problem:
            raise problem

    engine.effects["/secrets/id-pass/update"] = update
    return engine


def test_an_unknown_secret_is_verified_by_the_engine() -> None:
    engine = answering(None)
    checked = converge(engine, SECRET, True, content=OLD)
    assert not checked.changed
    assert "check mode cannot tell" in checked.warnings[0]
    assert engine.written == []
    assert not converge(engine, SECRET, content=OLD).changed
    ((path, body),) = engine.written
    assert path == "/secrets/id-pass/update"
    assert base64.b64decode(body["Data"]) == OLD
    assert body["Labels"]["owner"] == "me"
    assert verdict_of(OLD, body["Labels"])


def test_an_unknown_secret_that_differs_is_replaced() -> None:
    engine = answering(REFUSED)
    assert converge(engine, SECRET, content=NEW).changed
    assert engine.paths == ["/secrets/id-pass/update", "/secrets/id-pass", "/secrets/create"]


def test_another_refusal_is_no_answer() -> None:
    with pytest.raises(EngineError, match="disk is full"):
        converge(answering(EngineError("disk is full", 500)), SECRET, content=NEW)


def test_a_conflict_is_tried_again() -> None:
    engine = answering(None)
    problems = [OutOfSequenceError("update out of sequence", 500)]

    def update(_spec: Any) -> None:
        if problems:
            raise problems.pop()

    engine.effects["/secrets/id-pass/update"] = update
    assert not converge(engine, SECRET, content=OLD).changed
    assert len(engine.written) == 2


@pytest.mark.parametrize("name", ["a", "a.b-c_d", "x" * 64, "1"])
def test_names(name: str) -> None:
    assert would_create(SECRET, ContentOptions(name, content=OLD)).changed


@pytest.mark.parametrize("name", ["", "-a", "a-", ".a", "a b", "ä", "x" * 65, "a/b", "a\n"])
def test_names_the_engine_refuses(name: str) -> None:
    with pytest.raises(RefusedError, match="cannot be the name of a secret"):
        would_create(SECRET, ContentOptions(name, content=OLD))


@pytest.mark.parametrize(("sort", "most"), [(SECRET, 511_999), (CONFIG, 1_023_999)])
def test_sizes(sort: Sort, most: int) -> None:
    assert would_create(sort, ContentOptions("a", content=b"x" * most)).changed
    for size in (0, most + 1):
        with pytest.raises(RefusedError, match=f"the engine takes 1 to {most} bytes, this has {size}"):
            would_create(sort, ContentOptions("a", content=b"x" * size))


def options_of(**given: Any) -> ContentOptions:
    unset = {"state": "present", "data": None, "data_src": None, "data_is_b64": False, "labels": None, "template_driver": None}
    return ContentOptions.of({"name": "pass", "force": False, "revoke": False, **unset, **given})


def test_where_content_comes_from(tmp_path: Path) -> None:
    (tmp_path / "pass").write_bytes(b"\xff\x00")
    assert options_of(data="ü").content == "ü".encode()
    for spelt in ("/wA=", "/w\nA=\n", "/w A="):
        assert options_of(data=spelt, data_is_b64=True).content == b"\xff\x00"
    assert options_of(data_src=str(tmp_path / "pass")).content == b"\xff\x00"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"data": "not base64", "data_is_b64": True}, "pass: data is not base64"),
        ({"data": "gehe\u00efm=", "data_is_b64": True}, "pass: data is not base64"),
        ({"data_src": "/nowhere/pass"}, "data_src /nowhere/pass cannot be read: No such file or directory"),
    ],
)
def test_content_that_cannot_be_had(given: dict[str, Any], words: str) -> None:
    with pytest.raises(RefusedError, match=words) as refused:
        options_of(**given)
    assert "not base64" not in refused.value.message.replace("data is not base64", "")


def test_nothing_shows_a_secret() -> None:
    engine = engine_with(SECRET, live(SECRET))
    outcome = converge(engine, SECRET, content=NEW)
    shown = repr((outcome, ContentOptions("a", content=NEW), list_contents(cast(Engine, engine), SECRET, {"name": None})))
    for hidden in (OLD.decode(), NEW.decode(), base64.b64encode(NEW).decode(), "scrypt"):
        assert hidden not in shown


def test_names_are_exact() -> None:
    engine = engine_with(CONFIG, live(CONFIG, "password"), live(CONFIG, "pass"), live(CONFIG, "pass2"))
    assert [version.name for version in held(cast(Engine, engine), CONFIG, "pass").versions] == ["pass"]
    assert held(cast(Engine, engine), CONFIG, "pas").versions == []


def test_a_credential_is_a_use_of_a_config() -> None:
    windows = service("a", Configs=None, Privileges={"CredentialSpec": {"Config": "id-pass"}})
    assert references_of(windows, CONFIG) == {"id-pass"}
    assert references_of(windows, SECRET) == set()
    assert references_of({"Spec": {"TaskTemplate": {}}}, CONFIG) == set()


def test_list() -> None:
    binary = live(CONFIG, "b", b"\xff", a="b")
    engine = engine_with(CONFIG, live(CONFIG), binary, users=(USING[CONFIG],))
    rows = list_contents(cast(Engine, engine), CONFIG, {"name": None, "data": True}).values["configs"]
    assert [(row["name"], row["users"], row["data"], row["data_is_b64"]) for row in rows] == [
        ("b", [], "/w==", True),
        ("pass", ["shop_web"], OLD.decode(), False),
    ]
    (row,) = list_contents(cast(Engine, engine), CONFIG, {"name": ["b", "c"], "data": False}).values["configs"]
    assert "data" not in row
