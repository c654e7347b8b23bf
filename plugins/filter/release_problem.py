# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a new version does worse than the old one, by what the ingress has counted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

#: A line of Caddy's metrics that counts answers of one of our servers, by status; retries within it are counted by other handlers.
COUNTED = re.compile(r"^caddy_http_request_duration_seconds_count\{(?P<labels>[^}]*)\} (?P<count>\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')
#: Answers below which a share says little.
FEW = 20
#: From this status on it is the server's fault.
SERVER_ERROR = 500

Counts = tuple[int, int]


def release_problem(sites: Iterable[Mapping[str, Any]], before: Iterable[str], now: Iterable[str], most: float = 1.0) -> str:
    """Why the new version is worse than the old one, from the metrics of all ingress nodes; empty if it is not.

    ``most`` is by how many percent of its answers it may have failed more often.
    """
    first, last = list(before), list(now)
    return "; ".join(filter(None, (_worse(site["host"], first, last, most) for site in sites)))


def _worse(host: str, before: list[str], now: list[str], most: float) -> str:
    new = _since(f"{host}/new", before, now)
    # the old version has had its requests before
    old = _since(f"{host}/old", [], now)
    if new[0] < FEW or _percent(new) <= _percent(old) + most:
        return ""
    return (
        f"{new[1]} of {new[0]} answers of the new version of {host} had a status of 500 or more ({_percent(new):.1f} %), of the old one "
        f"{old[1]} of {old[0]} ({_percent(old):.1f} %), and {most:g} % more are allowed"
    )


def _percent(counts: Counts) -> float:
    return 100 * counts[1] / counts[0] if counts[0] else 0.0


def _since(server: str, before: list[str], now: list[str]) -> Counts:
    """Answers, and failed ones among them."""
    first, last = _sum(server, before), _sum(server, now)
    # counts begin anew when the ingress is started or takes a configuration
    return (last[0] - first[0], last[1] - first[1]) if last[0] >= first[0] and last[1] >= first[1] else last


def _sum(server: str, texts: Iterable[str]) -> Counts:
    answers = failed = 0
    for text in texts:
        for found in COUNTED.finditer(text):
            labels = dict(LABEL.findall(found["labels"]))
            if labels.get("server") == server and labels.get("handler") == "reverse_proxy":
                count = int(float(found["count"]))
                answers += count
                failed += count if labels.get("code", "").isdigit() and int(labels["code"]) >= SERVER_ERROR else 0
    return answers, failed


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"release_problem": release_problem}
