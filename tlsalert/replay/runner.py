"""Runs the matrix: variants × TLS versions, in shuffled orders, repeated, one handshake after the other.

It knows nothing of sockets: a handshake is a callable of (variant, TLS version). What it learned is kept when it is
interrupted, and when the device stops answering.

    run = run_plan(Plan(("good", "expired"), ("TLS 1.2",)), try_one)
    run.attempts, run.ended
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from tlsalert.errors import TlsalertError
from tlsalert.model import Connection
from tlsalert.replay.outcome import Closed, NotTried, Outcome, Refused, Unreachable

#: So many times in a row unreachable ends the run: a device that stops answering is left alone.
GIVE_UP = 3
#: A refusal whose alert was lost in a reset is tried again so many times: mostly the alert arrives then.
MORE_TRIES = 2

#: So many handshakes of a TLS version that are refused before the server said anything else, with one alert, and none
#: that came further: no certificate changes that, so they stand for all of the version.
ENOUGH_REFUSALS = 2

Ended = Literal["unreachable", "interrupted"]
#: One variant in one TLS version.
Cell = tuple[str, str]


class Tried(Protocol):
    """One handshake that was tried: a Trial, or anything with these."""

    @property
    def variant(self) -> str:
        """The variant's name."""

    @property
    def tls_version(self) -> str:
        """The version that was offered: "TLS 1.2"."""

    @property
    def outcome(self) -> Outcome:
        """What came of it."""

    @property
    def note(self) -> str | None:
        """What else is worth telling."""

    @property
    def connection(self) -> Connection | None:
        """What was read off the wire, where anything was."""


TryOne = Callable[[str, str], Tried]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be tried, and how gently.

    The rows of a result stand in the order of ``variants`` and ``versions``; the trials are made in ``orders``
    shuffles of it, which follow from ``seed``, each ``repeat`` times. ``delay`` is in seconds, between two handshakes
    (of one job). ``not_tried`` are variants that cannot be made, and why.
    """

    variants: tuple[str, ...]
    versions: tuple[str, ...]
    orders: int = 1
    repeat: int = 1
    seed: int = 0
    delay: float = 0.0
    jobs: int = 1
    not_tried: Mapping[str, NotTried] = field(default_factory=dict)

    def cells(self) -> list[Cell]:
        """Return what is to be told of, in the order of the result."""
        return [(variant, version) for variant in self.variants for version in self.versions]

    def steps(self) -> Iterator[Step]:
        """Yield the handshakes to try, in the order in which they are tried."""
        cells = [cell for cell in self.cells() if cell[0] not in self.not_tried]
        for order in range(1, self.orders + 1):
            shuffled = [*cells]
            random.Random(f"{self.seed}/{order}").shuffle(shuffled)  # noqa: S311 - to vary the order, not to hide it
            for repetition in range(1, self.repeat + 1):
                for cell in shuffled:
                    yield Step(cell, order, repetition)

    def __len__(self) -> int:
        makeable = sum(variant not in self.not_tried for variant in self.variants)
        return makeable * len(self.versions) * self.orders * self.repeat


@dataclass(frozen=True, slots=True)
class Step:
    """One handshake of a plan; ``order`` and ``repetition`` count from 1."""

    cell: Cell
    order: int
    repetition: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One step that was made. ``tries`` counts the handshakes it took: more than one where an alert was lost."""

    step: Step
    trial: Tried
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Failed:
    """A trial that could not be made: a :class:`Tried` with the error's words."""

    variant: str
    tls_version: str
    outcome: Outcome
    note: str | None = None
    connection: Connection | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What was learned: the attempts in the order in which they ended, and what ended the run before its time.

    ``unspoken`` holds the TLS versions that the server refuses as such, each with the trial that stands for all.
    """

    plan: Plan
    attempts: tuple[Attempt, ...]
    ended: Ended | None = None
    unspoken: Mapping[str, Tried] = field(default_factory=dict)


def run_plan(
    plan: Plan,
    try_one: TryOne,
    progress: Callable[[Attempt], None] | None = None,
    sleep: Callable[[float], object] | None = None,
) -> Run:
    """Try what the plan says; ``progress`` is told of each attempt as it ends.

    It ends early after :data:`GIVE_UP` attempts in a row that did not reach the target, and when the user interrupts;
    both keep what was learned. ``sleep`` waits between handshakes (for tests). A :class:`TlsalertError` of ``try_one``
    becomes "not tried"; any other exception of it is passed on.
    """
    worker = _Worker(plan, try_one, sleep or time.sleep)
    return worker.alone(progress) if plan.jobs <= 1 else worker.together(progress)


class _Worker:
    """Makes the steps of one plan, in this thread or in several."""

    def __init__(self, plan: Plan, try_one: TryOne, sleep: Callable[[float], object]) -> None:
        self._plan, self._try_one, self._sleep = plan, try_one, sleep
        self._attempts: list[Attempt] = []
        self._unreached = 0
        self._refusals: dict[str, list[Tried]] = {}  # by version, until one comes further
        self._further: set[str] = set()

    def alone(self, progress: Callable[[Attempt], None] | None) -> Run:
        """Make all steps one after the other."""
        try:
            for step in self._plan.steps():
                if self._is_unspoken(step.cell[1]):
                    continue
                if self._attempts:
                    self._wait()
                attempt = self._make(step)
                self._learn(attempt.trial)
                self._note(attempt, progress)
                if self._unreached >= GIVE_UP:
                    return self._run("unreachable")
        except KeyboardInterrupt:
            return self._run("interrupted")
        return self._run(None)

    def together(self, progress: Callable[[Attempt], None] | None) -> Run:
        """Make the steps in ``jobs`` threads; only this thread counts and tells."""
        steps, lock, stop = self._plan.steps(), threading.Lock(), threading.Event()
        done: queue.SimpleQueue[Attempt | BaseException | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                while not stop.is_set():
                    with lock:
                        step = next((one for one in steps if not self._is_unspoken(one.cell[1])), None)
                    if step is None:
                        break
                    attempt = self._make(step)
                    with lock:  # learned at once, or the others would go on asking
                        self._learn(attempt.trial)
                        if self._unreached >= GIVE_UP:
                            stop.set()
                    done.put(attempt)
                    if not stop.is_set():
                        self._wait()
            except BaseException as error:  # told to the thread that waits
                done.put(error)
            finally:
                done.put(None)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(self._plan.jobs)]
        for thread in threads:
            thread.start()
        ended: Ended | None = None
        try:
            self._collect(done, len(threads), progress)
            ended = "unreachable" if stop.is_set() else None
        except KeyboardInterrupt:
            ended = "interrupted"
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        while not done.empty():  # what was under way when it ended is learned too
            if isinstance(last := done.get(), Attempt):
                self._attempts.append(last)
        return self._run(ended)

    def _collect(
        self,
        done: queue.SimpleQueue[Attempt | BaseException | None],
        running: int,
        progress: Callable[[Attempt], None] | None,
    ) -> None:
        """Take what the threads made until all have ended."""
        while running:
            made = done.get()
            if made is None:
                running -= 1
            elif isinstance(made, BaseException):
                raise made
            else:
                self._note(made, progress)

    def _note(self, attempt: Attempt, progress: Callable[[Attempt], None] | None) -> None:
        """Keep an attempt, and tell of it."""
        self._attempts.append(attempt)
        if progress is not None:
            progress(attempt)

    def _learn(self, trial: Tried) -> None:
        """Keep in mind whether the device is there, and whether a version is refused before a certificate matters."""
        version, outcome = trial.tls_version, trial.outcome
        self._unreached = self._unreached + 1 if isinstance(outcome, Unreachable) else 0
        if isinstance(outcome, Unreachable | NotTried):
            return
        refusals = self._refusals.setdefault(version, [])
        if _code_to_hello(outcome) is None or any(
            _code_to_hello(one.outcome) != _code_to_hello(outcome) for one in refusals
        ):
            self._further.add(version)
        refusals.append(trial)

    def _is_unspoken(self, version: str) -> bool:
        return version not in self._further and len(self._refusals.get(version, ())) >= ENOUGH_REFUSALS

    def _make(self, step: Step) -> Attempt:
        """Make one step; one whose alert was lost again."""
        tries = 1
        trial = self._try(step.cell)
        while tries <= MORE_TRIES and isinstance(trial.outcome, Closed) and trial.outcome.alert_lost:
            self._wait()
            again = self._try(step.cell)
            tries += 1
            if not isinstance(again.outcome, Unreachable | NotTried):
                trial = again  # what was seen is not forgotten for a device that is busy now
        return Attempt(step, trial, tries)

    def _try(self, cell: Cell) -> Tried:
        try:
            return self._try_one(*cell)
        except TlsalertError as error:
            return Failed(*cell, NotTried(str(error)))

    def _wait(self) -> None:
        if self._plan.delay > 0:
            self._sleep(self._plan.delay)

    def _run(self, ended: Ended | None) -> Run:
        unspoken = {version: seen[0] for version, seen in self._refusals.items() if self._is_unspoken(version)}
        return Run(self._plan, tuple(self._attempts), ended, unspoken)


def _code_to_hello(outcome: Outcome) -> int | None:
    """Return the alert with which the server refused a ClientHello; None where it was anything else."""
    if not isinstance(outcome, Refused) or outcome.sender != "server" or outcome.stage != "client_hello":
        return None
    return None if outcome.alert is None else outcome.alert.code
