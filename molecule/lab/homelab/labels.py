# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels by which the lab finds what is its own on an engine, and names made from a lab's name."""

from __future__ import annotations

LAB = "homecloud.lab"
HOME = "homecloud.lab.home"
NODE = "homecloud.lab.node"
GROUP = "homecloud.lab.group"
RELEASE = "homecloud.lab.release"
FLAVOUR = "homecloud.lab.flavour"
LAB_IMAGE = "homecloud.lab.image"
RECIPE = "homecloud.lab.recipe"
REGISTRY_VOLUME = "homecloud-lab-registry"


def object_name(lab: str, node: str = "") -> str:
    """The network of a lab, or the container of one of its nodes."""
    return f"homecloud-{lab}-{node}" if node else f"homecloud-{lab}"
