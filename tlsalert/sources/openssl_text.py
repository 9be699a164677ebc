"""What ``openssl s_client`` and ``s_server`` print → connections: OpenSSL 0.9.8 to 3.x, and LibreSSL.

``-debug`` shows the bytes, ``-msg`` and ``-trace`` the messages decoded and decrypted, ``-state`` names; without any
of them there are a summary and errors. All of it may be mixed, and stderr may stand in the middle of a line of stdout.
Times are not printed, but for the client's own at the start of the session ("Start Time").
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.model import Side
from tlsalert.pki.der import children, element
from tlsalert.registry.openssl_reasons import by_number
from tlsalert.registry.verify_errors import OTHERWISE, by_code
from tlsalert.sources.hexdump import BioDump
from tlsalert.sources.openssl_errors import (
    NO_CERTIFICATE,
    NONE_RETURNED,
    UNEXPECTED_EOF,
    VERIFY_FAILED,
    openssl_error,
)
from tlsalert.sources.openssl_trace import Trace
from tlsalert.sources.spellings import alert_code, cipher_name, message_code, name_in_order, version_name
from tlsalert.sources.talk import (
    CERTIFICATE_REQUEST,
    CLIENT_HELLO,
    FATAL,
    Bytes,
    Closed,
    Gap,
    Grade,
    Talk,
)
from tlsalert.sources.talk_log import TalkLog
from tlsalert.sources.unwoven import ON_STDERR, Unwoven
from tlsalert.wire.transcript import HELLO_RETRY_REQUEST, Keeping

CERTIFICATE_REQUIRED: Final = 116
HANDSHAKE, HEADER = 22, 5
SECOND: Final = 1_000_000_000
#: A PEM block or the bytes of one message that are kept: no more is TLS.
LONGEST: Final = 1 << 20
#: Sessions of one text that are told; names of authorities of one session.
MOST_NAMES: Final = 1000
TRIMMED: Final = "{} bytes at the ends of dumps are spaces or NULs that the text leaves out: they were taken as NULs"

_HEX = rb"(?:0[xX])?[0-9A-Fa-f]+"
_LINE: Final = re.compile(
    rb"(?P<op>(?:read from|write to) " + _HEX + rb" \[" + _HEX + rb"\] \(\d+ bytes => -?\d+)|"
    rb"(?P<message>(?:>>>|<<<) )|"
    rb"(?P<state>SSL_(?:connect|accept):)|"
    rb"(?P<alert>SSL3 alert (?:read|write):)|"
    rb"(?P<error>(?:[0-9A-Fa-f]+:)?error:[0-9A-Fa-f]{8}:)|"
    rb"(?P<errno>(?:read|write|connect):errno=\d+)|"
    rb"(?P<verify_error>verify error:num=\d+:)|"
    rb"(?P<verify_return>verify return:\d)|"
    rb"(?P<depth>depth=\d+ )|"
    rb"(?P<pem>-----BEGIN (?:X509 |TRUSTED )?(?:CERTIFICATE|SSL SESSION PARAMETERS)-----)|"
    rb"(?P<connected>CONNECTED\([0-9A-Fa-f]{8}\))|"
    rb"(?P<command>(?:\S{0,200}[$#%>] ?)?(?:\S+/)?openssl[-.\w]*\s+s_(?:client|server)\b|"
    rb"\S{0,200}[$#%>] .{0,1000}\bopenssl[-.\w]*\s+s_(?:client|server)\b)|"
    rb"(?P<server>verify depth is \d+, must return|ACCEPT$|Using default temp |Setting secondary ctx|CIPHER is )|"
    rb"(?P<record>(?:Sent|Received) (?:TLS )?Record$)|"
    rb"(?P<closed>ERROR$|DONE$|CONNECTION CLOSED|shutting down SSL|closed$|drop connection and then reconnect)|"
    rb"(?P<connecting>Connecting to [0-9A-Fa-f.:]+$)|"
    rb"(?P<fact>New, |Reused, |    Protocol  |    Cipher    |    Start Time:|Acceptable client certificate CA names|"
    rb"No client certificate CA names sent|Client Certificate Types:|Requested Signature Algorithms:|---$|"
    rb"SSL handshake has read |no peer certificate available|ALPN protocol: |Certificate chain$|Server certificate$|"
    rb"Client certificate$|Protocol: |Protocol version: )"
)
_OP: Final = re.compile(rb"(read from|write to) \S+ \[\S+\] \((\d+) bytes => (-?\d+)")
_MESSAGE: Final = re.compile(
    rb"(?:>>>|<<<) (.*?)(?:,? (Handshake|Alert|ChangeCipherSpec|RecordHeader|InnerContent|ApplicationData|Heartbeat)"
    rb"| ?\?\?\?)? ?\[length ([0-9a-fA-F]{4,8})\](?:, (.*))?"
)
_BYTES: Final = re.compile(rb"    ((?:[0-9a-f]{2} ?)+)(?:\.\.\.)?\s*$")
_STATE: Final = re.compile(rb"SSL_(connect|accept):(.*)")
_STEP: Final = re.compile(r"(?:failed in )?\S+ (read|write) (.*?)(?: [A-D])?$")
_WROTE: Final = re.compile(rb"SSL handshake has read (\d+) bytes and written (\d+) bytes")
_TARGET: Final = re.compile(rb"-connect[= ]+(\S+)")
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^:\s]+)|([0-9A-Fa-f]*:[0-9A-Fa-f:.]+)):(\d{1,5})$")
_STARTTIME: Final = re.compile(rb"\s*Start Time: (\d{1,12})")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/=]+\s*$")


def open_log(source: str, keeping: Keeping) -> OpenSslText:
    """Return a reader for one text."""
    return OpenSslText(source, keeping)


class OpenSslText(TalkLog):
    """One text of s_client or s_server, or of several of them one after the other."""

    def __init__(self, source: str, keeping: Keeping) -> None:
        super().__init__(source, keeping)
        self._unwoven = Unwoven()
        self._server: bool | None = None
        self._guesses = 0
        self._handlers = {kind: getattr(self, f"_on_{kind}") for kind in _LINE.groupindex}
        self._begin(1)

    def line(self, text: bytes, number: int) -> None:
        """Take line ``number``."""
        if self._dump is not None and not self._unwoven.waits and self._dump.take_whole(text):
            return
        for whole, at in self._unwoven.feed(text, number):
            self._whole(whole.rstrip(b"\r"), at)

    def finish(self) -> None:
        """Say that there are no more lines."""
        for whole, at in self._unwoven.finish():
            self._whole(whole.rstrip(b"\r"), at)
        self._end()

    def notes(self) -> Sequence[str]:
        """Return what is to be said of the text as a whole."""
        notes = [*super().notes()]
        if self._guesses:
            notes.append(TRIMMED.format(self._guesses))
        return notes

    # -- sessions

    def _begin(self, at: int) -> None:
        """Begin the next session."""
        self._talk = self.fresh(at)
        self._talk.server = self._server
        self._dump: BioDump | None = None
        self._body: _Body | None = None
        self._pem: _Pem | None = None
        self._trace: Trace | None = None
        self._names = False
        self._connected = False
        self._stated = False
        self._over = False
        self._head: Bytes | None = None
        self._greeted = False
        self._answered = False
        self._cut: Closed | None = None
        self._last_state = b""
        self._verify: tuple[int, str, int] | None = None
        self._passed = False
        self._trouble = False
        self._cipher = False
        self._failed_write = 0

    def _end(self) -> None:
        """Tell the session."""
        self._pause()
        self._conclude(self._talk)
        self.tell(self._talk)

    def _fresh(self, at: int) -> None:
        """End the session, and begin the next one."""
        self._end()
        self._begin(at)

    def _conclude(self, talk: Talk) -> None:
        """Draw the conclusions that only the whole text of a session allows."""
        facts = talk.facts
        if self._cut is None and self._failed_write and not self._cipher:
            self._cut = Closed(False, True, self._failed_write)
            self._trouble = True
        if self._cut is not None and not talk.empty:
            talk.add(self._cut)
        bytes_tell = talk.raw and facts.version != "TLS 1.3"
        done = self._cipher or (bool(talk.server) and self._passed)
        if facts.established is None and not bytes_tell and done and not self._trouble and not talk.alerted():
            facts.established = True
        if talk.best == Grade.state:
            talk.settle_certificate()

    # -- lines

    def _whole(self, line: bytes, at: int) -> None:
        """Take a whole line. What goes on for several lines of stdout does not end at one of stderr."""
        aside = ON_STDERR.match(line)
        if aside is not None:
            self._heard(line, at)
            return
        if self._dump is not None:
            if self._dump.take(line):
                return
            self._dumped()
        if self._body is not None:
            if self._body.take(line):
                return
            self._message_ended()
        if self._pem is not None:
            if self._pem.take(line):
                return
            self._pem_ended()
        self._heard(line, at)

    def _heard(self, line: bytes, at: int) -> None:
        """Give a line to what takes its kind."""
        found = _LINE.match(line)
        if found is None:
            self._other(line, at)
            return
        kind = found.lastgroup or ""
        if kind not in ("fact", "pem"):
            self._names = False
        self._handlers[kind](line, at)

    def _pause(self) -> None:
        """End what lasts for several lines."""
        if self._dump is not None:
            self._dumped()
        if self._head is not None:
            self._talk.add(self._head)
            self._head = None
        if self._body is not None:
            self._message_ended()
        if self._pem is not None:
            self._pem_ended()
        if self._trace is not None:
            self._trace.finish()

    def _other(self, line: bytes, at: int) -> None:
        if self._trace is not None:
            self._trace.line(line, at)
        if self._names and len(self._talk.facts.authorities) < MOST_NAMES:
            self._talk.facts.authorities.append(name_in_order(line.decode("utf-8", "replace")))

    # -- -debug

    def _on_op(self, line: bytes, at: int) -> None:
        """A read or write, with how many bytes were asked for and how many went through."""
        found = _OP.match(line)
        if found is None:
            return
        own, size = found[1] == b"write to", int(found[3])
        if size > 0:
            self._dump = BioDump(own, min(size, LONGEST), at)
            self._failed_write = 0
        elif own:
            self._failed_write = at
        elif size == 0:
            self._talk.add(Closed(False, False, at))
            self._trouble = self._trouble or not self._cipher

    def _dumped(self) -> None:
        """A dump has ended: its bytes went over the wire."""
        dump, self._dump = self._dump, None
        if dump is None:
            return
        self._guesses += dump.trimmed
        data, head = dump.data, self._head
        if head is not None:
            self._head = None
            if head.own == dump.own:  # one record that was read in two calls
                data = head.data + data
            else:
                self._talk.add(head)
        if len(data) == HEADER and data[0] == HANDSHAKE and not dump.missing:
            self._head = Bytes(dump.own, data, dump.place)
            return
        if data and data[0] in (HANDSHAKE, 0x80) and self._talk.server is None:
            self._is_server(not dump.own)
        self._renew(dump.own, data, dump.place)
        if data:
            self._talk.add(Bytes(dump.own, data, dump.place))
        if dump.missing:
            self._talk.add(Gap(dump.own, dump.missing, dump.place))

    def _renew(self, own: bool, data: bytes, at: int) -> None:
        """Begin a new session where a client begins to speak once more, and was not asked to (RFC 8446 §4.1.4)."""
        if own == bool(self._talk.server):
            self._answered = HELLO_RETRY_REQUEST not in data
        elif len(data) > 9 and data[0] == HANDSHAKE and data[1] == 3 and data[5] == CLIENT_HELLO and data[9] == 3:
            if self._greeted and self._answered:
                self._fresh(at)
            self._greeted = True

    # -- -msg

    def _on_message(self, line: bytes, at: int) -> None:
        """A message, an alert or another piece of a record, as it was before it was encrypted."""
        found = _MESSAGE.match(line)
        if found is None:
            return
        what, name = (found[2] or b"").decode(), (found[4] or b"").decode("utf-8", "replace")
        self._body = _Body(line.startswith(b">>>"), what, name, int(found[3], 16), at)

    def _message_ended(self) -> None:
        body, self._body = self._body, None
        if body is None:
            return
        data, own = bytes(body.data), body.own
        if body.what == "Handshake" or (not body.what and data):
            self._handshake(body, data)
        elif body.what == "Alert":
            if len(data) == 2:
                self._alert_came(own, data[0], data[1], body.place, Grade.detail)
            else:
                level, _, name = body.name.partition(" ")
                code = alert_code(name)
                if code is not None:
                    self._alert_came(own, 2 if level == "fatal" else 1, code, body.place, Grade.detail)
        elif body.what == "ChangeCipherSpec":
            self._talk.change(own, body.place, Grade.detail)

    def _handshake(self, body: _Body, data: bytes) -> None:
        code = data[0] if data else message_code(body.name)
        if code is None:
            return
        if code == CLIENT_HELLO and self._over and not self._talk.raw:
            self._fresh(body.place)
        if len(data) >= 4 and int.from_bytes(data[1:4], "big") == len(data) - 4:
            self._talk.message(body.own, code, body.place, Grade.detail, body=data[4:])
        else:
            self._talk.message(body.own, code, body.place, Grade.detail, max(body.size - 4, 0))

    def _alert_came(self, own: bool, level: int, code: int, at: int, grade: Grade) -> None:
        self._talk.alert(own, level, code, at, grade)
        if level == FATAL:
            self._trouble = True

    # -- -state

    def _on_state(self, line: bytes, at: int) -> None:
        found = _STATE.match(line)
        if found is None:
            return
        server = found[1] == b"accept"
        state = found[2].strip()
        if state.startswith(b"before") and self._stated and self._last_state != state:
            self._fresh(at)
        self._is_server(server)
        if state == self._last_state:
            return
        self._last_state = state
        if state.startswith((b"error in", b"failed in")):
            self._trouble = self._trouble or state.startswith(b"failed in")
            return
        step = _STEP.match(state.decode("utf-8", "replace"))
        if step is None:
            if state.startswith(b"SSL negotiation finished successfully"):
                self._talk.facts.established = None if self._trouble else True
            return
        self._stated = True
        own, name = step[1] == "write", step[2]
        if name.startswith("change cipher spec"):
            self._talk.change(own, at, Grade.state)
            return
        code = message_code(name)
        if name == "certificate request" and server:
            code = CERTIFICATE_REQUEST
        if code is not None:
            self._talk.message(own, code, at, Grade.state)

    def _on_alert(self, line: bytes, at: int) -> None:
        """An alert as -state tells it: "SSL3 alert read:fatal:bad certificate"."""
        _, level, name = [*line.split(b":", 2), b"", b""][:3]
        code = alert_code(name.decode("utf-8", "replace"))
        if code is not None:
            own = line.startswith(b"SSL3 alert write")
            self._alert_came(own, 2 if level == b"fatal" else 1, code, at, Grade.state)

    # -- errors

    def _on_error(self, line: bytes, at: int) -> None:
        error = openssl_error(line)
        if error is None:
            return
        talk = self._talk
        self._trouble = True
        if error.alert is not None:
            talk.alert(False, FATAL, error.alert, at, Grade.summary)
            if error.alert == CERTIFICATE_REQUIRED and not talk.server:
                talk.facts.asked, talk.facts.sent = True, False
        elif error.reason in (VERIFY_FAILED, NONE_RETURNED) and self._verify is not None:
            self._objected(at)
        elif error.reason in (NO_CERTIFICATE, NONE_RETURNED):
            talk.facts.asked, talk.facts.sent, talk.facts.missed = True, False, at
            required = talk.facts.version == "TLS 1.3"  # RFC 8446 §4.4.2.4 against RFC 5246 §7.4.6
            talk.alert(True, FATAL, 116 if required else 40, at, Grade.summary, True)
        elif error.reason == UNEXPECTED_EOF:
            self._close(False, at)
        elif (own := by_number(error.reason)) is not None and own.alert is not None:
            self._talk.alert(True, FATAL, own.alert, at, Grade.summary, True)
        if talk.server:
            self._over = True

    def _objected(self, at: int) -> None:
        """Take it that the program refused its peer's certificate for the last verify error, and the alert for that."""
        talk = self._talk
        if self._verify is None:
            return
        number, words, place = self._verify
        error = by_code(number)
        causes, code = (frozenset[str](), OTHERWISE) if error is None else (error.causes, error.alert)
        talk.object(causes, f"verify error {number}: {words}", place)
        talk.alert(True, FATAL, code, at, Grade.summary, True)
        if talk.server:
            talk.facts.asked, talk.facts.sent = True, True

    def _on_errno(self, line: bytes, at: int) -> None:
        """A system call failed: 0 is the peer's end of its stream, all others are taken for a reset."""
        self._close(not line.endswith(b"errno=0"), at)

    def _close(self, reset: bool, at: int) -> None:
        """Take it that the peer closed: at the session's end, because stderr may have overtaken stdout."""
        self._cut = self._cut or Closed(False, reset, at)
        self._over = True
        if not self._cipher:
            self._trouble = True

    def _on_verify_error(self, line: bytes, at: int) -> None:
        number, _, words = line[len(b"verify error:num=") :].partition(b":")
        self._begins(at)
        self._verify = (int(number[:6]), words.decode("utf-8", "replace"), at)
        self._passed = False

    def _on_verify_return(self, line: bytes, at: int) -> None:
        self._passed = line.endswith(b"1")
        if self._talk.server:
            self._talk.facts.asked = self._talk.facts.sent = True

    def _on_depth(self, line: bytes, at: int) -> None:
        self._begins(at)

    def _begins(self, at: int) -> None:
        """A peer's certificate is looked at: after the end of a session that is the next one's."""
        if self._over and self._talk.server and not self._talk.raw and self._talk.best == Grade.summary:
            self._fresh(at)

    # -- around it

    def _is_server(self, server: bool) -> None:
        """Take note which side the program is: it is the same for the whole text, unless another command begins."""
        self._talk.server = self._server = server

    def _on_command(self, line: bytes, at: int) -> None:
        """The command itself, as a shell shows it."""
        self._server = None
        if self._connected or not self._talk.empty:
            self._fresh(at)
        talk = self._talk
        server = b" s_server" in line
        self._is_server(server)
        certificate = re.search(rb"\s-cert[= ]", line) is not None
        if server:
            if re.search(rb"\s-[vV]erify[= ]", line):
                talk.facts.asked = True
            return
        talk.facts.sent = certificate
        target = _TARGET.search(line) or re.search(rb"\s(\[?[-.\w:]+\]?:\d{1,5})\s*$", line)
        if target is not None:
            self._address(target[1].decode("utf-8", "replace"))
        name = re.search(rb"\s-servername[= ]+(\S+)", line)
        if name is not None:
            talk.facts.server_name = name[1].decode("utf-8", "replace")

    def _address(self, text: str) -> None:
        """Take the server's address and port; a name stays a name."""
        found = _HOST.match(text)
        if found is None:
            return
        self._talk.addresses["server"] = (found[1] or found[2] or found[3], int(found[4]))

    def _on_connecting(self, line: bytes, at: int) -> None:
        """The address, as 3.2 and later say it; the port stands in the command alone."""
        if self._connected:
            self._fresh(at)
        known = self._talk.addresses.get("server", ("", 0))
        self._talk.addresses["server"] = (line.rsplit(b" ", 1)[1].decode(), known[1])
        self._is_server(False)

    def _on_connected(self, line: bytes, at: int) -> None:
        if self._connected:
            self._fresh(at)
        self._connected = True
        self._is_server(False)

    def _on_server(self, line: bytes, at: int) -> None:
        """What only s_server says."""
        if line == b"ACCEPT" and self._over:
            self._fresh(at)
        self._is_server(True)
        if line.startswith(b"verify depth"):
            self._talk.facts.asked = True
        elif line.startswith(b"CIPHER is "):
            self._cipher = self._talk.facts.established = True  # it is printed when the handshake is done
            self._talk.facts.cipher = cipher_name(line[10:].decode("utf-8", "replace").strip())

    def _on_closed(self, line: bytes, at: int) -> None:
        """The end of a session as the program says it."""
        if line.startswith(b"drop connection"):
            self._fresh(at)
            return
        if line == b"ERROR":
            if self._over and self._talk.alerted() and not self._talk.raw and self._talk.best == Grade.summary:
                self._fresh(at)
            self._trouble = True
            if self._verify is not None and not self._passed and self._talk.server:
                self._objected(at)  # 1.0.1 prints no more than that
        self._over = True

    def _on_record(self, line: bytes, at: int) -> None:
        """What -trace shows of a record begins."""
        if self._trace is None:
            self._trace = Trace(self._traced_hello, self._alert_came)
        self._trace.record(self._talk, line.startswith(b"Sent"))

    def _traced_hello(self, at: int) -> Talk:
        """Return the session that a ClientHello belongs to."""
        if self._over and not self._talk.raw:
            trace = self._trace
            self._trace = None
            self._fresh(at)
            self._trace = trace
        return self._talk

    def _on_pem(self, line: bytes, at: int) -> None:
        self._pem = _Pem(b"SESSION" in line)

    def _pem_ended(self) -> None:
        pem, self._pem = self._pem, None
        if pem is None:
            return
        data = pem.decoded()
        if pem.session:
            self._session(data)
        elif data:
            side: Side = self._talk.peer
            if self._trace is not None and self._trace.certificates is not None:
                side = self._talk.own if self._trace.certificates else self._talk.peer
            self._talk.certificate(side, data)

    def _session(self, data: bytes) -> None:
        """Take the time of a session's start out of its own form: [1] time, in seconds (OpenSSL's ssl/ssl_asn1.c)."""
        self._is_server(True)
        self._cipher = True
        try:
            for part in children(element(data)):
                if part.tag == 0xA1:
                    self._time(int.from_bytes(element(part.content).content[:8], "big"))
        except DecodeError:
            return

    def _time(self, seconds: int) -> None:
        if self._talk.time is None and 0 < seconds < 1 << 34:
            self._talk.time = seconds * SECOND

    def _on_fact(self, line: bytes, at: int) -> None:
        """A line of the summary."""
        facts = self._talk.facts
        text = line.decode("utf-8", "replace")
        if self._names and (line.startswith((b"---", b"Client Certificate Types", b"Requested "))):
            self._names = False
        if line.startswith((b"New, ", b"Reused, ")):
            self._new(text)
        elif line.startswith((b"    Protocol", b"Protocol")):
            facts.version = version_name(text.partition(":")[2]) or facts.version
        elif line.startswith(b"    Cipher"):
            facts.cipher = cipher_name(text.partition(":")[2].strip()) or facts.cipher
        elif found := _STARTTIME.match(line):
            self._time(int(found[1]))
        elif line.startswith(b"Acceptable"):
            self._names = facts.asked = True
        elif line.startswith((b"Client Certificate Types:", b"Requested Signature Algorithms:")):
            facts.asked = True
        elif found := _WROTE.match(line):
            facts.written = int(found[2])
        elif line.startswith(b"ALPN protocol: "):
            facts.alpn = text[15:].strip() or None

    def _new(self, text: str) -> None:
        """Take "New, TLSv1.3, Cipher is NAME": the version here is the cipher's up to 1.2."""
        name = text.rpartition("Cipher is ")[2].strip()
        if name == "(NONE)":
            self._trouble = True
            return
        self._cipher = True
        facts = self._talk.facts
        facts.cipher = cipher_name(name)
        if "TLSv1.3" in text:
            facts.version = "TLS 1.3"


class _Body:
    """A message of -msg in the making: its bytes stand in the lines behind it."""

    def __init__(self, own: bool, what: str, name: str, size: int, place: int) -> None:
        self.own = own
        self.what = what
        self.name = name
        self.size = size
        self.place = place
        self.data = bytearray()

    def take(self, line: bytes) -> bool:
        """Take a line; say whether it belongs to the message."""
        if len(self.data) >= min(self.size, LONGEST):
            return False
        found = _BYTES.match(line)
        if found is None:
            return False
        self.data += bytes.fromhex(found[1].decode())
        return True


class _Pem:
    """A PEM block in the making (RFC 7468); ``session`` says that it is no certificate but a session."""

    def __init__(self, session: bool) -> None:
        self.session = session
        self._lines: list[bytes] = []
        self._size = 0

    def take(self, line: bytes) -> bool:
        """Take a line; say whether it belongs to the block."""
        if self._size > LONGEST or not _BASE64.match(line):
            return False
        self._size += len(line)
        self._lines.append(line)
        return True

    def decoded(self) -> bytes:
        """Return the bytes, none where they are broken."""
        try:
            return base64.b64decode(b"".join(self._lines), validate=False)
        except (binascii.Error, ValueError):
            return b""
