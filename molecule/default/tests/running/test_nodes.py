# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles have made of each machine."""

from __future__ import annotations

import json
from typing import Any

import pytest

testinfra_hosts = ["ansible://swarm_managers", "ansible://swarm_workers"]


@pytest.mark.parametrize("package", ["docker.io", "python3-docker", "python3-yaml", "python3-jsondiff"])
def test_package(host: Any, package: str) -> None:
    assert host.package(package).is_installed


def test_engine_runs_and_starts_with_the_machine(host: Any) -> None:
    engine = host.service("docker")
    assert engine.is_running
    assert engine.is_enabled


def test_engine_is_configured(host: Any) -> None:
    written = json.loads(host.file("/etc/docker/daemon.json").content_string)
    assert written == {"debug": True, "log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}}
    assert host.check_output("docker info --format '{{.LoggingDriver}} {{.Debug}}'") == "json-file true"


def test_node_is_an_active_member(host: Any) -> None:
    manager = host.backend.get_hostname().startswith("manager")
    wanted = f"active {str(manager).lower()}"
    assert host.check_output("docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}'") == wanted


def test_no_module_is_left_on_the_node(host: Any) -> None:
    # find fails where a folder is absent or a file vanishes meanwhile; what it prints is what counts
    assert host.check_output("find /root/.ansible /tmp -name 'AnsiballZ*' 2>/dev/null || true") == ""
