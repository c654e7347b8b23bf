# SPDX-License-Identifier: GPL-3.0-or-later
"""The database's password is in a Swarm secret and nowhere else on a node. That the search can find one is shown with a planted one."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from typing import Any

import leaks
import outside
import pytest
from leaks import PLACES, SWARM

testinfra_hosts = ["ansible://swarm_managers", "ansible://swarm_workers"]
PASSWORD = (outside.HOME / "guestbook-password").read_text().split()[0]


def found(host: Any, value: str) -> set[str]:
    """The places of a node where the value can be seen."""
    node = next(node for node in outside.nodes() if node.name == host.backend.get_hostname())

    def run(script: str, text: str) -> str:
        # as the user of the engine: a testinfra command takes no standard input
        inside = ["docker", "exec", "--interactive", node.container, "sh", "-c", script]
        return subprocess.run(inside, input=text, text=True, check=True, stdout=subprocess.PIPE).stdout

    return leaks.found(run, [value], {**PLACES, **(SWARM if node.name.startswith("manager") else {})})


def test_the_password_is_nowhere(host: Any) -> None:
    assert found(host, PASSWORD) == set()


@pytest.fixture
def planted(host: Any) -> Iterator[str]:
    """A value that stands wherever a careless deploy would leave it."""
    value = secrets.token_hex(16)
    manager = host.backend.get_hostname().startswith("manager")
    image = host.check_output("docker ps --format '{{.Image}}' | head -1")
    host.check_output("printf %s > /etc/planted", value)
    host.check_output("logger %s", value)
    container = host.check_output(f"docker create --env V={value} --entrypoint sh {image} -c 'echo {value}; sleep 600; true'")
    host.check_output(f"docker start {container}")
    host.check_output(f"docker commit --change 'LABEL v={value}' {container} planted")
    if manager:
        host.check_output(f"docker config create --label v={value} planted /etc/hostname")
    yield value
    host.check_output(f"docker rm --force {container}")
    host.check_output("docker rmi planted")
    host.check_output("rm /etc/planted")
    if manager:
        host.check_output("docker config rm planted")


def test_a_planted_password_is_found_in_every_place(host: Any, planted: str) -> None:
    on_a_manager = {"config"} if host.backend.get_hostname().startswith("manager") else set()
    assert found(host, planted) >= {*PLACES, *on_a_manager}
