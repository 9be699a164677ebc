"""What ``gnutls-cli`` and ``gnutls-serv`` print → connections: with ``-d 4`` and more each message, else a summary.

Messages are named with their lengths, never shown as bytes, and there are no times.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from tlsalert.model import Certificate, Side
from tlsalert.sources.spellings import alert_code, cipher_name, message_code, version_name
from tlsalert.sources.talk import FATAL, Grade, Talk
from tlsalert.sources.talk_log import MOST_OPEN, TalkLog
from tlsalert.wire.transcript import Keeping

_DEBUG: Final = re.compile(rb"\|<\d+>\| (?:(HSK|REC|EXT)\[?(0x[0-9a-f]+)?\]?: )?(.*)")
_SENT: Final = re.compile(r"([A-Z][A-Z ]+) was (?:queued|sent) \[(\d+)(?: bytes)?\]")
_GOT: Final = re.compile(r"([A-Z][A-Z ]+) \((\d+)\) was received\. Length (\d+)")
_ALERT: Final = re.compile(r"(?:(Sending )|\s*)(?:REC: )?Alert\[(\d+)\|(\d+)\] - .*?(was received)?$")
_TOLD: Final = re.compile(r"\*\*\* Received alert \[(\d+)\]")
_FATAL: Final = re.compile(r"\*\*\* Fatal error: (.*)")
_PEER: Final = re.compile(r"Connecting to '(?:\[?([0-9A-Fa-f.:]+)\]?):(\d+)'")
_CERTIFICATE: Final = re.compile(
    r"\s*-? ?subject [`'](.*?)', issuer [`'](.*?)', (?:serial 0x([0-9a-f]+), )?(.*?)"
    r"activated [`']([^']*)', expires [`']([^']*)'"
)
_SENT_MANY: Final = re.compile(r"- Successfully sent (\d+) certificate")
_DESCRIPTION: Final = re.compile(r"- (?:Description|Version): \(?((?:TLS|SSL|DTLS)\d\.\d)")


def open_log(source: str, keeping: Keeping) -> GnuTlsText:
    """Return a reader for one text."""
    return GnuTlsText(source, keeping)


class GnuTlsText(TalkLog):
    """One text of a GnuTLS program; its sessions are told apart by their addresses in memory."""

    def __init__(self, source: str, keeping: Keeping) -> None:
        super().__init__(source, keeping)
        self._talks: dict[str, Talk] = {}
        self._talk: Talk = self.fresh(1)
        self._client = False
        self._connected = False

    def line(self, text: bytes, number: int) -> None:
        """Take line ``number``."""
        line = text.rstrip(b"\r")
        found = _DEBUG.match(line)
        if found is None:
            self._summary(line.decode("utf-8", "replace"), number)
        elif found[1] or b"Alert[" in found[3]:
            self._debug((found[2] or b"").decode(), found[3].decode("utf-8", "replace"), number)

    def finish(self) -> None:
        """Say that there are no more lines."""
        talks = list(self._talks.values())
        if self._talk not in talks:
            talks.append(self._talk)
        for talk in sorted(talks, key=_place):
            self.tell(talk)
        self._talks = {}

    def _of(self, pointer: str, at: int, hello: bool = False) -> Talk:
        """Return the session at an address; a hello where one is over begins the next one there."""
        if not pointer:
            return self._talk
        talk = self._talks.get(pointer)
        if talk is not None and hello and (talk.alerted() or self._client):
            self._talks.pop(pointer)
            self.tell(talk)
            talk = None
        if talk is None:
            talk = self._talk if self._talk.empty and self._talk not in self._talks.values() else self.fresh(at)
            self._talks[pointer] = talk
            if len(self._talks) > MOST_OPEN:
                oldest = next(iter(self._talks))
                self.tell(self._talks.pop(oldest))
        self._talk = talk
        return talk

    def _debug(self, pointer: str, text: str, at: int) -> None:
        """Take a line of the library's own log."""
        if found := _SENT.match(text):
            self._message(pointer, True, found[1], int(found[2]) - 4, at)
        elif found := _GOT.match(text):
            self._message(pointer, False, found[1], int(found[3]), at, int(found[2]))
        elif text.startswith("parsing encrypted extensions"):
            self._of(pointer, at).message(False, 8, at, Grade.detail)
        elif text.startswith("Sent ChangeCipherSpec"):
            self._of(pointer, at).change(True, at, Grade.detail)
        elif "Received Packet ChangeCipherSpec" in text or text.startswith("ChangeCipherSpec packet was received"):
            self._of(pointer, at).change(False, at, Grade.detail)
        elif (found := _ALERT.match(text)) and (found[1] or found[4]):
            level, code = int(found[2]) & 0xFF, int(found[3]) & 0xFF
            self._of(pointer, at).alert(bool(found[1]), level, code, at, Grade.detail)
        elif text.startswith("Selected cipher suite: "):
            facts = self._of(pointer, at).facts
            name = text.partition(": ")[2].strip()
            facts.cipher = cipher_name(name)
            if facts.cipher is not None and "_WITH_" not in facts.cipher:
                facts.version = "TLS 1.3"  # RFC 8446 §B.4: its suites name no key exchange
        elif text.startswith("Server's version: ") and self._of(pointer, at).facts.version is None:
            self._of(pointer, at).facts.version = {
                "3.0": "SSLv3",
                "3.1": "TLS 1.0",
                "3.2": "TLS 1.1",
                "3.3": "TLS 1.2",
            }.get(text.partition(": ")[2].strip())

    def _message(self, pointer: str, own: bool, name: str, size: int, at: int, code: int | None = None) -> None:
        number = message_code(name) if code is None else code & 0xFF
        if number is None:
            return
        talk = self._of(pointer, at, hello=number == 1 and own is not False and not self._retry(pointer))
        talk.message(own, number, at, Grade.detail, max(size, 0))

    def _retry(self, pointer: str) -> bool:
        """Whether a second ClientHello answers the server: nothing fatal was said in the session."""
        talk = self._talks.get(pointer)
        return talk is not None and not talk.alerted()

    def _summary(self, text: str, at: int) -> None:
        """Take a line that the program itself prints."""
        talk = self._talk
        facts = talk.facts
        if found := _PEER.match(text):
            self._peer(found, at)
        elif found := _TOLD.match(text):
            code = int(found[1]) & 0xFF
            if not talk.heard(code):
                talk.alert(False, FATAL, code, at, Grade.summary)
        elif found := _CERTIFICATE.match(text):
            self._certificate(found)
        elif found := _SENT_MANY.match(text):
            facts.asked, facts.sent = True, found[1] != "0"
        elif text.startswith("- Server has requested a certificate"):
            facts.asked = True
        elif found := _DESCRIPTION.match(text):
            facts.version = version_name(found[1]) or facts.version
        elif text.startswith("- Handshake was completed"):
            facts.established = True
        elif (found := _FATAL.match(text)) and "verification" in found[1].lower():
            talk.alert(True, FATAL, 42, at, Grade.summary, True)
        elif text.startswith("Error in handshake: "):
            said = alert_code(text.partition(": ")[2])
            if said is not None:
                talk.alert(False, FATAL, said, at, Grade.summary)

    def _peer(self, found: re.Match[str], at: int) -> None:
        """gnutls-cli connects. Its own words may come behind the library's, which are not buffered."""
        if self._connected:
            self.finish()
            self._talk = self.fresh(at)
        self._connected = self._client = True
        self._talk.server = False
        self._talk.addresses["server"] = (found[1], int(found[2]) & 0xFFFF)

    def _certificate(self, found: re.Match[str]) -> None:
        side: Side = self._talk.peer
        self._talk.facts.described.setdefault(
            side,
            Certificate(
                der=b"",
                sha256="",
                subject=found[1].replace("EMAIL=", "emailAddress="),
                issuer=found[2].replace("EMAIL=", "emailAddress="),
                serial=found[3],
                not_before=_date(found[5]),
                not_after=_date(found[6]),
            ),
        )


def _place(talk: Talk) -> int:
    return talk.place


def _date(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
    except ValueError:
        return None
