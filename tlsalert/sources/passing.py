"""Captures that are being made: one thread puts chunks in, another one reads them, and a bounded queue is between.

A burst waits in the queue until the reader comes round to it. What becomes of a chunk when the queue is full is for
who puts it in: an interface leaves it in the kernel's ring, a forwarder lets it go; either counts what is lost.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Self

#: Bytes that may wait to be read. At 64 KiB a chunk the queue costs nothing besides them.
QUEUE = 128 << 20
#: Seconds after which a source that says nothing is idle: what has ended is told then.
IDLE = 0.5


class Passing:
    """A capture that grows: a :class:`tlsalert.sources.source.Source` whose chunks another thread puts in.

    ``head`` is what the capture's file begins with. Where ``copy`` is set all chunks are written to it as they are
    read. ``limit`` is how many bytes may wait.
    """

    def __init__(self, name: str, head: bytes, limit: int = QUEUE) -> None:
        self.name = name
        self.head = head
        self.damage: str | None = None
        self.size: int | None = None
        self.pipe = True
        self.copy: BinaryIO | None = None
        self.waiting = 0
        self._limit = limit
        self._chunks: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._error: Exception | None = None
        self._said: list[str] = []
        self._copying_failed: str | None = None

    # -- for who makes the capture

    def put(self, chunk: bytes, patience: float = 0.0) -> bool:
        """Add a chunk; where the queue is full wait ``patience`` seconds for room. Say whether it was taken.

        A chunk is taken whole as soon as there is any room.
        """
        with self._changed:
            if self.waiting >= self._limit and not self._ended:
                self._changed.wait_for(self._has_room, patience)
            if self.waiting >= self._limit or self._ended:
                return False
            self._chunks.append(chunk)
            self.waiting += len(chunk)
            self._changed.notify_all()
            return True

    def end(self, error: Exception | None = None) -> None:
        """Say that no more comes: what waits is still read, then ``error`` is raised where there is one."""
        with self._changed:
            self._ended = True
            self._error = self._error or error
            self._changed.notify_all()

    def say(self, note: str) -> None:
        """Keep a remark for the end."""
        if note not in self._said:
            self._said.append(note)

    # -- for who reads it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take no more, and forget what waits."""
        self.end()
        with self._changed:
            self._chunks.clear()
            self.waiting = 0

    def advanced(self) -> int:
        """Return 0: what passes has no size of which a part could be done."""
        return 0

    def chunks(self) -> Iterator[bytes]:
        """Go through the chunks as they come. An empty one says that none has come for :data:`IDLE` seconds.

        Raises at the end what :meth:`end` was given.
        """
        self._write(self.head)
        yield self.head
        while (chunk := self._next()) is not None:
            self._write(chunk)
            yield chunk
        if self._error is not None:
            raise self._error

    def notes(self) -> list[str]:
        """Say what was lost, and what kept the copy from being whole."""
        return [*self._said, *([self._copying_failed] if self._copying_failed else [])]

    def _next(self) -> bytes | None:
        end = time.monotonic() + IDLE
        with self._changed:
            while not self._chunks:
                if self._ended:
                    return None
                left = end - time.monotonic()
                if left <= 0:
                    return b""
                self._changed.wait(left)
            chunk = self._chunks.popleft()
            self.waiting -= len(chunk)
            self._changed.notify_all()
            return chunk

    def _has_room(self) -> bool:
        return self._ended or self.waiting < self._limit

    def _write(self, chunk: bytes) -> None:
        """Write the copy; where that fails the watching goes on without it."""
        if self.copy is None or not chunk:
            return
        try:
            self.copy.write(chunk)
        except OSError as error:
            self._copying_failed = f"the packets are not written any more: {error.strerror or error}"
            self.copy = None
