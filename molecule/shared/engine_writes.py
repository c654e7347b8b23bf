# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests that changed something, from the log of an engine that runs with ``debug``."""

from __future__ import annotations

import re
from typing import Any

# Engine 20.10 to 27, then 28: "Calling POST /v1.41/…" and "handling POST request" … request-url=/v1.51/…
REQUEST = re.compile(r'msg="(?:Calling (?P<old>[A-Z]+) (?P<path>[^" ]+)|handling (?P<new>[A-Z]+) request".*? request-url=(?P<url>\S+))')
READS = {"GET", "HEAD", "OPTIONS"}


def requests(log: str) -> list[tuple[str, str]]:
    """(method, path) of every request in the log."""
    return [(found["old"] or found["new"], found["path"] or found["url"]) for found in REQUEST.finditer(log)]


def writes(log: str) -> list[tuple[str, str]]:
    return [request for request in requests(log) if request[0] not in READS]


def engine_log(host: Any, since: float) -> str:
    """What a node's engine has logged since this moment (seconds since 1970)."""
    log: str = host.check_output("journalctl --unit docker --output cat --no-pager --since @%s", f"{since:.3f}")
    return log
