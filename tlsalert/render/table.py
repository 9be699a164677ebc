"""Many connections on a terminal: a row for each instead of a ladder, and how to see one in full.

A table takes the place of the blocks where more than :data:`MOST_BLOCKS` connections of a source had trouble, or more
than :data:`MOST_LINES` are to be shown in all. Its columns are as wide as the first rows want them; where the terminal
is too narrow for all, those that matter least are left out.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import NamedTuple, TextIO

from tlsalert.model import Connection, Summary, rfc3339
from tlsalert.render.names import deciding_alert
from tlsalert.render.spans import Line, Span, cells, cut, cut_left, pad
from tlsalert.render.story import certainty_number, is_quiet
from tlsalert.render.style import escape
from tlsalert.render.text import TABLE_WIDEST, TextWriter, terminal_width

MOST_BLOCKS = 12
MOST_LINES = 500
WELCOME = 6  # columns of this rank and above are shown only where they take nothing from the others
NAMED = 10  # cells from which on an alert's name stands behind its number
GAP = "  "


class Column(NamedTuple):
    """A column: its head, the fewest and most cells that it takes, how soon it is left out (the highest first)."""

    head: str
    least: int
    most: int
    rank: int
    value: Callable[[Connection], Span]
    from_left: bool = False  # what is too long loses its beginning: of an address the port matters more


class ManyWriter(TextWriter):
    """Writes blocks for few connections and a table for many; what is written waits until that is clear.

    ``finish`` ends a source, and what has waited is written then at the latest.
    """

    def __init__(self, out: TextIO, width: int | None = None) -> None:
        super().__init__(out, width)
        self._table_width = width or terminal_width(TABLE_WIDEST)
        self._waiting: list[Connection] = []
        self._troubled = 0
        self._columns: list[tuple[Column, int]] = []

    def write(self, connection: Connection) -> None:
        """Take one connection; it is shown when it is clear how."""
        if self._columns:
            self._put([_row(connection, self._columns)])
            return
        self._waiting.append(connection)
        self._troubled += not is_quiet(connection)
        if self._troubled > MOST_BLOCKS or len(self._waiting) > MOST_LINES:
            self._begin_table()

    def finish(self, summary: Summary) -> None:
        """Show what has waited, and what the source held in all."""
        waiting, self._waiting, self._troubled = self._waiting, [], 0
        columns, self._columns = self._columns, []
        for connection in waiting:
            super().write(connection)
        super().finish(summary)
        if columns:
            name = escape(shlex.quote(summary.source))
            self._put([[], *_hints(name, self._table_width)])

    def _begin_table(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._head(waiting[0])
        self._put([[]])
        self._columns = layout(waiting, self._table_width)
        self._put([_heads(self._columns)])
        self._put([_row(connection, self._columns) for connection in waiting])


def layout(connections: Sequence[Connection], width: int) -> list[tuple[Column, int]]:
    """Return the columns that fit into ``width`` cells, and how wide each is for these connections."""
    wanted = {
        column.head: max(column.least, *(min(cells(column.value(one)[0]), column.most) for one in connections))
        for column in COLUMNS
    }
    shown: list[Column] = []
    room = width
    for column in sorted(COLUMNS, key=lambda column: column.rank):
        taken = column.least + len(GAP) * bool(shown)
        full = sum(wanted[one.head] + len(GAP) for one in (*shown, column)) - len(GAP)
        if taken > room or (column.rank >= WELCOME and full > width):
            break  # what matters less is not shown in the place of what matters more
        shown.append(column)
        room -= taken
    widths: dict[str, int] = {}
    for column in shown:
        more = min(wanted[column.head] - column.least, room)
        widths[column.head] = column.least + more
        room -= more
    return [(column, widths[column.head]) for column in COLUMNS if column.head in widths]


def _heads(columns: Sequence[tuple[Column, int]]) -> Line:
    return [(GAP.join(pad(cut(column.head, width), width) for column, width in columns).rstrip(), "dim")]


def _row(connection: Connection, columns: Sequence[tuple[Column, int]]) -> Line:
    """Return one connection as a line; the last cell is not filled up with blanks."""
    line: Line = []
    for column, width in columns:
        text, style = column.value(connection)
        if column.head == "alert" and width < NAMED:
            text = text.partition(" ")[0]
        fitting = cut_left(text, width) if column.from_left else cut(text, width)
        line += [(fitting, style), (" " * (width - cells(fitting)) + GAP, "")]
    while line and not line[-1][0].strip():
        line.pop()
    return line


def _hints(name: str, width: int) -> list[Line]:
    """Say how to see more, and how to see less."""
    hints = (
        (f"tlsalert read {name} --connection N", "shows one in full"),
        (f"tlsalert read {name} --full", "shows all in full"),
    )
    column = max(len(command) for command, _ in hints)
    if column + len(GAP) + 18 > width:
        return [
            [(cut(text, width), "dim")] for text in ("--connection N shows one in full", "--full shows all in full")
        ]
    return [[(pad(command, column), ""), (GAP + says, "dim")] for command, says in hints]


def _number(connection: Connection) -> Span:
    return f"#{connection.connection}", "dim"


def _when(connection: Connection) -> Span:
    """Return the time of day (UTC): the day stands in the heading."""
    return ("" if connection.start is None else rfc3339(connection.start, 0)[11:19]), "dim"


def _client(connection: Connection) -> Span:
    return ("?" if connection.client is None else escape(str(connection.client))) + " →", ""


def _server(connection: Connection) -> Span:
    return "?" if connection.server is None else escape(str(connection.server)), ""


def _version(connection: Connection) -> Span:
    return escape(connection.tls_version or ""), ""


def _refused_by(connection: Connection) -> Span:
    return (connection.verdict.refused_by if connection.verdict else None) or "", ""


def _alert(connection: Connection) -> Span:
    """Return the number and the name of the alert that decided."""
    alert = deciding_alert(connection.alerts)
    if alert is None:
        return "", ""
    style = "alert" if alert.fatal or alert.description is None else "warn"
    if alert.description is None:
        return "? encrypted", style
    return f"{int(alert.description)} {alert.description._name_}", style


def _cause(connection: Connection) -> Span:
    """Return what was objected to, or how it went where nothing was."""
    verdict = connection.verdict
    if verdict is None:
        return "", ""
    if verdict.outcome == "established" and is_quiet(connection):
        return "ok", "good"
    return verdict.cause or verdict.outcome, "head" if verdict.outcome == "failed" else "dim"


def _certain(connection: Connection) -> Span:
    verdict = connection.verdict
    return ("" if verdict is None or not verdict.cause else certainty_number(verdict)), ""


#: In the order in which they stand.
COLUMNS = (
    Column("#", 4, 9, 0, _number),
    Column("when", 8, 8, 7, _when),
    Column("client", 12, 49, 6, _client, from_left=True),
    Column("server", 12, 47, 2, _server, from_left=True),
    Column("version", 7, 9, 4, _version),
    Column("by", 6, 6, 5, _refused_by),
    Column("alert", 5, 36, 3, _alert),
    Column("cause", 12, 32, 1, _cause),
    Column("certain", 7, 7, 8, _certain),
)
