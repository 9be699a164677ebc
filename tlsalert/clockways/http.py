"""One HTTP request to one server, within limits: no redirect is followed, no certificate is verified.

A device's clock may be wrong, and then no certificate verifies; what is asked for here is what it says, not whom it is.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Final

from tlsalert.clockways.manners import Manners, port_said, why
from tlsalert.explain import explain

CHUNK: Final = 1 << 14
#: The longest head and the longest body of an answer that are read.
LONGEST_HEAD: Final = 32 << 10
LONGEST_BODY: Final = 1 << 20
#: Chunks of a body (RFC 9112 §7.1) that are put together.
MOST_CHUNKS: Final = 4096


class NoAnswerError(Exception):
    """There was no answer of HTTP. ``reached`` says whether there was a connection."""

    def __init__(self, says: str, reached: bool = False) -> None:
        super().__init__(says, reached)
        self.says, self.reached = says, reached


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: ``head`` with its status line; ``sent`` and ``came`` are our times in nanoseconds.

    ``came`` is when the first byte of it came.
    """

    status: int
    head: bytes
    body: bytes
    sent: int
    came: int

    def field(self, name: str) -> str | None:
        """Return a header field's value, the first one's of the name, or None."""
        wanted = name.lower().encode()
        for line in self.head.split(b"\n")[1:]:
            said, colon, value = line.partition(b":")
            if colon and said.strip().lower() == wanted:
                return value.strip().decode("latin-1")
        return None

    def json(self) -> dict[str, object] | None:
        """Return the body as a JSON object, None where it is none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True)
class Place:
    """A server of HTTP: ``secure`` for HTTPS. ``name`` goes into SNI and the Host field in place of ``host``."""

    host: str
    port: int
    secure: bool
    name: str | None = None

    def __str__(self) -> str:
        return port_said(self.host, self.port)


def ask(
    place: Place, method: str, path: str, manners: Manners, fields: tuple[str, ...] = (), body: bool = False
) -> Answer:
    """Make one request and return its answer; with ``body`` its content as well. Raises :class:`NoAnswerError`."""
    with _connected(place, manners) as peer:
        host = port_said(place.name or place.host, place.port)
        lines = (f"{method} {path} HTTP/1.1", f"Host: {host}", "Accept: */*", "Connection: close", *fields)
        request = "".join(line + "\r\n" for line in (*lines, "")).encode("latin-1", "replace")
        reader = _Reader(peer, manners.timeout)
        sent = time.time_ns()
        try:
            peer.sendall(request)
            head, rest = reader.head()
            content = reader.content(head, rest) if body else b""
        except (OSError, ValueError) as error:
            said = why(error) if not isinstance(error, ssl.SSLError) else _tls(error)
            raise NoAnswerError(f"{place}: {said}", reached=True) from None
    status = _status(head)
    if status is None:
        raise NoAnswerError(f"{place}: it does not answer in HTTP", reached=True)
    return Answer(status, head, content, sent, reader.came)


class _Reader:
    """Reads an answer within a deadline. ``came`` is the time of its first byte."""

    def __init__(self, peer: socket.socket, timeout: float) -> None:
        self._peer = peer
        self._end = time.monotonic() + timeout
        self.came = 0

    def head(self) -> tuple[bytes, bytes]:
        """Return the head of an answer, and what came with it of its body. Headers of one line are bounded as all."""
        taken = b""
        while (end := _head_ends(taken)) < 0:
            if len(taken) > LONGEST_HEAD or (len(taken) >= 5 and not taken.startswith(b"HTTP/")):
                return b"", b""
            more = self._more()
            if not more:
                return taken, b""
            taken += more
        return taken[:end], taken[end:]

    def content(self, head: bytes, taken: bytes) -> bytes:
        """Return the body, RFC 9112 §6.3: in chunks, of a length, or all until the server closes."""
        answer = Answer(0, head, b"", 0, 0)
        chunked = "chunked" in (answer.field("Transfer-Encoding") or "").lower()
        length = answer.field("Content-Length") or ""
        wanted = int(length) if length.isascii() and length.isdigit() and len(length) < 10 else LONGEST_BODY
        kept = bytearray(taken)
        while len(kept) < min(wanted, LONGEST_BODY) and not (chunked and b"\r\n0\r\n" in kept[-64:]):
            more = self._more()
            if not more:
                break
            kept += more
        return _joined(bytes(kept)) if chunked else bytes(kept[: min(wanted, LONGEST_BODY)])

    def _more(self) -> bytes:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._peer.settimeout(left)
        data = self._peer.recv(CHUNK)
        self.came = self.came or time.time_ns()
        return data


def _head_ends(taken: bytes) -> int:
    """Return where the body begins, -1 where the head has not ended; some servers write bare line feeds."""
    ends = [place + len(mark) for mark in (b"\r\n\r\n", b"\n\n") if (place := taken.find(mark)) >= 0]
    return min(ends, default=-1)


def _joined(body: bytes) -> bytes:
    """Put chunks together, RFC 9112 §7.1; what does not fit the grammar ends them."""
    found = bytearray()
    place = 0
    for _ in range(MOST_CHUNKS):
        end = body.find(b"\r\n", place, place + 64)
        size = body[place : max(end, place)].split(b";")[0].strip()
        if end < 0 or not 0 < len(size) <= 6 or not all(digit in b"0123456789abcdefABCDEF" for digit in size):
            break
        length = int(size, 16)
        if length == 0:
            break
        found += body[end + 2 : end + 2 + length]
        place = end + 2 + length + 2
    return bytes(found)


def _status(head: bytes) -> int | None:
    words = head[:64].split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit() or len(words[1]) != 3:
        return None
    return int(words[1])


def _connected(place: Place, manners: Manners) -> socket.socket:
    try:
        plain = socket.create_connection((place.host, place.port), manners.timeout)
    except (OSError, ValueError) as error:
        raise NoAnswerError(f"{place}: {why(error)}") from None
    if not place.secure:
        return plain
    try:
        return _context().wrap_socket(plain, server_hostname=place.name or place.host)
    except (OSError, ValueError) as error:
        plain.close()
        said = _tls(error) if isinstance(error, ssl.SSLError) else f"no TLS: {why(error)}"
        raise NoAnswerError(f"{place}: {said}", reached=True) from None


def _tls(error: ssl.SSLError) -> str:
    """Say how TLS failed, an alert by its name."""
    reason = error.reason or str(error.args[-1])
    alert = explain(reason).alert if "ALERT" in reason else None
    if alert is not None:
        return f"it refused TLS with {alert.description} ({alert.code})"
    return f"TLS failed ({reason.lower().replace('_', ' ')})"


def _context() -> ssl.SSLContext:
    """Return a client that takes what old devices have: their TLS versions, short keys, any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.options |= 0x4  # SSL_OP_LEGACY_SERVER_CONNECT: servers without RFC 5746
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.set_alpn_protocols(["http/1.1"])
    return context
