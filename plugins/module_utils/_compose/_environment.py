# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of a service: its env files, then its own entries, then what the variables fill in."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from typing import Any, Optional

from .._errors import SwarmError
from ._notes import At
from ._values import utf8

Environment = dict[str, Optional[str]]
Read = Callable[[str], bytes]


def environment(variables: Mapping[str, str], read: Read, base: str, service: Mapping[str, Any], at: At) -> Environment:
    found: Environment = {}
    for index, entry in enumerate(service.get("env_file", ())):
        found.update(_file(entry, variables, read, base, at.to("env_file").to(index)))
    found.update(service.get("environment", {}))
    # As the CLI does: an empty value is replaced by the variable of the same name, where there is one.
    return {key: value or variables.get(key, value) for key, value in found.items()}


def _file(entry: str | Mapping[str, Any], variables: Mapping[str, str], read: Read, base: str, at: At) -> Environment:
    path = entry if isinstance(entry, str) else entry["path"]
    try:
        content = read(resolve(base, path))
    except (OSError, SwarmError) as problem:
        if isinstance(entry, str) or entry.get("required", True):
            at.wrong(f"cannot read '{path}': {problem}")
        return {}
    try:
        return parse_env_file(content, variables)
    except ValueError as problem:
        at.wrong(f"'{path}': {problem}")
        return {}


def parse_env_file(content: bytes, variables: Mapping[str, str]) -> Environment:
    """Lines of ``KEY=value``, the value as it stands, quotes included; a bare ``KEY`` is taken from the variables."""
    found: Environment = {}
    # Not splitlines(), to which form feeds and U+2028 are ends of lines too.
    for number, raw in enumerate(utf8(content).split("\n"), start=1):
        line = raw.removesuffix("\r").lstrip()
        if not line or line.startswith("#"):
            continue
        key, mark, value = line.partition("=")
        if not key or any(letter in key for letter in " \t"):
            # without the line itself, which may have a password in it
            raise ValueError(f"line {number} is not of the form NAME=value, with no blank in the name.")
        if mark:
            found[key] = value
        elif key in variables:
            found[key] = variables[key]
    return found


def resolve(base: str, path: str) -> str:
    """``path`` seen from the folder of the first file, cleaned as Go's filepath.Join cleans it."""
    return posixpath.normpath(posixpath.join(base, path)) if base or path.startswith("/") else path
