# SPDX-License-Identifier: GPL-3.0-or-later
"""One client of the app, from outside of the lab: cookies, long answers, and connections that are a WebSocket's."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import ssl
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path

from load import Door

PATIENCE_S = 30


@dataclass(frozen=True)
class Answer:
    status: int
    version: str
    replica: str
    client: str  # X-Forwarded-For, as the app got it
    scheme: str


@dataclass
class Visitor:
    """Keeps its cookies, whichever ingress node it asks. The certificate is checked."""

    host: str
    ca: Path
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, door: Door, **headers: str) -> Answer:
        with self._connected(door) as connection:
            told = self._exchange(connection, "/", {"Connection": "close", **headers})
        return Answer(told.status, *(told.headers.get(name, "") for name in ("x-version", "x-replica", "x-client", "x-scheme")))

    def lines(self, door: Door, seconds: float) -> list[int]:
        """Numbers, four a second, that the app has said until it was done, or until something in between cut it off."""
        with self._connected(door) as connection:
            told = self._exchange(connection, f"/lines?seconds={seconds}", {"Connection": "close"})
            try:
                text = told.read()
            except http.client.IncompleteRead as cut:
                text = cut.partial
        return [int(line) for line in text.split()]

    def converse(self, door: Door) -> Conversation:
        connection = self._connected(door)
        key = base64.b64encode(os.urandom(16)).decode()
        asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
        told = self._exchange(connection, "/", asked)
        if told.status != http.HTTPStatus.SWITCHING_PROTOCOLS:
            raise ConnectionError(f"{door.node}: {told.status} instead of a WebSocket")
        return Conversation(door, connection, told.headers["x-version"])

    def _connected(self, door: Door) -> ssl.SSLSocket:
        trust = ssl.create_default_context(cafile=str(self.ca))
        plain = socket.create_connection(("127.0.0.1", door.port), timeout=PATIENCE_S)
        return trust.wrap_socket(plain, server_hostname=self.host)

    def _exchange(self, connection: ssl.SSLSocket, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.host}", *(f"{name}: {value}" for name, value in {**cookies, **headers}.items())]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        for text in answer.headers.get_all("set-cookie", []):
            self.cookies |= {name: cookie.value for name, cookie in SimpleCookie(text).items()}
        return answer


@dataclass(frozen=True)
class Conversation:
    """An open WebSocket, as far as those in between know."""

    door: Door
    connection: ssl.SSLSocket
    version: str

    def say(self, text: str) -> str:
        """Which version answers, and what; empty when the connection has ended."""
        try:
            self.connection.sendall(text.encode())
            return self.connection.recv(1024).decode()
        except OSError:
            return ""

    def end(self) -> None:
        self.connection.close()
