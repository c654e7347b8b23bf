#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and wiring of the module config_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: config_info
short_description: List the configs of the swarm
version_added: 0.1.0
description:
  - Returns all configs or the named ones, and who uses them. Must run on a manager.
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.connection
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.reads
options:
  name:
    description:
      - Names of the configs to return, each with all its versions; the exact name of a version returns that one alone.
      - A name that is not there is left out. All configs when not set.
    type: list
    elements: str
  data:
    description: Return the content of each config too.
    type: bool
    default: false
seealso:
  - module: homecloud.swarm.config
"""

EXAMPLES = r"""
- name: Look at all configs
  homecloud.swarm.config_info:
  register: swarm

- name: Show those that nobody uses
  ansible.builtin.debug:
    msg: "{{ swarm.configs | rejectattr('users') | map(attribute='name') }}"
"""

RETURN = r"""
configs:
  description: The configs, sorted by name.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Id of the config.
      type: str
    name:
      description: Name of the config.
      type: str
    labels:
      description: Its labels.
      type: dict
    template_driver:
      description: Driver that fills in its content; null for none.
      type: str
    created:
      description: When it was made.
      type: str
    updated:
      description: When its labels were changed last.
      type: str
    users:
      description: Names of the services that use it.
      type: list
      elements: str
    key:
      description: The name that it is a version of.
      type: str
      sample: db_password
    version:
      description: Which version it is.
      type: int
      sample: 2
    is_newest:
      description: Whether it is the version that counts.
      type: bool
    revisions:
      description: Remembered revisions of stacks that need it, each as stack and number.
      type: list
      elements: str
      sample: [shop 7]
    data:
      description: The content; base64 where it is no text. Only with O(data=true).
      type: str
    data_is_b64:
      description: Whether RV(configs[].data) is base64. Only with O(data=true).
      type: bool
"""

from typing import Any

from ..module_utils._content import CONFIG, list_contents, no_contents
from ..module_utils._swarm_module import SwarmModule

OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "list", "elements": "str"},
    "data": {"type": "bool", "default": False},
}


def main() -> None:
    """Run the module."""
    module = SwarmModule(options=OPTIONS)
    module.run(lambda engine, options, _check: list_contents(engine, CONFIG, options), bare=lambda _options: no_contents(CONFIG))


if __name__ == "__main__":
    main()
