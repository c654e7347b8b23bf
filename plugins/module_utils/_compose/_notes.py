# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in a file something is, and the list of everything that is wrong with that file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from .._errors import ComposeError

Path = tuple[str, ...]


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that suggests the known word which ``word`` was probably meant to be, or nothing."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""


@dataclass
class Notes:
    """What loading one file has to say: the errors that stop it and the warnings that do not."""

    label: str
    beyond_cli: bool = False
    errors: list[tuple[Path, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def line(self, path: Path, text: str) -> str:
        return ": ".join(part for part in (self.label, ".".join(path), text) if part)

    def stop_on_errors(self) -> None:
        """Raise one error that holds them all, so that a file is mended in one go."""
        if self.errors:
            lines = dict.fromkeys(self.line(path, text) for path, text in self.errors)
            raise ComposeError("\n".join(lines), path=self.errors[0][0])


@dataclass(frozen=True)
class At:
    """A place in a file."""

    notes: Notes
    path: Path = ()

    def to(self, key: object) -> At:
        return At(self.notes, (*self.path, str(key)))

    def wrong(self, text: str) -> None:
        self.notes.errors.append((self.path, text))

    def warn(self, text: str) -> None:
        line = self.notes.line(self.path, text)
        if line not in self.notes.warnings:
            self.notes.warnings.append(line)
