"""A calendar of the days on which certificates end, RFC 5545: one event each, with an alarm before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from tlsalert.pki.found import Found
from tlsalert.render.style import escape

#: Bytes of a line, RFC 5545 §3.1.
LONGEST: Final = 75
#: Places that an event's text lists.
LISTED: Final = 8


def calendar(found: Iterable[Found], at: datetime, warn: timedelta) -> bytes:
    """Return the events of all certificates that have not ended ``at`` that time; the alarm comes ``warn`` before.

    An event's UID is the certificate's own digest, so that a calendar which reads the file again doubles nothing.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tlsalert//certs//EN", "CALSCALE:GREGORIAN"]
    for same in _by_digest(found, at):
        lines += _event(same, at, warn)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _by_digest(found: Iterable[Found], at: datetime) -> Iterator[list[Found]]:
    """Yield each certificate with all its places."""
    groups: dict[str, list[Found]] = {}
    for one in found:
        if one.kind == "certificate" and one.sha256 and one.not_after is not None and one.not_after > at:
            groups.setdefault(one.sha256, []).append(one)
    yield from sorted(groups.values(), key=lambda same: (same[0].not_after, same[0].sha256))


def _event(same: list[Found], at: datetime, warn: timedelta) -> Iterator[str]:
    one = same[0]
    ends = one.not_after or at
    name = f"Certificate ends: {one.subject or one.sha256}"
    places = list(dict.fromkeys(found.where for found in same))
    more = [f"and {len(places) - LISTED} other places"] if len(places) > LISTED else []
    uses = list(dict.fromkeys(str(use) for found in same for use in found.used_by))[:LISTED]
    said = [f"Ends {ends:%Y-%m-%d %H:%M:%S} UTC.", f"Issuer: {one.issuer}", f"Serial: {one.serial}", f"Key: {one.key}"]
    text = "\n".join([*said, *(f"Used by: {use}" for use in uses), *places[:LISTED], *more])
    yield "BEGIN:VEVENT"
    yield f"UID:{one.sha256}@tlsalert"
    yield f"DTSTAMP:{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield f"DTSTART:{ends.year:04d}{ends:%m%dT%H%M%SZ}"
    yield f"SUMMARY:{_text(name)}"
    yield f"DESCRIPTION:{_text(text)}"
    yield "TRANSP:TRANSPARENT"
    yield "BEGIN:VALARM"
    yield "ACTION:DISPLAY"
    yield f"DESCRIPTION:{_text(name)}"
    yield f"TRIGGER:-P{max(warn.days, 1)}D"
    yield "END:VALARM"
    yield "END:VEVENT"


def _text(said: str) -> str:
    r"""Return text as RFC 5545 §3.3.11 writes it; what could steer a display is escaped before."""
    safe = "\n".join(escape(line) for line in said.split("\n"))
    return safe.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """Return a line in pieces of at most 75 bytes, no character parted, RFC 5545 §3.1."""
    made: list[bytes] = []
    piece = b""
    for character in line:
        encoded = character.encode("utf-8", "backslashreplace")
        if len(piece) + len(encoded) > LONGEST:
            made.append(piece)
            piece = b" "
        piece += encoded
    return b"\r\n".join([*made, piece]) + b"\r\n"
