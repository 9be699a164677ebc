"""Makes the README's picture: what ``tlsalert read`` shows of one connection, as SVG.

    python tools/make_picture.py captures/console.pcap -o console.svg [--connection 2] [--width 100]

Without --connection it is the first one that failed. The capture is really read: the picture can't
promise what the program does not do.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from tlsalert.capture import read
from tlsalert.model import Connection
from tlsalert.render.svg import connection_picture


def main() -> None:
    """Read the arguments and the capture, write the picture."""
    parser = argparse.ArgumentParser(description="Make an SVG of what tlsalert read shows of one connection.")
    parser.add_argument("capture", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--connection", type=int, metavar="N", help="counted from 0, as in the text and the JSON")
    parser.add_argument("--width", type=int, default=100, help="in cells (default: 100)")
    given = parser.parse_args()
    connection = choose(read(str(given.capture)), given.connection)
    if connection is None:
        parser.error(f"{given.capture} has no such connection")
    command = f"tlsalert read {given.capture.name}"
    given.output.write_text(connection_picture(connection, command, given.width), encoding="utf-8")


def choose(connections: Iterable[Connection], number: int | None) -> Connection | None:
    """Return the connection of that number; without one the first that failed, else the first of all."""
    first = None
    for connection in connections:
        first = first or connection
        failed = connection.verdict is not None and connection.verdict.outcome == "failed"
        if failed if number is None else connection.connection == number:
            return connection
    return first if number is None else None


if __name__ == "__main__":
    main()
