"""Run one Molecule scenario: `scenario.py NAME`, with the oldest promised ansible-core where the table says so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

from pythons import ROOT
from units import LOWEST_PART, interpreter_for, python_for

# Scenarios that the oldest ansible-core plays; all others have the newest.
LOWEST_CORE = frozenset({"engines"})
# What Molecule says when a step begins.
STEP = re.compile(r"\[[\w-]+ > ([\w-]+)\] Executing$")
# What Molecule's recap says of steps that it skipped without failing.
MISSING = re.compile(r"\bmissing=[1-9]")


def main() -> int:
    name, *arguments = sys.argv[1:]
    environment = dict(os.environ)
    if name in LOWEST_CORE:
        python = python_for(LOWEST_PART)
        if not python:
            sys.exit(f"scenario.py: {name} is played with the oldest ansible-core, and no Python for it is on this machine.")
        # Molecule itself stays in .venv: it finds ansible-playbook by PATH.
        environment["PATH"] = os.pathsep.join([str(interpreter_for(LOWEST_PART, python).parent), environment["PATH"]])
    subprocess.run(["ansible", "--version"], env=environment, check=True)
    return play([str(Path(sys.executable).parent / "molecule"), "test", "-s", name, *arguments], environment)


def play(command: list[str], environment: dict[str, str]) -> int:
    """Run Molecule, its output passed on as it comes; a step it left out counts as failed."""
    missing = False
    steps: list[tuple[str, float]] = []
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            missing = missing or bool(MISSING.search(line))
            if begins := STEP.search(line):
                steps.append((begins[1], time.monotonic()))
    if missing:
        print("scenario.py: Molecule left a step out because its playbook is missing; the recap above says which.")
    # beside the part's time in the table
    print(":: " + ", ".join(f"{name} {end - begin:.0f}" for (name, begin), (_next, end) in pairwise([*steps, ("", time.monotonic())])))
    return process.returncode or int(missing)


if __name__ == "__main__":
    sys.exit(main())
