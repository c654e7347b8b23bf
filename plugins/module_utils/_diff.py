# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show: what differs between two specs in the words of the file, and a plan as a person wants to read it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ._model import IMAGE, Change, Kind, Plan, Sort
from ._spec import same

#: Where the API keeps what the file calls otherwise, longest first.
NAMES: tuple[tuple[str, str], ...] = (
    ("TaskTemplate.ContainerSpec.Image", "image"),
    ("TaskTemplate.ContainerSpec.Env", "environment"),
    ("TaskTemplate.ContainerSpec.Labels", "labels"),
    ("TaskTemplate.ContainerSpec.Args", "command"),
    ("TaskTemplate.ContainerSpec.Command", "entrypoint"),
    ("TaskTemplate.ContainerSpec.Mounts", "volumes"),
    ("TaskTemplate.ContainerSpec.Secrets", "secrets"),
    ("TaskTemplate.ContainerSpec.Configs", "configs"),
    ("TaskTemplate.ContainerSpec.Hosts", "extra_hosts"),
    ("TaskTemplate.ContainerSpec.Healthcheck", "healthcheck"),
    ("TaskTemplate.ContainerSpec", "container"),
    ("TaskTemplate.Placement", "deploy.placement"),
    ("TaskTemplate.Resources", "deploy.resources"),
    ("TaskTemplate.RestartPolicy", "deploy.restart_policy"),
    ("TaskTemplate.Networks", "networks"),
    ("TaskTemplate.LogDriver", "logging"),
    ("EndpointSpec.Mode", "deploy.endpoint_mode"),
    ("EndpointSpec.Ports", "ports"),
    ("UpdateConfig", "deploy.update_config"),
    ("RollbackConfig", "deploy.rollback_config"),
    ("Mode.Replicated.Replicas", "deploy.replicas"),
    ("Mode", "deploy.mode"),
    ("Labels", "deploy.labels"),
)


def _reference(item: Mapping[str, Any], word: str) -> tuple[str, Any]:
    """What a service sees of a secret or config, by the name it has in the container."""
    file = item.get("File") or {}
    seen = {"name": item.get(f"{word}Name"), "id": item.get(f"{word}ID") or "(new)"}
    return file.get("Name", ""), {**seen, **{name.lower(): value for name, value in file.items() if name != "Name"}}


#: Lists that read better by name: path -> how to name an item.
KEYED: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "TaskTemplate.ContainerSpec.Env": lambda item: (item.partition("=")[0], item.partition("=")[2]),
    "TaskTemplate.ContainerSpec.Secrets": lambda item: _reference(item, "Secret"),
    "TaskTemplate.ContainerSpec.Configs": lambda item: _reference(item, "Config"),
    "TaskTemplate.ContainerSpec.Mounts": lambda item: (item.get("Target", ""), item),
}


def told(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes without what another of them says already: a new image changes the label that repeats it."""
    listed = tuple(changes)
    image = any(change.path.endswith(".image") and IMAGE not in change.path for change in listed)
    return tuple(change for change in listed if not (image and change.path.endswith(IMAGE)))


def differences(before: Any, after: Any, place: str, path: str = "") -> Iterator[Change]:
    """Field by field what differs in meaning, named as the file names it."""
    if same(after, before, path):
        return
    before, after = (_keyed(side, path) for side in (before, after))
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        left, right = before or {}, after or {}
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            for name in sorted({*left, *right}):
                yield from differences(left.get(name), right.get(name), place, f"{path}.{name}".lstrip("."))
            return
    yield Change(f"{place}.{_in_file(path)}", before, after)


def _keyed(side: Any, path: str) -> Any:
    return dict(map(KEYED[path], side or [])) if path in KEYED else side


def _in_file(path: str) -> str:
    for ours, theirs in NAMES:
        if path == ours or path.startswith(f"{ours}."):
            return theirs + path[len(ours) :]
    return path


SIGNS = {Kind.CREATE: "+", Kind.UPDATE: "~", Kind.REPLACE: "-/+", Kind.REMOVE: "-", Kind.ADOPT: "?"}


def drawn(plan: Plan) -> str:
    """The plan as a person wants to read it."""
    lines = []
    for step in plan.steps:
        restarts = f", restarts {step.restarts} task{'s' * (step.restarts > 1)}" if step.restarts else ", no restart"
        told = restarts if step.sort is Sort.SERVICE and step.kind in (Kind.UPDATE, Kind.REPLACE) else ""
        lines.append(f"{SIGNS[step.kind]} {step.sort.value} {step.name}: {step.kind.value}{told}")
        lines += [f"    {change.path}: {_short(change.old)} -> {_short(change.new)}" for change in step.changes]
    return "".join(f"{line}\n" for line in lines)


def as_values(plan: Plan) -> list[dict[str, Any]]:
    """The plan as return value."""
    return [
        {
            "action": step.kind.value,
            "type": step.sort.value,
            "name": step.name,
            "restarts": step.restarts,
            "changes": [{"path": change.path, "old": change.old, "new": change.new} for change in step.changes],
        }
        for step in plan.steps
    ]


def _short(value: Any) -> str:
    return "(absent)" if value is None else str(value)
