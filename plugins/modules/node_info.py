#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and wiring of the module node_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_info
short_description: List the nodes of the swarm
version_added: 0.1.0
description:
  - Returns all nodes or the named ones, as the managers see them. Must run on a manager.
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.connection
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.reads
options:
  name:
    description: Hostnames or ids of the nodes to return. A node that the swarm does not have is an error. All nodes when not set.
    type: list
    elements: str
  self:
    description: Return only the node of this engine. O(name) is not looked at then.
    type: bool
    default: false
seealso:
  - module: homecloud.swarm.node
  - module: homecloud.swarm.cluster_info
"""

EXAMPLES = r"""
- name: Look at all nodes
  homecloud.swarm.node_info:
  register: swarm

- name: Show which ones are not ready
  ansible.builtin.debug:
    msg: "{{ swarm.nodes | rejectattr('state', 'eq', 'ready') | map(attribute='hostname') }}"
"""

RETURN = r"""
nodes:
  description: The nodes, sorted by hostname.
  returned: always
  type: list
  elements: dict
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
    tasks:
      description: Number of tasks of services that run on the node.
      type: int
"""

from typing import Any

from ..module_utils._node import list_nodes, no_nodes
from ..module_utils._swarm_module import SwarmModule

OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "list", "elements": "str"},
    "self": {"type": "bool", "default": False},
}


def main() -> None:
    """Run the module."""
    module = SwarmModule(options=OPTIONS)
    module.run(lambda engine, options, _check: list_nodes(engine, options), bare=no_nodes)


if __name__ == "__main__":
    main()
