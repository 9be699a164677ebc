"""Bytes out of the dumps in which programs print them."""

from __future__ import annotations

import re
from typing import Final

_BIO: Final = re.compile(rb"\s*([0-9a-fA-F]{4,8}) - (.*)")
#: "0000 - ", three columns for each of sixteen bytes, two spaces, and sixteen characters.
_WHOLE: Final = 7 + 48 + 2 + 16
#: How a byte is shown as text.
_SHOWN: Final = bytes(code if 0x20 <= code < 0x7F else 0x2E for code in range(256))
_PAIR: Final = re.compile(rb"[0-9a-fA-F]{2}")


class BioDump:
    """A dump of OpenSSL's BIO_dump in the making: ``size`` bytes that the program sent (``own``) or got.

    Each line is "offset - bytes, a dash after the eighth - the same as text". Releases before 1.1.0 leave out spaces
    and NULs at the end, and say so in a last line "offset - <SPACES/NULS>"; ``trimmed`` counts them.
    """

    def __init__(self, own: bool, size: int, place: int) -> None:
        self.own = own
        self.size = size
        self.place = place
        self.trimmed = 0
        self._data = bytearray()

    @property
    def data(self) -> bytes:
        """The bytes so far."""
        return bytes(self._data)

    @property
    def missing(self) -> int:
        """How many bytes at the end the dump does not show."""
        return self.size - len(self._data)

    def take(self, line: bytes) -> bool:
        """Take a line; say whether it belongs to the dump."""
        if self.missing <= 0:
            return False
        found = _BIO.match(line)
        if found is None:
            return False
        offset = int(found[1], 16)
        if found[2].startswith(b"<SPACES/NULS>"):
            return self._trim(offset)
        if offset != len(self._data):
            return False
        self._data += self._row(found[2])
        return True

    def take_whole(self, line: bytes) -> bool:
        """Take a line that is surely a whole row of sixteen bytes: most are, and nothing else need be looked at."""
        if self.missing < 16 or len(line) != _WHOLE or line[4:7] != b" - " or line[30:31] != b"-":
            return False
        try:
            offset, row = int(line[:4], 16), bytes.fromhex(line[7:55].replace(b"-", b" ").decode())
        except ValueError:
            return False
        if len(row) != 16 or offset != len(self._data) & 0xFFFF or line[57:] != row.translate(_SHOWN):
            return False  # a word of stderr may be as long as what it interrupts
        self._data += row
        return True

    def _row(self, rest: bytes) -> bytes:
        """Return the bytes of one row: pairs at every third column, as many as are due."""
        due = min(16, self.missing)
        try:
            row = bytearray.fromhex(rest[: due * 3].replace(b"-", b" ").decode())
        except ValueError:
            row = bytearray()
        if len(row) == due:
            return bytes(row)
        row.clear()
        for at in range(0, due * 3, 3):
            pair = rest[at : at + 2]
            if _PAIR.fullmatch(pair) is None:
                break
            row.append(int(pair, 16))
        return bytes(row)

    def _trim(self, offset: int) -> bool:
        """Take it that bytes up to ``offset`` are spaces or NULs; NULs are met far more often in a handshake."""
        if not len(self._data) <= offset <= self.size:
            return False
        self.trimmed += offset - len(self._data)
        self._data += bytes(offset - len(self._data))
        return True


_JSSE: Final = re.compile(r"\s*([0-9A-F]{4,8}): ((?:[0-9A-F]{2} ){1,8})(?:  ((?:[0-9A-F]{2} ){1,8}))?")


class JsseDump:
    """A dump of Java's HexDumpEncoder in the making: "0000: 16 03 03 00 7A   ...", eight bytes, a gap, eight bytes.

    ``size`` is -1 where it is not said: a row of fewer than sixteen bytes is the last one then.
    """

    def __init__(self, own: bool, size: int, place: int) -> None:
        self.own = own
        self.size = size
        self.place = place
        self._data = bytearray()

    @property
    def data(self) -> bytes:
        """The bytes so far."""
        return bytes(self._data)

    def take(self, line: str) -> bool:
        """Take a line; say whether it belongs to the dump."""
        if len(self._data) % 16 or 0 <= self.size <= len(self._data) or len(self._data) > 1 << 20:
            return False
        found = _JSSE.match(line)
        if found is None or int(found[1], 16) != len(self._data):
            return False
        row = bytes.fromhex(found[2] + (found[3] or ""))
        self._data += row if self.size < 0 else row[: self.size - len(self._data)]
        return True
