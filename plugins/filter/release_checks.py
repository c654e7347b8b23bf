# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a new version before it gets requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

#: Seconds that one check may take.
PATIENCE = 30


def release_checks(checks: Iterable[Mapping[str, Any]], sites: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each request to be made and command to be run, as often as it shall be, and what has to come of it."""
    wanted = list(checks)
    return [
        {**one, "timeout": check.get("timeout") or PATIENCE}
        for site in sites
        for check in wanted
        for one in _asked(check, site["preview"])
        for _time in range(check.get("times") or 1)
    ]


def _asked(check: Mapping[str, Any], preview: str) -> Iterator[dict[str, Any]]:
    if check.get("command"):
        yield {"url": f"http://{preview}", "command": check["command"]}
    else:
        yield {
            "url": f"http://{preview}{check.get('path') or '/'}",
            "status": check.get("status") or 200,
            "contains": check.get("contains") or "",
            "headers": check.get("headers") or {},
        }


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"release_checks": release_checks}
