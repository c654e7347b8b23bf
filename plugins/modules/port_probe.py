# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: port_probe
short_description: Find out whether machines reach each other's ports
description:
  - Leaves a listener behind for a moment on one machine, and tries its ports from the others.
  - Ports that are in use are left alone. TCP is tried all the same; UDP of another program cannot be told from outside.
  - Nothing lasting is changed, so check mode does all the same.
version_added: 0.1.0
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.attributes
attributes:
  action_group:
    support: none
    membership: []
    details: This module does not talk to the engine.
  check_mode:
    support: full
    details: Probes in check mode too.
  diff_mode:
    support: none
    details: Nothing lasting is changed.
  idempotent:
    support: full
    details: Nothing lasting is changed.
options:
  state:
    description:
      - V(listened) leaves a listener behind, which ends by itself after O(lifetime) seconds, or when O(callers) machines have tried
        all its ports. One that is there already is replaced.
      - V(probed) tries the ports of O(peers).
      - V(absent) ends the listener of this machine.
    type: str
    choices: [listened, probed, absent]
    required: true
  ports:
    description: Ports to listen on, as in V(7946/udp).
    type: list
    elements: str
    default: [2377/tcp, 7946/tcp, 7946/udp, 4789/udp]
  lifetime:
    description: Seconds after which the listener ends by itself.
    type: int
    default: 120
  callers:
    description:
      - How many machines will try its ports. The listener ends when so many have asked it for its clock, which they do last.
      - Without it the listener waits for O(lifetime) seconds, or until it is told to end.
    type: int
  peers:
    description: Machines whose ports are tried.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: How to call it in the answer.
        type: str
        required: true
      address:
        description: Its IPv4 address.
        type: str
        required: true
      ports:
        description: The ports to try.
        type: list
        elements: str
        required: true
      in_use:
        description: Ports its listener could not have, because another program has them.
        type: list
        elements: str
        default: []
      clock_port:
        description: A further TCP port of its listener, which tells its clock even when all others are in use.
        type: int
requirements:
  - Python >= 3.9
"""

EXAMPLES = r"""
- name: Listen for a moment
  homecloud.swarm.port_probe:
    state: listened
    ports: [7946/tcp, 7946/udp]
  register: listener

- name: Try the ports of another machine
  homecloud.swarm.port_probe:
    state: probed
    peers:
      - name: worker1
        address: 192.0.2.11
        ports: [7946/tcp, 7946/udp]

- name: End the listener
  homecloud.swarm.port_probe:
    state: absent
"""

RETURN = r"""
listening:
  description: Ports the listener has.
  returned: state is listened
  type: list
  elements: str
in_use:
  description: Ports that another program has.
  returned: state is listened
  type: list
  elements: str
clock_port:
  description: One more TCP port the listener has.
  returned: state is listened
  type: int
answers:
  description: One for each port of each peer.
  returned: state is probed
  type: list
  elements: dict
  contains:
    peer:
      description: Name of the machine.
      type: str
    port:
      description: The port, or V(clock) for the one that only tells the clock.
      type: str
    reachable:
      description: Whether it was reached; none for UDP of another program.
      type: bool
    in_use:
      description: Whether another program has it.
      type: bool
    clock:
      description: The peer's clock less this machine's, in seconds; none where no listener answered.
      type: float
"""

from typing import Any

from ..module_utils._module import LocalModule
from ..module_utils._ports import port_probe

OPTIONS: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["listened", "probed", "absent"], "required": True},
    "ports": {"type": "list", "elements": "str", "default": ["2377/tcp", "7946/tcp", "7946/udp", "4789/udp"]},
    "lifetime": {"type": "int", "default": 120},
    "callers": {"type": "int"},
    "peers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "address": {"type": "str", "required": True},
            "ports": {"type": "list", "elements": "str", "required": True},
            "in_use": {"type": "list", "elements": "str", "default": []},
            "clock_port": {"type": "int"},
        },
    },
}


def main() -> None:
    LocalModule(options=OPTIONS).run(port_probe)


if __name__ == "__main__":
    main()
