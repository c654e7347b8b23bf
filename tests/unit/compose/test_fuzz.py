# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a file says, it becomes bodies, or an error that says where: never a traceback, never without end."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

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
                "placement": {"constraints": ["a==b"], "preferences": [{"spread": "x"}]},
                "restart_policy": {"condition": "any"},
            },
            "ulimits": {"nofile": {"soft": 1, "hard": 2}, "core": 0},
            "extra_hosts": {"a": "::1"},
            "logging": {"driver": "x", "options": {"a": 1}},
            "depends_on": {"db": {"condition": "service_started"}},
            "tmpfs": "/run:size=1m",
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
)
KEYS = tuple(FULL["services"]["web"])
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats())
leaves = st.one_of(scalars, st.text(max_size=8), st.sampled_from(WORDS + KEYS))
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


PLACES = [path for path in places(FULL) if path]


def read(path: str) -> bytes:
    if "nope" in path:
        raise FileNotFoundError(2, "No such file or directory", path)
    return b"A=1\nB\n"


def deploy(*sources: Source) -> None:
    with suppress(ComposeError):
        deploy_or_raise(*sources)


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


def changed(changes: list[tuple[tuple[Any, ...], Any]]) -> dict[str, Any]:
    document = copy.deepcopy(FULL)
    for (*above, last), value in changes:
        inner: Any = document
        try:
            for key in above:
                inner = inner[key]
            inner[last] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    return document
