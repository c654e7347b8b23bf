#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write small files one after the other."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ordered_files
short_description: Write small files one after the other, each as a whole
description:
  - For files that a program reads at any moment, and that mean something together. They are written in the order given, within
    milliseconds, and a file that is read while it is written has its old content or its new one.
  - The role P(homecloud.swarm.swarm_ingress#role) tells Caddy by such files which colour of an app serves.
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
    description: Folder of the files. Has to be there, but in check mode.
    type: path
    required: true
  files:
    description: The files, in the order in which they are written. Only this user can read them (mode 0600).
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the file in the folder.
        type: str
        required: true
      content:
        description: All that it contains. Nothing secret, as diff mode shows it.
        type: str
        required: true
requirements:
  - Python >= 3.9
"""

EXAMPLES = r"""
- name: Say who serves, then with what share
  homecloud.swarm.ordered_files:
    path: /etc/homecloud/ingress/colours
    files:
      - {name: shop.home.arpa.new, content: shop_web-green}
      - {name: shop.home.arpa.share, content: "1a"}
"""

RETURN = r"""
written:
  description: Names of the files that were, or in check mode would be, written.
  returned: success
  type: list
  elements: str
  sample: [shop.home.arpa.share]
"""

from typing import Any

from ..module_utils._files import write_files
from ..module_utils._module import LocalModule

OPTIONS: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    "files": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"name": {"type": "str", "required": True}, "content": {"type": "str", "required": True}},
    },
}


def main() -> None:
    LocalModule(options=OPTIONS).change(write_files)


if __name__ == "__main__":
    main()
