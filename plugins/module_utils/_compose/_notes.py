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
MOST_LINES = 100


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that suggests the known word which ``word`` was probably meant to be, or nothing."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""


@dataclass
class Notes:
    """What loading has to say: the errors that stop it and the warnings that do not, in the order they were found."""

    beyond_cli: bool = False
    errors: list[tuple[Path, str]] = field(default_factory=list)
    warnings: dict[str, None] = field(default_factory=dict)
    #: Places without a value to go on with: what else may be wrong there cannot be known.
    broken: set[tuple[str, Path]] = field(default_factory=set)

    def stop_on_errors(self) -> None:
        """Raise one error that holds them all, so that files are mended in one go."""
        if self.errors:
            lines = list(dict.fromkeys(line for _path, line in self.errors))
            more = [f"And {len(lines) - MOST_LINES} more."] if len(lines) > MOST_LINES else []
            raise ComposeError("\n".join(lines[:MOST_LINES] + more), path=self.errors[0][0])


@dataclass(frozen=True)
class At:
    """A place in a file."""

    notes: Notes
    file: str = ""
    path: Path = ()

    def to(self, key: object) -> At:
        return At(self.notes, self.file, (*self.path, str(key)))

    def wrong(self, text: str) -> None:
        if (self.file, self.path) not in self.notes.broken:
            self.notes.errors.append((self.path, self._line(text)))

    def broken(self, text: str) -> None:
        """As ``wrong``, where there is no value to go on with."""
        self.notes.errors.append((self.path, self._line(text)))
        self.notes.broken.add((self.file, self.path))

    def warn(self, text: str) -> None:
        self.notes.warnings[self._line(text)] = None

    def nearest(self, word: str, known: Iterable[str]) -> str:
        """As the function, for lines that may be many: a flood of them is cut anyway."""
        few = len(self.notes.errors) + len(self.notes.warnings) < MOST_LINES
        return nearest(word, known) if few else ""

    @property
    def place(self) -> str:
        """As messages name it: file, then path."""
        return ": ".join(part for part in (self.file, ".".join(self.path)) if part)

    def _line(self, text: str) -> str:
        """One line, whatever the file says."""
        line = f"{self.place}: {text}" if self.place else text
        return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in line)
