# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell: what a deploy came to, for people and as data. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ._evidence import Evidence
from ._model import Finding, Verdict

#: How each verdict reads in a sentence about a service.
WORDS: Mapping[Verdict, str] = {
    Verdict.CONVERGED: "runs",
    Verdict.UPDATING: "was still on its way",
    Verdict.ROLLED_BACK: "was rolled back by the engine",
    Verdict.ROLLBACK_PAUSED: "was rolled back by the engine, and the rollback stopped half-way",
    Verdict.PAUSED: "stopped in the middle of its update",
    Verdict.CRASH_LOOPING: "keeps crashing",
    Verdict.FAILED: "failed and is not restarted",
    Verdict.UNHEALTHY: "does not become healthy",
    Verdict.UNSCHEDULABLE: "fits on no node",
    Verdict.IMAGE_MISSING: "cannot get its image",
    Verdict.TIMED_OUT: "is not up in time",
}

#: What the engine says where no deploy helps, and what does. The engine leaves an interface behind now and then when it is restarted with
#: tasks on overlay networks (moby/libnetwork#1765).
REMEDIES: Mapping[str, str] = {
    "error creating vxlan interface: file exists": (
        "A restart of this node's engine has left a network interface behind, which is in the way: remove it on the node (ip link delete "
        "NAME, for the names with vx- in ip -br link show type vxlan)."
    ),
}


def sentence(evidence: Evidence) -> str:
    """One service that did not come up, and where to look."""
    reason = f": {evidence.reason}" if evidence.reason else ""
    return f"Service {evidence.service} {WORDS[evidence.verdict]}, {counted(evidence)}{reason}{_place(evidence)}."


def _place(evidence: Evidence) -> str:
    if not evidence.task:
        return ""
    parts = [f"task {evidence.task[:12]}"]
    if evidence.node:
        parts.append(f"on node {evidence.node}")
    if evidence.error and evidence.error not in evidence.reason:
        parts.append(f"{evidence.state}: {evidence.error}")
    if evidence.exit_code is not None and f"({evidence.exit_code})" not in evidence.reason + evidence.error:
        parts.append(f"exit code {evidence.exit_code}")
    return f" ({', '.join(parts)})"


def paragraphs(failures: Iterable[Evidence]) -> list[str]:
    """Each failed service in a sentence; below it how to mend it, where that is known, and what its health check and its log said last."""
    lines = []
    for evidence in failures:
        lines.append(sentence(evidence))
        lines += [f"  {mend}" for words, mend in REMEDIES.items() if words in evidence.reason + evidence.error]
        if evidence.health:
            lines.append("  Its health check said last:")
            lines += [f"    | {line}" for line in evidence.health.splitlines()]
        if evidence.log:
            lines.append("  The last lines of its log:")
            lines += [f"    | {line}" for line in evidence.log]
    return lines


def standing(findings: Sequence[Finding], versions: Mapping[str, str]) -> list[str]:
    """Exactly how things are: which version of each service is there, and whether it runs."""
    return [
        f"Service {finding.service} has {versions.get(finding.service, 'a version of its own')}, {counted(finding)}"
        + (f": {finding.reason}." if finding.reason else ".")
        for finding in findings
    ]


def counted(finding: Finding | Evidence) -> str:
    """How many tasks of a service are as they should be."""
    return f"{finding.running} of {finding.wanted} running"


def as_rows(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as return value."""
    return [{**asdict(finding), "verdict": finding.verdict.value} for finding in findings]
