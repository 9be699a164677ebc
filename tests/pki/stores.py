"""Certificates, keys and key stores for the tests of the inventory: made here, of every kind, with one passphrase."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tlsalert.pki.containers import Blob, Damage
from tlsalert.pki.found import Found
from tlsalert.pki.inventory import walked
from tlsalert.pki.keys import Phrases

PASSPHRASE = b"open sesame"
AT = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class Made:
    """A key and its certificate in every form."""

    def __init__(self, key: Any, certificate: x509.Certificate) -> None:
        self.key = key
        self.certificate = certificate
        self.der = certificate.public_bytes(Encoding.DER)
        self.pem = certificate.public_bytes(Encoding.PEM)
        self.spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def private(
        self,
        form: PrivateFormat = PrivateFormat.PKCS8,
        encoding: Encoding = Encoding.DER,
        lock: KeySerializationEncryption | None = None,
    ) -> bytes:
        """Return the private key."""
        data: bytes = self.key.private_bytes(encoding, form, lock or NoEncryption())
        return data

    def locked(self, form: PrivateFormat = PrivateFormat.PKCS8, encoding: Encoding = Encoding.PEM) -> bytes:
        """Return the private key under PASSPHRASE."""
        return self.private(form, encoding, BestAvailableEncryption(PASSPHRASE))


def make(
    name: str,
    key: Any = None,
    by: Made | None = None,
    begins: datetime = AT - 100 * DAY,
    ends: datetime = AT + 200 * DAY,
    ca: bool | None = False,
    digest: Any = None,
) -> Made:
    """Return a certificate that ``by`` signed, or else its own key; ``ca`` None leaves out basicConstraints."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name.from_rfc4514_string(name)
    builder = x509.CertificateBuilder().subject_name(subject).public_key(own.public_key())
    builder = builder.issuer_name(subject if by is None else by.certificate.subject)
    builder = builder.not_valid_before(begins).not_valid_after(ends).serial_number(x509.random_serial_number())
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    signer = own if by is None else by.key
    bare = isinstance(signer, ed25519.Ed25519PrivateKey)
    return Made(own, builder.sign(signer, None if bare else digest or hashes.SHA256()))


@cache
def leaf() -> Made:
    """Return one RSA certificate that all tests share."""
    return make("CN=leaf,O=Board", rsa.generate_private_key(65537, 2048))


def look(data: bytes, *passphrases: bytes, where: str = "FILE") -> list[Found]:
    """Return what is found in bytes; damage is not expected."""
    things = look_at_all(data, *passphrases, where=where)
    assert [one for one in things if isinstance(one, Damage)] == []
    return [one for one in things if isinstance(one, Found)]


def look_at_all(data: bytes, *passphrases: bytes, where: str = "FILE") -> list[Found | Damage]:
    """Return what is found in bytes, damage as well."""
    return list(walked(Blob(where, data), Phrases(passphrases)))


def told(things: list[Found]) -> list[tuple[str, str, str | None, bool]]:
    """Return place, kind, key and whether it is encrypted."""
    return [(one.where, one.kind, one.key, one.encrypted) for one in things]


def run(*command: str | Path, folder: Path, stdin: bytes = b"") -> bytes:
    """Run a program in a folder and return what it printed; the test is skipped where it is not installed."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        [str(one) for one in command], cwd=folder, input=stdin, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
