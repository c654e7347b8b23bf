#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say something by the name of the one file in a folder."""

from __future__ import annotations

DOCUMENTATION = r"""
module: folder_marks
short_description: Say something by the name of the one file in a folder
description:
  - For a program that looks at any moment, and to which a look into a folder is cheaper than to read a file. The one empty file in
    the folder is renamed, so whoever looks finds the old name or the new one.
  - The role P(homecloud.swarm.swarm_ingress#role) tells Caddy so which colour of an app serves.
version_added: 0.1.0
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.writes
attributes:
  action_group:
    support: none
    membership: []
    details: This module does not talk to the engine.
options:
  path:
    description: Where the folders are, beginning with a slash. Is made, for this user alone (mode 0700), if only it is missing.
    type: path
    required: true
  marks:
    description:
      - The name of the one file in each folder, of 255 bytes at most. Nothing secret, as diff mode shows it. Other files there are
        removed, other folders beside it are left alone. A folder or a link in it is refused.
      - A folder that is missing is made, for this user alone (mode 0700).
    type: dict
    required: true
  at:
    description:
      - When a change is to be seen, in seconds since 1970, so that several hosts change together however long the start of the module takes
        them. Needs at least as many forks as hosts; one whose module starts later changes as soon as it can.
      - A moment that has passed, or that is more than five seconds ahead by the host's own clock, is not waited for.
    type: float
requirements:
  - Python >= 3.9
"""

EXAMPLES = r"""
- name: Say who serves, and with what share
  homecloud.swarm.folder_marks:
    path: /etc/homecloud/ingress/colours
    marks:
      shop.home.arpa: old=shop_web-blue new=shop_web-green share=1a other=shop_web-green
    at: "{{ now().timestamp() + 2 }}"
"""

RETURN = r"""
marked:
  description: Names of the folders that were, or in check mode would be, marked anew.
  returned: success
  type: list
  elements: str
  sample: [shop.home.arpa]
"""

from typing import Any

from ..module_utils._marks import mark_folders
from ..module_utils._module import LocalModule

OPTIONS: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    "marks": {"type": "dict", "required": True},
    "at": {"type": "float"},
}


def main() -> None:
    LocalModule(options=OPTIONS).change(mark_folders)


if __name__ == "__main__":
    main()
