"""The connections that a log has begun to tell and not ended, by what its lines tell them apart: a bounded number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tlsalert.model import Connection, Side
from tlsalert.sources.teller import Teller

#: So many are open at once at most; the one that was silent longest is told as it is then.
MOST_OPEN: Final = 4096
#: One that is over waits for lines that belong to it until so many others have begun.
LINGER: Final = 64


class Talks:
    """Open connections by their keys, and those that have ended. Their numbers count from 0 as they begin."""

    def __init__(self, source: str) -> None:
        self.given_up = 0
        self._source = source
        self._open: dict[str, Teller] = {}
        self._ended: list[Connection] = []
        self._begun = 0

    def get(self, key: str) -> Teller | None:
        """Return the open connection of this key, which is thereby the one that spoke last."""
        talk = self._open.pop(key, None)
        if talk is not None:
            self._open[key] = talk
        return talk

    def begin(self, key: str, program: str, line: int, time: int | None, side: Side | None = None) -> Teller:
        """Begin a connection; an open one of the same key ends."""
        self.end(key)
        self._let_go()
        talk = Teller(program, self._begun, line, time, side)
        talk.at(line, time)
        self._begun += 1
        self._open[key] = talk
        return talk

    def _let_go(self) -> None:
        """End what was told to its end some time ago, and what was silent longest where too many are open."""
        while self._open:
            key, oldest = next(iter(self._open.items()))
            ripe = oldest.over and self._begun - oldest.number > LINGER
            if not ripe and len(self._open) < MOST_OPEN:
                return
            self.given_up += not oldest.over
            self.end(key)

    def reach(self, key: str, program: str, line: int, time: int | None, side: Side | None = None) -> Teller:
        """Return the open connection of this key, begun where there is none, and put it at a line."""
        talk = self.get(key)
        if talk is None:
            return self.begin(key, program, line, time, side)
        talk.at(line, time)
        return talk

    def keys(self, beginning: str) -> list[str]:
        """Return the keys of open connections that begin so."""
        return [key for key in self._open if key.startswith(beginning)]

    def end(self, key: str) -> None:
        """End the connection of this key, where there is one."""
        talk = self._open.pop(key, None)
        if talk is not None:
            if talk.settle is not None:
                talk.settle(talk)
            self._ended.append(talk.build(self._source))

    def end_all(self) -> None:
        """End all that are open."""
        for key in list(self._open):
            self.end(key)

    def take(self) -> Sequence[Connection]:
        """Return what has ended since the last call."""
        ended, self._ended = self._ended, []
        return ended


def endpoint(said: str) -> tuple[str, int] | None:
    """Return address and port of "10.0.0.7:443", "[::1]:443" or "::1:443"; None where it is neither."""
    address, colon, port = said.strip().rpartition(":")
    if not colon or not port.isascii() or not port.isdecimal() or int(port[:6]) > 65535 or not address:
        return None
    return address.strip("[]"), int(port[:6])
