# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A swarm in memory, for whole deploys. Its clock jumps."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._clock import Clock
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._load import load
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._project import Source
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import EngineError, InUseError, NotConvergedError, NotFoundError
from ansible_collections.homecloud.swarm.plugins.module_utils._history import revisions
from ansible_collections.homecloud.swarm.plugins.module_utils._model import Outcome
from ansible_collections.homecloud.swarm.plugins.module_utils._request import OPTIONS, Request
from ansible_collections.homecloud.swarm.plugins.module_utils._stack import deploy, withdraw

SORTS = ("networks", "secrets", "configs", "services")


@dataclass
class Swarm:
    """As much of an engine as a deploy needs. A service runs unless its command says ``bad``; then its task has failed for good."""

    time: float = 1_800_000_000.0
    objects: dict[str, dict[str, Any]] = field(default_factory=lambda: {sort: {} for sort in SORTS})
    #: (method, path pattern) -> what to raise or do when it is called
    traps: dict[str, Any] = field(default_factory=dict)
    #: what a task of a bad service ends with
    error: str = "boom"
    #: why no secret can be removed
    stuck: str = ""
    #: a task beside those that run
    lost: dict[str, Any] = field(default_factory=dict)
    writes: int = 0
    index: int = 0
    api_version: tuple[int, int] = (1, 45)

    def clock(self) -> Clock:
        return Clock(now=lambda: self.time, sleep=self.sleep, wall=lambda: self.time)

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def get(self, path: str, filters: dict[str, list[str]] | None = None, **_query: Any) -> Any:
        self._trap(f"GET {path}")
        if path == "/nodes":
            return [{"ID": "n1", "Spec": {}, "Status": {"State": "ready"}, "Description": {"Hostname": "nuc", "Platform": {}}}]
        if path == "/tasks":
            services = [item for item in self.objects["services"].values() if _fits(item, filters)]
            return [*map(self._task, services), *([self.lost] if self.lost else [])]
        sort, _slash, identity = path.strip("/").partition("/")
        if not identity:
            return [item for item in self.objects[sort].values() if _fits(item, filters)]
        return self._one(sort, identity)

    def find(self, path: str, **_query: Any) -> Any:
        try:
            return self.get(path) if path.split("/")[1] in SORTS else None
        except NotFoundError:
            return None

    def post(self, path: str, body: Any, _headers: Any = None, version: Any = None, **_query: Any) -> Any:
        self.writes += 1
        self._trap(f"POST {path} {body['Name']}")
        sort, identity = path.strip("/").split("/")[:2]
        if identity != "create":
            found = self._one(sort, identity)
            assert version == found["Version"]["Index"], "update out of sequence"
            self._keep(sort, identity, body)
            return None
        if any((item.get("Spec") or item)["Name"] == body["Name"] for item in self.objects[sort].values()):
            raise EngineError(f"{body['Name']} already exists", 409)
        identity = f"id{self.index + 1}"
        self._keep(sort, identity, body)
        return {"ID": identity}

    def delete(self, path: str) -> None:
        self.writes += 1
        self._trap(f"DELETE {path}")
        if self.stuck and path.startswith("/secrets"):
            raise InUseError(self.stuck, 400)
        sort, identity = path.strip("/").split("/")
        self.objects[sort].pop(identity, None)

    def _keep(self, sort: str, identity: str, body: Any) -> None:
        self.index += 1
        at = datetime.fromtimestamp(self.time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        about = {"ID": identity, "Id": identity, "Version": {"Index": self.index}, "UpdatedAt": at}
        self.objects[sort][identity] = {**about, **body} if sort == "networks" else {**about, "Spec": body}

    def _one(self, sort: str, identity: str) -> Any:
        if identity not in self.objects[sort]:
            raise NotFoundError(f"{identity} not found", 404)
        return self.objects[sort][identity]

    def _task(self, service: Any) -> dict[str, Any]:
        bad = "bad" in str(service["Spec"]["TaskTemplate"]["ContainerSpec"].get("Args"))
        return {
            "ID": f"task-{service['ID']}",
            "ServiceID": service["ID"],
            "Spec": service["Spec"]["TaskTemplate"],
            "Slot": 1,
            "NodeID": "n1",
            "DesiredState": "shutdown" if bad else "running",
            "CreatedAt": service["UpdatedAt"],
            "UpdatedAt": service["UpdatedAt"],
            "Status": {"State": "failed" if bad else "running", "Err": self.error if bad else ""},
        }

    def _trap(self, call: str) -> None:
        for pattern, effect in list(self.traps.items()):
            if re.search(pattern, call):
                if isinstance(effect, Exception):
                    raise effect
                self.traps.pop(pattern)
                effect()

    def names(self, sort: str) -> list[str]:
        return sorted((item.get("Spec") or item)["Name"] for item in self.objects[sort].values())

    def commands(self) -> dict[str, Any]:
        specs = [item["Spec"] for item in self.objects["services"].values()]
        return {spec["Name"]: spec["TaskTemplate"]["ContainerSpec"].get("Args", [""])[0] for spec in specs}

    def endings(self) -> list[tuple[int, str]]:
        found = [item for item in self.objects["configs"].values() if "homecloud.swarm.revision" in item["Spec"]["Labels"]]
        return [(revision.number, revision.ending) for revision in reversed(revisions(found))]


def _fits(item: dict[str, Any], filters: dict[str, list[str]] | None) -> bool:
    """The engine's filters: all labels, of which an empty value is any, and one of the names' beginnings."""
    spec = item.get("Spec") or item
    labels = {f"{name}={value}" for name, given in spec["Labels"].items() for value in (given, "")} | set(spec["Labels"])
    wanted = filters or {}
    return set(wanted.get("label", ())) <= labels and spec["Name"].startswith(tuple(wanted.get("name", [""])))


def asked(services: dict[str, str], **more: Any) -> Request:
    """A request for services with these commands."""
    compose = {"services": {name: {"image": "app:1", "command": [command]} for name, command in services.items()}}
    defaults = {name: option.get("default") for name, option in OPTIONS.items()}
    loaded = load([Source.inline("compose", compose)], {}, lambda _path: b"")
    return Request.of({**defaults, "name": "s", "resolve_image": "never", "project": loaded.project.to_wire(), **more})


def run(swarm: Swarm, services: dict[str, str], check: bool = False, **more: Any) -> Outcome:
    return deploy(swarm, asked(services, **more), check, swarm.clock())  # type: ignore[arg-type]


def removed(swarm: Swarm, check: bool = False, **more: Any) -> Outcome:
    return withdraw(swarm, asked({}, state="absent", **more), check)  # type: ignore[arg-type]


def failing(swarm: Swarm, services: dict[str, str], **more: Any) -> NotConvergedError:
    with pytest.raises(NotConvergedError) as caught:
        run(swarm, services, **more)
    return caught.value


def encoded(value: str) -> str:
    """As the action plugin hands values over."""
    return base64.b64encode(value.encode()).decode()
