# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of the lab: a Debian base, nodes, and programs for them. Built once, again when their recipe changes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from docker.errors import APIError
from docker.utils.build import exclude_paths

from .bases import ensure_base, find_image, recipe_of
from .engine import Engine
from .errors import LabError
from .labels import LAB_IMAGE, RECIPE
from .progress import at_once, say, step
from .shape import GUEST_RELEASE, Node

FOLDER = Path(__file__).resolve().parent.parent
NODE_RECIPE = FOLDER / "node"
GUEST_RECIPE = FOLDER / "guest"
APP_RECIPES = FOLDER / "images"
# Example apps, with the Dockerfile that users build too.
EXAMPLES = FOLDER.parent.parent / "playbooks"
NODE_IMAGE = "homecloud-lab-node"
GUEST_IMAGE = f"{NODE_IMAGE}:{GUEST_RELEASE}-guest"
APP_IMAGE = "homecloud-lab-app"
BUILDERS = min(4, os.cpu_count() or 1)

SDK_PACKAGES = ("python3-docker", "python3-yaml", "python3-jsondiff")
ENGINE_PACKAGES = {
    "bookworm": ("docker.io", "apparmor", "iptables", *SDK_PACKAGES),
    "trixie": ("docker.io", "apparmor", "docker-cli", "iptables", *SDK_PACKAGES),
    "forky": ("docker.io", "apparmor", "docker-cli", "iptables", *SDK_PACKAGES),
}
BASE = re.compile(r"debian:([a-z]+)-slim")
FROM = re.compile(r"^FROM\s+(?:--\S+\s+)?(\S+)", re.MULTILINE | re.IGNORECASE)
VERSION = re.compile(r"^ARG VERSION\b", re.MULTILINE)
LABEL = re.compile(r"""^LABEL\s+homecloud\.lab\.(tag|variable)=(?:"([^"]*)"|(\S+))""", re.MULTILINE)


@dataclass(frozen=True)
class Recipe:
    """A folder with a Dockerfile, and how to build it."""

    image: str
    folder: Path
    arguments: Mapping[str, str] = field(default_factory=dict)
    target: str = ""

    @property
    def text(self) -> str:
        return (self.folder / "Dockerfile").read_text()

    def bases(self) -> set[str]:
        """The Debian releases it is built from."""
        text = self.text
        for name, value in self.arguments.items():
            text = text.replace(f"${{{name}}}", value).replace(f"${name}", value)
        return {match[1] for source in FROM.findall(text) if (match := BASE.fullmatch(source))}

    def hash(self, base_ids: Iterable[str]) -> str:
        """Changes with every file of the folder, the way it is built and the images it is built from."""
        digest = hashlib.sha256(repr((sorted(self.arguments.items()), self.target, sorted(base_ids))).encode())
        for path in self.context():
            digest.update(f"{path.relative_to(self.folder)} {path.stat().st_mode & 0o111}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:16]

    def context(self) -> list[Path]:
        """The files that the engine gets to see: those that .dockerignore leaves."""
        ignore = self.folder / ".dockerignore"
        patterns = ignore.read_text().split() if ignore.exists() else []
        paths = (self.folder / name for name in exclude_paths(str(self.folder), patterns))
        return sorted(path for path in paths if path.is_file())


@dataclass(frozen=True)
class App:
    """A program whose images (one per tag) nodes pull from the lab's registry, and the role variables that name it."""

    name: str
    recipes: Mapping[str, Recipe]
    variables: tuple[str, ...]

    @property
    def tag(self) -> str:
        """The first is the one that variables name."""
        return next(iter(self.recipes))


def node_recipe(release: str, bare: bool) -> Recipe:
    flavour = "bare" if bare else "engine"
    return Recipe(
        image=f"{NODE_IMAGE}:{release}-{flavour}",
        folder=NODE_RECIPE,
        arguments={"RELEASE": release, "ENGINE_PACKAGES": " ".join(ENGINE_PACKAGES[release])},
        target=flavour,
    )


def guest_recipe(node_id: str) -> Recipe:
    """The node image of this id as the disk of a guest, and what starts the guest."""
    return Recipe(GUEST_IMAGE, GUEST_RECIPE, {"NODE": node_id})


def node_image(node: Node) -> str:
    return GUEST_IMAGE if node.guest else node_recipe(node.release, node.bare).image


def find_apps(extra: Iterable[Path] = ()) -> tuple[App, ...]:
    """Every recipe below images/ and of the example apps, and those in the extra folders."""
    folders = [path.parent for top in (APP_RECIPES, EXAMPLES) for path in sorted(top.glob("*/Dockerfile"))] + list(extra)
    return tuple(_app(folder) for folder in folders)


def _app(folder: Path) -> App:
    dockerfile = folder / "Dockerfile"
    if not dockerfile.is_file():
        raise LabError(f"{folder} has no Dockerfile, so no image can be built from it.")
    text = dockerfile.read_text()
    words = {key: (quoted or plain).split() for key, quoted, plain in LABEL.findall(text)}
    if not words.get("tag"):
        raise LabError(f'{dockerfile} says no tag: add a line such as LABEL homecloud.lab.tag="1.0".')
    versioned = VERSION.search(text) is not None
    recipes = {tag: Recipe(f"{APP_IMAGE}:{folder.name}-{tag}", folder, {"VERSION": tag} if versioned else {}) for tag in words["tag"]}
    return App(folder.name, recipes, tuple(words.get("variable", ())))


def build_all(engine: Engine, recipes: Iterable[Recipe]) -> dict[str, str]:
    """Make sure that these images are there and current; their ids by name."""
    recipes = list(recipes)
    releases = sorted({release for recipe in recipes for release in recipe.bases()})
    base_ids = dict(zip(releases, at_once(lambda release: ensure_base(engine, release), releases, BUILDERS), strict=True))
    # The engine flavour of a node starts from the layers of the bare one, so what one release shares is built by one builder.
    queues: dict[str, list[Recipe]] = {}
    for recipe in recipes:
        queues.setdefault(f"{recipe.folder}{recipe.arguments.get('RELEASE')}", []).append(recipe)

    def build_queue(queue: list[Recipe]) -> dict[str, str]:
        return {recipe.image: _ensure_image(engine, recipe, base_ids) for recipe in queue}

    return {image: image_id for ids in at_once(build_queue, queues.values(), BUILDERS) for image, image_id in ids.items()}


def _ensure_image(engine: Engine, recipe: Recipe, base_ids: Mapping[str, str]) -> str:
    recipe_hash = recipe.hash(base_ids[release] for release in recipe.bases())
    before = find_image(engine, recipe.image)
    if before and recipe_of(before) == recipe_hash:
        return str(before["Id"])
    with step(f"building {recipe.image}" + (", its recipe changed" if before else "")):
        _build(engine, recipe, recipe_hash)
    now = engine.inspect_image(recipe.image)
    if before and before["Id"] != now["Id"]:
        # Nodes made from it keep it for as long as they are there.
        with contextlib.suppress(APIError):
            engine.remove_image(before["Id"])
    return str(now["Id"])


def _build(engine: Engine, recipe: Recipe, recipe_hash: str) -> None:
    words: list[str] = []
    try:
        for event in engine.build(
            path=str(recipe.folder),
            tag=recipe.image,
            buildargs=dict(recipe.arguments),
            target=recipe.target or None,
            labels={RECIPE: recipe_hash, LAB_IMAGE: recipe.image},
            rm=True,
            forcerm=True,
            decode=True,
        ):
            words.append(str(event.get("stream", "")))
            if "error" in event:
                _explain(recipe, words)
                raise LabError(f"{recipe.folder / 'Dockerfile'} does not build: {event['error'].strip()}")
    except APIError as error:
        raise LabError(f"{recipe.folder / 'Dockerfile'} does not build: {error.explanation}") from error


def _explain(recipe: Recipe, words: list[str]) -> None:
    for line in "".join(words).strip().splitlines()[-15:]:
        say(f"  {recipe.folder.name}: {line}")
