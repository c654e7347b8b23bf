# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the stack module: Compose files -> one self-contained project."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError, AnsibleFileNotFound

from ..module_utils._compose._environment import parse_env_file
from ..module_utils._compose._load import load
from ..module_utils._compose._project import Contents, Loaded, Source
from ..module_utils._compose._values import utf8
from ..module_utils._errors import ComposeError, SwarmError
from ..plugin_utils._watched import WatchedModule, is_true

#: What only the first call needs.
LOADED = ("compose", "project", "env", "env_files", "configs")


class ActionModule(WatchedModule):
    """Reads what is on the controller, hands everything to the module."""

    module = "homecloud.swarm.stack"
    #: folder of the inventory, where people who run our playbooks keep their files
    _inventory = ""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        options = dict(self._task.args)
        self._inventory = str((task_vars or {}).get("inventory_dir") or "")
        warnings: tuple[str, ...] = ()
        if options.get("state", "present") != "present":
            # values of a stack that goes are nobody's business
            options = {name: value for name, value in options.items() if name not in (*LOADED, "secrets")}
        elif not options.get("compose", True):
            sentence = "The option 'compose' names no file: give one, or set state to absent to remove the stack."
            return {**result, "failed": True, "msg": sentence}
        elif options.get("compose"):
            try:
                loaded = self._load(options)
            except SwarmError as error:
                return {**result, "failed": True, "msg": error.message}
            warnings = loaded.warnings
            options.update(
                project=loaded.project.to_wire(),
                secrets=encoded(loaded.contents.secrets),
                configs=encoded(loaded.contents.configs),
            )
        rest = {name: value for name, value in options.items() if name not in LOADED}
        result.update(self.deployed(options, {**rest, "compose": [{}]}, task_vars))
        result["warnings"] = [*result.get("warnings", []), *warnings]
        return result

    def _load(self, options: Mapping[str, Any]) -> Loaded:
        given = {sort: contents_of(options.get(sort), sort) for sort in ("secrets", "configs")}
        loaded = load(
            [self._source(number, entry) for number, entry in enumerate(as_list(options["compose"]), 1)],
            self._variables(options),
            self._read,
            env_strict=is_true(options.get("env_strict", False)),
            project_dir=str(options.get("project_dir") or ""),
            beyond_cli=is_true(options.get("beyond_cli", False)),
            provided_secrets=given["secrets"],
            provided_configs=given["configs"],
        )
        contents = Contents(
            secrets={**loaded.contents.secrets, **given["secrets"]}, configs={**loaded.contents.configs, **given["configs"]}
        )
        return replace(loaded, contents=contents)

    def _source(self, number: int, entry: Any) -> Source:
        if isinstance(entry, Mapping):
            return Source.inline(f"compose[{number}]", entry)
        path = self._find(str(entry))
        try:
            return Source.file(str(entry), utf8(self._read(path)), str(Path(path).parent))
        except ValueError as problem:
            raise ComposeError(f"{entry}: {problem}") from problem

    def _variables(self, options: Mapping[str, Any]) -> dict[str, str]:
        variables: dict[str, str] = {}
        for name in as_list(options.get("env_files")):
            try:
                found = parse_env_file(self._read(self._find(str(name))), {})
            except ValueError as problem:
                raise ComposeError(f"{name}: {problem}") from problem
            variables.update({key: value or "" for key, value in found.items()})
        own = mapping_of(options.get("env"), "env", "names of variables")
        variables.update({str(key): as_text(value) for key, value in own.items()})
        return variables

    def _find(self, name: str) -> str:
        """Where templates are looked for: beside the playbook, in the role, or as an absolute path; else beside the inventory."""
        try:
            return str(self._find_needle("templates", name))
        except AnsibleError as problem:
            beside = Path(self._inventory, name)
            if self._inventory and beside.exists():
                return str(beside)
            raise ComposeError(
                f"There is no file '{name}' on the controller, neither beside the playbook, nor in the role, nor beside the inventory."
            ) from problem

    def _read(self, path: str) -> bytes:
        """The file's bytes, decrypted when it is a vault."""
        try:
            with open(self._loader.get_real_file(path), "rb") as file:
                return file.read()
        except AnsibleFileNotFound as problem:
            # Ansible's own words go on about options that its modules have.
            raise ComposeError("there is no such file on the controller.") from problem
        except AnsibleError as problem:
            raise ComposeError(f"The file '{path}' cannot be read: {problem}") from problem


def contents_of(given: Any, option: str) -> dict[str, bytes]:
    """The values of an option, as bytes."""
    return {str(key): as_text(value).encode() for key, value in mapping_of(given, option, "keys in the Compose file").items()}


def mapping_of(given: Any, option: str, keys: str) -> Mapping[Any, Any]:
    """The option's value, if it is a mapping; nothing is an empty one."""
    if given and not isinstance(given, Mapping):
        raise ComposeError(f"The option '{option}' takes a mapping from {keys} to values.")
    return given or {}


def encoded(contents: Mapping[str, bytes]) -> dict[str, str]:
    """As the module takes them: base64, so that any bytes can travel and no_log masks whole values only."""
    return {key: base64.b64encode(content).decode("ascii") for key, content in contents.items()}


def as_text(value: Any) -> str:
    """A value as a Compose variable: YAML's own words for booleans, nothing for null."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def as_list(value: Any) -> list[Any]:
    """A list, or the one item that stands for it."""
    return value if isinstance(value, list) else [] if value is None else [value]
