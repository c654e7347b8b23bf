# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records how long each task took on each host; tests/bench/measure.py reads what is written here."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: task_seconds
type: aggregate
short_description: Record the duration of tasks
description:
  - Writes each task that ended well, with its host, its seconds and whether it changed something, to the file that
    TASK_SECONDS_FILE names.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core has no type hints
    """One line for each task and host."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_seconds"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._file = Path(os.environ["TASK_SECONDS_FILE"])
        self._began: dict[tuple[str, str], float] = {}

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._began[task._uuid, host.get_name()] = time.monotonic()

    def v2_runner_on_ok(self, result: Any) -> None:
        task, host = result._task, result._host.get_name()
        seconds = time.monotonic() - self._began[task._uuid, host]
        record = {"task": task.get_name(), "host": host, "seconds": seconds, "changed": bool(result._result.get("changed"))}
        with self._file.open("a") as lines:
            lines.write(json.dumps(record) + "\n")
