# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a value that nobody may see could be seen all the same, and the search for it. What a value is, is told by standard input only."""

from __future__ import annotations

import base64
import contextlib
import json
import lzma
import re
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# What shows a place of a node, as a shell command.
PLACES = {
    "environment of a process": "cat /proc/[0-9]*/environ",
    "arguments of a process": "cat /proc/[0-9]*/cmdline",
    "container": "docker ps --all --quiet | xargs --no-run-if-empty docker inspect",
    "image": "docker images --quiet | sort -u | xargs --no-run-if-empty docker image inspect",
    "log of a container": "docker ps --all --quiet | xargs --no-run-if-empty -n 1 docker logs 2>&1",
    "journal": "journalctl --output cat --no-pager",
    "file": "grep --recursive --text --no-messages . /etc /home /root /tmp /var/log /var/tmp --exclude-dir journal",
}
# What only a manager knows.
SWARM = {
    kind: f"docker {kind} ls --quiet | xargs --no-run-if-empty docker {kind} inspect"
    for kind in ("service", "secret", "config", "network", "node")
}
SWARM["task"] = "docker service ls --quiet | xargs --no-run-if-empty docker service ps --quiet | xargs --no-run-if-empty docker inspect"
PATTERN = "/run/wanted"
RECORD = "homecloud.swarm.revision"
# Of a wait that is left and taken up, which travels packed: the letters it is written in.
PACKED = re.compile("[\N{BRAILLE PATTERN BLANK}-\N{BRAILLE PATTERN DOTS-12345678}]{20,}")
FIRST = 0x2800


def forms(value: str) -> list[str]:
    """The value plain, in hexadecimal, and in base64 of whatever it is a part of."""
    raw = value.encode()
    # how many bytes stand before it decides its letters; those that it shares with its neighbours do not count
    shifted = [
        base64.b64encode(b"\0" * before + raw).decode()[shared : (before + len(raw)) * 8 // 6] for before, shared in enumerate((0, 2, 3))
    ]
    return [value, raw.hex(), *shifted]


def hidden_in(text: str, *values: str) -> set[str]:
    """Those of the values that the text tells, in any form."""
    return {value for value in values if any(form in text for form in forms(value))}


def printed(output: str) -> str:
    """What was printed, with what stands in it packed."""
    unpacked = [zlib.decompress(bytes(ord(letter) - FIRST for letter in found)).decode() for found in PACKED.findall(output)]
    return "\n".join([output, *unpacked])


def told(get: Callable[[str], Any]) -> str:
    """Everything that a swarm shows somebody who may ask its engine, records unpacked."""
    shown = {path: get(path) for path in ("/services", "/tasks", "/secrets", "/configs", "/networks", "/nodes")}
    records = [item["Spec"]["Data"] for item in shown["/configs"] if RECORD in (item["Spec"].get("Labels") or {})]
    return "\n".join([json.dumps(shown), *map(_unpacked, records)])


def _unpacked(record: str) -> str:
    try:
        return lzma.decompress(base64.b64decode(record)).decode()
    except lzma.LZMAError:
        # damaged on purpose
        return record


def found(run: Callable[[str, str], str], values: Iterable[str], places: Mapping[str, str]) -> set[str]:
    """The places of a node where one of the values can be seen. ``run`` runs a script with this on its standard input."""
    search = f"grep --text --quiet --fixed-strings --file {PATTERN}"
    looks = [f"if ({show}) | {search}; then echo '{place}'; fi" for place, show in places.items()]
    script = "\n".join([f"umask 077; cat > {PATTERN}", *looks, f"rm {PATTERN}"])
    return set(run(script, "\n".join(form for value in values for form in forms(value))).splitlines())


# Looks again and again, until its standard input ends, and prints each thing that it sees once.
WATCHMAN = """
import glob, json, os, sys, threading, time
wanted = {name: [form.encode() for form in forms] for name, forms in json.loads(sys.stdin.readline()).items()}
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
places = {"environment": ["/proc/[0-9]*/environ"], "arguments": ["/proc/[0-9]*/cmdline"]}
seen = set()
def look(place, path):
    try:
        with open(path, "rb") as file:
            text = file.read(1 << 22)
    except OSError:
        return
    for name, forms in wanted.items():
        if (name, place) not in seen and any(form in text for form in forms):
            seen.add((name, place))
            print(json.dumps([name, place]), flush=True)
rounds = 0
while True:
    rounds += 1
    began = time.monotonic()
    for place, patterns in places.items():
        for path in (path for pattern in patterns for path in glob.glob(pattern)):
            look(place, path)
    for folder in sys.argv[1:]:
        for below, _folders, names in os.walk(folder):
            for name in names:
                path = os.path.join(below, name)
                if os.path.isfile(path):
                    look("file", path)
    # a tenth of a processor at most: what is watched needs it
    if ended.wait(max(0.1, 9 * (time.monotonic() - began))):
        break
print(json.dumps(["rounds", str(rounds)]), flush=True)
"""
# Where modules leave what they leave. What is open only to the engine and its containers is not among it.
TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm", "/root", "/home")  # noqa: S108 - only looked at
Seen = tuple[str, str]


@dataclass
class Watch:
    """One machine that is looked at while things are done."""

    process: subprocess.Popen[str]
    seen: set[Seen] = field(default_factory=set)
    rounds: int = 0

    def follow(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            name, place = json.loads(line)
            if name == "rounds":
                self.rounds = int(place)
            else:
                self.seen.add((name, place))


@contextlib.contextmanager
def watched(start: Callable[..., subprocess.Popen[str]], wanted: Mapping[str, Sequence[str]], *folders: str) -> Iterator[Watch]:
    """Arguments and environments of processes and files below the folders, looked at for the named values in all forms until the end.

    ``start`` starts a command on the machine, with pipes.
    """
    with start("python3", "-c", WATCHMAN, *folders) as process:
        watch = Watch(process)
        follower = threading.Thread(target=watch.follow)
        follower.start()
        assert process.stdin
        try:
            patterns = {name: [form for value in values for form in forms(value)] for name, values in wanted.items()}
            process.stdin.write(json.dumps(patterns) + "\n")
            process.stdin.flush()
            yield watch
        finally:
            process.stdin.close()
            follower.join()
    assert process.returncode == 0, "the watchman fell"


def start_here(*command: str) -> subprocess.Popen[str]:
    """On this machine, where Ansible runs."""
    python = {"python3": sys.executable}
    return subprocess.Popen([python.get(command[0], command[0]), *command[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
