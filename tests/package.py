"""What a user does with a release: build, install into an empty folder, read every module's page, check site.yml from there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from checkout import COPY

# What users get; all else is about developing.
WANTED = frozenset(
    ("FILES.json", "MANIFEST.json", "LICENSE", "README.md", "CHANGELOG.rst", "changelogs", "docs", "meta", "playbooks", "plugins", "roles")
)
INVENTORY = """\
---
all:
  children:
    swarm_managers: {hosts: {one: }}
    swarm_workers: {hosts: {two: }}
"""


def run(*command: str | Path, cwd: Path, collections: Path, show: bool = True) -> str:
    print("$", *command, flush=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment |= {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_HOME": str(collections / ".ansible")}
    ran = subprocess.run(command, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE, check=False)
    if show or ran.returncode:
        print(ran.stdout, flush=True)
    if ran.returncode:
        sys.exit(f"package.py: {command[0]} failed ({ran.returncode})")
    return ran.stdout


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="homecloud-package-") as folder:
        empty = Path(folder)
        run("ansible-galaxy", "collection", "build", "--output-path", empty, cwd=COPY, collections=empty)
        (tarball,) = empty.glob("homecloud-swarm-*.tar.gz")
        run("ansible-galaxy", "collection", "install", "--offline", "-p", empty, tarball, cwd=empty, collections=empty)

        installed = empty / "ansible_collections" / "homecloud" / "swarm"
        if unwanted := {path.name for path in installed.iterdir()} - WANTED:
            sys.exit(f"package.py: the tarball holds {', '.join(sorted(unwanted))}; add them to build_ignore in galaxy.yml")

        modules = [f"homecloud.swarm.{path.stem}" for path in sorted((installed / "plugins" / "modules").glob("*.py"))]
        pages = run("ansible-doc", "--json", "-t", "module", *modules, cwd=empty, collections=empty, show=False)
        if missing := set(modules) - json.loads(pages).keys():
            sys.exit(f"package.py: ansible-doc has no page for {', '.join(sorted(missing))}")

        (empty / "inventory.yml").write_text(INVENTORY)
        run("ansible-playbook", "homecloud.swarm.site", "-i", "inventory.yml", "--syntax-check", cwd=empty, collections=empty)


if __name__ == "__main__":
    main()
