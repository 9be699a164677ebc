"""What came of one trial, as far as it says something about the device's mind: a variant and the answer to it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

ACCEPTED: Final = "ok"
#: Answers that tell nothing of what the device thinks of the certificate: no answer in time; a reset that probably
#: destroyed an alert; an alert that could not be read.
SILENT, LOST, UNREAD = "silent", "lost", "unread"
TELLS_NOTHING: Final = frozenset((SILENT, LOST, UNREAD))


@dataclass(frozen=True, slots=True)
class Tried:
    """One handshake: which variant was shown, in which TLS version, and what came back.

    ``answer`` is an alert's number, "fin" or "rst" (closed without an alert), "ok" (accepted), "400" (accepted, and an
    HTTP 400 inside), or one of :data:`TELLS_NOTHING`. ``order`` counts the orders in which the variants were tried,
    ``repeat`` the tries of one variant within an order, both from 0. ``not_before`` and ``not_after`` are the validity
    of what was shown, where it matters.
    """

    variant: str
    tls_version: str
    answer: str
    order: int = 0
    repeat: int = 0
    not_before: datetime | None = None
    not_after: datetime | None = None


class Cell(NamedTuple):
    """The one answer that a variant got in a version, and the validity of what was shown, where it is known."""

    variant: str
    tls_version: str
    answer: str
    not_before: datetime | None = None
    not_after: datetime | None = None


def cells(tried: Iterable[Tried]) -> list[Cell]:
    """Return the sure answers in the order of the trials; where they differ, the usual one of the first order.

    A variant whose answers have no majority there is left out, and so is what tells nothing.
    """
    answers: defaultdict[tuple[str, str], list[Tried]] = defaultdict(list)
    for one in tried:
        if one.answer not in TELLS_NOTHING:
            answers[one.variant, one.tls_version].append(one)
    found = []
    for (variant, version), several in answers.items():
        first = min(one.order for one in several)
        counted = Counter(one.answer for one in several if one.order == first).most_common(2)
        if len(counted) == 1 or counted[0][1] > counted[1][1]:
            shown = several[0]
            found.append(Cell(variant, version, counted[0][0], shown.not_before, shown.not_after))
    return found


def refused(answer: str) -> bool:
    """Return whether an answer refuses the certificate, in whatever way."""
    return answer != ACCEPTED and answer not in TELLS_NOTHING


def said(answer: str) -> str:
    """Return an answer as it stands in a sentence."""
    words = {
        ACCEPTED: "accepted",
        "400": "HTTP 400",
        "fin": "closed without an alert",
        "rst": "reset without an alert",
        SILENT: "no answer",
        LOST: "a reset that may have destroyed an alert",
        UNREAD: "an alert that could not be read",
    }
    return words.get(answer) or answer
