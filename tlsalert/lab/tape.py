"""What passed on one connection, and that as a capture."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import BytesIO
from typing import Literal

from tlsalert.model import Side
from tlsalert.recorder import Address, Recorder

#: What a side did: bytes, or how it ended its half.
What = bytes | Literal["fin", "rst"]

#: What a tape may hold, in bytes; what comes after that is left out.
LIMIT = 1 << 20
#: What an event takes besides its bytes.
_OVERHEAD = 128
#: Nanoseconds between the SYN and the first event.
_BEFORE = 1_000_000


class Tape:
    """Events in their order: when (nanoseconds since 1970, UTC), which side, what. ``now`` tells the time.

    ``full`` says that something was left out.
    """

    def __init__(self, now: Callable[[], int] = time.time_ns, limit: int = LIMIT) -> None:
        self.events: list[tuple[int, Side, What]] = []
        self.full = False
        self.start = now()
        self._now = now
        self._left = limit

    def note(self, side: Side, what: What) -> None:
        """Take note of what ``side`` has just done."""
        if isinstance(what, bytes):
            self._left -= len(what) + _OVERHEAD
            if self._left < 0:
                self.full = True
                return
        self.events.append((self._now(), side, what))

    def pcap(self, client: Address, server: Address, seed: int = 0) -> bytes:
        """Return a capture of it between two addresses. What a side did after it had ended its half is not in it."""
        file = BytesIO()
        with Recorder(file, seed=seed) as recorder:
            start = self.events[0][0] if self.events else self.start
            conversation = recorder.open(client, server, start - _BEFORE)
            ended: set[Side] = set()
            for at, side, what in self.events:
                if side in ended:
                    continue
                if isinstance(what, bytes):
                    conversation.send(side, what, at)
                elif what == "rst":
                    conversation.close(side, at, "rst")
                    break
                else:
                    ended.add(side)
                    conversation.end(side, at)
                if len(ended) == 2:
                    break
        return file.getvalue()
