# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of nodes, as a manager tells it."""

from __future__ import annotations

from typing import Any

import outside
import testinfra

LIST = "docker node ls --format '{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}'"


def on(node: str) -> Any:
    """A node by its name, to run commands there."""
    return testinfra.get_host(f"ansible://{node}", ansible_inventory=str(outside.INVENTORY))


def members(manager: str) -> dict[str, str]:
    """Hostname -> status, availability, place among the managers."""
    lines = on(manager).check_output(LIST).splitlines()
    return {name: rest.strip() for name, _space, rest in (line.partition(" ") for line in lines)}


def leader(manager: str) -> str:
    return next(name for name, state in members(manager).items() if state.endswith("Leader"))
