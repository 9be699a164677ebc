"""What ``curl -v``, ``--trace`` and ``--trace-ascii`` print of handshakes → connections.

With OpenSSL (and its kin) curl names each message; ``--trace`` shows its bytes as well, as they were before they were
encrypted. With other libraries there is an error at the end, and what the server's certificate says. ``--trace-time``
adds times of the day, without the date: they date nothing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from tlsalert.model import Certificate
from tlsalert.sources.openssl_errors import OpenSslError, openssl_error
from tlsalert.sources.spellings import alert_code, cipher_name, message_code, version_name
from tlsalert.sources.talk import FATAL, SERVER_HELLO, Closed, Grade, Talk
from tlsalert.sources.talk_log import TalkLog
from tlsalert.wire.transcript import Keeping

#: What stands before a line: a time (--trace-time), and since 8.2 numbers of transfer and connection (--trace-ids).
_BEFORE: Final = re.compile(rb"^(?:\d\d:\d\d:\d\d\.\d{6} )?(?:\[\d+-[\dx]+\] )?")
_INFO: Final = re.compile(rb"(?:== Info: |\* )(.*)")
_TLS: Final = re.compile(
    rb"\s*(\S*?),? (?:\((IN|OUT)\), )?(TLS (?:handshake|alert|change cipher|app data|header|Unknown)|Unknown)"
    rb"(?:, (.*?))?(?: \((\d{1,5})\))?:$"
)
_DATA: Final = re.compile(rb"(?:(=>) Send|(<=) Recv) SSL data, (\d+) bytes|([{}]) \[(\d+) bytes data\]")
_DUMP: Final = re.compile(rb"([0-9a-f]{4,8}): ((?:[0-9a-f]{2} ){1,16}) *")
_PEER: Final = re.compile(
    r"(?:Connected to .*\(([0-9A-Fa-f.:%\w]+)\) port (\d+)|Established connection to .*\(([0-9A-Fa-f.:]+) port (\d+)\))"
)
_TRYING: Final = re.compile(r"\s*Trying (?:\[([0-9A-Fa-f:]+)\]|([0-9.]+)|([0-9A-Fa-f:]+))(?::(\d+))?\.\.\.")
_USING: Final = re.compile(r"SSL connection using (\S+)(?: / (\S+))?")
_NSS: Final = re.compile(r"NSS error -?\d+ \(SSL_ERROR_(\w+?)(?:_ALERT)?\)|SSL_ERROR_(\w+)_ALERT")
_GNUTLS: Final = re.compile(r"(?:gnutls_handshake\(\) failed|GnuTLS.*?): .*?(?:[Aa]lert(?: \[(\d+)\])?)")
_PROBLEM: Final = re.compile(r"SSL certificate problem: (.*)|.*unable to get local issuer certificate")
_FIELD: Final = re.compile(r"\s*(subject|start date|expire date|issuer): (.*)")
_ALPN: Final = re.compile(r"ALPN(?::|,) server accepted(?: to use)? (\S+)")

#: curl's words for why it refuses a server's certificate: those of OpenSSL's X509_verify_cert_error_string.
_PROBLEMS: Final = {
    "certificate is not yet valid": ("certificate_not_yet_valid", 42),
    "certificate has expired": ("certificate_expired", 45),
    "self signed certificate": ("unknown_ca", 48),
    "self-signed certificate": ("unknown_ca", 48),
    "unable to get local issuer certificate": ("unknown_ca", 48),
    "unable to get issuer certificate": ("unknown_ca", 48),
    "unable to verify the first certificate": ("unknown_ca", 48),
    "certificate revoked": ("certificate_revoked", 44),
    "invalid ca certificate": ("chain_invalid", 48),
    "unsupported certificate purpose": ("wrong_certificate_usage", 43),
    "unsuitable certificate purpose": ("wrong_certificate_usage", 43),
    "certificate signature failure": ("bad_certificate_signature", 51),
    "ee certificate key too weak": ("weak_certificate", 42),
    "ca md too weak": ("weak_certificate", 42),
}


def open_log(source: str, keeping: Keeping) -> CurlText:
    """Return a reader for one text."""
    return CurlText(source, keeping)


class CurlText(TalkLog):
    """One text of curl; its connections follow each other."""

    def __init__(self, source: str, keeping: Keeping) -> None:
        super().__init__(source, keeping)
        self._begin(1)

    def line(self, text: bytes, number: int) -> None:
        """Take line ``number``."""
        start = _BEFORE.match(text)
        line = text[start.end() :] if start is not None else text
        if self._pending is not None and self._pending.take(line):
            return
        if found := _DATA.match(line):
            if self._pending is not None:
                self._pending.announced(int(found[3] or found[5]), bool(found[1]) or found[4] == b"}")
            return
        if found := _INFO.match(line):
            self._info(found[1].rstrip(b"\r"), number)
        elif found := re.match(rb"curl: \(\d+\) (.*)", line):
            self._words(found[1].decode("utf-8", "replace"), number)
        elif line.startswith((b"< HTTP/", b"<= Recv header")):
            self._answered()

    def finish(self) -> None:
        """Say that there are no more lines."""
        self._end()

    def _begin(self, at: int) -> None:
        self._talk: Talk = self.fresh(at)
        self._talk.server = False
        self._pending: _Pending | None = None
        self._connected = False
        self._fields: dict[str, str] | None = None
        self._trouble = False

    def _end(self) -> None:
        self._message_ended()
        self._certificate()
        self.tell(self._talk)

    def _answered(self) -> None:
        """An HTTP response came through: the handshake had gone well."""
        self._message_ended()
        if not self._talk.alerted():
            self._talk.facts.established = True

    def _info(self, line: bytes, at: int) -> None:
        """Take one of curl's own remarks."""
        self._message_ended()
        found = _TLS.match(line)
        if found is not None:
            if (found[3] or b"") in (b"TLS handshake", b"TLS alert", b"TLS change cipher"):
                self._pending = _Pending(found, at)
            return
        self._words(line.decode("utf-8", "replace"), at)

    def _words(self, text: str, at: int) -> None:
        facts = self._talk.facts
        if self._fields is not None and (field := _FIELD.match(text)):
            self._fields.setdefault(field[1], field[2])
            return
        if found := _TRYING.match(text):
            self._address(found[1] or found[2] or found[3], found[4], at)
        elif found := _PEER.match(text):
            self._address(found[1] or found[3], found[2] or found[4], at)
            self._connected = True
        elif found := _USING.match(text):
            facts.version = version_name(found[1]) or facts.version
            facts.cipher = cipher_name(found[2] or "") or facts.cipher
            if facts.version != "TLS 1.3" and not self._talk.alerted():
                facts.established = True  # it is printed when the handshake is done
        elif text.startswith("Server certificate"):
            self._fields = {}
        elif found := _ALPN.match(text):
            facts.alpn = found[1]
        elif "client certificate from file" in text:
            facts.sent = True
        else:
            self._trouble_in(text, at)

    def _trouble_in(self, text: str, at: int) -> None:
        """Take an error: of the TLS library, of the verification of the server's certificate, of the transport."""
        talk = self._talk
        if found := _NSS.search(text):
            code = alert_code((found[1] or found[2]).replace("_", " "))
            if code is not None and not talk.heard(code):
                talk.alert(False, FATAL, code, at, Grade.summary)
        elif (found := _GNUTLS.search(text)) and (found[1] or "alert" in text):
            code = int(found[1]) & 0xFF if found[1] else alert_code(text.rpartition(":")[2])
            if code is not None and not talk.heard(code):
                talk.alert(False, FATAL, code, at, Grade.summary)
        elif (error := _error_in(text)) is not None:
            if error.alert is not None and not talk.heard(error.alert):
                talk.alert(False, FATAL, error.alert, at, Grade.summary)
        elif (problem := _PROBLEM.match(text)) and problem[1]:
            self._problem(problem[1], at)
        elif "Connection reset by peer" in text or "SSL_ERROR_SYSCALL" in text:
            talk.add(Closed(False, "reset" in text, at))

    def _problem(self, words: str, at: int) -> None:
        """Curl refuses the server's certificate, and its library sends the alert for that."""
        known = _PROBLEMS.get(words.strip().lower())
        if known is None or self._talk.facts.objection is not None:
            return
        cause, code = known
        self._talk.object(frozenset((cause,)), f"SSL certificate problem: {words.strip()}", at)
        self._talk.alert(True, FATAL, code, at, Grade.summary, True)

    def _address(self, address: str, port: str | None, at: int) -> None:
        """A connection is being made."""
        if self._connected or not self._talk.empty:
            self._end()
            self._begin(at)
        known = self._talk.addresses.get("server", ("", 0))
        self._talk.addresses["server"] = (address, int(port) & 0xFFFF if port else known[1])

    def _message_ended(self) -> None:
        """Take the message of which no more lines come."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        talk, data = self._talk, bytes(pending.data)
        if pending.kind == b"TLS change cipher":
            talk.change(pending.own, pending.place, Grade.detail)
        elif pending.kind == b"TLS alert":
            if len(data) == 2:
                talk.alert(pending.own, data[0], data[1], pending.place, Grade.detail)
            elif pending.number > 0xFF:
                talk.alert(pending.own, pending.number >> 8, pending.number & 0xFF, pending.place, Grade.detail)
        elif (code := data[0] if data else pending.number or message_code(pending.name)) is not None:
            if code > SERVER_HELLO and talk.facts.version is None:
                talk.facts.version = version_name(pending.version)  # until then it is the record layer's alone
            whole = len(data) >= 4 and int.from_bytes(data[1:4], "big") == len(data) - 4
            size = pending.size - 4 if pending.size >= 4 else -1
            talk.message(pending.own, code & 0xFF, pending.place, Grade.detail, size, data[4:] if whole else None)

    def _certificate(self) -> None:
        """Take what is printed of the server's certificate, where its bytes are not."""
        fields, self._fields = self._fields, None
        if not fields or "subject" not in fields:
            return
        self._talk.facts.described["server"] = Certificate(
            der=b"",
            sha256="",
            subject=_name(fields["subject"]),
            issuer=_name(fields.get("issuer", "")) or None,
            not_before=_date(fields.get("start date", "")),
            not_after=_date(fields.get("expire date", "")),
        )


class _Pending:
    """A message that was named; its length, and its bytes if they are shown, stand in the lines behind it."""

    def __init__(self, found: re.Match[bytes], place: int) -> None:
        self.version = found[1].decode("utf-8", "replace")
        self.kind = found[3]
        self.name = (found[4] or b"").decode("utf-8", "replace")
        self.number = int(found[5] or 0)
        self.directed = found[2] is not None
        self.own = found[2] == b"OUT"
        self.place = place
        self.size = -1
        self.data = bytearray()

    def announced(self, size: int, own: bool) -> None:
        """Take the length of the message, and its direction: before 7.48 that stands here alone."""
        if self.size < 0:
            self.size = size
            if not self.directed:
                self.own = own

    def take(self, line: bytes) -> bool:
        """Take a line of a dump; say whether it is one of this message's."""
        if self.size < 0 or len(self.data) >= min(self.size, 1 << 18):
            return False
        found = _DUMP.match(line)
        if found is None or int(found[1], 16) != len(self.data):
            return False
        self.data += bytes.fromhex(found[2].decode())[: self.size - len(self.data)]
        return True


def _error_in(text: str) -> OpenSslError | None:
    at = text.find("error:")
    return None if at < 0 else openssl_error(text[at:].encode("utf-8", "replace"))


def _name(text: str) -> str:
    """Return a name of curl's ("C=US; CN=a", from the root down) as RFC 4514 text."""
    return ",".join(reversed([part.strip() for part in re.split(r"[;,] ", text)]))


def _date(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    except ValueError:
        return None
