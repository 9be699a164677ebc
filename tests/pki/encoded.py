"""DER made by hand, so that the reader is not judged by its own code: ITU-T X.690 §8."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tlsalert.pki.der import Element, element

INTEGER, OCTET_STRING, OID, UTF8, UTC_TIME, GENERALIZED_TIME = 0x02, 0x04, 0x06, 0x0C, 0x17, 0x18
SEQUENCE, SET, VERSION, EXTENSIONS = 0x30, 0x31, 0xA0, 0xA3


def tlv(tag: int, *contents: bytes) -> bytes:
    """Return one element in the shortest form, as DER wants it."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    many = (size.bit_length() + 7) // 8
    return bytes([tag, 0x80 | many]) + size.to_bytes(many, "big") + content


def oid(dotted: str) -> bytes:
    """Return an object identifier."""
    first, second, *others = (int(number) for number in dotted.split("."))
    return tlv(OID, b"".join(_base128(number) for number in (40 * first + second, *others)))


def attribute(dotted: str, value: bytes, tag: int = UTF8) -> bytes:
    """Return an AttributeTypeAndValue, RFC 5280 §4.1.2.4."""
    return tlv(SEQUENCE, oid(dotted), tlv(tag, value))


def name(*relative: tuple[bytes, ...]) -> bytes:
    """Return a Name of relative names, each of attributes."""
    return tlv(SEQUENCE, *(tlv(SET, *attributes) for attributes in relative))


def extension(dotted: str, value: bytes) -> bytes:
    """Return an Extension that is not critical."""
    return tlv(SEQUENCE, oid(dotted), tlv(OCTET_STRING, value))


def whole(data: bytes) -> Element:
    """Return the one element that ``data`` is."""
    found = element(data)
    assert found.stop == len(data)
    return found


@dataclass(frozen=True)
class Parts:
    """A certificate taken apart, to be put together again with one part that is wrong.

    Each field is a whole element. ``extensions`` are the elements inside; ``rest`` is what follows the signed part.
    """

    version: bytes
    serial: bytes
    signature: bytes
    issuer: bytes
    validity: bytes
    subject: bytes
    key: bytes
    extensions: tuple[bytes, ...]
    rest: bytes

    def der(self) -> bytes:
        """Return the certificate."""
        added = tlv(EXTENSIONS, tlv(SEQUENCE, *self.extensions)) if self.extensions else b""
        return tlv(SEQUENCE, self.signed(added) + self.rest)

    def signed(self, added: bytes) -> bytes:
        """Return the TBSCertificate with ``added`` where the extensions stand."""
        fields = (self.version, self.serial, self.signature, self.issuer, self.validity, self.subject, self.key)
        return tlv(SEQUENCE, *fields, added)

    def but(self, **changes: bytes | tuple[bytes, ...]) -> bytes:
        """Return the certificate with some parts changed."""
        return replace(self, **changes).der()  # type: ignore[arg-type]


def taken_apart(der: bytes) -> Parts:
    """Return the parts of a version 3 certificate."""
    signed, *rest = _split(_content(der))
    version, serial, signature, issuer, validity, subject, key, added = _split(_content(signed))
    extensions = tuple(_split(_content(_content(added))))
    return Parts(version, serial, signature, issuer, validity, subject, key, extensions, b"".join(rest))


def _content(encoded: bytes) -> bytes:
    return encoded[_header(encoded) :]


def _split(content: bytes) -> list[bytes]:
    found = []
    while content:
        size = _header(content) + _length(content)
        found.append(content[:size])
        content = content[size:]
    return found


def _header(encoded: bytes) -> int:
    return 2 + (encoded[1] & 0x7F if encoded[1] & 0x80 else 0)


def _length(encoded: bytes) -> int:
    return int.from_bytes(encoded[2 : _header(encoded)], "big") if encoded[1] & 0x80 else encoded[1]


def _base128(number: int) -> bytes:
    found = [number & 0x7F]
    while number := number >> 7:
        found.insert(0, 0x80 | number & 0x7F)
    return bytes(found)
