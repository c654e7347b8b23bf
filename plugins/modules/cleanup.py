#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove what neither a service nor a remembered revision needs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cleanup
short_description: Remove versions of secrets and configs, and images, that nothing needs
description:
  - Knows of the revisions of stacks that the swarm remembers, so that what M(homecloud.swarm.stack_rollback) needs stays.
  - The playbook C(homecloud.swarm.cleanup) runs it on all nodes.
version_added: 0.1.0
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.connection
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.writes
options:
  versions:
    description:
      - Whether versions of secrets and configs are removed that are not the newest of their name and that neither a service nor a
        remembered revision of any stack uses. Objects without the labels of this collection are not touched. Has to run on a manager.
    type: bool
    default: true
  images:
    description:
      - Whether images are removed from this node that no container on it uses and that neither a service nor a remembered revision names.
    type: bool
    default: false
  keep_images:
    description:
      - Images that stay. A worker cannot tell which ones the swarm needs, so there they have to be given; a manager adds those that it
        knows of.
    type: list
    elements: str
seealso:
  - module: homecloud.swarm.stack_rollback
"""

EXAMPLES = r"""
- name: Remove old versions, and find out which images are needed
  homecloud.swarm.cleanup:
  register: cleaned
  delegate_to: "{{ groups.swarm_managers | first }}"
  run_once: true

- name: Remove the images that nothing needs, on every node
  homecloud.swarm.cleanup:
    versions: false
    images: true
    keep_images: "{{ cleaned.needed_images }}"
"""

RETURN = r"""
versions:
  description: Versions that were, or in check mode would be, removed, each as its type and name.
  returned: success
  type: list
  elements: str
  sample: [secret shop_db_password.v2]
images:
  description: Images that were, or in check mode would be, removed.
  returned: success
  type: list
  elements: str
  sample: ["nginx:1.27"]
bytes:
  description: Size of these images. Layers that others share are counted too, so this is the most that is freed.
  returned: success
  type: int
  sample: 142000000
needed_images:
  description: Images that services and remembered revisions name. Empty on a worker.
  returned: success
  type: list
  elements: str
"""

from ..module_utils._cleanup import clean_up
from ..module_utils._swarm_module import SwarmModule


def main() -> None:
    module = SwarmModule(
        options={
            "versions": {"type": "bool", "default": True},
            "images": {"type": "bool", "default": False},
            "keep_images": {"type": "list", "elements": "str"},
        }
    )
    module.run(clean_up)


if __name__ == "__main__":
    main()
