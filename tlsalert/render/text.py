"""The view for terminals: a heading for each file, a block or a line for each connection, a sum at the end.

Colours follow the stream (see :mod:`tlsalert.render.style`). Where its encoding has no arrows they are
drawn in ASCII, and what else it lacks is written as an escape: writing never fails for an encoding.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from typing import TextIO

from tlsalert.model import Connection, Summary, rfc3339
from tlsalert.render.spans import ASCII, Line, can_draw, cells, cut_left, wrap
from tlsalert.render.story import block, compact, is_quiet
from tlsalert.render.style import escape, painter

NARROWEST, WIDEST = 40, 120
TABLE_WIDEST = 200  # of a table: longer lines than WIDEST are hard to read, longer rows are not


class TextWriter:
    """Writes connections to ``out`` as they come; with ``full`` the good ones get a whole block too.

    ``width`` is in cells; without one it is the terminal's, at least 80 and at most 120.
    """

    def __init__(self, out: TextIO, width: int | None = None, full: bool = False) -> None:
        self._out = out
        self._width = width or terminal_width()
        self._full = full
        self._paint = painter(out)
        self._draws = can_draw(out.encoding)
        self._source: str | None = None
        self._gap = False  # whether a blank line is due before the next lines

    def write(self, connection: Connection) -> None:
        """Show one connection; the first one of a source comes with the source's heading."""
        if connection.source != self._source:
            self._head(connection)
        quiet = is_quiet(connection) and not self._full
        if self._gap or not quiet:
            self._put([[]])
        self._put(compact(connection, self._width) if quiet else block(connection, self._width))
        self._gap = not quiet

    def finish(self, summary: Summary) -> None:
        """Show what a source held in all; call it after the last of its connections."""
        if self._source is not None:
            self._put([[]])
        self._put(summary_lines(summary, self._width, dated=self._source != summary.source))
        self._source, self._gap = summary.source, True

    def _head(self, connection: Connection) -> None:
        """Show where the following connections come from and when they began."""
        self._put([[], []] if self._source is not None else [])
        self._put([heading(connection, self._width)])
        self._source, self._gap = connection.source, True

    def _put(self, lines: Iterable[Line]) -> None:
        """Write lines in colour or without, in what the stream's encoding has."""
        for line in lines:
            text = "".join(self._paint(span, style) if style and span else span for span, style in line)
            self._out.write(self._encodable(text) + "\n")

    def _encodable(self, text: str) -> str:
        """Return ``text`` as the stream can write it."""
        if text.isascii():
            return text
        encoding = self._out.encoding or "utf-8"
        drawn = text if self._draws else text.translate(ASCII)
        return drawn.encode(encoding, "backslashreplace").decode(encoding)


def terminal_width(widest: int = WIDEST) -> int:
    """Return the terminal's width in cells (or $COLUMNS), at least 40 and at most ``widest``."""
    return min(max(shutil.get_terminal_size().columns, NARROWEST), widest)


def heading(connection: Connection, width: int) -> Line:
    """Return the line over a source's connections: its name, the day and time of the first one."""
    began = "" if connection.start is None else "   " + _minute(connection.start)
    return [(cut_left(escape(connection.source), width - len(began)), "head"), (began, "")]


def summary_lines(summary: Summary, width: int, dated: bool = False) -> list[Line]:
    """Return the line of sums, and the notes about the source; with ``dated`` it tells the day as well."""
    span = _span(summary, dated)
    counted = _counts(summary)
    room = width - cells(counted) - 3 - (cells(span) + 3 if span else 0)
    beside = room >= min(20, cells(escape(summary.source)))
    if not beside:
        room += cells(counted) + 3
    line: Line = [(cut_left(escape(summary.source), max(room, 8)), "head")]
    if span:
        line.append(("   " + span, ""))
    failed = summary.failed_by_server + summary.failed_by_client + summary.failed_other
    style = "alert" if failed else "good" if summary.connections else ""
    lines: list[Line] = [line]
    if beside:
        line.append(("   " + counted, style))
    else:  # a narrow terminal
        lines += [[("    " + part, style)] for part in wrap(counted, width - 4)]
    for note in summary.notes:
        first, *rest = wrap(escape(note), width - 10)
        lines.append([("    note  ", "dim"), (first, "warn")])
        lines += [[(" " * 10, ""), (more, "warn")] for more in rest]
    return lines


def _counts(summary: Summary) -> str:
    """Return how many there were and by whom they were refused: "3 connections, 3 refused by the server"."""
    parts = [_number(summary.connections, "connection")]
    if summary.failed_by_server:
        parts.append(f"{summary.failed_by_server} refused by the server")
    if summary.failed_by_client:
        parts.append(f"{summary.failed_by_client} refused by the client")
    if summary.failed_other:
        parts.append(f"{summary.failed_other} failed otherwise")
    if summary.other_streams:
        parts.append(f"{_number(summary.other_streams, 'stream')} without TLS")
    if not summary.connections and summary.packets:
        parts.append(_number(summary.packets, "packet"))
    return ", ".join(parts)


def _number(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _span(summary: Summary, dated: bool) -> str:
    """Return "2021-06-17 08:51, 41 s", or as much of it as is known and wanted."""
    if summary.start is None:
        return ""
    parts = [_minute(summary.start)] if dated else []
    if summary.end is not None and summary.end >= summary.start:
        parts.append(_duration(summary.end - summary.start))
    return ", ".join(parts)


def _duration(nanoseconds: int) -> str:
    """Return a duration in the unit that people would use."""
    seconds = nanoseconds / 1e9
    if seconds < 1:
        return f"{nanoseconds // 1_000_000} ms"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds) // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _minute(time: int) -> str:
    """Return day and minute in UTC: "2021-06-17 08:51"."""
    return rfc3339(time, 0)[:16].replace("T", " ")
