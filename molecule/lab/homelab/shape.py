# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of a lab: how many nodes, of which Debian release, with or without an engine, on which kernel. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import LabError

RELEASES = ("bookworm", "trixie", "forky")
# host: the kernel of the engine's machine. ipvs: the same where it has IPVS, else each node is a guest with a kernel that has it.
KERNELS = ("host", "ipvs")
# What guests boot is made for this one.
GUEST_RELEASE = "trixie"
# A lab's network is a /24; see Shape.nodes for who gets which address in it.
MOST_MANAGERS, MOST_WORKERS = 50, 100
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?")
# Labs keep their files beside these.
RESERVED = ("engine", "host")
TRUTH = {"": False, "0": False, "no": False, "false": False, "1": True, "yes": True, "true": True}


@dataclass(frozen=True)
class Node:
    name: str
    group: str
    release: str
    bare: bool
    host_number: int
    guest: bool = False

    @property
    def flavour(self) -> str:
        if self.guest:
            return "guest"
        return "bare" if self.bare else "engine"


@dataclass(frozen=True)
class Shape:
    lab: str = "default"
    managers: int = 1
    workers: int = 2
    releases: tuple[str, ...] = ("trixie",)
    bare: bool = False
    kernel: str = "host"

    def nodes(self) -> tuple[Node, ...]:
        """Managers first; the releases go round over all nodes."""
        places = [
            *(("manager", "swarm_managers", number, 10 + number) for number in range(1, self.managers + 1)),
            *(("worker", "swarm_workers", number, 100 + number) for number in range(1, self.workers + 1)),
        ]
        return tuple(
            Node(
                name=f"{word}{number}",
                group=group,
                release=self.releases[index % len(self.releases)],
                bare=self.bare,
                host_number=host_number,
                guest=self.kernel == "ipvs",
            )
            for index, (word, group, number, host_number) in enumerate(places)
        )


def parse_shape(settings: Mapping[str, str]) -> Shape:
    """A shape from LAB_NAME, LAB_MANAGERS, LAB_WORKERS, LAB_RELEASE, LAB_BARE and LAB_KERNEL; what is absent or empty takes its default."""
    shape = Shape()
    wanted = Shape(
        lab=lab_name(settings.get("LAB_NAME") or shape.lab),
        managers=_count("LAB_MANAGERS", settings.get("LAB_MANAGERS") or str(shape.managers), 1, MOST_MANAGERS),
        workers=_count("LAB_WORKERS", settings.get("LAB_WORKERS") or str(shape.workers), 0, MOST_WORKERS),
        releases=_releases(settings.get("LAB_RELEASE") or " ".join(shape.releases)),
        bare=_flag("LAB_BARE", settings.get("LAB_BARE", "")),
        kernel=_kernel(settings.get("LAB_KERNEL") or shape.kernel),
    )
    if wanted.kernel == "ipvs" and (wanted.bare or wanted.releases != (GUEST_RELEASE,)):
        raise LabError(f"LAB_KERNEL=ipvs has nodes of {GUEST_RELEASE} with the engine installed: leave LAB_RELEASE and LAB_BARE out.")
    return wanted


def lab_name(text: str) -> str:
    if not NAME.fullmatch(text) or text in RESERVED:
        raise LabError(f"LAB_NAME is '{text}': use up to 20 small letters, digits and inner hyphens; not {' or '.join(RESERVED)}.")
    return text


def _count(setting: str, text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise LabError(f"{setting} is '{text}': give a whole number from {least} to {most}.")
    return int(text)


def _releases(text: str) -> tuple[str, ...]:
    releases = tuple(re.split(r"[,\s]+", text.strip(", \t")))
    for release in releases:
        if release not in RELEASES:
            raise LabError(f"LAB_RELEASE names '{release}': choose from {', '.join(RELEASES)} (a list mixes them).")
    return releases


def _kernel(text: str) -> str:
    if text not in KERNELS:
        raise LabError(f"LAB_KERNEL is '{text}': choose from {', '.join(KERNELS)}.")
    return text


def _flag(setting: str, text: str) -> bool:
    if text.lower() not in TRUTH:
        raise LabError(f"{setting} is '{text}': say 1 or 0.")
    return TRUTH[text.lower()]
