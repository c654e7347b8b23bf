# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which engine of a machine the packages of a list would push aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .packages_missing import installed_packages, known_packages, packages_missing

#: Packages that bring an engine. Each of them conflicts with the others, and apt would remove the one that is there.
ENGINES = ("docker.io", "docker-ce", "moby-engine")


def engines_replaced(wanted: Sequence[str], dpkg: str, program: str = "") -> list[str]:
    """Packages of other engines, or the path of a ``program`` that none of them has brought; nothing if no engine is to be installed."""
    names = [package.partition("=")[0] for package in wanted]
    missing = {package.partition("=")[0] for package in packages_missing(wanted, dpkg)}
    if not missing & set(ENGINES):
        return []
    others = [name for name in ENGINES if name in installed_packages(dpkg) and name not in names]
    # of one that an installation has left half done dpkg knows
    stranger = [program] if program and not known_packages(dpkg) & set(ENGINES) else []
    return others or stranger


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"engines_replaced": engines_replaced}
