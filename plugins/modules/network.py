#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and wiring of the module network."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network
short_description: Make or remove an overlay network
version_added: 0.1.0
description:
  - Manages the networks of a swarm, which reach over all its nodes. Must run on a manager.
  - A network cannot be changed. One that differs from what is passed is an error that says in what, unless O(force=true) and nothing
    uses it. Options that are not passed are not compared.
  - Containers outside of services are not attached or detached; attach them when they are started.
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.connection
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.writes
options:
  name:
    description: Name of the network, up to 63 letters, digits, C(-) and C(_).
    type: str
    required: true
    aliases: [network_name]
  state:
    description:
      - V(present) makes the network if there is none of this name.
      - V(absent) removes it. A network in use is an error that names its users.
    type: str
    default: present
    choices: [present, absent]
  driver:
    description: Driver of the network. Only drivers that reach over the whole swarm make sense here.
    type: str
    default: overlay
  driver_options:
    description: Options of the driver, for example C(encrypted) or C(com.docker.network.driver.mtu).
    type: dict
  scope:
    description: Networks of one host are not managed by this module.
    type: str
    default: swarm
    choices: [swarm]
  attachable:
    description: Whether containers outside of services may be attached; the engine takes V(false) when not set.
    type: bool
  internal:
    description: Whether the network has no way out; the engine takes V(false) when not set.
    type: bool
  ingress:
    description: Whether this is the network behind published ports; a swarm has one at most. The engine takes V(false) when not set.
    type: bool
  enable_ipv6:
    description: Whether the network has IPv6 addresses; O(ipam_config) then needs a subnet of IPv6 as well.
    type: bool
  ipam_driver:
    description: Driver that hands out addresses; the engine takes V(default) when not set.
    type: str
  ipam_driver_options:
    description: Options of that driver.
    type: dict
  ipam_config:
    description: Address pools. Without any the swarm takes the next subnet of its own pools.
    type: list
    elements: dict
    suboptions:
      subnet:
        description: Network in CIDR notation.
        type: str
      iprange:
        description: Part of the subnet from which addresses are handed out, in CIDR notation.
        type: str
      gateway:
        description: Address of the gateway.
        type: str
      aux_addresses:
        description: Names and addresses that are not handed out.
        type: dict
  labels:
    description: Labels that the network has to have; others it has are not looked at. Numbers and truths become text.
    type: dict
  force:
    description: Make a network anew that differs, if no service uses it.
    type: bool
    default: false
seealso:
  - module: homecloud.swarm.cluster
"""

EXAMPLES = r"""
- name: Make a network
  homecloud.swarm.network:
    name: backend
    attachable: true

- name: Make a network with chosen addresses and smaller packets
  homecloud.swarm.network:
    name: media
    driver_options:
      com.docker.network.driver.mtu: 1380
    ipam_config:
      - subnet: 10.77.0.0/24
        gateway: 10.77.0.1

- name: Remove a network
  homecloud.swarm.network:
    name: media
    state: absent
"""

RETURN = r"""
network:
  description: The network, named as the options are; null when it is absent, and in check mode when it would be made.
  returned: always
  type: dict
  contains:
    id:
      description: Id of the network.
      type: str
    ipam_config:
      description: Its address pools, those that the swarm has chosen included.
      type: list
      elements: dict
  sample: {"id": "0ck5x2kdhaqofkr3xuzu9mqdn", "name": "backend", "scope": "swarm", "driver": "overlay", "attachable": true}
"""

from typing import Any

from ..module_utils._network import NetworkOptions, converge_network, would_create
from ..module_utils._swarm_module import SwarmModule

OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True, "aliases": ["network_name"]},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "driver": {"type": "str", "default": "overlay"},
    "driver_options": {"type": "dict"},
    "scope": {"type": "str", "default": "swarm", "choices": ["swarm"]},
    "attachable": {"type": "bool"},
    "internal": {"type": "bool"},
    "ingress": {"type": "bool"},
    "enable_ipv6": {"type": "bool"},
    "ipam_driver": {"type": "str"},
    "ipam_driver_options": {"type": "dict"},
    "ipam_config": {
        "type": "list",
        "elements": "dict",
        "options": {
            "subnet": {"type": "str"},
            "iprange": {"type": "str"},
            "gateway": {"type": "str"},
            "aux_addresses": {"type": "dict"},
        },
    },
    "labels": {"type": "dict"},
    "force": {"type": "bool", "default": False},
}


def main() -> None:
    """Run the module."""
    module = SwarmModule(options=OPTIONS)
    module.run(
        lambda engine, options, check: converge_network(engine, NetworkOptions.of(options), check),
        bare=lambda options: would_create(NetworkOptions.of(options)),
    )


if __name__ == "__main__":
    main()
