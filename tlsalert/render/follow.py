"""Messages and alerts in the moment in which they pass, a line for each."""

from __future__ import annotations

import time
from collections.abc import Callable
from operator import itemgetter

from tlsalert.model import Alert, Connection, HandshakeMessage, rfc3339
from tlsalert.render.style import escape
from tlsalert.wire.connection import connection
from tlsalert.wire.flow import Flow
from tlsalert.wire.tcp import TcpTable

#: Of the time that passes, at most this part goes into looking through the open connections.
SHARE = 0.2


class Follower:
    """Looks at a table of connections again and again, and shows what is new in lines of text."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._told: dict[int, int] = {}
        self._next = 0.0

    def look(self, table: TcpTable) -> None:
        """Show what the connections said since the last look; those that have ended are looked at in any case."""
        fresh: list[tuple[int, str]] = []
        for flow in table.finished:
            self._of(flow, fresh)
            self._told.pop(int(flow.number), None)
        began = time.monotonic()
        if began >= self._next:
            for flow in table.known.all():
                self._of(flow, fresh)
            now = time.monotonic()
            self._next = now + (now - began) / SHARE
        for _, text in sorted(fresh, key=itemgetter(0)):  # what came in one packet stays in its order
            self._show(text)

    def _of(self, flow: Flow, fresh: list[tuple[int, str]]) -> None:
        transcript = flow.transcript
        if transcript is None or not transcript.tls:
            return
        number = int(flow.number)
        told = self._told.get(number, 0)
        if len(transcript.events) <= told:
            return
        self._told[number] = len(transcript.events)
        fresh += lines(connection(flow, "", 0, 6), told)


def lines(seen: Connection, told: int = 0) -> list[tuple[int, str]]:
    """Return the time and a line for each message and alert after the first ``told`` ones."""
    said: list[HandshakeMessage | Alert] = [*seen.messages, *(a for a in seen.alerts if a.inferred is None)]
    said.sort(key=lambda one: one.time or 0)
    ends = f"{seen.client} → {seen.server}"
    return [(one.time or 0, f"{_clock(one.time)}   {escape(ends)}   {_says(one)}") for one in said[told:]]


def _says(one: HandshakeMessage | Alert) -> str:
    if isinstance(one, HandshakeMessage):
        return f"{one.sender}   {one.message} ({one.length})"
    if one.code is None:
        return f"{one.sender}   ALERT encrypted"
    return f"{one.sender}   ALERT {one.level} {one.description}"


def _clock(time: int | None) -> str:
    return "--:--:--.------" if time is None else rfc3339(time, 6)[11:26]
