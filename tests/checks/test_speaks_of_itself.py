"""No file names the machine it was written on, a registry's host, or the talk around its making."""

from __future__ import annotations

import re

import pytest
from checkout import files
from pythons import ROOT

# Written in pieces, so that this file passes its own check.
HOSTS = ("docker[.]io/", "ghcr[.]io", "quay[.]io", "gcr[.]io", "registry[.]k8s[.]io", "download[.]docker[.]com", "hub[.]docker[.]com")
PACKAGES = ("pypi[.]org", "galaxy[.]ansible[.]com", "deb[.]debian[.]org", "npmjs[.]org", "proxy[.]golang[.]org")
# Where people keep checkouts; nodes have a /root of their own.
PLACES = (r"/home/(?!someone)[a-z]+/", r"/root/(?:[\w.]+/)*(?:[c]heckout|[.]venv|[.]pyenv)", r"(?<![\w.}])/work[/]")
TALK = (r"\bissue #?[0-9]",)
FORBIDDEN = re.compile("|".join((*HOSTS, *PACKAGES, *PLACES, *TALK)), re.IGNORECASE)
# The licence is quoted, not ours to word.
QUOTED = {"LICENSE"}


def faults(name: str, text: str) -> list[str]:
    return [f"{name}:{number}: {found[0]}" for number, line in enumerate(text.splitlines(), 1) for found in FORBIDDEN.finditer(line)]


def test_no_file_names_what_it_should_not() -> None:
    names = [str(name) for name in files() if str(name) not in QUOTED]
    assert "galaxy.yml" in names
    found = [fault for name in names for fault in faults(name, (ROOT / name).read_text(errors="replace"))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "image: quay" + ".io/x",
        "from docker" + ".io/library/x",
        "cd /root" + "/checkout",
        "in /home" + "/me/checkout",
        "as issue" + " 12 says",
        "https://pypi" + ".org/simple",
    ],
)
def test_slips_are_found(line: str) -> None:
    assert faults("x", line) == [f"x:1: {FORBIDDEN.search(line)[0]}"]  # type: ignore[index]


@pytest.mark.parametrize("line", ["apt-get install docker.io", "image: caddy:2.11", "cd /srv/network/main", "an issue with 3 nodes"])
def test_ordinary_lines_are_quiet(line: str) -> None:
    assert not faults("x", line)
