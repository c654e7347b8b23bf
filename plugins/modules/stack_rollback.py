#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring back an earlier revision of a stack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_rollback
short_description: Bring back an earlier revision of a stack
description:
  - Makes a stack what it was at an earlier deploy, whole. Services get the settings and the image digests of then, with the secrets
    and configs of then. What was added since is removed, what was removed since comes back. Volumes and the data in them stay as they are.
  - M(homecloud.swarm.stack) and this module write down each deploy that changes something as a revision, in the swarm itself;
    M(homecloud.swarm.stack_info) lists them. A rollback is a revision too, so it can be taken back.
  - Starts from what really runs, whoever changed it. When the revision runs already, nothing is written.
  - Waits and judges as M(homecloud.swarm.stack) does. When the revision does not come up, the stack goes back to what ran before.
  - When something that the revision needs is gone (a secret that was removed, a network of another stack), the task says so
    before anything is changed.
  - Has to run on a manager of the swarm.
version_added: 0.1.0
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.connection
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.writes
  - homecloud.swarm.release
attributes:
  action:
    description: The module has an action plugin, which runs on the controller.
    support: full
options:
  name:
    description: Name of the stack.
    type: str
    required: true
    aliases: [stack]
  revision:
    description:
      - Number of the revision.
      - Without it the newest one that came up. That mends a stack which was changed by hand or left broken; a release that came up
        and is wrong all the same is left by giving the number of the one before.
    type: int
  secrets:
    description:
      - Which versions of secrets the services get, those of the V(revision) or the V(current) ones.
      - V(current) is right when a password has been changed for good, for example because it had leaked.
    type: str
    choices: [revision, current]
    default: revision
seealso:
  - module: homecloud.swarm.stack
  - module: homecloud.swarm.stack_info
"""

EXAMPLES = r"""
- name: See which revisions there are
  homecloud.swarm.stack_info:
    name: shop
  register: shop

- name: Bring one back
  homecloud.swarm.stack_rollback:
    name: shop
    revision: 7

- name: Make the stack what the last good deploy made it
  homecloud.swarm.stack_rollback:
    name: shop
"""

RETURN = r"""
plan:
  description: What was, or in check mode would be, done, as M(homecloud.swarm.stack) returns it.
  returned: success, and when services did not come up
  type: list
  elements: dict
restored:
  description: Number of the revision that was brought back.
  returned: success
  type: int
  sample: 7
revision:
  description: Number that the rollback itself has as a revision. Null where nothing was changed, and in check mode.
  returned: success, and when services did not come up
  type: int
  sample: 9
release:
  description: Always null, as a stack in a blue-green release is refused.
  returned: success
  type: dict
services:
  description: All services of the stack, as M(homecloud.swarm.stack) returns them.
  returned: success, and when services did not come up
  type: list
  elements: dict
failures:
  description: The services that did not come up, as M(homecloud.swarm.stack) returns them.
  returned: when services did not come up
  type: list
  elements: dict
rollback:
  description: What came of taking the stack back to what ran before, V(done), V(failed) or V(none).
  returned: when services did not come up
  type: str
  sample: done
done:
  description: The steps that were carried out before an error.
  returned: when the engine refused a step
  type: list
  elements: str
"""

from ..module_utils._request import RESTART, ROLLBACK_OPTIONS
from ..module_utils._rollback import roll_back
from ..module_utils._swarm_module import SwarmModule


def main() -> None:
    module = SwarmModule(options=ROLLBACK_OPTIONS)
    module.run(roll_back, patience=RESTART if module.options["waiting"] else 0.0)


if __name__ == "__main__":
    main()
