"""What the other connections of a capture say about one of them: its machines' clocks, and what its server wants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from tlsalert.diagnosis.clocks import Dated, Seen, Witness
from tlsalert.diagnosis.offers import Bounds, ServerSeen
from tlsalert.model import Connection, Endpoint, Position, Side
from tlsalert.pki.certificate import read_certificate
from tlsalert.wire.connection import packed
from tlsalert.wire.hello import read_client_hello, read_server_hello
from tlsalert.wire.readings import Readings
from tlsalert.wire.servers import Choice, Servers, leaf_end, tunnelled
from tlsalert.wire.servers import Seen as Kept

NAMED_CURVE = 3
#: Servers whose choices stay decoded.
DECODED = 256


class Witnesses:
    """Asks what was kept of a capture on behalf of a connection."""

    def __init__(self, readings: Readings, servers: Servers) -> None:
        self._readings = readings
        self._servers = servers
        self._decoded: dict[bytes, tuple[int, ServerSeen]] = {}

    def clock(self, connection: Connection, side: Side, random: bytes) -> Witness | None:
        """Return the reading in a hello's random, and how many of its machine's agree with it."""
        end = _end(connection, side)
        if end is None:
            return None
        at, frame = _seen(connection, f"{side}_hello")
        if side == "server":
            return self._readings.server(packed(end.address), end.port, random, at, frame)
        return self._readings.client(packed(end.address), random, at, frame)

    def beside(self, connection: Connection, side: Side, random: bytes) -> Sequence[Seen]:
        """Return readings of the same machine that differ from the one in this random."""
        end = _end(connection, side)
        if end is None:
            return ()
        if side == "server":
            return self._readings.beside_server(packed(end.address), end.port, random)
        return self._readings.beside_client(packed(end.address), random)

    def agree(self, connection: Connection) -> bool:
        """Return whether any two readings of the server agree with each other."""
        end = connection.server
        return end is not None and self._readings.agree(packed(end.address), end.port)

    def dated(self, connection: Connection, side: Side) -> Dated | None:
        """Return what the machine said in HTTP (Date), nearest to the connection's time."""
        if not self._readings.dates or connection.start is None or tunnelled(connection.plain[0]):
            return None
        end = _end(connection, side)
        if end is None:
            return None
        own = self._readings.date(packed(end.address), end.port, connection.start)
        if own is None:
            return None
        states = self._readings.dates_before_and_after(packed(end.address), int(own.port))
        return Dated(own, int(own.many), own.port == end.port, [state for state in states if state is not own])

    def server(self, connection: Connection) -> ServerSeen | None:
        """Return what the server is seen to want by its other connections."""
        end = connection.server
        if end is None or tunnelled(connection.plain[0]):
            return None
        key = packed(end.address) + bytes((end.port >> 8, end.port & 255))
        kept = self._servers.of(key)
        if kept is None:
            return None
        if connection.server_hello is not None:  # what others chose says nothing more of one that has chosen
            return _with_certificate(kept, connection)
        return self._choices(key, kept)

    def _choices(self, key: bytes, kept: Kept) -> ServerSeen:
        many = sum(int(choice.connections) for choice in kept.choices.values())
        known = self._decoded.get(key)
        if known is not None and known[0] == many:
            return known[1]
        if len(self._decoded) >= DECODED:
            self._decoded.clear()
        decoded = server_seen(list(kept.choices.values()))
        self._decoded[key] = (many, decoded)
        return decoded


def server_seen(choices: Sequence[Choice]) -> ServerSeen:
    """Decode what a server chose."""
    versions: Counter[int] = Counter()
    suites: Counter[int] = Counter()
    groups: Counter[int] = Counter()
    names: set[str | None] = set()
    alpn: set[str] = set()
    for choice in choices:
        many = int(choice.connections)
        if len(choice.client) >= 38:
            names.add(read_client_hello(choice.client).server_name)
        if len(choice.server) < 36:
            continue
        hello = read_server_hello(choice.server)
        versions[hello.version] += many
        if hello.cipher_suite >= 0:
            suites[hello.cipher_suite] += many
        group = hello.group if hello.group is not None else _curve(choice.exchange)
        if group is not None:
            groups[group] += many
        if hello.alpn is not None:
            alpn.add(hello.alpn)
    return ServerSeen(
        versions.total(),
        tuple(versions.most_common()),
        tuple(suites.most_common()),
        tuple(groups.most_common()),
        frozenset(names),
        frozenset(alpn),
    )


def _with_certificate(kept: Kept, connection: Connection) -> ServerSeen:
    """Return what the server did with client certificates, this connection's above all."""
    sent = next((m for m in connection.messages if m.message == "certificate" and m.sender == "client"), None)
    end = leaf_end(sent.body) if sent is not None and sent.body is not None and not sent.cut else b""
    accepted = kept.accepted.get(end) if end else None
    refuses_all = 0 if kept.accepted or kept.unsure else len(kept.refused)
    leaves = tuple(kept.leaves.values())
    return ServerSeen(certificate=accepted, refuses_all=refuses_all, bounds=bounds(leaves), issuers=issuers(leaves))


@lru_cache(maxsize=256)
def issuers(leaves: tuple[tuple[int, bytes], ...]) -> frozenset[tuple[str | None, str]]:
    """Return who issued the certificates that a server accepted, where their key is told (RFC 5280 §4.2.1.1)."""
    read = [read_certificate(der) for _, der in leaves]
    return frozenset((leaf.issuer, leaf.issuer_key_identifier) for leaf in read if leaf.issuer_key_identifier)


@lru_cache(maxsize=256)
def bounds(leaves: tuple[tuple[int, bytes], ...]) -> Bounds | None:
    """Return between which times the clock stood of a server that accepted these certificates (frame and DER).

    Those that signed themselves are trusted as they are, by some whatever their dates (JSSE, wolfSSL). Dates that
    contradict each other say that the clock was set in between, or that the server does not look at them.
    """
    after: tuple[datetime, int] | None = None
    before: tuple[datetime, int] | None = None
    for frame, der in leaves:
        leaf = read_certificate(der)
        if leaf.self_signed is not False or leaf.not_before is None or leaf.not_after is None:
            continue
        if after is None or leaf.not_before > after[0]:
            after = leaf.not_before, frame
        if before is None or leaf.not_after < before[0]:
            before = leaf.not_after, frame
    if after is None or before is None or after[0] > before[0]:
        return None
    return Bounds(after[0], Position(after[1]), before[0], Position(before[1]))


def _curve(exchange: bytes) -> int | None:
    """Return the named curve at the beginning of a ServerKeyExchange, RFC 8422 §5.4."""
    return int.from_bytes(exchange[1:3], "big") if len(exchange) >= 3 and exchange[0] == NAMED_CURVE else None


def _end(connection: Connection, side: Side) -> Endpoint | None:
    return connection.server if side == "server" else connection.client


def _seen(connection: Connection, name: str) -> tuple[int, int]:
    """Return when and in which frame a hello was seen; (-1, 0) where it was not."""
    for message in connection.messages:
        if message.message == name:
            return (-1, 0) if message.time is None else (message.time, message.position.frame or 0)
    return -1, 0
