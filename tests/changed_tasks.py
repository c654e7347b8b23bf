# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether check mode tells the truth: the tasks it says would change, and the ones that then do.

    .venv/bin/python tests/changed_tasks.py -i .lab/inventory.yml homecloud.swarm.site   # --check, then for real: the same pairs
    .venv/bin/python tests/changed_tasks.py --none -i .lab/inventory.yml homecloud.swarm.site   # for real: no pair at all

Everything but --none is handed to ansible-playbook. Ends with 0 when it is so; else the pairs that differ are printed.
For programs that start ansible-playbook themselves, as Molecule does: set what ``environment(file)`` gives, then compare
``Run.read(file)`` of both runs with ``differences()``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PLUGINS = Path(__file__).parent / "plugins" / "callback"


@dataclass(frozen=True)
class Run:
    """What one run of ansible-playbook changed: (task, host) with how often, and the hosts that failed."""

    changed: Counter[tuple[str, str]]
    failed: tuple[str, ...]
    began: float = 0

    @classmethod
    def read(cls, file: Path) -> Run:
        """From the file the callback wrote; one without a last line is of a run that was broken off."""
        records = [json.loads(line) for line in file.read_text().splitlines()]
        if not records or "failed" not in records[-1]:
            raise SystemExit(f"{file}: the run did not come to its end")
        changed = Counter((one["task"], one["host"]) for one in records[:-1] if "task" in one)
        return cls(changed, tuple(records[-1]["failed"]), records[0]["began"])


def environment(file: Path) -> dict[str, str]:
    """What makes ansible-playbook write its changes to this file."""
    return {
        "ANSIBLE_CALLBACK_PLUGINS": str(PLUGINS),
        "ANSIBLE_CALLBACKS_ENABLED": "changed_tasks",
        "CHANGED_TASKS_FILE": str(file),
    }


def differences(predicted: Run, done: Run) -> Iterator[str]:
    """One line for each pair that is in one of the runs only, or more often."""
    for sign, left in (("predicted only", predicted.changed - done.changed), ("done only", done.changed - predicted.changed)):
        for (task, host), times in sorted(left.items()):
            yield f"{sign}: {task} on {host}" + (f" ({times} times)" if times > 1 else "")
    for mode, run in (("check", predicted), ("real", done)):
        if run.failed:
            yield f"the {mode} run failed on {', '.join(run.failed)}"


def play(arguments: Sequence[str], file: Path) -> Run:
    """Run ansible-playbook with these arguments, its output on the terminal."""
    subprocess.run(["ansible-playbook", *arguments], env={**os.environ, **environment(file)}, check=False)
    return Run.read(file)


def main(arguments: list[str]) -> int:
    """Run once or twice, compare, say what differs."""
    with tempfile.TemporaryDirectory() as folder:
        if "--none" in arguments:
            arguments.remove("--none")
            predicted = Run(Counter(), ())
        else:
            predicted = play([*arguments, "--check"], Path(folder, "check"))
        done = play(arguments, Path(folder, "real"))
    problems = list(differences(predicted, done))
    for problem in problems:
        print(problem)
    print(f"changed_tasks: {predicted.changed.total()} predicted, {done.changed.total()} done, {len(problems)} differ")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
