"""What an answer should be: as a suite says it, or as the RFC calls for it.

An expectation is one or more of: "accepted"; "refused" (any alert, a close or a refusal inside TLS); "closed" (no
alert); an alert by name, number or both ("unknown_ca", 48, "unknown_ca (48)").
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tlsalert.registry.alerts import AlertDescription
from tlsalert.replay.result import Row

WORDS = ("accepted", "refused", "closed", "silent")
_NUMBERED = re.compile(r"([a-z_]+) ?\((\d+)\)")


@dataclass(frozen=True, slots=True)
class Expectation:
    """The answers that are right: words and alert codes, any of which will do."""

    words: frozenset[str] = frozenset()
    codes: frozenset[int] = frozenset()

    def met_by(self, row: Row) -> bool:
        """Whether the row's answer is one of those."""
        if row.alert is not None and row.alert.code in self.codes and row.alert.sender == "server":
            return True
        if "refused" in self.words and row.outcome in ("refused", "closed"):
            return True
        return row.outcome in self.words

    def __str__(self) -> str:
        alerts = [str(AlertDescription(code)).replace("(", " (") for code in sorted(self.codes)]
        return " or ".join([*(word for word in WORDS if word in self.words), *alerts])

    @property
    def short(self) -> str:
        """The same in few letters: "45" or "ok"."""
        words = ["ok" if word == "accepted" else word for word in WORDS if word in self.words]
        return "/".join([*words, *map(str, sorted(self.codes))])


def expectation(said: object) -> Expectation:
    """Read what a suite says. Raises ValueError, in words, where it is none of those."""
    parts: Sequence[object] = said if isinstance(said, list | tuple) else [said]
    if not parts:
        raise ValueError('is an empty list; say "accepted", "refused" or an alert')
    words, codes = set(), set()
    for part in parts:
        if isinstance(part, str) and part in WORDS:
            words.add(part)
        else:
            codes.add(_code(part))
    return Expectation(frozenset(words), frozenset(codes))


def called_for(alert: str | None) -> Expectation:
    """Return the RFC's expectation: an alert by its name, or that the client is accepted."""
    return expectation("accepted" if alert is None else alert)


def _code(said: object) -> int:
    if isinstance(said, int) and not isinstance(said, bool):
        if 0 <= said <= 255:
            return said
        raise ValueError(f"has the alert {said}; alerts are numbers from 0 to 255")
    if not isinstance(said, str):
        raise ValueError(f"is {said!r}, neither a word nor an alert")
    numbered = _NUMBERED.fullmatch(said)
    name = numbered[1] if numbered else said
    known = {alert.name: int(alert) for alert in AlertDescription}
    if name not in known:
        near = difflib.get_close_matches(name, [*WORDS, *known], 1)
        raise ValueError(f"names {said!r}, which is no alert" + (f"; did you mean {near[0]!r}?" if near else ""))
    if numbered and int(numbered[2]) != known[name]:
        raise ValueError(f"names {said!r}, but {name} is {known[name]}")
    return known[name]
