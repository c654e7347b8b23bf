# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only owner of AnsibleModule: options in, exit_json or fail_json out.

It knows no engine: a module that needs none shall not spend half of its time on the import of the docker SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ._errors import SwarmError
from ._model import Outcome

Options = Mapping[str, Any]


class LocalModule:
    """A module that works on the machine itself. Further arguments are AnsibleModule's rules."""

    def __init__(self, options: Mapping[str, Mapping[str, Any]] | None = None, **rules: Any) -> None:
        self._ansible = AnsibleModule(argument_spec=dict(options or {}), supports_check_mode=True, **rules)
        self.options: Options = self._ansible.params

    def run(self, work: Callable[[Options], Mapping[str, Any]]) -> None:
        """Look, answer with what was found."""
        self.change(lambda options, _check: Outcome(changed=False, values=work(options)))

    def change(self, work: Callable[[Options, bool], Outcome]) -> None:
        """Work, in check mode only so far as to tell what would be done; answer."""
        try:
            outcome = work(self.options, self._ansible.check_mode)
        except SwarmError as error:
            achieved = dict(error.achieved)
            for warning in achieved.pop("warnings", ()):
                self._ansible.warn(warning)
            self._ansible.fail_json(msg=error.message, **achieved)
        for warning in outcome.warnings:
            self._ansible.warn(warning)
        states = {"before": _shown(outcome.before), "after": _shown(outcome.after)}
        diff = {"prepared": outcome.prepared} if outcome.prepared else states
        self._ansible.exit_json(changed=outcome.changed, diff=diff, **outcome.values)


def _shown(state: Any) -> Any:
    return "" if state is None else state
