# SPDX-License-Identifier: GPL-3.0-or-later
"""The database's password is in a Swarm secret and nowhere else on a node. That the search can find one is shown with a planted one."""

from __future__ import annotations

import base64
import secrets
import subprocess
from collections.abc import Iterator
from typing import Any

import outside
import pytest

testinfra_hosts = ["ansible://swarm_managers", "ansible://swarm_workers"]
PASSWORD = (outside.HOME / "guestbook-password").read_text().split()[0]

# Where a value could be seen -> what shows it.
PLACES = {
    "environment of a process": "cat /proc/[0-9]*/environ",
    "arguments of a process": "cat /proc/[0-9]*/cmdline",
    "container": "docker ps --all --quiet | xargs --no-run-if-empty docker inspect",
    "image": "docker images --quiet | sort -u | xargs --no-run-if-empty docker image inspect",
    "log of a container": "docker ps --all --quiet | xargs --no-run-if-empty -n 1 docker logs 2>&1",
    "journal": "journalctl --output cat --no-pager",
    "file": "grep --recursive --text --no-messages . /etc /home /root /tmp /var/log /var/tmp --exclude-dir journal",
}
# What only a manager knows.
SWARM = {
    kind: f"docker {kind} ls --quiet | xargs --no-run-if-empty docker {kind} inspect"
    for kind in ("service", "secret", "config", "network", "node")
}
SWARM["task"] = "docker service ls --quiet | xargs --no-run-if-empty docker service ps --quiet | xargs --no-run-if-empty docker inspect"
PATTERN = "/run/wanted"


def found(host: Any, value: str) -> set[str]:
    """The places of a node where the value can be seen, plain or in base64."""
    node = next(node for node in outside.nodes() if node.name == host.backend.get_hostname())
    # By standard input, as an argument would be seen.
    write = ["docker", "exec", "--interactive", node.container, "sh", "-c", f"umask 077; cat > {PATTERN}"]
    forms = [value, base64.b64encode(value.encode()).decode()]
    subprocess.run(write, input="\n".join(forms), text=True, check=True)
    places = {**PLACES, **(SWARM if node.name.startswith("manager") else {})}
    return {
        place for place, show in places.items() if host.run(f"({show}) | grep --text --quiet --fixed-strings --file {PATTERN}").succeeded
    }


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
