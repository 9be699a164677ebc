"""One side refused the other's certificate: what is known of that, for the ranking and for the words."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tlsalert.diagnosis.chain import ChainFacts
from tlsalert.diagnosis.ending import Ending
from tlsalert.diagnosis.knowledge import Era
from tlsalert.diagnosis.proofs import NO_PROOF, Proof
from tlsalert.model import Certificate, Clock, Connection, HandshakeMessage, Position, Side

#: From here on a clock is proven, if several handshakes agree or it lies at the capture's.
SURE_CLOCK: Final = 0.95
#: A clock that is this far off (in seconds) is wrong: time zones and drift make less.
WRONG_CLOCK: Final = 2 * 86_400
CERTIFICATES: Final = ("certificate", "compressed_certificate")
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
    proof: Proof = NO_PROOF

    @property
    def certificate(self) -> HandshakeMessage | None:
        """The Certificate message with the chain, the last one that its owner sent."""
        messages = reversed(self.connection.messages)
        return next((m for m in messages if m.message in CERTIFICATES and m.sender == self.owner), None)

    @property
    def certificate_position(self) -> Position | None:
        """Where the chain was seen."""
        message = self.certificate
        return None if message is None else message.position

    @property
    def message_length(self) -> int:
        """The length of the Certificate message in bytes, 0 where none was seen."""
        message = self.certificate
        return 0 if message is None else message.length

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
        return clock.agreeing > 1 or "HTTP" in clock.source or abs(clock.skew_seconds) < WRONG_CLOCK

    @property
    def era(self) -> Era:
        """The versions whose alerts are alike: stacks answer the same fault otherwise in SSLv3, and in TLS 1.3."""
        if self.connection.tls13:
            return "tls1.3"
        return "ssl3" if self.connection.tls_version == "SSLv3" else "tls1.2"
