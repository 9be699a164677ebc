"""A progress bar on standard error, for work that takes more than a moment."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from tlsalert.cli.screen import Screen
from tlsalert.render.spans import can_draw
from tlsalert.render.style import painter

#: Seconds before anything is shown, and then between two pictures of the bar.
PATIENCE, PAUSE = 0.4, 0.1
#: Work that will be over within this many seconds needs no bar.
A_MOMENT = 1.0
UNITS = ("B", "kB", "MB", "GB", "TB")
WIDEST_BAR = 40
FALLBACK = 80  # cells, where nothing tells how wide a line may be
TRAIL = 3.0  # seconds over which the rate is measured, about
ERASE = "\r\x1b[K"


@contextmanager
def bar(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar for ``total`` bytes; call what it gives with the number of bytes that were done."""
    with showing(total) as shown:
        yield shown.advance


@contextmanager
def showing(total: int) -> Iterator[Bar]:
    """Show a bar for ``total`` bytes, and take it away at the end."""
    shown = Bar(total, sys.stderr)
    screen = sys.stdout
    if isinstance(screen, Screen):
        screen.clear = shown.erase
    try:
        yield shown
    finally:
        shown.erase()
        if isinstance(screen, Screen):
            screen.clear = None


class Bar:
    """One line: how much is done of what, how fast it goes and how long it will take."""

    def __init__(self, total: int, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._out, self._clock = total, out, clock
        self._done = 0
        self._rate = 0.0
        self._began = self._measured = clock()
        self._at_measure = 0
        self._next = self._began + PATIENCE
        self._visible = False
        self._paint = painter(out)
        self._draws = can_draw(out.encoding)

    def advance(self, done: int) -> None:
        """Count ``done`` more bytes, and draw the bar anew where it is time."""
        self._done += done
        if (now := self._clock()) >= self._next:
            self._next = now + PAUSE
            self._measure(now)
            if self._visible or now - self._began + self._left() > A_MOMENT:
                self._draw()

    def erase(self) -> None:
        """Take the bar away; the next advance may bring it back."""
        if self._visible:
            self._out.write(ERASE)
            self._out.flush()
            self._visible = False

    def line(self, width: int) -> str:
        """Return the bar in at most ``width`` cells, as many of the facts as fit."""
        part = min(self._done / self._total, 1.0) if self._total else 1.0
        facts = [f"{part:4.0%}", _amounts(self._done, self._total)]
        if self._rate:
            facts += [_amount(self._rate) + "/s", _span(self._left()) + " left"]
        while len(facts) > 1 and 12 + sum(map(len, facts)) + 2 * len(facts) > width:
            facts.remove(facts[-2] if len(facts) == 4 else facts[-1])
        room = min(WIDEST_BAR, width - sum(map(len, facts)) - 2 * len(facts))
        full = round(part * room)
        mark, rest = ("━", "─") if self._draws else ("=", "-")
        drawn = self._paint(mark * full, "head") + self._paint(rest * (room - full), "dim") if room > 0 else ""
        return "  ".join([drawn, *facts])

    def _draw(self) -> None:
        if isinstance(sys.stdout, Screen) and sys.stdout.taken:
            return
        width = columns(self._out) - 1  # a full line would wrap
        self._out.write("\r" + self.line(width) + "\x1b[K")
        self._out.flush()
        self._visible = True

    def _measure(self, now: float) -> None:
        """Learn the rate from what was done since the last time; the older a measure, the less it counts."""
        passed = now - self._measured
        done = self._done - self._at_measure
        if passed <= 0:
            return
        rate = max(done, 0) / passed
        weight = min(passed / TRAIL, 1.0)
        self._rate = rate if not self._rate else self._rate + weight * (rate - self._rate)
        self._measured, self._at_measure = now, self._done

    def _left(self) -> float:
        return max(self._total - self._done, 0) / self._rate if self._rate else 0.0


def columns(out: TextIO) -> int:
    """Return the width in cells of the terminal that ``out`` is; $COLUMNS goes before it.

    :func:`shutil.get_terminal_size` asks standard output, which is a file or a pipe as often as not.
    """
    with suppress(ValueError, OSError):  # $COLUMNS is no number; ``out`` is no terminal, or a text in memory
        if "COLUMNS" not in os.environ:
            return os.get_terminal_size(out.fileno()).columns or FALLBACK
    return shutil.get_terminal_size((FALLBACK, 24)).columns


@contextmanager
def steps(total: int) -> Iterator[Callable[[str], None]]:
    """Show a bar for ``total`` steps; call what it gives after each step, with a few words about it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    progress = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )
    with progress:
        task = progress.add_task("", total=total)

        def done(words: str) -> None:
            progress.update(task, advance=1, description=words)

        yield done


def _amounts(done: int, total: int) -> str:
    """Return "213/500 MB": both in the unit of the total."""
    unit = _unit(total)
    whole = f"{total / 1000**unit:.1f}" if unit > 2 else f"{total / 1000**unit:.0f}"
    part = f"{done / 1000**unit:.1f}" if unit > 2 else f"{done / 1000**unit:.0f}"
    return f"{part:>{len(whole)}}/{whole} {UNITS[unit]}"


def _amount(number: float) -> str:
    unit = _unit(number)
    return f"{number / 1000**unit:.{1 if unit > 2 else 0}f} {UNITS[unit]}"


def _unit(number: float) -> int:
    """Return the place of the unit in which ``number`` bytes have few digits."""
    unit = 0
    while number >= 9950 and unit + 1 < len(UNITS):
        number /= 1000
        unit += 1
    return unit


def _span(seconds: float) -> str:
    """Return "0:07" or "1:02:03"."""
    whole = round(seconds)
    minutes = whole // 60
    return f"{minutes}:{whole % 60:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{whole % 60:02}"
