# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command line written as one string, split into words as the docker CLI splits it.

Python's shlex differs: here a backslash inside double quotes escapes any character and # starts a comment only at
the start of a word.
"""

from __future__ import annotations

BLANKS = " \t\r\n"


def split_words(text: str) -> list[str]:
    words: list[str] = []
    word: list[str] = []
    in_word = False
    quote = ""
    letters = iter(text)
    for letter in letters:
        if letter == "\\" and quote != "'":
            following = next(letters, None)
            if following is None:
                raise ValueError("ends with a backslash that escapes nothing.")
            word.append(following)
            in_word = True
        elif quote:
            if letter == quote:
                quote = ""
            else:
                word.append(letter)
        elif letter in "\"'":
            quote, in_word = letter, True
        elif letter in BLANKS:
            if in_word:
                words.append("".join(word))
            word, in_word = [], False
        elif letter == "#" and not in_word:
            while letter not in ("\n", ""):
                letter = next(letters, "")
        else:
            word.append(letter)
            in_word = True
    if quote:
        raise ValueError(f"has a quote ({quote}) that is not closed.")
    return [*words, "".join(word)] if in_word else words
