"""Run `ansible-test sanity` on the copy of the checkout, for every Python that is there, without the internet."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import ansible_test  # type: ignore[import-untyped]
from checkout import COPY
from pythons import CACHE, find_python

# The Pythons that nodes (modules) and controllers (the rest) may have.
PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
HOME = CACHE / "home"

# ansible-test downloads a script that brings its own pip into each of its virtual environments; the one that Python has on board does.
# It is unpacked once for each Python, and the environments share it: a dozen installations less are noticed.
BOOTSTRAP = """\
import pathlib, subprocess, sys, sysconfig
folder = pathlib.Path({folder!r}, sysconfig.get_python_version())
own = pathlib.Path(sysconfig.get_path("purelib"))
if not folder.is_dir():
    subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
    (own / "shared").mkdir()
    (own / "pip").rename(own / "shared" / "pip")
    folder.parent.mkdir(parents=True, exist_ok=True)
    (own / "shared").rename(folder)
(own / "pip.pth").write_text(str(folder))
"""


def prepare_home() -> None:
    """A home for ansible-test's caches, so that `make clean` removes them; pip's settings come from the real one."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    internals = Path(ansible_test.__path__[0]) / "_internal" / "python_requirements.py"
    for version in re.findall(r"pip='([\d.]+)'", internals.read_text()):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(BOOTSTRAP.format(folder=str(HOME / "pip")))
    for settings in (".pip", ".config/pip"):
        link = HOME / settings
        if not link.is_symlink():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path.home() / settings)


def main() -> int:
    prepare_home()
    found = {version: find_python(version) for version in PYTHONS}
    missing = [version for version, python in found.items() if not python]
    print(f"Pythons not here, so not tried: {', '.join(missing) or 'none'}", flush=True)
    folders = [python.parent for python in found.values() if python]
    # ansible-test would start what PATH names like a missing Python: the dead shim of a version manager.
    dead = [f"python{version}" for version in missing]
    rest = [folder for folder in os.environ["PATH"].split(os.pathsep) if not any(Path(folder, name).exists() for name in dead)]
    path = os.pathsep.join(map(str, [Path(sys.executable).parent, *folders, *rest]))
    environment = {**os.environ, "HOME": str(HOME), "PATH": path}
    return subprocess.run(["ansible-test", "sanity", "--color", "no", *sys.argv[1:]], cwd=COPY, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
