# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to the engine: one that is restarting is waited for where the module says so."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils import _module, _swarm_module
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import EngineUnreachableError
from ansible_collections.homecloud.swarm.plugins.module_utils._model import Outcome


@pytest.mark.parametrize(("patience", "answers"), [(0.0, False), (5.0, True)])
def test_an_engine_that_restarts(monkeypatch: pytest.MonkeyPatch, patience: float, answers: bool) -> None:
    silences = [EngineUnreachableError("not yet")]
    ansible = MagicMock(params=dict.fromkeys(_swarm_module.CONNECTION), check_mode=False)
    ansible.fail_json.side_effect = SystemExit

    def connect(_connection: Any) -> str:
        if silences:
            raise silences.pop()
        return "engine"

    monkeypatch.setattr(_module, "AnsibleModule", lambda **_rules: ansible)
    monkeypatch.setattr(_swarm_module, "connect", connect)
    module = _swarm_module.SwarmModule()
    if answers:
        module.run(lambda engine, _options, _check: Outcome(changed=False, values={"of": engine}), patience=patience)
        assert ansible.exit_json.call_args.kwargs["of"] == "engine"
    else:
        with pytest.raises(SystemExit):
            module.run(lambda _engine, _options, _check: Outcome(changed=False), patience=patience)
        assert ansible.fail_json.call_args.kwargs["msg"] == "not yet"
