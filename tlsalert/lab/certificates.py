"""Makes the certificates and keys that the lab's device and its clients show. Not for use outside a lab."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

KeyKind = Literal["rsa", "p256"]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Usage = Literal["server", "client"]
USAGES: dict[Usage, x509.ObjectIdentifier] = {
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate, its private key, and the certificates to send after it (its issuer first, no root).

    ``signs_with`` is another key on the same curve with which its owner signs instead, as one does whose certificate
    and key got mixed up. Not part of :meth:`to_pem`.
    """

    certificate: x509.Certificate
    key: PrivateKey
    chain: tuple[x509.Certificate, ...] = ()
    signs_with: ec.EllipticCurvePrivateKey | None = None

    def __repr__(self) -> str:  # the key stays out of logs and tracebacks
        return f"Identity({self.certificate.subject.rfc4514_string()})"

    def to_pem(self) -> bytes:
        """Return key, certificate and chain as PEM. The key is not encrypted: for pipes, not for files."""
        encoding = serialization.Encoding.PEM
        form = serialization.PrivateFormat.PKCS8
        key = self.key.private_bytes(encoding, form, serialization.NoEncryption())
        return key + b"".join(one.public_bytes(encoding) for one in (self.certificate, *self.chain))

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Return what :meth:`to_pem` wrote. Raises ValueError where there is no key or no certificate."""
        key = serialization.load_pem_private_key(pem, None)
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise ValueError("the lab's keys are RSA or elliptic-curve keys")
        leaf, *chain = x509.load_pem_x509_certificates(pem)
        return cls(leaf, key, tuple(chain))


def self_signed(subject: str, not_before: datetime, not_after: datetime, key: KeyKind = "rsa") -> Identity:
    """Return a certificate that signed itself, as ``openssl req -x509`` makes one.

    ``subject`` is RFC 4514 text such as "CN=IPMI,O=Example,C=US". Times are UTC, in whole seconds.
    """
    private = make_key(key)
    builder = _builder(subject, private, not_before, not_after).issuer_name(_name(subject))
    return Identity(_authority(builder, private).sign(private, hashes.SHA256()), private)


def issued(
    subject: str,
    issuer: Identity,
    not_before: datetime,
    not_after: datetime,
    key: KeyKind = "rsa",
    *,
    authority: bool = False,
    names: tuple[str, ...] = (),
    usage: tuple[Usage, ...] = ("server", "client"),
) -> Identity:
    """Return a certificate that ``issuer`` signed, with the chain below the root behind it.

    With ``authority`` it may itself issue; else it is good for the ends of TLS that ``usage`` lists. ``names`` are
    DNS names.
    """
    private = make_key(key)
    builder = _builder(subject, private, not_before, not_after).issuer_name(issuer.certificate.subject)
    builder = _authority(builder, issuer.key) if authority else _leaf(builder, issuer.key, names, usage)
    is_root = issuer.certificate.subject == issuer.certificate.issuer
    chain = () if is_root else (issuer.certificate, *issuer.chain)
    return Identity(builder.sign(issuer.key, hashes.SHA256()), private, chain)


def tampered(identity: Identity) -> Identity:
    """Return ``identity`` with one bit of its certificate's signature changed: nobody can have signed that."""
    der = bytearray(identity.certificate.public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    return replace(identity, certificate=x509.load_der_x509_certificate(bytes(der)))


def make_key(kind: KeyKind) -> PrivateKey:
    """Return a new key: RSA of 2048 bits, or one on the curve P-256."""
    if kind == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 2048)


def _name(text: str) -> x509.Name:
    return x509.Name.from_rfc4514_string(text)


def _builder(subject: str, key: PrivateKey, not_before: datetime, not_after: datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(_name(subject)).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(not_before).not_valid_after(not_after)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False)


def _authority(builder: x509.CertificateBuilder, issuer: PrivateKey) -> x509.CertificateBuilder:
    return _signed_by(builder, issuer).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)


def _leaf(
    builder: x509.CertificateBuilder, issuer: PrivateKey, names: tuple[str, ...], usage: tuple[Usage, ...]
) -> x509.CertificateBuilder:
    extended = x509.ExtendedKeyUsage([USAGES[one] for one in usage])
    builder = _signed_by(builder, issuer).add_extension(extended, False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternatives, False)
    return builder


def _signed_by(builder: x509.CertificateBuilder, issuer: PrivateKey) -> x509.CertificateBuilder:
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
    return builder.add_extension(identifier, False)
