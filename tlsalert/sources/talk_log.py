"""What the logs of programs that tell of their own sessions have in common: sessions end, are numbered, and told."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Final

from tlsalert.model import Certificate, Connection
from tlsalert.sources.talk import Talk
from tlsalert.wire.conversation import Conversation
from tlsalert.wire.transcript import Keeping

NO_TIME: Final = (
    "the text has no times: clocks are held against the time at which the file was last changed, and only the server's "
    "own clock, where it shows, says anything"
)
#: Sessions that are open at the same time; of more the oldest ones are taken to have ended.
MOST_OPEN: Final = 1000


class TalkLog:
    """A log in the making, see :class:`tlsalert.sources.log.Log`. Subclasses take its lines."""

    def __init__(self, source: str, keeping: Keeping) -> None:
        self.timed = False
        self.began: int | None = None
        self.ended: int | None = None
        self.chain: tuple[Certificate, ...] = ()
        self._now = changed_at(source)
        self._keeping = keeping
        self._count = 0
        self._times = 0
        self._ended: list[Conversation | Connection] = []

    def take(self) -> Sequence[Conversation | Connection]:
        """Return what has ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def notes(self) -> Sequence[str]:
        """Return what is to be said of the text as a whole."""
        return [NO_TIME] if self._count > self._times else []

    def fresh(self, at: int) -> Talk:
        """Return a new session."""
        return Talk(self._count, at, self._keeping)

    def tell(self, talk: Talk) -> None:
        """Tell a session that has ended, unless nothing of a handshake shows in it."""
        talk.number = self._count
        told = talk.finish(self._now)
        if told is None:
            return
        self._count += 1
        if talk.time is not None:
            self._times += 1
            self.timed = True
            self.began = talk.time if self.began is None else min(self.began, talk.time)
            self.ended = max(self.ended or 0, talk.time)
        self._ended.append(told)


def changed_at(source: str) -> int:
    """Return when a file was last changed, in nanoseconds since 1970; now, where that cannot be known."""
    try:
        return os.stat(source).st_mtime_ns
    except (OSError, ValueError):
        return time.time_ns()
