# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records which tasks reported a change on which hosts; tests/changed_tasks.py reads what is written here."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: changed_tasks
type: aggregate
short_description: Record changed tasks
description:
  - Writes the tasks that reported a change, with their hosts, to the file that CHANGED_TASKS_FILE names.
  - A C({mode}) in its name becomes C(check) or C(real), for programs that give all runs one environment.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core has no type hints
    """One line for each change, and one at the end that says the run was whole."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "changed_tasks"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._file = Path(os.environ["CHANGED_TASKS_FILE"].format(mode="check" if context.CLIARGS["check"] else "real"))
        self._file.unlink(missing_ok=True)
        self._write(began=time.time())

    def v2_runner_on_ok(self, result: Any) -> None:
        if result._result.get("changed"):
            self._write(task=result._task.get_name(), host=result._host.get_name())

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._write(failed=sorted({**stats.failures, **stats.dark}))

    def _write(self, **record: Any) -> None:
        with self._file.open("a") as lines:
            lines.write(json.dumps(record) + "\n")
