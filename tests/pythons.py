"""The Python interpreters of this machine, and virtual environments made from them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"


def find_python(version: str) -> Path | None:
    """The interpreter of this version ("3.12"), the distribution's first, then PATH's and pyenv's; None when none starts."""
    name = f"python{version}"
    candidates = [shutil.which(name, path=os.defpath), shutil.which(name), *_pyenv(version)]
    return next((real for candidate in candidates if candidate and (real := _start(candidate))), None)


def _pyenv(version: str) -> list[str]:
    if not shutil.which("pyenv"):
        return []
    listed = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False)
    root = Path(listed.stdout.strip())
    return [str(found) for found in sorted(root.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)]


def _start(candidate: str) -> Path | None:
    """The path behind a name that may be a shim; None if it does not start (a pyenv shim of an unselected version) or makes no .venv."""
    asked = subprocess.run(
        [candidate, "-c", "import ensurepip, os, sys, venv; print(os.path.realpath(sys.executable))"],
        capture_output=True,
        text=True,
        check=False,
    )
    return Path(asked.stdout.strip()) if asked.returncode == 0 else None


def environment(name: str, python: Path, requirements: list[str]) -> Path:
    """The interpreter of `.cache/venvs/<name>`, made anew when its Python or its requirements changed."""
    folder = CACHE / "venvs" / name
    stamp = folder / ".made"
    recipe = hashlib.sha256("\n".join([str(python), *requirements]).encode()).hexdigest()
    interpreter = folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Two parts of a test run may want the same one at the same time.
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text() == recipe):
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([python, "-m", "venv", folder], check=True)
            subprocess.run([interpreter, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *requirements], check=True)
            stamp.write_text(recipe)
    return interpreter
