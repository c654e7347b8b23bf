# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thin client for the Engine API: raw dictionaries in and out, errors mapped, writes counted.

The only importer of the docker SDK. Its typed helpers lack fields and attach registry credentials unasked,
so only the connection and the HTTP session are used, which are the same from SDK 5.0.3 to 7.x.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ._errors import (
    EngineError,
    EngineMissingError,
    EngineUnreachableError,
    InSwarmError,
    InUseError,
    LockedError,
    NameTakenError,
    NotFoundError,
    NotInSwarmError,
    NotManagerError,
    OutOfSequenceError,
    PluginMissingError,
    PortTakenError,
    QuorumLostError,
    RefusedError,
    SdkMissingError,
    SwarmError,
)

try:
    import docker
    import docker.auth
    import docker.errors
    import docker.tls
    import requests.exceptions

    SDK_PROBLEM: str | None = None
except ImportError as problem:
    SDK_PROBLEM = str(problem)

Result = TypeVar("Result")

#: A version of the Engine API.
VERSION = re.compile(r"[0-9]+\.[0-9]+")

#: What the engine says, after the path it was asked for -> what it means. The first row that fits is taken; texts come from
#: swarmkit and the daemon.
MEANINGS: tuple[tuple[str, type[EngineError]], ...] = (
    ("update out of sequence", OutOfSequenceError),
    ('Use "docker swarm init"', NotInSwarmError),
    ("is not part of a swarm", NotInSwarmError),
    ("is already part of a swarm", InSwarmError),
    ("is not a swarm manager", NotManagerError),
    ("does not have a leader", QuorumLostError),
    # the silence of a registry, or of any other server whose address it names, tells nothing of the swarm
    ("/distribution/", EngineError),
    ("://", EngineError),
    ("context deadline exceeded", QuorumLostError),
    ("lost leader status", QuorumLostError),
    # what a manager hears that was just asking the leader on our behalf
    ("transport is closing", QuorumLostError),
    ("is encrypted and needs to be unlocked", LockedError),
    (" is in use by ", InUseError),
    ("has active endpoints", InUseError),
    ("is already in use by service", PortTakenError),
    ("already exists", NameTakenError),
    # it has looked for one for 15 s by then
    ('plugin "', PluginMissingError),
    ("not found", NotFoundError),
)

#: Where the engine's own words are about its command line.
SENTENCES: Mapping[type[EngineError], str] = {
    NotInSwarmError: "The engine at {address} is in no swarm: make or join one first (homecloud.swarm.cluster).",
    InSwarmError: "The engine at {address} is in a swarm already: let it leave that one first (homecloud.swarm.cluster state: absent).",
    NotManagerError: "The engine at {address} is a worker of its swarm, and only a manager can do this: run the task on a manager.",
    QuorumLostError: "The swarm of the engine at {address} has lost its quorum, as too few of its managers answer: bring the others back.",
    PluginMissingError: "The engine at {address} refused: {message}; install that plugin on every manager, or name another driver.",
    LockedError: "The engine at {address} is a locked manager: unlock it first (homecloud.swarm.cluster with unlock_key).",
}


@dataclass(frozen=True)
class Connection:
    """Where the engine is and how to reach it; the defaults are the SDK's own."""

    docker_host: str = "unix:///var/run/docker.sock"
    api_version: str = "auto"
    timeout: int = 60
    tls: bool = False
    validate_certs: bool = False
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None


@dataclass
class Engine:
    """One engine. Paths are relative to the API version: ``engine.get("/services")``."""

    client: Any
    address: str
    writes: int = field(default=0)

    @property
    def api_version(self) -> tuple[int, int]:
        """The negotiated API version, for example (1, 41)."""
        return api_version(str(self.client.api_version))

    def get(
        self,
        path: str,
        filters: Mapping[str, list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> Any:
        """Read an object or a list; the answer as the engine gives it."""
        if filters:
            query["filters"] = json.dumps(filters)
        return self._call("GET", path, params=query, headers=dict(headers or {}))

    def find(self, path: str, **query: Any) -> Any | None:
        """Read an object that may be absent."""
        try:
            return self.get(path, **query)
        except NotFoundError:
            return None

    def post(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None, **query: Any) -> Any:
        """Create or change something. Nothing is dropped from the body, nothing added."""
        self.writes += 1
        return self._call("POST", path, params=query, json=body, headers=dict(headers or {}))

    def delete(self, path: str, **query: Any) -> None:
        """Remove an object; one that is already gone is fine."""
        self.writes += 1
        try:
            self._call("DELETE", path, params=query)
        except NotFoundError:
            return

    def info(self) -> dict[str, Any]:
        """What the engine says of itself, its place in a swarm included."""
        answer: dict[str, Any] = self.get("/info")
        return answer

    def stored_auth(self, registry: str) -> dict[str, Any] | None:
        """The credentials for a registry in this node's docker configuration, credential helpers included."""
        with _Mapped(self.address):
            found: dict[str, Any] | None = docker.auth.load_config().resolve_authconfig(registry)
        return found

    def logs(self, path: str, tail: int, tty: bool, timeout: float) -> str:
        """The last lines of a task's or service's log, standard output and error in one text; a terminal's comes without frames."""
        with _Mapped(self.address):
            answer = self._send("GET", path, timeout=timeout, params={"stdout": 1, "stderr": 1, "tail": tail})
            return answer.content.decode("utf-8", "replace") if tty else "".join(_log_lines(answer.content))

    def _call(self, method: str, path: str, **request: Any) -> Any:
        with _Mapped(self.address):
            answer = self._send(method, path, **request)
        if not answer.content:
            return None
        if "json" in answer.headers.get("Content-Type", ""):
            return answer.json()
        return answer.text

    def _send(self, method: str, path: str, **request: Any) -> Any:
        url = f"{self.client.base_url}/v{self.client.api_version}{path}"
        answer = self.client.request(method, url, **{"timeout": self.client.timeout, **request})
        if answer.status_code >= 400:
            raise api_error(answer.status_code, _message_of(answer), self.address, path)
        return answer


class _Mapped:
    """Turns what the transport raises into one of ours."""

    def __init__(self, address: str) -> None:
        self.address = address

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, (docker.errors.DockerException, requests.exceptions.RequestException, OSError)):
            raise unreachable(self.address, problem) from problem


def api_version(text: str) -> tuple[int, int]:
    """ "1.41" as something that compares: (1, 41)."""
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def connect(connection: Connection) -> Engine:
    """Open a connection, the API version negotiated.

    Raises SdkMissingError without the SDK, RefusedError for what leads to no engine, EngineUnreachableError when none answers.
    """
    if SDK_PROBLEM:
        raise SdkMissingError(
            f"The Python SDK for Docker is missing on this node ({SDK_PROBLEM}); install python3-docker there, "
            "or run the role homecloud.swarm.docker_engine, which does."
        )
    address, version = connection.docker_host, connection.api_version
    if version.lower() != "auto" and not VERSION.fullmatch(version):
        raise RefusedError(f"api_version: '{version}' is no version of the Engine API; write it like 1.41, or auto.")
    tls = _tls(connection)
    try:
        _checked = urlsplit(address).port  # which older SDKs do not look at
        with _Mapped(address):
            client = docker.APIClient(base_url=address, version=version, timeout=connection.timeout, tls=tls)
    except ValueError as problem:
        raise RefusedError(
            f"docker_host: '{address}' is no address of an engine ({problem}); write it like unix:///var/run/docker.sock or "
            "tcp://192.0.2.10:2376."
        ) from problem
    return Engine(client, address)


def _tls(connection: Connection) -> Any:
    """TLS as the SDK takes it; where a file is missing, it would name none of our options."""
    if not (connection.tls or connection.validate_certs):
        return False
    ca = connection.ca_path if connection.validate_certs else None
    pair = (connection.client_cert, connection.client_key) if connection.client_cert and connection.client_key else None
    cert, key = pair or (None, None)
    for option, path in (("ca_path", ca), ("client_cert", cert), ("client_key", key)):
        if path and not Path(path).is_file():
            raise RefusedError(f"{option}: there is no file {path} on this node; put it there, or correct the path.")
    return docker.tls.TLSConfig(client_cert=pair, ca_cert=ca, verify=connection.validate_certs)


#: What the system says of an engine that does not answer -> what it means, and what to do about it.
SILENCES: tuple[tuple[str, type[EngineUnreachableError], str], ...] = (
    (
        "Permission",
        EngineUnreachableError,
        "this user may not open the socket; use become: true, or add the user to the group docker",
    ),
    (
        "No such file",
        EngineMissingError,
        "there is no such socket; install and start the engine (role homecloud.swarm.docker_engine), or set docker_host",
    ),
    (
        "refused",
        EngineUnreachableError,
        "nothing listens there; start the engine (systemctl start docker), or set docker_host",
    ),
    ("timed out", EngineUnreachableError, "no answer in time; look at the engine's log, or raise timeout"),
)


def unreachable(address: str, problem: BaseException) -> SwarmError:
    """The sentence for an engine that does not answer, by what the system said."""
    text = str(problem)
    for words, kind, mend in SILENCES:
        if words in text:
            return kind(f"No Docker engine answers at {address}: {mend}.")
    return EngineUnreachableError(f"No Docker engine answers at {address}: {text}; check docker_host and the TLS options.")


def api_error(status: int, message: str, address: str, path: str = "") -> EngineError:
    """The engine's own words, classed by what they mean for the caller."""
    told = f"{path}: {message}"
    kind = next((kind for words, kind in MEANINGS if words in told), NotFoundError if status == 404 else EngineError)
    return kind(SENTENCES.get(kind, "The engine at {address} refused: {message}").format(address=address, message=message), status)


def retried(attempt: Callable[[], Result], times: int = 5) -> Result:
    """Call again when the object changed under our hands. ``attempt`` reads, plans and writes anew each time.

    Version.Index is the raft index: it moves on every status change, so conflicts are ordinary during an update.
    """
    for _unused in range(times - 1):
        try:
            return attempt()
        except OutOfSequenceError:
            continue
    return attempt()


def _message_of(answer: Any) -> str:
    try:
        message = answer.json()["message"]
    except (ValueError, KeyError, TypeError):
        message = answer.text
    # grpc wraps the sentence; what stands behind "desc = " is what a person needs
    return str(message).strip().rpartition("desc = ")[2]


def _log_lines(stream: bytes) -> Iterator[str]:
    """Split the multiplexed log stream: an 8-byte header (stream, length) before each frame."""
    while len(stream) >= 8:
        length = int.from_bytes(stream[4:8], "big")
        yield stream[8 : 8 + length].decode("utf-8", "replace")
        stream = stream[8 + length :]
