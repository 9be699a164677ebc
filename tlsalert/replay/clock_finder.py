"""Finds a device's clock by certificates: it accepts one that is valid by its clock, and refuses one that is not.

    found = find_clock(ask, guesses=[captured_clock], ca_validity=(ca.not_before, ca.not_after))

``ask`` makes a handshake with a certificate that is valid between two times, signed by a CA that the device trusts.
Each answer halves what is left of 1970 to 2106: 32 handshakes to the second, or a few where a guess is right.

The device's clock goes on while it is asked. So what is looked for is its *skew*, the seconds that it is ahead of ours,
which stays; the answer of a handshake that lasted from ``a`` to ``b`` by our clock bounds the skew, not the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from tlsalert.diagnosis.device_look import DeviceClock, distance
from tlsalert.diagnosis.tried import ACCEPTED, SILENT, said
from tlsalert.diagnosis.words import day
from tlsalert.model import EPOCH, rfc3339
from tlsalert.replay.answers import answer_of
from tlsalert.replay.outcome import NotTried, Outcome, Unreachable

#: Makes a handshake with a certificate that is valid from the first time to the second, both included (RFC 5280
#: §4.1.2.5), in whole seconds, UTC.
Ask = Callable[[datetime, datetime], Outcome]
Ends = Literal["both", "start", "end", "none"]

#: A clock is looked for from 1970 to the last second of 32 bits; before 1970 no device can count.
FIRST, LAST = EPOCH, datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC)
#: The widest validities, of which one suits every verifier: the first and last times that X.509 can tell; the same in
#: UTCTime, for those that do not read GeneralizedTime (RFC 5280 §4.1.2.5.1); from 1970 on, for unsigned seconds.
WIDEST: Final = (
    (datetime(1950, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    (datetime(1950, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
    (EPOCH, datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)),
)
#: Steps outward from a guess, in seconds: a right one is soon bracketed, a wrong one soon given up.
STEPS: Final = (4, 3600)
#: How often a handshake without an answer is made again, and how many answers more one must have than the other where
#: the device has contradicted itself.
AGAIN, LEAD = 3, 3
#: How often the search begins anew after a contradiction.
SEARCHES: Final = 3
ENOUGH_HANDSHAKES: Final = 400
_BY_CA: Final = 0.7  # how sure it is that an alert about dates is about the CA's
CLIENT_CANNOT: Final = (Unreachable, NotTried)
UNKNOWN_CA: Final = "48"


@dataclass(frozen=True, slots=True)
class ClockFound:
    """What the search found. ``clock`` is None where it found nothing; ``says`` tells why, or how sure it is.

    ``checks`` are the ends of a validity that the device looks at; ``handshakes`` counts all that were made;
    ``contradictions`` how often an answer belied an earlier one. ``bounds`` holds between which times the clock
    stands at least, where the CA's own validity shows so much.
    """

    clock: DeviceClock | None
    checks: Ends | None
    handshakes: int
    says: tuple[str, ...]
    contradictions: int = 0
    bounds: tuple[datetime | None, datetime | None] = (None, None)

    @property
    def skew_seconds(self) -> float | None:
        """Seconds that the device is ahead of us."""
        return None if self.clock is None else self.clock.skew_seconds

    @property
    def known(self) -> DeviceClock | None:
        """The clock as :func:`tlsalert.diagnosis.device_mind.mind` takes it: the time, else the bounds, else None."""
        if self.clock is not None or self.bounds == (None, None):
            return self.clock
        earliest, latest = self.bounds
        return DeviceClock(earliest, latest, source="the validity of the CA", confidence=_BY_CA)


def find_clock(
    ask: Ask,
    guesses: Iterable[datetime] = (),
    ca_validity: tuple[datetime, datetime] | None = None,
    now: Callable[[], float] = time.time,
    most: int = ENOUGH_HANDSHAKES,
) -> ClockFound:
    """Return the device's clock to the second, as far as its answers give it.

    ``guesses`` are times that it may say now, the likeliest first (the clock in a captured ServerHello.random and the
    time since; the build time of its firmware); our own time is always tried. ``ca_validity`` is that of the CA which
    signs, ``now`` our clock in seconds since 1970. No more than about ``most`` handshakes are made.
    """
    search = _Search(ask, ca_validity, now, most)
    try:
        return search.run([_seconds(guess) - now() for guess in guesses] + [0.0])
    except _GoneError as gone:
        return search.told(None, (f"The device could not be asked any more: {gone}.",))


class _GoneError(Exception):
    """The device is not reached any more, or gives no answer, or was asked often enough."""


class _ContradictionError(Exception):
    """An answer belies an earlier one."""


class _Search:
    """One search. Skews are in seconds; ``low`` and ``high`` are what is left of them."""

    def __init__(self, ask: Ask, ca: tuple[datetime, datetime] | None, now: Callable[[], float], most: int) -> None:
        self._ask, self._ca, self._now, self._most = ask, ca, now, most
        self._begin, self._end = WIDEST[0]
        self._lead = 1
        self._handshakes = self._contradictions = 0
        self._checks: Ends | None = None
        self._by_dates: set[str] = set()  # the answers with which it refuses dates
        self._low, self._high = 0.0, 0.0
        self._longest = 0.0  # seconds that a handshake took

    def run(self, guesses: Sequence[float]) -> ClockFound:
        """Look whether dates matter at all, search, and prove what was found."""
        refusal = self._widest()
        if refusal is not None:
            return self._refuses_all(refusal)
        self._checks = self._ends()
        if self._checks == "none":
            says = "The device does not check dates in TLS: it accepts a certificate that ended in 1970 and one that"
            return self.told(None, (f"{says} begins in {self._last.year}.",))
        found: Sequence[float] = guesses
        for _ in range(SEARCHES):
            try:
                if self._contradictions:
                    self._checks = self._ends()
                self._find(found)
                self._prove()
                return self._found()
            except _ContradictionError:
                self._contradictions += 1
                self._lead = LEAD  # from now on no answer is believed that was given once
                found = [(self._low + self._high) / 2, *guesses]
        return self.told(None, (self._unsteady(),))

    def told(
        self,
        clock: DeviceClock | None,
        says: tuple[str, ...],
        bounds: tuple[datetime | None, datetime | None] = (None, None),
    ) -> ClockFound:
        """Return a result with the counts so far."""
        return ClockFound(clock, self._checks, self._handshakes, says, self._contradictions, bounds)

    # --- what the device looks at --------------------------------------------------------------------------------

    def _widest(self) -> str | None:
        """Find a validity that the device accepts; return its answer to the last where it accepts none."""
        answer = ""
        for begin, end in (*WIDEST, *([self._ca] if self._ca is not None else [])):
            self._begin, self._end = begin, end
            for _ in range(2):  # a flaky device may refuse by chance
                answer = self._answer(begin, end)
                if answer == ACCEPTED:
                    return None
        return answer

    def _ends(self) -> Ends:
        """Return which ends of a validity the device looks at, by one that is long over and one that is far off."""
        past = self._settled(self._begin, max(self._begin, FIRST))
        future = self._settled(self._last, self._end)
        start, end = future != ACCEPTED, past != ACCEPTED
        self._by_dates = {past, future} - {ACCEPTED}
        return "both" if start and end else "start" if start else "end" if end else "none"

    @property
    def _last(self) -> datetime:
        """The last time that is looked for."""
        return min(LAST, self._end)

    def _refuses_all(self, answer: str) -> ClockFound:
        """Say what it may mean that no validity is accepted."""
        says = [f"The device refuses every certificate of this CA, whatever its dates ({said(answer)})."]
        bounds: tuple[datetime | None, datetime | None] = (None, None)
        if answer == UNKNOWN_CA:
            says.append("unknown_ca (48) says that it does not trust this CA: its clock cannot be asked with it.")
        elif self._ca is not None:
            begins, ends = self._ca
            says.append(
                f"If it trusts the CA, then the CA's own validity limits it: {day(begins)} to {day(ends)},"
                " and the device's clock stands outside."
            )
            if answer == "42":
                says.append(f"With OpenSSL 42 means that the CA is not valid yet: the clock is before {day(begins)}.")
                bounds = (None, begins)
            elif answer == "45":
                says.append(
                    f"With OpenSSL 45 means that the CA has expired: the clock is after {day(ends)};"
                    " other stacks send it for both."
                )
                bounds = (ends, None)
            says.append("Ask with a CA that is valid by the device's clock, or compare with a stranger's certificate.")
        else:
            says.append(
                "Either it does not trust the CA, or that is not valid by its clock: look at the CA's validity."
            )
        return self.told(None, tuple(says), bounds)

    # --- the search ------------------------------------------------------------------------------------------------

    def _find(self, guesses: Sequence[float]) -> None:
        """Narrow the skew to about a second."""
        now = self._now()
        self._low = _seconds(max(FIRST, self._begin)) - now - 1
        self._high = _seconds(self._last) - now + 1
        for guess in guesses:
            if self._low < guess < self._high and self._high - self._low > STEPS[0]:
                self._gallop(guess)
        while self._high - self._low > 1.0:
            width = self._high - self._low
            self._cut((self._low + self._high) / 2)
            if self._high - self._low > 0.95 * width:
                break  # a handshake that takes long bounds no closer

    def _gallop(self, guess: float) -> None:
        """Bracket a guess: look on which side of it the clock is, and go that way in growing steps."""
        if self._cut(guess):
            for step in STEPS:
                if not self._low < guess + step < self._high or not self._cut(guess + step):
                    return
        else:
            for step in STEPS:
                if not self._low < guess - step < self._high or self._cut(guess - step):
                    return

    def _cut(self, skew: float) -> bool:
        """Ask whether the device's skew is at least ``skew``, and narrow what is left by the answer."""
        before = self._now()
        edge = _when(round(before + skew))
        if edge is None:
            raise _ContradictionError
        reached = self._reached(edge)
        after = self._now()
        if reached:
            self._low = max(self._low, _seconds(edge) - after)
        else:
            self._high = min(self._high, _seconds(edge) - before)
        if self._low >= self._high:
            raise _ContradictionError
        return reached

    def _reached(self, edge: datetime) -> bool:
        """Return whether the device's clock has reached ``edge``, by the start of a validity, or by its end."""
        if self._checks in ("both", "start"):
            return self._accepts(edge, self._end)
        return not self._accepts(self._begin, edge - timedelta(seconds=1))

    def _prove(self) -> None:
        """Ask once more on both sides of what was found, at both ends of a validity: it must hold, or this raises."""
        if self._checks in ("both", "start") and self._accepts(self._beyond(), self._end):
            raise _ContradictionError
        if self._checks in ("both", "end") and self._accepts(self._begin, self._before()):
            raise _ContradictionError
        if not self._accepts(self._before(), self._beyond()):
            raise _ContradictionError

    def _slack(self) -> float:
        """Seconds by which the device's clock may stand off while a question is asked as often as it takes."""
        return 2.0 + 2 * self._lead * self._longest

    def _before(self) -> datetime:
        """Return a time that the device's clock has surely passed."""
        return max(_when(int(self._now() + self._low - self._slack())) or self._begin, self._begin)

    def _beyond(self) -> datetime:
        """Return a time that it surely does not reach while it is asked."""
        return min(_when(int(self._now() + self._high + self._slack()) + 1) or self._end, self._end)

    def _found(self) -> ClockFound:
        at = self._now()
        skew, error = (self._low + self._high) / 2, max(0.5, (self._high - self._low) / 2)
        clock = DeviceClock(
            time=round((at + skew) * 1e9),
            at=round(at * 1e9),
            error_seconds=error,
            source="bisection by certificates",
            confidence=0.99 if not self._contradictions else 0.9,
        )
        stands = "in step with ours" if abs(skew) <= error + 1 else distance(skew)
        stands = stands if "step" in stands else f"{stands} {'ahead of' if skew > 0 else 'behind'} ours"
        says = [f"The device's clock is {clock}, {stands}; found with {self._handshakes} handshakes."]
        if self._checks == "start":
            says.append("It does not look at the end of a validity: expired certificates are accepted.")
        elif self._checks == "end":
            says.append("It does not look at the start of a validity: certificates of the future are accepted.")
        if self._contradictions:
            says.append(
                "Its answers contradicted each other on the way: it is flaky, or its clock was set. Each answer was"
                " asked for several times from then on."
            )
        return self.told(clock, tuple(says))

    def _unsteady(self) -> str:
        where = _when(round(self._now() + (self._low + self._high) / 2))
        near = "" if where is None else f"; the last search ended near {rfc3339(round(_seconds(where)) * 10**9, 0)}"
        return f"The device contradicts itself: it is flaky, or its clock jumps{near}."

    # --- one question ----------------------------------------------------------------------------------------------

    def _accepts(self, not_before: datetime, not_after: datetime) -> bool:
        """Whether the device accepts a validity: by one answer, or by a clear lead where answers are not reliable."""
        lead = 0
        while abs(lead) < self._lead:
            answer = self._answer(not_before, not_after)
            for _ in range(AGAIN - 1):  # an answer that is not about dates says nothing of the clock
                if answer == ACCEPTED or answer in self._by_dates:
                    break
                answer = self._answer(not_before, not_after)
            lead += 1 if answer == ACCEPTED else -1
        return lead > 0

    def _settled(self, not_before: datetime, not_after: datetime) -> str:
        """Return the answer to a validity: the first, and where answers are not reliable the first to come again."""
        answers = [self._answer(not_before, not_after)]
        while self._lead > 1 and answers.count(answers[-1]) < AGAIN - 1:
            answers.append(self._answer(not_before, not_after))
        return answers[-1]

    def _answer(self, not_before: datetime, not_after: datetime) -> str:
        """Make one handshake; one that brings no answer is made again."""
        why = "it did not answer"
        for _ in range(AGAIN):
            if self._handshakes >= self._most:
                raise _GoneError(f"{self._handshakes} handshakes were made")
            self._handshakes += 1
            before = self._now()
            outcome = self._ask(not_before, not_after)
            self._longest = max(self._longest, self._now() - before)
            answer = answer_of(outcome)
            if answer is not None and answer != SILENT:
                return answer
            if isinstance(outcome, CLIENT_CANNOT):
                why = outcome.why
            elif answer is None:
                why = f"the handshake ended at {outcome.stage}, before the certificate"
        raise _GoneError(why)


def _seconds(moment: datetime) -> float:
    return (moment - EPOCH).total_seconds()


def _when(seconds: int) -> datetime | None:
    """Return a time as certificates tell it, or None where they cannot."""
    try:
        return EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None
