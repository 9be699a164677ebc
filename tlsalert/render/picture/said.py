"""What a message says, for whoever points at it: its decoded fields as a dict, and as lines of text."""

from __future__ import annotations

from tlsalert.decode import contents
from tlsalert.model import ClientHello, Connection, HandshakeMessage, ServerHello
from tlsalert.render.fields import message_fields
from tlsalert.render.rows import Row, certificate_row, client_hello_row, request_row, server_hello_row

MOST_LINES = 24
LONGEST_LINE = 160
_RANDOM = ("random", "session_id")


def said(message: HandshakeMessage, connection: Connection) -> Row | None:
    """Return what a message says, all of it; None where it could not be read."""
    if message.type is None or message.body is None:
        return None
    if message.message in ("certificate", "compressed_certificate"):
        chains = connection.certificates
        row: Row = {"chain": [_named(certificate_row(one)) for one in getattr(chains, message.sender)]}
        return row | (message_fields(message, connection) or {})
    if message.message == "certificate_request":
        return (request_row(connection.certificate_request) or {}) | (message_fields(message, connection) or {})
    if message.type in (1, 2):
        hello = contents(message, connection)
        if isinstance(hello, ClientHello):
            return client_hello_row(hello)
        return server_hello_row(hello) if isinstance(hello, ServerHello) else None
    return message_fields(message, connection)


def told(row: Row | None) -> str:
    """Return a dict of fields as lines "name: value", short enough to hover over a picture."""
    lines: list[str] = []
    for key, value in (row or {}).items():
        if value in (None, [], "", {}):
            continue
        line = f"{key}: {_text(value)}"
        lines.append(line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…")
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [f"… {len(lines) - MOST_LINES} more"]
    return "\n".join(lines)


def _named(row: Row) -> Row:
    """Return what of a certificate tells which one it is: the rest stands on its card."""
    return {key: row[key] for key in ("subject", "not_before", "not_after", "sha256")}


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    if isinstance(value, dict):
        if "name" in value and "type" in value:
            return str(value["name"])
        return "(" + ", ".join(f"{key} {_text(one)}" for key, one in value.items() if one not in (None, [])) + ")"
    return str(value)
