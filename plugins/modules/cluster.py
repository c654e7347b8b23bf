#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and wiring of the module cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster
short_description: Make, join, leave and configure a swarm
version_added: 0.1.0
description:
  - Makes this engine a manager of a new swarm, lets it join one or leave it, and keeps the settings of the swarm.
  - An update changes only what is passed; every other setting of the swarm stays as it is.
  - Nothing is ever initialised over an existing swarm. A swarm without quorum, a locked manager and a join that did not end
    are told apart from an engine that is in no swarm.
  - A manager that leaves steps down first, so that the others do not go on counting it.
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.connection
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.writes
attributes:
  idempotent:
    support: partial
    details:
      - The options O(rotate_worker_token), O(rotate_manager_token) and O(rotate_unlock_key) rotate each time they are passed as true.
options:
  state:
    description:
      - V(present) makes a new swarm if this engine is in none, and brings the settings of an existing one to what is passed.
        On an existing swarm it must run on a manager.
      - V(join) makes this engine a member of the swarm that O(remote_addrs) lead to. An engine in another swarm
        (O(cluster_id)) or in the other role (O(role)) is an error.
      - V(absent) lets this engine leave its swarm.
      - V(remove) takes the node O(node_id), which must be down, off the swarm's list; it must run on a manager.
    type: str
    default: present
    choices: [present, join, absent, remove]
  advertise_addr:
    description:
      - Address or network interface under which the other nodes reach this one, with an optional port (2377 by default).
      - Needed where the host has several addresses. Used on entering a swarm only.
    type: str
  listen_addr:
    description: Address or interface, and port, on which this node listens as a manager. Used on entering a swarm only.
    type: str
    default: 0.0.0.0:2377
  data_path_addr:
    description:
      - Address or interface for the traffic of containers, where it shall differ from O(advertise_addr).
        Used on entering a swarm only.
    type: str
  data_path_port:
    description:
      - UDP port for the traffic of containers between nodes, 1024 to 49151; the engine takes 4789 when it is not set.
      - Decided when the swarm is made; another value for an existing swarm is an error.
    type: int
  default_addr_pool:
    description:
      - Networks in CIDR notation from which overlay networks get their subnets; the engine takes C(10.0.0.0/8) when not set.
      - Decided when the swarm is made; another value for an existing swarm is an error.
    type: list
    elements: str
  subnet_size:
    description:
      - Length of the prefix of each subnet cut from O(default_addr_pool); the engine takes 24 when it is not set.
      - Decided when the swarm is made; another value for an existing swarm is an error.
    type: int
  force:
    description:
      - With O(state=absent), leave even if the swarm loses its quorum or its last manager by that, or if this engine does not reach it.
      - With O(state=remove), remove a node that is not down.
      - It never makes a new swarm over an existing one.
    type: bool
    default: false
  node_id:
    description: Id or hostname of the node to remove, for O(state=remove).
    type: str
  join_token:
    description:
      - Token that admits this engine, for O(state=join); it decides whether the engine becomes a manager or a worker.
      - Not needed when the engine is in the swarm already, nor in check mode.
    type: str
  remote_addrs:
    description:
      - Addresses of one or more managers to join through, with an optional port (2377 by default).
      - Not needed when the engine is in the swarm already, nor in check mode.
    type: list
    elements: str
  role:
    description:
      - The role in which this engine is to be in the swarm, for O(state=join). An engine that is in the swarm in the other role,
        or a O(join_token) that is for the other role, is an error.
      - Recommended, because a token does not show its role. Change the role of a member with M(homecloud.swarm.node).
    type: str
    choices: [worker, manager]
  cluster_id:
    description:
      - Id of the swarm this engine is to be in, for O(state=join). An engine that is in another one is an error.
      - Recommended. Without it an engine that is already in a swarm is compared by O(join_token), which names the CA of its swarm.
    type: str
  unlock_key:
    description: Key to unlock this manager with, if it is locked. For O(state=present) and O(state=join).
    type: str
  task_history_retention_limit:
    description: How many finished tasks the swarm remembers for each replica; the engine begins with 5.
    type: int
  snapshot_interval:
    description: Number of log entries between two snapshots of the managers' log; the engine begins with 10000.
    type: int
  keep_old_snapshots:
    description: Number of snapshots to keep beside the current one; the engine begins with 0.
    type: int
  log_entries_for_slow_followers:
    description: Number of log entries to keep for slow managers after a snapshot; the engine begins with 500.
    type: int
  heartbeat_tick:
    description: Ticks (of a second) between two heartbeats of the leading manager; the engine begins with 1.
    type: int
  election_tick:
    description:
      - Ticks (of a second) without a heartbeat after which managers elect a new leader; must be larger than O(heartbeat_tick).
        The engine begins with 10.
    type: int
  dispatcher_heartbeat_period:
    description: Nanoseconds between two heartbeats of a node; the engine begins with 5000000000 (5 s).
    type: int
  node_cert_expiry:
    description: Nanoseconds that the certificate of a node is valid, at least an hour; the engine begins with 7776000000000000 (90 days).
    type: int
  name:
    description: Name of the swarm. The engine knows only V(default).
    type: str
  labels:
    description: Labels of the swarm itself; they replace all labels it has. Numbers and truths become text.
    type: dict
  signing_ca_cert:
    description:
      - Certificate of the CA that shall sign the certificates of nodes, in PEM format (the text, not a file). Needs O(signing_ca_key).
      - Another CA than the swarm's makes all nodes get new certificates.
    type: str
  signing_ca_key:
    description: Private key of O(signing_ca_cert), in PEM format.
    type: str
  ca_force_rotate:
    description: A number; when it differs from the swarm's, the swarm makes itself a new CA and gives all nodes new certificates.
    type: int
  autolock_managers:
    description:
      - Whether managers that were restarted stay locked until somebody gives the unlock key. The key comes back with
        O(return_unlock_key=true).
    type: bool
  rotate_worker_token:
    description: Make a new token for workers, each time.
    type: bool
    default: false
  rotate_manager_token:
    description: Make a new token for managers, each time.
    type: bool
    default: false
  rotate_unlock_key:
    description: Make a new unlock key, each time.
    type: bool
    default: false
  return_tokens:
    description:
      - Return RV(join_tokens). They are secrets; set C(no_log=true) on the task.
    type: bool
    default: false
  return_unlock_key:
    description:
      - Return RV(unlock_key). It is a secret; set C(no_log=true) on the task.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait for each change of membership to come true.
    type: int
    default: 120
notes:
  - The engine decides what it accepts as settings; see U(https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Swarm).
seealso:
  - module: homecloud.swarm.cluster_info
  - module: homecloud.swarm.node
"""

EXAMPLES = r"""
- name: Make a swarm on the first manager
  homecloud.swarm.cluster:
    advertise_addr: 192.0.2.11
    return_tokens: true
  register: swarm
  no_log: true

- name: Let another engine join as a worker
  homecloud.swarm.cluster:
    state: join
    role: worker
    cluster_id: "{{ hostvars['manager1'].swarm.cluster_id }}"
    join_token: "{{ hostvars['manager1'].swarm.join_tokens.worker }}"
    remote_addrs: [192.0.2.11]

- name: Elect a new leader sooner, and keep every other setting
  homecloud.swarm.cluster:
    election_tick: 5

- name: Make new join tokens
  homecloud.swarm.cluster:
    rotate_worker_token: true
    rotate_manager_token: true

- name: Lock the managers, and read the key
  homecloud.swarm.cluster:
    autolock_managers: true
    return_unlock_key: true
  register: swarm
  no_log: true

- name: Unlock a manager after its restart
  homecloud.swarm.cluster:
    unlock_key: "{{ vault_unlock_key }}"

- name: Leave the swarm
  homecloud.swarm.cluster:
    state: absent

- name: Take a machine that is gone off the list
  homecloud.swarm.cluster:
    state: remove
    node_id: worker3
"""

RETURN = r"""
hostname:
  description: Name of this engine's host.
  returned: always
  type: str
  sample: manager1
in_swarm:
  description: Whether this engine belongs to a swarm, be it active, locked, on its way in or cut off.
  returned: always
  type: bool
local_state:
  description: What the engine says of itself; one of V(inactive), V(pending), V(active), V(error), V(locked).
  returned: always
  type: str
  sample: active
locked:
  description: Whether this is a manager that needs the unlock key.
  returned: always
  type: bool
role:
  description: V(manager) or V(worker); null outside a swarm.
  returned: always
  type: str
  sample: manager
control_available:
  description: Whether this engine can change the swarm, as managers can.
  returned: always
  type: bool
cluster_id:
  description: Id of the swarm; null in no swarm, and where neither the engine nor the certificate of the node can tell.
  returned: always
  type: str
  sample: 9ih5ufu1mzkzkf1d1xgf3zt3p
node_id:
  description: Id of this node in its swarm.
  returned: always
  type: str
  sample: eb6bzu9n7mfd7ap9fbbc1rnvd
node_addr:
  description: Address under which the other nodes know this one.
  returned: always
  type: str
  sample: 192.0.2.11
managers:
  description: Addresses of the swarm's managers, ready to be used as O(homecloud.swarm.cluster#module:remote_addrs).
  returned: always
  type: list
  elements: str
  sample: ["192.0.2.11:2377", "192.0.2.12:2377"]
error:
  description: What the engine says is wrong with its membership; null when nothing is.
  returned: always
  type: str
join_tokens:
  description: Tokens that admit further engines. A secret.
  returned: when O(return_tokens=true), on a manager
  type: dict
  contains:
    worker:
      description: Admits workers.
      type: str
    manager:
      description: Admits managers.
      type: str
unlock_key:
  description: Key that unlocks managers after a restart; null when they are not locked. A secret.
  returned: when O(return_unlock_key=true), on a manager
  type: str
"""

from typing import Any

from ..module_utils._cluster import ClusterOptions, converge_cluster, would_enter
from ..module_utils._swarm_module import SwarmModule

OPTIONS: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "default": "present", "choices": ["present", "join", "absent", "remove"]},
    "advertise_addr": {"type": "str"},
    "listen_addr": {"type": "str", "default": "0.0.0.0:2377"},
    "data_path_addr": {"type": "str"},
    "data_path_port": {"type": "int"},
    "default_addr_pool": {"type": "list", "elements": "str"},
    "subnet_size": {"type": "int"},
    "force": {"type": "bool", "default": False},
    "node_id": {"type": "str"},
    "join_token": {"type": "str", "no_log": True},
    "remote_addrs": {"type": "list", "elements": "str"},
    "role": {"type": "str", "choices": ["worker", "manager"]},
    "cluster_id": {"type": "str"},
    "unlock_key": {"type": "str", "no_log": True},
    "task_history_retention_limit": {"type": "int"},
    "snapshot_interval": {"type": "int"},
    "keep_old_snapshots": {"type": "int"},
    "log_entries_for_slow_followers": {"type": "int"},
    "heartbeat_tick": {"type": "int"},
    "election_tick": {"type": "int"},
    "dispatcher_heartbeat_period": {"type": "int"},
    "node_cert_expiry": {"type": "int"},
    "name": {"type": "str"},
    "labels": {"type": "dict"},
    "signing_ca_cert": {"type": "str"},
    "signing_ca_key": {"type": "str", "no_log": True},
    "ca_force_rotate": {"type": "int"},
    "autolock_managers": {"type": "bool"},
    "rotate_worker_token": {"type": "bool", "default": False, "no_log": False},
    "rotate_manager_token": {"type": "bool", "default": False, "no_log": False},
    "rotate_unlock_key": {"type": "bool", "default": False, "no_log": False},
    "return_tokens": {"type": "bool", "default": False, "no_log": False},
    "return_unlock_key": {"type": "bool", "default": False, "no_log": False},
    "wait_timeout": {"type": "int", "default": 120},
}


def main() -> None:
    """Run the module."""
    module = SwarmModule(
        options=OPTIONS,
        required_if=[("state", "remove", ("node_id",))],
        required_together=[("signing_ca_cert", "signing_ca_key")],
    )
    module.run(
        lambda engine, options, check: converge_cluster(engine, ClusterOptions.of(options), check),
        bare=lambda options: would_enter(ClusterOptions.of(options)),
    )


if __name__ == "__main__":
    main()
