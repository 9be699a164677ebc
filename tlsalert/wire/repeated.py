"""Hellos that come again with other random bytes: decoded once, with their fingerprints, and filled in after that.

Most connections of a capture have the hello of an earlier one but for its random, session ID, server name, key shares
and tickets. What is left when those are taken out (the lengths stay in) is its shape: hellos of one shape decode alike.
"""

from __future__ import annotations

from typing import Final, final

from msgspec import structs
from mypy_extensions import i64

from tlsalert.model import ClientHello, Extension, ServerHello
from tlsalert.wire.fingerprint import ja3, ja3s, ja4
from tlsalert.wire.hello import (
    ALPN,
    EC_POINT_FORMATS,
    KEY_SHARE,
    OLD_KEY_SHARE,
    SERVER_NAME,
    SIGNATURE_ALGORITHMS,
    SUPPORTED_GROUPS,
    SUPPORTED_VERSIONS,
    read_client_hello,
    read_server_hello,
)
from tlsalert.wire.transcript import HELLO_RETRY_REQUEST, TLS13

#: Shapes that are kept of each kind, and bytes of one that is: strangers choose them.
MOST: Final = 512
LONGEST: Final = 1024


@final
class Offer:
    """A ClientHello and its fingerprints."""

    def __init__(self, hello: ClientHello, ja3: str, ja4: str) -> None:
        self.hello = hello
        self.ja3 = ja3
        self.ja4 = ja4


@final
class Answer:
    """A ServerHello and its fingerprint."""

    def __init__(self, hello: ServerHello, ja3s: str) -> None:
        self.hello = hello
        self.ja3s = ja3s


def client_hello(body: bytes) -> Offer:
    """Return what :func:`tlsalert.wire.hello.read_client_hello` makes of a body, with JA3 and JA4."""
    shape = _Shape(body, True)
    known = _OFFERS.get(shape.key) if shape.sound else None
    if known is not None:
        hello = known.hello
        same = structs.replace(
            hello,
            random=body[2:34],
            session_id=shape.session_id,
            extensions=shape.extensions(hello.extensions),
            server_name=hello.server_name if shape.server_name is None else shape.server_name,
        )
        return Offer(same, known.ja3, known.ja4)
    hello = read_client_hello(body)
    offer = Offer(hello, ja3(hello), ja4(hello))
    if shape.sound and not hello.problems:
        if len(_OFFERS) >= MOST:
            _OFFERS.clear()
        _OFFERS[shape.key] = offer
    return offer


def server_hello(body: bytes) -> Answer:
    """Return what :func:`tlsalert.wire.hello.read_server_hello` makes of a body, with JA3S."""
    shape = _Shape(body, False)
    known = _ANSWERS.get(shape.key) if shape.sound else None
    if known is not None:
        hello = known.hello
        same = structs.replace(
            hello, random=body[2:34], session_id=shape.session_id, extensions=shape.extensions(hello.extensions)
        )
        return Answer(same, known.ja3s)
    hello = read_server_hello(body)
    answer = Answer(hello, ja3s(hello))
    if shape.sound and not hello.problems:
        if len(_ANSWERS) >= MOST:
            _ANSWERS.clear()
        _ANSWERS[shape.key] = answer
    return answer


_OFFERS: Final[dict[bytes, Offer]] = {}
_ANSWERS: Final[dict[bytes, Answer]] = {}


@final
class _Shape:
    """A hello's shape: ``key``, where it is ``sound``; what does not add up, or is too long to be kept, has none."""

    def __init__(self, body: bytes, client: bool) -> None:
        self.body = body
        self.client = client
        self.session_id = b""
        self.server_name: str | None = None
        self.sound = False
        self.key = b""
        self.holes: list[tuple[i64, i64, i64]] = []  # an extension's place, where its data begin, and how long they are
        self._parts: list[bytes] = []
        self._read()

    def extensions(self, known: tuple[Extension, ...]) -> tuple[Extension, ...]:
        """Return the extensions of a hello of this shape with this one's data."""
        if not self.holes:
            return known
        filled = list(known)
        for place, at, size in self.holes:
            filled[place] = Extension(known[place].type, self.body[at : at + size])
        return tuple(filled)

    def _read(self) -> None:
        """Find the key; the way through a hello is that of RFC 8446 §4.1.2 and §4.1.3."""
        body = self.body
        end: i64 = len(body)
        if end < 38:
            return
        version = _u16(body, 0)
        retry = False
        if not self.client:
            if version == TLS13 or version >> 8 == 0x7F:  # TLS 1.3 up to draft 21 has another form
                return
            retry = body[2:34] == HELLO_RETRY_REQUEST
        begin: i64 = 35 + i64(body[34])
        at: i64 = begin
        if self.client:
            if at + 2 > end:
                return
            at += 2 + _u16(body, at)
            if at + 1 > end:
                return
            at += 1 + i64(body[at])
        else:
            at += 3
        if at > end:
            return
        if at < end:
            if at + 2 > end or _u16(body, at) != end - at - 2:
                return
            begin = self._extensions(begin, at + 2, end)
            if begin < 0:
                return
        self._parts.append(body[begin:end])
        head = body[:2] + (b"\1" if retry else b"\0")
        key = head + self._parts[0] if len(self._parts) == 1 else head + b"".join(self._parts)
        if len(key) <= LONGEST:
            self.session_id = body[35 : 35 + i64(body[34])]
            self.key = key
            self.sound = True

    def _extensions(self, begin: i64, at: i64, end: i64) -> i64:
        """Go through the extensions; return where what is not yet in the parts begins, -1 where one does not fit."""
        body = self.body
        place: i64 = 0
        while at < end:
            if at + 4 > end:
                return -1
            kind = _u16(body, at)
            size = _u16(body, at + 2)
            at += 4
            if at + size > end:
                return -1
            if kind == KEY_SHARE or kind == OLD_KEY_SHARE:
                self._parts.append(body[begin:at])
                begin = at + size
                self.holes.append((place, at, size))
                if not self._key_shares(at, at + size):
                    return -1
            elif kind == SERVER_NAME and self.client and self._one_name(at, size):
                self._parts.append(body[begin : at + 5])
                begin = at + size
                self.holes.append((place, at, size))
                self.server_name = body[at + 5 : at + size].decode("utf-8", "backslashreplace")
            elif size > 0 and not self._telling(kind):
                self._parts.append(body[begin:at])
                begin = at + size
                self.holes.append((place, at, size))
            at += size
            place += 1
        return begin

    def _telling(self, kind: i64) -> bool:
        """Whether an extension's content is decoded, so that it belongs to the shape."""
        if kind == ALPN or kind == SUPPORTED_VERSIONS:
            return True
        return self.client and (
            kind == SERVER_NAME or kind == SUPPORTED_GROUPS or kind == EC_POINT_FORMATS or kind == SIGNATURE_ALGORITHMS
        )

    def _one_name(self, at: i64, size: i64) -> bool:
        """Whether there is one name of type host_name and nothing else, RFC 6066 §3."""
        body = self.body
        return size >= 5 and _u16(body, at) == size - 2 and body[at + 2] == 0 and _u16(body, at + 3) == size - 5

    def _key_shares(self, at: i64, end: i64) -> bool:
        """Take groups and lengths of the shares (RFC 8446 §4.2.8) without the shares; say whether they add up."""
        body = self.body
        if not self.client:
            self._parts.append(body[at : min(at + 2, end)])
            return True
        if at + 2 > end or _u16(body, at) != end - at - 2:
            return False
        at += 2
        while at < end:
            if at + 4 > end:
                return False
            self._parts.append(body[at : at + 4])
            at += 4 + _u16(body, at + 2)
        return at == end


def _u16(data: bytes, at: i64) -> i64:
    return i64(data[at]) << 8 | i64(data[at + 1])
