"""The other handshake messages whose content the model shows: Certificate and CertificateRequest."""

from __future__ import annotations

from mypy_extensions import i64

from tlsalert.errors import DecodeError
from tlsalert.wire.cursor import Cursor
from tlsalert.wire.transcript import TLS13


def read_certificate_list(body: bytes, tls13: bool) -> tuple[list[bytes], str | None]:
    """Return the DER of each certificate of a Certificate message, and what is wrong with the message if anything is.

    RFC 5246 §7.4.2; in TLS 1.3 a request context stands first and each entry has extensions (RFC 8446 §4.4.2).
    """
    cursor = Cursor(body, 0, len(body))
    found: list[bytes] = []
    try:
        if tls13:
            cursor.vector(1, "certificate_request_context")
        entries = cursor.vector(3, "certificate_list")
        while entries.left:
            found.append(entries.vector(3, "certificate").rest())
            if tls13:
                entries.vector(2, "extensions")
        cursor.done("certificate")
    except DecodeError as error:
        return _salvage(body, tls13, found), error.what
    return found, None


def _salvage(body: bytes, tls13: bool, found: list[bytes]) -> list[bytes]:
    """Return the certificates that lie whole in a message whose lengths don't add up or that was cut."""
    if found or tls13:
        return found
    end: i64 = len(body)
    at: i64 = 3
    while at + 3 <= end:
        size = i64(body[at]) << 16 | i64(body[at + 1]) << 8 | i64(body[at + 2])
        if at + 3 + size > end:
            break
        found.append(body[at + 3 : at + 3 + size])
        at += 3 + size
    return found


def read_certificate_request(body: bytes, version: int) -> tuple[list[bytes], tuple[int, ...], tuple[int, ...]]:
    """Return the authorities (DER names), signature schemes and certificate types of a CertificateRequest.

    RFC 5246 §7.4.4; before TLS 1.2 there are no signature schemes; RFC 8446 §4.3.2 for TLS 1.3. ``version`` is the
    negotiated one, or 0 where it was not seen: the form that fits is taken. Raises :class:`DecodeError`.
    """
    if version >= TLS13:
        return _request_13(body)
    if version >= 0x0303:
        return _request_12(body, True)
    if version > 0:
        return _request_12(body, False)
    try:
        return _request_12(body, True)
    except DecodeError:
        return _request_12(body, False)


def _request_12(body: bytes, with_schemes: bool) -> tuple[list[bytes], tuple[int, ...], tuple[int, ...]]:
    cursor = Cursor(body, 0, len(body))
    types = cursor.vector(1, "certificate_types").numbers(1, "certificate_types")
    schemes: tuple[int, ...] = ()
    if with_schemes:
        schemes = cursor.vector(2, "supported_signature_algorithms").numbers(2, "supported_signature_algorithms")
    names = _names(cursor.vector(2, "certificate_authorities"))
    cursor.done("certificate_request")
    return names, schemes, types


def _request_13(body: bytes) -> tuple[list[bytes], tuple[int, ...], tuple[int, ...]]:
    cursor = Cursor(body, 0, len(body))
    cursor.vector(1, "certificate_request_context")
    extensions = cursor.vector(2, "extensions")
    names: list[bytes] = []
    schemes: tuple[int, ...] = ()
    while extensions.left:
        kind = extensions.u16("extension_type")
        inner = extensions.vector(2, "extension")
        if kind == 13:
            schemes = inner.vector(2, "supported_signature_algorithms").numbers(2, "supported_signature_algorithms")
        elif kind == 47:
            names = _names(inner.vector(2, "authorities"))
    return names, schemes, ()


def _names(cursor: Cursor) -> list[bytes]:
    found: list[bytes] = []
    while cursor.left:
        found.append(cursor.vector(2, "distinguished_name").rest())
    return found
