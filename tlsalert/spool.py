"""Texts by their frames, given in any order and taken in that of the frames, in bounded memory."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import IO

import msgspec

#: Characters of text that wait in memory before they are sorted and written to a temporary file.
ROOM = 8 << 20
#: What one entry takes besides its text.
EACH = 120

Entry = tuple[int, int, str]


class Spool:
    """Takes texts by frame; :meth:`sorted` gives them back. Texts of one frame keep the order they came in."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._entries: list[Entry] = []
        self._size = 0
        self._many = 0
        self._runs: list[IO[bytes]] = []

    def __len__(self) -> int:
        return self._many

    def add(self, frame: int, text: str) -> None:
        """Take a text."""
        self._entries.append((frame, self._many, text))
        self._many += 1
        self._size += EACH + len(text)
        if self._size > self._room:
            self._spill()

    def sorted(self) -> Iterator[tuple[int, list[str]]]:
        """Give each frame with its texts, once."""
        self._entries.sort()
        merged = heapq.merge(self._entries, *map(_read, self._runs))
        for frame, entries in groupby(merged, itemgetter(0)):
            yield frame, [text for _, _, text in entries]
        for run in self._runs:
            run.close()

    def _spill(self) -> None:
        self._entries.sort()
        run = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed when all has been given back
        encoder = msgspec.json.Encoder()
        run.writelines(encoder.encode(entry) + b"\n" for entry in self._entries)
        run.seek(0)
        self._runs.append(run)
        self._entries, self._size = [], 0


def _read(run: IO[bytes]) -> Iterator[Entry]:
    decoder = msgspec.json.Decoder(Entry)
    for line in run:
        yield decoder.decode(line)
