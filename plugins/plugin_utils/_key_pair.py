# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a certificate and a private key can be used together."""

from __future__ import annotations

import re
from typing import Any

try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.x509 import load_pem_x509_certificate

    MISSING: str | None = None
except ImportError as problem:
    MISSING = str(problem)

#: What servers look for in a file; anything else in it (other blocks, words in between) is passed over.
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
KEY = re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?-----END \1PRIVATE KEY-----", re.DOTALL)


def pair_problem(certificate: str, key: str) -> str | None:
    """Why no server can use this certificate with this key, if so."""
    return _shape_problem(certificate, key) or _content_problem(certificate, key)


def _shape_problem(certificate: str, key: str) -> str | None:
    if KEY.search(certificate):
        return "the certificate holds a private key too, and everybody on a manager could read it there; give it as the key only."
    if not CERTIFICATE.search(certificate):
        return "the certificate is not PEM; give the text from BEGIN CERTIFICATE to END CERTIFICATE, intermediates after it."
    private = KEY.search(key)
    if not private:
        return "the key is not a private key in PEM; give the text from BEGIN PRIVATE KEY to END PRIVATE KEY."
    if "ENCRYPTED" in private[0]:
        return "the key has a passphrase, and nobody is there to type it when Caddy starts; give it without (openssl pkey -in KEY)."
    return None


def _content_problem(certificate: str, key: str) -> str | None:
    try:
        public = load_pem_x509_certificate(_block(CERTIFICATE, certificate)).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "the certificate cannot be read; was it cut off or changed on its way?"
    try:
        own = serialization.load_pem_private_key(_block(KEY, key), password=None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "the key cannot be read; was it cut off or changed on its way?"
    if _encoded(own) != _encoded(public):
        return "the key does not belong to the certificate (the first one, where there are intermediates); give the one it was made with."
    return None


def _block(pattern: re.Pattern[str], text: str) -> bytes:
    found = pattern.search(text)
    return found[0].encode() if found else b""


def _encoded(public: Any) -> bytes:
    encoded: bytes = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encoded
