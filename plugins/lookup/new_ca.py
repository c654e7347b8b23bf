# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new certificate authority, made in memory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: new_ca
short_description: Make a certificate authority
version_added: 0.1.0
author:
  - The homecloud.swarm developers (!UNKNOWN)
description:
  - Makes a key (P-256) and a certificate signed with it. Neither is written anywhere; keep what you need, and keep it secret.
  - Each call makes another one. Use it in P(ansible.builtin.set_fact#module), with C(no_log), once.
options:
  _terms:
    description: The common name of each authority to make.
    type: list
    elements: str
    required: true
  days:
    description: For how long the certificate is valid.
    type: int
    default: 3650
"""

EXAMPLES = r"""
- name: Make a certificate authority
  ansible.builtin.set_fact:
    home_ca: "{{ lookup('homecloud.swarm.new_ca', 'Home CA') }}"
  no_log: true
"""

RETURN = r"""
_raw:
  description: One mapping for each name, with C(certificate) and C(key), both PEM.
  type: list
  elements: dict
"""

from datetime import datetime, timedelta, timezone
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    PROBLEM: str | None = None
except ImportError as problem:
    PROBLEM = str(problem)


def new_ca(name: str, days: int, now: datetime) -> dict[str, str]:
    """A key and its self-signed certificate, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return {
        "certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        # "EC PRIVATE KEY": the one form every program reads.
        "key": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ).decode(),
    }


class LookupModule(LookupBase):
    """Ansible's way to find the lookup."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **options: Any) -> list[dict[str, str]]:
        if PROBLEM:
            raise AnsibleLookupError(f"Python's cryptography is missing on the controller ({PROBLEM}); install it beside ansible-core.")
        self.set_options(var_options=variables, direct=options)
        return [new_ca(name, self.get_option("days"), datetime.now(timezone.utc)) for name in terms]
