# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking images up, at an engine that answers from a table."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._engine import Engine
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import EngineError, EngineUnreachableError, RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._images import credentials, pin, platforms

SLOW = EngineUnreachableError("No Docker engine answers: timed out")
UNKNOWN = EngineError("The engine at x refused: manifest unknown: manifest unknown", 404)
SILENT = EngineError("The engine at x refused: dial tcp: lookup nohost: no such host", 500)
FOUND = {"Descriptor": {"digest": "sha256:aa"}, "Platforms": [{"architecture": "amd64", "os": "linux"}]}


class Answering:
    """An engine that knows some images."""

    address = "tcp://table"

    def __init__(self, answers: dict[str, Any], held: tuple[str, ...] = ()) -> None:
        self.answers = answers
        self.held = held
        self.headers: dict[str, Any] = {}

    def get(self, path: str, headers: dict[str, str] | None = None) -> Any:
        image = path.split("/", 2)[2].removesuffix("/json")
        self.headers[image] = headers
        if isinstance(self.answers[image], Exception):
            raise self.answers[image]
        return self.answers[image]

    def find(self, path: str) -> Any:
        return {} if any(image in path for image in self.held) else None

    def stored_auth(self, registry: str) -> dict[str, Any] | None:
        return {"username": "stored"} if registry == "stored.lab" else None

    @property
    def engine(self) -> Engine:
        return cast("Engine", self)


def nobody(_image: str) -> None:
    return None


def test_a_tag_becomes_a_digest() -> None:
    found = pin(Answering({"nginx:1": FOUND}).engine, {"nginx": "nginx:1"}, (), nobody)
    assert found.images == {"nginx": ("nginx:1@sha256:aa", [{"Architecture": "amd64", "OS": "linux"}])}


def test_a_digest_in_the_file_stays() -> None:
    found = pin(Answering({"nginx@sha256:bb": FOUND}).engine, {"x": "nginx@sha256:bb"}, (), nobody)
    assert found.images["x"][0] == "nginx@sha256:bb"


@pytest.mark.parametrize(
    ("answer", "known", "held"),
    [(SILENT, (), ()), (SLOW, (), ()), (UNKNOWN, ("nosuch:1",), ()), (UNKNOWN, (), ("nosuch",))],
    ids=["the registry is down", "the registry takes too long", "it runs already", "this engine holds it"],
)
def test_an_image_that_cannot_be_looked_up_is_a_warning(answer: Exception, known: tuple[str, ...], held: tuple[str, ...]) -> None:
    found = pin(Answering({"nosuch:1": answer}, held).engine, {"nosuch:1": "nosuch:1"}, known, nobody)
    assert not found.images
    assert "'nosuch:1' could not be looked up" in found.warnings[0]


def test_an_image_that_does_not_exist_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"'nosuch:1' cannot be had: manifest unknown.*resolve_image"):
        pin(Answering({"nosuch:1": UNKNOWN}).engine, {"nosuch:1": "nosuch:1"}, (), nobody)


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ([], []),
        ([{"architecture": "unknown", "os": "unknown"}], []),
        ([{"architecture": "arm", "os": "linux"}], [{"OS": "linux"}]),
        ([{"architecture": "amd64", "os": "linux"}] * 2, [{"Architecture": "amd64", "OS": "linux"}]),
    ],
)
def test_platforms(manifest: list[dict[str, str]], expected: list[dict[str, str]]) -> None:
    assert list(platforms({"Platforms": manifest})) == expected


GIVEN = {"username": "me", "password": "hush", "serveraddress": "mine.lab:5000"}


def user(header: str | None) -> str | None:
    return json.loads(base64.urlsafe_b64decode(header))["username"] if header else None


@pytest.mark.parametrize(
    ("image", "stored", "expected"),
    [
        ("mine.lab:5000/app:1", False, "me"),
        ("mine.lab:5001/app:1", False, None),
        ("nginx:1", True, None),
        ("stored.lab/app", True, "stored"),
        ("stored.lab/app", False, None),
    ],
)
def test_a_password_goes_to_its_own_registry_only(image: str, stored: bool, expected: str | None) -> None:
    header: Callable[[str], str | None] = credentials(Answering({}).engine, GIVEN, stored)
    assert user(header(image)) == expected
