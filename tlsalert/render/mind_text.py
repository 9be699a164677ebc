"""A device's mind as text: the verdict first, then what the device trusts and checks, its clock and its stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tlsalert.diagnosis.device_mind import CREDIBLE, DeviceMind, Trust
from tlsalert.render.spans import Line, pad, wrap
from tlsalert.render.style import escape

INDENT, LABEL = 8, 11
MOST_NAMES = 4  # of the CAs that it asks for
_HOW = {
    "ca": "certificates of your CA",
    "pinned": "this certificate alone: others of its CA are refused",
    "anyone": "anybody: strangers' certificates are accepted",
}


def mind_lines(mind: DeviceMind, width: int = 100) -> list[Line]:
    """Return the mind as lines of at most ``width`` cells."""
    room = max(width - INDENT - LABEL, 20)
    style = "good" if mind.verdict.outcome == "established" and not mind.alarming else "head"
    lines: list[Line] = [
        [(" " * INDENT, ""), (text, style)] for text in wrap(escape(mind.verdict.summary), max(width - INDENT, 20))
    ]
    lines.append([])
    for label, texts, shade in _rows(mind):
        for text in texts:
            for part in wrap(escape(text), room, hang=2):
                lines.append([(" " * INDENT, ""), (pad(label, LABEL), "dim"), (part, shade)])
                label = ""
    return lines


def mind_text(mind: DeviceMind, width: int = 100) -> str:
    """Return the mind as plain text."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in mind_lines(mind, width)) + "\n"


def _rows(mind: DeviceMind) -> Iterator[tuple[str, Sequence[str], str]]:
    """Yield the label, the sentences and the style of each part that has something to say."""
    verdict = mind.verdict
    yield "seen", [one.says for one in verdict.evidence], ""
    yield "alarming", [finding.says for finding in mind.alarming], "alert"
    yield "trusts", list(_trusts(mind.trusts)), ""
    yield "checks", [finding.says for finding in mind.findings if not finding.alarming], ""
    if mind.clock.known:
        unsure = mind.clock.time is None and mind.clock.confidence < CREDIBLE
        yield "clock", [f"{mind.clock}{', if dates are what it minds' if unsure else ''} ({mind.clock.source})"], ""
    yield "stack", mind.stack_says, ""
    yield "memory", mind.memory, "warn"
    yield "do", verdict.advice, ""
    if verdict.cause is not None:
        yield "certain", [f"{verdict.confidence:.2f}   {verdict.cause}{_fault(mind)}"], ""
    if verdict.alternatives:
        yield "or", [" · ".join(f"{one.cause} {one.confidence:.2f}" for one in verdict.alternatives)], ""


def _trusts(trust: Trust) -> Iterator[str]:
    if trust.how is not None:
        yield _HOW[trust.how]
    elif trust.your_ca is not None:
        yield "your CA" if trust.your_ca else "not your CA"
    if trust.authorities:
        names = list(trust.authorities[:MOST_NAMES])
        more = len(trust.authorities) - len(names)
        yield f"asks for certificates of {'; '.join(names)}{f' and {more} more' if more else ''}"


def _fault(mind: DeviceMind) -> str:
    return f"   at fault: {mind.verdict.at_fault}" if mind.verdict.at_fault else ""
