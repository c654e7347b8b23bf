# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When two service specs mean the same, and how to change one without touching what already fits.

Swarmkit decides by deep, ordered equality whether tasks restart, so a reordered list or a spelled-out default
restarts every task of a service. ``graft`` therefore keeps the live form of every part that means the same.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

#: Stands for "not there"; None, which the API also uses for that, becomes it.
ABSENT: Any = None

Canon = Callable[[Any], Any]


def default(value: Any) -> Canon:
    """What the engine takes when the field is absent or empty."""
    return lambda given: value if given in (None, "", 0) or given == {} else given


def lowered(value: str) -> Canon:
    """As default, and the engine does not mind the case."""
    return lambda given: str(given or value).lower()


def bag(given: Any) -> Any:
    """A list whose order has no meaning."""
    return sorted(given or [], key=lambda item: json.dumps(item, sort_keys=True))


def platforms(given: Any) -> Any:
    """As newer clients send them; older ones leave in what no node can be, and duplicates."""
    found = {
        ("" if item.get("Architecture") == "arm" else item.get("Architecture") or "", item.get("OS") or "")
        for item in given or []
        if "unknown" not in (item.get("Architecture"), item.get("OS"))
    }
    return sorted(found) or ABSENT


def dropped(_given: Any) -> Any:
    """Accepted by the engine and then lost."""
    return ABSENT


def nothing_if_empty(given: Any) -> Any:
    """An empty object comes back as no object."""
    return given or ABSENT


def as_float32(given: Any) -> float:
    """The engine stores failure ratios in 32 bits."""
    (stored,) = struct.unpack("f", struct.pack("f", float(given or 0)))
    return float(stored)


_UPDATE: dict[str, Canon] = {
    "Parallelism": default(0),
    "Delay": default(0),
    "Monitor": default(0),
    "FailureAction": default("pause"),
    "Order": default("stop-first"),
    "MaxFailureRatio": as_float32,
}

#: Path in the spec ("*" is any list item) -> its canonical form. Paths not named here compare as they are.
CANON: dict[str, Canon] = {
    "Mode.Replicated.Replicas": lambda given: 1 if given is None else given,
    "Mode.ReplicatedJob.MaxConcurrent": lambda given: 1 if given is None else given,
    "EndpointSpec.Mode": lowered("vip"),
    "EndpointSpec.Ports": bag,
    "EndpointSpec.Ports.*.Protocol": lowered("tcp"),
    "EndpointSpec.Ports.*.PublishMode": lowered("ingress"),
    "EndpointSpec.Ports.*.PublishedPort": default(0),
    "EndpointSpec.Ports.*.TargetPort": default(0),
    **{f"UpdateConfig.{name}": canon for name, canon in _UPDATE.items()},
    **{f"RollbackConfig.{name}": canon for name, canon in _UPDATE.items()},
    "TaskTemplate.Runtime": default("container"),
    "TaskTemplate.ForceUpdate": default(0),
    "TaskTemplate.Placement.Constraints": bag,
    "TaskTemplate.Placement.Platforms": platforms,
    "TaskTemplate.Placement.MaxReplicas": default(0),
    "TaskTemplate.RestartPolicy.Condition": default("any"),
    "TaskTemplate.RestartPolicy.MaxAttempts": default(0),
    "TaskTemplate.Networks": bag,
    "TaskTemplate.Networks.*.Aliases": bag,
    "TaskTemplate.Networks.*.DriverOpts": nothing_if_empty,
    "TaskTemplate.ContainerSpec.Isolation": lowered("default"),
    # engines before 25 know nothing of it and leave it out
    "TaskTemplate.ContainerSpec.Privileges.NoNewPrivileges": default(False),
    "TaskTemplate.ContainerSpec.Env": bag,
    "TaskTemplate.ContainerSpec.Hosts": bag,
    "TaskTemplate.ContainerSpec.Mounts": bag,
    "TaskTemplate.ContainerSpec.Mounts.*.Consistency": dropped,
    "TaskTemplate.ContainerSpec.Mounts.*.BindOptions": nothing_if_empty,
    "TaskTemplate.ContainerSpec.Mounts.*.ClusterOptions": nothing_if_empty,
    "TaskTemplate.ContainerSpec.Mounts.*.ReadOnly": default(False),
    "TaskTemplate.ContainerSpec.Secrets": bag,
    "TaskTemplate.ContainerSpec.Configs": bag,
    "TaskTemplate.ContainerSpec.CapabilityAdd": bag,
    "TaskTemplate.ContainerSpec.CapabilityDrop": bag,
    "TaskTemplate.ContainerSpec.Ulimits": bag,
    "TaskTemplate.ContainerSpec.Sysctls": nothing_if_empty,
    "TaskTemplate.ContainerSpec.Healthcheck.Interval": default(0),
    "TaskTemplate.ContainerSpec.Healthcheck.Timeout": default(0),
    "TaskTemplate.ContainerSpec.Healthcheck.StartPeriod": default(0),
    "TaskTemplate.ContainerSpec.Healthcheck.StartInterval": default(0),
    "TaskTemplate.ContainerSpec.Healthcheck.Retries": default(0),
}

#: Objects whose absence means the same as an empty one.
OBJECTS = ("Labels", "EndpointSpec", *(f"TaskTemplate.{name}" for name in ("Resources", "Placement")))
OBJECTS += tuple(f"TaskTemplate.ContainerSpec.{name}" for name in ("Labels", "DNSConfig"))

#: Its completions default to its concurrency, which the completions alone do not know.
JOB = "Mode.ReplicatedJob"

#: What the engine fills in under an object even when the object itself was not sent.
_CHILDREN: dict[str, tuple[str, ...]] = {}
for _path in (*OBJECTS, *CANON):
    _parent, _dot, _name = _path.rpartition(".")
    _CHILDREN[_parent] = (*_CHILDREN.get(_parent, ()), _name)


def completions(job: Mapping[str, Any]) -> Any:
    """How many tasks of a replicated job shall end well: nothing is one, and 0 is none."""
    given = (job.get("TotalCompletions"), job.get("MaxConcurrent"))
    return next((count for count in given if count is not None), 1)


def within(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def canonical(value: Any, path: str = "") -> Any:
    """The form in which two parts of a spec are equal exactly when they mean the same to the engine."""
    if value is ABSENT and path in OBJECTS:
        value = {}
    if path == JOB and isinstance(value, Mapping):
        value = {**value, "TotalCompletions": completions(value)}
    if isinstance(value, Mapping):
        names = {*value, *_CHILDREN.get(path, ())}
        parts = {name: canonical(value.get(name), within(path, name)) for name in names}
        value = {name: part for name, part in parts.items() if part is not ABSENT}
    elif isinstance(value, (list, tuple)):
        value = [canonical(item, f"{path}.*") for item in value] or ABSENT
    return CANON[path](value) if path in CANON else value


def same(desired: Any, live: Any, path: str = "") -> bool:
    """Whether the engine would see no difference: equal canonical forms, which are made only of what is not equal already."""
    if desired == live:
        return True
    if isinstance(desired, Mapping) and isinstance(live, Mapping) and path not in CANON and path != JOB:
        return all(same(desired.get(name), live.get(name), within(path, name)) for name in {*desired, *live})
    return bool(canonical(desired, path) == canonical(live, path))


def graft(desired: Any, live: Any, path: str = "") -> Any:
    """The desired value, with every part that means the same in its live form."""
    if same(desired, live, path):
        return live
    if isinstance(desired, Mapping) and isinstance(live, Mapping):
        parts = {
            name: graft(desired.get(name), live.get(name), within(path, name))
            for name in [*desired, *(name for name in live if name not in desired)]
        }
        return {name: part for name, part in parts.items() if part is not ABSENT}
    return desired
