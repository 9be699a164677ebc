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
from collections.abc import Iterator
from typing import Any, Final

from tlsalert.errors import TlsalertError, UsageError
from tlsalert.pki.containers import Blob, Damage
from tlsalert.pki.found import Found
from tlsalert.pki.objects import certificate_found

#: Seconds for all that a server may take, and bytes that it may say before and in its handshake.
TIMEOUT: Final = 10.0
MOST: Final = 1 << 20
LONGEST_ANSWER: Final = 1 << 16
#: How TLS is asked for inside another protocol: what to wait for and what to say in turn. RFC 3207, 2595, 4217, 6120;
#: PostgreSQL's SSLRequest.
STARTTLS: Final[dict[str, tuple[tuple[bytes, bytes], ...]]] = {
    "smtp": ((rb"(?m)^220 .*\n", b"EHLO localhost\r\n"), (rb"(?m)^250 .*\n", b"STARTTLS\r\n"), (rb"^220[ -]", b"")),
    "imap": ((rb"(?m)^\* OK.*\n", b"a1 STARTTLS\r\n"), (rb"(?m)^a1 OK", b"")),
    "pop3": ((rb"^\+OK.*\n", b"STLS\r\n"), (rb"^\+OK", b"")),
    "ftp": ((rb"(?m)^220 .*\n", b"AUTH TLS\r\n"), (rb"^234", b"")),
    "sieve": ((rb"(?m)^OK.*\n", b"STARTTLS\r\n"), (rb"(?m)^OK", b"")),
    "xmpp": (
        (
            b"",
            b"<?xml version='1.0'?><stream:stream to='%s' xmlns='jabber:client' "
            b"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
        ),
        (rb"</stream:features>", b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
        (rb"<proceed", b""),
    ),
    "postgres": ((b"", bytes.fromhex("0000000804d2162f")), (rb"^S", b"")),
}
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

    Raises :class:`TargetError` where it cannot be reached or sends none.
    """
    place = target(text)
    if place is None:
        raise UsageError(f"{text!r} is no HOST:PORT")
    if starttls is not None and starttls not in STARTTLS:
        raise UsageError(f"--starttls {starttls} is not known: {', '.join(STARTTLS)}")
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
            if starttls is not None:
                _start(connection, starttls, (name or place[0]).encode(), until)
            return _handshake(connection, name or place[0], newest, until)
    except OSError as error:
        said = "it says nothing" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise TargetError(said, f"{place[0]}:{place[1]}") from error


def _start(connection: socket.socket, protocol: str, name: bytes, until: float) -> None:
    for wanted, says in STARTTLS[protocol]:
        heard = b""
        while wanted and not re.search(wanted, heard):
            more = _receive(connection, until)
            heard += more
            if not more or len(heard) > LONGEST_ANSWER or (heard[:1] in b"45-" and heard.endswith(b"\n")):
                said = heard[:80].decode("ascii", "backslashreplace").strip()
                raise TargetError(f"would not start TLS ({protocol}): {said!r}", _named(connection))
        connection.sendall(says % name if b"%s" in says else says)


def _named(connection: socket.socket) -> str:
    address = connection.getpeername()
    return f"{address[0]}:{address[1]}"


def _receive(connection: socket.socket, until: float) -> bytes:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connection.settimeout(left)
    return connection.recv(1 << 14)


def _handshake(connection: socket.socket, name: str, newest: ssl.TLSVersion, until: float) -> tuple[list[bytes], str]:
    """Shake hands up to the chain; what the server says is listened to as it passes."""
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    shaking = _context(newest).wrap_bio(coming, going, server_hostname=name)
    heard: list[tuple[int, bytes]] = []
    why, size = "it closed the connection", 0
    while size < MOST:
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
            connection.sendall(said)
        if why != "it closed the connection":
            break
        more = _receive(connection, until)
        if not more:
            break
        size += len(more)
        heard.append((1, more))
        coming.write(more)
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
