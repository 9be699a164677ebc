"""Makes the captures that the benchmarks run on. Needs neither root nor a network; extra ``lab``.

handshakes  78,000 mutual-TLS connections: 1.5 million packets, about 500 MB
bulk        60 connections that carry 2 GB of application data in 16 KB records
dirty       the first, with 1 % of its packets lost, doubled or out of order (only if named)
half-open   a million SYNs that nobody answers (only if named)
unanswered  a million connections whose ClientHello nobody answers (only if named)
keyed       10,000 connections as in the first, each with secrets of its own, and keyed.keys with them (only if named)

The TLS bytes come from real OpenSSL handshakes in memory. "handshakes" repeats some 300 of them, each time
with addresses, ports and randoms of its own; "bulk" encrypts all that it carries, and "keyed" shakes every hand anew.
"""

from __future__ import annotations

import argparse
import heapq
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric import ec

from tlsalert.lab.certificates import Identity, KeyKind, issued, self_signed
from tlsalert.lab.device import Client, Device, Dialogue, Flight, Version
from tlsalert.recorder import Recorder, Sink

CONNECTIONS = 78_000
TEMPLATES = 300
OPEN_AT_ONCE = 50
#: One connection in so many is refused by the server, each time for the next of these reasons.
REFUSED_EVERY = 50
REFUSALS: tuple[tuple[Version, int], ...] = (
    ("TLS 1.2", 40),
    ("TLS 1.2", 42),
    ("TLS 1.2", 45),
    ("TLS 1.2", 48),
    ("TLS 1.3", 42),
    ("TLS 1.3", 45),
    ("TLS 1.3", 48),
)

BULK_CONNECTIONS = 60
BULK_BYTES = 2_000_000_000
RECORD = 16_384
#: Records that one turn of a connection carries, and nanoseconds until the next connection's turn.
BURST, TURN = 8, 200_000

#: Connections that can be decrypted with the key log beside them.
KEYED = 10_000

#: Connections that stay open, and nanoseconds from one to the next.
HALF_OPEN, APART = 1_000_000, 20_000
#: Where a recorded packet over IPv4 has its TCP flags: behind the headers of pcap, Ethernet, IP, and in TCP's.
FLAGS = 16 + 14 + 20 + 13
SYN = 2

KINDS: tuple[KeyKind, ...] = ("rsa", "p256", "p256")

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
START_NS = int(START.timestamp()) * 1_000_000_000
YEAR = timedelta(days=365)
MS = 1_000_000
#: What a connection lasts on average, in nanoseconds.
LASTING = 137 * MS


@dataclass
class Workload:
    """What was written. ``refused`` counts connections by the alert that ended them."""

    name: str
    connections: int = 0
    packets: int = 0
    octets: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        said = f"{self.name}: {self.connections} connections, {self.packets} packets, {self.octets} bytes"
        refused = ", ".join(f"{count} by {alert}" for alert, count in sorted(self.refused.items()))
        return f"{said}; refused {refused}" if refused else said


def main() -> int:
    """Write the workloads that the command line names into its directory."""
    makers: dict[str, Callable[[Path, float], Workload]] = {
        "handshakes": make_handshakes,
        "bulk": make_bulk,
        "dirty": make_dirty,
        "half-open": make_half_open,
        "unanswered": make_unanswered,
        "keyed": make_keyed,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="where NAME.pcap goes; made if it is missing")
    parser.add_argument("names", nargs="*", metavar="name", help=f"{', '.join(makers)}; the first two if none")
    parser.add_argument("--scale", type=float, default=1.0, help="0.01 makes a hundredth (default: 1)")
    arguments = parser.parse_intermixed_args()  # names may follow options
    names: list[str] = arguments.names or ["handshakes", "bulk"]
    if unknown := set(names) - set(makers):
        parser.error(f"there is no workload {', '.join(sorted(unknown))}")
    if arguments.scale <= 0:
        parser.error("--scale must be more than 0")
    arguments.directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        print(makers[name](arguments.directory / f"{name}.pcap", arguments.scale), flush=True)
    return 0


def make_handshakes(path: Path, scale: float) -> Workload:
    """Write the workload "handshakes"."""
    with path.open("wb", buffering=1 << 20) as file:
        workload = _record_handshakes("handshakes", file, scale)
    workload.octets = path.stat().st_size
    return workload


def make_dirty(path: Path, scale: float) -> Workload:
    """Write the workload "handshakes" as a bad capture would show it."""
    with path.open("wb", buffering=1 << 20) as file:
        dirt = Dirt(file)
        workload = _record_handshakes("dirty", dirt, scale)
    workload.packets += dirt.doubled - dirt.lost
    workload.octets = path.stat().st_size
    return workload


def make_bulk(path: Path, scale: float) -> Workload:
    """Write the workload "bulk"; with a small scale there is less data, not fewer connections."""
    workload = Workload("bulk", BULK_CONNECTIONS)
    records = max(1, round(BULK_BYTES * scale / BULK_CONNECTIONS / RECORD))
    with path.open("wb", buffering=1 << 20) as file, Recorder(file, delay=20_000) as recorder:
        identity = self_signed("CN=store.example", START - YEAR, START + YEAR, "p256")
        data = os.urandom(BURST * RECORD)
        streams = [_stream(recorder, identity, number, records, data) for number in range(BULK_CONNECTIONS)]
        _interleave(streams)
    workload.packets, workload.octets = recorder.packets, path.stat().st_size
    return workload


def make_half_open(path: Path, scale: float) -> Workload:
    """Write the workload "half-open": what a SYN flood leaves, or a scan."""
    with path.open("wb", buffering=1 << 20) as file:
        syns = OnlySyns(file)
        workload = _record_openings("half-open", syns, scale, b"")
    workload.packets, workload.octets = syns.packets, path.stat().st_size
    return workload


def make_unanswered(path: Path, scale: float) -> Workload:
    """Write the workload "unanswered": each connection has a ClientHello with a random of its own."""
    hello = _accepted(People(), 0).flights[0][1]
    with path.open("wb", buffering=1 << 20) as file:
        workload = _record_openings("unanswered", file, scale, hello)
    workload.octets = path.stat().st_size
    return workload


def make_keyed(path: Path, scale: float) -> Workload:
    """Write the workload "keyed", and beside it the key log of all its connections: NAME.keys, mode 0600."""
    workload = Workload("keyed", max(1, round(KEYED * scale)))
    people, random = People(), Random(42)  # noqa: S311 - not for secrecy
    log = path.with_suffix(".keys")
    log.touch(mode=0o600)
    with path.open("wb", buffering=1 << 20) as file, log.open("wb") as keys, Recorder(file) as recorder:

        def connection(number: int) -> Iterator[int]:
            refused = number % REFUSED_EVERY == REFUSED_EVERY // 2
            refusal = REFUSALS[number // REFUSED_EVERY % len(REFUSALS)]
            template = _refused(people, *refusal) if refused else _accepted(people, number)
            keys.write(b"".join(line + b"\n" for line in template.secrets))
            if template.alert is not None:
                workload.refused[template.alert] += 1
            yield from _connection(recorder, number, template, random, anew=False)

        _interleave([_later(number, connection) for number in range(workload.connections)])
    workload.packets, workload.octets = recorder.packets, path.stat().st_size
    return workload


def _later(number: int, connection: Callable[[int], Iterator[int]]) -> Iterator[int]:
    """Shake hands only when the connection's first step is due: all of them together would fill the memory."""
    yield _beginning(number)
    yield from connection(number)


class OnlySyns:
    """A file to which only the SYNs come."""

    def __init__(self, file: Sink) -> None:
        self.packets = 0
        self._file = file

    def write(self, data: bytes, /) -> None:
        """Write a SYN, or the file's header, which has no flags."""
        if len(data) > FLAGS and data[FLAGS] != SYN:
            return
        self.packets += len(data) > FLAGS
        self._file.write(data)

    def flush(self) -> None:
        """Pass on what is held."""
        self._file.flush()


class Dirt:
    """A file to which a third of a percent each of the packets comes not at all, twice, or late."""

    def __init__(self, file: Sink) -> None:
        self.lost = self.doubled = 0
        self._file = file
        self._random = Random(7)  # noqa: S311 - not for secrecy
        self._late: list[bytes] = []
        self._header_written = False

    def write(self, data: bytes, /) -> None:
        """Write one packet, or the file's header, which always arrives."""
        lot = self._random.random() * 300 if self._header_written else 300.0
        self._header_written = True
        if lot < 1:
            self.lost += 1
        elif lot < 2:
            self._late.append(data)
        else:
            self._file.write(data)
            if lot < 3:
                self.doubled += 1
                self._file.write(data)
            self._write_late()

    def flush(self) -> None:
        """Write what is late, and pass on what is held."""
        self._write_late()
        self._file.flush()

    def _write_late(self) -> None:
        for packet in self._late:
            self._file.write(packet)
        self._late.clear()


@dataclass(frozen=True, slots=True)
class Template:
    """A handshake to be repeated, the alert that ended it, if it was refused, and the lines of its key log."""

    flights: tuple[Flight, ...]
    alert: str | None = None
    secrets: tuple[bytes, ...] = ()


def _record_handshakes(name: str, file: Sink, scale: float) -> Workload:
    workload = Workload(name, max(1, round(CONNECTIONS * scale)))
    people = People()
    templates = [_accepted(people, number) for number in range(min(TEMPLATES, workload.connections))]
    refusals = [_refused(people, *refusal) for refusal in REFUSALS]
    random = Random(42)  # noqa: S311 - randoms that nobody relies on
    with Recorder(file) as recorder:
        connections: list[Iterator[int]] = []
        for number in range(workload.connections):
            template = templates[random.randrange(len(templates))]
            if number % REFUSED_EVERY == REFUSED_EVERY // 2:
                template = refusals[number // REFUSED_EVERY % len(refusals)]
            if template.alert is not None:
                workload.refused[template.alert] += 1
            connections.append(_connection(recorder, number, template, random))
        _interleave(connections)
    workload.packets = recorder.packets
    return workload


def _record_openings(name: str, file: Sink, scale: float, hello: bytes) -> Workload:
    workload = Workload(name, max(1, round(HALF_OPEN * scale)))
    random = Random(42)  # noqa: S311 - randoms that nobody relies on
    with Recorder(file) as recorder:
        for number in range(workload.connections):
            time = START_NS + number * APART
            conversation = recorder.open(_client_address(number), (f"10.0.0.{number % 40 + 1}", 443), time)
            if hello:
                conversation.send("client", hello[:11] + random.randbytes(32) + hello[43:], time)
    workload.packets = recorder.packets
    return workload


def _interleave(connections: list[Iterator[int]]) -> None:
    """Run all connections, each of which tells when its next step is due, in the order of time."""
    due = [(next(connection), number) for number, connection in enumerate(connections)]
    heapq.heapify(due)
    while due:
        _, number = due[0]
        time = next(connections[number], None)
        if time is None:
            heapq.heappop(due)
        else:
            heapq.heapreplace(due, (time, number))


def _beginning(number: int) -> int:
    return START_NS + number * (LASTING // OPEN_AT_ONCE)


def _connection(
    recorder: Recorder, number: int, template: Template, random: Random, anew: bool = True
) -> Iterator[int]:
    """Play one connection: yield the time of each step before doing it. ``anew`` gives it randoms of its own."""
    time = _beginning(number)
    yield time
    conversation = recorder.open(_client_address(number), (f"10.0.0.{number % 40 + 1}", 443), time)
    seen = set()
    for side, flight in template.flights:
        time += random.randrange(4 * MS, 20 * MS)
        yield time
        # The random of a hello follows record header (5), message header (4) and version (2).
        fresh = flight if side in seen or not anew else flight[:11] + random.randbytes(32) + flight[43:]
        seen.add(side)
        conversation.send(side, fresh, time)
    time += random.randrange(1 * MS, 9 * MS)
    yield time
    reset = template.alert is not None and number % 3 == 0
    conversation.close("client" if template.alert is None else "server", time, "rst" if reset else "fin")


def _client_address(number: int) -> tuple[str, int]:
    return (
        f"10.{1 + number // 50_000}.{number // 200 % 250}.{number % 200 + 1}",
        20_000 + number * 7919 % 40_000,
    )


class People:
    """The workload's certificates: a root, below it an authority for each kind of key, and its people."""

    def __init__(self) -> None:
        before, after = START - YEAR, START + YEAR
        self.root = self_signed("CN=Workload Root CA,C=US", before - YEAR, after + YEAR, "p256")
        self._authorities: dict[KeyKind, Identity] = {}
        for kind in sorted(set(KINDS)):
            name = f"CN=Workload Issuing CA {kind},C=US"
            self._authorities[kind] = issued(name, self.root, before, after, kind, authority=True)
        stranger = self_signed("CN=Some Other Root CA,O=Elsewhere,C=US", before, after)
        self.servers = self._several(6, "device", before, after)
        self.clients = self._several(12, "engineer", before, after)
        self.bad: dict[int, Identity | None] = {
            40: None,
            42: self._one("early", "rsa", START + YEAR / 12, after),
            45: self._one("late", "rsa", before, START - YEAR / 12),
            48: issued("CN=stranger", stranger, before, after),
        }

    def _several(self, count: int, role: str, before: datetime, after: datetime) -> list[Identity]:
        return [self._one(f"{role}-{n}", KINDS[n % len(KINDS)], before, after) for n in range(count)]

    def _one(self, name: str, kind: KeyKind, before: datetime, after: datetime) -> Identity:
        subject = f"CN={name}.example,O=Example Works,C=US"
        names = (f"{name}.example",)
        return issued(subject, self._authorities[kind], before, after, kind, names=names)


def _accepted(people: People, number: int) -> Template:
    """Return a handshake that succeeds, with a little application data each way; 60 % are TLS 1.2."""
    version: Version = "TLS 1.2" if number % 5 < 3 else "TLS 1.3"
    client = people.clients[number * 5 % len(people.clients)]
    dialogue = _dialogue(people, version, people.servers[number % len(people.servers)], client)
    flights = dialogue.handshake()
    if not dialogue.established:
        raise RuntimeError(f"a handshake failed: {dialogue.errors}")
    for exchange in range(3):
        flights += dialogue.send("client", os.urandom(40 + (number + exchange) % 7 * 10))
        flights += dialogue.send("server", os.urandom(60 + (number + exchange) % 11 * 8))
    return Template((*flights, *dialogue.close("client")), secrets=tuple(dialogue.secrets))


def _refused(people: People, version: Version, alert: int) -> Template:
    dialogue = _dialogue(people, version, people.servers[1], people.bad[alert])
    flights = dialogue.handshake()
    if "server" not in dialogue.errors:
        raise RuntimeError(f"a handshake was not refused as planned: {dialogue.errors}")
    return Template(
        tuple(flights), f"{alert}" if version == "TLS 1.2" else f"{alert} encrypted", tuple(dialogue.secrets)
    )


def _dialogue(people: People, version: Version, server: Identity, client: Identity | None) -> Dialogue:
    root, curve = (people.root.certificate,), ec.SECP256R1()
    versions = (version, version)
    device = Device(server, trusted=root, clock=START, versions=versions, curve=curve)
    name = "device.example"
    return Dialogue(device, Client(client, server_name=name, clock=START, versions=versions, curve=curve))


def _stream(recorder: Recorder, identity: Identity, number: int, records: int, data: bytes) -> Iterator[int]:
    """Play one bulk connection: a burst of ``records`` of them each turn; every third one is an upload."""
    version: Version = "TLS 1.2" if number % 2 else "TLS 1.3"
    device = Device(identity, asks="no", clock=START, versions=(version, version))
    dialogue = Dialogue(device, Client(clock=START, versions=(version, version)))
    time = START_NS + number * TURN
    yield time
    conversation = recorder.open(_client_address(number), ("10.0.0.1", 443), time)
    flights = dialogue.handshake()
    while flights:
        for side, flight in flights:
            time += BULK_CONNECTIONS * TURN
            yield time
            conversation.send(side, flight, time)
        burst, records = data[: records * RECORD], max(0, records - BURST)
        flights = dialogue.send("client" if number % 3 == 0 else "server", burst) if burst else []
    time += BULK_CONNECTIONS * TURN
    yield time
    conversation.close("client", time)


if __name__ == "__main__":
    sys.exit(main())
