# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_info
short_description: Look at what a machine brings along for being a node
description:
  - Tells kernel features, memory, disk, addresses and what else decides whether this machine can be a node of a swarm.
  - Needs neither engine nor SDK. Loads, starts and changes nothing.
version_added: 0.1.0
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.reads
attributes:
  action_group:
    support: none
    membership: []
    details: This module has no options.
requirements:
  - Python >= 3.9
"""

EXAMPLES = r"""
- name: Look at this machine
  homecloud.swarm.preflight_info:
  register: machine

- name: Tell about VXLAN
  ansible.builtin.debug:
    msg: "VXLAN is {{ machine.features.vxlan }} on {{ machine.hostname }}"
"""

RETURN = r"""
hostname:
  description: The machine's own name.
  returned: success
  type: str
machine_id:
  description: Content of C(/etc/machine-id).
  returned: success
  type: str
kernel:
  description: Release of the running kernel.
  returned: success
  type: str
features:
  description:
    - V(overlay), V(vxlan), V(ipvs), V(bridge) and V(veth), each C(present), C(missing) or C(unknown).
    - A module that could be loaded is present. Unknown is what this system cannot see, as in a container.
  returned: success
  type: dict
cgroup_version:
  description: 1 or 2.
  returned: success
  type: int
memory_bytes:
  description: The machine's memory.
  returned: success
  type: int
disk_free_bytes:
  description: What is free where the engine keeps its files.
  returned: success
  type: int
disk_path:
  description: Where the engine keeps its files, or will.
  returned: success
  type: str
address:
  description: The address of the interface with the default route; none without such a route.
  returned: success
  type: str
routes:
  description: Networks this machine has a route to, without the default route and the engine's own networks.
  returned: success
  type: list
  elements: dict
  contains:
    network:
      description: The network in CIDR form.
      type: str
    interface:
      description: The interface it is reached through.
      type: str
live_restore:
  description: Whether C(daemon.json) switches on C(live-restore), which no node of a swarm can use.
  returned: success
  type: bool
daemon_problem:
  description: What is wrong with C(daemon.json); none if it can be read or does not exist.
  returned: success
  type: str
in_swarm:
  description: Whether the engine keeps the state of a swarm.
  returned: success
  type: bool
engine_running:
  description: Whether an engine listens on C(/var/run/docker.sock).
  returned: success
  type: bool
"""

from ..module_utils._module import LocalModule
from ..module_utils._preflight import describe_machine


def main() -> None:
    LocalModule().run(lambda _options: describe_machine())


if __name__ == "__main__":
    main()
