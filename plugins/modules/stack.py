#!/usr/bin/python
# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy or remove a stack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack
short_description: Deploy or remove a stack from Compose files
description:
  - Deploys one or more Compose files as a stack, the way C(docker stack deploy) does, and waits until all its services run and stay up.
  - When they do not, the task fails, says why with the end of the failing task's log, and has taken the whole stack back to the
    version that worked before.
  - The Compose files, and the files that their secrets, configs and C(env_file) name, are read on the controller.
    Nothing is copied to the node.
  - Changes only what differs. A run that finds nothing to change writes nothing to the engine, so tasks are not restarted,
    jobs do not run again, and C(docker service rollback) keeps its step.
  - With C(--check --diff) it shows the plan (each object and field that would change, and which tasks restart) and touches nothing.
  - Has to run on a manager of the swarm.
version_added: 0.1.0
author:
  - The homecloud.swarm developers (!UNKNOWN)
extends_documentation_fragment:
  - homecloud.swarm.connection
  - homecloud.swarm.attributes
  - homecloud.swarm.attributes.writes
  - homecloud.swarm.release
attributes:
  action:
    description: The module has an action plugin, which runs on the controller.
    support: full
options:
  name:
    description:
      - Name of the stack. All its objects carry it in the label C(com.docker.stack.namespace) and, by default, before their names.
      - Letters, digits, C(-) and C(_), the first and the last a letter or digit. Any other name is refused, an empty one too.
    type: str
    required: true
    aliases: [stack]
  state:
    description:
      - V(present) deploys the stack.
      - V(absent) removes its services, secrets, configs and networks, and waits until they are gone. Leftovers of an earlier
        removal (a network without services) are found too. Volumes stay, unless O(volumes=true).
    type: str
    choices: [present, absent]
    default: present
  compose:
    description:
      - Compose files on the controller (looked for as templates are, beside the playbook or in the role, then beside the inventory),
        or mappings of the same form.
      - Several are merged from left to right, as C(docker stack deploy -c A -c B) does.
      - Files are not rendered by Jinja; O(env) is the way to hand values in.
      - Required with O(state=present).
    type: list
    elements: raw
  env:
    description:
      - Variables for C(${NAME}) in the Compose files, and for entries of C(environment) without a value.
      - The environment of the shell that runs Ansible is never used.
    type: dict
    default: {}
  env_files:
    description:
      - Files on the controller with lines of C(NAME=value). Later files win over earlier ones, O(env) wins over all.
    type: list
    elements: path
    default: []
  env_strict:
    description:
      - Whether a variable that is used without default and not set is an error. Else it is a warning and becomes an empty string.
    type: bool
    default: false
  project_dir:
    description:
      - Folder on the nodes which relative bind sources (C(./data:/data)) refer to, as an absolute path.
      - Without it they refer to the folder of the first Compose file on the controller, as with the CLI, and a warning says so.
    type: path
  beyond_cli:
    description:
      - Whether keys that the CLI accepts and then drops shall work where the engine can do it. These are the short form of C(tmpfs),
        C(mode) of a tmpfs mount, C(oom_score_adj) and C(security_opt).
    type: bool
    default: false
  secrets:
    description:
      - Values for entries of the file's top-level C(secrets), by their keys there. They stand in for the entry's C(file).
      - A secret cannot be changed, so a new value becomes a new object, C(NAME.v2) and so on, and the services that use it are
        updated. The old one goes when neither a service nor a remembered revision (O(history_max)) needs it, or at once with O(revoke).
    type: dict
    default: {}
  configs:
    description:
      - As O(secrets), for the file's top-level C(configs).
    type: dict
    default: {}
  attach:
    description:
      - Networks that exist already and that services join in addition to those in the file, by service key. A list, or one name.
      - A service that lists no networks keeps the stack's default network. On an attached network it has its full name only.
    type: dict
    default: {}
  prune:
    description:
      - Whether objects of the stack that the files do not have any more are removed.
      - V(true) removes services. V(all) also removes networks, secrets and configs that carry the stack's label and that no
        service uses.
    type: raw
    default: false
  revoke:
    description:
      - Whether old versions of secrets and configs are removed as soon as the new ones are in use, although remembered revisions need
        them, as after a password has leaked. These revisions say so in C(stack_info), and can be brought back with present secrets only.
    type: bool
    default: false
  volumes:
    description:
      - Whether O(state=absent) also removes volumes that carry the stack's label, with all data in them.
      - Volumes live on their node, and an engine removes only its own. So the task has to run on every node that may have some;
        on a worker it removes the volumes and nothing else. A warning names the nodes that the stack's tasks have run on elsewhere.
    type: bool
    default: false
  keep_history:
    description:
      - Whether O(state=absent) leaves the stack's revisions, and the secrets and configs that those need which O(history_max) keeps.
      - M(homecloud.swarm.stack_rollback) then brings the stack back. To remove them for good, run it again without.
    type: bool
    default: false
  recreate:
    description:
      - Whether a network whose definition differs from the file is made anew, which the engine cannot do in place. The services
        of the stack are taken off it and put back, so their tasks restart. A network that services outside the stack use is refused.
      - Without it a difference (driver, options, labels, addresses) is a warning.
    type: bool
    default: false
  resolve_image:
    description:
      - Which images are looked up in their registry, to run exactly the version behind a tag on every node.
      - V(always) looks all of them up, so that a moved tag rolls the service over.
      - V(changed) looks up those that the file names differently from what runs.
      - V(never) uses the tag, for images that the nodes have already.
    type: str
    choices: [always, changed, never]
    default: always
  update_defaults:
    description:
      - Whether services whose C(deploy.update_config) is silent are updated one task after the other, the new task first
        (C(order) start-first), back to their previous version when it fails (C(failure_action) rollback), watched for 5 seconds
        each (C(monitor)), 2 seconds apart (C(delay)). What the file says stays.
      - A service whose tasks cannot run side by side keeps C(order) stop-first, and a warning says so. That is one that holds a port of
        its node, runs once on every node, has C(max_replicas_per_node), or is the only one to write to a volume.
      - C(docker stack deploy) makes no such settings, so it and this option undo each other's.
    type: bool
    default: false
  blue_green:
    description:
      - Services, by their keys in the files, whose next version starts beside the one that serves instead of taking its place.
      - Such a service C(web) runs as C(web-blue) or C(web-green). A deploy that changes one of them starts all of them in the other
        colour, waits and judges as ever, and leaves the one that serves alone. That is a release, which
        M(homecloud.swarm.stack_switch) leads on. Requests move by the ingress, see the role P(homecloud.swarm.swarm_release#role).
      - While a release is under way, the same files change nothing, and others are refused, as is a deploy without this option.
      - A service is refused that publishes ports, is a job, is the only one to write to a volume, that another service of the stack
        calls by name, or whose full name is too long with its colour.
      - A deploy without this option leaves coloured services as they are.
    type: list
    elements: str
    default: []
  project:
    description:
      - The loaded Compose files. Set by the action plugin, not for use by hand.
    type: dict
notes:
  - Values in O(secrets) travel to the node in the module's arguments. Switch pipelining on, or Ansible itself writes
    them to a temporary file there that only its user may read.
seealso:
  - module: homecloud.swarm.stack_info
"""

EXAMPLES = r"""
- name: Deploy a shop
  homecloud.swarm.stack:
    name: shop
    compose:
      - stack.yml
      - stack.prod.yml
    env:
      TAG: "1.4.2"
    secrets:
      db_password: "{{ vault_db_password }}"

- name: Deploy a stack written in the playbook
  homecloud.swarm.stack:
    name: hello
    compose:
      - services:
          web:
            image: nginx:1.29
            deploy:
              replicas: 2

- name: Remove a stack
  homecloud.swarm.stack:
    name: hello
    state: absent
"""

RETURN = r"""
plan:
  description: What was, or in check mode would be, done, in this order.
  returned: success, and when services did not come up
  type: list
  elements: dict
  contains:
    action:
      description: >-
        What is done to the object, one of C(create), C(update), C(replace), C(remove); C(adopt) where the engine is asked whether a
        secret that was made elsewhere has the given value, which is no change.
      type: str
      sample: update
    type:
      description: One of C(network), C(secret), C(config), C(service), C(volume).
      type: str
      sample: service
    name:
      description: Full name of the object.
      type: str
      sample: shop_web
    restarts:
      description:
        - How many running tasks are replaced because of it.
        - For a job, which runs again whenever it is changed, how many it will have.
      type: int
      sample: 3
    changes:
      description: The fields that differ, each with C(path), C(old) and C(new). Values of secrets are never shown.
      type: list
      elements: dict
revision:
  description:
    - Number of the deploy, by which the swarm remembers it. Null where nothing was changed, and in check mode.
  returned: success, and when services did not come up
  type: int
  sample: 7
release:
  description:
    - The blue-green release that this deploy has begun, or that is under way, as M(homecloud.swarm.stack_switch) returns it. Null where
      there is none.
  returned: success
  type: dict
services:
  description: All services of the stack. Empty in check mode, or when not waiting.
  returned: success, and when services did not come up
  type: list
  elements: dict
  contains:
    service:
      description: Full name of the service.
      type: str
      sample: shop_web
    verdict:
      description: What it came to, C(converged) if all is well.
      type: str
      sample: converged
    running:
      description: Tasks that are as they should be.
      type: int
      sample: 3
    wanted:
      description: Tasks that should be.
      type: int
      sample: 3
    reason:
      description: What the engine says is wrong, or what the service waits for.
      type: str
    node:
      description: Hostname of the node where it went wrong.
      type: str
    task:
      description: Id of the task that shows what is wrong.
      type: str
    state:
      description: That task's state.
      type: str
failures:
  description: The services that did not come up, with what shows why.
  returned: when services did not come up
  type: list
  elements: dict
  contains:
    service:
      description: Full name of the service.
      type: str
      sample: shop_web
    verdict:
      description:
        - One of C(rolled_back), C(rollback_paused), C(paused), C(crash_looping), C(failed), C(unhealthy), C(unschedulable),
          C(image_missing), C(timed_out).
      type: str
      sample: crash_looping
    running:
      description: Tasks that were as they should be.
      type: int
      sample: 0
    wanted:
      description: Tasks that should have been.
      type: int
      sample: 3
    reason:
      description: What the engine says is wrong.
      type: str
    node:
      description: Hostname of the node where it went wrong.
      type: str
    task:
      description: Id of the task that shows what is wrong.
      type: str
    state:
      description: That task's state.
      type: str
      sample: failed
    error:
      description: That task's error.
      type: str
      sample: "task: non-zero exit (1)"
    exit_code:
      description: What its main process ended with; null where it did not run.
      type: int
      sample: 1
    health:
      description: What its health check said last. Known only where the task ran on the manager that the task asks.
      type: str
    log:
      description: The last lines of its log.
      type: list
      elements: str
rollback:
  description:
    - What came of taking the stack back. V(done) when the earlier version runs again, V(failed) when it does not, V(none) when the
      stack was left as it was.
  returned: when services did not come up
  type: str
  sample: done
done:
  description: The steps that were carried out before an error.
  returned: when the engine refused a step
  type: list
  elements: str
"""

from ..module_utils._request import OPTIONS, RESTART
from ..module_utils._stack import converge_stack, predict_stack
from ..module_utils._swarm_module import SwarmModule


def main() -> None:
    module = SwarmModule(options=OPTIONS, required_if=[("state", "present", ("compose",))])
    module.run(converge_stack, bare=predict_stack, patience=RESTART if module.options["waiting"] else 0.0)


if __name__ == "__main__":
    main()
