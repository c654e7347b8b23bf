"""Run one Molecule scenario: `scenario.py NAME`, with the oldest promised ansible-core where the table says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pythons import ROOT
from units import interpreter_for, python_for

# Scenarios that the oldest ansible-core plays; all others have the newest.
LOWEST_CORE = frozenset({"engines"})


def main() -> int:
    name, *arguments = sys.argv[1:]
    environment = dict(os.environ)
    if name in LOWEST_CORE:
        python = python_for("lowest")
        if not python:
            sys.exit(f"scenario.py: {name} is played with the oldest ansible-core, and no Python for it is on this machine.")
        # Molecule itself stays in .venv: it finds ansible-playbook by PATH.
        environment["PATH"] = os.pathsep.join([str(interpreter_for("lowest", python).parent), environment["PATH"]])
    subprocess.run(["ansible", "--version"], env=environment, check=True)
    return subprocess.run(
        [Path(sys.executable).parent / "molecule", "test", "-s", name, *arguments], cwd=ROOT, env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
