# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders that say something by the name of the one file in them, for a program that looks at any moment."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._clock import SYSTEM, Clock
from ._errors import RefusedError
from ._model import Outcome

#: Seconds that a change waits for its moment; one that is further away is told by another clock.
PATIENCE = 5.0
#: Bytes that the name of a file may have on Linux.
LONGEST = 255


def mark_folders(options: Mapping[str, Any], check: bool, clock: Clock = SYSTEM) -> Outcome:
    """What the module does. Folders that are missing are made."""
    home = Path(options["path"])
    wanted = _checked(home, options["marks"])
    marked: list[str] = []
    try:
        found = {folder: _found(home / folder) for folder in wanted}
        changed = [folder for folder, mark in wanted.items() if found[folder] != [mark]]
        if changed and not check:
            _await_moment(options.get("at"), clock)
            for folder in changed:
                # as it is now: another run may have come first
                _mark(home / folder, _found(home / folder), wanted[folder])
                marked.append(folder)
            for folder in changed:
                _keep(home / folder)
    except OSError as error:
        where = error.filename or home
        raise RefusedError(
            f"{where}: {error.strerror}; make the folder {home}, and let this user write to it.",
            {"changed": bool(marked), "marked": marked},
        ) from error
    before = {folder: ", ".join(map(_shown, found[folder])) for folder in changed if found[folder]}
    return Outcome(bool(changed), before, {folder: wanted[folder] for folder in changed}, values={"marked": changed})


def _checked(home: Path, marks: Mapping[Any, Any]) -> dict[str, str]:
    if not home.is_absolute():
        raise RefusedError(f"path: '{home}' depends on where the module runs; begin it with a slash.")
    for folder, mark in marks.items():
        if not isinstance(mark, (str, int, float)):
            raise RefusedError(f"marks: {folder}: {mark} is no text; give the name of a file.")
    wanted = {str(folder): str(mark) for folder, mark in marks.items()}
    for name in (*wanted, *wanted.values()):
        if Path(name).name != name or name in ("", "..") or "\0" in name or len(os.fsencode(name)) > LONGEST:
            raise RefusedError(
                f"marks: {name!r} is not the name of a folder or file in {home}; leave its folders out, and take {LONGEST} bytes at most."
            )
    return wanted


def _await_moment(moment: float | None, clock: Clock) -> None:
    ahead = moment - clock.wall() if moment else 0.0
    if 0 < ahead <= PATIENCE:
        clock.sleep(ahead)


def _found(folder: Path) -> list[str]:
    """Names of files alone: whoever looks would pass over a folder of the mark's name, and over a link that leads nowhere."""
    for place in (folder.parent, folder):
        if os.path.lexists(place) and not place.is_dir():
            raise RefusedError(f"{place} is not a folder, and the mark has to be in one; move it elsewhere.")
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    for file in there:
        if not stat.S_ISREG(file.lstat().st_mode):
            raise RefusedError(f"{_shown(str(file))} is not a file, and only the mark may be there; move it elsewhere.")
    return [file.name for file in there]


def _shown(name: str) -> str:
    """Names of files may be any bytes, an answer may not."""
    return os.fsencode(name).decode(errors="replace")


def _mark(folder: Path, found: list[str], mark: str) -> None:
    """Whoever looks finds the old name or the new one."""
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


def _keep(folder: Path) -> None:
    """Through a loss of power too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
