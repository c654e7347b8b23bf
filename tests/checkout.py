"""A copy of the checkout without anything ignored, in a folder where Ansible finds it as homecloud.swarm."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from pythons import CACHE, ROOT

COLLECTIONS = CACHE / "checkout"
COPY = COLLECTIONS / "ansible_collections" / "homecloud" / "swarm"
# Broken on purpose, line endings and all: no linter's business.
FIXTURES = Path("tests/differential/fixtures")


def names() -> list[Path]:
    """Everything that git tracks or would offer to track, links among it, relative to the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return sorted(Path(name) for name in set(listed.stdout.split("\0")) if name and os.path.lexists(ROOT / name))


def files() -> list[Path]:
    return [name for name in names() if (ROOT / name).is_file()]


def refresh() -> None:
    """Make the copy anew. ansible-test refuses the checkout itself: its path must end in ansible_collections/homecloud/swarm."""
    shutil.rmtree(COPY, ignore_errors=True)
    for name in names():
        if name.is_relative_to(FIXTURES):
            continue
        (COPY / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, COPY / name, follow_symlinks=False)
    # Without a repository of its own, ansible-test asks the checkout's, where everything below .cache is ignored.
    subprocess.run(["git", "init", "-q", "."], cwd=COPY, check=True)
    subprocess.run(["git", "add", "-A"], cwd=COPY, check=True)
