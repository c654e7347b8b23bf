# SPDX-License-Identifier: GPL-3.0-or-later
"""The app as an outside client sees it, through the ingress of every node."""

from __future__ import annotations

import ssl
import uuid
from collections import Counter
from typing import Any

import outside
import pytest
from managers import on
from outside import Node, eventually

testinfra_hosts = ["ansible://swarm_managers"]
NODES = outside.nodes()
every_node = pytest.mark.parametrize("node", NODES, ids=lambda node: node.name)


def answering(node: Node) -> dict[str, Any]:
    return node.ask("/api/about")


def signed(node: Node) -> str:
    """The text of a new entry."""
    text = f"left at {uuid.uuid4()}"
    node.ask("/api/entries", {"name": "the tests", "text": text})
    return text


def container_of(host: Any, service: str) -> tuple[str, str]:
    """(node, container) of a running task of the service."""
    task = host.check_output(f"docker service ps --quiet --filter desired-state=running {service}").split()[0]
    shown: str = host.check_output(f"docker inspect --format '{{{{.NodeID}}}} {{{{.Status.ContainerStatus.ContainerID}}}}' {task}")
    node, container = shown.split()
    return host.check_output(f"docker node inspect --format '{{{{.Description.Hostname}}}}' {node}"), container


@every_node
def test_every_node_answers_with_a_certificate_of_our_authority(node: Node) -> None:
    assert eventually(lambda: answering(node), lambda about: about["version"] == "1.0")["version"] == "1.0"


@every_node
def test_the_certificate_is_really_checked(node: Node) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        node.ask("/api/about", ca=None)


@every_node
def test_requests_are_spread_over_replicas_on_different_nodes(node: Node) -> None:
    answers = Counter((about["task"], about["node"]) for about in (answering(node) for _question in range(40)))
    assert len({task for task, _node in answers}) == 2
    assert len({where for _task, where in answers}) == 2
    assert min(answers.values()) >= 8, f"not spread: {answers}"


def test_entries_survive_a_killed_replica(host: Any) -> None:
    text = signed(NODES[0])
    where, container = container_of(host, "guestbook_web")
    on(where).check_output("docker kill %s", container)
    # The other replica answers meanwhile, through every node.
    assert all(text in node.texts() for node in NODES)
    running = "docker service ls --filter name=guestbook_web --format '{{.Replicas}}'"
    assert eventually(lambda: host.check_output(running), lambda count: count == "2/2") == "2/2"


def test_entries_survive_the_database_being_rescheduled(host: Any) -> None:
    text = signed(NODES[0])
    before = container_of(host, "guestbook_db")
    host.check_output("docker service update --quiet --force guestbook_db")
    assert container_of(host, "guestbook_db") != before
    for node in NODES:
        assert text in eventually(node.texts, lambda texts: text in texts)
