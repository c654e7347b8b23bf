# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes: each checks one kind of value and returns its canonical form; what is wrong is noted, never raised.

A shape is a function of the value and its place. Shapes that hold others (``struct``, ``list_of``, ``map_of``) are
made from them, so that the tables in ``_schema`` read like the files they describe. They are Composites, so that
tests and documentation can walk the tables.
"""

from __future__ import annotations

import contextlib
import functools
import math
import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ._interpolate import Filled
from ._notes import At, nearest
from ._values import billionths, go_text, nanoseconds, octal, size_bytes
from ._words import split_words

Shape = Callable[[Any, At], Any]


@dataclass(frozen=True)
class Composite:
    """A shape and what it is made of: ``keys`` with a shape each ("*" for any key), or ``parts`` in the same place."""

    read: Shape
    keys: Mapping[str, Shape] = field(default_factory=dict)
    parts: tuple[Shape, ...] = ()
    ignored: str = ""
    beyond_cli: bool = False

    def __call__(self, value: Any, at: At) -> Any:
        return self.read(value, at)


KINDS: Mapping[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
}
FLAGS: Mapping[str, bool] = {
    **dict.fromkeys(("y", "yes", "true", "on"), True),
    **dict.fromkeys(("n", "no", "false", "off"), False),
}
CHOICES: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "text": ("text", (str,)),
    "flag": ("true or false", (bool, Filled)),
    "number": ("a number", (int, float, Filled)),
    "list": ("a list", (list,)),
    "mapping": ("a mapping", (dict,)),
}
DIGITS = re.compile(r"[-+]?[0-9]{1,40}\Z")


def kind(value: Any) -> str:
    return KINDS.get(type(value), "text") if value is not None else "empty"


def _expected(wanted: str, value: Any, at: At) -> Any:
    hint = " Put it in quotes." if wanted == "text" and isinstance(value, (bool, int, float)) else ""
    at.wrong(f"must be {wanted}, not {kind(value)}.{hint}")
    return None


def text(value: Any, at: At) -> Any:
    return str(value) if isinstance(value, str) else _expected("text", value, at)


def flag(value: Any, at: At) -> Any:
    if isinstance(value, Filled):
        value = FLAGS.get(value.lower(), value)
    if isinstance(value, bool):
        return value
    return _expected("true or false", value, at)


def _is_number(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and math.isfinite(value))


def number(value: Any, at: At) -> Any:
    if isinstance(value, Filled):
        with contextlib.suppress(ValueError):
            value = float(value)
    if _is_number(value):
        return value
    return _expected("a number", value, at)


def whole(value: Any, at: At) -> Any:
    if isinstance(value, Filled) and DIGITS.match(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return _expected("a whole number", value, at)


def between(low: int, high: int) -> Shape:
    """A whole number within bounds."""

    def shape(value: Any, at: At) -> Any:
        result = whole(value, at)
        if result is not None and not low <= result <= high:
            at.wrong(f"must be a whole number from {low} to {high}, not {result}.")
        return result

    return shape


def or_digits(shape: Shape) -> Shape:
    """The Compose Specification allows some numbers in quotes."""
    return lambda value, at: shape(int(value) if isinstance(value, str) and DIGITS.match(value) else value, at)


def parsed(parse: Callable[[str], Any], numbers: bool = False) -> Shape:
    """Text with a grammar of its own; ``parse`` raises ValueError with the rest of the sentence."""

    def shape(value: Any, at: At) -> Any:
        if numbers and isinstance(value, (int, float)) and not isinstance(value, bool):
            value = go_text(value)
        if not isinstance(value, str):
            return text(value, at)
        try:
            return parse(str(value))
        except ValueError as problem:
            at.wrong(str(problem))
            return None

    return shape


duration = parsed(nanoseconds)
size = parsed(size_bytes, numbers=True)
cpus = parsed(billionths, numbers=True)
_octal = parsed(octal)
_permissions = between(0, 2**32 - 1)


def mode(value: Any, at: At) -> Any:
    """File permissions: text is octal; through a variable, what YAML would make of it."""
    if isinstance(value, Filled) and DIGITS.match(value) and not value.startswith("0"):
        return _permissions(int(value), at)
    return (_octal if isinstance(value, str) else _permissions)(value, at)


def choice(*allowed: str) -> Shape:
    def shape(value: Any, at: At) -> Any:
        if isinstance(value, str) and value not in allowed:
            at.wrong(f"'{value}' is not one of {', '.join(allowed)}.{nearest(value, allowed)}")
        return text(value, at)

    return shape


def word(*known: str) -> Shape:
    """One of these words in any case, or none; it stays as it is written. The engine takes any other for the first, without a word."""

    def shape(value: Any, at: At) -> Any:
        if isinstance(value, str) and value and value.lower() not in known:
            at.wrong(f"'{value}' is not one of {', '.join(known)}.{nearest(value.lower(), known)}")
        return text(value, at)

    return shape


def scalar_text(value: Any, at: At) -> Any:
    """A value of environment, labels and the like: text, or a finite number as Go prints it."""
    if _is_number(value):
        return go_text(value)
    return text(value, at)


def nullable(shape: Shape) -> Shape:
    return Composite(lambda value, at: None if value is None else shape(value, at), parts=(shape,))


def then(shape: Shape, work: Callable[[Any, At], Any]) -> Shape:
    """What a shape has read, worked on; ``work`` may also say what is wrong with the whole."""

    def read(value: Any, at: At) -> Any:
        found = shape(value, at)
        return None if found is None else work(found, at)

    return Composite(read, parts=(shape,))


def list_of(shape: Shape, unique: bool = True) -> Shape:
    def read(value: Any, at: At) -> Any:
        if not isinstance(value, list):
            return _expected("a list", value, at)
        if unique:
            _once(value, at)
        return [shape(item, at.to(index)) for index, item in enumerate(value)]

    return Composite(read, parts=(shape,))


def _once(items: list[Any], at: At) -> None:
    seen: set[Hashable] = set()
    for index, item in enumerate(items):
        key = _frozen(item)
        if key in seen:
            at.to(index).wrong("is the same as an earlier item of the list. Remove one of them.")
        seen.add(key)


def _frozen(value: Any) -> Hashable:
    if isinstance(value, dict):
        return frozenset((key, _frozen(item)) for key, item in value.items())
    # true is not 1
    return tuple(map(_frozen, value)) if isinstance(value, list) else (isinstance(value, bool), value)


def one_or_list(shape: Shape = text) -> Shape:
    many = list_of(shape)
    return Composite(lambda value, at: [shape(value, at)] if isinstance(value, str) else many(value, at), parts=(many,))


def map_of(shape: Shape, keys: str = r".+") -> Shape:
    """A mapping with keys of the user's choice."""
    pattern = re.compile(rf"(?:{keys})\Z")

    def read(value: Any, at: At) -> Any:
        if not isinstance(value, dict):
            return _expected("a mapping", value, at)
        for key in value:
            if not pattern.match(key):
                at.to(key).wrong(f"'{key}' is not a possible name here; it must match {keys}.")
        return {key: shape(item, at.to(key)) for key, item in value.items()}

    return Composite(read, keys={"*": shape})


def struct(
    fields: Mapping[str, Shape], required: Iterable[str] = (), refused: Mapping[str, str] | None = None, lenient: bool = False
) -> Shape:
    """A mapping with known keys; ``x-`` keys are the user's own, ``refused`` says why a well-known key cannot be.

    ``lenient`` is for the few mappings where the CLI drops unknown keys without a word.
    """
    needed = tuple(required)
    read_field = functools.partial(_field, fields, refused or {}, lenient)

    def read(value: Any, at: At) -> Any:
        if not isinstance(value, dict):
            return _expected("a mapping", value, at)
        for key in needed:
            if key not in value:
                at.wrong(f"needs the key '{key}'.")
        found = {key: read_field(key, item, at.to(key)) for key, item in value.items()}
        return {key: item for key, item in found.items() if item is not None}

    return Composite(read, keys=fields)


def _field(fields: Mapping[str, Shape], refused: Mapping[str, str], lenient: bool, key: str, item: Any, at: At) -> Any:
    if key in fields:
        return fields[key](item, at)
    if key in refused:
        at.wrong(refused[key])
    elif lenient:
        at.warn(f"is an unknown key and ignored.{at.nearest(key, fields)}")
    elif not key.startswith("x-"):
        at.wrong(f"unknown key.{at.nearest(key, fields)}")
    return None


def either(**shapes: Shape) -> Shape:
    """The shape is chosen by the kind of the value: ``text``, ``number``, ``flag``, ``list``, ``mapping``."""

    def read(value: Any, at: At) -> Any:
        for name, shape in shapes.items():
            if isinstance(value, CHOICES[name][1]) and not (name == "number" and isinstance(value, bool)):
                return shape(value, at)
        return _expected(" or ".join(CHOICES[name][0] for name in shapes), value, at)

    return Composite(read, parts=tuple(shapes.values()))


def pairs(missing: str | None, separator: str = "=") -> Shape:
    """A mapping, or a list of ``A=b``; ``missing`` is the value of an item without one."""

    def filled(value: Any, at: At) -> Any:
        return missing if value is None else scalar_text(value, at)

    def from_list(value: Any, at: At) -> dict[str, str | None]:
        items = [item for item in list_of(text)(value, at) or () if item is not None]
        return {name: found if mark else missing for name, mark, found in (item.partition(separator) for item in items)}

    return either(mapping=map_of(filled), list=from_list)


def words(value: Any, at: At) -> Any:
    return either(text=parsed(split_words), list=list_of(text, unique=False))(value, at)


def ignored(reason: str) -> Shape:
    """Any value will do, and it does nothing; the warning says why."""

    def shape(_value: Any, at: At) -> None:
        at.warn(f"is ignored: {reason}")

    return Composite(shape, ignored=reason)


def remarked(shape: Shape, remark: str) -> Shape:
    """The value goes to the engine, and the warning says what becomes of it there."""

    def read(value: Any, at: At) -> Any:
        at.warn(remark)
        return shape(value, at)

    return Composite(read, parts=(shape,))


def beyond_cli(shape: Shape) -> Shape:
    """What the docker CLI silently drops: it works when asked for, else it is dropped with a warning."""

    def read(value: Any, at: At) -> Any:
        if at.notes.beyond_cli:
            return shape(value, at)
        at.warn("is ignored, as docker stack deploy does. Set beyond_cli: true to make it work.")
        return None

    return Composite(read, parts=(shape,), beyond_cli=True)
