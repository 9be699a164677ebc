"""What a device speaks around TLS: the command that begins it (STARTTLS), and what follows a handshake."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from tlsalert.lab.levels import After, StartTls

#: What a client may say before TLS, in lines and bytes of a line.
LINES, LINE_BYTES = 20, 1024
#: The longest request that is read, in bytes.
REQUEST_BYTES = 65536
#: RFC 6143 §7.1.1: what a VNC server says first; remote consoles of BMCs are of that kind.
CONSOLE = b"RFB 003.008\n"


class Talk(Protocol):
    """One who reads and sends: ``receive`` returns nothing at the end."""

    def receive(self) -> bytes:
        """Return the next bytes."""

    def send(self, data: bytes) -> None:
        """Send all of ``data``."""


class _Dialect(Protocol):
    def __call__(self, line: bytes, /) -> tuple[bytes, bool]: ...


def speak_before(line: Talk, protocol: StartTls) -> bool:
    """Speak until the client asks for TLS; return whether it did. What it sent along with that is dropped.

    (To go on with it as if it had come under TLS is a hole: CVE-2011-0411.)
    """
    greeting, answer = _DIALECTS[protocol]
    line.send(greeting)
    held = b""
    for _ in range(LINES):
        while b"\n" not in held:
            more = line.receive()
            if not more or len(held) > LINE_BYTES:
                return False
            held += more
        said, _, held = held.partition(b"\n")
        told, begins = answer(said.strip())
        line.send(told)
        if begins:
            return True
        if b"QUIT" in said.upper() or b"LOGOUT" in said.upper():
            return False
    return False


def speak_after(talk: Talk, after: After, clock: Callable[[], datetime]) -> str:
    """Do what the device does after a handshake; return it in words, as far as there is something to tell."""
    if after == "close":
        return ""
    if after == "http":
        request = _request(talk)
        if request:
            talk.send(_page(clock()))
        return "answered a request" if request else ""
    if after == "console":
        talk.send(CONSOLE)
    total = 0
    while data := talk.receive():
        total += len(data)
        if after == "echo":
            talk.send(data)
    return f"{total} bytes came back" if total and after == "echo" else ""


def http_date(clock: datetime) -> str:
    """Return a time as RFC 9110 §5.6.7 writes it, whatever the locale."""
    time = clock.astimezone(UTC)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[time.weekday()]
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{day}, {time.day:02} {months[time.month - 1]} {time.year:04} {time:%H:%M:%S} GMT"


def _request(talk: Talk) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request and len(request) < REQUEST_BYTES:
        data = talk.receive()
        if not data:
            break
        request += data
    return request


def _page(clock: datetime) -> bytes:
    body = "This is a device of tlsalert's lab.\n"
    head = f"HTTP/1.1 200 OK\r\nDate: {http_date(clock)}\r\nServer: tlsalert lab\r\nContent-Type: text/plain\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode("ascii")


def _smtp(line: bytes) -> tuple[bytes, bool]:
    """RFC 3207."""
    verb = line.split(b" ")[0].upper()
    if verb == b"EHLO":
        return b"250-lab.example\r\n250 STARTTLS\r\n", False
    if verb in (b"HELO", b"NOOP", b"RSET"):
        return b"250 lab.example\r\n", False
    if verb == b"STARTTLS":
        return b"220 Go ahead\r\n", True
    if verb == b"QUIT":
        return b"221 Bye\r\n", False
    return b"530 Must issue a STARTTLS command first\r\n", False


def _imap(line: bytes) -> tuple[bytes, bool]:
    """RFC 9051 §6.2.1."""
    tag, _, rest = line.partition(b" ")
    verb = rest.split(b" ")[0].upper()
    if not verb:
        return b"* BAD A tag and a command\r\n", False
    if verb == b"CAPABILITY":
        return b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n" + tag + b" OK Done\r\n", False
    if verb == b"STARTTLS":
        return tag + b" OK Begin TLS negotiation now\r\n", True
    if verb == b"LOGOUT":
        return b"* BYE\r\n" + tag + b" OK Done\r\n", False
    if verb == b"NOOP":
        return tag + b" OK Done\r\n", False
    return tag + b" NO STARTTLS first\r\n", False


def _pop3(line: bytes) -> tuple[bytes, bool]:
    """RFC 2595 §4."""
    verb = line.split(b" ")[0].upper()
    if verb == b"CAPA":
        return b"+OK\r\nSTLS\r\n.\r\n", False
    if verb == b"STLS":
        return b"+OK Begin TLS negotiation\r\n", True
    if verb == b"QUIT":
        return b"+OK Bye\r\n", False
    return b"-ERR STLS first\r\n", False


_DIALECTS: dict[StartTls, tuple[bytes, _Dialect]] = {
    "smtp": (b"220 lab.example ESMTP\r\n", _smtp),
    "imap": (b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] lab.example\r\n", _imap),
    "pop3": (b"+OK lab.example\r\n", _pop3),
}
