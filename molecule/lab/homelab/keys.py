# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys made per lab: one to log in with, one for each node's sshd, and a CA for the registry."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

# No requirement of our own: ansible-core needs it as well.
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

REGISTRY_NAME = "registry.lab"
VALID = datetime.timedelta(days=3650)
CLOCK_SLACK = datetime.timedelta(days=1)


@dataclass(frozen=True)
class SshKey:
    private: str
    public: str

    @classmethod
    def generate(cls) -> SshKey:
        key = ed25519.Ed25519PrivateKey.generate()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        return cls(private.decode(), public.decode() + "\n")

    @classmethod
    def kept(cls, path: Path) -> SshKey:
        """The key at this path, made on first use."""
        public = path.with_name(path.name + ".pub")
        if not path.exists() or not public.exists():
            key = cls.generate()
            write_private(path, key.private)
            public.write_text(key.public)
        return cls(path.read_text(), public.read_text())


@dataclass(frozen=True)
class Tls:
    ca: str
    certificate: str
    key: str

    @classmethod
    def kept(cls, folder: Path) -> Tls:
        """The registry's CA, certificate and key in this folder, made on first use. The CA's own key is forgotten at once."""
        files = {"ca": folder / "ca.crt", "certificate": folder / "registry.crt", "key": folder / "registry.key"}
        if not all(path.exists() for path in files.values()):
            tls = _generate_tls()
            write_private(files["key"], tls.key)
            files["certificate"].write_text(tls.certificate)
            files["ca"].write_text(tls.ca)
        return cls(**{field: path.read_text() for field, path in files.items()})


@dataclass(frozen=True)
class Keys:
    """What all nodes of a lab have in common."""

    login: SshKey
    tls: Tls

    @classmethod
    def kept(cls, folder: Path) -> Keys:
        return cls(SshKey.kept(folder / "id_ed25519"), Tls.kept(folder))


def write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


def _generate_tls() -> Tls:
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("homecloud lab CA")
    ca = (
        _certificate(ca_name, ca_name, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    names = [
        x509.DNSName(REGISTRY_NAME),
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    certificate = (
        _certificate(_name(REGISTRY_NAME), ca_name, key)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Tls(ca.public_bytes(pem).decode(), certificate.public_bytes(pem).decode(), private.decode())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(now + VALID)
    )
