#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lead a blue-green release on."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_switch
short_description: Lead a blue-green release of a stack on
description:
  - M(homecloud.swarm.stack) with O(homecloud.swarm.stack#module:blue_green) starts the new version of a service beside the one that
    serves. This module writes down how many requests the new one shall get, and at the end removes the one that gets none.
  - What is written down stands in the swarm, with the stack's revision. The ingress acts on it when the role
    P(homecloud.swarm.swarm_ingress#role) takes it up, which the role P(homecloud.swarm.swarm_release#role) sees to.
  - Has to run on a manager of the swarm.
version_added: 0.1.0
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.connection
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.writes
options:
  name:
    description: Name of the stack.
    type: str
    required: true
    aliases: [stack]
  state:
    description:
      - V(switched) gives the new colour O(weight) of 100 requests. Refused where they would go to a colour that is gone, away from one
        that is there.
      - V(finished) removes the old colour, and with it the secrets and configs that nothing else needs. It has to have no requests any
        more. Changes nothing when no release is under way.
      - V(aborted) takes back all that the release's deploy changed, and waits until the stack is well. The new colour has to have no
        requests. Changes nothing when no release is under way. One whose deploy was interrupted is taken back too, when the deploy has
        given no sign of life for a minute.
    type: str
    choices: [switched, finished, aborted]
    default: switched
  weight:
    description:
      - How many of 100 requests the new colour gets, 0 to 100. Of what the ingress can do this is met to within half a percent.
      - Required with O(state=switched).
    type: int
  history_max:
    description: How many revisions the swarm remembers, as in M(homecloud.swarm.stack). What they need stays.
    type: int
    default: 10
  wait_timeout:
    description: Seconds that the services may take until all are well again, with O(state=aborted).
    type: int
    default: 300
seealso:
  - module: homecloud.swarm.stack
  - module: homecloud.swarm.stack_info
"""

EXAMPLES = r"""
- name: Start the new version beside the one that serves
  homecloud.swarm.stack:
    name: shop
    compose: [stack.yml]
    env: {TAG: "1.5"}
    blue_green: [web]

- name: Give it every tenth request
  homecloud.swarm.stack_switch:
    name: shop
    weight: 10

- name: Give it all of them
  homecloud.swarm.stack_switch:
    name: shop
    weight: 100

- name: Remove the one that served before
  homecloud.swarm.stack_switch:
    name: shop
    state: finished
"""

RETURN = r"""
release:
  description: Where the release stands; null when none is under way, or it has ended.
  returned: success
  type: dict
  contains:
    phase:
      description: >-
        One of C(preview), C(canary), C(promoted); C(starting) while the deploy that begins the release is under way, or after it was
        interrupted.
      type: str
      sample: canary
    weight:
      description: How many of 100 requests the new colour gets.
      type: int
      sample: 10
    old:
      description: For each service in the files the one that served before.
      type: dict
      sample: {web: web-blue}
    new:
      description: For each service in the files the one that shall serve.
      type: dict
      sample: {web: web-green}
plan:
  description: What was, or in check mode would be, done, as M(homecloud.swarm.stack) returns it. Empty with O(state=switched).
  returned: success, and when an abort did not end well
  type: list
  elements: dict
revision:
  description: Number of the revision that the release was. Null in check mode of an abort, and when it did not end well.
  returned: when a release was finished or aborted
  type: int
  sample: 7
services:
  description: All services of the stack after an abort, as M(homecloud.swarm.stack) returns them. Empty in check mode, and after an end.
  returned: when a release was finished or aborted
  type: list
  elements: dict
failures:
  description: The services that did not come up, as M(homecloud.swarm.stack) returns them.
  returned: when services did not come up after an abort
  type: list
  elements: dict
rollback:
  description: Always V(none), as an abort that does not end well is not taken back itself.
  returned: when services did not come up after an abort
  type: str
  sample: none
done:
  description: The steps that were carried out before an error.
  returned: when an abort did not end well
  type: list
  elements: str
"""

from ..module_utils._request import SWITCH_OPTIONS
from ..module_utils._swarm_module import SwarmModule
from ..module_utils._switch import no_release, switch_stack


def main() -> None:
    SwarmModule(options=SWITCH_OPTIONS, required_if=[("state", "switched", ("weight",))]).run(switch_stack, bare=no_release)


if __name__ == "__main__":
    main()
