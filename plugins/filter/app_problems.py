# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a list of apps, as sentences: found before anything is deployed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any


def app_problems(apps: Iterable[Mapping[str, Any]], taken: Iterable[str] = ()) -> list[str]:
    """``taken`` are the names of stacks that are not the user's."""
    apps = list(apps)
    return [*_names(apps, frozenset(taken)), *_empty(apps)]


def _names(apps: Iterable[Mapping[str, Any]], taken: frozenset[str]) -> Iterator[str]:
    for name, times in Counter(str(app["name"]) for app in apps).items():
        if times > 1:
            yield f"swarm_apps: {times} apps are named {name}; give each its own name."
        if name in taken:
            yield f"swarm_apps: {name}: the stack of this name belongs to the role swarm_{name}; give the app another name."


def _empty(apps: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for app in apps:
        if app.get("state", "present") == "present" and not app.get("compose"):
            yield f"swarm_apps: {app['name']}: there is nothing to deploy; name its files under compose, or say state: absent."


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"app_problems": app_problems}
