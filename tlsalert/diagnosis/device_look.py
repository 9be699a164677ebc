"""The trials of one device, looked up by variant, and what is known of it besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tlsalert.diagnosis import words
from tlsalert.diagnosis.device_causes import BY_CLOCK, GOOD, Facts
from tlsalert.diagnosis.resemblance import Key
from tlsalert.diagnosis.tried import ACCEPTED, Cell, Tried, cells, refused
from tlsalert.model import CertificateRequest, Clock, rfc3339

#: How sure a clock is that was found by certificates.
FOUND: Final = 0.99
#: Certificates of issuers that nobody trusts.
STRANGERS: Final = ("self_signed_unknown", "self_signed_ca_true", "unknown_issuer", "unknown_issuer_with_root")
#: Below so many seconds a clock is in step with ours.
_IN_STEP: Final = 5


_MONTH: Final = 365.25 * 86_400 / 12


def distance(seconds: float) -> str:
    """Return how far a clock is off as in a sentence, years with their months: "11 years and 8 months", "3 days"."""
    months = round(abs(seconds) / _MONTH)
    if months < 12:
        return words.span(seconds)
    parts = ((months // 12, "year"), (months % 12, "month"))
    return " and ".join(f"{many} {unit}{'s' if many != 1 else ''}" for many, unit in parts if many)


def against_ours(seconds: float) -> str:
    """Say how a clock stands that is so many seconds ahead of ours, or behind where that is negative."""
    if abs(seconds) < _IN_STEP:
        return "in step with ours"
    return f"{distance(seconds)} {'ahead of' if seconds > 0 else 'behind'} ours"


@dataclass(frozen=True, slots=True)
class DeviceClock:
    """What is known of the device's clock: bounds by what it accepted and refused, or the time itself.

    ``time`` is what it said at ``at`` (our time), give or take ``error_seconds``; all times in nanoseconds since 1970.
    ``source`` says how it is known.
    """

    earliest: datetime | None = None
    latest: datetime | None = None
    time: int | None = None
    at: int | None = None
    error_seconds: float | None = None
    source: str = "certificates accepted and refused"
    confidence: float = FOUND

    @property
    def skew_seconds(self) -> float | None:
        """Seconds that it is ahead of ours; negative where it is behind."""
        return None if self.time is None or self.at is None else (self.time - self.at) / 1e9

    def __str__(self) -> str:
        if self.time is not None:
            error = "" if self.error_seconds is None else f" ± {max(1, round(self.error_seconds))} s"
            return f"{rfc3339(self.time, 0)[:-1].replace('T', ' ')}{error}"
        if self.earliest is not None and self.latest is not None:
            return f"between {words.day(self.earliest)} and {words.day(self.latest)}"
        if self.latest is not None:
            return f"before {words.day(self.latest)}"
        return f"after {words.day(self.earliest)}" if self.earliest is not None else "not known"

    @property
    def known(self) -> bool:
        """Whether anything is known of it."""
        return (self.time, self.earliest, self.latest) != (None, None, None)


@dataclass(frozen=True)
class Look:
    """The trials and what is known beside them; answers are looked up by variant."""

    tried: tuple[Tried, ...]
    facts: Facts
    request: CertificateRequest | None
    shown: Clock | None
    found: DeviceClock | None
    families: Mapping[str, float] | None
    hidden: frozenset[Key]
    told: list[Cell] = field(init=False)

    def __post_init__(self) -> None:
        told = cells(self.tried)
        if self.asked_by_certificates:
            told += [Cell(BY_CLOCK, cell.tls_version, ACCEPTED) for cell in told if cell.variant == GOOD]
        object.__setattr__(self, "told", told)

    @property
    def asked_by_certificates(self) -> bool:
        """Whether the clock was found by certificates of the good one's CA, which only who trusts it accepts."""
        return self.found is not None and self.found.time is not None

    def answers(self, variant: str) -> dict[str, str]:
        """Return the answer to a variant in each version."""
        return {cell.tls_version: cell.answer for cell in self.told if cell.variant == variant}

    @property
    def accepting(self) -> list[str]:
        """The versions in which the good certificate is accepted."""
        return [version for version, answer in self.answers(GOOD).items() if answer == ACCEPTED]

    @property
    def refusing(self) -> list[str]:
        """The versions in which it is refused."""
        return [version for version, answer in self.answers(GOOD).items() if refused(answer)]

    @property
    def open_in_tls(self) -> bool:
        """Whether TLS lets in anybody, and nobody has asked whether they are refused inside it."""
        if self.facts.asked_inside or not self.accepting:
            return False
        strangers = [answer for variant in STRANGERS for answer in self.answers(variant).values()]
        return ACCEPTED in self.answers("none_sent").values() and all(answer == ACCEPTED for answer in strangers)

    def accepted(self, *variants: str) -> list[str]:
        """Return those of the variants that are accepted in any version."""
        return [variant for variant in variants if ACCEPTED in self.answers(variant).values()]

    def refused_beside_good(self, *variants: str) -> list[str]:
        """Return those that are refused in a version in which the good certificate is accepted."""
        good = self.accepting
        return [v for v in variants if any(refused(a) for at, a in self.answers(v).items() if at in good)]

    @property
    def clock(self) -> Clock | None:
        """The device's clock as far as it is known before the verdict: as it was found, else as it shows."""
        if self.found is not None and self.found.time is not None:
            at = self.found.at if self.found.at is not None else self.found.time
            return Clock(self.found.time, at, self.found.source, self.found.confidence)
        return self.shown
