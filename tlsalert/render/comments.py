"""A connection's story as comments on its packets, and a capture's as a comment on the whole, for Wireshark to show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tlsalert.model import Certificate, Connection, Side, Summary
from tlsalert.render.display_filter import display_filter
from tlsalert.render.names import alert_words
from tlsalert.render.rows import date_text
from tlsalert.render.style import escape

#: The longest comment that is written, in characters; what is longer was made to annoy.
LONGEST = 4000
#: Verdicts that a section comment has room for.
MOST_VERDICTS = 20
#: The causes that object to a certificate, or to its chain.
ABOUT_CERTIFICATES = frozenset(
    (
        "certificate_not_yet_valid",
        "certificate_expired",
        "unknown_ca",
        "no_client_certificate",
        "bad_certificate_signature",
        "key_mismatch",
        "wrong_certificate_usage",
        "certificate_revoked",
        "unsupported_certificate",
        "malformed_certificate",
        "weak_certificate",
        "chain_incomplete",
        "chain_out_of_order",
        "chain_invalid",
        "chain_too_long",
        "revocation_status_unavailable",
        "certificate_not_pinned",
        "name_mismatch",
    )
)


def packet_comments(connection: Connection) -> Iterator[tuple[int, str]]:
    """Go through the frames that matter to a verdict, with what is to be said there: a frame may come several times.

    These are the hello (who, what, the verdict), what the verdict stands on, the certificate that was refused, each
    alert, and the close where nothing else ended it.
    """
    name = f"tlsalert #{connection.connection}: "
    told = [*_hello(connection), *_evidence(connection), *_refused(connection), *_alerts(connection), *_end(connection)]
    for frame, says in dict.fromkeys(told):
        if frame is not None:
            yield frame, (name + says)[:LONGEST]


def section_comment(summary: Summary, verdicts: Sequence[str]) -> str:
    """Return the comment on a whole capture: its counts, and the first verdicts of connections that failed."""
    failed = summary.failed_by_server + summary.failed_by_client + summary.failed_other
    many = "1 TLS connection" if summary.connections == 1 else f"{summary.connections} TLS connections"
    lines = [f"tlsalert: {many}, {failed} failed"]
    lines += [text[:LONGEST] for text in verdicts[:MOST_VERDICTS]]
    if len(verdicts) > MOST_VERDICTS:
        lines.append("…")
    return "\n".join(lines)


def verdict_comment(connection: Connection) -> str:
    """Return the line about one connection in the comment on the whole capture."""
    shown = display_filter(connection)
    return f"#{connection.connection}: {_summary(connection)}" + (f"  [{shown}]" if shown else "")


def _hello(connection: Connection) -> Iterator[tuple[int | None, str]]:
    for message in connection.messages:
        if message.message in ("client_hello", "sslv2_client_hello"):
            ends = " → ".join("?" if end is None else str(end) for end in (connection.client, connection.server))
            asked = f", asks for {connection.server_name}" if connection.server_name else ""
            yield message.position.frame, escape(f"{ends}{asked}: ") + _summary(connection)
            return


def _evidence(connection: Connection) -> Iterator[tuple[int | None, str]]:
    told = [alert.position for alert in connection.alerts]  # what stands there is told by the alert itself
    if not any(alert.fatal for alert in connection.alerts) and connection.closed.position is not None:
        told.append(connection.closed.position)
    for one in connection.verdict.evidence if connection.verdict is not None else ():
        if one.position is not None and one.position not in told:
            yield one.position.frame, escape(one.says)


def _refused(connection: Connection) -> Iterator[tuple[int | None, str]]:
    """Tell of the certificates that the side got which refused."""
    verdict = connection.verdict
    if verdict is None or verdict.refused_by is None:
        return
    shown: Side = "client" if verdict.refused_by == "server" else "server"
    chain = connection.certificates.client if shown == "client" else connection.certificates.server
    for message in connection.messages:
        if message.message in ("certificate", "compressed_certificate") and message.sender == shown:
            refused = f", which the {verdict.refused_by} refused" if verdict.cause in ABOUT_CERTIFICATES else ""
            yield message.position.frame, f"the {shown}'s certificate{refused}: {_facts(chain)}"
            return


def _facts(chain: tuple[Certificate, ...]) -> str:
    if not chain:
        return "there is none"
    leaf = chain[0]
    dates = [(date_text(moment) or "?")[:10] for moment in (leaf.not_before, leaf.not_after)]
    return f"{escape(leaf.subject or '(no name)')}, valid from {dates[0]} to {dates[1]}"


def _alerts(connection: Connection) -> Iterator[tuple[int | None, str]]:
    for alert in connection.alerts:
        cause = f": {_summary(connection)}" if alert.fatal and connection.verdict is not None else ""
        yield alert.position.frame, f"the {alert.sender} sends alert {alert_words(alert)}{cause}"


def _end(connection: Connection) -> Iterator[tuple[int | None, str]]:
    verdict, closed = connection.verdict, connection.closed
    if verdict is None or verdict.outcome == "established" or any(alert.fatal for alert in connection.alerts):
        return
    if closed.position is not None and closed.sender is not None:
        how = "resets" if closed.how == "rst" else "closes"
        yield closed.position.frame, f"the {closed.sender} {how} the connection: {_summary(connection)}"


def _summary(connection: Connection) -> str:
    return escape(connection.verdict.summary) if connection.verdict is not None else "no verdict"
