# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine is asked for, and what is read back from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from homelab.labels import Lab
from homelab.nodes import Host, Placement, container_config, node_of, placement_of
from homelab.shape import Node

LAB = Lab("blue", Path("/home/.lab/blue"))
NODE = Node("worker2", "swarm_workers", "trixie", bare=True, host_number=102)
FORKY = Node("worker2", "swarm_workers", "forky", bare=False, host_number=102)
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


@pytest.mark.parametrize("node", [NODE, FORKY])
def test_a_node_can_be_read_back(node: Node) -> None:
    body = config(node)
    seen = {
        "Config": {"Labels": body["Labels"]},
        "HostConfig": body["HostConfig"],
        "NetworkSettings": {"Networks": body["NetworkingConfig"]["EndpointsConfig"]},
    }
    assert node_of(seen) == node
    assert placement_of(seen) == PLACEMENT
