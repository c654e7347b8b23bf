# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages of a list dpkg does not have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from typing import Any


def packages_missing(wanted: Iterable[str], dpkg: str) -> list[str]:
    """``dpkg`` has a line for each package: status, name, version, parted by tabs; others are passed over.

    A wanted version may hold wildcards.
    """
    installed = installed_packages(dpkg)
    missing = []
    for package in wanted:
        name, _equals, version = package.partition("=")
        if name not in installed or not fnmatch(installed[name], version or "*"):
            missing.append(package)
    return missing


def installed_packages(dpkg: str) -> dict[str, str]:
    """Name and version of those that are there as a whole."""
    # i at the second place: installed; the first is what is wanted, install or hold
    return {name: version for status, name, version in _lines(dpkg) if status.strip() in ("ii", "hi")}


def known_packages(dpkg: str) -> set[str]:
    """Those too that are there in part, or were once."""
    return {name for status, name, _version in _lines(dpkg) if status.strip() != "un"}


def _lines(dpkg: str) -> Iterator[list[str]]:
    return (line.split("\t") for line in dpkg.splitlines() if "\t" in line)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"packages_missing": packages_missing}
