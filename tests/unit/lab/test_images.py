# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a recipe another recipe, and what is read from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from homelab.bases import debian_mirrors, debian_sources
from homelab.errors import LabError
from homelab.images import ENGINE_PACKAGES, GUEST_IMAGE, Recipe, find_apps, guest_recipe, node_image, node_recipe
from homelab.labs import on_kernel
from homelab.shape import RELEASES, Node, Shape

DOCKERFILE = 'FROM debian:trixie-slim\nLABEL homecloud.lab.tag="2.11 2"\nLABEL homecloud.lab.variable=swarm_ingress_image\n'
BASES = ["sha256:1"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "caddy"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "start").write_text("#!/bin/sh\n")
    return folder


def append(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with (folder / name).open("a") as file:
            file.write("# more\n")

    return change


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda _folder: None, True),
        (append("Dockerfile"), False),
        (append("start"), False),
        (append("new"), False),
        (lambda folder: (folder / "start").chmod(0o755), False),
        (lambda folder: (folder / "start").rename(folder / "begin"), False),
        (lambda folder: (folder / "start").touch(), True),
    ],
)
def test_a_recipe_changes_with_its_folder(folder: Path, change: Callable[[Path], None], same: bool) -> None:
    recipe = Recipe("image", folder)
    before = recipe.hash(BASES)
    change(folder)
    assert (recipe.hash(BASES) == before) is same


def test_what_dockerignore_names_does_not_count(folder: Path) -> None:
    (folder / ".dockerignore").write_text("*.md\n")
    before = Recipe("image", folder).hash(BASES)
    (folder / "README.md").write_text("read me")
    assert Recipe("image", folder).hash(BASES) == before


@pytest.mark.parametrize(
    ("other", "bases"),
    [
        (lambda folder: Recipe("image", folder, {"VERSION": "2"}), BASES),
        (lambda folder: Recipe("image", folder, target="bare"), BASES),
        (lambda folder: Recipe("image", folder), ["sha256:2"]),
    ],
)
def test_a_recipe_changes_with_how_it_is_built(folder: Path, other: Callable[[Path], Recipe], bases: list[str]) -> None:
    assert other(folder).hash(bases) != Recipe("image", folder).hash(BASES)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("bare", [True, False])
def test_a_node_starts_from_its_release(release: str, bare: bool) -> None:
    recipe = node_recipe(release, bare)
    assert recipe.bases() == {release}
    assert recipe.target == ("bare" if bare else "engine")
    assert recipe.arguments["ENGINE_PACKAGES"].split() == list(ENGINE_PACKAGES[release])


def test_a_guest_starts_from_a_node() -> None:
    recipe = guest_recipe("sha256:1")
    # nothing of Debian's besides
    assert recipe.bases() == set()
    assert recipe.hash([]) == guest_recipe("sha256:1").hash([])
    assert recipe.hash([]) != guest_recipe("sha256:2").hash([])


@pytest.mark.parametrize(
    ("bare", "guest", "image"),
    [
        (True, False, "homecloud-lab-node:trixie-bare"),
        (False, False, "homecloud-lab-node:trixie-engine"),
        (False, True, "homecloud-lab-node:trixie-guest"),
    ],
)
def test_a_node_has_the_image_of_its_flavour(bare: bool, guest: bool, image: str) -> None:
    assert node_image(Node("worker1", "swarm_workers", "trixie", bare, 101, guest)) == image


@pytest.mark.parametrize(
    ("kernel", "images", "flavour"),
    [("host", {"node"}, "engine"), ("ipvs", {"node"}, "engine"), ("ipvs", {"node", GUEST_IMAGE}, "guest")],
)
def test_nodes_are_guests_where_they_must(kernel: str, images: set[str], flavour: str) -> None:
    assert {node.flavour for node in on_kernel(Shape(kernel=kernel), images).nodes()} == {flavour}


def test_an_app_has_an_image_for_every_tag(folder: Path) -> None:
    app = find_apps([folder])[-1]
    assert (app.name, list(app.recipes), app.tag, app.variables) == ("caddy", ["2.11", "2"], "2.11", ("swarm_ingress_image",))
    assert {recipe.image for recipe in app.recipes.values()} == {"homecloud-lab-app:caddy-2.11", "homecloud-lab-app:caddy-2"}
    assert all(recipe.arguments == {} for recipe in app.recipes.values())


def test_a_tag_is_the_version_of_an_app_that_asks_for_it(folder: Path) -> None:
    append("Dockerfile")(folder)
    (folder / "Dockerfile").write_text(DOCKERFILE + "ARG VERSION=1\n")
    app = find_apps([folder])[-1]
    assert [recipe.arguments for recipe in app.recipes.values()] == [{"VERSION": "2.11"}, {"VERSION": "2"}]


@pytest.mark.parametrize(("text", "words"), [(None, "has no Dockerfile"), ("FROM debian:trixie-slim\n", "says no tag")])
def test_a_folder_that_is_no_app_is_named(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "Dockerfile").write_text(text)
    with pytest.raises(LabError) as raised:
        find_apps([tmp_path])
    assert words in str(raised.value)
    assert str(tmp_path) in str(raised.value)


TARGETS = """\
Else trixie uri:else
Debian bookworm uri:main
Debian bookworm-updates uri:main
Debian bookworm-security uri:security
broken
"""


@pytest.mark.parametrize(
    ("targets", "mirrors"),
    [
        (TARGETS, {"main": "uri:main", "security": "uri:security"}),
        ("Debian trixie uri:main\n", {"main": "uri:main"}),
        ("Ubuntu noble uri:noble\n", {}),
        ("", {}),
    ],
)
def test_the_mirror_is_the_one_of_this_machine(targets: str, mirrors: dict[str, str]) -> None:
    assert debian_mirrors(targets) == mirrors


@pytest.mark.parametrize(
    ("release", "mirrors", "suites"),
    [
        ("trixie", {"main": "m", "security": "s"}, ["trixie trixie-updates", "trixie-security"]),
        ("bookworm", {"main": "m"}, ["bookworm bookworm-updates"]),
        ("forky", {"main": "m", "security": "s"}, ["forky"]),
    ],
)
def test_sources_name_the_suites_a_release_has(release: str, mirrors: dict[str, str], suites: list[str]) -> None:
    lines = debian_sources(release, mirrors).splitlines()
    assert [line.removeprefix("Suites: ") for line in lines if line.startswith("Suites: ")] == suites
