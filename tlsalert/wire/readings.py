"""The first four bytes of every hello's random, by machine: what may be its clock (gmt_unix_time, RFC 5246 §7.4.1.2).

Whether they are a clock is for the diagnosis to say; here they are kept and held against each other.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from tlsalert.wire.transcript import Transcript

#: How far apart two readings of one clock may be, in nanoseconds: whole seconds, and a moment until it is captured.
TOLERANCE: Final = 2_000_000_000
#: A clock may run this much fast or slow: a part in ten thousand.
DRIFT: Final = 10_000
#: Readings of one machine that are kept, and machines.
KEPT: Final = 256
MACHINES: Final = 100_000


@final
@mypyc_attr(acyclic=True)
class Reading:
    """One hello's first four bytes as seconds since 1970, and when (nanoseconds since 1970) and where it was seen."""

    def __init__(self, random: bytes, at: i64, frame: i64) -> None:
        self.random = random
        self.time: i64 = i64(random[0]) << 24 | i64(random[1]) << 16 | i64(random[2]) << 8 | i64(random[3])
        self.at = at
        self.frame = frame
        self.offset: i64 = self.time * 1_000_000_000 - at


class Readings:
    """All readings of a capture, by machine: a server's address and port, a client's address alone."""

    def __init__(self) -> None:
        self.servers: dict[bytes, list[Reading]] = {}
        self.clients: dict[bytes, list[Reading]] = {}

    def note(self, key: bytes, client: i64, transcript: Transcript) -> None:
        """Keep what the hellos of a connection say; ``key`` is its flow's, ``client`` which side of it that is."""
        size = (len(key) - 4) // 2
        if len(transcript.server_random) > 4:
            server = key[size : 2 * size] + key[-2:] if client == 0 else key[:size] + key[-4:-2]
            _keep(
                self.servers, server, Reading(transcript.server_random, transcript.server_at, transcript.server_frame)
            )
        if len(transcript.client_random) > 4:
            near = key[:size] if client == 0 else key[size : 2 * size]
            _keep(self.clients, near, Reading(transcript.client_random, transcript.client_at, transcript.client_frame))

    def server(
        self, address: bytes, port: int, random: bytes, at: int = -1, frame: int = 0
    ) -> tuple[Reading, int, int] | None:
        """Return a server's reading by its random, how many agree with it (itself too), and how many there are."""
        return _find(self.servers.get(address + bytes((port >> 8, port & 255))), random, at, frame)

    def client(self, address: bytes, random: bytes, at: int = -1, frame: int = 0) -> tuple[Reading, int, int] | None:
        """Return the same for a client."""
        return _find(self.clients.get(address), random, at, frame)


def _keep(table: dict[bytes, list[Reading]], key: bytes, reading: Reading) -> None:
    """Keep a reading, unless the very same hello was seen before: a copy is no witness."""
    known = table.get(key)
    if known is None:
        if len(table) < MACHINES:
            table[key] = [reading]
        return
    if len(known) >= KEPT:
        return
    for other in known:
        if other.time == reading.time and other.random == reading.random:
            return
    known.append(reading)


def _find(readings: list[Reading] | None, random: bytes, at: i64, frame: i64) -> tuple[Reading, int, int] | None:
    """Hold a reading against its machine's; one that was not kept is made anew where its time ``at`` is given."""
    if readings is None or len(random) < 4:
        return None
    own: Reading | None = None
    for reading in readings:
        if reading.random == random:
            own = reading
            break
    agreeing = 0
    others = len(readings)
    if own is None:
        if at < 0:
            return None
        own = Reading(random, at, frame)
        agreeing = 1
        others += 1
    for reading in readings:
        apart = reading.offset - own.offset
        span = reading.at - own.at
        if apart < 0:
            apart = -apart
        if span < 0:
            span = -span
        if apart <= TOLERANCE + span // DRIFT:
            agreeing += 1
    return own, agreeing, others
