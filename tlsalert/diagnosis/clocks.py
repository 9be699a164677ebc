"""Whose clock says what: the first four bytes of a hello's random, where they are a clock at all, and HTTP's Date.

RFC 5246 §7.4.1.2 put gmt_unix_time there, and some stacks still did so when most had turned to 32 random bytes
(RFC 8446 has no time in it). Any four random bytes are some date between 1970 and 2106, so one handshake proves
nothing by itself: what counts is whether several handshakes of one machine agree, whether the date lies at the
capture's, and whether the machine's stack is one of those that show their clock.

A clock may jump within a capture: it is set right, or a device restarts at 1970. So readings that differ are not random
at once: groups that agree within themselves are states of one clock, and a connection is judged by its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from tlsalert.diagnosis.words import moment
from tlsalert.model import Clock, Position

DAY: Final = 86_400
#: Below this nobody should be told of a clock: it is four random bytes.
LEAST: Final = 0.1
#: Seconds within which two readings count as agreeing: what chance has to hit.
WINDOW: Final = 5

#: What a device's clock shows, before it is looked at: P(the capture's time to a few seconds: both are set by NTP),
#: P(within a day of it), P(some time in the past), P(just started at an epoch that firmware begins with), P(in the
#: future).
EXACT, RIGHT, PAST, EPOCHS, FUTURE = 0.35, 0.2, 0.33, 0.07, 0.05
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


class Dated(NamedTuple):
    """A Date in HTTP, how many responses agree with it, whether its port is the same, and what others say."""

    own: Seen
    agreeing: int
    same_port: bool
    others: Sequence[Seen] = ()


HTTP_DATE: Final = "HTTP Date"
#: That a Date in clear is its machine's clock: from the same port, and from another port of the address, where another
#: device may answer.
SAME_PORT, OTHER_PORT = 0.99, 0.96

#: How likely a clock is to jump between two connections of one capture.
JUMP: Final = 0.01
#: That a server which shows its clock in other hellos shows it in this one, too, after a jump: this one may be another
#: machine's, behind the same address. So a date that is like any other is no clock by that alone.
SHOWN_BESIDE: Final = 0.1
#: From here on a reading stands out by itself: it is at the capture's time, or at an epoch.
STRIKING: Final = 20.0
#: Below this no stack's prior makes a clock of it.
HOPELESS: Final = 0.002
#: How far apart two readings of one clock may be, in seconds, and how much it may drift.
APART, DRIFT = 2, 1 / 10_000


def clock(
    witness: Witness | None, source: str, prior: float, beside: Sequence[Seen] = (), agree: bool = False
) -> Clock | None:
    """Return what a hello says about its machine's clock, or None where it is no clock.

    ``prior`` is how likely its stack shows its clock at all, before the value is looked at. ``beside`` are readings of
    the same machine that do not agree with this one; ``agree`` says that some others of a server agree with each other.
    """
    if witness is None or prior <= 0:
        return None
    own, agreeing, readings = witness
    if agreeing > 1:
        confidence = agreed(agreeing, readings)
    elif readings > 1:
        confidence = _among(own, beside, prior, agree)
    else:
        confidence = credible(own.time, own.at / 1e9, prior)
    if confidence < LEAST:
        return None
    jump = jumped(own, beside) if confidence >= 0.5 else None
    return Clock(own.time * 1_000_000_000, own.at, source, confidence, Position(own.frame), agreeing, jump)


def dated_clock(dated: Dated | None) -> Clock | None:
    """Return the clock that a machine's HTTP responses show."""
    if dated is None:
        return None
    own = dated.own
    sure = SAME_PORT if dated.same_port else OTHER_PORT
    jump = jumped(own, dated.others, surely=True)
    return Clock(own.time * 1_000_000_000, own.at, HTTP_DATE, sure, Position(own.frame), dated.agreeing, jump)


def better(shown: Clock | None, dated: Clock | None) -> Clock | None:
    """Return the clock to judge by: the one of the hello, made sure by a Date that agrees, else the surer one."""
    if shown is None or dated is None:
        return shown or dated
    if abs(shown.skew_seconds - dated.skew_seconds) <= APART + abs(shown.at - dated.at) / 1e9 * DRIFT:
        sure = max(shown.confidence, dated.confidence)
        return Clock(
            shown.time,
            shown.at,
            f"{shown.source} and {dated.source}",
            sure,
            shown.position,
            shown.agreeing + dated.agreeing,
            shown.jump or dated.jump,
        )
    return shown if shown.confidence > dated.confidence else dated


def jumped(own: Seen, beside: Sequence[Seen], surely: bool = False) -> str | None:
    """Say between which frames the clock jumped, next to this reading; None where the others are no clock's.

    ``surely`` says that all of them are.
    """
    clocks = [other for other in beside if surely or _striking(other) >= STRIKING or _confirmed(other, beside)]
    if not clocks:
        return None
    near = min(clocks, key=lambda other: abs(other.at - own.at))
    first, second = (near, own) if near.at < own.at else (own, near)
    said = f"from {moment(first.time * 1_000_000_000)} to {moment(second.time * 1_000_000_000)}"
    return f"it jumped {said} between frames {first.frame} and {second.frame}"


def _among(own: Seen, beside: Sequence[Seen], prior: float, agree: bool) -> float:
    """Return the probability that a reading with which no other agrees is a clock all the same, after a jump.

    Others that agree with each other show that a server's hellos tell its clock. Others that do not are each one more
    jump, or random bytes: those are much likelier, unless the values stand out.
    """
    if not beside:
        return 0.0  # they were not kept, and that they differ is all that is known
    if agree:
        prior = max(prior, SHOWN_BESIDE)
        return _posterior(prior, _striking(own))
    likely = _striking(own)
    for other in beside:
        if likely < HOPELESS:
            break
        likely *= min(1.0, JUMP * _striking(other))
    return _posterior(prior, likely)


def _posterior(prior: float, ratio: float) -> float:
    return prior * ratio / (prior * ratio + 1 - prior)


def _striking(seen: Seen) -> float:
    """Return how much likelier a clock shows this value than random bytes do."""
    return _density(seen.time, seen.at / 1e9) * RANGE


def _confirmed(seen: Seen, among: Sequence[Seen]) -> bool:
    """Whether another reading agrees with one."""
    return any(other is not seen and _agree(seen, other) for other in among)


def _agree(a: Seen, b: Seen) -> bool:
    span = abs(a.at - b.at) / 1e9
    return abs((a.time - b.time) - (a.at - b.at) / 1e9) <= APART + span * DRIFT


def agreed(agreeing: int, among: int) -> float:
    """Return how sure readings are that agree: for random bytes it is a matter of one in a thousand million."""
    chance = among * WINDOW / RANGE
    return min(0.999, 1 - chance ** (agreeing - 1) * 100)


def credible(value: int, now: float, prior: float) -> float:
    """Return the probability that a single reading is a clock: Bayes, from ``prior`` and where the value lies.

    ``value`` and ``now`` (the capture's time) are seconds since 1970.
    """
    for_clock = prior * _density(value, now)
    return for_clock / (for_clock + (1 - prior) / RANGE)


def _density(value: int, now: float) -> float:
    """Return how likely a clock shows a value, for each second of it."""
    density = PAST / max(now, 1.0) if value <= now else FUTURE / max(RANGE - now, 1.0)
    if abs(value - now) <= DAY:
        density += RIGHT / (2 * DAY)
    if abs(value - now) <= WINDOW:
        density += EXACT / (2 * WINDOW)
    for start in STARTS:
        if start <= value <= start + 30 * DAY:
            density += EPOCHS / len(STARTS) / (30 * DAY)
    return density
