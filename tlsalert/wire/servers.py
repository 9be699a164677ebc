"""What a capture's connections show of each server: what it chose for others, and whose certificate it accepted.

Only what differs is kept, and only so much of it: the first hellos of each version and cipher suite that a server
chose. They are decoded when somebody asks, so a connection that goes well costs no more than a look into a table.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from tlsalert.wire.transcript import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, TLS13, Event, Transcript

#: Servers that are kept, and of each: choices that differ, and certificates that it was shown.
SERVERS: Final = 4096
CHOICES: Final = 12
SHOWN: Final = 64
#: Certificates that a server accepted and that are kept for their dates, and how large one may be.
LEAVES: Final = 16
LARGEST_LEAF: Final = 4096
#: About how many bytes all choices together may take, and what one takes besides its hellos.
BUDGET: Final = 8 << 20
EACH: Final = 300
#: A hello that is longer than this is counted without being kept.
LONGEST: Final = 2048

CLIENT_HELLO: Final = 1
SERVER_HELLO: Final = 2
CERTIFICATE: Final = 11
SERVER_KEY_EXCHANGE: Final = 12
#: How much of a ServerKeyExchange names its group: RFC 8422 §5.4; a prime of finite fields has its size there.
NAMES_THE_GROUP: Final = 4


@final
@mypyc_attr(acyclic=True)
class Choice:
    """One way in which a server answered: the hellos of the first connection, and how many had the same."""

    def __init__(self, client: bytes, server: bytes, exchange: bytes, frame: i64) -> None:
        self.client = client
        self.server = server
        self.exchange = exchange
        self.frame = frame
        self.connections: i64 = 1


@final
@mypyc_attr(acyclic=True)
class Seen:
    """One server: its choices, and by their last bytes the certificates that it accepted and refused.

    ``accepted`` has the frame of the first one, ``refused`` how often; ``unsure`` says that of some nobody can tell.
    ``leaves`` are accepted certificates whose senders were answered, as DER, with their frames.
    """

    def __init__(self) -> None:
        self.choices: dict[int, Choice] = {}
        self.accepted: dict[bytes, int] = {}
        self.refused: dict[bytes, int] = {}
        self.unsure = False
        self.leaves: dict[bytes, tuple[int, bytes]] = {}


@final
class Servers:
    """All servers of a capture, by address and port."""

    def __init__(self) -> None:
        self.seen: dict[bytes, Seen] = {}
        self.kept: i64 = 0

    def note(self, server: bytes, transcript: Transcript) -> None:
        """Keep what a connection shows of its server.

        What a ServerHello chose counts however the handshake ended: the server can do it.
        """
        if transcript.version == 0 or tunnelled(transcript.plain_a) or tunnelled(transcript.plain_b):
            return
        seen = self.seen.get(server)
        if seen is None:
            if len(self.seen) >= SERVERS:
                return
            seen = Seen()
            self.seen[server] = seen
        events = transcript.events
        # another name or another list mostly makes a hello of another length
        key = int(transcript.version << 32 | transcript.cipher << 16 | _hello_length(events) & 0xFFFF)
        choice = seen.choices.get(key)
        if choice is not None:
            choice.connections += 1
        elif len(seen.choices) < CHOICES and self.kept < BUDGET:
            choice = _choice(events)
            seen.choices[key] = choice
            self.kept += EACH + i64(len(choice.client)) + i64(len(choice.server))
        for event in events:
            if event.code == CERTIFICATE and event.side == transcript.client_side and event.kind == HANDSHAKE:
                body = event.body
                if body is not None and len(body) > 40 and not event.cut:
                    end = leaf_end(body)
                    if _shown(seen, events, transcript.client_side, end, event.frame) and _answered(transcript):
                        self._keep_leaf(seen, end, body, event.frame)
                return

    def note_opened(self, server: bytes, transcript: Transcript) -> None:
        """Keep what shows when a connection has been decrypted: whether its certificate was accepted, after all.

        In TLS 1.3 a server that answers has accepted it, RFC 8446 §4.4.2.4; where the answer is an HTTP error it may
        have refused it inside.
        """
        seen = self.seen.get(server)
        inside = transcript.inside
        if seen is None or inside is None:
            return
        said = inside[1 - transcript.client_side] if transcript.client_side >= 0 else b""
        well = len(said) > 0 and (not said.startswith(b"HTTP/1.") or said[9:10] == b"2")
        for event in transcript.events:
            if event.code == CERTIFICATE and event.side == transcript.client_side and event.kind == HANDSHAKE:
                body = event.body
                if body is None or event.cut or len(body) < 44:
                    return
                if event.decrypted and transcript.version >= TLS13:
                    context: i64 = 1 + i64(body[0])  # it stands before the list, RFC 8446 §4.4.2
                    if context + 40 > i64(len(body)):
                        return
                    body = body[context:]
                end = leaf_end(body)
                if not well:
                    seen.leaves.pop(end, None)
                elif not _fatal(transcript):
                    self._keep_leaf(seen, end, body, event.frame)
                return

    def _keep_leaf(self, seen: Seen, end: bytes, body: bytes, frame: i64) -> None:
        if end in seen.leaves or len(seen.leaves) >= LEAVES or self.kept >= BUDGET:
            return
        size = i64(body[3]) << 16 | i64(body[4]) << 8 | i64(body[5])
        if size <= LARGEST_LEAF and size + 6 <= i64(len(body)):
            seen.leaves[end] = (int(frame), body[6 : 6 + size])
            self.kept += size

    def of(self, server: bytes) -> Seen | None:
        """Return what is known of a server."""
        return self.seen.get(server)


def tunnelled(plain: bytes) -> bool:
    """Whether what was said before TLS asks a proxy for a tunnel: then the address is the proxy's, not the server's.

    HTTP's CONNECT (RFC 9110 §9.3.6), and SOCKS of version 4 or 5 (RFC 1928).
    """
    return len(plain) > 0 and (plain[0] == 4 or plain[0] == 5 or plain.startswith(b"CONNECT "))


def leaf_end(body: bytes) -> bytes:
    """Return the last bytes of the first certificate in a Certificate message: those of its signature."""
    if len(body) < 6:
        return b""
    size = i64(body[3]) << 16 | i64(body[4]) << 8 | i64(body[5])
    return body[6 + max(size - 24, 0) : 6 + size]


def _choice(events: list[Event]) -> Choice:
    client = b""
    server = b""
    exchange = b""
    frame: i64 = 0
    for event in events:
        body = event.body
        if event.kind != HANDSHAKE or body is None or event.cut:
            continue
        if event.code == CLIENT_HELLO and len(client) == 0 and len(body) <= LONGEST:
            client = body
        elif event.code == SERVER_HELLO and len(body) <= LONGEST:
            server = body  # the last one: after a HelloRetryRequest the first chose nothing
            frame = event.frame
        elif event.code == SERVER_KEY_EXCHANGE:
            exchange = body[:NAMES_THE_GROUP]
    return Choice(client, server, exchange, frame)


def _hello_length(events: list[Event]) -> i64:
    for event in events:
        if event.code == CLIENT_HELLO and event.kind == HANDSHAKE:
            return event.length
    return 0


def _answered(transcript: Transcript) -> bool:
    """Whether the server sent application data: it went on with what it had accepted."""
    return (transcript.records_b if transcript.client_side == 0 else transcript.records_a) > 0


def _fatal(transcript: Transcript) -> bool:
    """Whether the server sent a fatal alert that was read."""
    for event in transcript.events:
        if event.kind == ALERT and event.side != transcript.client_side and event.code >> 8 == 2:
            return True
    return False


def _shown(seen: Seen, events: list[Event], client_side: i64, end: bytes, frame: i64) -> bool:
    """Count a client's certificate as accepted or refused; say whether it was accepted.

    A server changes its cipher only when the client's certificate, its signature and its Finished were right
    (RFC 5246 §7.3).
    """
    accepted = False
    refused = False
    for event in events:
        kind = event.kind
        if kind < HANDSHAKE and event.side != client_side:
            if kind == CHANGE_CIPHER_SPEC:
                accepted = True
            elif kind == ALERT and event.code >> 8 == 2:
                refused = True
    if refused and not accepted and (end in seen.refused or len(seen.refused) < SHOWN):
        seen.refused[end] = seen.refused.get(end, 0) + 1
    elif accepted and not refused and (end in seen.accepted or len(seen.accepted) < SHOWN):
        seen.accepted.setdefault(end, int(frame))
        return True
    else:
        seen.unsure = True
    return False
