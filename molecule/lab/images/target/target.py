# SPDX-License-Identifier: GPL-3.0-or-later
"""The app that load is made on: every answer says its version, its node, which secret it has read, when, and for whom.

/                   ?seconds=N takes so long
/lines?seconds=N    a line every quarter of a second, for so long
Upgrade: websocket  from then on whatever is sent comes back, behind the version

VERSION   what it calls itself
BEHAVE    well; errors (answers 500); crash (ends after two seconds, again and again); sick (its health check fails)
ON_TERM   drain (answers for three more seconds, finishes what it has begun); exit (ends at once)
"""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PORT = 8000
SECRET = Path("/run/secrets/token")
# Proxies look up who serves once a second: this long a stopping replica still answers those who have not yet noticed.
DRAIN_SECONDS = 3
CRASH_SECONDS = 2
BEHAVE = os.environ.get("BEHAVE", "well")
ABOUT = {
    "X-Version": os.environ.get("VERSION", "unknown"),
    "X-Node": os.environ.get("NODE", "unknown"),
    "X-Replica": socket.gethostname(),
    "X-Secret": hashlib.sha256(SECRET.read_bytes()).hexdigest()[:6] if SECRET.exists() else "none",
}
# What a server of WebSockets puts behind the client's key (RFC 6455, 1.3).
WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
STOPPING = threading.Event()


class Target(ThreadingHTTPServer):
    """Ends when every request that it has begun is answered; connections that only wait for one do not hold it up."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("", PORT), Visit)
        self.idle = threading.Condition()
        self.busy = 0

    def count(self, more: int) -> None:
        with self.idle:
            self.busy += more
            self.idle.notify_all()

    def drained(self) -> None:
        with self.idle:
            self.idle.wait_for(lambda: not self.busy, timeout=10)


class Visit(BaseHTTPRequestHandler):
    """Connections are kept, as most servers do: this is what makes stopping hard."""

    server: Target
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.reached = time.time()
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return self.converse()
        if self.path.startswith("/lines"):
            return self.tell()
        if self.path == "/health":
            return self.answer(HTTPStatus.SERVICE_UNAVAILABLE if BEHAVE == "sick" else HTTPStatus.OK)
        return self.answer(HTTPStatus.INTERNAL_SERVER_ERROR if BEHAVE == "errors" else HTTPStatus.OK)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    @property
    def seconds(self) -> float:
        return float(parse_qs(urlsplit(self.path).query).get("seconds", ["0"])[0])

    def begin(self, status: HTTPStatus) -> None:
        self.send_response(status)
        for name, value in ABOUT.items():
            self.send_header(name, value)
        self.send_header("X-Reached", str(self.reached))
        self.send_header("X-Client", self.headers.get("X-Forwarded-For", "unknown"))
        self.send_header("X-Scheme", self.headers.get("X-Forwarded-Proto", "unknown"))

    def converse(self) -> None:
        """Until the other side has enough: nobody waits for it when this app ends."""
        key = self.headers.get("Sec-WebSocket-Key", "") + WEBSOCKET
        self.begin(HTTPStatus.SWITCHING_PROTOCOLS)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest()).decode())
        self.end_headers()
        self.close_connection = True
        while said := self.connection.recv(1024):
            self.connection.sendall(f"{ABOUT['X-Version']} {said.decode()}".encode())

    def tell(self) -> None:
        self.server.count(1)
        try:
            self.begin(HTTPStatus.OK)
            self.send_header("Connection", "close")
            self.end_headers()
            for number in range(int(self.seconds * 4)):
                self.wfile.write(f"{number}\n".encode())
                time.sleep(0.25)
        finally:
            self.server.count(-1)

    def answer(self, status: HTTPStatus) -> None:
        self.server.count(1)
        try:
            time.sleep(self.seconds)
            self.begin(status)
            if STOPPING.is_set():
                # whoever keeps this connection shall not send another request on it
                self.send_header("Connection", "close")
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"ok\n")
        finally:
            self.server.count(-1)

    def log_message(self, *_: object) -> None:
        """Thousands of lines that nobody reads."""


def main() -> None:
    if os.environ.get("ON_TERM", "drain") == "drain":
        signal.signal(signal.SIGTERM, lambda *_: STOPPING.set())
    else:
        # PID 1 has no default for it
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    time.sleep(float(os.environ.get("START", "0")))
    server = Target()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if BEHAVE == "crash":
        time.sleep(CRASH_SECONDS)
        os._exit(1)
    STOPPING.wait()
    time.sleep(DRAIN_SECONDS)
    server.shutdown()
    server.drained()


if __name__ == "__main__":
    main()
