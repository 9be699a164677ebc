"""One side refused the other's certificate: what is known of that, for the ranking and for the words."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tlsalert.diagnosis.chain import ChainFacts
from tlsalert.diagnosis.ending import Ending
from tlsalert.model import Certificate, Clock, Connection, Side

#: From here on a clock is proven, if several handshakes agree or it lies at the capture's.
SURE_CLOCK: Final = 0.95
#: A clock that is this far off (in seconds) is wrong: time zones and drift make less.
WRONG_CLOCK: Final = 2 * 86_400
#: A certificate of unknown content: what is ranked where the chain was not seen.
UNSEEN: Final = Certificate(b"", "")


class Refusal(Struct, frozen=True):
    """What a verdict on a refused certificate is made from. ``owner`` showed the chain, ``refuser`` refused it."""

    connection: Connection
    end: Ending
    refuser: Side
    owner: Side
    chain: tuple[Certificate, ...]
    facts: ChainFacts
    clock: Clock | None
    stacks: dict[str, float]

    @property
    def answer(self) -> int | str | None:
        """How it was refused: the alert's number, "fin" or "rst"; None where the alert could not be read."""
        if self.end.alert is not None:
            return self.end.alert.code
        return self.end.how

    @property
    def proven(self) -> bool:
        """Whether the refuser's clock is known for sure."""
        clock = self.clock
        if clock is None or clock.confidence < SURE_CLOCK:
            return False
        return clock.agreeing > 1 or abs(clock.skew_seconds) < WRONG_CLOCK

    @property
    def tls13(self) -> bool:
        """Whether the handshake is TLS 1.3's: its alerts differ for some stacks."""
        return self.connection.tls13
