# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: engine_restart
short_description: Restart Docker Engine without risking the swarm
description:
  - Restarts the service of the engine and waits until the engine answers and the node is a working member of its swarm again.
  - Refuses where the swarm would lose its quorum because other managers cannot be reached at the moment.
  - Meant to be used with C(throttle=1), so that one node at a time is away.
version_added: 0.1.0
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.attributes
  - homecloud.swarm.connection
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: A restart has no state to show.
  idempotent:
    support: partial
    details: Restarts whenever it is called without O(older_than).
options:
  service:
    description: Name of the service, as C(systemctl) or C(service) takes it.
    type: str
    default: docker
  wait_timeout:
    description: Seconds until the node must be a working member again.
    type: int
    default: 120
  older_than:
    description:
      - Restart only an engine that was started before one of these files was put in its place. A restart that was missed, because a
        run was broken off, is so made up for.
      - Without this option the engine is always restarted.
    type: list
    elements: path
  unlock_key:
    description: Opens this manager after the restart, in a swarm with autolock.
    type: str
"""

EXAMPLES = r"""
- name: Restart one engine at a time
  homecloud.swarm.engine_restart:
  throttle: 1

- name: Restart an engine that has not read its configuration
  homecloud.swarm.engine_restart:
    older_than: [/etc/docker/daemon.json]
  throttle: 1
"""

RETURN = r"""
"""

from typing import Any

from ..module_utils._engine import connect
from ..module_utils._model import Outcome
from ..module_utils._restart import RestartOptions, restart_engine
from ..module_utils._swarm_module import SwarmModule, connection_of

OPTIONS: dict[str, dict[str, Any]] = {
    "service": {"type": "str", "default": "docker"},
    "wait_timeout": {"type": "int", "default": 120},
    "older_than": {"type": "list", "elements": "path"},
    "unlock_key": {"type": "str", "no_log": True},
}


def main() -> None:
    module = SwarmModule(options=OPTIONS)
    module.run(
        lambda engine, options, check: restart_engine(
            engine, RestartOptions.of(options), check, reconnect=lambda: connect(connection_of(options))
        ),
        bare=lambda _options: Outcome(changed=True),
    )


if __name__ == "__main__":
    main()
