# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a new version does worse than the old one, by what the ingress has counted."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

#: A line of Caddy's metrics that counts answers of one of our servers: by status, and by how many seconds they took at most.
COUNTED = re.compile(r"^caddy_http_request_duration_seconds_(?P<what>count|bucket)\{(?P<labels>[^}]*)\} (?P<count>\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')
#: Answers below which neither a share nor a time says much.
FEW = 20
#: From this status on it is the server's fault.
SERVER_ERROR = 500
#: The times of so many answers in 100 are compared: the slowest may have reasons of their own.
MOST = 95


@dataclass(frozen=True)
class Seen:
    """Answers of one version, failed ones among them, and how many took at most so many seconds."""

    answers: int = 0
    failed: int = 0
    within: Mapping[float, int] = field(default_factory=dict)

    @property
    def percent(self) -> float:
        return 100 * self.failed / self.answers if self.answers else 0.0

    @property
    def took(self) -> tuple[float, float]:
        """Between which two numbers of seconds the answer lies that 95 of 100 are not slower than. Caddy counts in steps."""
        steps = sorted(self.within)
        above = next((step for step in steps if 100 * self.within[step] >= MOST * self.answers), math.inf)
        return max((step for step in steps if step < above), default=0.0), above

    def since(self, before: Seen) -> Seen:
        """What was added. Counts begin anew when the ingress is started or takes a configuration."""
        if self.answers < before.answers or self.failed < before.failed:
            return self
        within = {step: count - before.within.get(step, 0) for step, count in self.within.items()}
        return Seen(self.answers - before.answers, self.failed - before.failed, within)


def release_problem(
    sites: Iterable[Mapping[str, Any]],
    before: Iterable[str],
    now: Iterable[str],
    errors: float = 1.0,
    latency: float = 1000.0,
) -> str:
    """Why the new version is worse than the old one, from the metrics of all ingress nodes; empty if it is not.

    ``errors`` is by how many percent of its answers it may have failed more often, ``latency`` how many milliseconds more it may
    take for 95 of 100 of them.
    """
    first, last = list(before), list(now)
    return "; ".join(problem for site in sites for problem in _worse(site["host"], first, last, errors, latency))


def _worse(host: str, before: list[str], now: list[str], errors: float, latency: float) -> Iterator[str]:
    new = _seen(f"{host}/new", now).since(_seen(f"{host}/new", before))
    # the old version has had its requests before
    old = _seen(f"{host}/old", now)
    if new.answers < FEW:
        return
    if new.percent > old.percent + errors:
        yield (
            f"{new.failed} of {new.answers} answers of the new version of {host} had a status of 500 or more ({new.percent:.1f} %), of "
            f"the old one {old.failed} of {old.answers} ({old.percent:.1f} %), and {errors:g} % more are allowed"
        )
    # what is known for certain: the new version took longer than its lower number, the old one no longer than its upper one
    slow, fast = new.took[0], old.took[1]
    if old.answers >= FEW and slow - fast > latency / 1000:
        yield (
            f"more than {100 - MOST} % of {new.answers} answers of the new version of {host} took over {slow:g} s, {MOST} % of the old "
            f"one's {fast:g} s or less, and {latency:g} ms more are allowed"
        )


def _seen(server: str, texts: Iterable[str]) -> Seen:
    """Each handler that an answer passes counts it, so the one that has counted most has seen them all."""
    handlers: defaultdict[str, list[tuple[str, dict[str, str], int]]] = defaultdict(list)
    for found in (found for text in texts for found in COUNTED.finditer(text)):
        labels = dict(LABEL.findall(found["labels"]))
        if labels.get("server") == server:
            handlers[labels.get("handler", "")].append((found["what"], labels, int(float(found["count"]))))
    return max(map(_summed, handlers.values()), key=lambda seen: seen.answers, default=Seen())


def _summed(lines: Iterable[tuple[str, Mapping[str, str], int]]) -> Seen:
    answers = failed = 0
    within: Counter[float] = Counter()
    for what, labels, count in lines:
        if what == "bucket":
            within[float(labels["le"])] += count
        else:
            answers += count
            failed += count if labels.get("code", "").isdigit() and int(labels["code"]) >= SERVER_ERROR else 0
    return Seen(answers, failed, within)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"release_problem": release_problem}
