"""One connection as lines of styled text: the whole block, or one line where there was no trouble.

The terminal writer and the picture show the same lines. Nothing is decided here: the words are the verdict's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tlsalert.model import Certificate, Connection, Evidence, Verdict
from tlsalert.render.display_filter import display_filter
from tlsalert.render.ladder import common_name, ladder
from tlsalert.render.names import alert_words, deciding_alert
from tlsalert.render.rows import date_text
from tlsalert.render.spans import NO_BREAK, Line, cells, cut, cut_line, pad, wrap
from tlsalert.render.style import escape
from tlsalert.render.timeline import timeline

INDENT = 8
LABEL = 11  # cells of "seen", "known", "do" … with the blanks behind them
NARROW = 64  # below this width all but the title is set in by NARROW_INDENT
NARROW_INDENT = 2
MOST_CERTIFICATES = 4  # of one chain
MOST_ROWS = 20  # of notes, or of evidence
GAP = "   "

_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_DULL = re.compile(r"\d|emailAddress=", re.IGNORECASE)  # attributes that only have a number, and mail
_QUIET_CAUSES = (None, "normal_close")


def is_quiet(connection: Connection) -> bool:
    """Whether one line says it all: nothing failed and nothing is objected to."""
    verdict = connection.verdict
    if verdict is None:
        return deciding_alert(connection.alerts) is None
    return verdict.outcome != "failed" and verdict.cause in _QUIET_CAUSES and not verdict.alert_lost


def block(connection: Connection, width: int) -> list[Line]:
    """Return the whole story: who and what, ladder, certificates, the verdict and what supports it."""
    spared = spared_at(width)
    room = width + spared
    parts = [
        ladder(connection, room),
        _certificates(connection, room),
        verdict_lines(connection.verdict, room),
        timeline(connection, room),
        _reasons(connection, room),
    ]
    lines = _title(connection, width)
    for part in parts:
        if part:
            moved = [outdented(line, spared) for line in part]
            lines += moved if part is parts[0] else [[], *moved]
    return lines


def spared_at(width: int) -> int:
    """Return the cells of the margin that a narrow terminal does without."""
    return INDENT - NARROW_INDENT if width < NARROW else 0


def compact(connection: Connection, width: int) -> list[Line]:
    """Return the connection in one line, cut to ``width``; one that is not whole has its summary below."""
    verdict = connection.verdict
    well = verdict is not None and verdict.outcome == "established"
    number, ends = (pad(f"#{connection.connection}", 6), "dim"), (pad(_ends(connection), 36) + GAP, "")
    mark = ("ok   " if well else "—    ", "good" if well else "dim")
    line: Line = [number, ends, mark] if width >= NARROW else [number, mark, ends]
    line.append((pad(escape(connection.tls_version or ""), 7) + GAP, ""))
    warnings = [alert for alert in connection.alerts if alert.code and alert.description is not None]
    line += [(alert_words(alert) + GAP, "warn") for alert in warnings[:3]]
    line += [(text + GAP, "") for text in (*_names(connection), escape(connection.cipher_suite or ""))]
    if connection.notes:
        line.append((escape(connection.notes[0]), "dim"))
    lines = [_stripped(cut_line(line, width))]
    if verdict is not None and not well:
        lines += [[(" " * 6 + text, "dim")] for text in wrap(escape(verdict.summary), width - 6)]
    return lines


def verdict_block(verdict: Verdict, width: int) -> list[Line]:
    """Return a verdict by itself: its sentence, and what supports it."""
    return [*verdict_lines(verdict, width), [], *_reasons(Connection(source="", connection=0, verdict=verdict), width)]


def _ends(connection: Connection) -> str:
    """Return who talks to whom: "10.0.0.5:40112 → 10.0.0.7:5900"."""
    ends = (connection.client, connection.server)
    return " → ".join("?" if end is None else escape(str(end)) for end in ends)


def _names(connection: Connection) -> Iterator[str]:
    """Yield what the connection is for: the protocol around it, the names that were asked for."""
    if connection.protocol:
        declined = connection.preamble is not None and connection.preamble.refusal is not None
        yield ("inside " if declined else "after ") + escape(connection.protocol)
    if connection.transport != "tcp":
        yield "over " + connection.transport
    if connection.server_name:
        yield "SNI " + escape(connection.server_name)
    if connection.alpn:
        yield "ALPN " + escape(connection.alpn)
    if connection.resumed:
        yield "resumed"


def _title(connection: Connection, width: int) -> list[Line]:
    """Return the first line; what does not fit goes on below it."""
    number = f"#{connection.connection}  "
    indent = len(number)
    said = (escape(connection.tls_version or ""), escape(connection.cipher_suite or ""), *_names(connection))
    pieces = [(_ends(connection), "head"), *((text, "") for text in said if text)]
    lines: list[Line] = [[(number, "dim")]]
    room = width - indent
    for text, look in pieces:
        text = cut(text, width - indent)
        if len(lines[-1]) > 1 and cells(text) + len(GAP) > room:
            lines.append([(" " * indent, "")])
            room = width - indent
        if len(lines[-1]) > 1:
            lines[-1].append((GAP, ""))
            room -= len(GAP)
        lines[-1].append((text, look))
        room -= cells(text)
    return lines


def _certificates(connection: Connection, width: int) -> list[Line]:
    """Return the certificates, leaf first, and what the server asked for.

    Each takes a line, or two where the line is too short for a common name.
    """
    chains = (("client", connection.certificates.client), ("server", connection.certificates.server))
    shown = [
        (side if number == 0 else "", one)
        for side, chain in chains
        for number, one in enumerate(chain[:MOST_CERTIFICATES])
    ]
    facts = [_facts(one) for _, one in shown]
    room = width - INDENT - LABEL
    beside = room - max((cells(text) for text in facts), default=0) - len(GAP)
    column = max((cells(_subject(one, beside)) for _, one in shown), default=0)
    narrow = any(cells(common_name(one.subject) or "") > beside for _, one in shown)
    lines: list[Line] = []
    for (label, one), text in zip(shown, facts, strict=True):
        if narrow:
            lines.append(_labelled(label, _subject(one, room)))
            lines += [_labelled("", part) for part in wrap(text, room)] if text else []
        else:
            lines.append(_labelled(label, (pad(_subject(one, beside), column) + GAP + text).rstrip()))
        for problem in one.problems[:MOST_CERTIFICATES]:
            lines += [_labelled("", part, "warn") for part in wrap(escape(problem), room, hang=2)]
    more = sum(max(len(chain) - MOST_CERTIFICATES, 0) for _, chain in chains)
    if more:
        lines.append(_labelled("", f"… {more} more …", "dim"))
    return lines + _asked(connection, room)


def _subject(one: Certificate, room: int) -> str:
    """Return the subject, its CN first, then as many other attributes as fit.

    Left out are mail and those that only have a number. A certificate without a subject is told by its
    first alternative name.
    """
    if not one.subject:
        return cut(escape(one.subject_alt_names[0]), room) if one.subject_alt_names else "(no name)"
    name = common_name(one.subject) or ""
    parts = [escape(part) for part in _UNESCAPED_COMMA.split(one.subject) if not _DULL.match(part)]
    said = cut(name if "CN=" in name else ", ".join(parts) or name, room)
    for part in parts if "CN=" in name else ():
        if part == name:
            continue
        if cells(said) + 2 + cells(part) > room:
            break
        said += ", " + part
    return said


def _facts(one: Certificate) -> str:
    """Return dates, key and the self-signed mark."""
    dates = [(date_text(moment) or "?")[:10] for moment in (one.not_before, one.not_after)]
    known = one.not_before is not None or one.not_after is not None  # a log may tell of a name and no more
    facts = [" to ".join(dates)] if known else []
    if one.key:
        facts.append(escape(one.key))
    if one.self_signed:
        facts.append("self-signed")
    return GAP.join(facts)


def _asked(connection: Connection, room: int) -> list[Line]:
    """Return whose certificates the server asked for."""
    asked = connection.certificate_request
    if asked is None or not asked.authorities:
        return []
    names = [common_name(name) or "(no name)" for name in asked.authorities]
    if len(names) > 3:
        names[3:] = [f"{len(names) - 3} more"]
    return [_labelled("asked for", cut("a certificate issued by " + " or ".join(names), room))]


def verdict_lines(verdict: Verdict | None, width: int) -> list[Line]:
    """Return the verdict's sentence."""
    if verdict is None:
        return []
    style = "good" if verdict.outcome == "established" else "head"
    return [[(" " * INDENT, ""), (text, style)] for text in wrap(escape(verdict.summary), width - INDENT)]


def _reasons(connection: Connection, width: int) -> list[Line]:
    """Return the rows below the verdict: what was seen and is known, what to do, how sure it is, notes."""
    verdict = connection.verdict or Verdict("incomplete", "")
    seen = [escape(one.says) + _where(one) for one in verdict.evidence if one.position is not None]
    known = [escape(one.says) for one in verdict.evidence if one.position is None]
    notes = [escape(note) for note in connection.notes]
    advice = [escape(text) for text in verdict.advice]
    room = width - INDENT - LABEL
    lines = labelled_rows("seen", seen, room) + labelled_rows("known", known, room) + labelled_rows("do", advice, room)
    if verdict.cause not in _QUIET_CAUSES:
        lines += labelled_rows("certain", [certainty(verdict)], room)
    if verdict.alternatives:
        others = [f"{other.cause} {_likely(other.confidence)}" for other in verdict.alternatives]
        lines += labelled_rows("or", [" · ".join(others)], room)
    lines += labelled_rows("note", notes, room)
    shown = None if verdict.outcome == "established" else display_filter(connection)
    return lines + (labelled_rows("wireshark", [escape(shown)], room) if shown else [])


def _where(evidence: Evidence) -> str:
    """Return " (frame 6)", which stays on one line."""
    return f" ({evidence.position})".replace(" ", NO_BREAK).replace(NO_BREAK, " ", 1)


def certainty(verdict: Verdict) -> str:
    """Return how sure the cause is, the cause by its stable name, and where the mend belongs."""
    fault = f"{GAP}at fault: {verdict.at_fault}" if verdict.at_fault else ""
    return f"{_likely(verdict.confidence)}{GAP}{verdict.cause}{fault}"


def certainty_number(verdict: Verdict) -> str:
    """Return how sure the cause is, as a number: "0.97"."""
    return _likely(verdict.confidence)


def _likely(confidence: float) -> str:
    """Return a probability with two decimals; a small one is not called nothing."""
    return "<0.01" if 0 < confidence < 0.005 else f"{confidence:.2f}"


def labelled_rows(label: str, texts: Sequence[str], room: int) -> list[Line]:
    """Return each text under one label; a text's further lines are set in a little."""
    lines: list[Line] = []
    for text in texts[:MOST_ROWS]:
        for part in wrap(text, room, hang=2):
            lines.append(_labelled(label if not lines else "", part))
    if len(texts) > MOST_ROWS:
        lines.append(_labelled("", f"… {len(texts) - MOST_ROWS} more …", "dim"))
    return lines


def _labelled(label: str, text: str, style: str = "") -> Line:
    """Return a line with its label in the label's column."""
    return [(" " * INDENT, ""), (pad(label, LABEL), "dim"), (text.rstrip(), style)]


def outdented(line: Line, less: int) -> Line:
    """Return the line without the first ``less`` of the blanks that it begins with."""
    if not less or not line:
        return line
    (text, style), *rest = line
    return [(text[less:] if text[:less].isspace() else text, style), *rest]


def _stripped(line: Line) -> Line:
    """Return the line without blanks at its end."""
    while line and not line[-1][0].strip():
        line = line[:-1]
    return [*line[:-1], (line[-1][0].rstrip(), line[-1][1])] if line else line
