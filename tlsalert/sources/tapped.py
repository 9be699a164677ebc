"""What a forwarder passes on, as one growing capture: packets around the bytes, made by the recorder."""

from __future__ import annotations

import ipaddress
import time
from typing import Final, Literal

from tlsalert.model import Side
from tlsalert.recorder import PCAP_HEADER, Address, Conversation, Recorder
from tlsalert.sources.forwarder import Forwarder, Place
from tlsalert.sources.passing import QUEUE, Passing

#: Bytes of packets that are handed on together, and after how many seconds they are at the latest.
CHUNK: Final = 64 << 10
TICK: Final = 0.05
#: The largest packet of IP: a send becomes as few packets as can be.
MTU: Final = 65_535


class TapSource(Passing):
    """The connections that pass between ``listen`` and ``target``, as a capture.

    ``packets`` counts what was made of them; their ``checksums`` are for who keeps them as a capture. The connections
    never wait for who reads the capture: what finds no room in the queue is left out of it and counted.
    """

    def __init__(self, listen: Place, target: Place, limit: int = QUEUE, checksums: bool = True) -> None:
        name = f"tap to {target if isinstance(target, str) else _shown(*target)}"
        super().__init__(name, PCAP_HEADER, limit)
        self.packets = 0
        self.dropped = 0
        self.unreached = 0
        self.connections = 0
        self._open: dict[int, Conversation] = {}
        self._pending: list[bytes] = []
        self._size = 0
        self._base = time.time_ns() - time.monotonic_ns()
        self._recorder = Recorder(self, mtu=MTU, delay=0, checksums=checksums)
        self._pending.clear()  # the file's header, which is this source's head
        self._size = self.packets = 0
        self._forwarder = Forwarder(listen, target, self)
        self.address = self._forwarder.address
        self._forwarder.every(TICK, self._tick)
        self._forwarder.start()

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def stop(self) -> None:
        """Forward no more; what has passed is still read."""
        if not self._ended:
            self._forwarder.stop()
            self._recorder.finish()
            self._hand_on()
            self.end()

    def close(self) -> None:
        """Stop, and forget what waits."""
        self.stop()
        super().close()

    def notes(self) -> list[str]:
        """Say what is missing from the capture."""
        notes = super().notes()
        if self.dropped:
            notes.insert(0, f"{self.dropped} packets' worth passed faster than it could be read: it is not told of")
        return [*notes, *(f"forwarding: {trouble}" for trouble in self._forwarder.troubles)]

    # -- what the forwarder tells

    def opened(self, number: int, client: Place | None, server: Place | None) -> None:
        """Record the opening of a connection."""
        ends = _ends(number, client, server)
        self.connections += 1
        if not (isinstance(client, tuple) and isinstance(server, tuple)):
            self.say("addresses and ports of Unix sockets are made up: they have none")
        self._open[number] = self._recorder.open(*ends, self._now())

    def said(self, number: int, side: Side, data: bytes) -> None:
        """Record bytes."""
        self._open[number].send(side, data, self._now())

    def ended(self, number: int, side: Side, how: Literal["fin", "rst"]) -> None:
        """Record a FIN or a RST."""
        if how == "rst":
            self._open[number].close(side, self._now(), "rst")
        else:
            self._open[number].end(side, self._now())

    def closed(self, number: int) -> None:
        """Forget a connection that has ended."""
        del self._open[number]

    def unreachable(self, number: int, client: Place | None, says: str) -> None:
        """Count a connection that came to nothing."""
        self.unreached += 1
        self.say(f"the server could not be reached ({says}): such connections were reset")

    # -- what the recorder writes

    def write(self, data: bytes) -> None:
        """Take a packet of the capture."""
        self._pending.append(data)
        self._size += len(data)
        self.packets += 1
        if self._size >= CHUNK:
            self._hand_on()

    def flush(self) -> None:
        """Nothing is held back here for longer than a moment."""

    def _tick(self) -> None:
        self._recorder.reach(self._now())
        self._hand_on()

    def _hand_on(self) -> None:
        pending, self._pending, self._size = self._pending, [], 0
        if pending and not self.put(b"".join(pending)):
            self.dropped += len(pending)

    def _now(self) -> int:
        """Return the time in nanoseconds since 1970; it never goes back, even where the clock is set."""
        return self._base + time.monotonic_ns()


def _ends(number: int, client: Place | None, server: Place | None) -> tuple[Address, Address]:
    """Return addresses of one family. A Unix socket's is 127.0.0.1, and the connection's number makes its port."""
    near = client if isinstance(client, tuple) else ("127.0.0.1", 1 + (number - 1) % 65_535)
    far = server if isinstance(server, tuple) else ("127.0.0.1", 0)
    if ":" in near[0] or ":" in far[0]:  # IPv4 mapped into IPv6, RFC 4291 §2.5.5.2
        return (_in_ipv6(near[0]), near[1]), (_in_ipv6(far[0]), far[1])
    return near, far


def _in_ipv6(address: str) -> str:
    return address if ipaddress.ip_address(address).version == 6 else f"::ffff:{address}"


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
