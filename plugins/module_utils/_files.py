# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write small files in a given order, each replaced as a whole, for a program that reads them at any moment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._errors import RefusedError
from ._model import Outcome


def write_files(options: Mapping[str, Any], check: bool) -> Outcome:
    """What the module does. In check mode the folder need not be there yet."""
    folder = Path(options["path"])
    wanted = {str(file["name"]): str(file["content"]) for file in options["files"]}
    for name in wanted:
        if Path(name).name != name:
            raise RefusedError(f"files: '{name}' is not the name of a file in {folder}; leave its folders out.")
    try:
        found = {name: _read(folder / name) for name in wanted}
        changed = [name for name in wanted if found[name] != wanted[name]]
        if not check:
            for name in changed:
                _replace(folder / name, wanted[name])
    except OSError as error:
        where = error.filename or folder
        raise RefusedError(f"{where}: {error.strerror}; make the folder {folder}, and let this user write to it.") from error
    before = {name: found[name] for name in changed if found[name] is not None}
    return Outcome(bool(changed), before, {name: wanted[name] for name in changed}, values={"written": changed})


def _read(file: Path) -> str | None:
    return file.read_text() if file.is_file() else None


def _replace(file: Path, content: str) -> None:
    """Whoever reads the file has the old content or the new one, after a loss of power too."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as writing:
            writing.write(content)
            writing.flush()
            os.fsync(writing.fileno())
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
