"""Bytes in chunks → lines, of bounded length."""

from __future__ import annotations

from collections.abc import Iterator

#: A longer line is cut there: a log with 64 MiB of one line is no log of this world.
LONGEST = 4 << 20


class Lines:
    """Cuts bytes into lines, without their ends (LF, or CR LF). ``count`` is how many there were."""

    def __init__(self, longest: int = LONGEST) -> None:
        self.count = 0
        self._longest = longest
        self._begun: list[bytes] = []
        self._size = 0
        self._cut = 0
        self._dropping = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Take the next bytes, and give the lines that they complete."""
        *whole, rest = chunk.split(b"\n")
        for piece in whole:
            self._put(piece)
            yield self._end()
        self._put(rest)

    def finish(self) -> Iterator[bytes]:
        """Give the last line, if it has no end."""
        if self._size or self._dropping:
            yield self._end()

    def notes(self) -> list[str]:
        """Return what was lost."""
        if not self._cut:
            return []
        return [f"{self._cut} lines were longer than {self._longest} bytes and cut there"]

    def _put(self, piece: bytes) -> None:
        room = self._longest - self._size
        if len(piece) > room:
            piece = piece[: max(room, 0)]
            if not self._dropping:
                self._dropping = True
                self._cut += 1
        if piece:
            self._begun.append(piece)
            self._size += len(piece)

    def _end(self) -> bytes:
        line = self._begun[0] if len(self._begun) == 1 else b"".join(self._begun)
        self._begun = []
        self._size = 0
        self._dropping = False
        self.count += 1
        return line[:-1] if line.endswith(b"\r") else line
