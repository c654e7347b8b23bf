# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command line written as one string, split into words as the docker CLI splits it.

Python's shlex differs: here a backslash inside double quotes escapes any character and # starts a comment only at
the start of a word.
"""

from __future__ import annotations

import re

TOKEN = re.compile(
    r"""(?P<blank>[ \t\r\n]+)
    |   (?P<hash>\#[^\n]*)
    |   "(?P<double>(?:[^"\\]|\\.)*)"
    |   '(?P<single>[^']*)'
    |   \\(?P<escaped>.)
    |   (?P<plain>[^ \t\r\n"'\\]+)""",
    re.VERBOSE | re.DOTALL,
)


def split_words(text: str) -> list[str]:
    words: list[str] = []
    word: str | None = None
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            raise ValueError("has a quote that is not closed, or ends with a backslash that escapes nothing.")
        kind, position = str(match.lastgroup), match.end()
        if kind == "hash" and word is not None:
            word, position = f"{word}#", match.start() + 1
        elif kind in ("blank", "hash"):
            words += [] if word is None else [word]
            word = None
        else:
            piece = re.sub(r"\\(.)", r"\1", match[kind], flags=re.DOTALL) if kind == "double" else match[kind]
            word = (word or "") + piece
    return words if word is None else [*words, word]
