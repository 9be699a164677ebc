"""What passed between the client and a server in one try, and how it ended: the raw material of an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tlsalert.model import Side
from tlsalert.replay.outcome import Stage

#: How a try ended: the server closed ("fin") or reset ("rst"); nothing more came in time; a limit was passed; there was
#: no connection; the client had seen what it wanted, or could not go on.
Ending = Literal["fin", "rst", "timeout", "limit", "unreachable", "stopped"]
#: What shows that the server took the handshake; silence, which shows it as well, is told apart.
Proof = Literal["finished", "new_session_ticket", "application_data"]
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Segment:
    """What one side sent in one piece. ``time`` is in nanoseconds since 1970, UTC, and never goes backwards."""

    sender: Side
    data: bytes
    time: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """One try. ``stage`` is how far the handshake got, as its client saw it.

    ``secrets`` are the lines of the key log, which open what is in ``segments``. ``sender`` is who ended it (None: it
    was left open). ``says`` are the words for it: the system's where there was no connection, the server's where it
    declined to start TLS, the client's where it could not go on; ``limit`` names the limit that was passed, ``waited``
    is how many seconds nothing came. ``quiet`` says that the server kept silent after the client's flight, for as long
    as was waited, though it could have refused; ``proof`` is what showed that it did not, and ``farewell`` says that it
    sent a close_notify.
    ``addresses`` are those of client and server. ``reset`` says that the connection was reset at some time, also after
    the server's FIN.
    """

    segments: tuple[Segment, ...] = ()
    secrets: tuple[str, ...] = ()
    ending: Ending = "stopped"
    sender: Side | None = None
    stage: Stage = "connect"
    notes: tuple[str, ...] = ()
    addresses: tuple[Address, Address] | None = None
    says: str | None = None
    limit: str | None = None
    waited: float = 0.0
    quiet: bool = False
    farewell: bool = False
    proof: Proof | None = None
    started: int = 0
    ended: int = 0

    @property
    def sizes(self) -> tuple[int, int]:
        """How many bytes the client and the server sent."""
        sizes = {"client": 0, "server": 0}
        for segment in self.segments:
            sizes[segment.sender] += len(segment.data)
        return sizes["client"], sizes["server"]

    def __repr__(self) -> str:  # what passed and its secrets stay out of logs and tracebacks
        sent, received = self.sizes
        return f"Exchange({sent} bytes sent, {received} received, {self.ending} at {self.stage})"
