"""Connections, verdicts, certificates, results and comparisons as HTML for one cell of a notebook.

Everything from the wire is escaped, nothing is loaded from anywhere, no script runs. Where a page takes styles and
drawings away (as code hosts do) the words are still there, in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from tlsalert.model import Certificate, Certificates, Connection, Evidence, Verdict, rfc3339
from tlsalert.render.names import alert_words, deciding_alert
from tlsalert.render.notebook.plain import certificate_facts, heading
from tlsalert.render.notebook.style import CSS
from tlsalert.render.picture.ladder import ladder_svg
from tlsalert.render.picture.svg import words
from tlsalert.render.picture.timeline import Bar, connection_timeline, nanoseconds, timeline_svg
from tlsalert.render.story import GAP, certainty, is_quiet

MOST = 20
WIDTH = 760
MARKS = {"established": ("good", "✓"), "failed": ("bad", "✗"), "incomplete": ("dim", "…"), "not_tls": ("dim", "–")}


def connection_html(connection: Connection) -> str:
    """Return a connection: who and what, the verdict, ladder and timeline, what supports it, the certificates."""
    bars, marks = connection_timeline(connection)
    timeline = timeline_svg(bars, marks, width=WIDTH, styled=False) if bars and not is_quiet(connection) else ""
    return cell(
        _title(connection),
        _said(connection.verdict),
        ladder_svg(connection, width=WIDTH, styled=False),
        timeline,
        _reasons(connection.verdict, connection.notes),
        _certificates(connection),
    )


def connections_html(connections: Sequence[Connection]) -> str:
    """Return connections as a table: the first twenty, a line each."""
    heads = ("", "#", "client", "server", "TLS", "alert", "cause", "verdict")
    lines = [_row(one) for one in islice(connections, MOST)]
    more = len(connections) - MOST
    tail = f'<p class="dim">… {more} more; slice, or filter with .where(…)</p>' if more > 0 else ""
    return cell(f"<p><b>{words(heading(connections))}</b></p>", _table(heads, lines) if lines else "", tail)


def verdict_html(verdict: Verdict) -> str:
    """Return a verdict with what supports it."""
    return cell(_said(verdict), _reasons(verdict, ()))


def certificates_html(certificates: Certificates) -> str:
    """Return both sides' chains, leaf first, each certificate as :func:`certificate_html` shows it."""
    shown: list[str] = []
    for side, chain in (("client", certificates.client), ("server", certificates.server)):
        shown.append(
            f"<p><b>{side}</b> <span class='dim'>{len(chain) or 'no'} certificate{'s' * (len(chain) != 1)}</span></p>"
        )
        shown += map(_certificate, chain)
    return cell(*shown)


def certificate_html(certificate: Certificate) -> str:
    """Return a certificate's facts, and its validity as a bar."""
    return cell(_certificate(certificate))


def _certificate(certificate: Certificate) -> str:
    facts = certificate_facts(certificate)
    lines = [f"<tr><th>{words(name)}</th><td>{words(text)}</td></tr>" for name, text in facts]
    bar = ""
    if certificate.not_before is not None and certificate.not_after is not None:
        first, last = nanoseconds(certificate.not_before), nanoseconds(certificate.not_after)
        bar = timeline_svg([Bar(certificate.subject or "(none)", first, last)], [], width=WIDTH, styled=False)
    return f'<table class="facts">{"".join(lines)}</table>\n{bar}'


def cell(*parts: str) -> str:
    """Return the parts as one piece of a page, with the stylesheet."""
    return f'<div class="tlsalert-cell"><style>{CSS}</style>\n' + "\n".join(part for part in parts if part) + "\n</div>"


def _title(connection: Connection) -> str:
    facts = [connection.protocol, connection.tls_version, connection.cipher_suite, connection.server_name]
    began = "" if connection.start is None else rfc3339(connection.start, 0)[:16].replace("T", " ") + " UTC"
    told = " · ".join(words(fact) for fact in [*facts, began] if fact)
    return f"<p><b>#{connection.connection}  {_ends(connection)}</b> <span class='dim'>{told}</span></p>"


def _ends(connection: Connection) -> str:
    return f"{words(str(connection.client or '?'))} → {words(str(connection.server or '?'))}"


def _said(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    look, mark = MARKS[verdict.outcome]
    return f'<p class="verdict {look}">{mark} <b>{words(verdict.summary)}</b></p>'


def _reasons(verdict: Verdict | None, notes: Sequence[str]) -> str:
    """Return what was seen and is known, what to do, how sure it is, and what is odd."""
    if verdict is None:
        return ""
    seen = [_evidence(one) for one in verdict.evidence if one.position is not None]
    known = [_evidence(one) for one in verdict.evidence if one.position is None]
    # HTML makes one space of many.
    sure = [words(certainty(verdict).replace(GAP, " · "))] if verdict.cause not in (None, "normal_close") else []
    others = [words(f"{one.cause} {one.confidence:.2f}") for one in verdict.alternatives]
    parts = (
        ("seen", seen),
        ("known", known),
        ("do", [words(one) for one in verdict.advice]),
        ("certain", sure),
        ("or", [" · ".join(others)] if others else []),
        ("note", [words(one) for one in notes]),
    )
    lines = "".join(f"<tr><th>{name}</th><td>{_listed(texts)}</td></tr>" for name, texts in parts if texts)
    return f'<table class="facts">{lines}</table>' if lines else ""


def _listed(texts: Sequence[str]) -> str:
    shown = "<br>".join(texts[:MOST])
    return shown if len(texts) <= MOST else f"{shown}<br>… {len(texts) - MOST} more"


def _evidence(one: Evidence) -> str:
    where = "" if one.position is None else f" <span class='dim'>({words(str(one.position))})</span>"
    return words(one.says) + where


def _certificates(connection: Connection) -> str:
    """Return the chains, to be opened by whoever wants to see them."""
    chains = connection.certificates
    lines = [
        f"<tr><td>{side}</td><td>{words(one.subject or '(none)')}</td>"
        f"<td>{'itself' if one.self_signed else words(one.issuer or '')}</td><td>{_day(one.not_before)}</td>"
        f"<td>{_day(one.not_after)}</td><td>{words(one.key or '')}</td></tr>"
        for side, chain in (("client", chains.client), ("server", chains.server))
        for one in chain[:MOST]
    ]
    if not lines:
        return ""
    many = len(chains.client) + len(chains.server)
    table = _table(("from", "subject", "issuer", "valid from", "to", "key"), lines)
    return f"<details><summary>{many} certificate{'' if many == 1 else 's'}</summary>{table}</details>"


def _row(connection: Connection) -> str:
    verdict = connection.verdict
    look, mark = ("dim", "?") if verdict is None else MARKS[verdict.outcome]
    alert = deciding_alert(connection.alerts)
    told = (
        str(connection.connection),
        str(connection.client or ""),
        str(connection.server or ""),
        connection.tls_version or "",
        "" if alert is None else alert_words(alert).removeprefix("fatal "),
        "" if verdict is None else verdict.cause or "",
        "" if verdict is None else verdict.summary,
    )
    return f'<tr><td class="{look}">{mark}</td>' + "".join(f"<td>{words(text)}</td>" for text in told) + "</tr>"


def _table(heads: Iterable[str], lines: Sequence[str]) -> str:
    head = "".join(f"<th>{words(name)}</th>" for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _day(moment: object) -> str:
    return words(str(moment)[:10]) if moment is not None else ""
