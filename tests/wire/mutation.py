"""Captures broken at random, and repeatably: bytes flipped, deleted, inserted, repeated and cut off."""

from __future__ import annotations

from random import Random

#: Numbers on which lengths and counts tend to break.
EDGES = (0, 1, 2, 3, 5, 0x7F, 0x80, 0xFE, 0xFF)


def mutated(data: bytes, random: Random) -> bytes:
    """Return ``data`` with one to eight changes anywhere in it: the file's header, packets' headers, what they hold."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4, 8))):
        if changed:
            random.choice(CHANGES)(changed, random)
    return bytes(changed)


def _flip(data: bytearray, random: Random) -> None:
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _set(data: bytearray, random: Random) -> None:
    data[random.randrange(len(data))] = random.choice(EDGES)


def _head(data: bytearray, random: Random) -> None:
    """Change the file's header or the first packet's, where a reader believes lengths."""
    data[random.randrange(min(len(data), 110))] = random.choice(EDGES)


def _delete(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data))
    del data[at : at + random.choice((1, 2, 3, 7, 54, 300))]


def _insert(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data) + 1)
    data[at:at] = random.randbytes(random.choice((1, 2, 3, 7, 54, 300)))


def _repeat(data: bytearray, random: Random) -> None:
    """Put a part once more somewhere: a packet that comes twice, a length in another's place."""
    at, size = random.randrange(len(data)), random.choice((2, 4, 16, 70, 600))
    to = random.randrange(len(data) + 1)
    data[to:to] = data[at : at + size]


def _zero(data: bytearray, random: Random) -> None:
    at, size = random.randrange(len(data)), random.choice((2, 4, 16, 70))
    data[at : at + size] = bytes(len(data[at : at + size]))


def _truncate(data: bytearray, random: Random) -> None:
    del data[random.randrange(len(data) + 1) :]


CHANGES = (_flip, _flip, _set, _set, _head, _delete, _insert, _repeat, _zero, _truncate)
