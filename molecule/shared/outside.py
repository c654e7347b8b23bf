# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario's lab as somebody outside of it sees it: the nodes' ports on this machine."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".lab" / os.environ.get("LAB_NAME", "default")
INVENTORY = HOME / "inventory.yml"
CA = HOME / "ingress-ca.crt"
APP = "guestbook.home.arpa"

Seen = TypeVar("Seen")


class NoAnswer(Exception):
    """The app could not be asked, or answered with something other than success."""


@dataclass(frozen=True)
class Node:
    name: str
    container: str
    https_port: int

    def ask(self, path: str, entry: dict[str, str] | None = None, ca: Path | None = CA) -> dict[str, Any]:
        """What the app says through this node's ingress; with an entry, signs with it. The certificate is checked against ``ca``."""
        try:
            with self._connected(ssl.create_default_context(cafile=ca)) as connection:
                body = json.dumps(entry) if entry else None
                connection.request("POST" if entry else "GET", path, body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                text = answer.read().decode()
        except (TimeoutError, ConnectionError, http.client.HTTPException) as problem:
            raise NoAnswer(f"{self.name}: {problem!r}") from problem
        if answer.status not in (http.HTTPStatus.OK, http.HTTPStatus.CREATED):
            raise NoAnswer(f"{self.name}: {answer.status} {text}")
        said: dict[str, Any] = json.loads(text)
        return said

    def _connected(self, trust: ssl.SSLContext) -> _Connection:
        plain = socket.create_connection(("127.0.0.1", self.https_port), timeout=10)
        return _Connection(trust.wrap_socket(plain, server_hostname=APP))

    def texts(self) -> list[str]:
        """What is written in the guestbook, asked through this node."""
        return [entry["text"] for entry in self.ask("/api/entries")["entries"]]

    def suffer(self, fault: str) -> None:
        """Do this to the node: kill, start, cut, heal and so on."""
        lab = [sys.executable, "molecule/lab/lab.py", "fault", fault, self.name, "--name", HOME.name]
        subprocess.run(lab, cwd=ROOT, check=True)


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket that is open already."""

    def __init__(self, opened: ssl.SSLSocket) -> None:
        super().__init__(APP)
        self.sock = opened

    def __enter__(self) -> _Connection:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.close()


def nodes() -> list[Node]:
    """All nodes of the lab, managers first."""
    groups = yaml.safe_load(INVENTORY.read_text())["all"]["children"]
    hosts = {name: settings for group in groups.values() for name, settings in (group["hosts"] or {}).items()}
    return [Node(name, settings["lab_container"], settings["lab_https_port"]) for name, settings in hosts.items()]


def eventually(look: Callable[[], Seen], wanted: Callable[[Seen], bool], seconds: float = 60) -> Seen:
    """What is seen as soon as it is as wanted. The last look, or its error, stands when time is over."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            seen = look()
            if wanted(seen) or time.monotonic() > deadline:
                return seen
        except NoAnswer:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.5)


def is_on(node: Node) -> bool:
    """Whether the node's container runs."""
    state = subprocess.run(
        ["docker", "inspect", "--format", "{{.State.Running}}", node.container], capture_output=True, text=True, check=True
    )
    return state.stdout.strip() == "true"
