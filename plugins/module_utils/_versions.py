# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of secrets and configs: a new value is a new object, because the engine changes neither. Pure.

The first version has the plain name, as the CLI gives it; later ones add their number. Which object is a version of
which name is told by our labels alone, matched exactly; names that only look alike are somebody else's.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from ._model import Body, Sort
from ._verifier import KEY, VERSION, verdict_of

#: Longest name of a secret or config (swarmkit, validateAnnotations).
LONGEST = 64
#: Letters that all versions of a name begin with, however long it is.
SHORTENED = 40


@dataclass(frozen=True)
class Versioned:
    """One object that holds a value of a secret or config."""

    number: int
    name: str
    live: Body


def versions_of(name: str, objects: Mapping[str, Body]) -> list[Versioned]:
    """All versions, the newest first."""
    found = [
        Versioned(int(number), called, live)
        for called, live in objects.items()
        for key, number in [labelled(live)]
        if key == name and called != name and number.isdigit()
    ]
    plain = [Versioned(1, name, objects[name])] if name in objects else []
    return sorted(found + plain, key=lambda version: version.number, reverse=True)


def labelled(live: Body) -> tuple[str, str]:
    """The name and number that our labels give an object; empty for objects of others."""
    labels = live["Spec"].get("Labels") or {}
    return labels.get(KEY, ""), labels.get(VERSION, "")


def name_of(name: str, number: int) -> str:
    """What a version is called on the engine."""
    return name if number == 1 else within_limit(name, f".v{number}")


def next_number(name: str, versions: Sequence[Versioned], taken: Container[str]) -> int:
    """Of the next version; names that somebody else has taken are passed over."""
    number = versions[0].number + 1 if versions else 1
    while versions and name_of(name, number) in taken:
        number += 1
    return number


def within_limit(name: str, ending: str) -> str:
    """Name and ending, as short as the engine wants it; a name that is cut stays unique by its digest."""
    if len(name) + len(ending) <= LONGEST:
        return name + ending
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: LONGEST - len(ending) - len(digest) - 1]}.{digest}{ending}"


def holds(sort: Sort, version: Versioned, content: bytes) -> bool | None:
    """Whether the version has this value; None for a secret whose value nobody recorded."""
    if sort is Sort.CONFIG:
        return base64.b64decode(version.live["Spec"].get("Data") or "") == content
    return verdict_of(content, version.live["Spec"].get("Labels"))
