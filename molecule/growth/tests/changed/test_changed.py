# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry's password, the app's version and its certificate changed in the inventory: one run does all three."""

from __future__ import annotations

import ssl

import outside
import pytest
from home_registry import login, password
from managers import on
from outside import eventually
from plays import play

SCENARIO = outside.ROOT / "molecule" / "growth"
OWN = outside.HOME / "own.crt"
ENTRANCE = next(node for node in outside.nodes() if node.name == "manager1")


# The service whose image stays what it was.
CONTAINER = "docker ps --quiet --no-trunc --filter label=com.docker.swarm.service.name=guestbook_first"


@pytest.fixture(scope="module", autouse=True)
def container() -> str:
    """Of the service that has nothing to change, from before the change."""
    before = str(on("manager2").check_output(CONTAINER))
    assert before
    ran = play("homecloud.swarm.site", [SCENARIO / "vars" / "home.yml", SCENARIO / "vars" / "changed.yml"])
    assert ran.returncode == 0, ran.stdout[-5000:]
    return before


def test_the_own_certificate_is_served() -> None:
    assert eventually(lambda: ENTRANCE.ask("/api/about", ca=OWN), bool)["version"] == "1.1"
    with pytest.raises(ssl.SSLCertVerificationError):
        ENTRANCE.ask("/api/about", ca=outside.HOME / "authority.crt")


def test_both_nodes_have_pulled_the_new_version() -> None:
    seen = {eventually(lambda: ENTRANCE.ask("/api/about", ca=OWN), bool)["node"] for _question in range(10)}
    assert seen == {"manager1", "manager2"}


@pytest.mark.parametrize("node", ["manager1", "manager2"])
def test_only_the_new_password_is_accepted(node: str) -> None:
    assert login(on(node), password("new-registry-password")).succeeded
    assert login(on(node), password()).failed


def test_the_new_password_restarts_nothing(container: str) -> None:
    assert on("manager2").check_output(CONTAINER) == container


def test_what_did_not_change_is_pulled_with_the_new_password(container: str) -> None:
    """The swarm keeps a password with each service; the old one would leave a node that lost the image without it."""
    node = on("manager2")
    image = node.check_output(f"docker inspect --format '{{{{.Image}}}}' {container}")
    node.check_output(f"docker rm --force {container} && docker rmi --force {image}")
    again = eventually(lambda: str(node.check_output(CONTAINER)), bool)
    assert again not in ("", container)
