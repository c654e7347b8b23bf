# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a new version before it gets requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def release_checks(checks: Iterable[Mapping[str, Any]], sites: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each request to be made, as often as it shall be: its address, and what the answer has to be."""
    return [
        {
            "url": f"http://{site['preview']}{check.get('path') or '/'}",
            "status": check.get("status") or 200,
            "contains": check.get("contains") or "",
        }
        for site in sites
        for check in checks
        for _time in range(check.get("times") or 1)
    ]


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"release_checks": release_checks}
