# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single values as Go reads and writes them: numbers as text, durations, sizes, cpus; and the text of a file."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

UNITS: Mapping[str, int] = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,  # both spellings of mu
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
DURATION = re.compile(rf"[-+]?(?:{NUMBER}(?:{'|'.join(UNITS)}))+\Z")
DURATION_PART = re.compile(rf"({NUMBER})({'|'.join(sorted(UNITS, key=len, reverse=True))})")
SIZE = re.compile(rf"({NUMBER}(?:e[-+]?[0-9]+)?) ?(?:([kmgtp])(?:ib|b)?|b)?\Z", re.IGNORECASE)
RATIONAL = re.compile(rf"[-+]?(?:{NUMBER}(?:[eE][-+]?[0-9]{{1,3}})?|[0-9]+/0*[1-9][0-9]*)\Z")
PERMISSIONS = re.compile(r"0?[0-7]{1,4}\Z")
INT64 = 2**63


def utf8(content: bytes) -> str:
    """The text of a file, without the mark that some editors put before it."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ValueError(f"the file is no text in UTF-8 (byte {problem.start + 1}); save it as UTF-8.") from None


def go_text(value: str | float) -> str:
    """A value as Go prints it with %v: 1.50 is "1.5", 1000000.0 is "1e+06"."""
    if isinstance(value, (str, int)):
        return str(value)
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    sign, digits, _shift = Decimal(repr(value)).normalize().as_tuple()
    exponent = Decimal(repr(value)).adjusted()
    if -4 <= exponent < 6:
        return format(Decimal(repr(value)).normalize(), "f")
    tail = "".join(map(str, digits[1:]))
    mantissa = f"{digits[0]}.{tail}" if tail else str(digits[0])
    return f"{'-' if sign else ''}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def nanoseconds(text: str) -> int:
    """``1h30m`` and the like."""
    if text in ("0", "+0", "-0"):
        return 0
    if not DURATION.match(text):
        raise ValueError(f"'{text}' is not a duration. Write it like 90s, 1m30s or 500ms.")
    total = sum(int(Fraction(number.rstrip(".")) * UNITS[unit]) for number, unit in DURATION_PART.findall(text))
    return _int64(-total if text[0] == "-" else total, text)


def size_bytes(text: str) -> int:
    """``1.5G`` and the like; units are powers of 1024 and fractions of a byte are cut off."""
    match = SIZE.match(text)
    if not match:
        raise ValueError(f"'{text}' is not a size. Write it like 64M or 1.5G.")
    number, unit = match.groups()
    power = " kmgtp".index(unit.lower()) if unit else 0
    value = float(number) * 1024**power
    if math.isinf(value):
        raise ValueError(f"'{text}' is too large.")
    return _int64(int(value), text)


def billionths(text: str) -> int:
    """Shares of a CPU: ``0.5``, ``1/2``; as for the CLI, nothing is no limit."""
    if not text:
        return 0
    if not RATIONAL.match(text):
        raise ValueError(f"'{text}' is not a number of CPUs. Write it like 0.5.")
    share = Fraction(text) * 10**9
    if share.denominator != 1:
        raise ValueError(f"'{text}' is too precise: at most nine decimals of a CPU.")
    return _int64(int(share), text)


def octal(text: str) -> int:
    """File permissions."""
    if not PERMISSIONS.match(text):
        raise ValueError(f"'{text}' is not a mode. Write it like 0440.")
    return int(text, 8)


def _int64(value: int, text: str) -> int:
    if not -INT64 <= value < INT64:
        raise ValueError(f"'{text}' is too large.")
    return value
