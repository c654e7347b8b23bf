# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's own pipeline, driven as the action plugin and the module drive it, and what the engine has to say about it."""

from __future__ import annotations

import base64
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from access import Ear, Node
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._load import load
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._project import Loaded, Source
from ansible_collections.homecloud.swarm.plugins.module_utils._engine import Connection, Engine, connect
from ansible_collections.homecloud.swarm.plugins.module_utils._model import NAMESPACE, Outcome
from ansible_collections.homecloud.swarm.plugins.module_utils._request import OPTIONS, ROLLBACK_OPTIONS
from ansible_collections.homecloud.swarm.plugins.module_utils._rollback import roll_back
from ansible_collections.homecloud.swarm.plugins.module_utils._stack import converge_stack
from ansible_collections.homecloud.swarm.plugins.module_utils._stack_info import show_stacks

Seen = TypeVar("Seen")
Document = Mapping[str, Any]


@dataclass
class Driver:
    """One engine; ``stack`` and ``remove`` do what the module does."""

    node: Node
    ear: Ear
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = connect(Connection(f"unix://{self.ear.door}"))

    @property
    def api(self) -> tuple[int, int]:
        return self.engine.api_version

    def image(self, name: str = "probe:1") -> str:
        return f"{self.node.registry}/{name}"

    def stack(self, name: str, document: Document | Loaded, *, check: bool = False, **options: Any) -> Outcome:
        loaded = document if isinstance(document, Loaded) else self.load(document)
        contents = {"secrets": loaded.contents.secrets, "configs": loaded.contents.configs}
        values = {sort: {key: base64.b64encode(value).decode() for key, value in given.items()} for sort, given in contents.items()}
        return self._module({"name": name, "project": loaded.project.to_wire(), **values, **options}, check)

    def remove(self, name: str, *, check: bool = False, **options: Any) -> Outcome:
        return self._module({"name": name, "state": "absent", **options}, check)

    def _module(self, options: Mapping[str, Any], check: bool) -> Outcome:
        defaults = {name: option.get("default") for name, option in OPTIONS.items()}
        return converge_stack(self.engine, {**defaults, "wait_stable": 0.5, "wait_timeout": 120, **options}, check)

    def roll_back(self, name: str, revision: int | None = None, *, check: bool = False, **options: Any) -> Outcome:
        """What the module stack_rollback does."""
        defaults = {option: about.get("default") for option, about in ROLLBACK_OPTIONS.items()}
        asked = {"name": name, "revision": revision, "wait_stable": 0.5, "wait_timeout": 120, **options}
        return roll_back(self.engine, {**defaults, **asked}, check)

    def look(self, name: str, compare: Sequence[int] = ()) -> Outcome:
        """What the module stack_info does."""
        return show_stacks(self.engine, {"name": name, "compare": list(compare)}, False)

    def revisions(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.look(name).values["stacks"][0]["revisions"]
        return found

    @staticmethod
    def load(document: Document, variables: Mapping[str, str] | None = None) -> Loaded:
        return load([Source.inline("compose", document)], variables or {}, lambda path: Path(path).read_bytes())

    def service(self, stack: str, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self.engine.get(f"/services/{stack}_{key}")
        return found

    def services(self, stack: str) -> dict[str, dict[str, Any]]:
        """By their key in the file."""
        found = self.engine.get("/services", filters={"label": [f"{NAMESPACE}={stack}"]})
        return {service["Spec"]["Name"].removeprefix(f"{stack}_"): service for service in found}

    def specs(self, stack: str) -> dict[str, Any]:
        return {key: service["Spec"] for key, service in self.services(stack).items()}

    def tasks(self, stack: str) -> dict[str, set[str]]:
        """Service by its key -> ids of the tasks that shall run."""
        ids = {service["ID"]: key for key, service in self.services(stack).items()}
        tasks = self.engine.get("/tasks", filters={"label": [f"{NAMESPACE}={stack}"], "desired-state": ["running"]})
        return {key: {task["ID"] for task in tasks if ids.get(task["ServiceID"]) == key} for key in ids.values()}


@contextlib.contextmanager
def driving(name: str) -> Iterator[Driver]:
    """The engine of a node of the lab."""
    # Sockets have short names.
    with tempfile.TemporaryDirectory(prefix="swarm") as folder:
        node = Node(name, Path(folder))
        with node.reached() as socket:
            ear = Ear(socket, Path(folder) / "ear.sock")
            with ear.listening():
                driver = Driver(node, ear)
                yield driver
                driver.engine.client.close()


def eventually(look: Callable[[], Seen], wanted: Callable[[Seen], bool] = bool, seconds: float = 60) -> Seen:
    """What is seen as soon as it is as wanted; the last look when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if wanted(seen) or time.monotonic() > deadline:
            return seen
        time.sleep(0.2)
