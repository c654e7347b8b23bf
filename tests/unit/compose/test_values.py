# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations, sizes, shares of a CPU, words, ports, mounts and the names of images."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._image import DEFAULT_DOMAIN, familiar_image
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._mounts import short_mount
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._notes import At, Notes
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._ports import short_ports
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._values import billionths, nanoseconds, size_bytes
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._words import split_words

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1h30m", 5_400_000_000_000),
        ("1.5s", 1_500_000_000),
        ("100ms", 100_000_000),
        ("1us", 1000),
        ("1µs", 1000),
        ("1ns", 1),
        ("0", 0),
        (".5s", 500_000_000),
        ("-1s", -1_000_000_000),
        ("0.1ns", 0),
    ],
)
def test_duration(text: str, value: int) -> None:
    assert nanoseconds(text) == value


@pytest.mark.parametrize("text", ["", "10", "1x", "s", "1s2", "1 s", "9999999h"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration\. Write it like|is too large"):
        nanoseconds(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5G", 1_610_612_736),
        ("50M", 52_428_800),
        ("1 kb", 1024),
        ("1KiB", 1024),
        ("10b", 10),
        ("1000000", 1_000_000),
        ("0.7", 0),
        ("1e3", 1000),
        ("2p", 2 * 1024**5),
    ],
)
def test_size(text: str, value: int) -> None:
    assert size_bytes(text) == value


@pytest.mark.parametrize("text", ["", "-1M", "1ki", "1x", "1  k", "M", "99999p", "1e999"])
def test_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a size\. Write it like|is too large"):
        size_bytes(text)


@pytest.mark.parametrize(
    ("text", "value"), [("0.5", 500_000_000), ("1/2", 500_000_000), ("1e-2", 10_000_000), ("2", 2_000_000_000), ("", 0)]
)
def test_cpus(text: str, value: int) -> None:
    assert billionths(text) == value


@pytest.mark.parametrize("text", ["x", "1/0", "0.1234567891", "1/3", "1e999"])
def test_no_cpus(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a number of CPUs|is too precise|is too large"):
        billionths(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("a  b\tc\nd", ["a", "b", "c", "d"]),
        ('"a b" c', ["a b", "c"]),
        (r'"a\nb"', ["anb"]),
        (r"'a\nb'", [r"a\nb"]),
        (r"a\ b", ["a b"]),
        ("x#y", ["x#y"]),
        ("'x'#y", ["x#y"]),
        ("a #comment here", ["a"]),
        ("a #comment\nb", ["a", "b"]),
        ("'' \"\"", ["", ""]),
        ("a'b'\"c\"d", ["abcd"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize("text", ["'a", '"a', '"a\\"', "a\\"])
def test_no_words(text: str) -> None:
    with pytest.raises(ValueError, match="has a quote that is not closed"):
        split_words(text)


def ports(spec: str) -> tuple[list[tuple[int, int, str]], Notes]:
    notes = Notes()
    found = short_ports(spec, At(notes))
    return [(port["target"], port["published"], port["protocol"]) for port in found], notes


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("80", [(80, 0, "tcp")]),
        ("8080:80", [(80, 8080, "tcp")]),
        ("53:53/UDP", [(53, 53, "udp")]),
        ("8000-8002:80", [(80, 8000, "tcp"), (80, 8001, "tcp"), (80, 8002, "tcp")]),
        ("9000-9001:90-91", [(90, 9000, "tcp"), (91, 9001, "tcp")]),
        ("1009-1010:9-10", [(10, 1010, "tcp"), (9, 1009, "tcp")]),
        ("0.0.0.0:80:80", [(80, 80, "tcp")]),
    ],
)
def test_short_ports(spec: str, expected: list[tuple[int, int, str]]) -> None:
    found, notes = ports(spec)
    assert (found, notes.errors, list(notes.warnings)) == (expected, [], [])


@pytest.mark.parametrize("spec", ["127.0.0.1:80:80", "[::1]:80:80", "127.0.0.1::80"])
def test_an_address_is_ignored_with_a_warning(spec: str) -> None:
    assert "is ignored; Swarm publishes on all addresses" in next(iter(ports(spec)[1].warnings))


@pytest.mark.parametrize("spec", ["", "a", "80:", ":a", "1-2:3-5", "2-1", "99999", "80/xyz", "1.2.3:80:80", "80:80:80:80", "-1", "²"])
def test_no_port(spec: str) -> None:
    assert len(ports(spec)[1].errors) == 1


@pytest.mark.parametrize(
    ("spec", "mount"),
    [
        ("/anonymous", {"type": "volume", "target": "/anonymous"}),
        ("v:/z", {"type": "volume", "target": "v:/z"}),
        ("data:/x", {"type": "volume", "source": "data", "target": "/x"}),
        ("data:/x:ro,nocopy", {"type": "volume", "source": "data", "target": "/x", "read_only": True, "volume": {"nocopy": True}}),
        ("/a:/x:rslave", {"type": "bind", "source": "/a", "target": "/x", "bind": {"propagation": "rslave"}}),
        ("./a:/x:z", {"type": "bind", "source": "./a", "target": "/x"}),
        ("~/a:/x", {"type": "bind", "source": "~/a", "target": "/x"}),
        (r"C:\a:/x", {"type": "bind", "source": r"C:\a", "target": "/x"}),
    ],
)
def test_short_mount(spec: str, mount: dict[str, Any]) -> None:
    notes = Notes()
    assert (short_mount(spec, At(notes)), notes.errors) == (mount, [])


@pytest.mark.parametrize(
    ("spec", "error"), [("aa::/x", "has an empty part"), (":/x", "has an empty part"), ("aa:/x:ro:y", "too many"), ("", "is empty")]
)
def test_no_mount(spec: str, error: str) -> None:
    notes = Notes()
    short_mount(spec, At(notes))
    assert error in notes.errors[0][1]


@pytest.mark.parametrize(
    ("image", "familiar"),
    [
        ("nginx", "nginx:latest"),
        (f"{DEFAULT_DOMAIN}/library/nginx:1", "nginx:1"),
        (f"index.{DEFAULT_DOMAIN}/foo/bar", "foo/bar:latest"),
        ("a4bc65fd", "a4bc65fd:latest"),
        (f"nginx:1@{DIGEST}", f"nginx:1@{DIGEST}"),
        (f"nginx@{DIGEST}", f"nginx@{DIGEST}"),
        ("0123456789abcdef" * 4, "0123456789abcdef" * 4),
        ("localhost/x", "localhost/x:latest"),
        ("registry.example:5000/a/b:1", "registry.example:5000/a/b:1"),
        ("library/a/b", "library/a/b:latest"),
        ("Registry/x", "Registry/x:latest"),
    ],
)
def test_image(image: str, familiar: str) -> None:
    assert familiar_image(image) == familiar


@pytest.mark.parametrize("image", ["", "a b", "foo/Bar", "nginx:", "nginx:a b", "nginx@sha256:1", "-x", "a//b", "http://x/y"])
def test_no_image(image: str) -> None:
    with pytest.raises(ValueError, match="is not the name of an image"):
        familiar_image(image)
