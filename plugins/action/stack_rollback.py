# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the stack_rollback module: what happens while it waits."""

from __future__ import annotations

from typing import Any

from ..plugin_utils._watched import WatchedModule


class ActionModule(WatchedModule):
    """Hands everything to the module."""

    module = "homecloud.swarm.stack_rollback"

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        return {**result, **self.deployed(self._task.args, self._task.args, task_vars)}
