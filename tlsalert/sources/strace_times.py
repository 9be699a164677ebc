"""When a line of strace was: -t and -tt tell no date, -r no time of day. What they lack comes from what else is known.

The first of these that there is, and that agrees with the times of day: the program's own clock calls, HTTP's Date and
the numbers of milliseconds in names of files in the trace, the gmt_unix_time of a ClientHello (RFC 5246 §7.4.1.2), the
date in the trace's name, the time when the trace was last modified. The time zone of -t is nowhere: it follows from the
first ones, and is taken for UTC otherwise.
"""

from __future__ import annotations

import os
import re
import time as system
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Final, NamedTuple

from tlsalert.sources.strace_parts import parts_of
from tlsalert.sources.strace_values import unescape

SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND
#: Midnight of any time zone is at one of these seconds of UTC: zones differ by quarters of an hour.
QUARTER: Final = 900
#: How much of a trace is looked through for its date, in bytes.
LOOKED: Final = 4 << 20
#: So many numbers that may be a date are looked at, in lines up to this length.
LOOKED_AT, LONG = 20_000, 65_536
#: How far the last line may be from the file's own time where that fits, in seconds.
EXACT = 3

_STAMP = rb"(?:\[pid +\d+(?:<[^>\n]*>)?\] +|\d{1,7}(?:<[^>\n]*>)? +)?"
_TIME = re.compile(_STAMP + rb" *(?:(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?|(\d{9,11})(?:\.(\d{1,9}))?)(?= )")
_DELTA = re.compile(_STAMP + rb" *(\d{1,9}\.\d{3,9}) ")
_EVIDENCE = re.compile(
    rb"clock_gettime(?:64)?\(CLOCK_REALTIME(?:_COARSE)?, \{(?:tv_sec=)?(?P<clock>\d{9,10}), (?:tv_nsec=)?\d+\}\) *= 0"
    rb"|gettimeofday\(\{(?:tv_sec=)?(?P<day>\d{9,10}), "
    rb"|[ \n]time\((?:NULL|\[\d+\])\) *= (?P<time>\d{9,10})\b"
    rb"|\\nDate: (?P<http>[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT)"
    rb'|"(?:[^"\n\\]{0,200}[/._-])?(?P<name>1\d{9}(?:\d{3})?)[/._"-]'
    rb'|(?:write|send|sendto)\(\d+(?:<[^"\n]*>)?, "(?P<hello>(?:\\26|\\x16)(?:\\3|\\x03)[^"\n]{9,200})'
)
_CLOCK, _HTTP, _FILE, _HELLO = (
    "the program's own clock",
    "an HTTP Date",
    "the name of a file",
    "the time in the program's ClientHello",
)
_KINDS: Final = {"clock": _CLOCK, "day": _CLOCK, "time": _CLOCK, "http": _HTTP, "name": _FILE, "hello": _HELLO}
#: How far each may be from its line's time, and what time zones are multiples of, in seconds; the surest first.
_SLACK: Final = {_CLOCK: (3, QUARTER), _HTTP: (120, 1800), _FILE: (120, 1800), _HELLO: (1, 1800)}
_NAMED = re.compile(r"(?<!\d)(20\d\d)[-_]?(0[1-9]|1[0-2])[-_]?(0[1-9]|[12]\d|3[01])(?!\d)")


class Date(NamedTuple):
    """What a trace lacks: when its first day began (for -r its first line), ns since 1970, and where that is from.

    It is not ``sure`` where only the file's own time tells it: files are copied and unpacked.
    """

    start: int
    says: str
    sure: bool = True


class Times:
    """Turns what stands before a line into nanoseconds since 1970. ``date`` is what the trace lacks."""

    def __init__(self, date: Date) -> None:
        self.timed = False
        self._whole = True
        self.began: int | None = None
        self._date = date
        self._days = 0
        self._seconds = -1
        self._elapsed = 0
        self._stamp: bytes | None = None
        self._known = 0
        self._last = date.start

    @property
    def ended(self) -> int | None:
        """The time of the last line that was asked for."""
        return self._last if self.timed else None

    @property
    def dated(self) -> bool:
        """Whether its times say on which day it was, or that is known otherwise."""
        return self.timed and (self._whole or self._date.sure)

    def at(self, stamp: bytes | None, delta: bytes | None, number: int) -> int:
        """Return when line ``number`` was: ``stamp`` is its time of day or seconds since 1970, ``delta`` that of -r."""
        if stamp is not None:
            if stamp != self._stamp:
                self._stamp = stamp
                self._known = self._of(stamp)
            self._last = self._known
        elif delta is not None:
            self._whole = False
            self._last = self._date.start + self._elapsed
        else:
            if self.timed:
                return self._last  # a line whose time is cut off is as late as the one before it
            return self._date.start + number * 1000
        if not self.timed:
            self.timed = True
            self.began = self._last
        return self._last

    def pass_by(self, delta: bytes) -> None:
        """Count the time since the line before, -r."""
        seconds, _, fraction = delta.partition(b".")
        self._elapsed += int(seconds[-9:]) * SECOND + _nanoseconds(fraction)

    def notes(self) -> list[str]:
        """Return what is to be said of the dates."""
        if not self.timed or self._whole:
            return []
        said = f"the log's times have no date: it is taken from {self._date.says}"
        return [said if self._date.sure else f"{said}, and may be wrong"]

    def _of(self, stamp: bytes) -> int:
        """Return the time that a stamp tells: seconds since 1970 (-ttt), or a time of day."""
        if stamp[2:3] != b":":
            whole, _, fraction = stamp.partition(b".")
            return int(whole) * SECOND + _nanoseconds(fraction)
        self._whole = False
        seconds = int(stamp[:2]) * 3600 + int(stamp[3:5]) * 60 + int(stamp[6:8])
        days = self._days
        if seconds < self._seconds - 43_200:
            self._days = days = days + 1  # midnight has passed
        elif seconds > self._seconds + 43_200 and days and self._seconds >= 0:
            days -= 1  # one of the last lines before midnight comes late
        if days == self._days:
            self._seconds = seconds
        return self._date.start + days * DAY + seconds * SECOND + _nanoseconds(stamp[9:])


def date_of(name: str) -> Date:
    """Return the date that a trace's lines lack; ``name`` is its file, or "-" for standard input."""
    head = _head(name)
    if head and (found := _TIME.match(head)) is not None and found[5]:
        return Date(0, "its lines")  # -ttt tells all
    parts = parts_of(name, head) if head else [name]
    modified = _modified(name)
    told = (_in_text(head if part == name else _head(part), modified) for part in parts)
    return next(filter(None, told), None) or _in_name(name) or _of_file(name, head, modified)


def _head(name: str) -> bytes:
    """Return the beginning of a trace, decompressed; nothing of a pipe."""
    from tlsalert.errors import CaptureError
    from tlsalert.sources.files import CHUNK, ByteSource

    if name == "-" or not os.path.isfile(name):
        return b""
    try:
        with ByteSource(name) as source:
            return b"".join(islice(source.chunks(), LOOKED // CHUNK))
    except CaptureError:
        return b""


def _in_text(head: bytes, latest: float) -> Date | None:
    """Return the date by what stands in the trace: by clocks first, then by what is told, then by a ClientHello.

    Nothing in it can be later than ``latest``. Where lines have no time of day only clocks and HTTP's Date count: with
    the others that agrees which makes a date of a number.
    """
    best: dict[str, Date] = {}
    for found in islice(_EVIDENCE.finditer(head), LOOKED_AT):
        kind = _KINDS[found.lastgroup or "name"]
        if kind in best:
            continue
        value = _value(found)
        start = head.rfind(b"\n", max(0, found.start() - LONG), found.start() + 1) + 1
        if not 946_684_800 <= value <= latest + 86_400 or (start == 0 and found.start() > LONG):
            continue
        if found.lastgroup == "name" and len(found["name"]) == 10 and not _creates(head, start, found.end()):
            continue
        midnight = _midnight(head, start, value, kind)
        if midnight is not None:
            line = head.count(b"\n", 0, start) + 1
            best[kind] = Date(midnight, f"{kind} (line {line})")
            if kind == _CLOCK:
                break
    return next((best[kind] for kind in _SLACK if kind in best), None)


def _creates(head: bytes, start: int, at: int) -> bool:
    """Whether a line makes the file that it names: only then its name tells of now."""
    end = head.find(b"\n", at, at + LONG)
    line = head[start : end if end >= 0 else at]
    return b"mkdir" in line or b"O_CREAT" in line


def _value(found: re.Match[bytes]) -> int:
    """Return the seconds since 1970 that a piece of evidence tells, or 0."""
    kind = found.lastgroup or "name"
    text = found[kind]
    if kind == "http":
        try:
            return int(parsedate_to_datetime(text.decode()).timestamp())
        except (ValueError, OverflowError):
            return 0
    if kind == "hello":
        data = unescape(text)
        plain = len(data) >= 15 and data[5] == 1 and data[9] == 3
        return int.from_bytes(data[11:15], "big") if plain else 0
    return int(text[:10])


def _midnight(head: bytes, start: int, value: int, kind: str) -> int | None:
    """Return when the first line's day began if at line ``start`` it was ``value``; None where that cannot be.

    Where the lines have no times of day it is when the first line was.
    """
    here = _TIME.match(head, start)
    if here is None:
        end = head.find(b"\n", start)
        passed = _elapsed(head if end < 0 else head[:end])
        return value * SECOND - passed if kind in (_CLOCK, _HTTP) else None
    if here[1] is None:
        return None
    slack, zone = _SLACK[kind]
    seconds = _seconds(here)
    midnight = round((value - seconds) / zone) * zone
    if abs(value - seconds - midnight) > slack:
        return None
    first = next(filter(None, (_TIME.match(line) for line in islice(head.split(b"\n", 200), 200))), None)
    if first is not None and first[1] is not None and _seconds(first) > seconds + 43_200:
        midnight -= 86_400  # it was after midnight by then
    return midnight * SECOND


def _elapsed(text: bytes) -> int:
    """Return the time that has passed by -r from the first line on, in nanoseconds; 0 where there are no such times."""
    if _DELTA.match(text) is None:
        return 0
    found = (_DELTA.match(line) for line in text.split(b"\n"))
    return round(sum(float(one[1]) for one in found if one is not None) * 1e9)


def _in_name(name: str) -> Date | None:
    found = _NAMED.search(os.path.basename(name))
    if found is None:
        return None
    try:
        day = datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC)
    except ValueError:
        return None
    return Date(int(day.timestamp()) * SECOND, "the log's name")


def _modified(name: str) -> float:
    """Return when a file was modified last, in seconds since 1970: none of its lines is later. It is now for a pipe."""
    try:
        return os.stat(name).st_mtime if name != "-" else system.time()
    except (OSError, ValueError):
        return system.time()


def _of_file(name: str, head: bytes, modified: float) -> Date:
    says = "the time when the file was last modified" if name != "-" else "the time of reading it"
    lines = head.split(b"\n")
    last = next(filter(None, (_TIME.match(line) for line in islice(reversed(lines), 200))), None)
    first = next(filter(None, (_TIME.match(line) for line in islice(lines, 200))), None)
    if last is None or last[1] is None or first is None or first[1] is None:
        return Date(round(modified * 1e9) - _elapsed(head), says, sure=False)
    seconds = _seconds(last)
    midnight = round((modified - seconds) / QUARTER) * QUARTER
    fits = name != "-" and abs(modified - seconds - midnight) <= EXACT
    if not fits:
        midnight = int((modified - seconds) // 86_400) * 86_400
    if _seconds(first) > seconds + 43_200:
        midnight -= 86_400
    return Date(midnight * SECOND, says, fits)


def _seconds(found: re.Match[bytes]) -> int:
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])


def _nanoseconds(fraction: bytes) -> int:
    return int(fraction[:9].ljust(9, b"0")) if fraction else 0
