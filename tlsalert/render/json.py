"""JSON: one line per connection, or one array of them that is written as it grows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from tlsalert.model import Connection
from tlsalert.render.lines import line


def jsonl(connection: Connection) -> bytes:
    """Return the connection as one line of JSON, with the newline."""
    return line(connection, after="\n")


def write_json(connections: Iterable[Connection], out: BinaryIO) -> None:
    """Write an array of all connections to ``out``, one connection a line, each as soon as it comes."""
    out.write(b"[")
    between = "\n"
    for connection in connections:
        out.write(line(connection, before=between))
        between = ",\n"
    out.write(b"\n]\n")
