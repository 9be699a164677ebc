"""Single lines of any program that tell of an alert: the last resort, where nothing else of the log is understood.

A line tells who received the alert; which side that was is seldom in it. :func:`alert_in` is the one place that
understands lines.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tlsalert.model import Side
from tlsalert.registry.alerts import AlertDescription
from tlsalert.sources.openssl_words import alert_named, library_errors
from tlsalert.sources.stamps import Entry
from tlsalert.sources.talks import Talks

#: What a line has that may tell of an alert.
SIGN: Final = re.compile(
    rb"(?i)alert|ssl routines|reason\(1[01]\d\d\)|remote error: tls|SSL: \w+\]|certificate verify failed|_VERIFY_FAILED"
)

_NUMBERED: Final = re.compile(
    r"SSL alert number (?P<a>\d{1,3})|\balert history: last_rx code (?P<b>\d+)|[Rr]eceived alert \[(?P<c>\d+)\]|"
    r"got an alert message, type: \[\d+:(?P<d>\d+)\]"
)
_NAMED: Final = re.compile(
    r"(?<![A-Z])(?:SSLV3|TLSV1|TLSV13|TLS|SSL)_ALERT_(?P<a>[A-Z_]+)|(?i:\b(?:sslv3|tlsv1|tlsv13|ssl/tls|tls) alert "
    r"(?P<b>[a-z][a-z ]+[a-z]))|remote error: tls: (?P<c>[a-z][a-z ]+[a-z])|"
    r"(?i:received (?:a )?fatal alert:? (?P<d>\w+))|(?P<e>\bSSL_ERROR_\w+_ALERT)|\(IN\), TLS alert, (?P<f>[a-z ]+) \("
)
#: NSS's names (lib/ssl/SSLerrs.h) and others that are not the RFC's with other punctuation.
_OTHERWISE: Final = {
    "SSL_ERROR_BAD_CERT_ALERT": 42,
    "SSL_ERROR_HANDSHAKE_FAILURE_ALERT": 40,
    "SSL_ERROR_UNSUPPORTED_CERTIFICATE_ALERT": 43,
    "SSL_ERROR_REVOKED_CERT_ALERT": 44,
    "SSL_ERROR_EXPIRED_CERT_ALERT": 45,
    "SSL_ERROR_CERTIFICATE_UNKNOWN_ALERT": 46,
    "SSL_ERROR_UNKNOWN_CA_ALERT": 48,
    "SSL_ERROR_ACCESS_DENIED_ALERT": 49,
    "SSL_ERROR_DECODE_ERROR_ALERT": 50,
    "SSL_ERROR_DECRYPT_ERROR_ALERT": 51,
    "SSL_ERROR_PROTOCOL_VERSION_ALERT": 70,
    "SSL_ERROR_INSUFFICIENT_SECURITY_ALERT": 71,
    "SSL_ERROR_INTERNAL_ERROR_ALERT": 80,
    "SSL_ERROR_CERTIFICATE_REQUIRED_ALERT": 116,
    "SSL_ERROR_UNRECOGNIZED_NAME_ALERT": 112,
    "unknown certificate authority": 48,
    "expired certificate": 45,
    "revoked certificate": 44,
    "unknown certificate": 46,
    "protocol version not supported": 70,
    "insufficient security level": 71,
    "error decrypting message": 51,
    "error decoding message": 50,
    "no application protocol": 120,
}
_SERVER: Final = re.compile(
    r"SSL_accept|ssl3_get_client|tls_process_client|s_server|while SSL handshaking, client|"
    r"http: TLS handshake error from",
    re.I,
)
_CLIENT: Final = re.compile(
    r"SSL_connect|ssl3_get_server|tls_process_server|s_client|curl|wget|_create_connection", re.I
)


class AlertSaid(NamedTuple):
    """An alert that a line tells of; ``side`` is whose program it is, where the line says so."""

    description: AlertDescription
    received: bool = True
    side: Side | None = None


def alert_in(line: str) -> AlertSaid | None:
    """Return the alert that a line tells of, or None."""
    code = _code(line)
    if code is None:
        return None
    side: Side | None = None
    if _SERVER.search(line) is not None:
        side = "server"
    elif _CLIENT.search(line) is not None:
        side = "client"
    return AlertSaid(AlertDescription(code), True, side)


def _code(line: str) -> int | None:
    for error in library_errors(line):
        if error.alert is not None:
            return int(error.alert)
    if (found := _NUMBERED.search(line)) is not None:
        number = int((found["a"] or found["b"] or found["c"] or found["d"])[:4])
        return number if number <= 255 else None
    for found in _NAMED.finditer(line):
        name = next(group for group in found.groups() if group is not None)
        named = _OTHERWISE.get(name) or _OTHERWISE.get(name.lower()) or alert_named(_cut(name))
        if named is not None:
            return int(named)
    return None


def _cut(name: str) -> str:
    """Return a name as far as it is an alert's: words may follow it."""
    words = re.split(r"[\s_]+", name)
    for many in range(len(words), 0, -1):
        if alert_named(" ".join(words[:many])) is not None:
            return " ".join(words[:many])
    return name


class ErrorLines:
    """Takes lines that nobody else takes, and makes a connection of each that tells of an alert.

    Programs often tell one alert in several lines: those that follow at once and are worded otherwise are the same.
    """

    name = "error lines"

    def __init__(self, talks: Talks) -> None:
        self._talks = talks
        self._last: tuple[AlertDescription, int, int | None, set[str]] | None = None

    def takes(self, entry: Entry) -> bool:
        """Whether a line may tell of an alert."""
        return SIGN.search(entry.text.encode("utf-8", "replace")) is not None

    def line(self, entry: Entry, number: int) -> None:
        """Take a line."""
        said = alert_in(entry.text)
        if said is None:
            return
        shape = re.sub(r"[0-9A-Fa-f]{2,}|\d", "#", entry.text)
        if self._last is not None and self._again(said, number, entry.time, shape):
            return
        self._talks.end("error line")
        talk = self._talks.begin("error line", entry.program or "a program", number, entry.time, said.side)
        talk.alert(not said.received, said.description)
        talk.notes.append("an error line is all there is of this connection")
        self._talks.end("error line")
        self._last = (said.description, number, entry.time, {shape})

    def _again(self, said: AlertSaid, number: int, time: int | None, shape: str) -> bool:
        """Whether a line tells in other words what the one before it told."""
        if self._last is None:
            return False
        description, line, before, shapes = self._last
        if said.description != description or number - line > 20 or shape in shapes:
            return False
        if time is not None and before is not None and abs(time - before) > 2_000_000_000:
            return False
        shapes.add(shape)
        return True
