# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine allows in the names of its objects. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

DNS_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?\Z")
CONTENT_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?\Z")
#: What the engine allows in a name, and how long it may be; the stack's name is part of it.
NAMES: Mapping[str, tuple[re.Pattern[str], int]] = {
    **dict.fromkeys(("services", "networks"), (DNS_NAME, 63)),
    **dict.fromkeys(("secrets", "configs"), (CONTENT_NAME, 64)),
}
