"""A picture of dates: a certificate's validity as a bar, below it where the clocks stand.

Distances follow the calendar, but no two dates come closer than a few cells, so that a clock in 1970
does not squeeze a certificate of ninety days to nothing. Every mark carries its date.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from tlsalert.model import Certificate, Connection, rfc3339
from tlsalert.render.ladder import common_name, credible
from tlsalert.render.spans import Line, cells, cut, line_cells

INDENT = 8
DATE_CAUSES = ("certificate_not_yet_valid", "certificate_expired")
A_DAY = 86_400 * 1_000_000_000
A_MINUTE = 60 * 1_000_000_000
LEAST_GAP = 4  # cells between two different dates
LEAST_ROOM = 16  # cells for the picture; the certificate's name is left out before it has fewer


class Mark(NamedTuple):
    """A clock: whose, and its time in nanoseconds since 1970."""

    name: str
    time: int


def timeline(connection: Connection, width: int) -> list[Line]:
    """Return the picture, or nothing where no date matters.

    Dates matter where the verdict says so, where a clock is a day off, or where one of the clocks
    stands outside the validity of the certificate that was judged.
    """
    certificate = judged_certificate(connection)
    if certificate is None or certificate.not_before is None or certificate.not_after is None:
        return []
    first, last = _nanoseconds(certificate.not_before), _nanoseconds(certificate.not_after)
    marks = _marks(connection)
    if not marks or not _matters(connection, marks, first, last):
        return []
    return _Picture(certificate, first, last, marks, width).lines()


def picture(certificate: Certificate, marks: Sequence[Mark], width: int) -> list[Line]:
    """Return a certificate's validity with these clocks below it; nothing where its dates cannot be read."""
    if certificate.not_before is None or certificate.not_after is None or not marks:
        return []
    first, last = _nanoseconds(certificate.not_before), _nanoseconds(certificate.not_after)
    return _Picture(certificate, first, last, sorted(marks, key=lambda mark: mark.time), width).lines()


def judged_certificate(connection: Connection) -> Certificate | None:
    """Return the certificate whose dates are in question: one that was refused and is out of date.

    Where nobody refused, the client's are looked at, else the server's; where all dates are good it is
    the leaf.
    """
    refuser = connection.verdict.refused_by if connection.verdict else None
    client, server = connection.certificates.client, connection.certificates.server
    chain = (client or server) if refuser is None else client if refuser == "server" else server
    judge = credible(connection.clocks.client if chain is server else connection.clocks.server)
    now = judge.time if judge else connection.clocks.capture
    for certificate in chain:
        if now is not None and _out_of_date(certificate, now):
            return certificate
    return chain[0] if chain else None


def _out_of_date(certificate: Certificate, now: int) -> bool:
    if certificate.not_before is None or certificate.not_after is None:
        return False
    return not _nanoseconds(certificate.not_before) <= now <= _nanoseconds(certificate.not_after)


def _marks(connection: Connection) -> list[Mark]:
    """Return the clocks that are known; those within a minute of each other share a mark."""
    clocks = connection.clocks
    known = (("server's clock", credible(clocks.server)), ("client's clock", credible(clocks.client)))
    marks = [Mark(name if clock.confidence >= 0.5 else f"perhaps {name}", clock.time) for name, clock in known if clock]
    if clocks.capture is not None:
        logged = any(message.position.line is not None for message in connection.messages)
        marks.append(Mark("log" if logged else "capture", clocks.capture))
    marks.sort(key=lambda mark: mark.time)
    joined: list[Mark] = []
    for mark in marks:
        if joined and mark.time - joined[-1].time < A_MINUTE:
            joined[-1] = Mark(f"{joined[-1].name} and {mark.name}", mark.time)
        else:
            joined.append(mark)
    return joined


def _matters(connection: Connection, marks: Sequence[Mark], first: int, last: int) -> bool:
    if connection.verdict is not None and connection.verdict.cause in DATE_CAUSES:
        return True
    clocks = (credible(connection.clocks.server), credible(connection.clocks.client))
    if any(abs(clock.time - clock.at) > A_DAY for clock in clocks if clock):
        return True
    return any(not first <= mark.time <= last for mark in marks)


class _Picture:
    """The axis, and what stands on it."""

    def __init__(self, certificate: Certificate, first: int, last: int, marks: Sequence[Mark], width: int) -> None:
        self.first, self.last, self.marks = first, last, marks
        self.before, self.after = _date(first, marks), _date(last, marks)
        self.name = cut(common_name(certificate.subject) or "", 24)
        self.width = width
        self.left = INDENT + len(self.before) + 1
        room = width - self.left - len(self.after) - 1
        if self.name and room - cells(self.name) - 3 < LEAST_ROOM:
            self.name = ""
        room -= cells(self.name) + 3 if self.name else 0
        self.columns = _scale([first, last, *(mark.time for mark in marks)], self.left, room)

    def lines(self) -> list[Line]:
        """Return the bar and, below it, the marks."""
        start, end = self.columns[self.first], self.columns[self.last]
        bar = "├" + "─" * (end - start - 1) + "┤"
        before = " " * (start - len(self.before) - 1) + self.before + " "
        axis: Line = [(before, "dim"), (bar, "good"), (" " + self.after, "dim")]
        if self.name:
            axis.append(("   " + self.name, ""))
        return [axis, *self._rows()]

    def _rows(self) -> list[Line]:
        """Return the marks, as many on a line as fit without touching."""
        rows: list[Line] = []
        for mark in self.marks:
            inside = self.first <= mark.time <= self.last
            column, label = self._placed(mark)
            row = next((row for row in rows if line_cells(row) + 2 <= column), None)
            if row is None:
                row = []
                rows.append(row)
            row += [(" " * (column - line_cells(row)), ""), (label, "good" if inside else "alert")]
        return rows

    def _placed(self, mark: Mark) -> tuple[int, str]:
        """Return where a mark's label begins: right of its arrow, or left where the line would end."""
        column = self.columns[mark.time]
        words = f"{mark.name} {_date(mark.time, self.marks, (self.first, self.last))}"
        if column + 2 + cells(words) <= self.width:
            return column, f"▲ {words}"
        return max(column - cells(words) - 1, INDENT), f"{words} ▲"


def _scale(times: Sequence[int], left: int, room: int) -> dict[int, int]:
    """Return the column of each time: every gap gets LEAST_GAP cells, the rest is shared by duration."""
    points = sorted(set(times))
    if points[0] == points[-1]:
        return {points[0]: left}
    spare = max(room - 1 - LEAST_GAP * (len(points) - 1), 0)
    span = points[-1] - points[0]
    return {
        point: left + LEAST_GAP * number + spare * (point - points[0]) // span for number, point in enumerate(points)
    }


def _date(time: int, marks: Sequence[Mark], limits: Sequence[int] = ()) -> str:
    """Return the day of ``time``, and the minute where another time that is shown has the same day."""
    text = rfc3339(time, 0)
    others = [other for other in (*(mark.time for mark in marks), *limits) if other != time]
    near = any(rfc3339(other, 0)[:10] == text[:10] for other in others)
    return text[:16].replace("T", " ") if near else text[:10]


def _nanoseconds(moment: datetime) -> int:
    """Return a certificate's date in nanoseconds since 1970."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000_000
