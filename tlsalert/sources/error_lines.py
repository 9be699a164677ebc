"""Single lines of any program that tell of an alert: the last resort, where nothing else of the log is understood.

A line tells who received the alert; which side that was is seldom in it.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tlsalert.model import Objection, Side
from tlsalert.registry.alerts import AlertDescription
from tlsalert.sources.stamps import Entry
from tlsalert.sources.talks import Talks
from tlsalert.understanding.line import understand

#: What a line has that may tell of an alert.
SIGN: Final = re.compile(
    rb"(?i)alert|ssl routines|reason\(1[01]\d\d\)|remote error: tls|SSL: \w+\]|certificate verify failed|"
    rb"_VERIFY_FAILED|failed to verify (?:client )?certificate: x509|^Error in handshake: |^\s*code: '(?:CERT|UNABLE|"
    rb"DEPTH_ZERO|SELF_SIGNED|INVALID_(?:CA|PURPOSE)|ERR_TLS_CERT)_?\w*'"
)
#: What Go's crypto/tls says of a certificate that it refuses (handshake_server.go, handshake_client.go).
_GO: Final = re.compile(r"tls: failed to verify (client )?certificate: (x509: .*)")

#: A row of a Markdown table: somebody tells of alerts, as beside captures, and no program prints so.
_TABLE: Final = re.compile(r"\| .* \|")
#: What gnutls-serv says of a handshake that it ended (GnuTLS src/serv.c).
_GNUTLS_SERV: Final = re.compile(r"Error in handshake: (.+)")
#: The code of the error that Node.js gives a client that refused its server's certificate: a verify error of OpenSSL
#: without X509_V_ERR_ (src/crypto/crypto_common.cc), or that of its own check of the name (lib/internal/errors.js).
_NODE: Final = re.compile(
    r"\s*code: '((?:CERT|UNABLE|DEPTH_ZERO|SELF_SIGNED|INVALID_(?:CA|PURPOSE)|ERR_TLS_CERT)_?\w*)'"
)

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
    """Return the alert that a line names, or None; one that merely follows from an error of its own is none."""
    named = next((one for one in understand(line) if one.alert is not None and one.certain), None)
    if named is None or named.alert is None:
        return None
    side: Side | None = None
    if _SERVER.search(line) is not None:
        side = "server"
    elif _CLIENT.search(line) is not None:
        side = "client"
    return AlertSaid(AlertDescription(named.alert), named.direction != "sent", side)


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
        return SIGN.search(entry.text.encode("utf-8", "replace")) is not None and not _TABLE.fullmatch(
            entry.text.strip()
        )

    def line(self, entry: Entry, number: int) -> None:
        """Take a line."""
        said = alert_in(entry.text)
        if said is None:
            self._objection(entry, number)
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

    def _objection(self, entry: Entry, number: int) -> None:
        """Take a line in which a program says what it refused its peer for, without naming an alert."""
        side: Side = "client"
        if go := _GO.search(entry.text):
            program, says, side = "Go", go[2], "server" if go[1] else "client"
        elif gnutls := _GNUTLS_SERV.match(entry.text):
            program, says, side = "gnutls-serv", gnutls[1].strip(), "server"
        elif node := _NODE.match(entry.text):
            program, says = "Node.js", node[1]
        else:
            return
        found = understand(entry.text, asked=True)
        if not found:  # an error that is none of TLS
            return
        cause = next((one.cause for one in found if one.cause is not None), None)
        # gnutls-serv tells of much else in these words, and only of a certificate without saying what is wrong with it.
        about_certificate = cause is None or program != "gnutls-serv"
        talk = self._talks.begin("error line", program, number, entry.time, side)
        talk.object(Objection(says, talk.here, cause, about_certificate))
        talk.notes.append("an error line is all there is of this connection")
        self._talks.end("error line")

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
