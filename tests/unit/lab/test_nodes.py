# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine is asked for, and what is read back from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from homelab.labels import Lab
from homelab.nodes import ENGINE_ANSWERS, GUEST_IS_UP, SYSTEMD_IS_UP, Host, Placement, container_config, node_of, placement_of, up_when
from homelab.shape import Node

LAB = Lab("blue", Path("/home/.lab/blue"))
NODE = Node("worker2", "swarm_workers", "trixie", bare=True, host_number=102)
FORKY = Node("worker2", "swarm_workers", "forky", bare=False, host_number=102)
GUEST = Node("worker2", "swarm_workers", "trixie", bare=False, host_number=102, guest=True)
PLACEMENT = Placement("198.18.3.102", 2207, 8450, 8090)
V1, V2 = Host(cgroup="1", privileged=False), Host(cgroup="2", privileged=True)


def config(node: Node = NODE, host: Host = V1) -> dict[str, Any]:
    return container_config(LAB, node, PLACEMENT, "node:image", host)


@pytest.mark.parametrize(
    ("node", "host", "command", "init", "signal"),
    [
        (NODE, V1, "/sbin/init", False, "SIGRTMIN+3"),
        (NODE, V2, "/sbin/init", False, "SIGRTMIN+3"),
        (FORKY, V2, "/sbin/init", False, "SIGRTMIN+3"),
        (FORKY, V1, "init-without-systemd", True, "SIGTERM"),
        (GUEST, V1, "power-on", True, "SIGTERM"),
        (GUEST, V2, "power-on", True, "SIGTERM"),
    ],
)
def test_systemd_runs_where_it_can(node: Node, host: Host, command: str, init: bool, signal: str) -> None:
    body = config(node, host)
    assert (body["Cmd"], body["HostConfig"]["Init"], body["StopSignal"]) == ([command], init, signal)


@pytest.mark.parametrize(
    ("host", "privileged", "namespace", "binds"),
    [
        (V1, False, "host", True),
        (V2, True, "private", False),
        (Host("1", True), True, "host", True),
        (Host("2", False), False, "private", False),
    ],
)
def test_rights_follow_the_host(host: Host, privileged: bool, namespace: str, binds: bool) -> None:
    wanted = config(host=host)["HostConfig"]
    assert wanted.get("Privileged", False) is privileged
    assert ("SYS_ADMIN" in wanted.get("CapAdd", ())) is not privileged
    assert "SYS_RESOURCE" not in wanted.get("CapAdd", ())
    assert wanted["CgroupnsMode"] == namespace
    assert ("Binds" in wanted) is binds


def test_nothing_is_published_beyond_loopback() -> None:
    bindings = config()["HostConfig"]["PortBindings"]
    assert set(bindings) == {"22/tcp", "80/tcp", "443/tcp", "443/udp"}
    assert {binding["HostIp"] for taken in bindings.values() for binding in taken} == {"127.0.0.1"}


@pytest.mark.parametrize(("node", "guest"), [(NODE, False), (FORKY, False), (GUEST, True)])
def test_a_guest_has_memory_a_wire_and_the_registry(node: Node, guest: bool) -> None:
    wanted = config(node)["HostConfig"]
    assert ("/memory" in wanted["Tmpfs"]) is guest
    assert [device["PathOnHost"] for device in wanted.get("Devices", ())] == (["/dev/net/tun"] if guest else [])
    assert wanted.get("ExtraHosts", []) == (["registry.lab:198.18.3.5"] if guest else [])


@pytest.mark.parametrize(
    ("node", "conditions"),
    [
        (NODE, [SYSTEMD_IS_UP]),
        (replace(NODE, bare=False), [SYSTEMD_IS_UP, ENGINE_ANSWERS]),
        (FORKY, [ENGINE_ANSWERS]),
        (GUEST, [GUEST_IS_UP]),
    ],
)
def test_when_a_node_is_up(node: Node, conditions: list[str]) -> None:
    assert up_when(node, V1) == conditions


@pytest.mark.parametrize("node", [NODE, FORKY, GUEST])
def test_a_node_can_be_read_back(node: Node) -> None:
    body = config(node)
    seen = {
        "Config": {"Labels": body["Labels"]},
        "HostConfig": body["HostConfig"],
        "NetworkSettings": {"Networks": body["NetworkingConfig"]["EndpointsConfig"]},
    }
    assert node_of(seen) == node
    assert placement_of(seen) == PLACEMENT
