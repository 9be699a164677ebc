"""A report at one glance: how the connections ended, and what went wrong, alike failures together.

Counts only; the sentences are the verdicts' own. What is kept is bounded: there are few causes, and of servers so many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from tlsalert.model import Connection, Summary, Verdict, rfc3339
from tlsalert.render.html.page import shown
from tlsalert.render.timeline import DATE_CAUSES

#: How a connection ended, as it is counted; "server" and "client" are who refused.
Ending = Literal["server", "client", "failed", "incomplete", "not_tls", "established"]

#: In the order in which they are shown, with their words.
ENDINGS: dict[Ending, str] = {
    "server": "refused by the server",
    "client": "refused by the client",
    "failed": "failed otherwise",
    "incomplete": "incomplete",
    "not_tls": "not TLS",
    "established": "established",
}
FAILURES: frozenset[Ending] = frozenset({"server", "client", "failed"})
MOST_SERVERS = 1000  # that are counted for one cause
MOST_GROUPS = 8  # causes that are shown
FEW = 3  # servers that are named


@dataclass
class Group:
    """Failures of one cause that one side refused: how many, at which servers, and the one that is surest."""

    ending: Ending
    cause: str | None
    example: Connection
    many: int = 0
    servers: Counter[str] = field(default_factory=Counter)

    @property
    def where(self) -> str:
        """The servers in words: "10.0.0.7:5900 and 4 more"."""
        named = [shown(name) for name, _ in self.servers.most_common(FEW)]
        more = len(self.servers) - len(named)
        return ", ".join(named) + (f" and {more} more" if more else "")


class Glance:
    """Counts connections as they go by."""

    def __init__(self) -> None:
        self.endings: Counter[Ending] = Counter()
        self.sources: dict[str, None] = {}
        self.begin: int | None = None
        self.end: int | None = None
        self._groups: dict[tuple[Ending, str | None], Group] = {}

    def add(self, connection: Connection) -> None:
        """Count one connection."""
        verdict = connection.verdict
        kind = ending(verdict)
        self.endings[kind] += 1
        self.sources[connection.source] = None
        if connection.start is not None and (self.begin is None or connection.start < self.begin):
            self.begin = connection.start
        if connection.end is not None and (self.end is None or connection.end > self.end):
            self.end = connection.end
        if kind not in FAILURES or verdict is None:
            return
        key = (kind, verdict.cause)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(kind, verdict.cause, connection)
        group.many += 1
        if verdict.confidence > (0 if group.example.verdict is None else group.example.verdict.confidence):
            group.example = connection
        name = str(connection.server or "an unknown server")
        if name in group.servers or len(group.servers) < MOST_SERVERS:
            group.servers[name] += 1

    @property
    def connections(self) -> int:
        """How many there were."""
        return sum(self.endings.values())

    @property
    def failures(self) -> int:
        """How many of them failed."""
        return sum(self.endings[kind] for kind in FAILURES)

    @property
    def groups(self) -> list[Group]:
        """The causes, the most frequent first; of equal ones those first that a picture of dates explains."""
        return sorted(self._groups.values(), key=lambda group: (-group.many, group.cause not in DATE_CAUSES))

    @property
    def headline(self) -> str:
        """The whole in one sentence: "3 connections, all refused by the server"."""
        many = self.connections
        if not many:
            return "No TLS connection"
        counted = _number(many, "connection")
        kinds = [kind for kind in ENDINGS if self.endings[kind]]
        if len(kinds) == 1:
            return f"{counted}, {'' if many == 1 else 'all '}{ENDINGS[kinds[0]]}"
        told = [f"{self.endings[kind]:,} {ENDINGS[kind]}" for kind in kinds if kind in FAILURES]
        return f"{counted}, {', '.join(told) if told else 'none failed'}"

    @property
    def shares(self) -> list[tuple[Ending, str, int, float]]:
        """How they ended: the ending, its words, how many, and per cent of all."""
        whole = self.connections or 1
        return [
            (kind, words, self.endings[kind], 100 * self.endings[kind] / whole)
            for kind, words in ENDINGS.items()
            if self.endings[kind]
        ]


def ending(verdict: Verdict | None) -> Ending:
    """Return how a connection ended, as it is counted."""
    if verdict is None:
        return "incomplete"
    if verdict.outcome != "failed":
        return verdict.outcome
    return verdict.refused_by or "failed"


def when_and_how_much(glance: Glance, summaries: Sequence[Summary]) -> list[str]:
    """Return the facts below the headline: when it was, how long, how much was read."""
    starts = [one.start for one in summaries if one.start is not None] or ([glance.begin] if glance.begin else [])
    ends = [one.end for one in summaries if one.end is not None] or ([glance.end] if glance.end else [])
    told: list[str] = []
    if starts:
        told.append(rfc3339(min(starts), 0)[:16].replace("T", " ") + " UTC")
    if len(summaries) > 1:
        told[:] = [_number(len(summaries), "file"), *("from " + one for one in told)]
    elif starts and ends and max(ends) >= min(starts):
        told.append(_duration((max(ends) - min(starts)) / 1e9))
    packets = sum(one.packets for one in summaries)
    if packets:
        told.append(_number(packets, "packet"))
    streams = sum(one.other_streams for one in summaries)
    if streams:
        told.append(_number(streams, "stream") + " without TLS")
    return told


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds) // 60
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 72 else f"{hours // 24} days"


def _number(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
