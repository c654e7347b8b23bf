# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys are made once, kept private, and fit each other."""

from __future__ import annotations

import stat
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from homelab.keys import Keys, SshKey, Tls


def test_keys_are_made_once(tmp_path: Path) -> None:
    assert Keys.kept(tmp_path) == Keys.kept(tmp_path)


def test_private_keys_are_private(tmp_path: Path) -> None:
    Keys.kept(tmp_path)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert (modes["id_ed25519"], modes["registry.key"]) == (0o600, 0o600)


def test_the_public_key_belongs_to_the_private_one() -> None:
    key = SshKey.generate()
    private = serialization.load_ssh_private_key(key.private.encode(), password=None)
    public = private.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    assert public.decode() == key.public.strip()


def test_the_registry_is_certified_for_its_names(tmp_path: Path) -> None:
    tls = Tls.kept(tmp_path)
    ca, certificate = (x509.load_pem_x509_certificate(text.encode()) for text in (tls.ca, tls.certificate))
    certificate.verify_directly_issued_by(ca)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["registry.lab", "localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
