#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at stacks."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_info
short_description: Show stacks, their services and tasks
description:
  - Shows what the swarm runs of one stack or of all, with a verdict on each service.
  - Has to run on a manager of the swarm.
version_added: 0.1.0
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.connection
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.reads
options:
  name:
    description: Name of the one stack to show. All stacks when not set.
    type: str
    aliases: [stack]
seealso:
  - module: homecloud.swarm.stack
"""

EXAMPLES = r"""
- name: Look at all stacks
  homecloud.swarm.stack_info:
  register: found

- name: Say which services are not well
  ansible.builtin.debug:
    msg: "{{ found.stacks | map(attribute='services') | flatten | rejectattr('verdict', 'eq', 'converged') }}"
"""

RETURN = r"""
stacks:
  description: The stacks, by name. Empty when there are none, or none of the name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the stack.
      type: str
      sample: shop
    services:
      description: Its services.
      type: list
      elements: dict
      contains:
        service:
          description: Full name of the service.
          type: str
          sample: shop_web
        verdict:
          description: How it is, C(converged) if all is well.
          type: str
          sample: converged
        running:
          description: Tasks that are as they should be.
          type: int
          sample: 3
        wanted:
          description: Tasks that should be.
          type: int
          sample: 3
        image:
          description: Image of the service, with its digest when it was pinned.
          type: str
        reason:
          description: What the engine says is wrong.
          type: str
        node:
          description: Hostname of the node where it is wrong.
          type: str
        task:
          description: Id of the task that shows it.
          type: str
        tasks:
          description: Tasks that are wanted now, each with C(id), C(slot), C(node), C(state) and C(error).
          type: list
          elements: dict
    networks:
      description: Full names of its networks.
      type: list
      elements: str
    secrets:
      description: Full names of its secrets.
      type: list
      elements: str
    configs:
      description: Full names of its configs.
      type: list
      elements: str
"""

from ..module_utils._module import SwarmModule
from ..module_utils._stack_info import show_nothing, show_stacks


def main() -> None:
    module = SwarmModule(options={"name": {"type": "str", "aliases": ["stack"]}})
    module.run(show_stacks, bare=show_nothing)


if __name__ == "__main__":
    main()
