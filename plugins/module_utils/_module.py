# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only owner of AnsibleModule: options in, exit_json or fail_json out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ._clock import persist
from ._engine import Connection, Engine, connect
from ._errors import EngineMissingError, EngineUnreachableError, NotInSwarmError, SdkMissingError, SwarmError
from ._model import Outcome

Options = Mapping[str, Any]
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
        self.ansible = AnsibleModule(argument_spec={**CONNECTION, **(options or {})}, supports_check_mode=True, **rules)

    def run(self, work: Work, bare: Callable[[Options], Outcome] | None = None, patience: float = 0.0) -> None:
        """Connect, work, answer. For ``patience`` seconds an engine that does not answer may be restarting.

        ``bare`` tells what would happen on a host that has no engine, no SDK or no swarm yet; it is asked in check
        mode only, because the roles before this module would have made them. In a real run their lack is an error.
        """
        options: Options = self.ansible.params
        _answer(self.ansible, lambda: self._work(work, bare, options, patience))

    def _work(self, work: Work, bare: Callable[[Options], Outcome] | None, options: Options, patience: float) -> Outcome:
        try:
            engine = persist(lambda: connect(connection_of(options)), EngineUnreachableError, patience)
            return work(engine, options, self.ansible.check_mode)
        except BARE as error:
            if not self.ansible.check_mode or bare is None:
                raise
            outcome = bare(options)
            return replace(outcome, warnings=(*outcome.warnings, f"{error.message} Predicted as if nothing existed yet."))


class LocalModule:
    """A module that works on the machine itself, so needs neither engine nor SDK."""

    def __init__(self, options: Mapping[str, Mapping[str, Any]] | None = None, **rules: Any) -> None:
        self.ansible = AnsibleModule(argument_spec=dict(options or {}), supports_check_mode=True, **rules)

    def run(self, work: Callable[[Options], Mapping[str, Any]]) -> None:
        """Look, answer with what was found."""
        _answer(self.ansible, lambda: Outcome(changed=False, values=work(self.ansible.params)))

    def change(self, work: Callable[[Options, bool], Outcome]) -> None:
        """Work, in check mode only so far as to tell what would be done; answer."""
        _answer(self.ansible, lambda: work(self.ansible.params, self.ansible.check_mode))


def _answer(ansible: AnsibleModule, work: Callable[[], Outcome]) -> None:
    try:
        outcome = work()
    except SwarmError as error:
        achieved = dict(error.achieved)
        for warning in achieved.pop("warnings", ()):
            ansible.warn(warning)
        ansible.fail_json(msg=error.message, **achieved)
    for warning in outcome.warnings:
        ansible.warn(warning)
    states = {"before": _shown(outcome.before), "after": _shown(outcome.after)}
    diff = {"prepared": outcome.prepared} if outcome.prepared else states
    ansible.exit_json(changed=outcome.changed, diff=diff, **outcome.values)


def connection_of(options: Options) -> Connection:
    """Where the engine is, by a module's options."""
    return Connection(**{name: options[name] for name in CONNECTION})


def _shown(state: Any) -> Any:
    return "" if state is None else state
