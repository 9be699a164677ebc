"""What a way says of the device's clock: samples of it, held against each other, become a reading with an error bar.

A device says a time in whole seconds, at some moment between our question and its answer. So one sample bounds its
*skew*, the seconds that it is ahead of our clock: half the round trip is not known, nor the part of the second that it
left out. The skew stays while both clocks run; samples at different parts of a second bound it closer together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

SECOND: Final = 1_000_000_000
#: Servers that keep the Date that they wrote last, and write it once a second, lag by up to that.
LAG: Final = 1.0
#: Seconds after which a clock that runs must have moved on.
MUST_MOVE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What the device's clock said (``time``) between our times ``sent`` and ``came``; all in nanoseconds since 1970.

    ``resolution`` is what its clock counts in, in seconds: what it left out lies between nothing and so much.
    """

    time: int
    sent: int
    came: int
    resolution: float = 1.0

    @property
    def low(self) -> float:
        """The least skew that it allows."""
        return (self.time - self.came) / SECOND

    @property
    def high(self) -> float:
        """The largest."""
        return (self.time - self.sent) / SECOND + self.resolution


@dataclass(frozen=True, slots=True)
class Reading:
    """What one way says. ``time`` is the device's at our ``at``, in nanoseconds since 1970; both None: it shows none.

    ``error_seconds`` is to both sides. ``reached`` says that something answered there; ``asked`` that it was tried.
    """

    way: str
    says: str
    time: int | None = None
    at: int | None = None
    error_seconds: float | None = None
    reached: bool = True
    asked: bool = True

    @property
    def skew_seconds(self) -> float | None:
        """Seconds that the device's clock is ahead of ours; negative where it is behind."""
        return None if self.time is None or self.at is None else (self.time - self.at) / SECOND

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Between which skews it allows the clock to be."""
        skew = self.skew_seconds
        return None if skew is None else (skew - (self.error_seconds or 0.0), skew + (self.error_seconds or 0.0))

    def as_json(self) -> dict[str, object]:
        """Return the reading as ``tlsalert clock --format json`` writes it."""
        from tlsalert.model import rfc3339

        skew, error = self.skew_seconds, self.error_seconds
        return {
            "way": self.way,
            "time": None if self.time is None else rfc3339(self.time, 3),
            "skew_seconds": None if skew is None else round(skew, 3),
            "error_seconds": None if error is None else round(error, 3),
            "says": self.says,
        }


def unreached(way: str, says: str) -> Reading:
    """Return the reading of a way on which nothing answers."""
    return Reading(way, says, reached=False)


def not_asked(way: str, says: str) -> Reading:
    """Return the reading of a way that lacks something to ask with."""
    return Reading(way, says, reached=False, asked=False)


def together(samples: Sequence[Sample]) -> tuple[float, float] | None:
    """Return between which skews all samples allow one clock to be, or None where they contradict each other.

    Where they miss each other by no more than a second, a server has kept its Date for so long: that was later than it
    said.
    """
    low, high = max(sample.low for sample in samples), min(sample.high for sample in samples)
    if low <= high:
        return low, high
    return (low, high + LAG) if low - high <= LAG else None


def stands_still(samples: Sequence[Sample]) -> bool:
    """Whether the same time came again after it must have moved on: it is fixed text, and no clock."""
    same = len({sample.time for sample in samples}) == 1
    return same and (samples[-1].sent - samples[0].came) / SECOND > MUST_MOVE


def largest_agreement(samples: Sequence[Sample]) -> list[Sample]:
    """Return the most samples that one clock can have given."""
    best: list[Sample] = []
    for first in samples:
        group = [first]
        for other in samples:
            if other is not first and together([*group, other]) is not None:
                group.append(other)
        best = group if len(group) > len(best) else best
    return sorted(best, key=lambda sample: sample.sent)


def read(way: str, samples: Sequence[Sample], says: str) -> Reading:
    """Return what samples that agree come to; their own words come after ``says``' beginning."""
    bounds = together(samples)
    if bounds is None:
        raise ValueError("the samples contradict each other")
    low, high = bounds
    at = samples[-1].came
    return Reading(way, says, at + round((low + high) / 2 * SECOND), at, (high - low) / 2)


def judged(way: str, samples: Sequence[Sample], what: str) -> Reading:
    """Return what samples come to, whatever they are; ``what`` names what gave them, as "Date" or "DateTime"."""
    if len(samples) > 1 and stands_still(samples):
        return Reading(way, f"no clock: its {what} stood still for {_span(samples):.1f} s while ours went on")
    if together(samples) is None:
        if _jumps(samples):
            return Reading(way, f"its clock was set while it was asked: the {what} jumped")
        return Reading(way, f"no clock: {len(samples)} answers contradict each other; perhaps several machines answer")
    if len(samples) == 1:
        return read(way, samples, f"one {what}; whether it moves was not seen")
    return read(way, samples, f"{len(samples)} answers agree")


def _span(samples: Sequence[Sample]) -> float:
    return (samples[-1].came - samples[0].sent) / SECOND


def _jumps(samples: Sequence[Sample]) -> bool:
    """Whether the samples part, in their order, into two that agree within themselves."""
    apart = [number for number, pair in enumerate(pairwise(samples), 1) if together(pair) is None]
    if len(apart) != 1 or not 1 < apart[0] < len(samples) - 1:
        return False
    return together(samples[: apart[0]]) is not None and together(samples[apart[0] :]) is not None
