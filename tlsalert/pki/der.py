"""Reading DER (ITU-T X.690) one element at a time, bounds first: certificates in evidence are often broken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from tlsalert.errors import DecodeError

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID = 0x01, 0x02, 0x03, 0x04, 0x06
UTC_TIME, GENERALIZED_TIME, SEQUENCE, SET = 0x17, 0x18, 0x30, 0x31

#: Year to minute, seconds that may be missing, a fraction that is dropped, and the zone.
TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:[.,]\d+)?(Z|[+-]\d{4})", re.ASCII)
#: Bytes of one number of an object identifier: 128 bits are the most in use (UUIDs, X.667).
LONGEST_NUMBER = 19
#: Elements inside one that are read: ten times the names of the largest certificates. Empty ones have two bytes, so
#: that a stranger could have half a million of them gone through.
MOST_CHILDREN = 4096

#: String types whose bytes are not UTF-8 (or a subset of it); T61String is read as most programs wrote it.
ENCODINGS = {0x14: "latin-1", 0x1C: "utf-32-be", 0x1E: "utf-16-be"}


class Element(NamedTuple):
    """One element: its tag (one byte), where it begins, where its content begins, and where it ends."""

    data: bytes
    tag: int
    begin: int
    start: int
    stop: int

    @property
    def content(self) -> bytes:
        """The bytes of the content."""
        return self.data[self.start : self.stop]

    @property
    def whole(self) -> bytes:
        """The bytes of the element with its tag and length."""
        return self.data[self.begin : self.stop]


def element(data: bytes, at: int = 0, end: int | None = None) -> Element:
    """Read the element that begins at ``at``. Raises :class:`DecodeError` where it does not fit before ``end``."""
    end = len(data) if end is None else end
    if at + 2 > end:
        raise DecodeError("DER ends where an element should begin", f"byte {at}")
    size, start = data[at + 1], at + 2
    if data[at] & 0x1F == 0x1F:
        raise DecodeError("DER tag of several bytes", f"byte {at}")
    if size & 0x80:
        many = size & 0x7F
        if not 1 <= many <= 4 or start + many > end:
            raise DecodeError(f"DER length of {many} bytes", f"byte {at}")
        size, start = int.from_bytes(data[start : start + many], "big"), start + many
    if start + size > end:
        raise DecodeError(f"DER element claims {size} bytes, {end - start} left", f"byte {at}")
    return Element(data, data[at], at, start, start + size)


def children(parent: Element) -> Iterator[Element]:
    """Read the elements inside a constructed one. Raises :class:`DecodeError` at more than :data:`MOST_CHILDREN`."""
    at = parent.start
    left = MOST_CHILDREN
    while at < parent.stop:
        if not left:
            raise DecodeError(f"an element with more than {MOST_CHILDREN} parts", f"byte {parent.begin}")
        child = element(parent.data, at, parent.stop)
        yield child
        at = child.stop
        left -= 1


def first(parent: Element) -> Element:
    """Return the first element inside a constructed one."""
    return element(parent.data, parent.start, parent.stop)


def first_of(parent: Element, many: int) -> list[Element]:
    """Return the first ``many`` elements inside a constructed one, or all where it has fewer: no others are read."""
    return list(islice(children(parent), many))


def text(part: Element) -> str:
    """Return a string element as text, whatever its type; bytes that don't decode stay visible as escapes."""
    return part.content.decode(ENCODINGS.get(part.tag, "utf-8"), "backslashreplace")


def oid(part: Element) -> str:
    """Return an object identifier in dotted form, X.690 §8.19."""
    numbers: list[int] = []
    value = size = 0
    for byte in part.content:
        value = value << 7 | byte & 0x7F
        size += 1
        if size > LONGEST_NUMBER:
            raise DecodeError("an object identifier with a number of over 128 bits", f"byte {part.begin}")
        if not byte & 0x80:
            numbers.append(value)
            value = size = 0
    if not numbers or size:
        raise DecodeError("an object identifier that is empty or ends inside a number", f"byte {part.begin}")
    first_two = min(numbers[0] // 40, 2)
    return ".".join(str(number) for number in (first_two, numbers[0] - 40 * first_two, *numbers[1:]))


def time(part: Element) -> datetime:
    """Return a UTCTime or GeneralizedTime, RFC 5280 §4.1.2.5 (and the forms without seconds that were once issued)."""
    said = part.content.decode("ascii", "replace")
    if part.tag == UTC_TIME:
        said = ("19" if said[:2] >= "50" else "20") + said
    elif part.tag != GENERALIZED_TIME:
        raise DecodeError(f"a time of type 0x{part.tag:02x}", f"byte {part.begin}")
    match = TIME.fullmatch(said)
    try:
        if match is None:
            raise ValueError
        year, month, day, hour, minute, second, zone = match.groups()
        found = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC)
        if zone != "Z":
            away = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
            found = found - away if zone[0] == "+" else found + away
    except (ValueError, OverflowError):
        raise DecodeError(f"{said[:24]!r} is no time", f"byte {part.begin}") from None
    return found


def parts(parent: Element, many: int) -> list[Element]:
    """Return the first ``many`` elements inside a constructed one. Raises :class:`DecodeError` where it has fewer."""
    found = first_of(parent, many)
    if len(found) < many:
        raise DecodeError(f"an element with {len(found)} of {many} parts", f"byte {parent.begin}")
    return found
