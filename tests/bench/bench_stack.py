"""homecloud.swarm.stack beside community.docker's docker_stack: the same files, node, connection and ansible-core, taking turns."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.measure import FILES, Aim, Samples, Task, judge, lab, play, show, versions
from bench.stacks import CONFIG, SECRET, stack
from pythons import environment, find_python

# It brings community.docker; both sides run on its ansible-core.
PEER = ["--no-compile", "ansible==12.*"]
OURS, THEIRS, PING = "homecloud.swarm.stack", "community.docker.docker_stack", "ansible.builtin.ping"
FIRST, AGAIN, ALONE = "first deploy", "nothing to do", "nothing to do, alone in its playbook"
# Services in the stack -> how often it is deployed anew, and run again after each deploy.
SIZES: Mapping[int, tuple[int, int]] = {10: (4, 2), 50: (4, 2), 200: (3, 1)}
ALONE_SIZE, ALONE_TIMES = 50, 4
NODE = "/root/bench"


@dataclass(frozen=True)
class Case:
    """What is timed. It is the task's name, so that the timing finds its way back."""

    what: str
    services: int
    side: str

    @property
    def name(self) -> str:
        return f"{self.what} | {self.services} | {self.side}"


def task(case: Case) -> dict[str, Any]:
    """The same work in each side's words; ours reads the files on the controller, theirs on the node, where they are already."""
    compose = f"{case.services}/stack.yml"
    works: Mapping[str, dict[str, Any]] = {
        OURS: {"name": "shop", "compose": [str(FILES / compose)], "resolve_image": "never", "wait": False},
        THEIRS: {"name": "shop", "compose": [f"{NODE}/{compose}"], "resolve_image": "never", "detach": True},
        PING: {},
    }
    return {"name": case.name, case.side: works[case.side]}


def remove() -> dict[str, Any]:
    return {"name": "remove", OURS: {"name": "shop", "state": "absent"}}


def rounds(services: int) -> Iterator[dict[str, Any]]:
    """Both sides in turns, so that a busy moment hits both; each runs again on what either has deployed."""
    deploys, repeats = SIZES[services]
    for number in range(deploys):
        sides = (OURS, THEIRS) if number % 2 else (THEIRS, OURS)
        for side in sides:
            yield task(Case(FIRST, services, side))
            if side is sides[0]:
                yield remove()
        for _turn in range(repeats):
            yield from (task(Case(AGAIN, services, side)) for side in (*sides, PING))
        yield remove()


def prepare() -> Iterator[dict[str, Any]]:
    yield {"name": "a swarm", "homecloud.swarm.cluster": {"state": "present"}}
    for services in SIZES:
        folder = FILES / str(services)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "stack.yml").write_text(stack(services))
        (folder / "password.txt").write_text(SECRET)
        (folder / "settings.yml").write_text(CONFIG)
        yield {"name": "their files", "ansible.builtin.copy": {"src": str(folder), "dest": f"{NODE}/", "mode": "preserve"}}


def measured(inventory: Path, python: Path) -> dict[Case, Samples]:
    played = play([*prepare(), *chain.from_iterable(map(rounds, SIZES))], inventory, "manager1", python)
    # Most playbooks have one stack: their first task has to pack the module too.
    play([task(Case(FIRST, ALONE_SIZE, OURS))], inventory, "manager1", python)
    for _turn in range(ALONE_TIMES):
        for side in (OURS, THEIRS, PING):
            played += play([task(Case(ALONE, ALONE_SIZE, side))], inventory, "manager1", python)
    check(played)
    seconds: dict[Case, list[float]] = defaultdict(list)
    for one in played:
        if " | " in one.name:
            what, services, side = one.name.split(" | ")
            seconds[Case(what, int(services), side)].append(one.seconds)
    return {case: Samples(tuple(found)) for case, found in seconds.items()}


def check(played: list[Task]) -> None:
    """Figures count only when the work was done, and done once: ours finds nothing to do after theirs, too."""
    for one in played:
        if one.name.endswith(f"| {OURS}"):
            assert one.changed is one.name.startswith(f"{FIRST} |"), f"{one.name}: changed is {one.changed}"


def main() -> int:
    base = find_python(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert base
    python = environment("bench", base, PEER)
    with lab("bench-stack", managers="1", workers="0", release="trixie") as inventory:
        found = measured(inventory, python)
    whats = [(FIRST, size) for size in SIZES] + [(AGAIN, size) for size in SIZES] + [(ALONE, ALONE_SIZE)]
    pairs = {(what, size): (found[Case(what, size, OURS)], found[Case(what, size, THEIRS)]) for what, size in whats}
    print(f"\n{versions(python)}; medians, and the fastest and slowest of each\n")
    show(
        ("", "services", OURS, THEIRS, "ratio"),
        [(what, str(size), str(ours), str(theirs), f"{ours.median / theirs.median:.2f}") for (what, size), (ours, theirs) in pairs.items()],
    )
    ping, alone_ping = found[Case(AGAIN, 50, PING)], found[Case(ALONE, 50, PING)]
    print(f"\nan {PING} task in between: {ping}; alone in its playbook: {alone_ping}")
    again, alone = pairs[AGAIN, 50], pairs[ALONE, 50]
    return judge(
        [
            Aim("50 services, nothing to do, against theirs", again[0].median / again[1].median, 0.4, fair=True),
            Aim("the same, alone in its playbook", alone[0].median / alone[1].median, 0.4, fair=True),
            # The fastest of each: what others do on the machine can only add to them.
            Aim("50 services, nothing to do, beyond a ping", again[0].least - ping.least, 0.5, " s"),
            Aim("the same, alone in its playbook", alone[0].least - alone_ping.least, 0.5, " s"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
