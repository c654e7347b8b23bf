# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revisions as lines for people."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.filter.revision_lines import revision_lines

REVISION: dict[str, Any] = {
    "number": 7,
    "verdict": "converged",
    "readable": True,
    "time": "2026-01-31T12:00:00+00:00",
    "by": "ops@nuc1",
    "note": "",
    "changes": ["~ service shop_web: update, no restart"],
    "outside": [],
    "revoked": [],
}
HEAD = "7  converged  2026-01-31T12:00:00+00:00  ops@nuc1"


@pytest.mark.parametrize(
    ("revisions", "lines"),
    [
        ([], ["There are none."]),
        ([REVISION], [HEAD, "     ~ service shop_web: update, no restart"]),
        ([{**REVISION, "note": "rollback to 5", "changes": []}], [f"{HEAD}  (rollback to 5)"]),
        (
            [{**REVISION, "changes": [], "outside": ["services.web.image a -> b"]}],
            [HEAD, "     changed outside before: services.web.image a -> b"],
        ),
        ([{**REVISION, "changes": [], "revoked": ["secret shop_key"]}], [HEAD, "     needs what was revoked: secret shop_key"]),
        ([{"number": 6, "verdict": "failed", "readable": False, "revoked": []}], ["6  failed, but its record cannot be read"]),
    ],
)
def test_lines(revisions: list[dict[str, Any]], lines: list[str]) -> None:
    assert revision_lines(revisions) == lines
