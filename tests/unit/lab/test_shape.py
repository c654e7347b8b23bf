# SPDX-License-Identifier: GPL-3.0-or-later
"""From settings to nodes."""

from __future__ import annotations

import pytest
from homelab.errors import LabError
from homelab.shape import Shape, lab_name, parse_shape


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({}, Shape("default", 1, 2, ("trixie",), False)),
        ({"LAB_NAME": "", "LAB_MANAGERS": "", "LAB_WORKERS": "", "LAB_RELEASE": "", "LAB_BARE": ""}, Shape()),
        ({"LAB_NAME": "ha-2", "LAB_MANAGERS": "3", "LAB_WORKERS": "0"}, Shape("ha-2", 3, 0)),
        ({"LAB_RELEASE": "bookworm,trixie"}, Shape(releases=("bookworm", "trixie"))),
        ({"LAB_RELEASE": "  forky  bookworm, trixie "}, Shape(releases=("forky", "bookworm", "trixie"))),
        ({"LAB_BARE": "1"}, Shape(bare=True)),
        ({"LAB_BARE": "True"}, Shape(bare=True)),
        ({"LAB_BARE": "0"}, Shape()),
        ({"LAB_KERNEL": ""}, Shape(kernel="host")),
        ({"LAB_KERNEL": "ipvs", "LAB_RELEASE": "trixie"}, Shape(kernel="ipvs")),
        ({"HOME": "/root", "LAB_COLOUR": "red"}, Shape()),
    ],
)
def test_settings_make_a_shape(settings: dict[str, str], shape: Shape) -> None:
    assert parse_shape(settings) == shape


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"LAB_MANAGERS": "0"}, "LAB_MANAGERS is '0': give a whole number from 1 to 50."),
        ({"LAB_MANAGERS": "three"}, "LAB_MANAGERS is 'three'"),
        ({"LAB_WORKERS": "-1"}, "LAB_WORKERS is '-1'"),
        ({"LAB_WORKERS": "101"}, "whole number from 0 to 100"),
        ({"LAB_RELEASE": "trixie,buster"}, "LAB_RELEASE names 'buster': choose from bookworm, trixie, forky"),
        ({"LAB_RELEASE": ","}, "LAB_RELEASE names ''"),
        ({"LAB_BARE": "perhaps"}, "LAB_BARE is 'perhaps': say 1 or 0."),
        ({"LAB_KERNEL": "6.12"}, "LAB_KERNEL is '6.12': choose from host, ipvs."),
        ({"LAB_KERNEL": "ipvs", "LAB_BARE": "1"}, "leave LAB_RELEASE and LAB_BARE out"),
        ({"LAB_KERNEL": "ipvs", "LAB_RELEASE": "trixie,forky"}, "nodes of trixie with the engine installed"),
        ({"LAB_NAME": "My Lab"}, "LAB_NAME is 'My Lab'"),
    ],
)
def test_a_bad_setting_is_named(settings: dict[str, str], words: str) -> None:
    with pytest.raises(LabError) as raised:
        parse_shape(settings)
    assert words in str(raised.value)


@pytest.mark.parametrize("name", ["-a", "a-", "a_b", "A", "a" * 21, "a/b", "engine", "host"])
def test_a_lab_cannot_be_called(name: str) -> None:
    with pytest.raises(LabError, match="LAB_NAME"):
        lab_name(name)


@pytest.mark.parametrize(
    ("shape", "nodes"),
    [
        (Shape(), [("manager1", "trixie", 11), ("worker1", "trixie", 101), ("worker2", "trixie", 102)]),
        (
            Shape(managers=2, workers=3, releases=("bookworm", "trixie")),
            [
                ("manager1", "bookworm", 11),
                ("manager2", "trixie", 12),
                ("worker1", "bookworm", 101),
                ("worker2", "trixie", 102),
                ("worker3", "bookworm", 103),
            ],
        ),
        (Shape(workers=0, releases=("forky", "trixie")), [("manager1", "forky", 11)]),
    ],
)
def test_releases_go_round_over_the_nodes(shape: Shape, nodes: list[tuple[str, str, int]]) -> None:
    assert [(node.name, node.release, node.host_number) for node in shape.nodes()] == nodes


@pytest.mark.parametrize(
    ("shape", "flavour"),
    [(Shape(), "engine"), (Shape(bare=True), "bare"), (Shape(kernel="host"), "engine"), (Shape(kernel="ipvs"), "guest")],
)
def test_a_shape_says_what_its_nodes_are(shape: Shape, flavour: str) -> None:
    assert {node.flavour for node in shape.nodes()} == {flavour}


def test_the_largest_lab_has_an_address_for_everyone() -> None:
    numbers = [node.host_number for node in Shape(managers=50, workers=100).nodes()]
    assert len(set(numbers)) == 150
    assert set(numbers) <= set(range(6, 255))
