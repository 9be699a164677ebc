"""The certificates that a server sends: asked of it with a handshake that trusts anything and says nothing after.

Where TLS 1.2 or older is spoken, the chain is read off the wire, so that it is known even where the handshake then
fails, as with a server that wants a client's certificate.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final

from tlsalert.errors import TlsalertError, UsageError
from tlsalert.pki.containers import Blob, Damage
from tlsalert.pki.found import Found
from tlsalert.pki.objects import certificate_found
from tlsalert.starttls import Address, Declined, begin_tls, protocol_named

#: Seconds for all that a server may take, and bytes that it may say before and in its handshake.
TIMEOUT: Final = 10.0
MOST: Final = 1 << 20
TARGET: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/\\!]+)):(\d{1,5})")


class TargetError(TlsalertError):
    """The server could not be reached, or sent no certificate."""

    exit_code = 4


def target(text: str) -> tuple[str, int] | None:
    """Return host and port of HOST:PORT or [ADDRESS]:PORT; None where the text is neither."""
    match = TARGET.fullmatch(text)
    if match is None or not 0 < int(match[3]) < 65536:
        return None
    return match[1] or match[2], int(match[3])


def ask(text: str, starttls: str | None = None, server_name: str | None = None) -> Iterator[Found | Damage]:
    """Yield the chain that the server at HOST:PORT sends, in its order; places are "HOST:PORT!1" and so on.

    ``starttls`` is the protocol in which TLS is asked for (:mod:`tlsalert.starttls`). Raises :class:`TargetError` where
    it cannot be reached or sends none.
    """
    place = target(text)
    if place is None:
        raise UsageError(f"{text!r} is no HOST:PORT")
    if starttls is not None:
        protocol_named(starttls)
    why = ""
    for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED):
        chain, why = _asked(place, starttls, server_name, newest)
        if chain:
            for number, der in enumerate(chain, 1):
                yield from certificate_found(der, Blob(f"{text}!{number}", b""), 0)
            return
    raise TargetError(f"sent no certificate: {why}", text)


def _asked(
    place: tuple[str, int], starttls: str | None, name: str | None, newest: ssl.TLSVersion
) -> tuple[list[bytes], str]:
    """Return the chain, or no chain and why."""
    until = time.monotonic() + TIMEOUT
    try:
        with socket.create_connection(place, TIMEOUT) as connection:
            line = _Line(connection, until)
            early = b"" if starttls is None else _start(line, starttls, place, name)
            return _handshake(line, early, name or place[0], newest)
    except OSError as error:
        said = "it says nothing" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise TargetError(said, _told(place)) from error


class _Line:
    """A connection on which a server has until ``until`` (monotonic time, seconds); a :class:`~tlsalert.starttls.Line`.

    To receive raises EOFError where the server has closed, and OSError.
    """

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection, self._until = connection, until
        self.wrap: Callable[[bytes], bytes] | None = None
        self.unwrap: Callable[[bytes], bytes] | None = None

    def send(self, data: bytes) -> None:
        self._connection.sendall(data if self.wrap is None else self.wrap(data))

    def receive(self) -> bytes:
        while True:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
            data = self._connection.recv(1 << 14)
            if not data:
                raise EOFError
            if self.unwrap is not None:
                data = self.unwrap(data)
            if data:
                return data

    def addresses(self) -> tuple[Address, Address]:
        own, peer = self._connection.getsockname(), self._connection.getpeername()
        return (own[0].split("%")[0], own[1]), (peer[0].split("%")[0], peer[1])


def _start(line: _Line, protocol: str, place: Address, name: str | None) -> bytes:
    """Ask for TLS; return what the server has sent beyond its answer."""
    try:
        return begin_tls(line, protocol, *place, name)
    except Declined as declined:
        said = repr(declined.says)
    except EOFError:
        said = "it closed the connection"
    raise TargetError(f"would not start TLS ({protocol}): {said}", _told(place))


def _told(place: Address) -> str:
    return f"[{place[0]}]:{place[1]}" if ":" in place[0] else f"{place[0]}:{place[1]}"


def _handshake(line: _Line, early: bytes, name: str, newest: ssl.TLSVersion) -> tuple[list[bytes], str]:
    """Shake hands up to the chain; what the server says is listened to as it passes."""
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    shaking = _context(newest).wrap_bio(coming, going, server_hostname=name)
    heard: list[tuple[int, bytes]] = []
    why, size, more = "it closed the connection", 0, early
    while size < MOST:
        if more:
            size += len(more)
            heard.append((1, more))
            coming.write(more)
        try:
            shaking.do_handshake()
            why = ""
        except ssl.SSLWantReadError:
            why = "it closed the connection"
        except (ssl.SSLError, ValueError) as error:
            why = getattr(error, "reason", None) or str(error)
        said = going.read()
        if said:
            heard.append((0, said))
            line.send(said)
        if why != "it closed the connection":
            break
        try:
            more = line.receive()
        except EOFError:
            break
    return _overheard(heard) or ([] if why else _chain(shaking)), why


def _context(newest: ssl.TLSVersion) -> ssl.SSLContext:
    """Return a context that takes every version and cipher suite the library has: the server is looked at, no more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = newest
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.options |= 0x4  # SSL_OP_LEGACY_SERVER_CONNECT: old servers know no RFC 5746
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def _overheard(heard: list[tuple[int, bytes]]) -> list[bytes]:
    """Return the server's chain as it stands in the bytes: before TLS 1.3 it is not encrypted."""
    from tlsalert.wire.connection import connection
    from tlsalert.wire.conversation import NOWHERE, Conversation
    from tlsalert.wire.transcript import Keeping

    talk = Conversation(0, NOWHERE, NOWHERE, 0, 1, 0, Keeping())
    for side, data in heard:
        talk.said(side, data, 1, 0)
    return [one.der for one in connection(talk.finish(), "-", 0, 0).certificates.server]


def _chain(shaking: ssl.SSLObject) -> list[bytes]:
    """Return the chain as the library has it: all of it where Python tells it, else the leaf."""
    inner: Any = getattr(shaking, "_sslobj", None)
    whole = getattr(shaking, "get_unverified_chain", None) or getattr(inner, "get_unverified_chain", None)
    if whole is not None and (chain := whole()):
        return [one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in chain]
    leaf = shaking.getpeercert(binary_form=True)
    return [leaf] if leaf else []
