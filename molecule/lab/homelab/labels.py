# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels and names by which the lab finds what is its own on an engine and on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LAB = "homecloud.lab"
HOME = "homecloud.lab.home"
NODE = "homecloud.lab.node"
GROUP = "homecloud.lab.group"
RELEASE = "homecloud.lab.release"
FLAVOUR = "homecloud.lab.flavour"
LAB_IMAGE = "homecloud.lab.image"
RECIPE = "homecloud.lab.recipe"
REGISTRY_VOLUME = "homecloud-lab-registry"


@dataclass(frozen=True)
class Lab:
    name: str
    folder: Path

    @property
    def network(self) -> str:
        return f"homecloud-{self.name}"

    @property
    def mark(self) -> str:
        """What finds everything of this lab on an engine."""
        return f"{LAB}={self.name}"

    def container(self, node: str) -> str:
        return f"homecloud-{self.name}-{node}"

    def host_key(self, node: str) -> Path:
        return self.folder / f"{node}.ssh_host_key"
