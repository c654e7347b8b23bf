"""A guestbook: a page and a small JSON API over a PostgreSQL table.

It is an example of an app that is easy to keep running on a swarm: the password is a file, any number of replicas
can serve, `/health` says whether this one can, and a replica that is told to stop finishes what it has begun.

    GET  /             the page              POST /             sign it (a form: name, text)
    GET  /api/entries  the newest entries    POST /api/entries  sign it (JSON: name, text)
    GET  /api/about    version, node, task   GET  /health       200 when the database answers, else 503
"""

from __future__ import annotations

import html
import json
import logging
import os
import signal
import threading
import time
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qs

import psycopg
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool, PoolTimeout

LOG = logging.getLogger("guestbook")
PORT = 8000
SHOWN = 50
LONGEST = {"name": 60, "text": 500}
# Proxies look up who serves once a second: this long a stopping replica still answers those who have not yet noticed.
DRAIN_SECONDS = 3


@dataclass(frozen=True)
class About:
    """Which copy of the app this is."""

    version: str = os.environ.get("VERSION", "unknown")
    node: str = os.environ.get("NODE", "unknown")
    task: str = os.environ.get("TASK", "unknown")


@dataclass(frozen=True)
class Entry:
    name: str
    text: str
    written: datetime


class Entries:
    """The table of entries. It may be away for a while: every call says so, none waits for long."""

    def __init__(self) -> None:
        self.pool = ConnectionPool(
            kwargs={
                "host": os.environ.get("DB_HOST", "db"),
                "dbname": os.environ.get("DB_NAME", "guestbook"),
                "user": os.environ.get("DB_USER", "guestbook"),
                "password": Path(os.environ.get("DB_PASSWORD_FILE", "/run/secrets/db_password")).read_text().strip(),
                "connect_timeout": 2,
                # A database whose node died sends no farewell.
                "tcp_user_timeout": 3000,
            },
            min_size=1,
            max_size=8,
            timeout=4,
            reconnect_timeout=10,
            check=ConnectionPool.check_connection,
            open=True,
        )

    def prepare(self) -> None:
        """Make the table. Replicas start together, and PostgreSQL's IF NOT EXISTS alone does not keep them apart."""
        with self.pool.connection() as database:
            database.execute("SELECT pg_advisory_xact_lock(1)")
            database.execute(
                "CREATE TABLE IF NOT EXISTS entries (id bigserial PRIMARY KEY, name text NOT NULL, text text NOT NULL,"
                " written timestamptz NOT NULL DEFAULT now())"
            )

    def newest(self) -> list[Entry]:
        with self.pool.connection() as database, database.cursor(row_factory=class_row(Entry)) as cursor:
            cursor.execute("SELECT name, text, written FROM entries ORDER BY id DESC LIMIT %s", (SHOWN,))
            return cursor.fetchall()

    def add(self, name: str, text: str) -> None:
        with self.pool.connection() as database:
            database.execute("INSERT INTO entries (name, text) VALUES (%s, %s)", (name, text))

    def check(self) -> None:
        with self.pool.connection() as database:
            database.execute("SELECT 1 FROM entries LIMIT 1")


class Guestbook(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, entries: Entries) -> None:
        super().__init__(("", PORT), Visit)
        self.entries = entries
        self.about = About()


class Visit(BaseHTTPRequestHandler):
    """One request. HTTP/1.0 on purpose: an answer ends its connection, so stopping leaves none behind."""

    server: Guestbook
    timeout = 10

    def do_GET(self) -> None:
        self.route({"/": self.show_page, "/health": self.show_health, "/api/about": self.show_about, "/api/entries": self.show_entries})

    def do_POST(self) -> None:
        self.route({"/": self.sign_by_form, "/api/entries": self.sign_by_json})

    def route(self, answers: dict[str, Any]) -> None:
        answer = answers.get(self.path.partition("?")[0])
        if answer is None:
            return self.send_json({"error": "there is no such page"}, HTTPStatus.NOT_FOUND)
        try:
            answer()
        except ValueError as error:
            self.send_json({"error": str(error)}, HTTPStatus.BAD_REQUEST)
        except (psycopg.OperationalError, PoolTimeout):
            self.send_json({"error": "the database does not answer"}, HTTPStatus.SERVICE_UNAVAILABLE)

    def show_page(self) -> None:
        about = self.server.about
        entries = "\n".join(
            ENTRY.substitute(name=html.escape(entry.name), text=html.escape(entry.text), written=f"{entry.written:%Y-%m-%d %H:%M}")
            for entry in self.server.entries.newest()
        )
        # Each version has a colour of its own, so that a new one is seen at a glance.
        hue = zlib.crc32(about.version.encode()) % 360
        page = PAGE.substitute({key: html.escape(value) for key, value in asdict(about).items()}, entries=entries, hue=hue)
        self.send(page, "text/html; charset=utf-8")

    def show_health(self) -> None:
        self.server.entries.check()
        self.send_json({"status": "ok", **asdict(self.server.about)})

    def show_about(self) -> None:
        self.send_json(asdict(self.server.about))

    def show_entries(self) -> None:
        entries = [asdict(entry) for entry in self.server.entries.newest()]
        self.send_json({"entries": entries, **asdict(self.server.about)})

    def sign_by_form(self) -> None:
        fields = parse_qs(self.body())
        self.sign({key: values[0] for key, values in fields.items()})
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", "/")
        self.end_headers()

    def sign_by_json(self) -> None:
        fields = json.loads(self.body())
        if not isinstance(fields, dict):
            raise ValueError("send an object with name and text")
        self.sign(fields)
        self.send_json({"status": "signed", **asdict(self.server.about)}, HTTPStatus.CREATED)

    def sign(self, fields: dict[str, Any]) -> None:
        values = {key: str(fields.get(key, "")).replace("\0", "").strip() for key in LONGEST}
        for key, value in values.items():
            if not 0 < len(value) <= LONGEST[key]:
                raise ValueError(f"{key} must have 1 to {LONGEST[key]} characters")
        self.server.entries.add(**values)

    def body(self) -> str:
        length = int(self.headers.get("Content-Length", 0))
        if not 0 <= length <= 10_000:
            raise ValueError("send at most 10000 bytes")
        return self.rfile.read(length).decode()

    def send_json(self, content: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send(json.dumps(content, default=str) + "\n", "application/json", status)

    def send(self, content: str, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        body = content.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if self.path != "/health":
            super().log_request(code, size)


ENTRY = Template("<article><p>$text</p><footer>$name, <time>$written</time></footer></article>")
PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Guestbook</title>
<style>
  :root { --accent: hsl($hue 65% 40%); color-scheme: light dark; }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 0 auto; padding: 0 1rem 3rem; }
  header { border-bottom: .3rem solid var(--accent); margin-bottom: 1rem; }
  h1 { margin-bottom: 0; }
  form { display: grid; gap: .5rem; margin-bottom: 2rem; }
  input, textarea, button { font: inherit; padding: .5rem; border: 1px solid #8888; border-radius: .3rem; }
  button { background: var(--accent); color: white; border: 0; cursor: pointer; }
  article { border-left: .2rem solid var(--accent); padding-left: 1rem; margin: 1rem 0; }
  article p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
  footer, small { opacity: .7; }
</style>
<header><h1>Guestbook</h1><small>version $version, served by $task on node $node</small></header>
<form method="post">
  <input name="name" placeholder="Your name" maxlength="60" required>
  <textarea name="text" placeholder="What you would like to leave here" maxlength="500" required></textarea>
  <button>Sign</button>
</form>
$entries
</html>
""")


def prepare(entries: Entries, stopping: threading.Event) -> None:
    """Wait for the database with the server already listening, so that /health can say what is missing."""
    while not stopping.wait(1):
        try:
            entries.prepare()
            break
        except (psycopg.OperationalError, PoolTimeout) as error:
            LOG.warning("waiting for the database: %s", error)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    entries = Entries()
    server = Guestbook(entries)
    threading.Thread(target=server.serve_forever).start()
    LOG.info("guestbook %s listens on port %s", server.about.version, PORT)
    prepare(entries, stopping)
    stopping.wait()
    LOG.info("told to stop: finishing what has begun")
    time.sleep(DRAIN_SECONDS)
    server.shutdown()
    server.server_close()
    entries.pool.close()


if __name__ == "__main__":
    main()
