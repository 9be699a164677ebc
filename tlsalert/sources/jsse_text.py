"""What Java prints with ``-Djavax.net.debug=ssl,handshake`` or ``all`` → connections: JSSE's old format and the new.

The new format (11 and later, 8u261 and later) begins each entry with "javax.net.ssl|LEVEL|thread|name|time|place|" and
prints messages like JSON; the old one prints "*** ClientHello, TLSv1.2" and "main, READ: TLSv1.2 Handshake". With
``all`` (or ``packet``) both dump the bytes on the wire. Certificates are described, not shown.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from tlsalert.model import Certificate, Side
from tlsalert.registry.cipher_suites import CipherSuite
from tlsalert.sources.hexdump import JsseDump
from tlsalert.sources.spellings import alert_code, cipher_name, message_code, version_name
from tlsalert.sources.talk import CERTIFICATE, CLIENT_HELLO, FATAL, SERVER_HELLO, Bytes, Closed, Grade, Talk
from tlsalert.sources.talk_log import MOST_OPEN, TalkLog
from tlsalert.wire.transcript import Keeping

_ENTRY: Final = re.compile(r"javax\.net\.ssl\|(\w+)\|([^|]{1,40})\|(.{0,200}?)\|([^|]{10,50})\|[^|]{1,200}\|(.*)")
_MESSAGE: Final = re.compile(r"(Produced|Consuming) (.*?)(?: handshake)? message\b")
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\.(\d{3}) (\S+)")
_OLD_MESSAGE: Final = re.compile(r"\*\*\* (\w[\w ]*?)(?:, (TLSv?[\d.]+|SSLv\d))?\s*$")
_OLD_RECORD: Final = re.compile(
    r"(.{0,200}?), (READ|WRITE): (\S+) (Change Cipher Spec|Handshake|Alert|Application Data), length"
)
_OLD_ALERT: Final = re.compile(r"(.{0,200}?), (RECV|SEND) (\S+ )?ALERT:\s+(fatal|warning), (?:description = )?(\w+)")
_OLD_RAW: Final = re.compile(r"\[Raw (read|write)\]: length = (\d+)")
_OLD_COOKIE: Final = re.compile(r"RandomCookie:\s+GMT: (-?\d+) bytes = \{ ([\d, ]+)\}")
_FATAL: Final = re.compile(r"Fatal \((\w+)\): (.*)")
_QUOTED: Final = re.compile(r'\s*"([\w ]+?)"\s*: "(.*)"')
_EXCEPTION: Final = re.compile(r"(?:.*Exception.*: )?Received fatal alert: (\w+)")

#: Zones whose offset (in hours) their name tells; all others leave the time unknown.
_ZONES: Final = {"UTC": 0, "GMT": 0, "Z": 0, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "EST": -5, "EDT": -4, "CDT": -5}
_ZONES_MORE: Final = {"MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9, "MSK": 3, "AEST": 10, "AEDT": 11}
#: What Java's path validation says, and the causes that it has.
_OBJECTIONS: Final = (
    ("unable to find valid certification path", ("unknown_ca", "chain_incomplete")),
    ("NotBefore: ", ("certificate_not_yet_valid",)),
    ("CertificateNotYetValidException", ("certificate_not_yet_valid",)),
    ("NotAfter: ", ("certificate_expired",)),
    ("CertificateExpiredException", ("certificate_expired",)),
    ("No subject alternative", ("name_mismatch",)),
    ("No name matching", ("name_mismatch",)),
    ("doesn't match any of the subject alternative names", ("name_mismatch",)),
    ("Extended key usage does not permit", ("wrong_certificate_usage",)),
    ("KeyUsage does not allow", ("wrong_certificate_usage",)),
    ("Certificate has been revoked", ("certificate_revoked",)),
    ("does not conform to algorithm constraints", ("weak_certificate",)),
    ("Signature does not match", ("bad_certificate_signature",)),
)
#: Messages that only one side can send, RFC 5246 §7.4: the old format does not say who did.
_BY_SERVER: Final = frozenset((2, 4, 8, 12, 13, 14, 22))


def open_log(source: str, keeping: Keeping) -> JsseText:
    """Return a reader for one text."""
    return JsseText(source, keeping)


class JsseText(TalkLog):
    """One text of a Java program; its connections are told apart by their threads."""

    def __init__(self, source: str, keeping: Keeping) -> None:
        super().__init__(source, keeping)
        self._threads: dict[str, _Thread] = {}
        self._thread = _Thread(self.fresh(1))
        self._dump: JsseDump | None = None

    def line(self, text: bytes, number: int) -> None:
        """Take line ``number``."""
        line = text.rstrip(b"\r").decode("utf-8", "replace")
        if self._dump is not None:
            if self._dump.take(line):
                return
            self._dumped()
        found = _ENTRY.match(line)
        if found is not None:
            self._enter(found[2], found[4], number)
            self._entry(found[5], number)
            return
        self._inside(line, number)

    def finish(self) -> None:
        """Say that there are no more lines."""
        if self._dump is not None:
            self._dumped()
        threads = [*self._threads.values()]
        if self._thread not in threads:
            threads.append(self._thread)
        for thread in sorted(threads, key=_place):
            thread.message_ended()
            self.tell(thread.talk)
        self._threads = {}

    # -- threads

    def _enter(self, name: str, when: str, at: int) -> None:
        """Go on with what a thread says."""
        thread = self._threads.get(name)
        if thread is None:
            thread = self._thread if not self._threads else _Thread(self.fresh(at))
            self._threads[name] = thread
            if len(self._threads) > MOST_OPEN:
                oldest = self._threads.pop(next(iter(self._threads)))
                oldest.message_ended()
                self.tell(oldest.talk)
        self._thread.message_ended()
        self._thread = thread
        thread.when = when

    def _renew(self, at: int) -> None:
        """Begin a new connection of this thread."""
        old = self._thread
        old.message_ended()
        self.tell(old.talk)
        fresh = _Thread(self.fresh(at))
        fresh.when = old.when
        for name, thread in self._threads.items():
            if thread is old:
                self._threads[name] = fresh
        self._thread = fresh

    # -- the new format

    def _entry(self, text: str, at: int) -> None:
        thread = self._thread
        if found := _MESSAGE.match(text):
            self._message(found[1] == "Produced", found[2], at)
        elif text.startswith("Received alert message"):
            thread.alert = [None, at]
        elif text.startswith(("Raw write", "Raw read")):
            self._dump = JsseDump(text.startswith("Raw write"), -1, at)
        elif text.startswith("Negotiated protocol version: "):
            thread.talk.facts.version = version_name(text)
        elif found := _FATAL.match(text):
            self._fatal(found[1], found[2], at)

    def _message(self, own: bool, name: str, at: int) -> None:
        if name == "ChangeCipherSpec":
            self._thread.talk.change(own, at, Grade.detail)
            return
        words = name.split(" ")
        code = message_code(words[-1])
        if code is None or (name.endswith("Request") and words[-1] == "HelloRequest"):
            return
        if name == "HelloRetryRequest":
            code = SERVER_HELLO
        self._begin(own, code, at)

    def _begin(self, own: bool, code: int, at: int) -> None:
        """Begin a message, and a connection where it is a new ClientHello."""
        thread = self._thread
        thread.message_ended()
        if code == CLIENT_HELLO and thread.greeted and (thread.over or thread.answered):
            self._renew(at)
            thread = self._thread
        if code == CLIENT_HELLO:
            thread.greeted = True
            thread.talk.server = not own
            thread.talk.time = thread.talk.time or _time(thread.when)
        elif code not in (SERVER_HELLO,):
            thread.answered = True
        thread.message = _Message(own, code, at)

    def _fatal(self, name: str, says: str, at: int) -> None:
        """Java ends the connection: it sends this alert, unless it only got one."""
        thread = self._thread
        thread.over = True
        talk = thread.talk
        received = _EXCEPTION.match(says)
        code = alert_code(received[1] if received else name)
        if received is not None:
            if code is not None and not talk.heard(code):
                talk.alert(False, FATAL, code, at, Grade.summary)
            return
        if "closed" in says or "EOF" in says or "reset" in says:
            talk.add(Closed(False, "reset" in says, at))
            return
        if code is not None:
            talk.alert(True, FATAL, code, at, Grade.summary)
        self._objects(says, at)

    def _objects(self, says: str, at: int) -> None:
        for words, causes in _OBJECTIONS:
            if words in says and self._thread.talk.facts.objection is None:
                self._thread.talk.object(frozenset(causes), says[:200], at)

    # -- what stands inside entries, and the old format

    def _inside(self, line: str, at: int) -> None:
        thread = self._thread
        if thread.alert is not None and (field := _QUOTED.match(line)):
            self._alert_field(field[1].strip(), field[2])
        elif found := _OLD_MESSAGE.match(line):
            self._old_message(found[1], found[2], at)
        elif line.startswith("***"):
            thread.message_ended()
        elif found := _OLD_RECORD.match(line):
            self._old_record(found, at)
        elif found := _OLD_ALERT.match(line):
            code = alert_code(found[5])
            if code is not None:
                thread.talk.alert(found[2] == "SEND", 2 if found[4] == "fatal" else 1, code, at, Grade.detail)
                thread.over = True
        elif found := _OLD_RAW.match(line):
            self._dump = JsseDump(found[1] == "write", int(found[2]), at)
        elif thread.message is not None:
            thread.message.line(line)
        elif (found := _EXCEPTION.match(line)) and (code := alert_code(found[1])) is not None:
            if not thread.talk.heard(code):
                thread.talk.alert(False, FATAL, code, at, Grade.summary)
        elif "Exception: " in line:
            self._objects(line, at)

    def _alert_field(self, name: str, value: str) -> None:
        """Take "level" and "description" of an alert that came."""
        thread = self._thread
        if thread.alert is None:
            return
        level, at = thread.alert
        if name == "level":
            thread.alert = [2 if value == "fatal" else 1, at]
        elif name == "description":
            thread.alert = None
            code = alert_code(value)
            if code is not None:
                thread.talk.alert(False, level or FATAL, code, at or 0, Grade.detail)
                thread.over = level == FATAL

    def _old_message(self, name: str, version: str | None, at: int) -> None:
        thread = self._thread
        thread.message_ended()
        code = CERTIFICATE if name == "Certificate chain" else message_code(name.split(" ")[-1])
        if code is None:
            return
        server = bool(thread.talk.server)
        if code == CLIENT_HELLO and thread.talk.server is None:
            server = thread.read_first
        by_server = code in _BY_SERVER or (code == CERTIFICATE and not thread.done)
        if name == "Finished":
            by_server = thread.finished
            thread.finished = not thread.finished
        thread.done = thread.done or code == 14
        self._begin(by_server == server if code != CLIENT_HELLO else not server, code, at)
        if version is not None and code == SERVER_HELLO:
            self._thread.talk.facts.version = version_name(version)

    def _old_record(self, found: re.Match[str], at: int) -> None:
        thread = self._thread
        thread.message_ended()
        if not thread.greeted:
            thread.read_first = found[2] == "READ"
        if found[4] == "Change Cipher Spec":
            thread.talk.change(found[2] == "WRITE", at, Grade.detail)

    def _dumped(self) -> None:
        dump, self._dump = self._dump, None
        if dump is None or not dump.data:
            return
        data, talk = dump.data, self._thread.talk
        fresh = len(data) > 5 and data[0] == 22 and data[5] == CLIENT_HELLO
        if fresh and talk.raw and self._thread.over:
            self._renew(dump.place)
            talk = self._thread.talk
        if talk.server is None and data[0] == 22:
            talk.server = not dump.own
        talk.add(Bytes(dump.own, data, dump.place))


class _Thread:
    """A thread, and the connection that it works on."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.when = ""
        self.message: _Message | None = None
        self.alert: list[int | None] | None = None
        self.greeted = self.answered = self.over = self.done = self.finished = self.read_first = False

    def message_ended(self) -> None:
        """Take the message of which no more lines come."""
        message, self.message = self.message, None
        self.alert = None
        if message is None:
            return
        talk, code = self.talk, message.code
        side: Side = talk.own if message.own else talk.peer
        body = message.body()
        if code in (CLIENT_HELLO, SERVER_HELLO):
            if body is not None:
                talk.facts.rebuilt = True
            if code == SERVER_HELLO:
                talk.facts.cipher = message.cipher() or talk.facts.cipher
        if code == CERTIFICATE:
            if message.empty:
                body = bytes(4 if talk.facts.version == "TLS 1.3" else 3)
            elif (described := message.certificate()) is not None:
                talk.facts.described.setdefault(side, described)
        talk.message(message.own, code, message.place, Grade.detail, -1, body)


class _Message:
    """A message as it is printed, in either format."""

    def __init__(self, own: bool, code: int, place: int) -> None:
        self.own = own
        self.code = code
        self.place = place
        self.empty = False
        self._fields: dict[str, str] = {}
        self._cookie: bytes | None = None
        self._selected = False

    def line(self, line: str) -> None:
        """Take a line of it."""
        if len(self._fields) > 100:
            return
        if found := _QUOTED.match(line):
            self._fields.setdefault(" ".join(found[1].split()), found[2])
        elif found := _OLD_COOKIE.match(line):
            numbers = [int(part) & 0xFF for part in found[2].replace(" ", "").split(",") if part][:28]
            self._cookie = (int(found[1]) & 0xFFFFFFFF).to_bytes(4, "big") + bytes(numbers)
        elif "<empty list>" in line or line.strip() == "<Empty>" or '"certificate_list": [' in line:
            self.empty = True
        elif '"certificate" : {' in line:
            self.empty = False
        elif line.strip().startswith(("Subject: ", "Issuer: ", "Cipher Suite: ", "Validity: ", "Session ID: ")):
            name, _, value = line.strip().partition(": ")
            self._fields.setdefault(name, value)
        elif line.strip().startswith("To: "):
            self._fields.setdefault("To", line.strip()[4:].rstrip("]"))
        if '"selected version"' in line and "TLSv1.3" in line:
            self._selected = True

    def cipher(self) -> str | None:
        """Return the cipher suite that a ServerHello chose."""
        said = self._fields.get("cipher suite") or self._fields.get("Cipher Suite") or ""
        return cipher_name(said.partition("(")[0].strip())

    def body(self) -> bytes | None:
        """Return a hello put together again from what is printed, as far as its random; None where it is not there."""
        random = self._cookie
        if random is None:
            try:
                random = bytes.fromhex(self._fields.get("random", ""))
            except ValueError:
                return None
        if self.code != SERVER_HELLO or len(random) != 32:
            return None
        number = re.search(r"\(0x([0-9A-Fa-f]{4})\)", self._fields.get("cipher suite", ""))
        suite = bytes.fromhex(number[1]) if number is not None else _suite(self.cipher())
        version = {"TLS 1.2": 3, "TLS 1.1": 2, "TLS 1.0": 1, "SSLv3": 0}.get(
            version_name(self._fields.get("server version", "")) or "TLS 1.2", 3
        )
        if suite is None:
            return None
        extension = b"\x00\x06\x00\x2b\x00\x02\x03\x04" if self._selected else b""
        return bytes((3, version)) + random + b"\0" + suite + b"\0" + extension

    def certificate(self) -> Certificate | None:
        """Return the first certificate, as it is described."""
        fields = self._fields
        subject = fields.get("subject") or fields.get("Subject")
        if subject is None:
            return None
        return Certificate(
            der=b"",
            sha256="",
            subject=_name(subject),
            issuer=_name(fields.get("issuer") or fields.get("Issuer") or "") or None,
            serial=fields.get("serial number", "").replace(":", "").lower() or None,
            not_before=_date(fields.get("not before") or fields.get("Validity", "").partition("From: ")[2].rstrip(",")),
            not_after=_date(fields.get("not after") or fields.get("To", "")),
        )


def _place(thread: _Thread) -> int:
    return thread.talk.place


def _suite(name: str | None) -> bytes | None:
    return None if name is None else int(CipherSuite[name]).to_bytes(2, "big")


def _name(text: str) -> str:
    """Return a name of Java's, which is RFC 4514's order with spaces behind the commas."""
    return re.sub(r",\s+(?=[\w.]+=)", ",", text.strip()).replace("EMAILADDRESS=", "emailAddress=")


def _time(text: str) -> int | None:
    """Return an entry's time in nanoseconds since 1970; None where its zone is not known."""
    found = _TIME.match(text)
    if found is None:
        return None
    hours = _ZONES.get(found[4], _ZONES_MORE.get(found[4]))
    if hours is None:
        return None
    try:
        when = datetime.fromisoformat(f"{found[1]} {found[2]}").replace(tzinfo=UTC) - timedelta(hours=hours)
    except (ValueError, OverflowError):
        return None
    return int(when.timestamp()) * 1_000_000_000 + int(found[3]) * 1_000_000


def _date(text: str) -> datetime | None:
    """Return a certificate's date in the new format ("2026-11-25 03:23:44.000 UTC") or the old one."""
    said = _TIME.match(text.strip())
    if said is not None and (nanoseconds := _time(text.strip())) is not None:
        return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
    found = re.match(r"\w{3} (\w{3} \d\d \d\d:\d\d:\d\d) (\w+) (\d{4})", text.strip())
    hours = None if found is None else _ZONES.get(found[2], _ZONES_MORE.get(found[2]))
    if found is None or hours is None:
        return None
    try:
        return datetime.strptime(f"{found[1]} {found[3]}", "%b %d %H:%M:%S %Y").replace(tzinfo=UTC) - timedelta(
            hours=hours
        )
    except (ValueError, OverflowError):
        return None
