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
attributes:
  diff_mode:
    details: This module changes nothing. What O(compare) finds is in RV(comparison) and, drawn, in RV(diff).
options:
  name:
    description: Name of the one stack to show. All stacks when not set.
    type: str
    aliases: [stack]
  compare:
    description:
      - Numbers of revisions to compare. Of two, the result is what leads from the first to the second. Of one, it is what leads to it
        from what runs now, which is what M(homecloud.swarm.stack_rollback) would do.
      - RV(comparison) has it as data, RV(diff) drawn as the plan of a deploy is. Needs O(name).
    type: list
    elements: int
seealso:
  - module: homecloud.swarm.stack
  - module: homecloud.swarm.stack_rollback
"""

EXAMPLES = r"""
- name: See what leads back to revision 7
  homecloud.swarm.stack_info:
    name: shop
    compare: [7]
  register: back

- name: Show it
  ansible.builtin.debug:
    msg: "{{ (back.diff.prepared | default('no difference')).splitlines() }}"

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
    release:
      description:
        - The blue-green release that is under way, as M(homecloud.swarm.stack_switch) returns it, and its C(revision). Null where there
          is none.
      type: dict
    colours:
      description: For each service that is released blue-green the one that serves, while a release is under way the old one.
      type: dict
      sample: {web: web-blue}
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
        state:
          description: That task's state.
          type: str
          sample: failed
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
    revisions:
      description: Its deploys that the swarm remembers, the newest first.
      type: list
      elements: dict
      contains:
        number:
          description: Number of the revision.
          type: int
          sample: 7
        verdict:
          description:
            - What became of the deploy. C(converged), C(unknown) when nobody waited, C(failed), C(rolled_back), C(rollback_failed),
              C(interrupted), C(pending) while it is under way, or C(switching) while both colours of a release run.
          type: str
          sample: converged
        readable:
          description: Whether its record can be read. The fields below are there only if so.
          type: bool
        revoked:
          description: Secrets and configs that it needs and that were revoked, each as its type and name.
          type: list
          elements: str
        time:
          description: When it was begun, in UTC.
          type: str
          sample: "2026-01-31T12:00:00+00:00"
        by:
          description: Who began it, user and host.
          type: str
          sample: ops@nuc1
        note:
          description: What it was beside a deploy of files.
          type: str
          sample: rollback to 5
        changes:
          description: Its plan, in the lines that C(--diff) shows.
          type: list
          elements: str
          sample: ["~ service shop_web: update, restarts 2 tasks", "    services.web.environment.TAG: 1.4 -> 1.5"]
        outside:
          description: What somebody else (the CLI, a person) had changed since the deploy before.
          type: list
          elements: str
          sample: ["services.web.deploy.replicas 3 -> 5"]
        images:
          description: Its services' images, with digests where they were pinned.
          type: dict
comparison:
  description: >-
    What leads from one revision to the other, as M(homecloud.swarm.stack) returns a plan. It foretells no restarts.
  returned: when O(compare) is set
  type: list
  elements: dict
diff:
  description: >-
    The same in C(prepared), as a deploy shows its plan with C(--diff); no such key where there is no difference. Ansible by itself
    shows the differences of tasks that change something only.
  returned: when O(compare) is set
  type: dict
  sample: {"prepared": "+ service shop_cache: create\n- network shop_old: remove\n"}
"""

from ..module_utils._stack_info import show_nothing, show_stacks
from ..module_utils._swarm_module import SwarmModule


def main() -> None:
    module = SwarmModule(
        options={"name": {"type": "str", "aliases": ["stack"]}, "compare": {"type": "list", "elements": "int"}},
        required_by={"compare": ("name",)},
    )
    module.run(show_stacks, bare=show_nothing)


if __name__ == "__main__":
    main()
