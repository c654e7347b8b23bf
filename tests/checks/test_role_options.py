"""A role's defaults/main.yml and meta/argument_specs.yml say the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pythons import ROOT

ROLES = sorted(path for path in (ROOT / "roles").glob("*") if path.is_dir())


def faults(role: str, defaults: dict[str, Any], options: dict[str, dict[str, Any]]) -> Iterator[str]:
    for name in sorted(defaults.keys() - options.keys()):
        yield f"{name} is in defaults/main.yml and not in meta/argument_specs.yml"
    for name, option in options.items():
        if name != role and not name.startswith(f"{role}_"):
            yield f"{name} does not begin with {role}_"
        if not (option.get("type") and option.get("description")):
            yield f"{name} has no type or no description in meta/argument_specs.yml"
        if name in defaults:
            yield from _different(name, defaults[name], option)
        elif not option.get("required"):
            yield f"{name} is not required, so it needs a value in defaults/main.yml"


def _different(name: str, default: Any, option: dict[str, Any]) -> Iterator[str]:
    if option.get("required"):
        yield f"{name} is required, so defaults/main.yml must not set it"
    elif "default" in option:
        # Compared with their types: true is not 1, "3" is not 3.
        if repr(option["default"]) != repr(default):
            yield f"{name} is {default!r} in defaults/main.yml and {option['default']!r} in meta/argument_specs.yml"
    elif default is not None and not (isinstance(default, str) and "{{" in default):
        yield f"{name} is {default!r} in defaults/main.yml, so meta/argument_specs.yml must say so as its default"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text()) if path.exists() else None


def options_of(role: Path) -> dict[str, dict[str, Any]]:
    specs = read(role / "meta" / "argument_specs.yml")
    assert specs, f"{role.name} has no meta/argument_specs.yml"
    return {name: option for entry in specs["argument_specs"].values() for name, option in (entry.get("options") or {}).items()}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_and_specs_agree(role: Path) -> None:
    found = list(faults(role.name, read(role / "defaults" / "main.yml") or {}, options_of(role)))
    assert not found, "\n".join(found)


def test_there_are_roles() -> None:
    assert ROLES


GOOD = {"type": "str", "description": "x"}


@pytest.mark.parametrize(
    ("defaults", "options", "fault"),
    [
        ({"web_a": "1"}, {}, "not in meta"),
        ({"a": "1"}, {"a": {**GOOD, "default": "1"}}, "does not begin"),
        ({}, {"web_a": GOOD}, "needs a value"),
        ({"web_a": "1"}, {"web_a": {**GOOD, "default": 1}}, "'1' in defaults"),
        ({"web_a": {"b": True}}, {"web_a": {**GOOD, "default": {"b": 1}}}, "in meta"),
        ({"web_a": "1"}, {"web_a": GOOD}, "must say so"),
        ({"web_a": "1"}, {"web_a": {**GOOD, "required": True}}, "must not set"),
        ({"web_a": "1"}, {"web_a": {"type": "str", "default": "1"}}, "no description"),
    ],
)
def test_drift_is_found(defaults: dict[str, Any], options: dict[str, dict[str, Any]], fault: str) -> None:
    assert any(fault in found for found in faults("web", defaults, options))


@pytest.mark.parametrize(
    ("defaults", "options"),
    [
        ({"web_a": "1"}, {"web_a": {**GOOD, "default": "1"}}),
        ({"web_a": "{{ b }}"}, {"web_a": GOOD}),
        ({"web_a": None}, {"web_a": GOOD}),
        ({}, {"web_a": {**GOOD, "required": True}}),
    ],
)
def test_agreement_is_quiet(defaults: dict[str, Any], options: dict[str, dict[str, Any]]) -> None:
    assert not list(faults("web", defaults, options))
