#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and wiring of the module node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node
short_description: Set labels, availability and role of a node of the swarm, or remove it
version_added: 0.1.0
description:
  - Changes one node as its managers see it. Must run on a manager; the node itself may be any of the swarm.
  - Promoting, demoting and removing that would leave too few reachable managers is refused, with the arithmetic in the message.
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.connection
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.writes
options:
  hostname:
    description:
      - Hostname or id of the node. Of several nodes with one hostname the only one that is not down is meant, and the only one that is
        down with O(state=absent); else the id is needed.
    type: str
    required: true
  state:
    description:
      - V(present) brings the node to what the other options say. A node that the swarm does not have is an error; in check mode it
        is a warning, as it may be about to join.
      - V(absent) takes the node off the swarm's list. It must be down, as it is some seconds after it left
        (M(homecloud.swarm.cluster) with O(homecloud.swarm.cluster#module:state=absent)). A manager is demoted first.
    type: str
    default: present
    choices: [present, absent]
  labels:
    description: Labels of the node. Numbers and truths become text; an empty value is a value.
    type: dict
  labels_state:
    description:
      - V(merge) adds and changes the labels in O(labels) and keeps all others.
      - V(replace) makes O(labels) the only labels of the node; without O(labels) it removes all.
    type: str
    default: merge
    choices: [merge, replace]
  labels_to_remove:
    description: Names of labels to remove, whatever their value is. Wins over O(labels).
    type: list
    elements: str
  availability:
    description:
      - V(active) lets services run on the node, V(pause) gives it no new tasks, V(drain) moves its tasks elsewhere.
    type: str
    choices: [active, pause, drain]
  role:
    description: V(manager) promotes the node, V(worker) demotes it.
    type: str
    choices: [manager, worker]
  force:
    description: With O(state=absent), remove a node that is not down. It never overrides the quorum.
    type: bool
    default: false
  wait:
    description:
      - Wait until an O(role) that is passed has come true, no task of a service runs on a drained node any more, or a node that left
        is seen as down.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for each of them. Not coming true in time is an error.
    type: int
    default: 120
seealso:
  - module: homecloud.swarm.node_info
  - module: homecloud.swarm.cluster
"""

EXAMPLES = r"""
- name: Say where databases may run
  homecloud.swarm.node:
    hostname: worker1
    labels:
      disk: ssd
      room: ""

- name: Remove one label
  homecloud.swarm.node:
    hostname: worker1
    labels_to_remove: [room]

- name: Move everything off a node before its maintenance
  homecloud.swarm.node:
    hostname: worker1
    availability: drain
    wait_timeout: 300

- name: Promote a node
  homecloud.swarm.node:
    hostname: worker2
    role: manager

- name: Forget a machine that is gone
  homecloud.swarm.node:
    hostname: worker3
    state: absent
"""

RETURN = r"""
node:
  description: The node; null when it is absent, and in check mode when it cannot be looked at.
  returned: always
  type: dict
  contains:
    id:
      description: Id of the node.
      type: str
      sample: eb6bzu9n7mfd7ap9fbbc1rnvd
    hostname:
      description: Name of the node's host.
      type: str
      sample: worker1
    role:
      description: V(manager) or V(worker), as it is wanted.
      type: str
    availability:
      description: V(active), V(pause) or V(drain).
      type: str
    labels:
      description: Labels of the node.
      type: dict
    state:
      description: V(ready), V(down), V(unknown) or V(disconnected).
      type: str
    message:
      description: What the managers say about that state.
      type: str
    address:
      description: Address of the node.
      type: str
      sample: 192.0.2.21
    leader:
      description: Whether the node is the leading manager.
      type: bool
    reachability:
      description: Whether the other managers reach this one; null for workers.
      type: str
      sample: reachable
    manager_address:
      description: Address and port of a manager; null for workers.
      type: str
      sample: 192.0.2.11:2377
    engine_version:
      description: Version of the node's engine.
      type: str
      sample: 26.1.5
    platform:
      description: Operating system and architecture.
      type: dict
      sample: {"OS": "linux", "Architecture": "x86_64"}
    cpus:
      description: Number of processors.
      type: float
      sample: 4.0
    memory_bytes:
      description: Size of the memory.
      type: int
"""

from typing import Any

from ..module_utils._node import NodeOptions, converge_node, would_change
from ..module_utils._swarm_module import SwarmModule

OPTIONS: dict[str, dict[str, Any]] = {
    "hostname": {"type": "str", "required": True},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "labels": {"type": "dict"},
    "labels_state": {"type": "str", "default": "merge", "choices": ["merge", "replace"]},
    "labels_to_remove": {"type": "list", "elements": "str"},
    "availability": {"type": "str", "choices": ["active", "pause", "drain"]},
    "role": {"type": "str", "choices": ["manager", "worker"]},
    "force": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 120},
}


def main() -> None:
    """Run the module."""
    module = SwarmModule(options=OPTIONS)
    module.run(
        lambda engine, options, check: converge_node(engine, NodeOptions.of(options), check),
        bare=lambda options: would_change(NodeOptions.of(options)),
    )


if __name__ == "__main__":
    main()
