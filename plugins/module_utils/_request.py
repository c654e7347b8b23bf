# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ``stack`` is asked for: its options, and the same with types."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ._compose._project import Project
from ._errors import RefusedError
from ._model import Sort
from ._names import check_stack
from ._situation import Limits

#: Seconds for which the engine that a wait is taken up on may not answer.
RESTART = 60.0

#: Of whatever deploys: how to wait, what to do about a failure, what to remember.
RELEASE: dict[str, dict[str, Any]] = {
    "registry_auth": {
        "type": "dict",
        "options": {
            "username": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
            "serveraddress": {"type": "str", "required": True},
            "since": {"type": "str"},
        },
    },
    "history_max": {"type": "int", "default": 10},
    "with_registry_auth": {"type": "bool", "default": False},
    "on_failure": {"type": "str", "choices": ["rollback", "pause"], "default": "rollback"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
    "wait_stable": {"type": "float"},
    "progress_deadline": {"type": "int", "default": 60},
    "log_lines": {"type": "int", "default": 20},
    "progress": {"type": "bool", "default": True},
    "patience": {"type": "float"},
    "waiting": {"type": "dict"},
}

OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True, "aliases": ["stack"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "compose": {"type": "list", "elements": "raw"},
    "env": {"type": "dict", "default": {}},
    "env_files": {"type": "list", "elements": "path", "default": []},
    "env_strict": {"type": "bool", "default": False},
    "project_dir": {"type": "path"},
    "beyond_cli": {"type": "bool", "default": False},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "configs": {"type": "dict", "default": {}},
    "attach": {"type": "dict", "default": {}},
    "prune": {"type": "raw", "default": False},
    "revoke": {"type": "bool", "default": False},
    "volumes": {"type": "bool", "default": False},
    "keep_history": {"type": "bool", "default": False},
    "recreate": {"type": "bool", "default": False},
    "resolve_image": {"type": "str", "choices": ["always", "changed", "never"], "default": "always"},
    "update_defaults": {"type": "bool", "default": False},
    "blue_green": {"type": "list", "elements": "str", "default": []},
    "project": {"type": "dict"},
    **RELEASE,
}

ROLLBACK_OPTIONS: dict[str, dict[str, Any]] = {
    "name": OPTIONS["name"],
    "revision": {"type": "int"},
    "secrets": {"type": "str", "choices": ["revision", "current"], "default": "revision"},
    **RELEASE,
}

SWITCH_OPTIONS: dict[str, dict[str, Any]] = {
    "name": OPTIONS["name"],
    "state": {"type": "str", "choices": ["switched", "finished", "aborted"], "default": "switched"},
    "weight": {"type": "int"},
    **{name: RELEASE[name] for name in ("history_max", "wait_timeout")},
}


@dataclass(frozen=True)
class Request:
    """The module's options, typed."""

    name: str
    project: Project
    contents: Mapping[tuple[Sort, str], bytes]
    attach: Mapping[str, list[str]]
    prune: bool | str
    revoke: bool
    history_max: int
    volumes: bool
    keep_history: bool
    recreate: bool
    resolve_image: str
    registry_auth: Mapping[str, Any] | None
    with_registry_auth: bool
    update_defaults: bool
    blue_green: tuple[str, ...]
    goes_back: bool
    wait: bool
    limits: Limits
    log_lines: int
    #: seconds after which to return although the wait is not over; None for never
    patience: float | None
    #: where an earlier call left off waiting
    waiting: Mapping[str, Any] | None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Request:
        check_stack(options["name"])
        contents = {
            (sort, key): base64.b64decode(text)
            for sort in (Sort.SECRET, Sort.CONFIG)
            for key, text in (options[f"{sort.value}s"] or {}).items()
        }
        return cls(
            name=options["name"],
            project=Project.from_wire(options["project"] or {"services": {}}),
            contents=contents,
            attach=attach_of(options["attach"] or {}),
            prune=prune_of(options["prune"]),
            revoke=options["revoke"],
            history_max=history_max(options["history_max"]),
            volumes=options["volumes"],
            keep_history=options["keep_history"],
            recreate=options["recreate"],
            resolve_image=options["resolve_image"],
            registry_auth=options["registry_auth"],
            with_registry_auth=options["with_registry_auth"],
            update_defaults=options["update_defaults"],
            blue_green=tuple(dict.fromkeys(options["blue_green"] or ())),
            goes_back=options["on_failure"] == "rollback",
            wait=options["wait"],
            limits=Limits(options["wait_stable"], options["progress_deadline"], options["wait_timeout"]),
            log_lines=options["log_lines"],
            patience=options["patience"],
            waiting=options["waiting"],
        )

    @classmethod
    def of_rollback(cls, options: Mapping[str, Any]) -> Request:
        """Without files: only what whatever deploys is asked for."""
        silent = {name: option.get("default") for name, option in OPTIONS.items()}
        return cls.of({**silent, **{name: options[name] for name in ("name", *RELEASE) if name in options}})

    @property
    def not_yet(self) -> str:
        """The registry that will take the given credentials only after a change to come; none in most cases."""
        auth = self.registry_auth or {}
        return str(auth["serveraddress"]) if (auth.get("since") or "") > datetime.now(timezone.utc).isoformat() else ""

    def hidden(self) -> list[bytes]:
        """The values that nobody may see."""
        password = [str(self.registry_auth["password"]).encode()] if self.registry_auth else []
        return [value for (sort, _key), value in self.contents.items() if sort is Sort.SECRET] + password


def attach_of(given: Mapping[str, Any]) -> dict[str, list[str]]:
    """Names of networks by service; one name may stand alone."""
    found = {key: [names] if isinstance(names, str) else names for key, names in given.items()}
    for key, names in found.items():
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise RefusedError(f"attach takes names of networks for each service, as in {key}: [proxy]; for {key} it has {given[key]!r}.")
    return found


def history_max(value: int) -> int:
    """At least the revision that runs, or nothing could be taken back."""
    if value < 1:
        raise RefusedError(f"history_max takes 1 or more, not {value}.")
    return value


#: What ``prune`` may be.
PRUNE: dict[str, Any] = {"true": True, "yes": True, "false": False, "no": False, "all": "all"}


def prune_of(value: Any) -> bool | str:
    """A boolean, or "all"."""
    try:
        found: bool | str = PRUNE[str(value).lower()]
    except KeyError:
        raise RefusedError(f"prune takes true, false or all, not '{value}'.") from None
    return found
