# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restart an engine without taking the swarm's quorum with it, and wait until the node is a working member again."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._clock import SYSTEM, Clock, await_condition
from ._engine import Engine
from ._errors import EngineUnreachableError, NotConvergedError, QuorumLostError, RefusedError
from ._model import Body, Outcome


@dataclass(frozen=True)
class RestartOptions:
    """What to restart, for how long to wait, and what opens a locked manager."""

    service: str
    wait_timeout: int
    unlock_key: str | None = None
    older_than: tuple[str, ...] | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> RestartOptions:
        """Pick them from a module's options."""
        files = options["older_than"]
        return cls(options["service"], options["wait_timeout"], options["unlock_key"], None if files is None else tuple(files))


#: Written by the engine when it starts.
PID_FILE = Path("/var/run/docker.pid")


def is_older(started: Path, files: Sequence[str]) -> bool:
    """Whether one of the files was put in its place after the engine started; an engine without a pid file cannot tell."""
    if not started.exists():
        return False
    # the time of the inode's change: a package's files keep the time of their making
    return any(file.stat().st_ctime > started.stat().st_mtime for file in map(Path, files) if file.exists())


def quorum_problem(managers: Sequence[Body], node_id: str) -> str | None:
    """Why this manager must not stop now, or None.

    With all managers there it may: more cannot be done, even if one or two managers mean a short loss of quorum.
    """
    away = [manager for manager in managers if manager["ManagerStatus"].get("Reachability") != "reachable"]
    if not away:
        return None
    left = len([manager for manager in managers if manager not in away and manager["ID"] != node_id])
    needed = len(managers) // 2 + 1
    if left >= needed:
        return None
    names = ", ".join(sorted(manager["Description"]["Hostname"] for manager in away))
    return (
        f"{len(managers)} managers need {needed} for quorum and {left} would be left, because {names} cannot be reached; "
        f"bring {names} back first, or remove what will not come back"
    )


def restart_engine(
    engine: Engine,
    options: RestartOptions,
    check: bool,
    reconnect: Callable[[], Engine],
    clock: Clock = SYSTEM,
) -> Outcome:
    """Restart where it is due, unless that would cost the swarm its quorum."""
    if options.older_than is not None and not is_older(PID_FILE, options.older_than):
        return Outcome(changed=False)
    place = engine.info()["Swarm"]
    if place.get("ControlAvailable"):
        problem = quorum_problem(_managers(engine), place["NodeID"])
        if problem:
            raise RefusedError(f"The engine of this manager is not restarted: {problem}.")
    if check:
        return Outcome(changed=True)
    _restart_service(options.service)
    deadline = clock.now() + options.wait_timeout
    fresh = await_condition(lambda: _answering(reconnect), options.wait_timeout, clock)
    if fresh is None:
        raise NotConvergedError(
            f"The engine did not answer within {options.wait_timeout} s after its restart; look at journalctl -u {options.service}."
        )
    _await_membership(fresh, place, options, deadline, clock)
    return Outcome(changed=True)


def _managers(engine: Engine) -> list[Body]:
    try:
        managers: list[Body] = engine.get("/nodes", filters={"role": ["manager"]})
    except QuorumLostError:
        return []  # nothing left to lose
    return [manager for manager in managers if "ManagerStatus" in manager]


def _restart_service(service: str) -> None:
    systemd = Path("/run/systemd/system").is_dir()
    command = ["systemctl", "restart", service] if systemd else ["service", service, "restart"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        said = (ran.stderr or ran.stdout).strip().splitlines()
        raise NotConvergedError(
            f"{' '.join(command)} failed: {said[0] if said else 'it said nothing'} (journalctl -u {service} says more)."
        )


def _answering(reconnect: Callable[[], Engine]) -> Engine | None:
    try:
        return reconnect()
    except EngineUnreachableError:
        return None


def _await_membership(engine: Engine, before: Body, options: RestartOptions, deadline: float, clock: Clock) -> None:
    """Return when the node is what it was: an active worker, or a manager that the others reach."""
    if before["LocalNodeState"] not in ("active", "pending"):
        return
    if engine.info()["Swarm"]["LocalNodeState"] == "locked":
        if not options.unlock_key:
            raise NotConvergedError(
                "The swarm has autolock on, so this manager is locked since its restart; give the unlock key, or run docker swarm unlock."
            )
        engine.post("/swarm/unlock", {"UnlockKey": options.unlock_key})
    if not await_condition(lambda: _is_member(engine), deadline - clock.now(), clock):
        raise NotConvergedError(
            f"The engine is back, but this node was no working member of its swarm {options.wait_timeout} s after the restart: "
            f"{engine.info()['Swarm'].get('Error') or 'it gives no reason'}."
        )


def _is_member(engine: Engine) -> bool:
    place = engine.info()["Swarm"]
    if place["LocalNodeState"] != "active" or place.get("Error"):
        return False
    if not place.get("ControlAvailable"):
        return True
    try:
        node = engine.get(f"/nodes/{place['NodeID']}")
    except QuorumLostError:
        return False
    return bool(node["Status"]["State"] == "ready" and node["ManagerStatus"]["Reachability"] == "reachable")
