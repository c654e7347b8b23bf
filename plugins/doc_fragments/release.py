# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of modules that deploy: how to wait, what to do about a failure, what to remember."""

from __future__ import annotations


class ModuleDocFragment:
    """Shared by stack and stack_rollback."""

    DOCUMENTATION = r"""
options:
  registry_auth:
    description:
      - Credentials for the registry, for the look-up and for the nodes that pull the images.
      - They go with a service that is written. As the engine shows nobody which ones a service has, new credentials alone are no
        difference; they reach a service with its next change.
    type: dict
    suboptions:
      username:
        description: Name of the account.
        type: str
        required: true
      password:
        description: Its password or token.
        type: str
        required: true
      serveraddress:
        description:
          - Name of the registry, with its port where it has one, as images name it (C(registry.home.arpa:5000)). For images that name
            none write C(docker.io), as the engine calls its default one. The credentials go to no other registry.
        type: str
        required: true
      since:
        description:
          - When they came into force, as the engine writes a time (C(2026-01-31T12:00:00Z)).
          - The engine keeps the credentials of a service's last deploy for nodes that pull its image later. Services that were
            deployed before this moment are given the present ones, which restarts no task.
          - While it is to come, images of this registry are not looked up.
        type: str
  with_registry_auth:
    description:
      - Whether credentials that the docker configuration of this node has (C(docker login)) are used, for registries
        that O(registry_auth) is not for.
    type: bool
    default: false
  on_failure:
    description:
      - What becomes of the stack when its services do not come up. The task fails either way.
      - V(rollback) takes the whole stack back to what ran before this deploy if that was well, else to the last revision that was.
        Services, networks, secrets and configs that this deploy made are removed, removed ones brought back, and the task waits until
        the earlier version runs. Of a stack's first deploy nothing is left. Volumes stay.
      - V(pause) leaves it as it is.
      - A run that changes nothing and finds a broken service only fails.
    type: str
    choices: [rollback, pause]
    default: rollback
  history_max:
    description:
      - How many revisions of the stack the swarm remembers, of those that came up, and as many of those that did not.
      - Secrets and configs that a remembered revision needs are kept with it.
    type: int
    default: 10
  wait:
    description:
      - Whether to wait until all services of the stack run. A service that does not come up fails the task.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait at most, and once more on the way back, which has a minute at least.
    type: int
    default: 300
  wait_stable:
    description:
      - Seconds for which every task must have been up before the stack counts as running. The time that it has run already counts.
      - By default each service's C(deploy.update_config.monitor), or 5 where it has none.
    type: float
  progress_deadline:
    description:
      - Seconds after which a service that no node fits, that gets no address, or that does not pass its health check has failed,
        without the rest of O(wait_timeout) being waited for. A health check has at least as long as the engine itself gives it.
      - A service that this task did not write to has as long to mend before it counts as crash-looping or without image.
    type: int
    default: 60
  log_lines:
    description:
      - How many of the last lines of a failing task's log are shown. Values of secrets that the task was given are masked in them.
    type: int
    default: 20
  progress:
    description:
      - Whether a line is printed whenever something changes while the task waits.
      - Nothing is printed with C(no_log), with C(async), or when the play's output is not for people (the callback C(json), for one).
    type: bool
    default: true
  patience:
    description:
      - Seconds after which to return although the wait is not over. Set by the action plugin, not for use by hand.
    type: float
  waiting:
    description:
      - Where the wait stands. Set by the action plugin, not for use by hand.
    type: dict
"""
