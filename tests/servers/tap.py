"""A forwarder on loopback that writes down what passes: real bytes, real closings, no rights needed.

The lab's recorder gives the bytes packets. Who closed, how, and in which order is what the sockets told; headers and
the other details of TCP are made up.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from io import BytesIO
from typing import Literal

from tlsalert.model import Side
from tlsalert.recorder import Recorder

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
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self._thread = threading.Thread(target=self._forward, daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Where to connect to instead of the server."""
        host, port = self._listener.getsockname()
        return str(host), int(port)

    def __enter__(self) -> Tap:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(2 * PATIENCE)
        self._listener.close()

    def sent(self, side: Side) -> int:
        """Return how many bytes a side has sent up to now."""
        return sum(len(what) for _, who, what in [*self.events] if who == side and isinstance(what, bytes))

    def capture(self) -> bytes:
        """Return a pcap of what passed, once the connection has ended."""
        self._thread.join(2 * PATIENCE)
        return as_pcap(self.events)

    def _forward(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
        client.settimeout(PATIENCE)
        with client, server:
            self._carry(client, server)

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        """Carry what each side sends to the other until both have ended their halves, or one has reset it."""
        peers: dict[socket.socket, tuple[Side, socket.socket]]
        peers = {client: ("client", server), server: ("server", client)}
        speaking = [client, server]
        while speaking:
            ready, _, _ = select.select(speaking, [], [], PATIENCE)
            if not ready:
                return
            for source in ready:
                side, target = peers[source]
                try:
                    data = source.recv(65536)
                except ConnectionResetError:
                    self._note(side, "rst")
                    target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return  # closed without lingering: that resets it
                self._note(side, data or "fin")
                if not data:
                    speaking.remove(source)
                with contextlib.suppress(OSError):  # who does not listen any more has said how it ended
                    if data:
                        target.sendall(data)
                    else:
                        target.shutdown(socket.SHUT_WR)

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
