# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine's refusals mean, and which connections are refused before anybody is asked."""

from __future__ import annotations

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._engine import api_error
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import (
    EngineError,
    InSwarmError,
    NotFoundError,
    NotInSwarmError,
    QuorumLostError,
)

LATE = "context deadline exceeded"


@pytest.mark.parametrize(
    ("path", "message", "kind"),
    [
        ("/services", LATE, QuorumLostError),
        ("/nodes", "The swarm does not have a leader. It's possible that too few managers are online.", QuorumLostError),
        ("/distribution/web:1/json", LATE, EngineError),
        ("/images/create", f'Get "https://registry.lab/v2/": {LATE} (Client.Timeout exceeded while awaiting headers)', EngineError),
        ("/images/create", f"Get https://registry.lab/v2/: {LATE}", EngineError),
        ("/swarm/update", f'external CA: Post "https://ca.lab/sign": {LATE}', EngineError),
        ("/swarm", 'This node is not a swarm manager. Use "docker swarm init" to make it one.', NotInSwarmError),
        ("/swarm/join", "This node is already part of a swarm.", InSwarmError),
        ("/secrets/x", "secret x not found", NotFoundError),
    ],
)
def test_what_an_answer_means(path: str, message: str, kind: type[EngineError]) -> None:
    assert type(api_error(500, message, "tcp://table", path)) is kind


def test_an_answer_about_a_registry_is_told_in_its_own_words() -> None:
    said = f'Get "https://registry.lab/v2/": {LATE}'
    assert api_error(500, said, "tcp://table").message == f"The engine at tcp://table refused: {said}"
