# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as the docker CLI's parser types it.

PyYAML reads 22:22 as 1342, ``yes`` as true and 08 as text; each of those would change a service. So plain scalars
are resolved here, duplicate and non-string keys are errors, and aliases cannot blow a small file up. The parser's
events are read one by one, so that a file nested without end is given up early.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ._notes import At

try:
    import yaml
except ImportError:  # where Ansible only looks whether this file can be imported; the controller has it
    yaml = None  # type: ignore[assignment]

WORDS: Mapping[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)\Z")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
LARGEST, SMALLEST = 2**64, -(2**63)
#: More digits than any number has that fits, 64 ones and zeros included.
LONGEST = 80
DEEPEST, MOST = 100, 200_000
TAG = "tag:yaml.org,2002:"
COLLECTIONS = (None, "!", TAG + "map", TAG + "seq")


def plain(text: str) -> Any:
    """The value of an unquoted scalar."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    digits = text.replace("_", "")
    if len(digits) <= LONGEST and INTEGER.match(digits):
        number = _integer(digits)
        if SMALLEST <= number < LARGEST:
            return number
    value = float(digits) if FLOAT.match(digits) else math.inf
    return text if math.isinf(value) else value


def _integer(digits: str) -> int:
    sign, bare = (-1, digits[1:]) if digits[0] == "-" else (1, digits.lstrip("+"))
    leading_zero = len(bare) > 1 and bare[0] == "0" and bare[1].isdigit()
    return sign * (int(bare, 8) if leading_zero else int(bare, 0))


def _binary(text: str) -> str:
    return base64.b64decode(text, validate=False).decode("utf-8")


def _typed(kinds: type | tuple[type, ...]) -> Callable[[str], Any]:
    def make(text: str) -> Any:
        value = plain(text)
        if not isinstance(value, kinds):
            raise TypeError(text)
        return value

    return make


TAGGED: Mapping[str, Callable[[str], Any]] = {
    "!": str,
    TAG + "str": str,
    TAG + "int": _typed(int),
    TAG + "float": lambda text: float(_typed((int, float))(text)),
    TAG + "bool": _typed(bool),
    TAG + "null": lambda _text: None,
    TAG + "timestamp": str,
    TAG + "binary": _binary,
}


class _TooMuchError(Exception):
    """Nested too deeply, or more values than any file has."""


class _Reader:
    """Makes values of events. ``anchors`` has each named value with the number of values in it."""

    def __init__(self, events: Iterator[Any]) -> None:
        self.events = events
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.count = 0
        self.depth = 0

    def value(self, event: Any, at: At) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, at)
        before = self.count
        self._add(1)
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event, at)
        else:
            self.depth += 1
            if self.depth > DEEPEST:
                raise _TooMuchError
            value = self._mapping(at) if isinstance(event, yaml.MappingStartEvent) else self._list(at)
            if event.tag not in COLLECTIONS:
                at.broken(f"the tag {event.tag} has no meaning here ({_where(event)}).")
            self.depth -= 1
        if event.anchor:
            self.anchors[event.anchor] = value, self.count - before
        return value

    def _add(self, count: int) -> None:
        self.count += count
        if self.count > MOST:
            raise _TooMuchError

    def _alias(self, event: Any, at: At) -> Any:
        if event.anchor not in self.anchors:
            at.broken(f"there is no &{event.anchor} before *{event.anchor} ({_where(event)}).")
        value, count = self.anchors.get(event.anchor, (None, 1))
        self._add(count)
        return value

    def _list(self, at: At) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.value(event, at.to(len(items))))
        return items

    def _mapping(self, at: At) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.value(event, at)
            if not isinstance(key, str):
                shown = event.value if isinstance(event, yaml.ScalarEvent) else "a list or mapping"
                at.wrong(f"the key {shown} is not a string ({_where(event)}). Put it in quotes.")
                self.value(next(self.events), at.to(shown))
                continue
            value_event = next(self.events)
            here = at.to(key)
            value = self.value(value_event, here)
            if key == "<<" and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
                merged = {**_merge(value, value_event, here), **merged}
            elif key in own:
                here.wrong(f"the key is given twice ({_where(event)}). Remove one of them.")
            else:
                own[key] = value
        return {**merged, **own}


def _scalar(event: Any, at: At) -> Any:
    if event.implicit[0]:
        return plain(event.value)
    make = TAGGED.get(event.tag or "!")
    if make is None:
        at.broken(f"the tag {event.tag} has no meaning here ({_where(event)}).")
        return None
    try:
        return make(event.value)
    except (ValueError, TypeError):
        at.broken(f"the value does not fit its tag {event.tag.replace(TAG, '!!')} ({_where(event)}).")
        return None


def _merge(value: Any, event: Any, at: At) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, dict):
            merged = {**part, **merged}
        else:
            at.wrong(f"only mappings can be merged with << ({_where(event)}).")
    return merged


def parse(text: str, at: At) -> Any:
    """The first document of ``text`` as dicts, lists and scalars."""
    try:
        # libyaml where it is there: seven times faster, and the CLI's parser is descended from it.
        loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        return _document(yaml.parse(text, Loader=loader), at)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        at.wrong(f"{where}not valid YAML: {error.problem or error.context}.")
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        at.wrong(f"not valid YAML: {str(error).splitlines()[0]}.")
    except _TooMuchError:
        at.wrong(f"is nested more than {DEEPEST} levels deep, or has more than {MOST} values.")
    return None


def _document(events: Iterator[Any], at: At) -> Any:
    for event in events:
        if isinstance(event, yaml.StreamEndEvent):
            at.wrong("the file is empty.")
        if isinstance(event, yaml.DocumentStartEvent):
            break
    else:
        return None
    value = _Reader(events).value(next(events), at)
    if any(isinstance(event, yaml.DocumentStartEvent) for event in events):
        at.warn("only the first YAML document of the file is used.")
    return value


def _where(event: Any) -> str:
    return f"line {event.start_mark.line + 1}, column {event.start_mark.column + 1}"
