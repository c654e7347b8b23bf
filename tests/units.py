"""Run the unit tests: `units.py 3.12` on that Python with its newest ansible-core, `units.py lowest` on the oldest promised packages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pythons import CACHE, ROOT, environment, find_python

PYTHONS = ("3.11", "3.12", "3.13")
NEWEST = ["ansible-core", "docker", "jsondiff", "PyYAML", "pytest>=9.0", "hypothesis"]
# The oldest ansible-core we promise, with what Debian 12 has of the docker SDK and of the libraries below it.
LOWEST = ["ansible-core==2.17.*", "docker==5.0.3", "requests<2.29", "urllib3<2", "jsondiff==2.0.0", "PyYAML", "pytest>=9.0", "hypothesis"]
# ansible-core 2.17 runs on these; the first that is there is taken.
LOWEST_PYTHONS = ("3.11", "3.12")
FEWER = "20"
VERSIONS = """
import ansible.release, docker, sys
print("Python", sys.version.split()[0], "ansible-core", ansible.release.__version__, "docker", docker.__version__, flush=True)
"""
LOWEST_PART = "lowest"
PARTS = (*PYTHONS, LOWEST_PART)


def python_for(part: str) -> Path | None:
    versions = LOWEST_PYTHONS if part == LOWEST_PART else (part,)
    return next((python for version in versions if (python := find_python(version))), None)


def interpreter_for(part: str, python: Path) -> Path:
    if part == LOWEST_PART:
        return environment("lowest", python, LOWEST)
    if part == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable)
    return environment(f"units-{part}", python, NEWEST)


def main() -> int:
    part, *arguments = sys.argv[1:]
    python = python_for(part)
    if not python:
        print(f"units.py: this machine has no Python for {part!r}")
        return 1
    interpreter = interpreter_for(part, python)
    subprocess.run([interpreter, "-c", VERSIONS], check=True)
    # a Python differs from the next in little: one of them tries many examples, and each in a full run
    fewer = {} if part == LOWEST_PART or os.environ.get("TEST_FULL") else {"FUZZ_EXAMPLES": FEWER}
    collections = {"PYTHONPATH": str(CACHE / "collections"), "ANSIBLE_COLLECTIONS_PATH": str(CACHE / "collections")}
    ran = subprocess.run(
        [interpreter, "-m", "pytest", *(arguments or ["tests/unit"])], cwd=ROOT, env={**fewer, **os.environ, **collections}, check=False
    )
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())
