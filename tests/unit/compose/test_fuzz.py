# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a file says, it becomes bodies, or an error that says where: never a traceback, never without end.

FUZZ_EXAMPLES says how many examples each test tries.
"""

from __future__ import annotations

import copy
import json
import os
from itertools import pairwise
from typing import Any

import pytest
import yaml
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._load import load
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._project import Project, Source
from ansible_collections.homecloud.swarm.plugins.module_utils._desired import convert
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import ComposeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FULL: dict[str, Any] = {
    "version": "3.8",
    "services": {
        "web": {
            "image": "nginx:${TAG}",
            "command": "a 'b c'",
            "entrypoint": ["a"],
            "environment": {"A": "1", "B": None, "C": 1.5},
            "env_file": ["one.env"],
            "labels": ["a=b"],
            "ports": ["80:80", {"target": 80, "published": 8080, "mode": "host"}, "7000-7002:80/udp"],
            "volumes": ["data:/data:ro", {"type": "tmpfs", "target": "/t", "tmpfs": {"size": 5}}, "./x:/y"],
            "networks": {"front": {"aliases": ["a"]}, "default": None},
            "secrets": ["s", {"source": "s", "target": "t", "mode": 256}],
            "configs": ["c"],
            "healthcheck": {"test": ["CMD", "x"], "interval": "5s", "retries": 3},
            "deploy": {
                "replicas": "${N:-2}",
                "update_config": {"delay": "1s", "max_failure_ratio": 0.5},
                "resources": {"limits": {"cpus": "0.5", "memory": "1.5G"}},
                "placement": {"constraints": ["node.id==b"], "preferences": [{"spread": "x"}]},
                "restart_policy": {"condition": "any"},
            },
            "ulimits": {"nofile": {"soft": 1, "hard": 2}, "core": 0},
            "extra_hosts": {"a": "::1"},
            "logging": {"driver": "x", "options": {"a": 1}},
            "depends_on": {"db": {"condition": "service_started"}},
            "tmpfs": "/run:size=1m",
            "security_opt": ["no-new-privileges:true"],
            "sysctls": {"net.a": 1},
            "dns": "1.1.1.1",
            "stop_grace_period": "1m30s",
            "restart": "on-failure:3",
            "credential_spec": {"config": "c"},
        },
        "db": {"image": "postgres", "cap_add": ["a"], "restart": "always"},
    },
    "networks": {"front": {"ipam": {"config": [{"subnet": "10.0.0.0/8"}]}}},
    "volumes": {"data": None},
    "secrets": {"s": {"external": {"name": "x"}}},
    "configs": {"c": {"content": "x"}},
}
WORDS = (
    "image",
    "deploy",
    "external",
    "name",
    "x-a",
    "file",
    "type",
    "source",
    "80:80",
    "$",
    "${A",
    "${A:-${B}}",
    "1-2:3",
    "5s",
    "~",
    "a:b:c",
    "on-failure:1",
    "0x1F",
    "1e400",
    "\u2028\x85\x00",
    "\ud800",
    "\u202e\U0001f600",
)
#: What is cheap to write and may be dear to read.
HUGE: tuple[Any, ...] = (
    10**4000,
    2**64,
    -(10**30),
    1e308,
    float("inf"),
    "9" * 5000,
    "9" * 20_000 + "x",
    "1." * 10_000,
    "a" * 20_000 + "!",
    "-" * 20_000,
    "a." * 10_000,
    "${A:-" * 1_000,
    "${A:-" * 1_000 + "}" * 1_000,
    "$" * 20_000,
    "\\" * 9_999,
    "'" * 9_999,
    "1-9999:1-9999",
    "[" * 5_000,
    [str(number) for number in range(2_000)],
    {str(number): number for number in range(2_000)},
)
KEYS = tuple(FULL["services"]["web"])
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats())
leaves = st.one_of(scalars, st.integers(min_value=2**62), st.text(max_size=8), st.sampled_from(WORDS + KEYS))
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
many = settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "300")), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


PLACES = [path for path in places(FULL) if path]


def read(path: str) -> bytes:
    if "nope" in path:
        raise FileNotFoundError(2, "No such file or directory", path)
    return b"A=1\nB\n"


def deploy(*sources: Source) -> None:
    """Bodies, or an error that names a file and fits on a screen."""
    message = ""
    try:
        deploy_or_raise(*sources)
    except ComposeError as error:
        message = error.message
    lines = message.splitlines()
    assert len(lines) <= 101
    # Of the engine's names no file is known: they are put together from several.
    assert all(line.startswith(("f", "g", "services", "networks", "secrets", "configs", "And ")) for line in lines), message


def deploy_or_raise(*sources: Source) -> None:
    """All that happens to files before an engine is asked."""
    loaded = load(sources, {"TAG": "1", "HOME": "/h"}, read, project_dir="/srv", beyond_cli=True)
    wire = json.loads(json.dumps(loaded.project.to_wire()))
    assert Project.from_wire(wire) == loaded.project
    json.dumps(convert(Project.from_wire(wire), "st").services)


def test_the_whole_file_is_good() -> None:
    """Else the changes below would only ever meet its first error."""
    deploy_or_raise(Source.inline("f", FULL))


@many
@given(values)
def test_any_mapping(value: Any) -> None:
    deploy(Source.inline("f", value))


@many
@given(st.lists(st.tuples(st.sampled_from(PLACES), values), min_size=1, max_size=3))
def test_a_file_with_some_values_changed(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    deploy(Source.inline("f", changed(changes)))


@many
@given(st.lists(st.tuples(st.sampled_from(PLACES), values), max_size=2), st.lists(st.tuples(st.sampled_from(PLACES), values), max_size=2))
def test_two_files_merged(first: list[tuple[tuple[Any, ...], Any]], second: list[tuple[tuple[Any, ...], Any]]) -> None:
    deploy(Source.inline("f", changed(first)), Source.inline("g", changed(second)))


@many
@given(st.text(max_size=40), st.integers(0, 2000), st.integers(0, 60))
def test_a_text_with_a_piece_replaced(piece: str, start: int, length: int) -> None:
    text = yaml.safe_dump(FULL)
    deploy(Source.file("f", text[:start] + piece + text[start + length :], "/base"))


@many
@given(st.text(alphabet="${}:-?+AB ", max_size=30))
def test_any_reference(text: str) -> None:
    deploy(Source.inline("f", {"services": {"a": {"image": "x", "hostname": text}}}))


@many
@given(st.text(alphabet="[]{}:,-&*!?|>'\"#%@ \nab1", max_size=40))
def test_any_text(text: str) -> None:
    deploy(Source.file("f", text, "/base"))


@many
@given(st.lists(st.sampled_from(PLACES), min_size=2, max_size=4), st.lists(st.tuples(st.sampled_from(PLACES), values), max_size=2))
def test_values_shared_and_moved(places: list[tuple[Any, ...]], changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    """As text, so that equal objects are anchors and aliases."""
    document = changed(changes)
    for one, other in pairwise(places):
        put(document, one, found(document, other))
    try:
        text = yaml.safe_dump(document)
    except RecursionError:
        return
    deploy(Source.file("f", text, "/base"), Source.file("g", text, "/base"))


@pytest.mark.parametrize("value", HUGE, ids=lambda value: f"{value!s:.12}" if not isinstance(value, int) else "int")
def test_a_huge_value_anywhere(value: Any) -> None:
    for place in PLACES:
        document = copy.deepcopy(FULL)
        put(document, place, value)
        deploy(Source.inline("f", document))


@pytest.mark.parametrize(
    "text",
    [
        "services: " + "{a: " * 90 + "x" + "}" * 90,
        "services: {" + ", ".join(f"s{number}: {{image: x}}" for number in range(5_000)) + "}",
        "services: {" + ", ".join(f"s{number}: {{imag: x}}" for number in range(5_000)) + "}",
        "services: {a: {image: x, " + ", ".join(f"k{number}: x" for number in range(2_000)) + "}}",
        "services: {a: {image: x, secrets: [" + ", ".join(f"s{number}" for number in range(2_000)) + "]}}",
        "x: &x [" + "x, " * 1_000 + "]\nservices: {a: {image: x, cap_add: *x, dns: *x}}",
        "x: &x {"
        + ", ".join(f"k{number}: x" for number in range(1_000))
        + "}\nservices: {a: {image: x, labels: {<<: ["
        + ", ".join(["*x"] * 100)
        + "]}}}",
        "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}",
        "services: {" + ", ".join(f"s{number}: {{image: x, depends_on: [s{number + 1}]}}" for number in range(3_000)) + "}",
        "services: {a: {image: " + "9" * 5_000 + ", hostname: !!int " + "9" * 5_000 + "}}",
        "services: {a: {image: x, hostname: !!binary " + "A" * 100_001 + "}}",
        "? {a: b}\n: c\n? [a]\n: d\n",
        "services: {a: {image: x}}\n...\n%YAML 1.1\n---\n!!python/object:os.system x",
    ],
    ids=range(13),
)
def test_a_file_that_is_dear_to_read(text: str) -> None:
    deploy(Source.file("f", text, "/base"), Source.file("g", text, "/base"))


def found(document: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def put(document: Any, place: tuple[Any, ...], value: Any) -> None:
    above = found(document, place[:-1])
    if isinstance(above, dict) or (isinstance(above, list) and isinstance(place[-1], int) and place[-1] < len(above)):
        above[place[-1]] = value


def changed(changes: list[tuple[tuple[Any, ...], Any]]) -> dict[str, Any]:
    document = copy.deepcopy(FULL)
    for place, value in changes:
        put(document, place, value)
    return document
