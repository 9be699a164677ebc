"""Reading bytes by the TLS presentation language (RFC 8446 §3): stay inside the vector, or say so."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from tlsalert.errors import DecodeError


@final
class Cursor:
    """A place in bytes and the end it must not pass. Reads raise :class:`DecodeError` at that end."""

    def __init__(self, data: bytes, at: i64, end: i64) -> None:
        self.data = data
        self.at = at
        self.end = end

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return int(self.end - self.at)

    def u8(self, what: str) -> int:
        """Read one byte as a number."""
        at = self._step(1, what)
        return self.data[at]

    def u16(self, what: str) -> int:
        """Read two bytes as a number."""
        at = self._step(2, what)
        return self.data[at] << 8 | self.data[at + 1]

    def u24(self, what: str) -> int:
        """Read three bytes as a number."""
        at = self._step(3, what)
        return self.data[at] << 16 | self.data[at + 1] << 8 | self.data[at + 2]

    def u32(self, what: str) -> int:
        """Read four bytes as a number."""
        at = self._step(4, what)
        return int.from_bytes(self.data[at : at + 4], "big")

    def take(self, size: i64, what: str) -> bytes:
        """Read ``size`` bytes."""
        at = self._step(size, what)
        return self.data[at : at + size]

    def vector(self, width: i64, what: str) -> Cursor:
        """Read a length of ``width`` bytes; return a cursor over just the bytes that it counts, and step over them."""
        size: i64 = 0
        at = self._step(width, what)
        for place in range(at, at + width):
            size = size << 8 | i64(self.data[place])
        if size > self.end - self.at:
            raise DecodeError(f"{what} claims {size} bytes, {self.end - self.at} left")
        self.at += size
        return Cursor(self.data, self.at - size, self.at)

    def rest(self) -> bytes:
        """Read all that is left."""
        return self.take(self.end - self.at, "rest")

    def numbers(self, width: i64, what: str) -> tuple[int, ...]:
        """Read all that is left as numbers of ``width`` (1 or 2) bytes."""
        found: list[int] = []
        while self.at < self.end:
            found.append(self.u8(what) if width == 1 else self.u16(what))
        return tuple(found)

    def done(self, what: str) -> None:
        """Hold the vector to its length: bytes that nobody read are an error."""
        if self.at < self.end:
            raise DecodeError(f"{what} has {self.end - self.at} bytes too many")

    def _step(self, size: i64, what: str) -> i64:
        if size > self.end - self.at:
            raise DecodeError(f"{what} needs {size} bytes, {self.end - self.at} left")
        self.at += size
        return self.at - size
