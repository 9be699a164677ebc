"""CSV: one line per connection, for spreadsheets; the whole story is in the JSON.

Columns: see :data:`COLUMNS`. UTF-8, lines end with a newline, quotes as in RFC 4180. What could be a
formula gets a leading apostrophe, control characters are written as escapes: cells come from strangers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import BinaryIO

from tlsalert.model import Connection, Verdict
from tlsalert.render.names import alert_words, deciding_alert
from tlsalert.render.rows import time_text
from tlsalert.render.style import escape

#: ``alert`` is the one that ended the connection (the first fatal one); the others are the JSON's.
COLUMNS = (
    "source",
    "connection",
    "start",
    "client",
    "server",
    "server_name",
    "tls_version",
    "cipher_suite",
    "outcome",
    "refused_by",
    "alert",
    "cause",
    "confidence",
    "at_fault",
    "summary",
)

#: With these a spreadsheet takes a cell for a formula (OWASP, "CSV Injection"), full-width ones as well.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

_NO_VERDICT = Verdict("incomplete", "")


def header() -> bytes:
    """Return the line of the columns' names."""
    return _line(COLUMNS)


def line(connection: Connection) -> bytes:
    """Return one connection as a line, with the newline."""
    verdict = connection.verdict or _NO_VERDICT
    alert = deciding_alert(connection.alerts)
    cells = (
        connection.source,
        str(connection.connection),
        time_text(connection.start, connection.digits),
        str(connection.client or ""),
        str(connection.server or ""),
        connection.server_name,
        connection.tls_version,
        connection.cipher_suite,
        verdict.outcome if connection.verdict else None,
        verdict.refused_by,
        alert_words(alert) if alert else None,
        verdict.cause,
        f"{verdict.confidence:g}" if verdict.cause else None,
        verdict.at_fault,
        verdict.summary,
    )
    return _line([cell(text) for text in cells])


def write_csv(connections: Iterable[Connection], out: BinaryIO) -> None:
    """Write the header and one line for each connection to ``out``."""
    out.write(header())
    for connection in connections:
        out.write(line(connection))


def cell(text: str | None) -> str:
    """Return ``text`` as a spreadsheet may safely open it; None is an empty cell."""
    if not text:
        return ""
    safe = escape(text)
    return "'" + safe if text.startswith(FORMULA) else safe


def _line(cells: Iterable[str]) -> bytes:
    """Return the cells as one line of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "backslashreplace")
