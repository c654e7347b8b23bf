# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders that say something by the name of the one file in them, for a program that looks at any moment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._clock import SYSTEM, Clock
from ._errors import RefusedError
from ._model import Outcome

#: Seconds that a change waits for its moment; one that is further away is told by another clock.
PATIENCE = 5.0


def mark_folders(options: Mapping[str, Any], check: bool, clock: Clock = SYSTEM) -> Outcome:
    """What the module does. Folders that are missing are made."""
    home = Path(options["path"])
    wanted = {str(folder): str(mark) for folder, mark in options["marks"].items()}
    for name in (*wanted, *wanted.values()):
        if Path(name).name != name or name in ("", ".."):
            raise RefusedError(f"marks: '{name}' is not the name of a folder or file in {home}; leave its folders out.")
    try:
        found = {folder: _found(home / folder) for folder in wanted}
        changed = [folder for folder, mark in wanted.items() if found[folder] != [mark]]
        if changed and not check:
            _await_moment(options.get("at"), clock)
            for folder in changed:
                _mark(home / folder, found[folder], wanted[folder])
    except OSError as error:
        where = error.filename or home
        raise RefusedError(f"{where}: {error.strerror}; make the folder {home}, and let this user write to it.") from error
    before = {folder: ", ".join(found[folder]) for folder in changed if found[folder]}
    return Outcome(bool(changed), before, {folder: wanted[folder] for folder in changed}, values={"marked": changed})


def _await_moment(moment: float | None, clock: Clock) -> None:
    ahead = moment - clock.wall() if moment else 0.0
    if 0 < ahead <= PATIENCE:
        clock.sleep(ahead)


def _found(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []


def _mark(folder: Path, found: list[str], mark: str) -> None:
    """Whoever looks finds the old name or the new one, after a loss of power too."""
    for missing in (folder.parent, folder):
        missing.mkdir(mode=0o700, exist_ok=True)
    if mark not in found:
        if found:
            (folder / found[0]).rename(folder / mark)
        else:
            (folder / mark).touch(mode=0o600)
    for name in found:
        if name != mark:
            (folder / name).unlink(missing_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
