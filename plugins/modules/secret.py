#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and wiring of the module secret."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret
short_description: Make or remove a secret of the swarm
version_added: 0.1.0
description:
  - Manages one secret by its exact name. Must run on a manager.
  - A secret cannot be read back. Each one made here carries a verifier in a label (salted scrypt), by which a later run tells whether
    the value is still the same. A secret made elsewhere is checked once with the help of the engine, and then carries one too.
  - The engine changes no secret. Another value makes a new version (C(NAME.v2) and so on) beside one that is in use. Each stack that names
    the secret as C(external) takes the new version at its next run, with plan, verdict and revision; the last to leave removes the old one.
    A secret that neither a service nor a revision needs is made anew under its name.
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.connection
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.writes
attributes:
  check_mode:
    support: partial
    details:
      - A secret made elsewhere can only be compared by a write, so check mode reports it as unchanged, with a warning.
options:
  name:
    description: Name of the secret, up to 64 letters, digits, C(-), C(_) and C(.).
    type: str
    required: true
  state:
    description:
      - V(present) makes the secret, or a new version of it when its content differs. Old versions that nothing needs go.
      - V(absent) removes it, all versions. A secret in use is an error that names its users.
    type: str
    default: present
    choices: [present, absent]
  data:
    description:
      - The content, at most 511999 bytes. This or O(data_src) is needed with O(state=present).
    type: str
  data_is_b64:
    description: Whether O(data) is base64, as binary content must be; it may be broken into lines.
    type: bool
    default: false
  data_src:
    description: File on the managed node to take the content from.
    type: path
  labels:
    description: Labels that the secret has to have; others it has stay. Numbers and truths become text.
    type: dict
  template_driver:
    description:
      - Driver that fills in the content for each task; the engine knows V(golang). Another one than the secret has means to make it anew.
    type: str
    choices: [golang]
  force:
    description: Whether a new version is made even if the content is the same.
    type: bool
    default: false
  revoke:
    description:
      - Whether old versions are removed although remembered revisions of stacks need them, as after a leak. The revisions say so then.
      - An old version that a service still uses is an error that names the service.
    type: bool
    default: false
notes:
  - The options C(rolling_versions) and C(versions_to_keep) of other modules are not there.
seealso:
  - module: homecloud.swarm.secret_info
"""

EXAMPLES = r"""
- name: Make a secret
  homecloud.swarm.secret:
    name: db_password
    data: "{{ vault_db_password }}"

- name: Make a secret of a file on the node
  homecloud.swarm.secret:
    name: site_key
    data_src: /root/site.key
    labels:
      owner: me

- name: Remove a secret
  homecloud.swarm.secret:
    name: db_password
    state: absent
"""

RETURN = r"""
secret_id:
  description: Id of the secret; null when it is absent, and in check mode when it would be made.
  returned: always
  type: str
  sample: hzehrmyjigmcp2gb6nlhmjqcv
secret_name:
  description: Name of the newest version, which is the one that counts.
  returned: always
  type: str
  sample: db_password.v2
version:
  description: Number of that version; null when it is absent.
  returned: always
  type: int
  sample: 2
users:
  description: Services that are still on an older version.
  returned: always
  type: list
  elements: str
removed:
  description: Versions that were, or in check mode would be, removed.
  returned: always
  type: list
  elements: str
"""

from typing import Any

from ..module_utils._content import SECRET, ContentOptions, converge_content, would_create
from ..module_utils._swarm_module import SwarmModule

OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "data": {"type": "str", "no_log": True},
    "data_is_b64": {"type": "bool", "default": False},
    "data_src": {"type": "path"},
    "labels": {"type": "dict"},
    "template_driver": {"type": "str", "choices": ["golang"]},
    "force": {"type": "bool", "default": False},
    "revoke": {"type": "bool", "default": False},
}


def main() -> None:
    """Run the module."""
    module = SwarmModule(
        options=OPTIONS,
        mutually_exclusive=[("data", "data_src")],
        required_if=[("state", "present", ("data", "data_src"), True)],
    )
    module.run(
        lambda engine, options, check: converge_content(engine, SECRET, ContentOptions.of(options), check),
        bare=lambda options: would_create(SECRET, ContentOptions.of(options)),
    )


if __name__ == "__main__":
    main()
