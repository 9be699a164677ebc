"""Writing DER (ITU-T X.690) element by element: what is wrong in a certificate is put there on purpose."""

from __future__ import annotations

from datetime import UTC, datetime

from tlsalert.pki import der

NULL = b"\x05\x00"
UTF8_STRING, IA5_STRING = 0x0C, 0x16
#: From this year on RFC 5280 §4.1.2.5 wants GeneralizedTime.
FIRST_GENERAL_YEAR = 2050
COMMON_NAME = "2.5.4.3"


def tlv(tag: int, *contents: bytes) -> bytes:
    """Return one element, its length in the shortest form, X.690 §10.1."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    many = (size.bit_length() + 7) // 8
    return bytes((tag, 0x80 | many)) + size.to_bytes(many, "big") + content


def sequence(*contents: bytes) -> bytes:
    """Return a SEQUENCE of elements."""
    return tlv(der.SEQUENCE, *contents)


def integer(number: int) -> bytes:
    """Return an INTEGER in the fewest bytes, negative ones in two's complement, X.690 §8.3."""
    magnitude = number if number >= 0 else ~number
    return tlv(der.INTEGER, number.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    """Return an object identifier, X.690 §8.19."""
    first, second, *others = (int(number) for number in dotted.split("."))
    return tlv(der.OID, *(_base128(number) for number in (40 * first + second, *others)))


def bits(content: bytes, unused: int = 0) -> bytes:
    """Return a BIT STRING whose last byte has ``unused`` bits that don't count."""
    return tlv(der.BIT_STRING, bytes((unused,)), content)


def octets(content: bytes) -> bytes:
    """Return an OCTET STRING."""
    return tlv(der.OCTET_STRING, content)


def named_bits(*numbers: int) -> bytes:
    """Return a BIT STRING with the bits of these numbers set, without zeros at its end, X.690 §11.2.2."""
    last = max(numbers, default=-1)
    if last < 0:
        return bits(b"")
    size = last // 8 + 1
    value = sum(1 << (8 * size - 1 - number) for number in set(numbers))
    return bits(value.to_bytes(size, "big"), 8 * size - 1 - last)


def utc_time(moment: datetime) -> bytes:
    """Return a UTCTime of two digits for the year; it is read as one between 1950 and 2049."""
    return tlv(der.UTC_TIME, moment.astimezone(UTC).strftime("%y%m%d%H%M%SZ").encode())


def general_time(moment: datetime) -> bytes:
    """Return a GeneralizedTime, in UTC and whole seconds."""
    at = moment.astimezone(UTC)
    said = f"{at.year:04d}{at.month:02d}{at.day:02d}{at.hour:02d}{at.minute:02d}{at.second:02d}Z"
    return tlv(der.GENERALIZED_TIME, said.encode())


def time(moment: datetime) -> bytes:
    """Return a time in the form that its year calls for, RFC 5280 §4.1.2.5."""
    year = moment.astimezone(UTC).year
    return utc_time(moment) if 1950 <= year < FIRST_GENERAL_YEAR else general_time(moment)


def common_name(text: str) -> bytes:
    """Return a Name (RFC 5280 §4.1.2.4) of one common name."""
    return sequence(tlv(der.SET, sequence(oid(COMMON_NAME), tlv(UTF8_STRING, text.encode()))))


def _base128(number: int) -> bytes:
    found = [number & 0x7F]
    while number := number >> 7:
        found.append(0x80 | number & 0x7F)
    return bytes(reversed(found))
