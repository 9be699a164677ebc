"""Turns the places of a connection from frames into lines: what came out of a log is told by its lines.

The decoder counts places in one way only, and calls them frames. Behind it nothing needs to know which they were until
somebody reads about them.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeVar

from msgspec import Struct, structs

from tlsalert.model import Connection, Endpoint, Position

_S = TypeVar("_S", bound=Struct)

#: Fields that hold sentences, in which a place may be named; all others are data and stay as they are.
SENTENCES = frozenset({"notes", "says", "summary", "advice", "jump"})
#: Fields that hold a time: nanoseconds since 1970.
TIMES = frozenset({"time", "start", "end", "at", "capture"})

_FRAME = re.compile(r"\bframe(s?) (?=\d)")
_CAPTURE = re.compile(r"\b([Tt]he|this) capture\b")
_SKEW = re.compile(r", (?:in step with|[\w ]{1,40} (?:behind|ahead of)) the capture\b")
_LOGGED = {
    " were captured (record whole packets: tcpdump -s 0)": " are in the log",
    "which was not captured": "which the log does not hold",
    "none was captured": "none is in the log",
}
_GIVEN = "as it was given (--client-cert) and not seen"


def in_lines(connection: Connection, timed: bool = True, dated: bool = True, found: bool = False) -> Connection:
    """Return ``connection`` with lines for frames. Where the log is not ``timed`` its times become unknown.

    Where it is not ``dated`` nobody knows on which day it was. ``found`` says that the client's certificate, where it
    is not to be seen, was taken from what the log shows of files.
    """
    placed = _struct(connection, _Ways(timed, dated and timed, found))
    if nowhere(connection.client) or nowhere(connection.server):
        client = None if nowhere(connection.client) else connection.client
        server = None if nowhere(connection.server) else connection.server
        placed = structs.replace(placed, client=client, server=server)
    if timed:
        return placed
    # without times nobody can say how far a clock is off
    clocks = structs.replace(connection.clocks, capture=None)
    return structs.replace(placed, clocks=_struct(clocks, _Ways()))


def worded(text: str, dated: bool = True, found: bool = False) -> str:
    """Return a sentence that speaks of lines and of a log where it spoke of frames and of a capture."""
    if not dated:
        text = _SKEW.sub("", text)
    if found:
        text = text.replace(_GIVEN, "as the log shows it in a file, and not in the handshake")
    for captured, logged in _LOGGED.items():
        text = text.replace(captured, logged)
    return _CAPTURE.sub(r"\1 log", _FRAME.sub(r"line\1 ", text))


def nowhere(end: Endpoint | None) -> bool:
    """Whether an end stands for one that the log does not show: no address of this network's, and no port."""
    return end is not None and end.port == 0 and end.address.startswith(("0.", "::"))


class _Ways(NamedTuple):
    """How a connection is changed; see :func:`in_lines`."""

    timed: bool = True
    dated: bool = True
    found: bool = False


def _struct(value: _S, ways: _Ways) -> _S:
    changed: dict[str, object] = {}
    for name in value.__struct_fields__:
        old = getattr(value, name)
        new = _value(name, old, ways)
        if new is not old:
            changed[name] = new
    return structs.replace(value, **changed) if changed else value


def _value(name: str, value: object, ways: _Ways) -> object:
    if isinstance(value, Position):
        return Position(line=value.frame) if value.frame is not None else value
    if isinstance(value, str):
        return worded(value, ways.dated, ways.found) if name in SENTENCES else value
    if isinstance(value, tuple):
        new = tuple(_value(name, item, ways) for item in value)
        return value if all(a is b for a, b in zip(new, value, strict=True)) else new
    if isinstance(value, Struct):
        return _struct(value, ways)
    if not ways.timed and name in TIMES and isinstance(value, int):
        return None
    return value
