"""U-Boot's legacy images (include/image.h of U-Boot): a header, the data behind it, and a CRC-32 of each."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from tlsalert.pki.containers import Budget, Data
from tlsalert.pki.firmware.layers import layers
from tlsalert.pki.firmware.parts import Broken, Content, Part, View

MAGIC: Final = b"\x27\x05\x19\x56"
HEADER: Final = 64
#: The kind of image that holds several, and the most that are read.
MULTI, MOST_PARTS = 4, 16


def part_at(data: Data, at: int, budget: Budget) -> Part | None:
    """Return the image whose header is here; none where the header's own CRC is wrong and it makes no sense."""
    head = View(data, at, HEADER, "big")
    if head.present < HEADER:
        return None
    raw = head.take(0, HEADER)
    right = zlib.crc32(raw[:4] + bytes(4) + raw[8:]) == head.number(4)
    size, (system, machine, kind, compression) = head.number(12), raw[28:32]
    if not size or (not right and not (system < 40 and machine < 40 and 0 < kind < 50 and compression < 7)):
        return None
    view = View(data, at, HEADER + size, "big")
    return Part("uImage", at, view.stop, _contents(view, right, kind == MULTI, budget))


def _contents(view: View, right: bool, multi: bool, budget: Budget) -> Iterator[Content]:
    if not right:
        yield Broken("", "the CRC of its header is wrong: it was changed or broken")
    cut = list(view.cut())
    yield from cut
    payload = view.take(HEADER, view.present - HEADER)
    stated = view.number(24)
    if not cut and zlib.crc32(payload) != stated:
        yield Broken(
            "",
            f"the CRC of its data is {zlib.crc32(payload):08x}, its header says {stated:08x}: it was changed or broken",
        )
    if not multi:
        yield from layers("", payload, budget)
        return
    sizes = [int.from_bytes(payload[i * 4 : i * 4 + 4], "big") for i in range(min(MOST_PARTS, len(payload) // 4))]
    sizes = sizes[: sizes.index(0)] if 0 in sizes else sizes
    at = 4 * len(sizes) + 4
    for i, size in enumerate(sizes):
        yield from layers(f"part{i}:", payload[at : at + size], budget)
        at += -(-size // 4) * 4
