# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as the docker CLI's parser types it.

PyYAML reads 22:22 as 1342, ``yes`` as true and 08 as text; each of those would change a service. So plain scalars
are resolved here, duplicate and non-string keys are errors, and aliases cannot blow a small file up.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from ._notes import At

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
DEEPEST, MOST = 100, 200_000
TAG = "tag:yaml.org,2002:"


def plain(text: str) -> Any:
    """The value of an unquoted scalar."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    digits = text.replace("_", "")
    if INTEGER.match(digits):
        number = _integer(digits)
        if SMALLEST <= number < LARGEST:
            return number
    return float(digits) if FLOAT.match(digits) else text


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
    "plain": plain,
    TAG + "str": str,
    TAG + "int": _typed(int),
    TAG + "float": lambda text: float(_typed((int, float))(text)),
    TAG + "bool": _typed(bool),
    TAG + "null": lambda _text: None,
    TAG + "timestamp": str,
    TAG + "binary": _binary,
}


class _Loader(yaml.SafeLoader):
    """Builds the node tree only; what a plain scalar means is decided in ``plain``."""

    def resolve(self, kind: Any, _value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode and implicit[0]:
            return "plain"
        return TAG + {yaml.ScalarNode: "str", yaml.SequenceNode: "seq"}.get(kind, "map")


class _Reader:
    def __init__(self, at: At) -> None:
        self.at = at
        self.left = MOST
        self.open: list[int] = []

    def value(self, node: yaml.Node, at: At) -> Any:
        self.left -= 1
        if self.left < 0 or id(node) in self.open or len(self.open) >= DEEPEST:
            raise RecursionError
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, at)
        self.open.append(id(node))
        value = self._mapping(node, at) if isinstance(node, yaml.MappingNode) else self._list(node, at)
        self.open.pop()
        return value

    def _scalar(self, node: yaml.ScalarNode, at: At) -> Any:
        make = TAGGED.get(node.tag)
        if make is None:
            at.wrong(f"the tag {node.tag} has no meaning here ({_where(node)}).")
            return None
        try:
            return make(node.value)
        except (ValueError, TypeError, binascii.Error):
            at.wrong(f"the value does not fit its tag {node.tag.replace(TAG, '!!')} ({_where(node)}).")
            return None

    def _list(self, node: yaml.Node, at: At) -> list[Any]:
        return [self.value(item, at.to(index)) for index, item in enumerate(node.value)]

    def _mapping(self, node: yaml.MappingNode, at: At) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, at)
            if key is None:
                continue
            if key == "<<" and key_node.tag == "plain":
                merged = {**self._merge(value_node, at.to(key)), **merged}
            elif key in own:
                at.to(key).wrong(f"the key is given twice ({_where(key_node)}). Remove one of them.")
            else:
                own[key] = self.value(value_node, at.to(key))
        return {**merged, **own}

    def _key(self, node: yaml.Node, at: At) -> str | None:
        key = self.value(node, at)
        if isinstance(key, str):
            return key
        shown = node.value if isinstance(node, yaml.ScalarNode) else "a list or mapping"
        at.wrong(f"the key {shown} is not a string ({_where(node)}). Put it in quotes.")
        return None

    def _merge(self, node: yaml.Node, at: At) -> dict[str, Any]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for part in parts:
            value = self.value(part, at)
            if isinstance(value, dict):
                merged = {**value, **merged}
            else:
                at.wrong(f"only mappings can be merged with << ({_where(part)}).")
        return merged


def parse(text: str, at: At) -> Any:
    """The first document of ``text`` as dicts, lists and scalars."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_node() if loader.check_node() else None
            if node is None:
                at.wrong("the file is empty.")
                return None
            if loader.check_node():
                at.warn("only the first YAML document of the file is used.")
            return _Reader(at).value(node, at)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        at.wrong(f"{where}not valid YAML: {error.problem or error.context}.")
    except yaml.YAMLError as error:
        at.wrong(f"not valid YAML: {str(error).splitlines()[0]}.")
    except RecursionError:
        at.wrong("nested too deeply, or an alias that contains itself or grows without bound.")
    return None


def _where(node: yaml.Node) -> str:
    return f"line {node.start_mark.line + 1}, column {node.start_mark.column + 1}"
