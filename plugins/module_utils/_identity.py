# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which swarm a node is in. A worker's engine does not say, but the certificate its swarm gave it does. Pure."""

from __future__ import annotations

import hashlib
import ssl

#: swarmkit writes the swarm's id as the organisation of each node's certificate: object id 2.5.4.10, DER encoded.
ORGANISATION = b"\x06\x03\x55\x04\x0a"
FOOT = "-----END CERTIFICATE-----"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
#: Width of the digest in a join token.
DIGEST_WIDTH = 50


def swarm_of(certificate: str) -> str | None:
    """The id of the swarm that gave a node this certificate (PEM; the node's own comes first)."""
    head, foot, _rest = certificate.partition(FOOT)
    try:
        encoded = ssl.PEM_cert_to_DER_cert(head[head.find("-----BEGIN") :] + foot)
    except ValueError:
        return None
    _before, found, after = encoded.rpartition(ORGANISATION)
    # after the object id stand the type of the text, its length, and the text
    return after[2 : 2 + after[1]].decode("ascii", "replace") if found else None


def ca_of_token(token: str) -> str:
    """What a join token says of its swarm's CA: SWMTKN-1-<digest of the CA>-<secret>."""
    return token.split("-")[-2] if token.count("-") >= 2 else ""


def ca_digest(root: str) -> str:
    """The same digest, of the CA certificate that a node trusts: SHA-256 in base 36."""
    number = int.from_bytes(hashlib.sha256(root.encode()).digest(), "big")
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return digits.rjust(DIGEST_WIDTH, "0")
