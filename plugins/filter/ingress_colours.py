# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of two colours answers for a host, in one line that the ingress looks at for every request.

``old`` and ``new`` are the services on the two sides of a host, ``share`` is what share the new one gets, ``other`` is who answers where
the others are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

#: Values of two hexadecimal digits.
PARTS = 256


def ingress_colours(sites: Iterable[Mapping[str, Any]], stacks: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The line of each host, by the folder where the ingress finds it. ``stacks`` are as stack_info returns them.

    A service that no revision tells the colour of is what runs, which has no colour before its first release; one that is not there yet
    will begin blue.
    """
    known = {stack["name"]: stack for stack in stacks}
    return {site["folder"]: _line(site, known.get(site["app"]) or {}) for site in sites if site["blue_green"]}


def _line(site: Mapping[str, Any], stack: Mapping[str, Any]) -> str:
    service = site["service"]
    running = {found["service"].removeprefix(f"{site['app']}_") for found in stack.get("services") or ()}
    # one without a colour serves until its first release has ended
    candidates = (service, f"{service}-blue", f"{service}-green")
    serving = (stack.get("colours") or {}).get(service) or next((name for name in candidates if name in running), f"{service}-blue")
    release = stack.get("release") or {}
    names = {"old": (release.get("old") or {}).get(service, serving), "new": (release.get("new") or {}).get(service, serving)}
    weight = int(release.get("weight", 0))
    sides = {side: f"{site['app']}_{name}" for side, name in {**names, "other": _other(service, names, weight)}.items()}
    return f"old={sides['old']} new={sides['new']} share={share(weight)} other={sides['other']}"


def _other(service: str, names: Mapping[str, str], weight: int) -> str:
    """Who answers where the one that serves is gone, as it is to a node that was away during a release: the one that came after it.

    While a new colour is only previewed nobody may see it, whatever becomes of the old one.
    """
    if names["old"] == names["new"]:
        return f"{service}-green" if names["old"] == f"{service}-blue" else f"{service}-blue"
    return names["new"] if weight else names["old"]


def share(weight: int) -> str:
    """What a random text of hexadecimal digits is below of, as often in 100 times: nothing is below "0", everything below "g"."""
    return {0: "0", 100: "g"}.get(weight) or f"{max(1, round(weight * PARTS / 100)):02x}"


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"ingress_colours": ingress_colours}
