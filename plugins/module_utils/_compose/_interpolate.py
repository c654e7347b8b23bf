# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables: $NAME, ${NAME}, ${NAME:-default}, ${NAME:?message}, ${NAME:+instead} and $$ for a dollar sign.

The docker CLI cuts some of these wrongly ($TAG-alpine loses -alpine); here they mean what they say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._notes import At

NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
OPERATOR = re.compile(r":?[-?+]")
DEEPEST = 20


class Filled(str):
    """Text that a variable went into: a field for numbers or truth values may read it as one."""


class _Invalid(Exception):
    """The text at hand is not a reference to a variable."""


@dataclass(frozen=True)
class Variables:
    values: Mapping[str, str]
    strict: bool

    def fill(self, document: Any, at: At) -> Any:
        """``document`` with every string value filled in; keys stay as they are."""
        if isinstance(document, dict):
            return {key: self.fill(value, at.to(key)) for key, value in document.items()}
        if isinstance(document, list):
            return [self.fill(value, at.to(index)) for index, value in enumerate(document)]
        if not isinstance(document, str) or "$" not in document:
            return document
        try:
            return Filled(self._text(document, at, 0))
        except _Invalid as problem:
            at.broken(str(problem))
            return document

    def _text(self, text: str, at: At, depth: int) -> str:
        out: list[str] = []
        position = 0
        while True:
            dollar = text.find("$", position)
            if dollar < 0 or depth > DEEPEST:
                return "".join((*out, text[position:]))
            out.append(text[position:dollar])
            value, position = self._reference(text, dollar, at, depth)
            out.append(value)

    def _reference(self, text: str, dollar: int, at: At, depth: int) -> tuple[str, int]:
        """The value of the reference that starts at ``dollar``, and where it ends."""
        if text.startswith("$$", dollar):
            return "$", dollar + 2
        braced = text.startswith("${", dollar)
        name = NAME.match(text, dollar + (2 if braced else 1))
        end = name.end() if name else dollar
        if name and not braced:
            return self._value(name.group(), at), end
        close = _closing(text, end)
        operator = OPERATOR.match(text, end)
        if not name or close < 0 or not (operator or close == end):
            # the text itself stays untold: it may be part of a password
            where = "" if depth else f" at character {dollar + 1}"
            raise _Invalid(f"the ${where} is not a variable. Write $$ for a dollar sign.")
        if not operator:
            return self._value(name.group(), at), close + 1
        return self._operate(name.group(), operator.group(), text[operator.end() : close], at, depth), close + 1

    def _operate(self, name: str, operator: str, word: str, at: At, depth: int) -> str:
        value = self.values.get(name)
        given = value is not None and not (operator[0] == ":" and value == "")
        kind = operator[-1]
        if kind == "+":
            return self._text(word, at, depth + 1) if given else ""
        if given:
            return str(value)
        if kind == "-":
            return self._text(word, at, depth + 1)
        reason = f" is required: {word}" if word and not _is_secret(at) else " is required"
        raise _Invalid(f"{_called(name, at)}{reason}. Give it in env or env_files.")

    def _value(self, name: str, at: At) -> str:
        if name in self.values:
            return self.values[name]
        if self.strict:
            mend = "$$ for a dollar sign" if _is_secret(at) else f"a default: ${{{name}:-}}"
            at.broken(f"{_called(name, at)} is not set. Give it in env or env_files, or write {mend}.")
        else:
            mend = " Write $$ for a dollar sign." if _is_secret(at) else ""
            at.warn(f"{_called(name, at)} is not set; an empty string is used.{mend}")
        return ""


def _is_secret(at: At) -> bool:
    """Whether the text is a secret's value, in which even what looks like a variable's name may be part of the value."""
    return at.path[:1] == ("secrets",) and at.path[-1] == "content"


def _called(name: str, at: At) -> str:
    return "a variable in it" if _is_secret(at) else f"the variable {name}"


def _closing(text: str, start: int) -> int:
    """Where the brace that was opened before ``start`` is closed; references inside have their own braces."""
    depth, position = 0, start
    while position < len(text):
        if text.startswith("${", position):
            depth, position = depth + 1, position + 1
        elif text[position] == "}":
            if not depth:
                return position
            depth -= 1
        position += 1
    return -1
