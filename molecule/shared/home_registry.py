# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry that the role swarm_registry runs in the scenario's lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import outside

REGISTRY = "registry.home.arpa:5000"


def password(name: str = "registry-password") -> str:
    """As the inventory has it, kept in the lab's folder."""
    return Path(outside.HOME, name).read_text().split()[0]


def login(host: Any, word: str) -> Any:
    """What `docker login` says on a node; nothing of it is kept there."""
    command = "printf %s %s | docker --config $(mktemp -d) login --username homecloud --password-stdin %s"
    return host.run(command, "%s", word, REGISTRY)
