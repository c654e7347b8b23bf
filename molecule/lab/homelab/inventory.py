# SPDX-License-Identifier: GPL-3.0-or-later
"""An ordinary Ansible inventory of a lab. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from .images import App
from .keys import REGISTRY_NAME, SshKey
from .labels import Lab
from .nodes import REGISTRY_PORT, Placement
from .shape import Node

HEADER = "# Written by the lab; `make lab` writes it again.\n"
GROUPS = ("swarm_managers", "swarm_workers")


def inventory(lab: Lab, nodes: Iterable[tuple[Node, Placement]], apps: Iterable[App]) -> dict[str, Any]:
    hosts: dict[str, dict[str, Any]] = {group: {} for group in GROUPS}
    for node, placement in nodes:
        hosts[node.group][node.name] = {
            "ansible_port": placement.ssh_port,
            "lab_address": placement.address,
            "lab_container": lab.container(node.name),
            "lab_release": node.release,
            "lab_https_port": placement.https_port,
            "lab_http_port": placement.http_port,
        }
    return {
        "all": {
            "vars": {
                "ansible_host": "127.0.0.1",
                "ansible_user": "root",
                "ansible_python_interpreter": "/usr/bin/python3",
                "ansible_ssh_private_key_file": str(lab.folder / "id_ed25519"),
                "ansible_ssh_common_args": (
                    f"-o UserKnownHostsFile={lab.folder / 'known_hosts'} -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
                ),
                "lab_name": lab.name,
                "lab_network": lab.network,
                "lab_registry": f"{REGISTRY_NAME}:{REGISTRY_PORT}",
                "lab_registry_ca": str(lab.folder / "ca.crt"),
                # The lab stands in for image registries: what the roles pull by default comes from here.
                **{variable: f"{{{{ lab_registry }}}}/{app.name}:{app.tag}" for app in apps for variable in app.variables},
            },
            "children": {group: {"hosts": hosts[group]} for group in GROUPS},
        }
    }


def write_inventory(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("---\n" + HEADER + yaml.safe_dump(content, sort_keys=False, width=1000))


def known_hosts(keys: Iterable[tuple[Placement, SshKey]]) -> str:
    return "".join(f"[127.0.0.1]:{placement.ssh_port} {key.public}" for placement, key in keys)
