"""What may be a machine's clock: the beginning of every hello's random, and the Date of HTTP responses in clear.

RFC 5246 §7.4.1.2 put gmt_unix_time into the first four bytes of a random; Date is RFC 9110 §6.6.1's.
Whether they are a clock is for the diagnosis to say; here they are kept and held against each other.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from tlsalert.wire.transcript import Event, Transcript

#: How far apart two readings of one clock may be, in nanoseconds: whole seconds, and a moment until it is captured.
TOLERANCE: Final = 2_000_000_000
#: A clock may run this much fast or slow: a part in ten thousand.
DRIFT: Final = 10_000
#: Readings of one machine that are kept, and machines.
KEPT: Final = 256
MACHINES: Final = 100_000
#: Readings next to one that are looked at where they differ from it.
BESIDE: Final = 4
#: Times that an address's HTTP clock may jump before more of it is not kept.
STATES: Final = 32


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


@final
@mypyc_attr(acyclic=True)
class Dates:
    """What the HTTP responses from one port say, as long as its clock runs on evenly.

    ``time`` (seconds since 1970), ``at`` and ``frame`` are the first one's, ``last_at`` and ``last_frame`` the last
    one's of ``many``. ``still`` says that the same date came again later: it is fixed text, and no clock.
    """

    def __init__(self, port: i64, time: i64, at: i64, frame: i64) -> None:
        self.port = port
        self.time = time
        self.at = at
        self.frame = frame
        self.offset: i64 = time * 1_000_000_000 - at
        self.last_at = at
        self.last_frame = frame
        self.many: i64 = 1
        self.still = False


class Readings:
    """All readings of a capture, by machine: a server's address and port, a client's address alone.

    ``dates`` are those of HTTP responses in clear, by address; ``agreeing`` are servers with two readings that agree
    and came one after the other.
    """

    def __init__(self) -> None:
        self.servers: dict[bytes, list[Reading]] = {}
        self.clients: dict[bytes, list[Reading]] = {}
        self.dates: dict[bytes, list[Dates]] = {}
        self.agreeing: set[bytes] = set()

    def note(self, key: bytes, client: i64, transcript: Transcript) -> None:
        """Keep what the hellos of a connection say; ``key`` is its flow's, ``client`` which side of it that is."""
        self.note_hellos(key, server_key(key, client), client, transcript)
        if transcript.answer is not None:
            self.note_date(key, transcript)

    def note_hellos(self, key: bytes, server: bytes, client: i64, transcript: Transcript) -> None:
        """Keep what may be clocks in the hellos; ``server`` is what :func:`server_key` says."""
        hello = transcript.server_clock
        if hello is not None and _keep(self.servers, server, hello):
            self.agreeing.add(server)
        hello = transcript.client_clock
        if hello is not None:
            size = (i64(len(key)) - 4) // 2
            near = key[:size] if client == 0 else key[size : 2 * size]
            _keep(self.clients, near, hello)

    def note_date(self, key: bytes, transcript: Transcript) -> None:
        """Keep the Date of an HTTP response in clear."""
        answer = transcript.answer
        if answer is None or answer.date < 0:
            return
        size = (len(key) - 4) // 2
        end = server_key(key, 1 - answer.side)
        known = self.dates.get(end[:size])
        if known is None:
            if len(self.dates) >= MACHINES:
                return
            known = []
            self.dates[end[:size]] = known
        said = Dates(i64(end[size]) << 8 | i64(end[size + 1]), answer.date, answer.time, answer.frame)
        for dates in known:
            if dates.port == said.port and dates.time == said.time and _apart(dates.at, said.at) > 2 * TOLERANCE:
                dates.still = True
        for dates in known:
            if dates.port == said.port and (
                dates.still or _apart(dates.offset, said.offset) <= _slack(dates.at, said.at)
            ):
                dates.many += 1
                if said.at > dates.last_at:
                    dates.last_at = said.at
                    dates.last_frame = said.frame
                return
        if len(known) < STATES:
            known.append(said)

    def server(
        self, address: bytes, port: int, random: bytes, at: int = -1, frame: int = 0
    ) -> tuple[Reading, int, int] | None:
        """Return a server's reading by its random, how many agree with it (itself too), and how many there are."""
        return _find(self.servers.get(address + bytes((port >> 8, port & 255))), random, at, frame)

    def client(self, address: bytes, random: bytes, at: int = -1, frame: int = 0) -> tuple[Reading, int, int] | None:
        """Return the same for a client."""
        return _find(self.clients.get(address), random, at, frame)

    def beside_server(self, address: bytes, port: int, random: bytes) -> list[Reading]:
        """Return some of a server's readings that differ from the one with this random: those next to it."""
        return _beside(self.servers.get(address + bytes((port >> 8, port & 255))), random)

    def agree(self, address: bytes, port: int) -> bool:
        """Whether any two readings of a server, one after the other, agree."""
        return address + bytes((port >> 8, port & 255)) in self.agreeing

    def beside_client(self, address: bytes, random: bytes) -> list[Reading]:
        """Return the same for a client."""
        return _beside(self.clients.get(address), random)

    def date(self, address: bytes, port: int, at: i64) -> Dates | None:
        """Return what a machine's HTTP responses say, those nearest to the time ``at``.

        Those of the same port come first. Others of its address count where they agree with each other: else more
        than one machine answers there.
        """
        nearest: Dates | None = None
        others: Dates | None = None
        agree = True
        for dates in self.dates.get(address, []):
            if dates.still:
                continue
            if dates.port == port:
                if nearest is None or _away(dates, at) < _away(nearest, at):
                    nearest = dates
            elif others is None:
                others = dates
            else:
                if others.port != dates.port and _apart(others.offset, dates.offset) > _slack(others.at, dates.at):
                    agree = False
                if _away(dates, at) < _away(others, at):
                    others = dates
        if nearest is not None:
            return nearest
        return others if agree else None

    def dates_before_and_after(self, address: bytes, port: int) -> list[Dates]:
        """Return all that the HTTP responses of one port say, in the order of time: more than one if it jumped."""
        found = [dates for dates in self.dates.get(address, []) if dates.port == port and not dates.still]
        found.sort(key=_at)
        return found


def server_key(key: bytes, client: i64) -> bytes:
    """Return the server's address and port; ``key`` is a flow's, ``client`` which side of it that is."""
    size = (len(key) - 4) // 2
    return key[size : 2 * size] + key[-2:] if client == 0 else key[:size] + key[-4:-2]


def _at(dates: Dates) -> int:
    return int(dates.at)


def _away(dates: Dates, at: i64) -> i64:
    """Return how far a time lies from what was said, in nanoseconds."""
    if at < dates.at:
        return dates.at - at
    return at - dates.last_at if at > dates.last_at else 0


def _apart(a: i64, b: i64) -> i64:
    return a - b if a > b else b - a


def _slack(a: i64, b: i64) -> i64:
    """Return how far two readings of one clock may be apart that were seen at these times."""
    return TOLERANCE + _apart(a, b) // DRIFT


def _beside(readings: list[Reading] | None, random: bytes) -> list[Reading]:
    """Return up to :data:`BESIDE` readings next to one, in the order of the capture, that do not agree with it."""
    if readings is None or len(random) < 4:
        return []
    place = len(readings)
    own = Reading(random, 0, 0)
    for number, reading in enumerate(readings):
        if reading.random == random:
            place = number
            own = reading
            break
    found: list[Reading] = []
    step: i64 = 1
    while len(found) < BESIDE and step <= i64(len(readings)):
        for at in (i64(place) - step, i64(place) + step):
            if 0 <= at < i64(len(readings)):
                other = readings[at]
                if other is not own and _apart(other.offset, own.offset) > _slack(other.at, own.at):
                    found.append(other)
        step += 1
    return found


def _keep(table: dict[bytes, list[Reading]], key: bytes, hello: Event) -> bool:
    """Keep a hello's reading, unless the very same hello was seen before: a copy is no witness.

    Say whether it agrees with the one before it.
    """
    known = table.get(key)
    body = hello.body
    if body is None or len(body) < 7 or (known is not None and len(known) >= KEPT):
        return False
    reading = Reading(body[2:34], hello.time, hello.frame)
    if known is None:
        if len(table) < MACHINES:
            table[key] = [reading]
        return False
    for other in known:
        if other.time == reading.time and other.random == reading.random:
            return False
    last = known[-1]
    known.append(reading)
    return _apart(last.offset, reading.offset) <= _slack(last.at, reading.at)


def _find(readings: list[Reading] | None, random: bytes, at: i64, frame: i64) -> tuple[Reading, int, int] | None:
    """Hold a reading against its machine's; one that was not kept is made anew where its time ``at`` is given."""
    if readings is None or len(random) < 4:
        return None
    own: Reading | None = None
    seconds: i64 = i64(random[0]) << 24 | i64(random[1]) << 16 | i64(random[2]) << 8 | i64(random[3])
    for reading in readings:
        if reading.time == seconds and reading.random == random:
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
        apart = _apart(reading.offset, own.offset)
        span = _apart(reading.at, own.at)
        if apart <= TOLERANCE + span and apart <= TOLERANCE + span // DRIFT:  # the first spares most the division
            agreeing += 1
    return own, agreeing, others
