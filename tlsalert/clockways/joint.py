"""What all ways say together: which of them agree, which clock judges certificates, and how far it is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tlsalert.clockways.reading import Reading
from tlsalert.diagnosis.device_look import distance
from tlsalert.diagnosis.words import capital

#: Ways by how near their clock is to the one that judges certificates, and what each is called in a sentence.
#: A certificate is judged by the process that speaks TLS: it is asked itself, or shows its clock; HTTPS is served by
#: the same machine; a BMC dates its log, and may serve time, by other clocks than its own system's.
NEAREST: Final = {
    "certificates": "the answers to dated certificates",
    "random": "ServerHello.random",
    "https": "the Date of HTTPS",
    "http": "the Date of HTTP",
    "redfish": "Redfish",
    "ntp": "NTP",
    "ipmi": "IPMI",
}
#: How sure it is that certificates are judged by the clock that a way shows.
JUDGES: Final = {
    "certificates": "That clock judges certificates: they were what asked it.",
    "random": "ServerHello.random tells the TLS stack's own clock, by which it judges certificates as well.",
}
NOT_PROVED: Final = "That certificates are judged by the same clock is likely; bisection (--ca-key) would prove it."
#: Seconds that two clocks of a device may be apart, and still say the same: its services keep a Date for a second.
APART: Final = 1.0
#: Zones are whole quarters of an hour, up to 14 hours from UTC.
QUARTER, FARTHEST = 900, 14 * 3600


@dataclass(frozen=True, slots=True)
class Joint:
    """The verdict across the ways. ``judge`` is the reading to judge certificates by, None where no way shows a clock.

    ``agreeing`` and ``differing`` are the ways that say what it says, and the others. ``says`` are its sentences.
    """

    judge: Reading | None
    agreeing: tuple[str, ...]
    differing: tuple[str, ...]
    says: tuple[str, ...]

    @property
    def agree(self) -> bool:
        """Whether all ways that show a clock show the same."""
        return self.judge is not None and not self.differing


def joint(readings: Sequence[Reading]) -> Joint:
    """Hold all readings against each other."""
    shown = [one for one in readings if one.skew_seconds is not None]
    if not shown:
        return Joint(None, (), (), ("No way shows the device's clock.",))
    judge = min(shown, key=lambda one: list(NEAREST).index(one.way))
    agreeing = [one for one in shown if one is judge or _apart(one, judge) <= APART]
    differing = [one for one in shown if one not in agreeing]
    says = [f"{stands(judge)}, by {NEAREST[judge.way]}.", JUDGES.get(judge.way, NOT_PROVED)]
    if len(agreeing) > 1:
        others = _listed([NEAREST[one.way] for one in agreeing if one is not judge])
        says.append(f"{capital(others)} {'agrees' if len(agreeing) == 2 else 'agree'} within the error bars.")
    says += [f"{_differs(one, judge)}." for one in differing]
    return Joint(judge, tuple(one.way for one in agreeing), tuple(one.way for one in differing), tuple(says))


def stands(reading: Reading) -> str:
    """Say where a clock stands: "The device's clock is 6 years behind ours"."""
    skew, error = reading.skew_seconds or 0.0, reading.error_seconds or 0.0
    if abs(skew) <= max(error, 0.5):
        return f"The device's clock is in step with ours (to {error:.2g} s)"
    side = "ahead of" if skew > 0 else "behind"
    return f"The device's clock is {distance(skew) if abs(skew) >= 1 else f'{abs(skew):.1f} seconds'} {side} ours"


def beyond(readings: Sequence[Reading], limit: float) -> tuple[Reading, ...]:
    """Return the readings whose skew is surely larger than ``limit`` seconds, their error bars taken off."""
    return tuple(
        one
        for one in readings
        if one.skew_seconds is not None and abs(one.skew_seconds) - (one.error_seconds or 0.0) > limit
    )


def _apart(one: Reading, other: Reading) -> float:
    """Return how many seconds the error bars of two readings lie apart; 0 where they meet."""
    a, b = one.bounds or (0.0, 0.0), other.bounds or (0.0, 0.0)
    return max(a[0] - b[1], b[0] - a[1], 0.0)


def _differs(one: Reading, judge: Reading) -> str:
    away = (one.skew_seconds or 0.0) - (judge.skew_seconds or 0.0)
    said = f"{capital(NEAREST[one.way])} says otherwise: {distance(away)} {'later' if away > 0 else 'earlier'}"
    quarters = round(away / QUARTER)
    near = abs(away - quarters * QUARTER) <= (one.error_seconds or 0.0) + (judge.error_seconds or 0.0) + APART
    if quarters and near and abs(away) <= FARTHEST:
        hours = quarters / 4
        return f"{said}, which is a time zone of {hours:+g} h: it may tell local time"
    return said


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
