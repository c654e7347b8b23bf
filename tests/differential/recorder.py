"""What a real `docker stack deploy` sends: the CLI talks to a pretended engine that keeps what it is asked to create."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from clis import Cli

STACK = "st"
API = "1.51"
KINDS = ("networks", "secrets", "configs", "services")
MANAGER = {"Swarm": {"ControlAvailable": True, "LocalNodeState": "active"}}
VERSION = {"ApiVersion": API, "MinAPIVersion": "1.24", "Version": "0"}

Bodies = dict[str, Any]


@dataclass
class Recorded:
    """The bodies by kind and name, the external networks looked up, and how the CLI ended."""

    bodies: dict[str, Bodies] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    external_networks: set[str] = field(default_factory=set)
    code: int = 0
    stderr: str = ""


class Engine(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.recorded = Recorded()


class Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Engine

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""

    def do_HEAD(self) -> None:
        self._answer(200, None)

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        path = re.sub(r"^/v[0-9.]+", "", address.path)
        names = json.loads(parse_qs(address.query).get("filters", ["{}"])[0]).get("name", {})
        kind, _slash, name = path.strip("/").partition("/")
        if kind == "networks" and name:
            self.server.recorded.external_networks.add(unquote(name))
            self._answer(200, {"Name": unquote(name), "Id": unquote(name), "Scope": "swarm", "Driver": "overlay"})
        elif name:
            self._answer(404, {"message": f"{name} not found"})
        else:
            there = [{"ID": f"id-of-{name}", "Spec": {"Name": name}} for name in names]
            answers = {"_ping": None, "info": MANAGER, "version": VERSION, "secrets": there, "configs": there}
            self._answer(200, answers.get(kind, []))

    def do_POST(self) -> None:
        kind = re.sub(r"^/v[0-9.]+", "", urlsplit(self.path).path).split("/")[1]
        body = json.loads(self._body() or b"{}")
        self.server.recorded.bodies[kind][body["Name"]] = body
        self._answer(201, {"ID": f"id-of-{body['Name']}", "Id": f"id-of-{body['Name']}", "Warning": ""})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status: int, content: Any) -> None:
        encoded = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Api-Version", API)
        self.send_header("Ostype", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)


def record(cli: Cli, files: Sequence[Path], variables: Mapping[str, str]) -> Recorded:
    engine = Engine()
    serving = threading.Thread(target=engine.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    serving.start()
    chosen = [part for file in files for part in ("-c", str(file))]
    with tempfile.TemporaryDirectory() as settings:
        ended = subprocess.run(
            [cli.program, "stack", "deploy", "--resolve-image", "never", *detach(cli), *chosen, STACK],
            env={
                "PATH": os.environ["PATH"],
                "DOCKER_CONFIG": settings,
                "DOCKER_HOST": f"tcp://127.0.0.1:{engine.server_port}",
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    engine.shutdown()
    engine.server_close()
    serving.join()
    engine.recorded.code, engine.recorded.stderr = ended.returncode, ended.stderr
    return engine.recorded


def detach(cli: Cli) -> list[str]:
    """CLIs since 26.0 can wait; here there is nothing to wait for."""
    return ["--detach=true"] if cli.version >= (26, 0) else []
