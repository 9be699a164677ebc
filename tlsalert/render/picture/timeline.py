"""The validity timeline as a picture: certificates as bars of time, and where the clocks stand among them.

Where a clock that judges stands outside the bar that it judges, the gap between them is drawn and measured: a device
whose clock is years behind is seen at one glance. Distances follow the calendar, but dates never come closer than can
be told apart, so that a clock in 1970 does not squeeze a certificate of ninety days to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Literal, NamedTuple

from tlsalert.model import EPOCH, Certificate, Clock, Connection, Side, rfc3339
from tlsalert.render.ladder import common_name, credible
from tlsalert.render.picture.svg import BOLD_CELL, CELL, SMALL_CELL, Theme, element, fitted, label, picture, wide, words
from tlsalert.render.timeline import judged_certificate

Kind = Literal["capture", "server", "client"]

EDGE = 14  # pixels left and right of everything
BAR = 14
ROW = 44  # pixels from one bar to the next
HEAD = 24
NARROWEST = 320
BELOW = 16  # pixels for words below a bar
LEAST_GAP = 26  # pixels between two different dates
APART = 44  # pixels from one year to the next
YEARS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
STUB = 4  # pixels of a line that are not worth drawing
A_DAY = 86_400 * 1_000_000_000
A_MINUTE = 60 * 1_000_000_000
MOST_BARS = 8


class Bar(NamedTuple):
    """A certificate's validity, in nanoseconds since 1970; ``judged`` where its dates are in question."""

    name: str
    first: int
    last: int
    side: Side | None = None
    judged: bool = False


class Mark(NamedTuple):
    """A clock and its time, in nanoseconds since 1970; ``judge`` where the bar that is judged is judged by it."""

    name: str
    time: int
    kind: Kind = "capture"
    judge: bool = False


#: The time between a clock and a bar: from, to, and what that means.
Gap = tuple[int, int, str]


class _Box(NamedTuple):
    """Where words stand, in pixels."""

    left: float
    right: float
    top: float
    bottom: float


def connection_timeline(connection: Connection) -> tuple[list[Bar], list[Mark]]:
    """Return the bars of all certificates of a connection, each once, and the clocks that are known."""
    judged = judged_certificate(connection)
    bars: dict[str, Bar] = {}
    chains: tuple[tuple[Side, tuple[Certificate, ...]], ...] = (
        ("client", connection.certificates.client),
        ("server", connection.certificates.server),
    )
    for side, chain in chains:
        for one in chain:
            if one.not_before is None or one.not_after is None or one.sha256 in bars:
                continue
            name = common_name(one.subject) or "(no name)"
            first, last = nanoseconds(one.not_before), nanoseconds(one.not_after)
            bars[one.sha256] = Bar(name, first, last, side, judged is not None and one.sha256 == judged.sha256)
    return list(bars.values()), _clocks(connection, judged)


def timeline_svg(
    bars: Sequence[Bar],
    marks: Sequence[Mark],
    *,
    width: int = 720,
    theme: Theme = "auto",
    styled: bool = True,
    most: int = MOST_BARS,
) -> str:
    """Return the picture, ``width`` pixels wide; the bars that are judged stand first, at most ``most`` are drawn.

    ``styled=False`` leaves the stylesheet to the page around it.
    """
    width = max(width, NARROWEST)
    ordered = sorted(bars, key=lambda bar: not bar.judged)
    shown = ordered[:most]
    sheet = _Sheet(shown, marks, width)
    names = [sheet.name(number) for number in range(len(shown))]
    drawn = [sheet.axis(), *map(sheet.bar, range(len(shown))), *sheet.clocks(), *names]
    if len(shown) < len(bars):
        drawn.append(label(EDGE, sheet.bottom + 2, f"… {len(bars) - len(shown)} more certificates", "dim small"))
    name = "Validity of the certificates against the clocks"
    return picture("".join(drawn), width, sheet.height, name, description(shown, marks), theme, styled, "timeline")


def description(bars: Sequence[Bar], marks: Sequence[Mark]) -> str:
    """Return the picture in words."""
    told = [f"{_whose(bar)} is valid from {_day(bar.first)} to {_day(bar.last)}" for bar in bars]
    told += [f"{mark.name}: {_day(mark.time)}" + _verdict(mark, bars) for mark in marks]
    return "; ".join(told)


def nanoseconds(moment: datetime) -> int:
    """Return a certificate's date in nanoseconds since 1970."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=EPOCH.tzinfo)
    return int((moment - EPOCH).total_seconds()) * 1_000_000_000


def miss(bar: Bar, mark: Mark) -> Gap | None:
    """Return the time between a clock and the bar outside of which it stands, and what that means; None inside."""
    if mark.time < bar.first:
        return mark.time, bar.first, f"not valid for another {span(bar.first - mark.time)}"
    if mark.time > bar.last:
        return bar.last, mark.time, f"expired {span(mark.time - bar.last)} ago"
    return None


def span(duration: int) -> str:
    """Return a duration in the unit that people would use: "433 days", "11 years"; only years are rounded up, too."""
    days = duration // A_DAY
    if days >= 3 * 365:
        return f"{days / 365.25:.0f} years"
    if days >= 2:
        return f"{days} days"
    hours = duration // (60 * A_MINUTE)
    return f"{hours} hours" if hours >= 2 else f"{duration // A_MINUTE} minutes"


def _clocks(connection: Connection, judged: Certificate | None) -> list[Mark]:
    """Return the clocks in the order of their times; those within a minute of each other share a mark.

    A client's certificate is judged by the server's clock and a server's by the client's; where that is not known, the
    capture's stands for it.
    """
    clocks = connection.clocks
    by_server = judged is not None and judged in connection.certificates.client
    server, client = credible(clocks.server), credible(clocks.client)
    judging: Kind = "server" if by_server and server else "client" if not by_server and client else "capture"
    marks: list[Mark] = []
    sides: tuple[tuple[Side, Clock | None], ...] = (("server", server), ("client", client))
    for kind, clock in sides:
        if clock is not None:
            sure = "" if clock.confidence >= 0.5 else "perhaps "
            marks.append(Mark(f"{sure}{kind}’s clock", clock.time, kind, kind == judging))
    if clocks.capture is not None:
        marks.append(Mark("capture", clocks.capture, "capture", judging == "capture"))
    marks.sort(key=lambda mark: mark.time)
    joined: list[Mark] = []
    for mark in marks:
        if joined and mark.time - joined[-1].time < A_MINUTE:
            last = joined[-1]
            shown: Kind = last.kind if last.judge else mark.kind
            joined[-1] = Mark(f"{last.name} and {mark.name}", last.time, shown, last.judge or mark.judge)
        else:
            joined.append(mark)
    return joined


class _Sheet:
    """The scale, and what stands where."""

    def __init__(self, bars: Sequence[Bar], marks: Sequence[Mark], width: int) -> None:
        self.bars, self.marks, self.width = bars, marks, width
        self.taken: list[_Box] = []
        dates = [*(mark.time for mark in marks), *(date for bar in bars for date in (bar.first, bar.last))]
        self.points = _scale(dates, {mark.time for mark in marks}, EDGE + 8, width - EDGE - 8)
        self.tops: list[int] = []
        self.bottom = HEAD
        for bar in bars:
            self.tops.append(self.bottom + 18)
            self.bottom += ROW if all(map(self._inside, self._gaps(bar))) else ROW + BELOW
        self.rows = self._spread()
        self.height = self.bottom + 20 * max(len(self.rows), 1) + 10

    def x(self, time: int) -> float:
        """Return the pixel of a time, between the dates that are drawn."""
        return _between(self.points, time)

    def axis(self) -> str:
        """Return the years along the top, at steps that leave room for them."""
        drawn: list[str] = []
        for year, x in self._years():
            drawn.append(element("path", d=f"M{x:.1f} {HEAD - 6}V{self.bottom - 8}", class_="tick"))
            drawn.append(label(x, 12, str(year), "dim small", "middle"))
        return "".join(drawn)

    def _years(self) -> list[tuple[int, float]]:
        """Return years of one step with their pixels; none where even centuries come too close."""
        if not self.points:
            return []
        first, last = (int(rfc3339(time, 0)[:4]) for time in (self.points[0][0], self.points[-1][0]))
        for step in YEARS:
            found = [(year, self.x(_new_year(year))) for year in range(-(-(first + 1) // step) * step, last + 1, step)]
            found = [(year, x) for year, x in found if EDGE + 14 < x < self.width - EDGE - 14]
            if all(right - left >= APART for (_, left), (_, right) in pairwise(found)):
                return found
        return []

    def bar(self, number: int) -> str:
        """Return one certificate's bar, and the gap to the clock that judges it."""
        bar, top = self.bars[number], self.tops[number]
        begins, ends = self.x(bar.first), self.x(bar.last)
        drawn: list[str] = []
        for gap in self._gaps(bar):
            left, right = self.x(gap[0]), self.x(gap[1])
            drawn.append(element("rect", x=left, y=top, width=max(right - left, 1), height=BAR, class_="missed"))
        drawn.append(element("rect", x=begins, y=top, width=max(ends - begins, 2), height=BAR, rx=3, class_="valid"))
        return element("g", *drawn, class_="bar judged" if bar.judged else "bar")

    def name(self, number: int) -> str:
        """Return what stands at a bar: whose it is and its dates above it, the gap in words inside or below it.

        Names are placed before the clocks, whose lines leave them out.
        """
        bar, top = self.bars[number], self.tops[number]
        dates = f"{_day(bar.first)} to {_day(bar.last)}"
        cell = BOLD_CELL if bar.judged else CELL
        room = self.width - 2 * EDGE - wide(dates, SMALL_CELL) - 24
        name = fitted(_whose(bar), room, cell)
        size = wide(name, cell) + wide(dates, SMALL_CELL) + 24
        x = max(min(self.x(bar.first), self.width - EDGE - size), EDGE)
        self.taken.append(_Box(x, x + size, top - 17, top - 1))
        drawn = [
            element(
                "text",
                element("tspan", words(name), class_="head" if bar.judged else None),
                element("tspan", words("   " + dates), class_="dim small"),
                x=x,
                y=top - 5,
                class_="halo",
            )
        ]
        drawn += [self._gap_words(bar, gap, top) for gap in self._gaps(bar)]
        return "".join(drawn)

    def _gap_words(self, bar: Bar, gap: Gap, top: float) -> str:
        """Return what a gap means, in it where there is room, else below it at the clock's line."""
        left, end = self.x(gap[0]), self.x(gap[1])
        if self._inside(gap):
            return label((left + end) / 2, top + BAR - 3, gap[2], "bad small", "middle")
        clock = end if gap[0] == bar.last else left
        size, y = wide(gap[2], SMALL_CELL), top + BAR + 14
        if clock < self.width / 2:
            self.taken.append(_Box(left + 8, left + 8 + size, y - 11, y + 3))
            return label(left + 8, y, gap[2], "bad small halo")
        self.taken.append(_Box(end - 8 - size, end - 8, y - 11, y + 3))
        return label(end - 8, y, gap[2], "bad small halo", "end")

    def clocks(self) -> list[str]:
        """Return the clocks: a line through all bars, below it whose it is and what it says."""
        placed = [
            (mark, x, end, self.bottom + 16 + 20 * row) for row, marks in enumerate(self.rows) for mark, x, end in marks
        ]
        for mark, x, end, y in placed:
            size = wide(self._words(mark), BOLD_CELL)
            self.taken.append(_Box(x - size, x, y - 16, y) if end else _Box(x, x + size, y - 16, y))
        lines: list[str] = []
        labels: list[str] = []
        for mark, x, end, y in placed:
            out = " out" if self._outside(mark) else ""
            at = self.x(mark.time)
            lines.append(element("path", d=_line_around(at, HEAD - 2, y - 13, self.taken), class_=f"mark{out}"))
            lines.append(element("path", d=_shape(mark.kind, at, y - 8), class_=f"point{out}"))
            anchor: Literal["start", "end"] = "end" if end else "start"
            look = "halo bad head" if out else "halo head" if mark.judge else "halo"
            labels.append(label(x, y - 3, self._words(mark), look, anchor))
        return lines + labels

    def _gaps(self, bar: Bar) -> list[Gap]:
        """Return what lies between a bar that is judged and the clock that judges it."""
        found = (miss(bar, mark) for mark in self.marks if bar.judged and mark.judge)
        return [gap for gap in found if gap is not None]

    def _inside(self, gap: Gap) -> bool:
        """Whether the gap is so wide that its words stand in it."""
        return wide(gap[2], SMALL_CELL) + 8 < self.x(gap[1]) - self.x(gap[0])

    def _outside(self, mark: Mark) -> bool:
        return mark.judge and any(bar.judged and miss(bar, mark) is not None for bar in self.bars)

    def _words(self, mark: Mark) -> str:
        return fitted(f"{mark.name} {self._date(mark)}", self.width - 2 * EDGE - 20)

    def _date(self, mark: Mark) -> str:
        """Return the day of a clock, and the minute where another date that is drawn has the same day."""
        text = rfc3339(mark.time, 0)
        near = any(rfc3339(time, 0)[:10] == text[:10] for time, _ in self.points if time != mark.time)
        return text[:16].replace("T", " ") if near else text[:10]

    def _spread(self) -> list[list[tuple[Mark, float, bool]]]:
        """Return the clocks in as few rows as they fit into without touching, each with its label's place and side."""
        rows: list[list[tuple[Mark, float, bool]]] = []
        taken: list[float] = []
        for mark in self.marks:
            at, size = self.x(mark.time), wide(self._words(mark), BOLD_CELL)
            end = at + 10 + size > self.width - 4 and at > size
            begins = at - 10 - size if end else at - 6
            row = next((number for number, until in enumerate(taken) if until + 8 < begins), len(rows))
            if row == len(rows):
                rows.append([])
                taken.append(0)
            rows[row].append((mark, at - 10 if end else at + 10, end))
            taken[row] = at + 8 if end else at + 10 + size
        return rows


def _scale(dates: Sequence[int], clocks: Set[int], left: float, right: float) -> list[tuple[int, float]]:
    """Return the pixel of each date: every gap gets a little, the rest is shared by duration.

    Certificates that begin or end within two days of each other are shown as if at once; a clock's place among them
    always shows.
    """
    points = sorted(set(dates))
    if len(points) < 2:
        return [(point, (left + right) / 2) for point in points]
    apart = [
        later - earlier >= 2 * A_DAY or earlier in clocks or later in clocks for earlier, later in pairwise(points)
    ]
    least = min(LEAST_GAP, 0.4 * (right - left) / max(sum(apart), 1))
    spare = right - left - least * sum(apart)
    whole = points[-1] - points[0]
    steps = accumulate((least * one for one in apart), initial=left)
    return [(point, step + spare * ((point - points[0]) / whole)) for point, step in zip(points, steps, strict=True)]


def _line_around(x: float, top: float, bottom: float, taken: Sequence[_Box]) -> str:
    """Return the path of a vertical line that leaves out the words in its way."""
    path, at = "", top
    for box in sorted(taken, key=lambda box: box.top):
        if box.left - 2 < x < box.right + 2 and box.bottom > at and box.top < bottom:
            path += f"M{x:.1f} {at:.1f}V{box.top:.1f}" if box.top - at > STUB else ""
            at = box.bottom
    return f"{path}M{x:.1f} {at:.1f}V{bottom:.1f}" if at < bottom else path


def _between(points: Sequence[tuple[int, float]], time: int) -> float:
    """Return the pixel of any time between the first and the last point."""
    for (earlier, left), (later, right) in pairwise(points):
        if earlier <= time <= later:
            return left + (right - left) * (time - earlier) / (later - earlier)
    return points[0][1] if time <= points[0][0] else points[-1][1]


def _shape(kind: Kind, x: float, y: float) -> str:
    """Return the sign at the foot of a clock's line: a triangle, a diamond for the server, a square for the client."""
    if kind == "server":
        return f"M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6Z"
    if kind == "client":
        return f"M{x - 5:.1f} {y - 5:.1f}h10v10h-10Z"
    return f"M{x:.1f} {y - 6:.1f}l6 11h-12Z"


def _whose(bar: Bar) -> str:
    return f"{bar.side}: {bar.name}" if bar.side else bar.name


def _verdict(mark: Mark, bars: Sequence[Bar]) -> str:
    """Return what a judging clock makes of the judged bar: ", by which CN=IPMI is not valid for another 433 days"."""
    gaps = ((bar, miss(bar, mark)) for bar in bars if bar.judged and mark.judge)
    return "".join(f", by which {_whose(bar)} is {gap[2]}" for bar, gap in gaps if gap is not None)


def _new_year(year: int) -> int:
    return nanoseconds(datetime(year, 1, 1, tzinfo=EPOCH.tzinfo))


def _day(time: int) -> str:
    return rfc3339(time, 0)[:10]
