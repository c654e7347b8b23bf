# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look images up in their registries: tag -> digest and platforms. Reads only, so check mode does it too."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Optional
from urllib.parse import quote

from ._compose._image import registry_of
from ._engine import Engine
from ._errors import EngineError, EngineUnreachableError, RefusedError

#: image -> the X-Registry-Auth header for its registry, if there are credentials for it.
Auth = Callable[[str], Optional[str]]

#: Most look-ups under way at once.
LANES = 8

#: What a registry says when it knows that it has no such image, as against not answering.
DENIALS = ("manifest unknown", "not found", "denied", "unauthorized", "no basic auth credentials")


@dataclass(frozen=True)
class Pinned:
    """What was found: image -> (reference with digest, platforms); and the images that could not be looked up."""

    images: Mapping[str, tuple[str, list[Mapping[str, Any]]]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def pin(engine: Engine, images: Mapping[str, str], known: Collection[str], auth: Auth) -> Pinned:
    """Look up each image (as in the file -> as the engine names it) once, several at a time.

    An image that no registry has raises RefusedError, unless this engine holds it or it runs already (``known``).
    A registry that does not answer is a warning: the digest that runs, or the tag, is used as it is.
    """
    with ThreadPoolExecutor(LANES) as pool:
        answers = list(pool.map(lambda image: _look_up(engine, image, auth(image)), images.values()))
    found: dict[str, tuple[str, list[Mapping[str, Any]]]] = {}
    warnings = []
    refusals = []
    for (raw, image), answer in zip(images.items(), answers):
        if not isinstance(answer, EngineError):
            found[raw] = (pinned(image, answer), list(platforms(answer)))
        elif _denied(answer) and raw not in known and engine.find(f"/images/{quote(image, safe='')}/json") is None:
            refusals.append(
                f"The image '{raw}' cannot be had: {answer.message.rpartition('refused: ')[2].rstrip('.')}. Check its name and "
                "tag, give registry_auth if the registry asks for a password, or set resolve_image to never if the nodes have it."
            )
        else:
            warnings.append(
                f"The digest of image '{raw}' could not be looked up, so what runs of it stays, or its tag is used: {answer.message}"
            )
    if refusals:
        raise RefusedError(" ".join(refusals))
    return Pinned(found, tuple(warnings))


def pinned(image: str, answer: Mapping[str, Any]) -> str:
    """The reference with the digest, unless the file pins it already."""
    digest = (answer.get("Descriptor") or {}).get("digest")
    return image if "@" in image or not digest else f"{image}@{digest}"


def platforms(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What the image runs on, as the CLI sends it: attestations left out, "arm" without its name, no duplicates."""
    seen = []
    for platform in answer.get("Platforms") or []:
        architecture, system = platform.get("architecture", ""), platform.get("os", "")
        if "unknown" in (architecture, system):
            continue
        entry = {"Architecture": "" if architecture == "arm" else architecture, "OS": system}
        if entry not in seen:
            seen.append(entry)
            yield {name: value for name, value in entry.items() if value}


def credentials(engine: Engine, given: Mapping[str, Any] | None, stored: bool) -> Auth:
    """Whose password goes to which registry: the given one to its own registry only, the node's stored ones to theirs."""

    def header(image: str) -> str | None:
        registry = registry_of(image)
        if given and given["serveraddress"] == registry:
            return auth_header({key: given[key] for key in ("username", "password", "serveraddress")})
        return auth_header(engine.stored_auth(registry)) if stored else None

    return header


def auth_header(auth: Mapping[str, Any] | None) -> str | None:
    """The X-Registry-Auth header: credentials as base64url JSON."""
    return base64.urlsafe_b64encode(json.dumps(auth).encode()).decode("ascii") if auth else None


def _look_up(engine: Engine, image: str, auth: str | None) -> Any:
    try:
        return engine.get(f"/distribution/{quote(image, safe='/:@')}/json", headers=_headers(auth))
    except EngineError as error:
        return error
    except EngineUnreachableError:
        # one that is gone will be missed by the next call; this one waits for the registry
        return EngineError(f"The registry has kept the engine at {engine.address} waiting for too long.")


def _headers(auth: str | None) -> dict[str, str]:
    return {"X-Registry-Auth": auth} if auth else {}


def _denied(error: EngineError) -> bool:
    return any(words in error.message for words in DENIALS)
