"""DER told apart by what it is: certificate, request, revocation list, key or bundle; each gives what is in it.

Structures: RFC 5280 (certificates and revocation lists), RFC 2986 (requests), RFC 2315 and 5652 (PKCS #7), RFC 7292
(PKCS #12), RFC 5958 (PKCS #8), RFC 8017 App. A.1 (RSA), RFC 5915 (EC).
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.pki import der
from tlsalert.pki.certificate import read_certificate
from tlsalert.pki.containers import Blob, Damage
from tlsalert.pki.der import Element, children, element, first, first_of, oid
from tlsalert.pki.found import Found
from tlsalert.pki.keys import Phrases, attempt, describe_public, private_found
from tlsalert.pki.names import name_text
from tlsalert.pki.signatures import taken_apart

SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
ENVELOPES: Final = ("1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2")
#: Certificates in one PKCS #7 bundle; real ones hold a few hundred at most.
MOST_IN_BUNDLE: Final = 4096


def read_object(data: bytes, blob: Blob, offset: int, phrases: Phrases) -> Iterator[Found | Damage]:
    """Yield what one DER element is; nothing where it is none of the kinds that are looked for."""
    kind = der_kind(data)
    if kind == "certificate":
        yield from certificate_found(data, blob, offset)
    elif kind == "csr":
        yield from _request(data, blob, offset)
    elif kind == "crl":
        yield from _revocations(data, blob, offset)
    elif kind in ("pkcs1", "pkcs8", "sec1", "dsa", "encrypted"):
        yield from private_found(data, blob, offset, phrases, encrypted=kind == "encrypted")
    elif kind == "spki":
        yield from public_found(data, blob, offset)
    elif kind == "pkcs7":
        yield from _bundle(data, blob, offset)
    elif kind == "pkcs12":
        from tlsalert.pki.pkcs12 import read_pkcs12

        yield from read_pkcs12(data, blob, offset, phrases)


def der_kind(data: bytes) -> str | None:
    """Return what a DER element is by its first fields, None where that is unknown."""
    try:
        outer = element(data)
        if outer.tag != der.SEQUENCE:
            return None
        inside = first_of(outer, 4)
        return _kind(inside) if len(inside) > 1 else None
    except DecodeError:
        return None


def _kind(inside: list[Element]) -> str | None:
    tags = [part.tag for part in inside]
    head = inside[0]
    if tags[0] == der.OID:
        return "pkcs7" if oid(head) == SIGNED_DATA and tags[1] == 0xA0 else None
    if tags[0] == der.INTEGER:
        return _numbered(inside, tags)
    if tags[0] != der.SEQUENCE:
        return None
    if tags[:3] == [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        return _signed(head)
    if tags == [der.SEQUENCE, der.BIT_STRING]:
        return "spki" if first(head).tag == der.OID else None
    if tags == [der.SEQUENCE, der.OCTET_STRING]:
        return "encrypted" if first(head).tag == der.OID and _encryption(oid(first(head))) else None
    return None


def _numbered(inside: list[Element], tags: list[int]) -> str | None:
    """Return what begins with a version number."""
    version = inside[0].content
    if version in (b"\0", b"\1") and tags[1:3] == [der.SEQUENCE, der.OCTET_STRING]:
        return "pkcs8"
    if version == b"\1" and tags[1] == der.OCTET_STRING:
        return "sec1" if len(tags) > 2 and tags[2] in (0xA0, 0xA1) else None
    if version == b"\3" and tags[1] == der.SEQUENCE and first(inside[1]).tag == der.OID:
        return "pkcs12" if oid(first(inside[1])) in ENVELOPES else None
    if version in (b"\0", b"\1") and tags == [der.INTEGER] * 4 and len(inside[1].content) > 32:
        return "pkcs1" if len(inside[2].content) <= 8 else "dsa" if len(inside[2].content) >= 20 else None
    return None


def _signed(body: Element) -> str | None:
    """Return which of the three signed kinds it is: by what stands first in what is signed."""
    fields = [part.tag for part in first_of(body, 6)]
    if fields[:1] == [0xA0] or fields[:6] == [der.INTEGER, *[der.SEQUENCE] * 5]:
        return "certificate"
    if fields[:4] == [der.INTEGER, der.SEQUENCE, der.SEQUENCE, 0xA0]:
        return "csr"
    start = 1 if fields[:1] == [der.INTEGER] else 0
    if fields[start : start + 2] == [der.SEQUENCE] * 2 and fields[start + 2 : start + 3]:
        return "crl" if fields[start + 2] in (der.UTC_TIME, der.GENERALIZED_TIME) else None
    return None


def _encryption(dotted: str) -> bool:
    """Whether it is a way of encrypting with a passphrase: PKCS #5, PKCS #12 App. C."""
    return dotted.startswith(("1.2.840.113549.1.5.", "1.2.840.113549.1.12.1."))


def certificate_found(data: bytes, blob: Blob, offset: int, label: str | None = None) -> Iterator[Found | Damage]:
    """Yield a certificate, or damage where its fields cannot be read."""
    read = read_certificate(data)
    if read.not_before is None and read.not_after is None and read.key is None:
        why = read.problems[0] if read.problems else "its fields cannot be read"
        yield Damage(blob.where, f"a certificate at byte {offset} is damaged: {why}")
        return
    parts = taken_apart(data)
    yield Found(
        blob.where,
        "certificate",
        read.sha256,
        None if parts is None else sha256(parts.key).hexdigest(),
        read.subject,
        read.issuer,
        read.serial,
        read.not_before,
        read.not_after,
        read.key,
        problems=read.problems,
        offset=offset,
        label=label,
        certificate=read,
        der=data,
        mode=blob.mode,
    )


def public_found(data: bytes, blob: Blob, offset: int, label: str | None = None) -> Iterator[Found | Damage]:
    """Yield a public key that stands alone as a SubjectPublicKeyInfo."""
    key = describe_public(data)
    if key is not None:
        digest = sha256(data).hexdigest()
        yield Found(
            blob.where, "public_key", digest, digest, key=key, offset=offset, label=label, der=data, mode=blob.mode
        )


def _request(data: bytes, blob: Blob, offset: int) -> Iterator[Found | Damage]:
    try:
        body = first(element(data))
        _, subject, key = first_of(body, 3)
        name = name_text(subject)
    except (DecodeError, ValueError) as error:
        yield Damage(blob.where, f"a certificate request at byte {offset} is damaged: {error}")
        return
    yield Found(
        blob.where,
        "csr",
        sha256(data).hexdigest(),
        sha256(key.whole).hexdigest(),
        name,
        key=describe_public(key.whole),
        offset=offset,
        der=data,
        mode=blob.mode,
    )


def _revocations(data: bytes, blob: Blob, offset: int) -> Iterator[Found | Damage]:
    try:
        fields = first_of(first(element(data)), 5)
        if fields[0].tag == der.INTEGER:
            del fields[0]
        issuer = name_text(fields[1])
        this, following = der.time(fields[2]), None
        if len(fields) > 3 and fields[3].tag in (der.UTC_TIME, der.GENERALIZED_TIME):
            following = der.time(fields[3])
    except (DecodeError, ValueError, IndexError) as error:
        yield Damage(blob.where, f"a revocation list at byte {offset} is damaged: {error}")
        return
    yield Found(
        blob.where,
        "crl",
        sha256(data).hexdigest(),
        issuer=issuer,
        not_before=this,
        not_after=following,
        offset=offset,
        der=data,
        mode=blob.mode,
    )


def _bundle(data: bytes, blob: Blob, offset: int) -> Iterator[Found | Damage]:
    """Yield the certificates and revocation lists of a PKCS #7 bundle, RFC 5652 §5.1: in [0] and [1] of SignedData."""
    try:
        signed = first(first_of(element(data), 2)[1])
        sets = [part for part in first_of(signed, 6) if part.tag in (0xA0, 0xA1)]
        inside = [part.whole for one in sets for part in children(one)]
    except (DecodeError, IndexError) as error:
        yield from _loaded_bundle(data, blob, offset, error)
        return
    for one in inside[:MOST_IN_BUNDLE]:
        kind = der_kind(one)
        if kind == "certificate":
            yield from certificate_found(one, blob, offset)
        elif kind == "crl":
            yield from _revocations(one, blob, offset)


def _loaded_bundle(data: bytes, blob: Blob, offset: int, error: Exception) -> Iterator[Found | Damage]:
    """Try the library where the bundle's form is not the usual one, as with BER."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates

    encoded: list[bytes] | None = attempt(
        lambda: [one.public_bytes(Encoding.DER) for one in load_der_pkcs7_certificates(data)]
    )
    if encoded is None:
        yield Damage(blob.where, f"a PKCS #7 bundle at byte {offset} is damaged: {error}")
        return
    for one in encoded[:MOST_IN_BUNDLE]:
        yield from certificate_found(one, blob, offset)
