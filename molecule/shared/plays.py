# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks that a test plays itself, on the scenario's lab."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import outside


def play(
    playbook: str, variables: list[Path], *words: str, environment: Mapping[str, str] | None = None, **more: Any
) -> subprocess.CompletedProcess[str]:
    """Files of variables and single ones, later ones before earlier ones; further words for the command."""
    given = [*(f"@{path}" for path in variables), json.dumps(more)]
    variables_given = [word for one in given for word in ("--extra-vars", one)]
    return subprocess.run(
        ["ansible-playbook", *words, "--inventory", outside.INVENTORY, *variables_given, playbook],
        cwd=outside.ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
