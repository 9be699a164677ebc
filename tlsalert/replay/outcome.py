"""What came of one handshake that was tried, as one of six types: there is no None and no boolean to guess at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tlsalert.model import Alert, Side

#: How far a handshake got when it ended: while connecting; while TLS was asked for in another protocol; before any
#: ServerHello; in the server's first flight; after the client's certificate (its flight was sent); when the handshake
#: was over.
Stage = Literal["connect", "starttls", "client_hello", "server_hello", "client_certificate", "established"]

STAGES: tuple[Stage, ...] = (
    "connect",
    "starttls",
    "client_hello",
    "server_hello",
    "client_certificate",
    "established",
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server took the handshake; ``proof`` says how that is known.

    Up to TLS 1.2 that is the server's Finished. In TLS 1.3 the client finishes first (RFC 8446 §2), so it takes a
    NewSessionTicket, application data, or, weaker, that the server said nothing for as long as was waited.
    """

    proof: Literal["finished", "new_session_ticket", "application_data", "silence"]
    stage: Stage = "established"
    kind: ClassVar[str] = "accepted"


@dataclass(frozen=True, slots=True)
class Refused:
    """One side refused: with an ``alert``, or inside TLS in the words of its protocol (``says``, as HTTP 400).

    An alert that could not be read is there with neither level nor description.
    """

    sender: Side
    stage: Stage
    alert: Alert | None = None
    says: str | None = None
    kind: ClassVar[str] = "refused"


@dataclass(frozen=True, slots=True)
class Closed:
    """The peer ended the connection without an alert that could be read.

    ``alert_lost`` says that an alert was probably sent and destroyed on its way by the reset (RFC 9293 §3.10.7.4).
    """

    how: Literal["fin", "rst"]
    stage: Stage
    alert_lost: bool = False
    kind: ClassVar[str] = "closed"


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing more came within ``timeout`` seconds, or no end of it (``limit`` names the limit that was passed)."""

    timeout: float
    stage: Stage
    limit: str | None = None
    kind: ClassVar[str] = "silent"


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No connection to the target; ``why`` is the system's word for it."""

    why: str
    stage: Stage = "connect"
    kind: ClassVar[str] = "unreachable"


@dataclass(frozen=True, slots=True)
class NotTried:
    """It was not tried; ``why`` says what was missing or what stopped the run."""

    why: str
    stage: Stage = "connect"
    kind: ClassVar[str] = "not_tried"


Outcome = Accepted | Refused | Closed | Silent | Unreachable | NotTried
