"""One connection through the forwarder, written down: real bytes, real closings, no rights needed.

The lab's recorder gives the bytes packets. Who closed, how, and in which order is what the sockets told; headers and
the other details of TCP are made up.
"""

from __future__ import annotations

import threading
import time
from io import BytesIO
from typing import Literal, cast

from tlsalert.model import Side
from tlsalert.recorder import Recorder
from tlsalert.sources.forwarder import Forwarder, Place

#: What a side did: bytes, or how it ended its half.
What = bytes | Literal["fin", "rst"]
#: Seconds after which a connection on which nothing happens is given up.
PATIENCE = 10.0
CLIENT, SERVER = ("127.0.0.1", 50122), ("127.0.0.1", 443)


class Tap:
    """Forwards one connection to ``port``; ``events`` is what happened on it: when (nanoseconds), which side, what.

    Use it in a ``with`` block; :attr:`address` is where the client connects to. :meth:`capture` waits for the end.
    """

    def __init__(self, port: int) -> None:
        self.events: list[tuple[int, Side, What]] = []
        self._done = threading.Event()
        self._forwarder = Forwarder(("127.0.0.1", 0), ("127.0.0.1", port), self, PATIENCE)

    @property
    def address(self) -> tuple[str, int]:
        """Where to connect to instead of the server."""
        return cast("tuple[str, int]", self._forwarder.address)

    def __enter__(self) -> Tap:
        self._forwarder.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.wait(2 * PATIENCE)
        self._forwarder.stop()

    def sent(self, side: Side) -> int:
        """Return how many bytes a side has sent up to now."""
        return sum(len(what) for _, who, what in [*self.events] if who == side and isinstance(what, bytes))

    def capture(self) -> bytes:
        """Return a pcap of what passed, once the connection has ended."""
        self._done.wait(2 * PATIENCE)
        return as_pcap(self.events)

    def opened(self, number: int, client: Place | None, server: Place | None) -> None:
        """The connection begins with what is said."""

    def said(self, number: int, side: Side, data: bytes) -> None:
        self._note(side, data)

    def ended(self, number: int, side: Side, how: Literal["fin", "rst"]) -> None:
        self._note(side, how)

    def closed(self, number: int) -> None:
        self._done.set()

    def unreachable(self, number: int, client: Place | None, says: str) -> None:
        self._done.set()

    def _note(self, side: Side, what: What) -> None:
        self.events.append((time.time_ns(), side, what))


def as_pcap(events: list[tuple[int, Side, What]]) -> bytes:
    """Return events as a capture; the first side to end its half closes the conversation."""
    file = BytesIO()
    with Recorder(file) as recorder:
        start = events[0][0] if events else time.time_ns()
        conversation = recorder.open(CLIENT, SERVER, start - 1_000_000)
        for at, side, what in events:
            if isinstance(what, bytes):
                conversation.send(side, what, at)
            else:  # what comes after it can't be recorded: the recorder's conversations end at once on both sides
                conversation.close(side, at, what)
                break
    return file.getvalue()
