# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell whether a secret still has a value, without keeping the value: salted scrypt, kept in a label.

A bare digest would let anyone who can read labels try passwords at full speed.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache

#: Labels of ours on secrets and configs.
VERIFIER = "homecloud.swarm.verifier"
KEY = "homecloud.swarm.key"
VERSION = "homecloud.swarm.version"

#: Cost of one check: about 16 MiB and 50 ms. Kept in the label, so that it can be raised later.
COST, BLOCK, LANES = 2**14, 8, 1
SALT_BYTES = 16
#: Each check in progress needs its memory.
MOST_AT_ONCE = 4
#: A label from elsewhere must not make us allocate without bounds.
MOST_MEMORY = 64 * 2**20


def make_verifier(content: bytes, salt: bytes) -> str:
    """The label's text: ``scrypt$cost$block$lanes$salt$digest``, salt and digest in base64."""
    digest = _digest(content, salt, COST, BLOCK, LANES)
    return "$".join(["scrypt", str(COST), str(BLOCK), str(LANES), _text(salt), _text(digest)])


@cache  # a plan is compared a few times in a run, and each check is meant to be slow
def verify(content: bytes, verifier: str | None) -> bool | None:
    """True or False where the verifier tells; None where it is absent or not one of ours."""
    try:
        scheme, cost, block, lanes, salt, digest = (verifier or "").split("$")
        if scheme != "scrypt":
            return None
        computed = _digest(content, base64.b64decode(salt), int(cost), int(block), int(lanes))
        return hmac.compare_digest(computed, base64.b64decode(digest))
    except (ValueError, binascii.Error):
        return None


def verify_all(pairs: Iterable[tuple[bytes, str | None]]) -> None:
    """Do the slow part for several at once, each on a processor of its own; ``verify`` then knows the answers."""
    with ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_AT_ONCE)) as pool:
        # the digest is computed outside of Python's lock
        list(pool.map(lambda pair: verify(*pair), pairs))


def verdict_of(content: bytes, labels: Mapping[str, str] | None) -> bool | None:
    """As verify, for the labels of a secret."""
    return verify(content, (labels or {}).get(VERIFIER))


# a plan asks more than once for the same secret
@functools.cache
def _digest(content: bytes, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(content, salt=salt, n=cost, r=block, p=lanes, maxmem=MOST_MEMORY, dklen=32)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
