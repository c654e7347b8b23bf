# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime, timezone

from ansible_collections.homecloud.swarm.plugins.lookup.new_ca import new_ca
from cryptography import x509
from cryptography.hazmat.primitives import serialization

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=timezone.utc)


def test_the_key_signs_and_the_certificate_is_an_authority() -> None:
    made = new_ca("Home CA", 10, NOW)
    certificate = x509.load_pem_x509_certificate(made["certificate"].encode())
    key = serialization.load_pem_private_key(made["key"].encode(), password=None)
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert key.public_key().public_bytes(*form) == certificate.public_key().public_bytes(*form)
    certificate.verify_directly_issued_by(certificate)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_name_and_days_are_as_asked_for() -> None:
    certificate = x509.load_pem_x509_certificate(new_ca("Home CA", 10, NOW)["certificate"].encode())
    assert certificate.subject.rfc4514_string() == "CN=Home CA"
    assert (certificate.not_valid_after_utc - NOW).days == 10
    assert certificate.not_valid_before_utc < NOW


def test_each_is_another() -> None:
    assert new_ca("a", 1, NOW)["key"] != new_ca("a", 1, NOW)["key"]
