"""Run the parts of `make test`: each its own process and log, three at a time; a table at the end."""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import checkout
import clis
from pythons import CACHE, ROOT
from units import PARTS as UNITS
from units import python_for

PYTHON = sys.executable
COLLECTION = CACHE / "collections" / "ansible_collections" / "homecloud" / "swarm"
LOGS = CACHE / "test"
# A scenario waits about half of its time. Two of them and one light part, which gives way and takes what they leave, fill two processors;
# then three of them do.
LANES = (("scenarios", "light"), ("scenarios", "light"), ("light", "scenarios"))
GIVE_WAY = 15
# The longest scenarios start first, so that the last ones to end are short.
LONGEST = ("failures", "default", "load", "parity", "releases", "growth", "ha", "changes", "modules", "mesh", "failures-both")
# These take minutes, and say that they start.
LONG = ("molecule", "full", "bench")
# Engines on which the whole table of failures, and releases, are played by `make test-full` only.
OTHER_RELEASES = ("bookworm", "forky")
# A part that hangs is a failed part; a full one plays whole tables.
LIMIT_S, FULL_LIMIT_S = 45 * 60, 90 * 60
# What says in a log that something failed (Ansible, pytest), how many such lines are worth repeating, and how much of each.
TELLING = re.compile(r"^(fatal|failed): |^E  |^FAILED|^_{3,} .* _{3,}$|^\[ERROR\]|: error:")
TAIL = 20
WIDTH = 600
# A line of a log that belongs under the part's row.
REMARK = ":: "
# Process groups of the parts under way.
RUNNING: set[int] = set()


@dataclass(frozen=True)
class Part:
    name: str
    group: str
    command: tuple[str, ...]
    in_copy: bool = False  # runs in the clean copy of the checkout, not in the checkout
    alone: bool = False  # needs the machine for itself
    missing: str = ""  # why it cannot be tried on this machine

    @property
    def log(self) -> Path:
        return LOGS / (re.sub(r"[^a-z0-9.]+", "-", self.name.lower()) + ".log")


@dataclass(frozen=True)
class Result:
    part: Part
    outcome: str  # passed, failed, not tried
    seconds: float
    why: str = ""  # it was not tried
    remarks: tuple[str, ...] = ()


def parts() -> Iterator[Part]:
    link = str(COLLECTION)
    yield Part("ansible-lint", "lint", ("ansible-lint", "--offline", "--profile", "production", "--nocolor"), in_copy=True)
    yield Part("ansible-test sanity", "lint", (PYTHON, "tests/sanity.py"))
    yield Part("yamllint", "lint", ("yamllint", "-s", "."), in_copy=True)
    yield Part("ruff", "lint", ("ruff", "check", "--output-format", "concise", "."))
    yield Part("mypy plugins", "lint", ("mypy", f"{link}/plugins", *_existing(f"{link}/tests/unit")))
    yield Part("mypy tools", "lint", ("mypy", *_tools()))
    yield Part("docs", "lint", ("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", "."), in_copy=True)
    yield Part("changelog", "lint", ("antsibull-changelog", "lint"), in_copy=True)
    for check in sorted((ROOT / "tests" / "checks").glob("test_*.py")):
        name = check.stem.removeprefix("test_").replace("_", " ")
        yield Part(f"check {name}", "lint", (PYTHON, "-m", "pytest", str(check.relative_to(ROOT))))
    yield Part("package", "lint", (PYTHON, "tests/package.py"))
    for unit in UNITS:
        missing = "" if python_for(unit) else f"no Python for {unit} on this machine"
        yield Part(f"units {unit}", "units", (PYTHON, "tests/units.py", unit), missing=missing)
    for group, names in {"units": tuple(clis.RELEASES), "full": clis.installed()}.items():
        for cli in names:
            yield Part(f"differential {cli}", group, (PYTHON, "tests/clis.py", cli))
    for scenario in _scenarios():
        yield Part(f"molecule {scenario}", "molecule", (PYTHON, "tests/scenario.py", scenario))
    for release in OTHER_RELEASES:
        for scenario in ("failures", "releases"):
            again = ("env", f"{scenario.upper()}_RELEASE={release}", PYTHON, "tests/scenario.py", scenario)
            yield Part(f"molecule {scenario} {release}", "full", again, alone=True)
    for bench in sorted((ROOT / "tests" / "bench").glob("bench_*.py")):
        yield Part(f"bench {bench.stem.removeprefix('bench_')}", "bench", (PYTHON, str(bench.relative_to(ROOT))), alone=True)


def _existing(*paths: str) -> Iterator[str]:
    return (path for path in paths if Path(path).exists())


def _tools() -> list[str]:
    """Python outside the collection proper: the runner, the checks, the lab, the scenarios' tests."""
    kept = ("tests", "molecule")
    return [str(name) for name in checkout.files() if name.suffix == ".py" and name.parts[0] in kept and name.parts[1] != "unit"]


def _scenarios() -> list[str]:
    there = sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))
    wanted = os.environ.get("SCENARIOS", "").split()
    if unknown := sorted(set(wanted) - set(there)):
        sys.exit(f"tests/run.py: SCENARIOS names {', '.join(unknown)}; there are {', '.join(there) or 'none'}.")
    chosen = [name for name in there if not wanted or name in wanted]
    return sorted(chosen, key=lambda name: LONGEST.index(name) if name in LONGEST else len(LONGEST))


def run(part: Part) -> Result:
    if part.missing:
        return Result(part, "not tried", 0, part.missing)
    if part.group in LONG:
        print(f"  ...        {part.name} (tail -f {part.log.relative_to(ROOT)})", flush=True)
    began = time.monotonic()
    collections = checkout.COLLECTIONS if part.in_copy else CACHE / "collections"
    # Molecule and ansible-lint start their siblings by name.
    path = os.pathsep.join([str(Path(PYTHON).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "ANSIBLE_COLLECTIONS_PATH": str(collections), "NO_COLOR": "1"}
    folder = checkout.COPY if part.in_copy else ROOT
    with part.log.open("w") as log:
        # A session of its own, so that what the part started can be stopped with it.
        command = part.command if part.group in LONG else ("nice", "-n", str(GIVE_WAY), *part.command)
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        RUNNING.add(process.pid)
        limit = FULL_LIMIT_S if os.environ.get("TEST_FULL") else LIMIT_S
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            code = process.wait()
            log.write(f"\ntests/run.py: stopped after {limit} s\n")
        if code < 0:
            log.write(f"\ntests/run.py: ended by signal {-code}\n")
        RUNNING.remove(process.pid)
    result = judged(part, code, time.monotonic() - began)
    print(row(result), flush=True)
    if part.group == "bench" and not code:
        print(part.log.read_text())
    return result


def judged(part: Part, code: int, seconds: float) -> Result:
    lines = part.log.read_text(errors="replace").splitlines()
    if code == clis.NOT_TRIED:
        return Result(part, "not tried", seconds, lines[-1] if lines else "")
    remarks = tuple(line.removeprefix(REMARK) for line in lines if line.startswith(REMARK))
    return Result(part, "failed" if code else "passed", seconds, remarks=remarks)


def stop(*_: object) -> None:
    for group in RUNNING:
        os.killpg(group, signal.SIGTERM)
    print("\ntests/run.py: stopped; `make clean` removes what a scenario may have left.")
    os._exit(130)


def row(result: Result) -> str:
    first = f"  {result.outcome:<10} {result.part.name:<32} {result.seconds:7.1f} s  {result.why}".rstrip()
    return "\n".join([first, *(f"             {remark}" for remark in result.remarks)])


def report(results: list[Result], seconds: float) -> int:
    failed = [result for result in results if result.outcome == "failed"]
    for result in failed:
        print(f"\n===== {result.part.name}: {' '.join(result.part.command)}\n{result.part.log.read_text(errors='replace').rstrip()}")
    print("\nPart by part")
    for result in results:
        print(row(result))
    print(f"  {'':<10} {'together':<32} {seconds:7.1f} s\n")
    for result in failed:
        # once more, in short: who reads only the end of a long output shall know
        print("\n".join([f"===== {result.part.name}, in short:", *in_short(result.part.log.read_text(errors="replace").splitlines()), ""]))
    print(f"{sum(result.outcome == 'passed' for result in results)} passed, {len(failed)} failed")
    return 1 if failed else 0


def in_short(lines: list[str]) -> list[str]:
    """The lines of a log that say what failed, and its end."""
    telling = [line for line in lines[:-TAIL] if TELLING.search(line)][-TAIL:]
    return [line[:WIDTH] for line in (*telling, "...", *lines[-TAIL:])]


def taken(queue: deque[Part]) -> Iterator[Part]:
    """What no other lane has taken first."""
    with suppress(IndexError):
        while True:
            yield queue.popleft()


def play(picked: list[Part]) -> list[Result]:
    """Every part's result, in the order in which the parts were given."""
    together = [part for part in picked if not part.alone]
    queues = {
        "scenarios": deque(part for part in together if part.group in LONG),
        "light": deque(part for part in together if part.group not in LONG),
    }

    def work(lane: tuple[str, ...]) -> list[Result]:
        return [run(part) for name in lane for part in taken(queues[name])]

    with ThreadPoolExecutor(len(LANES)) as pool:
        results = [result for lane in pool.map(work, LANES) for result in lane]
    results += [run(part) for part in picked if part.alone]
    return sorted(results, key=lambda result: picked.index(result.part))


def chosen(arguments: argparse.Namespace) -> list[Part]:
    groups = {arguments.group} if arguments.group else {"lint", "units", "molecule"} | ({"full", "bench"} if arguments.full else set())
    return [part for part in parts() if part.group in groups and all(word in part.name for word in arguments.words)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only the parts whose names have these words")
    parser.add_argument("--group", choices=["lint", "units", "molecule", "full", "bench"])
    parser.add_argument("--full", action="store_true", help="the long parts too")
    arguments = parser.parse_args()
    picked = chosen(arguments)
    if arguments.full:
        # What a scenario goes by.
        os.environ["TEST_FULL"] = "1"
    if not picked:
        print("tests/run.py: there is no such part.")
        return 1

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    LOGS.mkdir(parents=True, exist_ok=True)
    with (CACHE / "test.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another test run in this checkout to end", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        began = time.monotonic()
        checkout.refresh()
        return report(play(picked), time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
