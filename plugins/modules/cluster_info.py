#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and wiring of the module cluster_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: Tell an engine's place in a swarm, and what that swarm is like
version_added: 0.1.0
description:
  - Works on every engine. In no swarm, on a worker, on a locked manager and without quorum it says so, and leaves null what cannot
    be known there.
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.connection
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.reads
options:
  nodes:
    description: Return RV(nodes) too, on a manager.
    type: bool
    default: false
  return_tokens:
    description:
      - Return RV(join_tokens). They are secrets; set C(no_log=true) on the task.
    type: bool
    default: false
  return_unlock_key:
    description:
      - Return RV(unlock_key). It is a secret; set C(no_log=true) on the task.
    type: bool
    default: false
    aliases: [unlock_key]
seealso:
  - module: homecloud.swarm.cluster
  - module: homecloud.swarm.node_info
"""

EXAMPLES = r"""
- name: Look at the swarm
  homecloud.swarm.cluster_info:
  register: swarm

- name: Stop unless the swarm can elect a leader
  ansible.builtin.assert:
    that: swarm.has_quorum

- name: Read the join tokens on a manager
  homecloud.swarm.cluster_info:
    return_tokens: true
  register: swarm
  no_log: true
"""

RETURN = r"""
available:
  description: Whether there is an engine to ask. False only in check mode on a host without one; in a real run that is an error.
  returned: always
  type: bool
hostname:
  description: Name of this engine's host.
  returned: always
  type: str
  sample: manager1
in_swarm:
  description: Whether this engine belongs to a swarm, be it active, locked, on its way in or cut off.
  returned: always
  type: bool
local_state:
  description: What the engine says of itself; one of V(inactive), V(pending), V(active), V(error), V(locked).
  returned: always
  type: str
  sample: active
locked:
  description: Whether this is a manager that needs the unlock key.
  returned: always
  type: bool
role:
  description: V(manager) or V(worker); null outside a swarm.
  returned: always
  type: str
  sample: manager
control_available:
  description: Whether this engine can change the swarm, as managers can.
  returned: always
  type: bool
cluster_id:
  description: Id of the swarm; null in no swarm, and where neither the engine nor the certificate of the node can tell.
  returned: always
  type: str
  sample: 9ih5ufu1mzkzkf1d1xgf3zt3p
node_id:
  description: Id of this node in its swarm.
  returned: always
  type: str
  sample: eb6bzu9n7mfd7ap9fbbc1rnvd
node_addr:
  description: Address under which the other nodes know this one.
  returned: always
  type: str
  sample: 192.0.2.11
managers:
  description: Addresses of the swarm's managers, ready to be used as O(homecloud.swarm.cluster#module:remote_addrs).
  returned: always
  type: list
  elements: str
  sample: ["192.0.2.11:2377", "192.0.2.12:2377"]
error:
  description: What the engine says is wrong with its membership; null when nothing is.
  returned: always
  type: str
has_quorum:
  description: Whether more than half of the managers are reachable; null except on managers.
  returned: always
  type: bool
settings:
  description: Settings of the swarm, named as the options of M(homecloud.swarm.cluster).
  returned: always; null except on a manager of a swarm with quorum
  type: dict
  sample: {"name": "default", "labels": {}, "election_tick": 10, "autolock_managers": false}
version:
  description: Number that grows with each change of the swarm's settings.
  returned: always; null except on a manager of a swarm with quorum
  type: int
default_addr_pool:
  description: Networks from which overlay networks get their subnets.
  returned: always; null except on a manager of a swarm with quorum
  type: list
  elements: str
  sample: ["10.0.0.0/8"]
subnet_size:
  description: Length of the prefix of each such subnet.
  returned: always; null except on a manager of a swarm with quorum
  type: int
  sample: 24
data_path_port:
  description: UDP port for the traffic of containers.
  returned: always; null except on a manager of a swarm with quorum
  type: int
  sample: 4789
node_counts:
  description: Numbers of nodes.
  returned: always; null except on a manager of a swarm with quorum
  type: dict
  contains:
    total:
      description: All nodes, gone ones that nobody removed included.
      type: int
    ready:
      description: Nodes that are up.
      type: int
    managers:
      description: Managers.
      type: int
    reachable_managers:
      description: Managers that answer.
      type: int
    quorum:
      description: How many managers must answer.
      type: int
nodes:
  description: The nodes as M(homecloud.swarm.node_info) returns them, without their number of tasks.
  returned: when O(nodes=true), on a manager of a swarm with quorum
  type: list
  elements: dict
join_tokens:
  description: Tokens that admit further engines. A secret.
  returned: when O(return_tokens=true), on a manager of a swarm with quorum
  type: dict
  contains:
    worker:
      description: Admits workers.
      type: str
    manager:
      description: Admits managers.
      type: str
unlock_key:
  description: Key that unlocks managers after a restart; null when they are not locked. A secret.
  returned: when O(return_unlock_key=true), on a manager of a swarm with quorum
  type: str
"""

from typing import Any

from ..module_utils._membership import describe, nothing_to_describe
from ..module_utils._swarm_module import SwarmModule

OPTIONS: dict[str, dict[str, Any]] = {
    "nodes": {"type": "bool", "default": False},
    "return_tokens": {"type": "bool", "default": False, "no_log": False},
    "return_unlock_key": {"type": "bool", "default": False, "no_log": False, "aliases": ["unlock_key"]},
}


def main() -> None:
    """Run the module."""
    module = SwarmModule(options=OPTIONS)
    module.run(lambda engine, options, _check: describe(engine, options), bare=nothing_to_describe)


if __name__ == "__main__":
    main()
