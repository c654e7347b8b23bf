# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine allows in the names of its objects and of a stack, and how much in a secret or config. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ._errors import RefusedError

DNS_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?\Z")
CONTENT_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?\Z")
#: What the engine allows in a name, and how long it may be; the stack's name is part of it.
NAMES: Mapping[str, tuple[re.Pattern[str], int]] = {
    **dict.fromkeys(("services", "networks"), (DNS_NAME, 63)),
    **dict.fromkeys(("secrets", "configs"), (CONTENT_NAME, 64)),
}

#: Swarmkit takes less bytes than this, but one at least; what does not fit would only be refused after it was sent.
SIZES: Mapping[str, int] = {"secrets": 500 * 1024, "configs": 1000 * 1024}


def size_problem(sort: str, content: bytes) -> str:
    """Why the engine does not take a content of this sort; empty if it does."""
    if 0 < len(content) < SIZES[sort]:
        return ""
    return f"the engine takes 1 to {SIZES[sort] - 1} bytes, this has {len(content)}; keep larger files in an image or a volume."


def is_possible(sort: str, name: str) -> bool:
    """Whether the engine takes it as the name of an object of this sort."""
    pattern, longest = NAMES[sort]
    return bool(pattern.match(name)) and len(name) <= longest


def check_stack(name: str) -> None:
    """Raise RefusedError for what cannot be a stack's name, with which those of its services begin.

    An empty one would even be dangerous: in a filter for labels the engine takes an empty value for any.
    """
    if not is_possible("services", name):
        raise RefusedError(
            f"'{name}' cannot be the name of a stack: give it 1 to {NAMES['services'][1]} letters, digits, - and _, the first and the last "
            "a letter or digit."
        )
