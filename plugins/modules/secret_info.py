#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and wiring of the module secret_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_info
short_description: List the secrets of the swarm
version_added: 0.1.0
description:
  - Returns all secrets or the named ones, and who uses them. Must run on a manager.
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.connection
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.reads
options:
  name:
    description:
      - Names of the secrets to return, each with all its versions; the exact name of a version returns that one alone.
      - A name that is not there is left out. All secrets when not set.
    type: list
    elements: str
seealso:
  - module: homecloud.swarm.secret
"""

EXAMPLES = r"""
- name: Look at all secrets
  homecloud.swarm.secret_info:
  register: swarm

- name: Show those that nobody uses
  ansible.builtin.debug:
    msg: "{{ swarm.secrets | rejectattr('users') | map(attribute='name') }}"
"""

RETURN = r"""
secrets:
  description: The secrets, sorted by name.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Id of the secret.
      type: str
    name:
      description: Name of the secret.
      type: str
    labels:
      description: Its labels, without the one that verifies its value.
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
"""

from typing import Any

from ..module_utils._content import SECRET, list_contents, no_contents
from ..module_utils._swarm_module import SwarmModule

OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "list", "elements": "str"},
}


def main() -> None:
    """Run the module."""
    module = SwarmModule(options=OPTIONS)
    module.run(lambda engine, options, _check: list_contents(engine, SECRET, options), bare=lambda _options: no_contents(SECRET))


if __name__ == "__main__":
    main()
