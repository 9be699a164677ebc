"""One side refused the other's certificate: what is known of that, for the ranking and for the words."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tlsalert.diagnosis.chain import ChainFacts
from tlsalert.diagnosis.ending import Ending
from tlsalert.diagnosis.knowledge import Era
from tlsalert.diagnosis.offers import Bounds, ServerSeen
from tlsalert.diagnosis.proofs import NO_PROOF, Proof
from tlsalert.diagnosis.words import GIVEN
from tlsalert.model import Certificate, Clock, Connection, HandshakeMessage, Position, Side

#: From here on a clock is proven, if several handshakes agree or it lies at the capture's.
SURE_CLOCK: Final = 0.95
#: A clock that is this far off (in seconds) is wrong: time zones and drift make less.
WRONG_CLOCK: Final = 2 * 86_400
CERTIFICATES: Final = ("certificate", "compressed_certificate")
#: A certificate of unknown content: what is ranked where the chain was not seen.
UNSEEN: Final = Certificate(b"", "")


class Refusal(Struct, frozen=True):
    """What a verdict on a refused certificate is made from. ``owner`` showed the chain, ``refuser`` refused it.

    ``among`` are the causes that its answer leaves; none: all of them. ``seen`` is what others
    of the capture show of the server that refused.
    """

    connection: Connection
    end: Ending
    refuser: Side
    owner: Side
    chain: tuple[Certificate, ...]
    facts: ChainFacts
    clock: Clock | None
    stacks: dict[str, float]
    proof: Proof = NO_PROOF
    among: frozenset[str] = frozenset()
    seen: ServerSeen | None = None

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
        """How it was refused: the alert's number, "fin", "rst" or (nginx) "http400"; None where that is not known."""
        if self.end.alert is not None:
            return self.end.alert.code
        if self.end.how == "http":
            return "http400" if "nginx" in self.stacks and len(self.stacks) == 1 else None
        return self.end.how

    @property
    def bounds(self) -> Bounds | None:
        """Between which times the refuser's clock stood, by what it accepted from others."""
        return None if self.seen is None else self.seen.bounds

    @property
    def trusted(self) -> bool:
        """Whether the refuser accepted another certificate of the same issuer, by name and key."""
        leaf = self.facts.leaf
        return self.seen is not None and (leaf.issuer, leaf.issuer_key_identifier) in self.seen.issuers

    @property
    def proven(self) -> bool:
        """Whether the refuser's clock is known for sure."""
        clock = self.clock
        if clock is None or clock.confidence < SURE_CLOCK:
            return False
        return (
            clock.agreeing > 1
            or "HTTP" in clock.source
            or clock.source == GIVEN
            or abs(clock.skew_seconds) < WRONG_CLOCK
        )

    @property
    def told(self) -> bool:
        """Whether the refuser itself says in words what it objects to."""
        said = self.connection.testimony
        return said is not None and bool(said.causes) and said.sender == self.refuser

    @property
    def era(self) -> Era:
        """The versions whose alerts are alike: stacks answer the same fault otherwise in SSLv3, and in TLS 1.3."""
        if self.connection.tls13:
            return "tls1.3"
        return "ssl3" if self.connection.tls_version == "SSLv3" else "tls1.2"
