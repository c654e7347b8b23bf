# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module's way to the engine: connect, work, and in check mode tell what would be on a host that has no engine yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ansible.module_utils.common.parameters import env_fallback

from ._clock import persist
from ._engine import Connection, Engine, connect
from ._errors import EngineMissingError, EngineUnreachableError, NotInSwarmError, SdkMissingError
from ._model import Outcome
from ._module import LocalModule, Options

Work = Callable[[Engine, Options, bool], Outcome]

#: What a bare host lacks; in check mode each means "everything would be created".
BARE = (SdkMissingError, EngineMissingError, NotInSwarmError)

CONNECTION: dict[str, dict[str, Any]] = {
    "docker_host": {
        "type": "str",
        "default": "unix:///var/run/docker.sock",
        "fallback": (env_fallback, ["DOCKER_HOST"]),
        "aliases": ["docker_url"],
    },
    "tls": {"type": "bool", "default": False, "fallback": (env_fallback, ["DOCKER_TLS"])},
    "validate_certs": {
        "type": "bool",
        "default": False,
        "fallback": (env_fallback, ["DOCKER_TLS_VERIFY"]),
        "aliases": ["tls_verify"],
    },
    "ca_path": {"type": "path", "aliases": ["ca_cert", "tls_ca_cert", "cacert_path"]},
    "client_cert": {"type": "path", "aliases": ["tls_client_cert", "cert_path"]},
    "client_key": {"type": "path", "aliases": ["tls_client_key", "key_path"]},
    "api_version": {
        "type": "str",
        "default": "auto",
        "fallback": (env_fallback, ["DOCKER_API_VERSION"]),
        "aliases": ["docker_api_version"],
    },
    "timeout": {"type": "int", "default": 60, "fallback": (env_fallback, ["DOCKER_TIMEOUT"])},
}


class SwarmModule:
    """A module that works on one engine. Further arguments are AnsibleModule's rules (``required_if`` and so on)."""

    def __init__(self, options: Mapping[str, Mapping[str, Any]] | None = None, **rules: Any) -> None:
        self.local = LocalModule({**CONNECTION, **(options or {})}, **rules)
        self.options = self.local.options

    def run(self, work: Work, bare: Callable[[Options], Outcome] | None = None, patience: float = 0.0) -> None:
        """Connect, work, answer. For ``patience`` seconds an engine that does not answer may be restarting.

        ``bare`` tells what would happen on a host that has no engine, no SDK or no swarm yet; it is asked in check
        mode only, because the roles before this module would have made them. In a real run their lack is an error.
        """
        self.local.change(lambda options, check: _worked(work, bare, options, check, patience))


def _worked(work: Work, bare: Callable[[Options], Outcome] | None, options: Options, check: bool, patience: float) -> Outcome:
    try:
        engine = persist(lambda: connect(connection_of(options)), EngineUnreachableError, patience)
        return work(engine, options, check)
    except BARE as error:
        if not check or bare is None:
            raise
        outcome = bare(options)
        return replace(outcome, warnings=(*outcome.warnings, f"{error.message} Predicted as if nothing existed yet."))


def connection_of(options: Options) -> Connection:
    """Where the engine is, by a module's options."""
    return Connection(**{name: options[name] for name in CONNECTION})
