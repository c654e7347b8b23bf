# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two versions of a service side by side: which of its colours serves, which one is next, and who may have colours. Pure.

A service ``web`` that is released blue-green runs as ``web-blue`` or ``web-green``. Which of them serves is written in the
stack's revisions; where these are lost, what runs tells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ._compose._notes import nearest
from ._compose._project import Entry, Project
from ._defaults import is_job, written_by
from ._desired import Desired
from ._errors import RefusedError
from ._model import Body
from ._names import NAMES, is_possible

COLOURS = BLUE, GREEN = "blue", "green"
#: Keys of services -> names of the services that stand for them, without the stack's.
Placed = Mapping[str, str]


@dataclass(frozen=True)
class Switch:
    """A release under way: which services serve, which ones shall, and how many of 100 requests the new ones get."""

    old: Placed
    new: Placed
    weight: int = 0
    #: whether the new services have been seen to come up
    started: bool = True

    @property
    def phase(self) -> str:
        """``starting``, ``preview`` before anybody sees the new colour, ``canary`` while some do, ``promoted`` when all do."""
        return {0: "preview", 100: "promoted"}.get(self.weight, "canary") if self.started else "starting"

    def to_label(self) -> str:
        return json.dumps({"old": dict(self.old), "new": dict(self.new), "weight": self.weight}, sort_keys=True)

    @classmethod
    def from_label(cls, text: str) -> Switch | None:
        """None where there is none, or none that can be read."""
        try:
            wire = json.loads(text or "null")
            return cls(dict(wire["old"]), dict(wire["new"]), int(wire["weight"])) if wire else None
        except (ValueError, KeyError, TypeError):
            return None


def shown(switch: Switch | None) -> dict[str, Any] | None:
    """A release under way, for people and playbooks."""
    return {"phase": switch.phase, "weight": switch.weight, "old": dict(switch.old), "new": dict(switch.new)} if switch else None


def placed(keys: Iterable[str], remembered: Placed, live: Iterable[str], stack: str) -> dict[str, str]:
    """Which service stands for each key: as remembered, if it is there, else what is; a key that nothing stands for is left out.

    ``live`` are full names. A service without a colour serves until its first release has ended, whatever runs beside it.
    """
    there = {name.removeprefix(f"{stack}_") for name in live}
    candidates = {key: (remembered.get(key, ""), key, f"{key}-{BLUE}", f"{key}-{GREEN}") for key in keys}
    found = {key: next((name for name in names if name in there), "") for key, names in candidates.items()}
    return {key: name for key, name in found.items() if name}


def coloured(live: Iterable[str], stack: str, keys: Iterable[str]) -> set[str]:
    """Those of the files' service keys that are released blue-green, by what runs."""
    there = {name.removeprefix(f"{stack}_") for name in live}
    return {key for key in keys if key not in there and {f"{key}-{BLUE}", f"{key}-{GREEN}"} & there}


def first(keys: Iterable[str]) -> dict[str, str]:
    """Where they begin."""
    return {key: f"{key}-{BLUE}" for key in keys}


def following(now: Placed) -> dict[str, str]:
    """The colours that are next."""
    return {key: f"{key}-{GREEN}" if name == f"{key}-{BLUE}" else f"{key}-{BLUE}" for key, name in now.items()}


def renamed(desired: Desired, names: Placed) -> Desired:
    """The same stack with its coloured services under these names."""
    full = {f"{desired.stack}_{key}": (key, f"{desired.stack}_{name}") for key, name in names.items()}
    services = dict(
        (full[name][1], called(spec, full[name][0], names[full[name][0]], desired.stack)) if name in full else (name, spec)
        for name, spec in desired.services.items()
    )
    return replace(desired, services=services, order=tuple(full[name][1] if name in full else name for name in desired.order))


def without(desired: Desired, keys: Iterable[str]) -> Desired:
    """The same stack without some of its services."""
    gone = {f"{desired.stack}_{key}" for key in keys}
    services = {name: spec for name, spec in desired.services.items() if name not in gone}
    return replace(desired, services=services, order=tuple(name for name in desired.order if name not in gone))


def called(spec: Body, before: str, name: str, stack: str) -> dict[str, Any]:
    """The spec of a service under another name: its name on its networks is another one too, so that no request strays."""
    template = spec["TaskTemplate"]
    networks = [
        {**item, "Aliases": [name if alias == before else alias for alias in item.get("Aliases") or []]} if item.get("Aliases") else item
        for item in template.get("Networks") or []
    ]
    return {**spec, "Name": f"{stack}_{name}", "TaskTemplate": {**template, "Networks": networks} if networks else template}


def check_sides(project: Project, desired: Desired, keys: Sequence[str]) -> None:
    """Raise RefusedError for services that cannot run twice side by side, or that others would call by a name which changes."""
    problems = [problem for key in keys for problem in _problems(project, desired, key)]
    if problems:
        raise RefusedError(f"Stack '{desired.stack}' cannot be released blue-green: {'; '.join(problems)}.")


def unchecked(desired: Desired, keys: Iterable[str]) -> Iterator[str]:
    """Services whose new colour would get requests before anybody knows that it can answer them."""
    for key in keys:
        container = desired.services[f"{desired.stack}_{key}"]["TaskTemplate"]["ContainerSpec"]
        if (container.get("Healthcheck") or {}).get("Test") in (None, ["NONE"]):
            yield (
                f"services.{key} has no healthcheck in the files. Unless its image has one, a new colour counts as well as soon as its "
                "process runs, and may get requests that it cannot answer yet."
            )


def _problems(project: Project, desired: Desired, key: str) -> Iterator[str]:
    spec = desired.services.get(f"{desired.stack}_{key}")
    if spec is None:
        hint = nearest(key, project.services).replace(" Did", "did")
        yield f"blue_green names the service {key}, which the files do not have" + (f" ({hint})" if hint else "")
        return
    yield from (
        f"service {key}-{colour} has a name that service {key} will have" for colour in COLOURS if f"{key}-{colour}" in project.services
    )
    # the longer of the two
    name = f"{desired.stack}_{key}-{GREEN}"
    if not is_possible("services", name):
        yield (
            f"service {key} would also be called {name}, and the engine takes {NAMES['services'][1]} letters in a name; choose a shorter "
            "one for it or for the stack"
        )
    yield from _alone(spec, key)
    for other, entry in project.services.items():
        for place in _calls(entry, key) if other != key else ():
            yield (
                f"service {other} calls service {key} by name ({place}), which changes with its colour; leave {key} out, "
                f"or let {other} go through the ingress"
            )


def _alone(spec: Body, key: str) -> Iterator[str]:
    """Why there can only be one of the service."""
    if is_job(spec):
        yield f"service {key} is a job, which runs once and serves nobody; leave it out"
    ports = [str(port.get("PublishedPort") or port.get("TargetPort")) for port in (spec.get("EndpointSpec") or {}).get("Ports") or []]
    if ports:
        yield f"service {key} publishes port {', '.join(ports)}, which only one colour can; take it out, the ingress does without"
    if written := written_by(spec):
        yield f"service {key} writes to {', '.join(written)}, and both colours would; mount it read-only, or leave the service out"


def _calls(entry: Entry, key: str) -> Iterator[str]:
    """Where a service's entry names another one as a host: after ``//`` or ``@``, before a port, or alone in a variable for hosts."""
    if key in (entry.get("depends_on") or ()):
        yield "depends_on"
    host = re.compile(rf"(?://|@){re.escape(key)}(?=[:/?,\s]|$)|(?<![\w.-]){re.escape(key)}:\d+(?!\S*[\w-]:)")
    for name, value in (entry.get("environment") or {}).items():
        names_host = re.search(r"(HOST|HOSTNAME|SERVER|ADDR|ADDRESS|UPSTREAM|BACKEND)S?$", str(name).upper())
        if host.search(str(value)) or (names_host and str(value) == key):
            yield f"environment.{name}"
    for field in ("command", "entrypoint"):
        words = entry.get(field) or ()
        text = words if isinstance(words, str) else " ".join(map(str, words))
        if host.search(text):
            yield field
