"""The clock by which the device judges certificates, found by certificates: it is asked itself.

The search is the replay engine's (:mod:`tlsalert.replay.clock_finder`): with the key of a CA that the device trusts,
certificates of chosen dates are made, and each answer halves what is left. It takes some handshakes more than the other
ways; what those found is where it begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from tlsalert.clockways.manners import Manners
from tlsalert.clockways.reading import Reading, not_asked, unreached
from tlsalert.errors import DecodeError
from tlsalert.pki.certificate import read_certificate
from tlsalert.pki.material import Material
from tlsalert.pki.variants import CannotMakeError, dated
from tlsalert.replay.client import exchange
from tlsalert.replay.clock_finder import WIDEST, find_clock
from tlsalert.replay.hello import from_profile
from tlsalert.replay.outcome import STAGES, Accepted, NotTried, Outcome, Refused, Silent, Unreachable
from tlsalert.replay.target import Target
from tlsalert.replay.trial import connection_of, outcome_of

WAY: Final = "certificates"
NEEDS: Final = "not asked: it needs a CA that the device trusts (--ca-cert and --ca-key)"
PROFILE: Final = "openssl-3.0"
#: The versions in which a device may look at a client's certificate, those in use first.
VERSIONS: Final = ("TLS 1.2", "TLS 1.3", "TLS 1.1", "TLS 1.0", "SSLv3")


def by_certificates(target: Target, material: Material, guesses: Iterable[datetime], manners: Manners) -> Reading:
    """Search the clock with certificates of the CA in ``material``. Nothing that comes back raises an error."""
    asked = _Asked(target, material, manners)
    version = asked.version()
    if version is None:
        return asked.says_why
    ca = None if material.ca is None else read_certificate(material.ca.certificate)
    valid = None if ca is None or ca.not_before is None or ca.not_after is None else (ca.not_before, ca.not_after)
    found = find_clock(lambda begin, end: asked.outcome(version, begin, end), guesses, valid)
    if found.clock is None or found.clock.time is None:
        return Reading(WAY, " ".join(found.says))
    says = " ".join((f"found with {found.handshakes} handshakes.", *found.says[1:])).removesuffix(".")
    return Reading(WAY, says, found.clock.time, found.clock.at, found.clock.error_seconds)


class _Asked:
    """The device, and who shows it certificates."""

    def __init__(self, target: Target, material: Material, manners: Manners) -> None:
        self._target, self._material, self._manners = target, material, manners
        self._hello = from_profile(PROFILE)
        self._was_asked = False
        #: Why there is no version to ask in.
        self.says_why = Reading(WAY, f"{target}: it makes no handshake in which it judges a certificate")

    def version(self) -> str | None:
        """Return the version that it judges a certificate in: it accepts one there, else it refuses; or None."""
        refusing: str | None = None
        for version in VERSIONS:
            outcome = self.outcome(version, *WIDEST[0])
            if isinstance(outcome, Unreachable):
                self.says_why = unreached(WAY, f"{self._target}: {outcome.why}")
                return None
            if isinstance(outcome, NotTried):
                self.says_why = not_asked(WAY, f"not asked: {outcome.why}")
                return None
            if isinstance(outcome, Silent):
                self.says_why = Reading(WAY, f"{self._target}: it did not answer")
                return refusing
            if isinstance(outcome, Accepted):
                if self._was_asked:
                    return version
                self.says_why = Reading(WAY, "it asks its clients for no certificate")
            elif _judged(outcome) and refusing is None:
                refusing = version
        return refusing

    def outcome(self, version: str, not_before: datetime, not_after: datetime) -> Outcome:
        """Show it one certificate."""
        try:
            shown = dated(self._material, not_before, not_after)
        except (CannotMakeError, DecodeError, ValueError) as error:  # the certificate to be like may be odd
            return NotTried(str(error))
        told = exchange(self._target, self._hello, shown, version, self._manners.limits)
        seen = connection_of(told)
        self._was_asked = seen is not None and seen.certificate_request is not None
        return outcome_of(told, seen)


def _judged(outcome: Outcome) -> bool:
    """Whether the device refused what it was shown."""
    late = STAGES.index(outcome.stage) >= STAGES.index("client_certificate")
    return isinstance(outcome, Refused) and outcome.sender == "server" and late
