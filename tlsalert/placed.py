"""Turns the places of a connection from frames into lines: what came out of a log is told by its lines.

The decoder counts places in one way only, and calls them frames. Behind it nothing needs to know which they were until
somebody reads about them.
"""

from __future__ import annotations

import re
from typing import TypeVar

from msgspec import Struct, structs

from tlsalert.model import Connection, Endpoint, Position

_S = TypeVar("_S", bound=Struct)

#: Fields that hold sentences, in which a place may be named; all others are data and stay as they are.
SENTENCES = frozenset({"notes", "says", "summary", "advice", "jump"})
#: Fields that hold a time: nanoseconds since 1970.
TIMES = frozenset({"time", "start", "end", "at", "capture"})

_FRAME = re.compile(r"\bframe(s?) (?=\d)")


def in_lines(connection: Connection, timed: bool = True) -> Connection:
    """Return ``connection`` with lines for frames. Where the log is not ``timed`` its times become unknown."""
    placed = _struct(connection, timed)
    if nowhere(placed.client) or nowhere(placed.server):
        placed = structs.replace(
            placed,
            client=None if nowhere(placed.client) else placed.client,
            server=None if nowhere(placed.server) else placed.server,
        )
    if timed:
        return placed
    # without times nobody can say how far a clock is off
    clocks = structs.replace(connection.clocks, capture=None)
    return structs.replace(placed, clocks=_struct(clocks, True))


def nowhere(end: Endpoint | None) -> bool:
    """Whether an end is not known: what a :class:`~tlsalert.wire.conversation.Conversation` has in its place."""
    return end is not None and end.port == 0 and not end.address.strip("0:.")


def worded(text: str) -> str:
    """Return a sentence that speaks of lines where it spoke of frames."""
    return _FRAME.sub(r"line\1 ", text)


def _struct(value: _S, timed: bool) -> _S:
    changed: dict[str, object] = {}
    for name in value.__struct_fields__:
        old = getattr(value, name)
        new = _value(name, old, timed)
        if new is not old:
            changed[name] = new
    return structs.replace(value, **changed) if changed else value


def _value(name: str, value: object, timed: bool) -> object:
    if isinstance(value, Position):
        return Position(line=value.frame) if value.frame is not None else value
    if isinstance(value, str):
        return worded(value) if name in SENTENCES else value
    if isinstance(value, tuple):
        new = tuple(_value(name, item, timed) for item in value)
        return value if all(a is b for a, b in zip(new, value, strict=True)) else new
    if isinstance(value, Struct):
        return _struct(value, timed)
    if not timed and name in TIMES and isinstance(value, int):
        return None
    return value
