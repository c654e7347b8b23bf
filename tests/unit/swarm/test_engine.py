# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine's refusals mean, and which connections are refused before anybody is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._engine import Connection, api_error, connect
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import (
    EngineError,
    InSwarmError,
    NotFoundError,
    NotInSwarmError,
    QuorumLostError,
    RefusedError,
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
    assert api_error(500, message, "tcp://table", path).__class__ is kind


def test_an_answer_about_a_registry_is_told_in_its_own_words() -> None:
    said = f'Get "https://registry.lab/v2/": {LATE}'
    assert api_error(500, said, "tcp://table").message == f"The engine at tcp://table refused: {said}"


PAIR = {"client_cert": "{here}/cert.pem", "client_key": "{here}/key.pem"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"tls": True, **PAIR, "client_cert": "{here}/gone.pem"}, "client_cert: there is no file {here}/gone.pem on this node"),
        ({"tls": True, **PAIR, "client_key": "{here}"}, "client_key: there is no file {here} on this node"),
        ({"validate_certs": True, "ca_path": "{here}/gone.pem"}, "ca_path: there is no file {here}/gone.pem on this node"),
        ({"api_version": "abc"}, "api_version: 'abc' is no version of the Engine API"),
        ({"api_version": "1.x"}, "api_version: '1.x' is no version of the Engine API"),
        ({"api_version": ""}, "api_version: '' is no version of the Engine API"),
        ({"docker_host": "tcp://192.0.2.10:99999"}, "docker_host: 'tcp://192.0.2.10:99999' is no address of an engine (Port out of range"),
        ({"docker_host": "tcp://[::1:2375"}, "docker_host: 'tcp://[::1:2375' is no address of an engine"),
    ],
)
def test_connections_that_lead_to_no_engine(given: dict[str, Any], words: str, tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).touch()
    options: dict[str, Any] = {option: value.format(here=tmp_path) if isinstance(value, str) else value for option, value in given.items()}
    with pytest.raises(RefusedError) as refused:
        connect(Connection(**options))
    assert refused.value.message.startswith(words.format(here=tmp_path))
