"""Builds certificates and CRLs (RFC 5280) from parts that may be wrong: what ``cryptography`` refuses to build.

A part is a whole DER element, so that those copied from another certificate stay as they are, byte for byte.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha1
from typing import NamedTuple, Self

from tlsalert.errors import DecodeError
from tlsalert.pki import der, write
from tlsalert.pki.signing import Signer

SUBJECT_KEY_IDENTIFIER, KEY_USAGE, SUBJECT_ALT_NAME = "2.5.29.14", "2.5.29.15", "2.5.29.17"
BASIC_CONSTRAINTS, NAME_CONSTRAINTS = "2.5.29.19", "2.5.29.30"
AUTHORITY_KEY_IDENTIFIER, EXTENDED_KEY_USAGE = "2.5.29.35", "2.5.29.37"
CRL_NUMBER, CRL_REASON = "2.5.29.20", "2.5.29.21"
SERVER_AUTH, CLIENT_AUTH, CODE_SIGNING = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.3"
ANY_USAGE = "2.5.29.37.0"
#: The bits of keyUsage, RFC 5280 §4.2.1.3.
DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, CERTIFICATE_SIGNING, CRL_SIGNING = 0, 2, 5, 6


class Extension(NamedTuple):
    """One extension: its number in dotted form, and the whole element."""

    dotted: str
    whole: bytes

    @property
    def critical(self) -> bool:
        """Whether who does not know it must refuse the certificate, RFC 5280 §4.2."""
        inside = der.first_of(der.element(self.whole), 3)
        return len(inside) == 3 and inside[1].tag == der.BOOLEAN and inside[1].content != b"\0"

    @property
    def value(self) -> bytes:
        """The DER inside the extnValue."""
        return der.first_of(der.element(self.whole), 3)[-1].content


@dataclass(frozen=True, slots=True)
class Body:
    """A TBSCertificate, RFC 5280 §4.1, but for the signature's algorithm. All fields but the last two are elements.

    ``version`` is the number that is written, one less than the version that is meant; None leaves it out (version 1).
    """

    serial: bytes
    issuer: bytes
    not_before: bytes
    not_after: bytes
    subject: bytes
    key: bytes
    extensions: tuple[Extension, ...] = ()
    version: int | None = 2

    def signed(self, algorithm: bytes) -> bytes:
        """Return the bytes that are signed."""
        version = b"" if self.version is None else write.tlv(0xA0, write.integer(self.version))
        validity = write.sequence(self.not_before, self.not_after)
        inside = write.sequence(*(extension.whole for extension in self.extensions))
        added = write.tlv(0xA3, inside) if self.extensions else b""
        return write.sequence(version, self.serial, algorithm, self.issuer, validity, self.subject, self.key, added)

    def with_extension(self, new: Extension) -> Self:
        """Return the body with an extension in the place of the one of its number, or behind all others."""
        places = [place for place, one in enumerate(self.extensions) if one.dotted == new.dotted]
        if not places:
            return replace(self, extensions=(*self.extensions, new))
        changed = list(self.extensions)
        changed[places[0]] = new
        return replace(self, extensions=tuple(changed))

    def without(self, *dotted: str) -> Self:
        """Return the body without the extensions of these numbers."""
        return replace(self, extensions=tuple(one for one in self.extensions if one.dotted not in dotted))

    def extension(self, dotted: str) -> Extension | None:
        """Return the first extension of a number, None where there is none."""
        return next((one for one in self.extensions if one.dotted == dotted), None)


def certificate(body: Body, signer: Signer, *, inner: bytes | None = None, outer: bytes | None = None) -> bytes:
    """Return the certificate of ``body``. ``inner`` and ``outer`` stand in the places of the signature's algorithm."""
    signed = body.signed(inner or signer.algorithm)
    return write.sequence(signed, outer or signer.algorithm, write.bits(signer.sign(signed)))


def body_of(encoded: bytes) -> Body:
    """Return the parts of a certificate. Raises :class:`DecodeError` where it has not all of them."""
    fields = der.first_of(der.first(der.element(encoded)), 11)
    version = None
    if fields and fields[0].tag == 0xA0:
        version = int.from_bytes(der.first(fields.pop(0)).content, "big")
    if len(fields) < 6:
        raise DecodeError(f"a certificate with {len(fields)} of 6 fields")
    serial, _, issuer, validity, subject, key = fields[:6]
    not_before, not_after = der.parts(validity, 2)
    wrapper = next((part for part in fields[6:] if part.tag == 0xA3), None)
    extensions = tuple(
        Extension(der.oid(der.first(one)), one.whole) for one in (der.children(der.first(wrapper)) if wrapper else ())
    )
    return Body(
        serial.whole,
        issuer.whole,
        not_before.whole,
        not_after.whole,
        subject.whole,
        key.whole,
        extensions,
        version,
    )


class Revoked(NamedTuple):
    """One entry of a CRL: the serial number as an element, and why by the numbers of RFC 5280 §5.3.1."""

    serial: bytes
    reason: int


def revocation_list(
    issuer: bytes,
    signer: Signer,
    entries: Sequence[Revoked],
    this_update: datetime,
    next_update: datetime,
    identifier: bytes,
) -> bytes:
    """Return a CRL of version 2, RFC 5280 §5. ``issuer`` is a Name, ``identifier`` the issuer's key identifier."""
    began = write.time(this_update)
    revoked = write.sequence(
        *(
            write.sequence(
                entry.serial,
                began,
                write.sequence(extension(CRL_REASON, write.tlv(0x0A, bytes((entry.reason,)))).whole),
            )
            for entry in entries
        )
    )
    added = write.sequence(
        authority_identifier(identifier).whole,
        extension(
            CRL_NUMBER, write.integer(max(int(this_update.timestamp()), 0))
        ).whole,  # it must grow, RFC 5280 §5.2.3
    )
    signed = write.sequence(
        write.integer(1),
        signer.algorithm,
        issuer,
        began,
        write.time(next_update),
        revoked if entries else b"",
        write.tlv(0xA0, added),
    )
    return write.sequence(signed, signer.algorithm, write.bits(signer.sign(signed)))


def extension(dotted: str, value: bytes, critical: bool = False) -> Extension:
    """Return an Extension around the DER of its value."""
    flag = write.tlv(der.BOOLEAN, b"\xff") if critical else b""
    return Extension(dotted, write.sequence(write.oid(dotted), flag, write.octets(value)))


def basic_constraints(authority: bool, path_length: int | None = None) -> Extension:
    """Return whether it is a CA, and how many CAs may stand between it and a leaf, RFC 5280 §4.2.1.9."""
    flag = write.tlv(der.BOOLEAN, b"\xff") if authority else b""
    longest = b"" if path_length is None else write.integer(path_length)
    return extension(BASIC_CONSTRAINTS, write.sequence(flag, longest), critical=True)


def key_usage(*numbers: int, critical: bool = True) -> Extension:
    """Return what the key may be used for, RFC 5280 §4.2.1.3."""
    return extension(KEY_USAGE, write.named_bits(*numbers), critical)


def extended_usage(*usages: str, critical: bool = False) -> Extension:
    """Return the purposes of the certificate, RFC 5280 §4.2.1.12."""
    return extension(EXTENDED_KEY_USAGE, write.sequence(*map(write.oid, usages)), critical)


def dns_names(*names: str) -> Extension:
    """Return alternative names of hosts, RFC 5280 §4.2.1.6."""
    return extension(SUBJECT_ALT_NAME, write.sequence(*(write.tlv(0x82, name.encode()) for name in names)))


def permitted_names(*names: str) -> Extension:
    """Return name constraints that permit hosts under these names alone, RFC 5280 §4.2.1.10."""
    trees = (write.sequence(write.tlv(0x82, name.encode())) for name in names)
    return extension(NAME_CONSTRAINTS, write.sequence(write.tlv(0xA0, *trees)), critical=True)


def subject_identifier(identifier: bytes) -> Extension:
    """Return the certificate's own key identifier, RFC 5280 §4.2.1.2."""
    return extension(SUBJECT_KEY_IDENTIFIER, write.octets(identifier))


def authority_identifier(identifier: bytes) -> Extension:
    """Return the key identifier of the issuer, RFC 5280 §4.2.1.1."""
    return extension(AUTHORITY_KEY_IDENTIFIER, write.sequence(write.tlv(0x80, identifier)))


def identifier_of(info: bytes) -> bytes:
    """Return a key identifier by the first method of RFC 5280 §4.2.1.2. ``info`` is a SubjectPublicKeyInfo."""
    key = der.parts(der.element(info), 2)[1]
    return sha1(key.content[1:], usedforsecurity=False).digest()


def random_serial() -> bytes:
    """Return a serial number that nobody else gives: positive, of 16 bytes, RFC 5280 §4.1.2.2."""
    return write.integer(secrets.randbits(126) | 1 << 126)
