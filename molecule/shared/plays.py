# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks that a test plays itself, on the scenario's lab."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import outside


def play(playbook: str, variables: list[Path], **more: Any) -> subprocess.CompletedProcess[str]:
    """Files of variables and single ones, later ones before earlier ones."""
    given = [*(f"@{path}" for path in variables), json.dumps(more)]
    return subprocess.run(
        ["ansible-playbook", "--inventory", outside.INVENTORY, *(word for one in given for word in ("--extra-vars", one)), playbook],
        cwd=outside.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
