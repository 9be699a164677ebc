"""Whose clock says what: the first four bytes of a hello's random, where they are a clock at all.

RFC 5246 §7.4.1.2 put gmt_unix_time there, and some stacks still did so when most had turned to 32 random bytes
(RFC 8446 has no time in it). Any four random bytes are some date between 1970 and 2106, so one handshake proves
nothing by itself: what counts is whether several handshakes of one machine agree, whether the date lies at the
capture's, and whether the machine's stack is one of those that show their clock.
"""

from __future__ import annotations

from typing import Final, Protocol

from tlsalert.model import Clock, Position

DAY: Final = 86_400
#: Below this nobody should be told of a clock: it is four random bytes.
LEAST: Final = 0.1
#: Seconds within which two readings count as agreeing: what chance has to hit.
WINDOW: Final = 5

#: What a device's clock shows, before it is looked at: P(within a day of the capture's), P(some time in the past),
#: P(just started at an epoch that firmware begins with), P(in the future).
RIGHT, PAST, EPOCHS, FUTURE = 0.55, 0.33, 0.07, 0.05
#: 1970-01-01 and 2000-01-01: where a clock without a battery begins.
STARTS: Final = (0, 946_684_800)
RANGE: Final = 1 << 32


class Seen(Protocol):
    """One hello's first four bytes as seconds since 1970, and when and where it was seen."""

    @property
    def time(self) -> int:
        """Seconds since 1970."""

    @property
    def at(self) -> int:
        """The capture's time, in nanoseconds since 1970."""

    @property
    def frame(self) -> int:
        """The frame that held it."""


#: A reading, how many of its machine's agree with it (itself too), and how many there are.
Witness = tuple[Seen, int, int]


def clock(witness: Witness | None, source: str, prior: float) -> Clock | None:
    """Return what a hello says about its machine's clock, or None where it is no clock.

    ``prior`` is how likely its stack shows its clock at all, before the value is looked at.
    """
    if witness is None or prior <= 0:
        return None
    own, agreeing, readings = witness
    if agreeing > 1:
        confidence = agreed(agreeing, readings)
    elif readings > 1:
        return None  # readings that differ from each other are random bytes
    else:
        confidence = credible(own.time, own.at / 1e9, prior)
    if confidence < LEAST:
        return None
    return Clock(own.time * 1_000_000_000, own.at, source, confidence, Position(own.frame), agreeing)


def agreed(agreeing: int, among: int) -> float:
    """Return how sure readings are that agree: for random bytes it is a matter of one in a thousand million."""
    chance = among * WINDOW / RANGE
    return min(0.999, 1 - chance ** (agreeing - 1) * 100)


def credible(value: int, now: float, prior: float) -> float:
    """Return the probability that a single reading is a clock: Bayes, from ``prior`` and where the value lies.

    ``value`` and ``now`` (the capture's time) are seconds since 1970.
    """
    density = PAST / max(now, 1.0) if value <= now else FUTURE / max(RANGE - now, 1.0)
    if abs(value - now) <= DAY:
        density += RIGHT / (2 * DAY)
    for start in STARTS:
        if start <= value <= start + 30 * DAY:
            density += EPOCHS / len(STARTS) / (30 * DAY)
    for_clock = prior * density
    return for_clock / (for_clock + (1 - prior) / RANGE)
