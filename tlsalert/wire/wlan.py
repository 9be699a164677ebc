"""IEEE 802.11 frames and the headers that capturing drivers put before them."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from tlsalert.wire.headers import (
    AGGREGATE,
    ENCRYPTED,
    LLC,
    NOTHING,
    PIECE,
    WLAN,
    Inner,
    u16,
    u16_le,
)

#: Bits of the second frame control byte, IEEE 802.11-2020 §9.2.4.1.
TO_DS: Final = 0x01
FROM_DS: Final = 0x02
MORE_FRAGMENTS: Final = 0x04
PROTECTED: Final = 0x40
ORDER: Final = 0x80


def wlan(data: bytes, at: i64, end: i64, padded: bool = False) -> Inner:
    """Follow an 802.11 MAC header: only data frames that carry data in clear hold anything.

    ``padded`` says that the header is filled up to four bytes, as some cards do (Radiotap's flag 0x20).
    """
    if at + 24 >= end or data[at] & 0x4F != 0x08:  # version 0, type data, and not one of the kinds without data
        return NOTHING, at, end
    flags = data[at + 1]
    if flags & PROTECTED:
        return ENCRYPTED, at, end
    if flags & MORE_FRAGMENTS or data[at + 22] & 15:
        return PIECE, at, end
    header: i64 = 30 if flags & 3 == TO_DS | FROM_DS else 24
    aggregate = False
    if data[at] & 0x80:  # quality of service
        if at + header >= end:
            return NOTHING, at, end
        aggregate = data[at + header] & 0x80 != 0
        header += 6 if flags & ORDER else 2  # with the HT control field
    if padded:
        header = header + 3 & ~3
    return AGGREGATE if aggregate else LLC, at + header, end


def subframe(data: bytes, at: i64, end: i64) -> Inner:
    """Return one MSDU of an aggregate, IEEE 802.11-2020 §9.3.2.2; the next begins at its end, filled up to 4 bytes."""
    if at + 14 >= end:
        return NOTHING, end, end
    return LLC, at + 14, min(end, at + 14 + u16(data, at + 12))


def radiotap(data: bytes, at: i64, end: i64) -> Inner:
    """Follow a Radiotap header (radiotap.org) and the 802.11 header after it."""
    if at + 8 > end or data[at] != 0:
        return NOTHING, at, end
    size = u16_le(data, at + 2)
    if size < 8 or at + size > end:
        return NOTHING, at, end
    field = at + 4
    while field + 4 <= at + size and data[field + 3] & 0x80:  # another word of presence bits follows
        field += 4
    field += 4
    padded = False
    if data[at + 4] & 2:  # there is a field of flags, the first or after eight bytes of time
        if data[at + 4] & 1:
            field += (at - field & 7) + 8
        padded = field < at + size and data[field] & 0x20 != 0
    return wlan(data, at + size, end, padded)


def avs_or_prism(data: bytes, at: i64, end: i64) -> Inner:
    """Follow a Prism header of 144 bytes, or AVS's which says its own length; both come under link type 119."""
    if at + 8 > end:
        return NOTHING, at, end
    if data[at] == 0x80 and data[at + 1] == 0x21 and data[at + 2] == 0x10:
        size = u16(data, at + 6)
        return (WLAN, at + size, end) if u16(data, at + 4) == 0 and size >= 8 else (NOTHING, at, end)
    return WLAN, at + 144, end
