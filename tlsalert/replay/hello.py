"""A ClientHello to send: one that was captured, or a named profile, again as it was.

Versions, cipher suites, extensions, their order and their bytes, GREASE, compression, the record's version and the cuts
stay; fresh are the random, the session ID (of the same length), the key shares and, where it is overridden, the
server's name. What belongs to an earlier session is dropped. ``lost`` says in words what is not as it was::

    hello = from_capture("console.pcap:1").for_version("TLS 1.2")
    fresh = hello.fresh(server_name="bmc.example")
    socket.sendall(b"".join(fresh.records))

Sources: RFC 8446 §4.1.2 (and §4.1.4 for the HelloRetryRequest), RFC 5246 §7.4.1.2, RFC 6101 §5.6.1.2.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from tlsalert.errors import CaptureError, DecodeError, UsageError
from tlsalert.model import ClientHello as Captured
from tlsalert.model import Connection, Extension, HandshakeMessage, ServerHello
from tlsalert.registry.groups import NamedGroup
from tlsalert.registry.versions import LABELS, version_label
from tlsalert.replay.hello_parts import (
    COOKIE,
    EARLY_DATA,
    EXTERN_PSK,
    KEY_SHARE,
    OLD_KEY_SHARE,
    PRE_SHARED_KEY,
    RENEGOTIATION_INFO,
    SESSION_TICKET,
    SSL3,
    SUPPORTED_GROUPS,
    TLS10,
    TLS12,
    TLS13,
    extension_name,
    numbers,
    padded,
    put,
    read_shares,
    records,
    vector,
    with_shares,
    write_extensions,
    write_shares,
)
from tlsalert.replay.key_shares import KeyShare, make_share
from tlsalert.replay.narrowing import narrowed
from tlsalert.replay.offer import Offer
from tlsalert.replay.profiles import PROFILES
from tlsalert.wire.hello import read_server_hello
from tlsalert.wire.transcript import MOST_CUTS

#: What a replay can be narrowed to, by the model's names.
VERSIONS: Final = {LABELS[code]: code for code in range(SSL3, TLS13 + 1)}

#: Extensions that are not sent again, and why not: nobody here has the keys of that session, or that server's answer.
NOT_AGAIN: Final = {
    EXTERN_PSK: "it goes with a pre-shared key",
    PRE_SHARED_KEY: "the key of the session that it resumes is not known",
    EARLY_DATA: "it goes with an earlier session",
    COOKIE: "it answers another hello_retry_request",
}
#: The same for a hello that came in QUIC: its parameters are an error anywhere else (RFC 9001 §8.2).
QUIC: Final = NOT_AGAIN | dict.fromkeys((57, 65445), "it is for QUIC alone")


@dataclass(frozen=True, slots=True)
class Hello(Offer):
    """A ClientHello to send, as often as is wanted."""

    def for_version(self, version: str) -> Hello:
        """Return it narrowed to one version ("SSLv3", "TLS 1.0" … "TLS 1.3"), the rest as it was.

        Below the highest version that it offers, the suites and extensions go that the version lacks. Above it, the
        parts that the version cannot do without are taken from a profile. Both are said in ``lost``. Raises
        :class:`~tlsalert.errors.UsageError` where that is no such version.
        """
        code = VERSIONS.get(version)
        if code is None:
            raise UsageError(f"no version {version!r} to replay", mend=f"choose from {', '.join(VERSIONS)}")
        return narrowed(self, code, version)

    def fresh(self, random: Random | None = None, server_name: str | None = None) -> FreshHello:
        """Return it ready to be sent once, with everything fresh that has to be.

        ``server_name`` replaces the one it has; None keeps it, and "" takes it out. With ``random`` the bytes are those
        that its state makes: the same in each run of a test, and no secret to anybody. Raises
        :class:`~tlsalert.errors.UsageError` where the name can be none.
        """
        if server_name is None and not self.names_host:
            server_name = ""
        hello = self if server_name is None else self.with_server_name(server_name)
        source = os.urandom if random is None else random.randbytes
        shares: dict[int, KeyShare] = {}
        extensions = tuple(_renewed(one, shares, random) for one in hello.extensions)
        nonce, session_id = source(32), source(hello.session_id_length)
        extensions = padded(extensions, len(_message(hello, extensions, nonce, session_id)), hello.size)
        message = _message(hello, extensions, nonce, session_id)
        return FreshHello(
            message,
            records(message, hello.record_version, hello.record_lengths),
            nonce,
            session_id,
            shares,
            hello,
            extensions,
        )


@dataclass(frozen=True, slots=True)
class FreshHello:
    """A ClientHello as it is sent once: ``message`` with its handshake header, and ``records`` as it is cut.

    ``shares`` are the key shares in it by their groups. ``hello`` is what it was made from (with the name that was
    asked for), ``retried`` whether it answers a HelloRetryRequest.
    """

    message: bytes
    records: tuple[bytes, ...]
    random: bytes
    session_id: bytes
    shares: dict[int, KeyShare] = field(repr=False)
    hello: Hello
    extensions: tuple[Extension, ...] = field(repr=False)
    retried: bool = False

    def retry(self, server_hello: ServerHello | bytes, random: Random | None = None) -> FreshHello:
        """Return the second ClientHello, which answers a HelloRetryRequest (RFC 8446 §4.1.2).

        All of it is the same but for a share of the one group that was asked for, and the cookie. ``server_hello`` is
        the message, decoded, or its bytes with or without the handshake header. Its records have the version of TLS
        1.2, as all do but the very first (§5.1).

        Raises :class:`~tlsalert.errors.DecodeError` where the request is not allowed (§4.1.4: a second one, a group
        that was not offered or that has a share already, nothing to change), and
        :class:`~tlsalert.errors.UsageError` where it asks for a group that was offered and cannot be done here.
        """
        request = server_hello if isinstance(server_hello, ServerHello) else _server_hello(server_hello)
        if self.retried:
            raise DecodeError("a second hello_retry_request came for one handshake")
        if not request.hello_retry_request or request.version < TLS13:
            raise DecodeError("this server_hello is no hello_retry_request")
        extensions, shares = self.extensions, self.shares
        if request.group is not None:
            share = self._asked_for(request.group, random)
            shares = {share.group: share}
            kind = KEY_SHARE if self.hello.extension(OLD_KEY_SHARE) is None else OLD_KEY_SHARE
            extensions = put(extensions, Extension(kind, write_shares(((share.group, share.public),))))
        cookie = next((one for one in request.extensions if one.type == COOKIE), None)
        if cookie is not None:
            extensions = put(extensions, cookie)
        if extensions == self.extensions:
            raise DecodeError("the hello_retry_request asks for no change of the client_hello")
        message = _message(self.hello, extensions, self.random, self.session_id)
        cut = records(message, TLS12, self.hello.record_lengths)
        return replace(self, message=message, records=cut, shares=shares, extensions=extensions, retried=True)

    def _asked_for(self, group: int, random: Random | None) -> KeyShare:
        offered = self.hello.extension(SUPPORTED_GROUPS) or b""
        if group not in numbers(offered[2:]):
            raise DecodeError(f"the hello_retry_request asks for the group {NamedGroup(group)}, which was not offered")
        if group in self.shares:
            raise DecodeError(f"the hello_retry_request asks for a share of {NamedGroup(group)}, which it had")
        share = make_share(group, random)
        if share is None:
            raise UsageError(
                f"the server asks for the group {NamedGroup(group)}, which the client offers and a replay cannot do"
            )
        return share


def from_connection(connection: Connection) -> Hello:
    """Return the ClientHello of a connection as one to send.

    Raises :class:`~tlsalert.errors.UsageError` where it shows none, or one that cannot be sent over TCP by what is
    known of it: only its beginning, DTLS's, or one of SSLv2 alone.
    """
    name = f"{connection.source} #{connection.connection}"
    seen = connection.client_hello
    if seen is None:
        raise UsageError("this connection shows no client_hello", name, "choose another one with FILE:N")
    message = _message_of(connection, seen)
    _refuse(name, seen, message)
    lost: list[str] = []
    record_version, lengths = _records_of(connection, message, lost)
    suites = _suites_of(seen, message, lost)
    extensions = _extensions_of(seen, QUIC if connection.transport == "quic" else NOT_AGAIN, lost)
    hello = Hello(
        name,
        seen.legacy_version,
        suites,
        seen.compression_methods,
        extensions,
        min(len(seen.session_id), 32) if _sslv2(message) else len(seen.session_id),
        record_version or min(max(seen.legacy_version, SSL3), TLS10),
        lengths,
        size=0 if message is None else message.length + 4,
        bare=_sslv2(message) or _ends_early(seen, message),
    )
    _say_damage(hello, seen, message, lost)
    return replace(hello, lost=tuple(lost))


def from_capture(capture: str) -> Hello:
    """Return the ClientHello of ``FILE`` or ``FILE:N``, where N is the connection's number, from 0.

    Without a number it is that of the first connection where a client certificate was asked for, or that failed; where
    there is none, that of the first with a ClientHello. Raises :class:`~tlsalert.errors.CaptureError` where the file
    cannot be read, and :class:`~tlsalert.errors.UsageError` where it holds no such connection, or as
    :func:`from_connection` does.
    """
    from tlsalert.capture import open_evidence

    path, number = _path_and_number(capture)
    if not os.path.lexists(path):
        raise CaptureError("there is no such file, nor such a profile", path, f"profiles are {', '.join(PROFILES)}")
    first: Connection | None = None
    for connection in open_evidence(path):
        if number is not None:
            if connection.connection == number:
                return from_connection(connection)
        elif connection.client_hello is not None:
            if _telling(connection):
                return from_connection(connection)
            first = first or connection
    if first is None:
        what = "no connection shows a client_hello" if number is None else f"there is no connection {number}"
        raise UsageError(what, path, "tlsalert read shows what it holds")
    return from_connection(first)


def from_profile(name: str) -> Hello:
    """Return the ClientHello of a named profile; its name is among :data:`~tlsalert.replay.profiles.PROFILES`.

    Raises :class:`~tlsalert.errors.UsageError` where there is none of that name.
    """
    profile = PROFILES.get(name)
    if profile is None:
        raise UsageError(f"there is no profile {name!r}", mend=f"choose from {', '.join(PROFILES)}")
    lost: list[str] = []
    extensions = with_shares(profile.extensions, lost)
    return Hello(
        f"profile {name}",
        profile.legacy_version,
        profile.cipher_suites,
        profile.compression_methods,
        extensions,
        profile.session_id_length,
        profile.record_version,
        (),
        tuple(lost),
        size=profile.size,
        names_host=False,
    )


def _message(hello: Hello, extensions: tuple[Extension, ...], random: bytes, session_id: bytes) -> bytes:
    """Write a ClientHello with its handshake header."""
    try:
        body = b"".join(
            (
                hello.legacy_version.to_bytes(2, "big"),
                random,
                vector(1, session_id),
                vector(2, b"".join(suite.to_bytes(2, "big") for suite in hello.cipher_suites)),
                vector(1, bytes(hello.compression_methods)),
                b"" if hello.bare and not extensions else vector(2, write_extensions(extensions)),
            )
        )
    except OverflowError as error:
        raise UsageError("the client_hello would be longer than its lengths can tell", hello.name) from error
    return b"\x01" + vector(3, body)


def _renewed(extension: Extension, shares: dict[int, KeyShare], random: Random | None) -> Extension:
    """Return an extension with fresh key shares in it; any other as it is. The shares are put into ``shares``."""
    if extension.type not in (KEY_SHARE, OLD_KEY_SHARE):
        return extension
    entries = read_shares(extension.data)
    if entries is None:
        return extension
    renewed: list[tuple[int, bytes]] = []
    for group, old in entries:
        share = shares.get(group) or make_share(group, random)
        if share is not None:
            shares[group] = share
        renewed.append((group, old if share is None else share.public))  # what is left without one is GREASE
    return Extension(extension.type, write_shares(tuple(renewed)))


def _server_hello(data: bytes) -> ServerHello:
    whole = len(data) >= 4 and data[0] == 2 and int.from_bytes(data[1:4], "big") == len(data) - 4
    return read_server_hello(data[4:] if whole else data)


def _message_of(connection: Connection, seen: Captured) -> HandshakeMessage | None:
    """Return the message that the ClientHello was decoded from, where it is there."""
    for message in connection.messages:
        if message.type != 1 or message.body is None:
            continue
        if _sslv2(message) or message.body[2:34] == seen.random:
            return message
    return None


def _sslv2(message: HandshakeMessage | None) -> bool:
    return message is not None and message.message.startswith("sslv2_")


def _refuse(name: str, seen: Captured, message: HandshakeMessage | None) -> None:
    """Raise where a hello cannot be sent again at all."""
    if seen.legacy_version >> 8 == 0xFE or seen.legacy_version == 0x0100:
        raise UsageError(f"the client speaks {version_label(seen.legacy_version)}: a replay speaks TLS over TCP", name)
    if _sslv2(message) and seen.legacy_version < SSL3:
        raise UsageError("the client speaks SSLv2 alone, which a replay does not", name, "choose another client_hello")
    if (message is not None and message.cut) or len(seen.random) < 32 or not seen.compression_methods:
        raise UsageError("only the beginning of this client_hello is there", name, "record whole packets: tcpdump -s 0")
    if not any(suite <= 0xFFFF for suite in seen.cipher_suites):
        raise UsageError("this client_hello offers no cipher suite that SSLv3 or TLS has", name)


def _records_of(
    connection: Connection, message: HandshakeMessage | None, lost: list[str]
) -> tuple[int, tuple[int, ...]]:
    """Return the version and lengths of the records in which a hello came."""
    cuts = connection.hello_records
    if _sslv2(message):
        lost.append("it came in SSLv2's format and is sent as an SSLv3 or TLS client_hello (RFC 5246 §E.2)")
    elif connection.transport == "quic":
        lost.append("it came in QUIC and is sent over TCP, in one record")
    elif not cuts:
        lost.append(f"how it was cut into records was not seen ({connection.transport}): it is sent in one")
    if len({version for version, _ in cuts}) > 1:
        lost.append("its records had different versions and are sent with the first one's")
    if len(cuts) >= MOST_CUTS:
        lost.append(f"it was cut into {MOST_CUTS} records or more; what follows those is sent in as few as can be")
    return (cuts[0][0] if cuts else 0), tuple(length for _, length in cuts)


def _suites_of(seen: Captured, message: HandshakeMessage | None, lost: list[str]) -> tuple[int, ...]:
    kept = tuple(suite for suite in seen.cipher_suites if suite <= 0xFFFF)
    if len(kept) < len(seen.cipher_suites):
        lost.append(f"{len(seen.cipher_suites) - len(kept)} cipher kinds of SSLv2 are left out")
    return kept


def _extensions_of(seen: Captured, not_again: dict[int, str], lost: list[str]) -> tuple[Extension, ...]:
    """Return a hello's extensions without what belongs to other sessions."""
    kept: list[Extension] = []
    for extension in seen.extensions:
        kind = extension.type
        if kind in not_again:
            lost.append(f"{extension_name(kind)} is left out, which changes JA3 and JA4: {not_again[kind]}")
            continue
        if kind == SESSION_TICKET and extension.data:
            lost.append("the session ticket is left out: session_ticket(35) is empty")
            extension = Extension(kind, b"")
        elif kind == RENEGOTIATION_INFO and extension.data != b"\0":
            lost.append("renegotiation_info(65281) is that of a first handshake")
            extension = Extension(kind, b"\0")
        kept.append(extension)
    return with_shares(tuple(kept), lost)


def _ends_early(seen: Captured, message: HandshakeMessage | None) -> bool:
    """Whether a hello ended after its compression methods, without even an empty list of extensions."""
    if seen.extensions:
        return False
    if message is None:
        return True
    before = 2 + 32 + 1 + len(seen.session_id) + 2 + 2 * len(seen.cipher_suites) + 1 + len(seen.compression_methods)
    return message.length <= before


def _say_damage(hello: Hello, seen: Captured, message: HandshakeMessage | None, lost: list[str]) -> None:
    """Say where the hello breaks its grammar in a way that is not sent again."""
    if message is None or message.body is None or _sslv2(message):
        return
    again = _message(hello, seen.extensions, seen.random, seen.session_id)[4:]
    if again != message.body:
        why = "; ".join(seen.problems) or "bytes that its fields do not account for"
        lost.append(f"the client_hello is damaged, and is sent without the damage: {why}")


def _path_and_number(capture: str) -> tuple[str, int | None]:
    """Split ``FILE:N``; a file whose own name ends so is a file."""
    path, colon, number = capture.rpartition(":")
    if colon and path and number.isascii() and number.isdigit() and not os.path.exists(capture):
        return path, int(number)
    return capture, None


def _telling(connection: Connection) -> bool:
    """Whether a client certificate was asked for, or the connection failed."""
    if connection.certificate_request is not None or connection.certificates.client:
        return True
    return connection.verdict is not None and connection.verdict.outcome == "failed"
