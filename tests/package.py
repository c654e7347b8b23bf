"""What a user does with a release: build, install into an empty folder, read every module's page, check site.yml from there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from checkout import COPY

# Folders and files of development that no user needs.
UNWANTED = ("tests", "molecule", ".ci", "Makefile", "ansible.cfg", "pyproject.toml", ".gitignore")
INVENTORY = """\
---
all:
  children:
    swarm_managers: {hosts: {one: }}
    swarm_workers: {hosts: {two: }}
"""


def run(*command: str | Path, cwd: Path, collections: Path) -> str:
    print("$", *command, flush=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment |= {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_HOME": str(collections / ".ansible")}
    ran = subprocess.run(command, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
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
        if unwanted := [name for name in UNWANTED if (installed / name).exists()]:
            sys.exit(f"package.py: the tarball holds {', '.join(unwanted)}; add them to build_ignore in galaxy.yml")

        for module in sorted((installed / "plugins" / "modules").glob("*.py")):
            name = f"homecloud.swarm.{module.stem}"
            page = run("ansible-doc", "-t", "module", name, cwd=empty, collections=empty)
            if name not in page and name.upper() not in page:
                sys.exit(f"package.py: ansible-doc has no page for {name}")

        (empty / "inventory.yml").write_text(INVENTORY)
        run("ansible-playbook", "homecloud.swarm.site", "-i", "inventory.yml", "--syntax-check", cwd=empty, collections=empty)


if __name__ == "__main__":
    main()
