# SPDX-License-Identifier: GPL-3.0-or-later
"""A node of the lab as the tests reach it: commands by SSH, and its engine's socket here, with an ear on it."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = ROOT / ".lab" / os.environ.get("LAB_NAME", "default") / "inventory.yml"
REQUEST = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.1\r\n")
READS = {"GET", "HEAD"}
CHUNK = 65536

Request = tuple[str, str]


@dataclass
class Node:
    """One node, and a folder on this machine for its sockets."""

    name: str
    folder: Path

    @property
    def _ssh(self) -> list[str]:
        everything = yaml.safe_load(INVENTORY.read_text())["all"]
        hosts = {name: host for group in everything["children"].values() for name, host in group["hosts"].items()}
        settings = {**everything["vars"], **hosts[self.name]}
        return [
            *("ssh", "-p", str(settings["ansible_port"]), "-i", settings["ansible_ssh_private_key_file"]),
            *shlex.split(settings["ansible_ssh_common_args"]),
            *("-o", f"ControlPath={self.folder}/ssh-%p"),
            f"root@{settings['ansible_host']}",
        ]

    @property
    def registry(self) -> str:
        return str(yaml.safe_load(INVENTORY.read_text())["all"]["vars"]["lab_registry"])

    @contextlib.contextmanager
    def reached(self) -> Iterator[Path]:
        """The engine's socket, here."""
        here = self.folder / "engine.sock"
        master = ["-o", "ControlMaster=yes", "-o", "ExitOnForwardFailure=yes", "-fNT", "-L", f"{here}:/var/run/docker.sock"]
        # Its output would keep a pipe open for as long as the connection lives.
        subprocess.run([self._ssh[0], *master, *self._ssh[1:]], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield here
        finally:
            subprocess.run([self._ssh[0], "-O", "exit", *self._ssh[1:]], check=True, capture_output=True)

    def run(self, *command: str, text: str | None = None, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command on the node, with nothing in its environment but a path and ``env``."""
        names = [f"{name}={value}" for name, value in {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", **(env or {})}.items()]
        remote = shlex.join(["env", "-i", *names, *command])
        return subprocess.run([*self._ssh, remote], input=text or "", capture_output=True, text=True, check=False)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command on the node and leave it to itself, with pipes."""
        return subprocess.Popen([*self._ssh, shlex.join(command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def check(self, *command: str, text: str | None = None, env: dict[str, str] | None = None) -> str:
        ran = self.run(*command, text=text, env=env)
        assert ran.returncode == 0, f"{shlex.join(command)}: {ran.stderr or ran.stdout}"
        return ran.stdout

    def copy(self, folder: Path) -> None:
        """A folder of this machine, to the same place on the node."""
        packed = subprocess.run(["tar", "--create", "--absolute-names", str(folder)], check=True, capture_output=True)
        subprocess.run([*self._ssh, "tar", "--extract", "--absolute-names"], input=packed.stdout, check=True)


@dataclass
class Ear:
    """Stands at a door before an engine's socket and hears every request. ``before`` is called before one is passed on."""

    engine: Path
    door: Path
    requests: list[Request] = field(default_factory=list)
    before: Callable[[str, str], None] = lambda _method, _path: None

    def writes(self) -> list[Request]:
        return [request for request in self.requests if request[0] not in READS]

    @contextlib.contextmanager
    def heard(self, before: Callable[[str, str], None] | None = None) -> Iterator[list[Request]]:
        """The requests from here on."""
        self.requests, self.before = [], before or (lambda _method, _path: None)
        yield self.requests
        self.before = lambda _method, _path: None

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(self.door))
            server.listen(64)
            threading.Thread(target=self._accept, args=(server,), daemon=True).start()
            yield

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as engine:
            engine.connect(str(self.engine))
            answers = threading.Thread(target=self._pass, args=(engine, client, lambda _chunk: None), daemon=True)
            answers.start()
            self._pass(client, engine, self._hear)
            answers.join()

    def _hear(self, chunk: bytes) -> None:
        # A client sends its next request when it has the answer to the last, so each begins a chunk.
        if found := REQUEST.match(chunk):
            request = (found[1].decode(), found[2].decode())
            self.requests.append(request)
            self.before(*request)

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket, hear: Callable[[bytes], Any]) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK):
                hear(chunk)
                target.sendall(chunk)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
