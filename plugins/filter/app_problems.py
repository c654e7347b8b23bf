# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a list of apps, as sentences: found before anything is deployed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

#: Of 100 requests.
ALL = 100
#: The least that numbers of a release, and of a check, may be.
NUMBERS = {"bake_time": 0, "max_errors": 0, "max_latency": 0, "scale_down_delay": 0}
CHECK_NUMBERS = {"times": 1, "timeout": 1, "status": 100}


def app_problems(apps: Iterable[Mapping[str, Any]], taken: Iterable[str] = (), ingress: bool = True) -> list[str]:
    """``taken`` are the names of stacks that are not the user's, ``ingress`` is whether there is one."""
    apps = list(apps)
    return [*_names(apps, frozenset(taken)), *_empty(apps), *_not_releasable(apps, ingress)]


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


def _not_releasable(apps: Iterable[Mapping[str, Any]], ingress: bool) -> Iterator[str]:
    """What a blue-green release would find out too late, with the new version running already."""
    for app in apps:
        if app.get("strategy") != "blue_green" or app.get("state", "present") != "present":
            continue
        if not (ingress and app.get("expose")):
            reason = "and it exposes none; name them under expose" if ingress else "and there is none (swarm_apps_ingress is false)"
            yield f"swarm_apps: {app['name']}: strategy: blue_green moves requests of exposed services by the ingress, {reason}."
        release = app.get("release") or {}
        weights = release.get("weights", [100])
        if not _grow(weights):
            yield f"swarm_apps: {app['name']}: release.weights is {weights}; give growing numbers from 1 on, the last one 100."
        yield from _too_small(f"swarm_apps: {app['name']}: release", release, NUMBERS)
        for number, check in enumerate(release.get("checks") or (), 1):
            yield from _check(f"swarm_apps: {app['name']}: release.checks, entry {number}", check)


def _grow(weights: Any) -> bool:
    if not isinstance(weights, Sequence) or not all(isinstance(weight, int) for weight in weights):
        return False
    return list(weights) == sorted({*weights}) and bool(weights) and weights[0] > 0 and weights[-1] == ALL


def _too_small(place: str, options: Mapping[str, Any], least: Mapping[str, int]) -> Iterator[str]:
    for name, limit in least.items():
        if float(options.get(name, limit)) < limit:
            yield f"{place}: {name} is {options[name]}; give {limit} or more."


def _check(place: str, check: Mapping[str, Any]) -> Iterator[str]:
    of_requests = sorted({"path", "status", "contains", "headers"} & check.keys())
    if "command" in check and of_requests:
        yield f"{place}, has a command and {', '.join(of_requests)}, which only a request has; make two entries of it."
    elif "command" in check and not check["command"]:
        yield f"{place}, has an empty command; say what to run, or leave it out."
    if not str(check.get("path") or "/").startswith("/"):
        yield f"{place}, has the path {check['path']}; begin it with a slash."
    yield from _too_small(place, check, CHECK_NUMBERS)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"app_problems": app_problems}
