"""What Wireshark sees and what tlsalert says of the same streams, figure by figure, and why some of it differs.

A stream agrees where tlsalert tells all that Wireshark shows, in each direction in this order: it may read more, as
Wireshark gives a direction up at bytes that the capture lacks. Numbers are compared, not the names that both have for
them ("SSL 3.0", "SSLv3").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tlsalert.cross_check.seen import Stream
from tlsalert.model import Connection, Endpoint

SSLV2 = 0x0002


@dataclass(frozen=True)
class Difference:
    """One figure that differs: the stream by Wireshark's number, the connection by ours (None: not found).

    ``reason`` is None where nobody knows why.
    """

    stream: int
    connection: int | None
    figure: str
    wireshark: str
    tlsalert: str
    reason: str | None = None


@dataclass(frozen=True)
class Known:
    """A difference with a reason that was found: in which figure, and how it is known."""

    figure: str
    shows: Callable[[Stream, Connection], bool]
    reason: str


def _draft_without_session(_: Stream, ours: Connection) -> bool:
    """Whether the ServerHello is one of TLS 1.3 up to draft 21: it says so in the field that said 1.2 ever since."""
    return ours.server_hello is not None and ours.server_hello.legacy_version > 0x0303


def _no_server_hello(_: Stream, ours: Connection) -> bool:
    """Whether a ServerHello came of which no field could be read."""
    return ours.server_hello is None and any(one.message == "server_hello" for one in ours.messages)


def _broken_hello(_: Stream, ours: Connection) -> bool:
    return ours.server_hello is not None and bool(ours.server_hello.problems)


#: The differences that are known, each with its reason; where Wireshark errs it cites the RFC.
KNOWN: Sequence[Known] = (
    Known(
        "cipher_suite",
        _draft_without_session,
        "Wireshark errs: up to draft 21 the ServerHello of TLS 1.3 has no session ID between random and cipher suite "
        "(draft-ietf-tls-tls13-21, 4.1.3), but it takes the first byte of the suite for the length of one.",
    ),
    *(
        Known(
            figure,
            _no_server_hello,
            "Wireshark errs: the ServerHello is shorter than its fields, and it reads on in the record behind it. "
            "A message ends where its length says (RFC 5246, 7.4; RFC 8446, 4).",
        )
        for figure in ("version", "cipher_suite")
    ),
    Known(
        "version",
        _broken_hello,
        "Wireshark errs: an extension of the ServerHello is shorter than its fields, and it reads on in the one behind "
        "it. What is in an extension ends with the extension (RFC 8446, 3.4 and 4.2).",
    ),
)


def differences(streams: Iterable[Stream], connections: Iterable[Connection]) -> Iterator[Difference]:
    """Go through what differs between what Wireshark sees and what tlsalert says, with the reasons that are known."""
    by_ends: dict[frozenset[str], list[Connection]] = defaultdict(list)
    for connection in connections:
        if connection.client is not None and connection.server is not None:
            by_ends[frozenset((_end(connection.client), _end(connection.server)))].append(connection)
    for stream in streams:
        if stream.messages or stream.alerts:
            yield from _stream(stream, by_ends[stream.ends])


def _stream(stream: Stream, candidates: list[Connection]) -> Iterator[Difference]:
    if not candidates:
        yield Difference(stream.number, None, "found", " and ".join(sorted(stream.ends)), "no TLS")
        return
    ours = min(candidates, key=lambda one: _distance(stream, one))
    candidates.remove(ours)  # ports that are used again: each connection stands for one stream
    for figure, theirs, told in _figures(stream, ours):
        reason = next((one.reason for one in KNOWN if one.figure == figure and one.shows(stream, ours)), None)
        yield Difference(stream.number, ours.connection, figure, theirs, told, reason)


def _distance(stream: Stream, ours: Connection) -> tuple[bool, int]:
    told = _messages(ours)
    return not _holds(told, stream.messages), abs(len(told) - len(stream.messages))


def _figures(stream: Stream, ours: Connection) -> Iterator[tuple[str, str, str]]:
    """Go through the figures that differ, and what both say."""
    told = _messages(ours)
    if not _holds(told, stream.messages):
        yield "messages", _line(stream.messages), _line(told)
    hello = ours.server_hello
    version, suite = (None, None) if hello is None else (hello.version, hello.cipher_suite)
    if stream.version is not None and stream.version not in (version, SSLV2):
        yield "version", f"0x{stream.version:04x}", ours.tls_version or "none"
    if stream.cipher_suite is not None and stream.cipher_suite != suite:
        yield "cipher_suite", f"0x{stream.cipher_suite:04x}", ours.cipher_suite or "none"
    if stream.server_name is not None and stream.server_name != ours.server_name:
        yield "server_name", stream.server_name, ours.server_name or "none"
    chains = (*ours.certificates.client, *ours.certificates.server)
    serials = {int(one.serial, 16) for one in chains if one.serial}
    if not stream.serials <= serials:
        yield "serials", _hexadecimal(stream.serials), _hexadecimal(serials)
    alerts = sorted((_sender(one.sender, ours), one.code) for one in ours.alerts if one.code is not None)
    if not _subsequence(sorted(stream.alerts), alerts):
        yield "alerts", _line(stream.alerts), _line(alerts)


def _messages(connection: Connection) -> list[tuple[str, int]]:
    return [(_sender(one.sender, connection), one.type) for one in connection.messages if one.type is not None]


def _sender(side: str, connection: Connection) -> str:
    end = connection.client if side == "client" else connection.server
    return "" if end is None else _end(end)


def _end(end: Endpoint) -> str:
    return f"{end.address} {end.port}"


def _holds(told: list[tuple[str, int]], wanted: list[tuple[str, int]]) -> bool:
    senders = {sender for sender, _ in wanted}
    return all(_subsequence([m for m in wanted if m[0] == s], [m for m in told if m[0] == s]) for s in senders)


def _subsequence(short: Iterable[object], long: Iterable[object]) -> bool:
    rest = iter(long)
    return all(item in rest for item in short)


def _line(items: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{kind} from {sender}" for sender, kind in items) or "none"


def _hexadecimal(numbers: Iterable[int]) -> str:
    return " ".join(f"{number:x}" for number in sorted(numbers)) or "none"
