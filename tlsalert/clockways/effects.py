"""What a device's skew does to certificates: how it judges each of them now, and when that changes.

A validity holds at both of its ends (RFC 5280 §4.1.2.5). A device that is ahead of us by so many seconds sees each end
come so many seconds earlier, by our clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from tlsalert.clockways.reading import Reading
from tlsalert.diagnosis.words import day, short_name, span
from tlsalert.model import Certificate, when

State = Literal["valid", "not_yet_valid", "expired", "unknown"]
SAID: Final[dict[State, str]] = {
    "valid": "valid",
    "not_yet_valid": "not valid yet",
    "expired": "expired",
    "unknown": "not known",
}
SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Effect:
    """One certificate by two clocks. ``where`` is its file; ``theirs`` is None where the device's clock is not known.

    ``takes_from`` and ``takes_until`` are the ends of its validity as the device will see them come, by our clock.
    """

    where: str
    certificate: Certificate
    ours: State
    theirs: State | None
    takes_from: datetime | None
    takes_until: datetime | None
    says: str

    def as_json(self) -> dict[str, object]:
        """Return it as ``tlsalert clock --format json`` writes it."""
        return {
            "where": self.where,
            "subject": self.certificate.subject,
            "not_before": _written(self.certificate.not_before),
            "not_after": _written(self.certificate.not_after),
            "by_our_clock": self.ours,
            "by_device_clock": self.theirs,
            "device_takes_from": _written(self.takes_from),
            "device_takes_until": _written(self.takes_until),
            "says": self.says,
        }


def effects(
    certificates: Iterable[tuple[str, Sequence[Certificate]]], judge: Reading | None, now: int
) -> tuple[Effect, ...]:
    """Return what ``judge``'s skew does to the certificates of each file; ``now`` is our time (ns since 1970)."""
    return tuple(_effect(where, one, judge, now) for where, chain in certificates for one in chain)


def state(certificate: Certificate, time: datetime) -> State:
    """Return whether a certificate is valid at a time."""
    begin, end = certificate.not_before, certificate.not_after
    if begin is None or end is None:
        return "unknown"
    return "not_yet_valid" if time < begin else "expired" if time > end else "valid"


def _effect(where: str, certificate: Certificate, judge: Reading | None, now: int) -> Effect:
    ours = state(certificate, when(now))
    skew = None if judge is None else judge.skew_seconds
    if skew is None or ours == "unknown":
        return Effect(where, certificate, ours, None, None, None, _alone(certificate, ours))
    theirs = state(certificate, when(now + round(skew * SECOND)))
    begins, ends = _shifted(certificate.not_before, -skew), _shifted(certificate.not_after, -skew)
    says = _said(certificate, ours, theirs, begins, ends)
    error = (judge.error_seconds if judge is not None else None) or 0.0
    for edge in (begins, ends):
        if edge is not None and abs((edge - when(now)).total_seconds()) <= error:
            says += "; it is about to change, within the error bar"
    return Effect(where, certificate, ours, theirs, begins, ends, says)


def _alone(certificate: Certificate, ours: State) -> str:
    if ours == "unknown":
        return f"{short_name(certificate)}: its dates cannot be read"
    return f"{SAID[ours]} by our clock; the device's is not known"


def _said(certificate: Certificate, ours: State, theirs: State, begins: datetime | None, ends: datetime | None) -> str:
    """Say how the device judges it now, what our clock says of it, and when the device's mind changes by itself."""
    whose = f"{SAID[theirs]} by both clocks" if ours == theirs else f"{SAID[theirs]} by the device's clock"
    beside = "" if ours == theirs else f", {SAID[ours]} by ours"
    if theirs == "not_yet_valid":
        until = f": as its clock runs, the device takes it from {day(begins)} on (our time)"
        if ours == "valid":
            return f"{whose}{beside}{until}; with the clock set right at once, until {day(certificate.not_after)}"
        return f"{whose}{beside}{until}"
    if theirs == "expired":
        return f"{whose}{beside}: since {day(ends)} (our time) the device refuses it{_if_set(ours)}"
    until = f": the device takes it until {day(ends)} (our time)"
    if ours == "valid" and ends is not None and certificate.not_after is not None:
        apart = (ends - certificate.not_after).total_seconds()
        if abs(apart) > 86_400:
            return f"{whose}{until}, {span(apart)} {'too late' if apart > 0 else 'too early'}"
    if ours != "valid":
        return f"{whose}{beside}{until}; set its clock right, and it refuses it at once"
    return whose + until


def _if_set(ours: State) -> str:
    return "; set its clock right, and it takes it" if ours == "valid" else ""


def _shifted(moment: datetime | None, seconds: float) -> datetime | None:
    if moment is None:
        return None
    try:
        return moment + timedelta(seconds=round(seconds))
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if seconds > 0 else datetime.min.replace(tzinfo=UTC)


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
