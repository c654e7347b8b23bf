# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clean up: versions of secrets and configs, and images, that neither a service nor a remembered revision needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ._compose._image import familiar_image
from ._engine import Engine
from ._errors import EngineError, RefusedError
from ._history import needed_by_all, revisions
from ._model import REVISION, Body, Outcome, References, Sort
from ._plan import used_by
from ._state import CONTENTS
from ._versions import labelled, versions_of


@dataclass(frozen=True)
class Needs:
    """What the swarm needs: secrets and configs, and images as services name them."""

    contents: References
    images: frozenset[str]


def clean_up(engine: Engine, options: Mapping[str, Any], check: bool) -> Outcome:
    """What the module does."""
    manages = bool(engine.info()["Swarm"].get("ControlAvailable"))
    if options["images"] and not manages and options["keep_images"] is None:
        raise RefusedError(
            "This node is no manager, so it cannot tell which images the swarm needs: give it keep_images, which a manager returns as "
            "needed_images."
        )
    needs = needed(engine) if manages or options["versions"] else Needs(frozenset(), frozenset())
    versions = list(spare_versions(engine, needs.contents)) if options["versions"] else []
    kept = needs.images | set(options["keep_images"] or ())
    images = list(spare_images(engine, kept)) if options["images"] else []
    warnings = [] if check else [*_removed(engine, versions, images)]
    names = [f"{sort.value} {live['Spec']['Name']}" for sort, live in versions]
    shown = [_called(image) for image in images]
    return Outcome(
        changed=bool(names or shown),
        before={"versions": names, "images": shown} if names or shown else None,
        values={
            "versions": names,
            "images": shown,
            "bytes": sum(int(image.get("Size") or 0) for image in images),
            "needed_images": sorted(needs.images),
        },
        warnings=tuple(warnings),
    )


def needed(engine: Engine) -> Needs:
    """By services, and by revisions that can be brought back."""
    specs = [service["Spec"] for service in engine.get("/services") or []]
    records = [item for item in engine.get("/configs") or [] if REVISION in (item["Spec"].get("Labels") or {})]
    contents = (revision.content() for revision in revisions(records) if revision.is_restorable)
    kept = [spec for content in contents if content for spec in content.state.services.values()]
    images = frozenset(str(spec["TaskTemplate"].get("ContainerSpec", {}).get("Image", "")) for spec in (*specs, *kept))
    return Needs(used_by(specs) | needed_by_all(engine).keys(), images - {""})


def spare_versions(engine: Engine, used: References) -> Iterator[tuple[Sort, Body]]:
    """Versions of ours that are not the newest of their name, and that nobody needs."""
    for sort in CONTENTS:
        objects = {item["Spec"]["Name"]: item for item in engine.get(f"/{sort.value}s") or []}
        for name, live in sorted(objects.items()):
            key, _number = labelled(live)
            if key and versions_of(key, objects)[0].name != name and (sort, name) not in used:
                yield sort, live


def spare_images(engine: Engine, keep: Iterable[str]) -> Iterator[Body]:
    """Images that no container of this node uses and that are not to be kept."""
    try:
        kept = frozenset(map(reference, keep))
    except ValueError as problem:
        raise RefusedError(f"keep_images: {problem}") from problem
    running = {container["ImageID"] for container in engine.get("/containers/json", all=1) or []}
    for image in engine.get("/images/json") or []:
        if image["Id"] not in running and not kept & {*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())}:
            yield image


def reference(image: str) -> str:
    """An image as the engine lists it, however it is spelt: by its digest where it has one (name@sha256:…), else by its tag."""
    name, at, digest = familiar_image(image).partition("@")
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}@{digest}" if at else name


def _removed(engine: Engine, versions: Iterable[tuple[Sort, Body]], images: Iterable[Body]) -> Iterator[str]:
    """Remove; what could not be removed, in words."""
    for sort, live in versions:
        engine.delete(f"/{sort.value}s/{live['ID']}")
    for image in images:
        try:
            # all its tags; an image that a container has begun to use is refused all the same
            engine.delete(f"/images/{image['Id']}", force=1)
        except EngineError as problem:
            yield f"Image {_called(image)} stays: {problem.message}"


def _called(image: Body) -> str:
    names = [name for name in (*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())) if "<none>" not in name]
    return str(names[0] if names else image["Id"])
