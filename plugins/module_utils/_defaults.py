# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fill in how services are updated where the file is silent: one after the other, the new task first, back if it fails. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ._desired import Desired
from ._model import Body
from ._situation import SECOND

#: What a silent file gets. The delay gives proxies the time to follow from one task to the next.
UPDATE: Mapping[str, Any] = {
    "Parallelism": 1,
    "Delay": 2 * SECOND,
    "FailureAction": "rollback",
    "Monitor": 5 * SECOND,
    "Order": "start-first",
}


def with_update_defaults(desired: Desired) -> tuple[Desired, tuple[str, ...]]:
    """The same with the defaults, and where the new task cannot start before the old one has ended."""
    services, notes = {}, []
    for name, spec in desired.services.items():
        key = name.removeprefix(f"{desired.stack}_")
        given = spec.get("UpdateConfig") or {}
        wanted = {**UPDATE, **given}
        reasons = [] if "Order" in given else list(against_start_first(spec))
        if reasons:
            wanted["Order"] = "stop-first"
            notes.append(
                f"services.{key}: the old task stops before the new one starts, because it {' and '.join(reasons)}; "
                "set deploy.update_config.order to say otherwise."
            )
        services[name] = spec if is_job(spec) else {**spec, "UpdateConfig": wanted}
    return replace(desired, services=services), tuple(notes)


def against_start_first(spec: Body) -> Iterator[str]:
    """Why two tasks of the service cannot run side by side on one node."""
    if is_job(spec):
        return
    if "Global" in (spec.get("Mode") or {}):
        yield "runs once on every node"
    ports = (spec.get("EndpointSpec") or {}).get("Ports") or []
    held = sorted({str(port.get("PublishedPort")) for port in ports if str(port.get("PublishMode")).lower() == "host"})
    if held:
        yield f"holds port {', '.join(held)} of its node"
    written = written_by(spec)
    if written:
        yield f"writes to {', '.join(written)}"
    if (spec["TaskTemplate"].get("Placement") or {}).get("MaxReplicas"):
        yield "may not run more often on a node (max_replicas_per_node)"


def written_by(spec: Body) -> list[str]:
    """What only one task writes to at a time; several replicas share it anyway."""
    mounts = spec["TaskTemplate"]["ContainerSpec"].get("Mounts") or []
    alone = (spec.get("Mode") or {}).get("Replicated", {}).get("Replicas") in (None, 1)
    return sorted(str(mount["Source"]) for mount in mounts if _is_written(mount)) if alone else []


def _is_written(mount: Body) -> bool:
    """Whether two tasks would write to the same place; an anonymous volume is each task's own."""
    return not mount.get("ReadOnly") and bool(mount.get("Source")) and mount.get("Type", "volume") in ("volume", "bind", "cluster")


def is_job(spec: Body) -> bool:
    """Whether it is run once, not kept running."""
    return any(mode.endswith("Job") for mode in spec.get("Mode") or {})
