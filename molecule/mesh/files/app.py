# SPDX-License-Identifier: GPL-3.0-or-later
"""Says which task it is. Its health check fails as soon as there is a file /sick; it goes on answering all the same."""

from __future__ import annotations

import os
import signal
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        sick = self.path == "/health" and Path("/sick").exists()
        self.send_response(HTTPStatus.SERVICE_UNAVAILABLE if sick else HTTPStatus.OK)
        self.end_headers()
        self.wfile.write(os.environ["TASK"].encode())

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is the base class's
        """Thousands of requests need no log."""


class Server(ThreadingHTTPServer):
    request_queue_size = 128


if __name__ == "__main__":
    # The first process of a container ends at a signal only if it says so.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    Server(("", 80), Answer).serve_forever()
