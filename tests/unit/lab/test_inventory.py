# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory is an ordinary one, and what is written in it is what the lab has."""

from __future__ import annotations

from pathlib import Path

import yaml
from homelab.images import App, Recipe
from homelab.inventory import inventory, known_hosts, write_inventory
from homelab.keys import SshKey
from homelab.labels import Lab
from homelab.nodes import Placement
from homelab.shape import Node

LAB = Lab("blue", Path("/home/.lab/blue"))
MANAGER = Node("manager1", "swarm_managers", "bookworm", bare=True, host_number=11)
WORKER = Node("worker1", "swarm_workers", "trixie", bare=True, host_number=101)
PLACEMENTS = {
    MANAGER: Placement("198.18.0.11", 2201, 8443, 8080),
    WORKER: Placement("198.18.0.101", 2202, 8444, 8081),
}
RECIPE = Recipe("image", Path("/nowhere"))
APPS = (
    App("caddy", {"2.11": RECIPE, "2": RECIPE}, ("swarm_ingress_image", "swarm_registry_caddy_image")),
    App("probe", {"1": RECIPE}, ()),
)


def test_every_node_stands_in_its_group_with_its_ports() -> None:
    groups = inventory(LAB, PLACEMENTS.items(), APPS)["all"]["children"]
    assert groups == {
        "swarm_managers": {
            "hosts": {
                "manager1": {
                    "ansible_port": 2201,
                    "lab_address": "198.18.0.11",
                    "lab_container": "homecloud-blue-manager1",
                    "lab_release": "bookworm",
                    "lab_https_port": 8443,
                    "lab_http_port": 8080,
                }
            }
        },
        "swarm_workers": {
            "hosts": {
                "worker1": {
                    "ansible_port": 2202,
                    "lab_address": "198.18.0.101",
                    "lab_container": "homecloud-blue-worker1",
                    "lab_release": "trixie",
                    "lab_https_port": 8444,
                    "lab_http_port": 8081,
                }
            }
        },
    }


def test_groups_are_there_when_empty() -> None:
    assert inventory(LAB, [], ())["all"]["children"] == {"swarm_managers": {"hosts": {}}, "swarm_workers": {"hosts": {}}}


def test_images_of_roles_come_from_the_lab() -> None:
    variables = inventory(LAB, PLACEMENTS.items(), APPS)["all"]["vars"]
    assert variables["lab_registry"] == "registry.lab:5000"
    assert {name: value for name, value in variables.items() if name.endswith("_image")} == {
        "swarm_ingress_image": "{{ lab_registry }}/caddy:2.11",
        "swarm_registry_caddy_image": "{{ lab_registry }}/caddy:2.11",
    }


def test_hosts_are_known_and_checked() -> None:
    variables = inventory(LAB, PLACEMENTS.items(), APPS)["all"]["vars"]
    assert "StrictHostKeyChecking=yes" in variables["ansible_ssh_common_args"]
    assert "/home/.lab/blue/known_hosts" in variables["ansible_ssh_common_args"]
    keys = [(placement, SshKey("private", f"ssh-ed25519 {node.name}\n")) for node, placement in PLACEMENTS.items()]
    assert known_hosts(keys) == "[127.0.0.1]:2201 ssh-ed25519 manager1\n[127.0.0.1]:2202 ssh-ed25519 worker1\n"


def test_the_file_says_what_the_inventory_is(tmp_path: Path) -> None:
    content = inventory(LAB, PLACEMENTS.items(), APPS)
    path = tmp_path / "new" / "inventory.yml"
    write_inventory(path, content)
    assert yaml.safe_load(path.read_text()) == content
