# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo`: three bare machines, one playbook, and a guestbook that answers over HTTPS through every one of them."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
LAB = os.environ.get("LAB_NAME") or "default"
HOME = ROOT / ".lab" / LAB
INVENTORY = ROOT / ".lab" / ("inventory.yml" if LAB == "default" else f"{LAB}/inventory.yml")
VARIABLES = ROOT / "molecule" / "lab" / "demo.yml"
LOG = HOME / "demo.log"
CA = INVENTORY.parent / "ingress-ca.crt"  # where demo.yml has it fetched
HOST = "guestbook.home.arpa"
SHAPE = {"LAB_BARE": "1", "LAB_RELEASE": "bookworm,trixie"}
# What the commands shown need in front of them to mean this lab.
PREFIX = "" if LAB == "default" else f"LAB_NAME={LAB} "
# A release for the hand: it waits to be promoted.
RELEASE = ("-e", "guestbook_version=1.1", "-e", "guestbook_strategy=blue_green")
# One node after the other comes to know the app; nothing here is slower than this.
ANSWER_WITHIN_S = 60
# Enough to see that more than one replica answers.
QUESTIONS = 6

# What of ansible-playbook's output says how far it is; the rest goes to the log.
TASK = re.compile(r"^(?:RUNNING HANDLER|TASK) \[(?:homecloud\.swarm\.)?(.*?)\] \**$")
CHECKS_OPTIONS = re.compile(r"Validating arguments against arg spec")
PLAY = re.compile(r"^PLAY \[(.*?)\]")
PROGRESS = re.compile(r"^\S+: \d+/\d+ ")
RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)")


class DemoError(Exception):
    """What went wrong, and where to look."""


def playbook_command(*extra: str, playbook: str = "site") -> list[str]:
    inventory, variables = (str(path.relative_to(ROOT)) for path in (INVENTORY, VARIABLES))
    return [".venv/bin/ansible-playbook", f"homecloud.swarm.{playbook}", "-i", inventory, "-e", f"@{variables}", *extra]


def headline(text: str) -> None:
    print(f"\n== {text}", flush=True)


def start_lab() -> None:
    lab = [sys.executable, "molecule/lab/lab.py", "up"]
    if subprocess.run(lab, cwd=ROOT, env={**SHAPE, **os.environ}, check=False).returncode:
        raise DemoError("The lab did not start; the line above says why.")


def run_playbook() -> None:
    LOG.parent.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(playbook_command(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout
    since_task: list[str] = []
    began, last = time.monotonic(), ""
    with LOG.open("w") as log:
        for line in process.stdout:
            log.write(line)
            log.flush()
            since_task = [line] if TASK.match(line) else [*since_task, line]
            shown = summary(line)
            if shown and shown != last:
                print(f"  {clock(time.monotonic() - began)}  {shown}", flush=True)
                last = shown
    if process.wait():
        print("".join(since_task))
        raise DemoError(f"The playbook failed; {LOG.relative_to(ROOT)} has all it said.")


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def summary(line: str) -> str:
    """How a line of ansible-playbook's output is shown; nothing for most."""
    if play := PLAY.match(line):
        return play[1]
    if (task := TASK.match(line)) and not CHECKS_OPTIONS.search(line):
        return f"  {task[1].replace(' : ', ': ')}"
    if PROGRESS.match(line):
        return f"    {line.rstrip()}"
    if recap := RECAP.match(line):
        return f"{recap[1]}: {recap[2]} tasks, {recap[3]} changed, {int(recap[4]) + int(recap[5])} failed"
    return ""


class Through(http.client.HTTPSConnection):
    """HTTPS to the app by its name, over one node's port on this machine; the certificate is checked against the app's CA."""

    def __init__(self, port: int) -> None:
        self._trust = ssl.create_default_context(cafile=str(CA))
        self._node_port = port
        super().__init__(HOST, timeout=10)

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self._node_port), self.timeout)
        self.sock = self._trust.wrap_socket(plain, server_hostname=HOST)


def ask(port: int) -> dict[str, Any]:
    """What the guestbook says about the replica that answers, asked through this node; waits until it answers."""
    deadline = time.monotonic() + ANSWER_WITHIN_S
    while True:
        try:
            connection = Through(port)
            connection.request("GET", "/api/about")
            answer = connection.getresponse()
            if answer.status == http.HTTPStatus.OK:
                about: dict[str, Any] = json.load(answer)
                return about
            problem = f"HTTP {answer.status}"
        except (OSError, http.client.HTTPException) as error:
            problem = str(error)
        if time.monotonic() > deadline:
            raise DemoError(f"https://{HOST} does not answer on port {port}: {problem}")
        time.sleep(1)


def nodes() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(INVENTORY.read_text())["all"]["children"]
    return {name: settings for group in groups.values() for name, settings in (group["hosts"] or {}).items()}


def ask_everywhere() -> int:
    ports = {name: int(settings["lab_https_port"]) for name, settings in nodes().items()}
    for name, port in ports.items():
        answers = [ask(port) for _question in range(QUESTIONS)]
        (version,) = {about["version"] for about in answers}
        replicas = sorted({f"{about['task'].rsplit('.', 1)[0]} on {about['node']}" for about in answers})
        print(f"  through {name} (127.0.0.1:{port}): guestbook {version}, {QUESTIONS} answers by {', '.join(replicas)}")
    return min(ports.values())


def curl(port: int) -> str:
    return shlex.join(
        ["curl", "--cacert", str(CA.relative_to(ROOT)), "--resolve", f"{HOST}:{port}:127.0.0.1", f"https://{HOST}:{port}/api/about"]
    )


def show_the_way(port: int, seconds: float) -> None:
    victim = max(nodes())
    headline(f"Done in {clock(seconds)}: https://{HOST}:{port}")
    print(f"""
  Open it:          {curl(port)}
  In a browser:     add "127.0.0.1 {HOST}" to /etc/hosts and import {CA.relative_to(ROOT)}

  Try next
  Scale it:         {shlex.join(playbook_command("-e", "guestbook_replicas=4"))}
  A new version:    {shlex.join(playbook_command("-e", "guestbook_version=1.1"))}
  Take it back:     {shlex.join(playbook_command("-e", "stack=guestbook", "-e", "revision=1", playbook="rollback"))}
  Blue-green:       {shlex.join(playbook_command(*RELEASE))}
                    starts 1.1 beside the version that serves, shown at preview.{HOST} alone; then give it all requests:
                    {shlex.join(playbook_command(*RELEASE, "-e", "stack=guestbook", "-e", "step=promote", playbook="release"))}
  Kill a node:      {PREFIX}.venv/bin/python molecule/lab/lab.py fault kill {victim}
                    and open it again: the others answer. ({PREFIX}… fault start {victim} brings it back)

  Remove it all:    {PREFIX}make lab-down""")


def main() -> int:
    began = time.monotonic()
    try:
        headline("1/3 Three bare Debian machines (12 and 13 mixed), reached by SSH")
        start_lab()
        headline("2/3 From bare machines to a running app: ansible-playbook homecloud.swarm.site")
        run_playbook()
        headline("3/3 Ask the guestbook over HTTPS through every node, checking its certificate")
        port = ask_everywhere()
    except DemoError as error:
        print(f"\nmake demo: {error}", file=sys.stderr)
        return 1
    show_the_way(port, time.monotonic() - began)
    return 0


if __name__ == "__main__":
    sys.exit(main())
