"""Certificates that issue each other, made for tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.pki.certificates import NOT_AFTER, NOT_BEFORE, USAGE_FIELDS
from tlsalert.model import Certificate
from tlsalert.pki.certificate import read_certificate

AUTHORITY = x509.BasicConstraints(ca=True, path_length=None)


@dataclass(frozen=True)
class Holder:
    """A key and its certificate."""

    key: Any
    der: bytes

    @property
    def certificate(self) -> Certificate:
        return read_certificate(self.der)

    @property
    def name(self) -> x509.Name:
        return x509.load_der_x509_certificate(self.der).subject

    @property
    def info(self) -> bytes:
        """The SubjectPublicKeyInfo."""
        return public(self.key)


def issue(
    subject: str,
    by: Holder | None = None,
    *extensions: x509.ExtensionType,
    key: CertificateIssuerPrivateKeyTypes | None = None,
    critical: tuple[x509.ExtensionType, ...] = (),
    digest: Any = None,
    issuer: str | None = None,
    padding: Any = None,
) -> Holder:
    """Return a new holder whose certificate ``by`` signed (or, else, its own key); ``issuer`` names another one."""
    own = key if key is not None else ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string(subject)
    signer: Any = own if by is None else by.key
    issued_by = name if by is None else by.name
    if issuer is not None:
        issued_by = x509.Name.from_rfc4514_string(issuer)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issued_by).serial_number(7)
    builder = builder.not_valid_before(NOT_BEFORE).not_valid_after(NOT_AFTER).public_key(own.public_key())
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    for extension in critical:
        builder = builder.add_extension(extension, critical=True)
    bare = type(signer).__name__ in ("Ed25519PrivateKey", "Ed448PrivateKey") or "MLDSA" in type(signer).__name__
    chosen = None if bare else digest or hashes.SHA256()
    return Holder(own, builder.sign(signer, chosen, rsa_padding=padding).public_bytes(Encoding.DER))


def public(key: Any) -> bytes:
    """Return the SubjectPublicKeyInfo of a private key."""
    encoded: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def usage(*fields: str) -> x509.KeyUsage:
    """Return a key usage by cryptography's names."""
    return x509.KeyUsage(**{field: field in fields for field in USAGE_FIELDS})
