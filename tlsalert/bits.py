"""A set of numbers that are counted from 0, in one bit for each."""

from __future__ import annotations

from collections.abc import Iterable


class Bits:
    """Numbers of flows or frames: a million of them take 125 kB, however many are in the set."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._bytes = bytearray()
        for number in numbers:
            self.add(number)

    def add(self, number: int) -> None:
        """Put a number in. It has to be 0 or more."""
        place = number >> 3
        if place >= len(self._bytes):
            self._bytes.extend(bytes(place + 1 - len(self._bytes)))
        self._bytes[place] |= 1 << (number & 7)

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        place = number >> 3
        return 0 <= place < len(self._bytes) and self._bytes[place] >> (number & 7) & 1 == 1

    @property
    def last(self) -> int:
        """The greatest number in the set, or -1 where it is empty."""
        return int.from_bytes(self._bytes, "little").bit_length() - 1

    def nth(self, rank: int) -> int | None:
        """Return the number that has ``rank`` smaller ones in the set, or None where there is none."""
        for place, byte in enumerate(self._bytes):
            many = byte.bit_count()
            if rank < many:
                return place * 8 + [bit for bit in range(8) if byte >> bit & 1][rank]
            rank -= many
        return None

    def __len__(self) -> int:
        return int.from_bytes(self._bytes).bit_count()
