# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the engine what shows why a service did not come up: the failing task, its health check, the end of its log. Reads only.

What is found may have known secret values in it; they are masked before anyone sees them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from ._engine import Engine
from ._errors import SwarmError
from ._model import Body, Finding, Verdict

#: Seconds that one look may take: the log of a task on a node that hangs never comes.
PATIENCE = 10
MASK = "********"
#: Characters from which on a line of a secret is masked on its own.
SHORT = 4
#: How the engine tells of a health check that it could not run.
NOT_BEGUN = ("OCI runtime exec failed", "cannot exec in a stopped")
#: The engine names the task that made it stop an update in the status' message.
TASK = re.compile(r"\btask ([0-9a-z]{25})\b")


@dataclass(frozen=True)
class Evidence:
    """A finding, and what the engine has to show for it."""

    service: str
    verdict: Verdict
    running: int
    wanted: int
    reason: str = ""
    node: str = ""
    task: str = ""
    state: str = ""
    error: str = ""
    exit_code: int | None = None
    health: str = ""
    log: tuple[str, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict.value, "log": list(self.log)}


def gather(engine: Engine, findings: Iterable[Finding], lines: int, secrets: Iterable[bytes]) -> list[Evidence]:
    """The evidence for each finding. What cannot be had is left out: the finding alone says enough."""
    hide = masker(secrets)
    hostnames = {node["ID"]: node for node in engine.get("/nodes")}
    return [masked(_evidence(engine, finding, hostnames, lines), hide) for finding in findings]


def _evidence(engine: Engine, finding: Finding, nodes: dict[str, Body], lines: int) -> Evidence:
    told = Evidence(
        finding.service, finding.verdict, finding.running, finding.wanted, finding.reason, finding.node, finding.task, finding.state
    )
    task = _culprit(engine, finding)
    if task is None:
        return told
    status = task["Status"]
    container = status.get("ContainerStatus") or {}
    node = nodes.get(str(task.get("NodeID")))
    ran = bool(container.get("ContainerID"))
    return replace(
        told,
        task=task["ID"],
        node=str(node["Description"].get("Hostname", "")) if node else "",
        state=status["State"],
        error=str(status.get("Err") or ""),
        exit_code=int(container.get("ExitCode") or 0) if ran and status["State"] in ("failed", "complete") else None,
        health=_health(engine, container["ContainerID"]) if ran else "",
        log=_log(engine, task, lines) if ran and node and node["Status"]["State"] == "ready" else (),
    )


def _culprit(engine: Engine, finding: Finding) -> Body | None:
    """The task that the engine blames, else the last that failed where it has gone back from it, else the finding's own."""
    if blamed := TASK.search(finding.reason):
        return _found(engine, f"/tasks/{blamed[1]}")
    if finding.verdict is Verdict.ROLLED_BACK:
        # with the rollback completed, the status names it no more
        tasks = engine.get("/tasks", filters={"service": [finding.service]}) or []
        dead = [task for task in tasks if task["Status"]["State"] in ("failed", "rejected")]
        return max(dead, key=lambda task: str(task.get("UpdatedAt", "")), default=None)
    return _found(engine, f"/tasks/{finding.task}") if finding.task else None


def _found(engine: Engine, path: str) -> Body | None:
    try:
        found: Body | None = engine.find(path)
    except SwarmError:
        return None
    return found


def _health(engine: Engine, container: str) -> str:
    """What the health check said last; only the engine that has the container can tell."""
    here = _found(engine, f"/containers/{container}/json")
    log = ((here or {}).get("State") or {}).get("Health", {}).get("Log") or []
    outputs = [str(entry.get("Output") or "").strip() for entry in log]
    # one that could not even begin, or was cut off when the container ended, tells nothing of the app
    return next((output for output in reversed(outputs) if output and not output.startswith(NOT_BEGUN)), outputs[-1] if outputs else "")


def _log(engine: Engine, task: Body, lines: int) -> tuple[str, ...]:
    if not lines:
        return ()
    tty = bool((task["Spec"].get("ContainerSpec") or {}).get("TTY"))
    try:
        text = engine.logs(f"/tasks/{task['ID']}/logs", lines, tty, PATIENCE)
    except SwarmError:
        return ()
    return tuple(line.rstrip() for line in text.splitlines())[-lines:]


def masker(secrets: Iterable[bytes]) -> re.Pattern[str] | None:
    """What finds the values, whole, line by line, and in base64."""
    patterns: set[str] = set()
    for value in filter(None, map(bytes.strip, secrets)):
        text = value.decode("utf-8", "replace")
        # short lines (a brace, a dash) are no secret by themselves
        patterns.update(map(re.escape, {text, *(line.strip() for line in text.splitlines() if len(line.strip()) >= SHORT)}))
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            patterns.add(re.escape(encode(value).decode("ascii").rstrip("=")) + "=*")
    return re.compile("|".join(sorted(patterns, key=len, reverse=True))) if patterns else None


def masked(evidence: Evidence, hide: re.Pattern[str] | None) -> Evidence:
    """The same without the values."""
    if hide is None:
        return evidence
    return replace(
        evidence,
        reason=hide.sub(MASK, evidence.reason),
        error=hide.sub(MASK, evidence.error),
        health=hide.sub(MASK, evidence.health),
        log=tuple(hide.sub(MASK, line) for line in evidence.log),
    )
