"""Who owed the next word of a handshake that stopped, and how long the other side waited for it."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tlsalert.diagnosis.ending import Ending, client_flight, stage
from tlsalert.diagnosis.words import span
from tlsalert.model import Connection, Position, Side

#: Who leaves sooner has not lost patience: a scanner, or a program that was told to stop.
PATIENCE: Final = 1.0

#: The extension of a ClientHello that data follow at once, RFC 8446 §4.2.10.
EARLY_DATA: Final = 42

#: What is waited for, by the last that the side which owes it had seen.
_ANSWERS: Final = {
    "nothing": "the ClientHello",
    "client_hello": "the ClientHello",
    "server_hello": "the server's hello",
    "server_flight": "the server's flight",
    "client_flight": "the client's flight",
}


class Silence(Struct, frozen=True):
    """``owing`` did not say what it had to; ``waited`` is for how many seconds that can be seen.

    ``what`` names what it did not answer, ``position`` is where that ended. ``midway`` says that it had begun.
    """

    owing: Side
    what: str
    waited: float
    position: Position | None
    midway: bool = False

    @property
    def said(self) -> str:
        """The sentence, without its full stop."""
        if self.midway:
            return f"the {self.owing} did not go on after the beginning of its {self.what}"
        return f"the {self.owing} did not answer {self.what}"

    @property
    def before(self) -> str:
        """The same where nobody waited: "before the server answers the ClientHello"."""
        if self.midway:
            return f"in the middle of the {self.owing}'s {self.what}"
        return f"before the {self.owing} answers {self.what}"


def silence(connection: Connection, end: Ending) -> Silence | None:
    """Return who owed the next word; None where nothing was said, or only one direction was captured."""
    last = _last(connection)
    if last is None or half(connection) is not None:
        return None
    sender, position, time = last
    until = connection.closed.time if end.how in ("fin", "rst") else connection.end
    waited = max(0.0, (until - time) / 1e9) if until is not None and time is not None else 0.0
    if sender == "client":
        what = _ANSWERS.get(stage(connection, "server"), "the client")
        return Silence("server", what, waited, position)
    if connection.tls13 or any(m.message == "server_hello_done" for m in connection.messages):
        return Silence("client", "the server's flight", waited, position)
    return Silence("server", "flight", waited, position, True)


def half(connection: Connection) -> Side | None:
    """Return the side of which alone packets were captured: it answers what is not there."""
    senders = {m.sender for m in connection.messages} | {r.sender for r in connection.encrypted_records}
    if len(senders) != 1 or any(connection.plain):
        return None
    (sender,) = senders
    if sender == "server":
        return "server"
    hello = connection.client_hello
    early = hello is not None and any(extension.type == EARLY_DATA for extension in hello.extensions)
    return "client" if client_flight(connection) or (connection.encrypted_records and not early) else None


def patience(silent: Silence) -> str:
    """Say how long was waited: "after 12 seconds"."""
    return f"after {span(silent.waited)}" if silent.waited >= PATIENCE else "at once"


def _last(connection: Connection) -> tuple[Side, Position, int | None] | None:
    """Return who said the last thing, where, and when."""
    found: list[tuple[int, Side, Position, int | None]] = [
        (m.position.frame or m.position.line or 0, m.sender, m.position, m.time) for m in connection.messages
    ]
    found += [
        (r.position.frame or r.position.line or 0, r.sender, r.position, r.time) for r in connection.encrypted_records
    ]
    if not found:
        return None
    _, sender, position, time = max(found, key=lambda one: one[0])
    return sender, position, time
