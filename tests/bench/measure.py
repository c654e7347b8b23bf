"""What every bench needs: a lab, a playbook whose tasks are timed, figures against aims, and a table of them."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pythons import CACHE, ROOT

FILES = CACHE / "bench"
#: How often an aim may be missed by before the bench fails: a busy machine moves figures, not by this much.
FAR = 2.0


@dataclass(frozen=True)
class Samples:
    """Repeated measurements of one thing, in seconds."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def least(self) -> float:
        return min(self.seconds)

    def __str__(self) -> str:
        return f"{self.median:.2f} s ({self.least:.2f} to {max(self.seconds):.2f})"


@dataclass(frozen=True)
class Aim:
    """A figure and the most it shall be. ``fair`` figures do not depend on how busy the machine is, so missing one far is a failure."""

    what: str
    figure: float
    limit: float
    unit: str = ""
    fair: bool = False

    @property
    def met(self) -> bool:
        return self.figure <= self.limit

    @property
    def failed(self) -> bool:
        return self.fair and self.figure > FAR * self.limit

    def __str__(self) -> str:
        verdict = "met" if self.met else "MISSED, and by far" if self.failed else "missed"
        return f"{self.what}: {self.figure:.2f}{self.unit}, aim at most {self.limit:g}{self.unit}: {verdict}"


@contextmanager
def lab(name: str, **shape: str) -> Iterator[Path]:
    """A lab of this shape, as LAB_… variables without their prefix; yields its inventory and removes it in the end."""
    command = [sys.executable, str(ROOT / "molecule" / "lab" / "lab.py")]
    environment = {**os.environ, "LAB_NAME": name, **{f"LAB_{key.upper()}": value for key, value in shape.items()}}
    # a lab of this name that another checkout has made is refused, and stays
    if subprocess.run([*command, "up"], env=environment, check=False).returncode:
        sys.exit("There is no lab to measure on, see above.")
    # What a time limit sends must not leave the lab behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("The bench was stopped."))
    try:
        yield ROOT / ".lab" / name / "inventory.yml"
    finally:
        subprocess.run([*command, "down"], env=environment, check=True)


@dataclass(frozen=True)
class Task:
    """A task that was played, with how long it took."""

    name: str
    seconds: float
    changed: bool


def play(tasks: Sequence[Mapping[str, Any]], inventory: Path, hosts: str, python: Path) -> list[Task]:
    """Play the tasks on one host with that Python's ansible-playbook; ends the bench with its output where one fails."""
    FILES.mkdir(parents=True, exist_ok=True)
    playbook, record = FILES / "playbook.yml", FILES / "tasks.jsonl"
    playbook.write_text(json.dumps([{"hosts": hosts, "gather_facts": False, "tasks": tasks}]))
    record.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]]),
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests" / "plugins" / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "task_seconds",
        "TASK_SECONDS_FILE": str(record),
    }
    ran = subprocess.run(
        ["ansible-playbook", "-i", str(inventory), str(playbook)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        sys.exit(f"{ran.stdout}\n{ran.stderr}\nThe playbook {playbook} failed; its last task above says why.")
    lines = map(json.loads, record.read_text().splitlines())
    return [Task(line["task"], line["seconds"], line["changed"]) for line in lines]


def versions(python: Path) -> str:
    """Which ansible-core and which collection it is compared with, for the reader of the table."""
    command = [str(python.parent / "ansible-galaxy"), "collection", "list", "community.docker", "--format", "yaml"]
    listed = yaml.safe_load(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    (found,) = {version["version"] for collections in listed.values() for version in collections.values()}
    asked = subprocess.run(
        [python, "-c", "import ansible.release as core; print(core.__version__)"], capture_output=True, text=True, check=True
    )
    return f"ansible-core {asked.stdout.strip()}, community.docker {found}"


def show(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table that is Markdown too."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, ["-" * width for width in widths], *rows):
        print(f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |")


def judge(aims: Sequence[Aim]) -> int:
    """Say which aims are met; the code to end with."""
    loads = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"\nload of the machine over the last 1, 5 and 15 minutes: {loads}; it has {os.cpu_count()} cores\n")
    for aim in aims:
        print(aim)
    return int(any(aim.failed for aim in aims))
