# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is spare: versions and images that nobody needs, and nothing of anybody else's."""

from __future__ import annotations

import base64
from typing import Any, cast

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._cleanup import clean_up, reference
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._image import DEFAULT_DOMAIN
from ansible_collections.homecloud.swarm.plugins.module_utils._engine import Engine
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import EngineError, RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._history import Content, packed
from ansible_collections.homecloud.swarm.plugins.module_utils._model import NAMESPACE, REVISION, VERDICT, Outcome
from ansible_collections.homecloud.swarm.plugins.module_utils._state import State
from ansible_collections.homecloud.swarm.plugins.module_utils._verifier import KEY, VERSION

from .conftest import TableEngine

OPTIONS = {"versions": True, "images": False, "keep_images": None}
DIGEST = f"sha256:{64 * 'a'}"
PINNED = f"registry.lab:5000/web:1@{DIGEST}"


def secret(name: str, number: int | None = None, key: str = "pw") -> dict[str, Any]:
    return {"ID": name, "Spec": {"Name": name, "Labels": {KEY: key, VERSION: str(number)} if number else {}}}


def using(name: str, image: str) -> dict[str, Any]:
    return {"Name": "s_web", "TaskTemplate": {"ContainerSpec": {"Image": image, "Secrets": [{"SecretName": name, "SecretID": name}]}}}


def record(verdict: str, spec: dict[str, Any]) -> dict[str, Any]:
    data = base64.b64encode(packed("s", 1, Content(None, State(services={"s_web": spec})))).decode()
    return {"ID": "r1", "Spec": {"Name": "s.r1", "Labels": {NAMESPACE: "s", REVISION: "1", VERDICT: verdict}, "Data": data}}


def image(name: str, *names: str) -> dict[str, Any]:
    tags = [one for one in names if "@" not in one]
    return {"Id": name, "RepoTags": tags, "RepoDigests": [one for one in names if "@" in one], "Size": 100}


def engine(verdict: str = "converged", manager: bool = True) -> TableEngine:
    return TableEngine(
        {
            "/info": {"Swarm": {"ControlAvailable": manager}},
            "/services": [{"Spec": using("pw.v3", "web:2")}],
            "/secrets": [secret("pw", 1), secret("pw.v2", 2), secret("pw.v3", 3), secret("pw.v4", 4), secret("pw.v9"), secret("pw_v2")],
            "/configs": [record(verdict, using("pw.v2", PINNED))],
            "/containers/json": [{"ImageID": "running"}],
            "/images/json": [
                image("running", "old:1"),
                image("of a service", "web:2"),
                image("of a revision", f"registry.lab:5000/web@{DIGEST}"),
                image("of nobody", "web:0", "web@sha256:bb"),
                image("without a name"),
            ],
        }
    )


def run(found: TableEngine, check: bool = False, **options: Any) -> Outcome:
    return clean_up(cast(Engine, found), {**OPTIONS, **options}, check)


@pytest.mark.parametrize(
    ("verdict", "spare"),
    [("converged", ["secret pw"]), ("unknown", ["secret pw"]), ("failed", ["secret pw", "secret pw.v2"])],
)
def test_versions(verdict: str, spare: list[str]) -> None:
    found = engine(verdict)
    foreseen = run(found, check=True)
    assert found.written == []
    done = run(found)
    assert done.values == foreseen.values
    assert done.values["versions"] == spare
    assert found.paths == [f"/secrets/{name.removeprefix('secret ')}" for name in spare]
    assert done.values["needed_images"] == sorted(["web:2", *([PINNED] if verdict != "failed" else [])])


def test_images() -> None:
    found = engine()
    foreseen = run(found, check=True, versions=False, images=True)
    assert found.written == []
    done = run(found, versions=False, images=True)
    assert done.values == foreseen.values
    assert (done.values["images"], done.values["bytes"]) == (["web:0", "without a name"], 200)
    assert found.paths == ["/images/of nobody", "/images/without a name"]


def test_a_worker_has_to_be_told() -> None:
    found = engine(manager=False)
    with pytest.raises(RefusedError, match="give it keep_images"):
        run(found, versions=False, images=True)
    done = run(found, versions=False, images=True, keep_images=["web:2", PINNED, "web:0"])
    assert done.values["images"] == ["without a name"]
    with pytest.raises(RefusedError, match="keep_images: 'Web:2' is not the name of an image"):
        run(found, versions=False, images=True, keep_images=["Web:2"])


def test_an_image_that_cannot_go_is_named() -> None:
    found = engine()

    def refuse(_body: Any) -> None:
        raise EngineError("image has dependent child images", 409)

    found.effects["/images/of nobody"] = refuse
    done = run(found, versions=False, images=True)
    assert done.warnings == ("Image web:0 stays: image has dependent child images",)


def test_nothing_to_do() -> None:
    found = engine()
    found.answers.update({"/secrets": [], "/images/json": []})
    done = run(found, images=True)
    assert (done.changed, found.written) == (False, [])


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("web", "web:latest"),
        ("web:2", "web:2"),
        (f"{DEFAULT_DOMAIN}/library/web:2", "web:2"),
        ("library/web", "web:latest"),
        (f"{DEFAULT_DOMAIN}/a/web:2", "a/web:2"),
        (f"web:2@{DIGEST}", f"web@{DIGEST}"),
        (f"web@{DIGEST}", f"web@{DIGEST}"),
        (f"{DEFAULT_DOMAIN}/library/web:2@{DIGEST}", f"web@{DIGEST}"),
        (PINNED, f"registry.lab:5000/web@{DIGEST}"),
        ("registry.lab:5000/a/web", "registry.lab:5000/a/web:latest"),
    ],
)
def test_references(name: str, listed: str) -> None:
    assert reference(name) == listed
