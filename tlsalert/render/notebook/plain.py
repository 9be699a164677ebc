"""What IPython shows as text: the terminal's words without its colours.

Alone in a cell a connection is its whole story; within a list or a dict it is one line.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from tlsalert.model import Certificate, Certificates, Connection, Verdict
from tlsalert.render.names import alert_words, deciding_alert
from tlsalert.render.rows import date_text
from tlsalert.render.spans import Line
from tlsalert.render.story import block, compact, verdict_block
from tlsalert.render.style import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlsalert.replay.compare import Comparison
    from tlsalert.replay.result import Result

WIDTH = 100
MOST = 20


class Page(Protocol):
    """What IPython gives to be written on (its RepresentationPrinter): ``stack`` holds what is being shown."""

    stack: list[int]

    def text(self, obj: str) -> None:
        """Write text."""


def show_connection(connection: Connection, page: Page) -> None:
    """Show one connection: the block that the terminal shows, or one line inside something else."""
    if _nested(page):
        page.text(connection_line(connection))
    else:
        page.text(lines_text(block(connection, WIDTH)))


def show_connections(connections: Sequence[Connection], page: Page) -> None:
    """Show how many there are, and a line for each of the first twenty."""
    if _nested(page):
        page.text(repr(connections))
        return
    lines: list[Line] = [[(heading(connections), "")]]
    for connection in islice(connections, MOST):
        lines += compact(connection, WIDTH)
    if len(connections) > MOST:
        lines.append([(f"… {len(connections) - MOST} more", "")])
    page.text(lines_text(lines))


def show_verdict(verdict: Verdict, page: Page) -> None:
    """Show a verdict with what supports it, or its sentence."""
    if _nested(page):
        page.text(f"<Verdict: {escape(verdict.summary)}>")
        return
    page.text(lines_text(verdict_block(verdict, WIDTH)))


def show_certificate(certificate: Certificate, page: Page) -> None:
    """Show what a certificate says, a fact a line, or its subject."""
    if _nested(page):
        page.text(f"<Certificate {escape(certificate.subject or '(no subject)')}>")
        return
    facts = certificate_facts(certificate)
    wide = max(len(name) for name, _ in facts)
    page.text("\n".join(f"{name:<{wide}}   {text}" for name, text in facts))


def show_certificates(certificates: Certificates, page: Page) -> None:
    """Show the subjects of both sides' chains, leaf first."""
    told = []
    for side, chain in (("client", certificates.client), ("server", certificates.server)):
        names = " ← ".join(escape(one.subject or "(no subject)") for one in chain)
        told.append(f"{side}   {names or 'no certificate'}")
    page.text("; ".join(told) if _nested(page) else "\n".join(told))


def show_result(result: Result, page: Page) -> None:
    """Show a replay's result: the matrix and what it means."""
    if _nested(page):
        page.text(
            f"<Result of {escape(result.target)}: {len(result.rows)} answer{'' if len(result.rows) == 1 else 's'}>"
        )
        return
    from tlsalert.render.replay_text import result_lines

    page.text(lines_text(result_lines(result, WIDTH)))


def show_comparison(comparison: Comparison, page: Page) -> None:
    """Show what changed between two results, a sentence each."""
    if _nested(page):
        page.text(f"<Comparison of {escape(comparison.before)} and {escape(comparison.after)}>")
        return
    from tlsalert.render.replay_text import comparison_lines

    page.text(lines_text(comparison_lines(comparison, WIDTH)))


def heading(connections: Sequence[Connection]) -> str:
    """Return where connections come from and how many failed: "console.pcap: 3 connections, 3 failed"."""
    sources = list(dict.fromkeys(connection.source for connection in connections))
    whence = "" if not sources else escape(sources[0]) if len(sources) == 1 else f"{len(sources)} sources"
    many = len(connections)
    failed = sum(1 for one in connections if one.verdict is not None and one.verdict.outcome == "failed")
    counted = f"{many} connection{'' if many == 1 else 's'}" + (f", {failed} failed" if failed else "")
    return f"{whence}: {counted}" if whence else counted


def connection_line(connection: Connection) -> str:
    """Return a connection in one line: "<Connection 2: 10.0.0.5:40112 → 10.0.0.7:5900, fatal bad_certificate (42)>"."""
    ends = f"{_end(connection.client)} → {_end(connection.server)}"
    alert = deciding_alert(connection.alerts)
    outcome = "not judged" if connection.verdict is None else connection.verdict.outcome
    return f"<Connection {connection.connection}: {ends}, {outcome if alert is None else alert_words(alert)}>"


def certificate_facts(certificate: Certificate) -> list[tuple[str, str]]:
    """Return what a certificate says as names and texts, already escaped; what it does not have is left out."""
    valid = f"{date_text(certificate.not_before) or 'unknown'} to {date_text(certificate.not_after) or 'unknown'}"
    is_ca = {True: "yes", False: "no", None: ""}[certificate.ca]
    limit = "" if certificate.path_length is None else f", path length {certificate.path_length}"
    facts = (
        ("subject", certificate.subject or "(none)"),
        ("issuer", "itself" if certificate.self_signed else certificate.issuer or ""),
        ("valid", valid),
        ("names", _joined(certificate.subject_alt_names)),
        ("key", certificate.key or ""),
        ("signature", certificate.signature_algorithm or ""),
        ("CA", is_ca + limit),
        ("usage", _joined((*certificate.key_usage, *certificate.extended_key_usage))),
        ("serial", certificate.serial or ""),
        ("SHA-256", certificate.sha256),
        ("problems", "; ".join(certificate.problems)),
    )
    return [(name, escape(text)) for name, text in facts if text]


def lines_text(lines: Iterable[Line]) -> str:
    """Return lines of styled text without their styles."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def _joined(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST])
    return shown if len(names) <= MOST else f"{shown} and {len(names) - MOST} more"


def _end(end: object) -> str:
    return "?" if end is None else escape(str(end))


def _nested(page: Page) -> bool:
    """Whether what is shown is a part of something else."""
    return len(page.stack) > 1
