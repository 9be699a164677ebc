"""ClientHello and ServerHello: body → model, RFC 8446 §4.1 (RFC 5246 §7.4.1); SSLv2's ClientHello, RFC 5246 §E.2.

A hello that breaks its grammar is told as far as it goes, with what is wrong in ``problems``.
"""

from __future__ import annotations

from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.model import ClientHello, Extension, ServerHello
from tlsalert.wire.cursor import Cursor
from tlsalert.wire.transcript import HELLO_RETRY_REQUEST, TLS13

SERVER_NAME: Final = 0
SUPPORTED_GROUPS: Final = 10
EC_POINT_FORMATS: Final = 11
SIGNATURE_ALGORITHMS: Final = 13
ALPN: Final = 16
SUPPORTED_VERSIONS: Final = 43
KEY_SHARE: Final = 51
OLD_KEY_SHARE: Final = 40  # before draft 23 of TLS 1.3


def read_client_hello(body: bytes) -> ClientHello:
    """Decode a ClientHello's body; never raises: ``problems`` says what could not be read."""
    cursor = Cursor(body, 0, len(body))
    problems: list[str] = []
    version, random, session_id = 0, b"", b""
    suites: tuple[int, ...] = ()
    compressions: tuple[int, ...] = ()
    extensions: list[Extension] = []
    try:
        version = cursor.u16("legacy_version")
        random = cursor.take(32, "random")
        session_id = cursor.vector(1, "legacy_session_id").rest()
        suites = _suites(cursor, problems)
        compressions = cursor.vector(1, "legacy_compression_methods").numbers(1, "legacy_compression_methods")
        _extensions(cursor, extensions, problems)
        cursor.done("client_hello")
    except DecodeError as error:
        problems.append(error.what)
    fields = _ClientFields(problems)
    for extension in extensions:
        fields.read(extension)
    return ClientHello(
        version,
        random,
        session_id,
        suites,
        compressions,
        tuple(extensions),
        fields.versions or (version,),
        fields.server_name,
        fields.alpn,
        fields.groups,
        fields.point_formats,
        fields.schemes,
        fields.key_shares,
        tuple(problems),
    )


def read_server_hello(body: bytes) -> ServerHello:
    """Decode a ServerHello's or HelloRetryRequest's body; never raises: ``problems`` says what could not be read."""
    cursor = Cursor(body, 0, len(body))
    problems: list[str] = []
    version, random, session_id = 0, b"", b""
    suite, compression = -1, 0
    extensions: list[Extension] = []
    try:
        version = cursor.u16("legacy_version")
        random = cursor.take(32, "random")
        if version >> 8 == 0x7F or version == TLS13:  # TLS 1.3 up to draft 21: no session ID, no compression
            suite = cursor.u16("cipher_suite")
        else:
            session_id = cursor.vector(1, "legacy_session_id_echo").rest()
            suite = cursor.u16("cipher_suite")
            compression = cursor.u8("legacy_compression_method")
        _extensions(cursor, extensions, problems)
        cursor.done("server_hello")
    except DecodeError as error:
        problems.append(error.what)
    chosen, alpn, group = version, None, None
    for extension in extensions:
        inner = Cursor(extension.data, 0, len(extension.data))
        try:
            if extension.type == SUPPORTED_VERSIONS:
                chosen = inner.u16("selected_version")
                inner.done("selected_version")
            elif extension.type == ALPN:
                alpn = _chosen_protocol(inner)
            elif extension.type in (KEY_SHARE, OLD_KEY_SHARE):
                group = inner.u16("key_share")  # alone in a HelloRetryRequest, else before the share
        except DecodeError as error:
            problems.append(f"extension {extension.type}: {error}")
    retry = random == HELLO_RETRY_REQUEST
    return ServerHello(
        version, random, session_id, suite, compression, tuple(extensions), chosen, alpn, group, retry, tuple(problems)
    )


def read_sslv2_client_hello(body: bytes) -> ClientHello:
    """Decode a ClientHello in SSLv2's format: cipher kinds of three bytes, of which SSLv3's begin with a zero."""
    cursor = Cursor(body, 1, len(body))
    version, challenge, session_id = 0, b"", b""
    suites: list[int] = []
    problems: tuple[str, ...] = ()
    try:
        version = cursor.u16("version")
        sizes = (cursor.u16("cipher_spec_length"), cursor.u16("session_id_length"), cursor.u16("challenge_length"))
        kinds = cursor.take(sizes[0], "cipher_specs")
        suites = [int.from_bytes(kinds[at : at + 3], "big") for at in range(0, len(kinds) - 2, 3)]
        session_id = cursor.take(sizes[1], "session_id")
        challenge = cursor.take(sizes[2], "challenge")
    except DecodeError as error:
        problems = (error.what,)
    return ClientHello(
        version, challenge.rjust(32, b"\0"), session_id, tuple(suites), (0,), (), (version,), problems=problems
    )


def chosen_protocol(body: bytes) -> str | None:
    """Return the protocol that TLS 1.3's EncryptedExtensions choose, RFC 8446 §4.3.1; None where they choose none."""
    found: list[Extension] = []
    try:
        _extensions(Cursor(body, 0, len(body)), found, [])
        for extension in found:
            if extension.type == ALPN:
                return _chosen_protocol(Cursor(extension.data, 0, len(extension.data)))
    except DecodeError:
        return None
    return None


class _ClientFields:
    """What the known extensions of a ClientHello say."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        self.versions: tuple[int, ...] = ()
        self.server_name: str | None = None
        self.alpn: tuple[str, ...] = ()
        self.groups: tuple[int, ...] = ()
        self.point_formats: tuple[int, ...] = ()
        self.schemes: tuple[int, ...] = ()
        self.key_shares: tuple[int, ...] = ()

    def read(self, extension: Extension) -> None:
        """Take one extension; one that breaks its grammar becomes a problem."""
        inner = Cursor(extension.data, 0, len(extension.data))
        try:
            if self._read(extension.type, inner):
                inner.done("extension_data")
        except DecodeError as error:
            self.problems.append(f"extension {extension.type}: {error}")

    def _read(self, kind: int, inner: Cursor) -> bool:
        """Read a known extension; say whether it was one."""
        if kind == SERVER_NAME:
            if inner.left:  # RFC 6066 §3: one name of type host_name
                names = inner.vector(2, "server_name_list")
                if names.u8("name_type") == 0:
                    self.server_name = names.vector(2, "host_name").rest().decode("utf-8", "backslashreplace")
        elif kind == SUPPORTED_VERSIONS:
            self.versions = inner.vector(1, "versions").numbers(2, "versions")
        elif kind == SUPPORTED_GROUPS:
            self.groups = inner.vector(2, "named_group_list").numbers(2, "named_group_list")
        elif kind == EC_POINT_FORMATS:
            self.point_formats = inner.vector(1, "ec_point_format_list").numbers(1, "ec_point_format_list")
        elif kind == SIGNATURE_ALGORITHMS:
            self.schemes = inner.vector(2, "supported_signature_algorithms").numbers(
                2, "supported_signature_algorithms"
            )
        elif kind == ALPN:
            self.alpn = tuple(_protocols(inner))
        elif kind == KEY_SHARE or kind == OLD_KEY_SHARE:
            shares = inner.vector(2, "client_shares")
            groups: list[int] = []
            while shares.left:
                groups.append(shares.u16("group"))
                shares.vector(2, "key_exchange")
            self.key_shares = tuple(groups)
        else:
            return False
        return True


def _suites(cursor: Cursor, problems: list[str]) -> tuple[int, ...]:
    """Read cipher_suites as far as they go."""
    size = cursor.u16("cipher_suites")
    have = min(size, cursor.left)
    if have < size:
        problems.append(f"cipher_suites claims {size} bytes, {have} left")
    inner = Cursor(cursor.take(have & ~1, "cipher_suites"), 0, have & ~1)
    if have & 1:
        problems.append("cipher_suites has an odd length")
        cursor.take(1, "cipher_suites")
    return inner.numbers(2, "cipher_suites")


def _extensions(cursor: Cursor, found: list[Extension], problems: list[str]) -> None:
    """Read the extensions of a hello as far as they go; before TLS 1.2 a hello may end without any."""
    if not cursor.left:
        return
    size = cursor.u16("extensions")
    have = min(size, cursor.left)
    if have < size:
        problems.append(f"extensions claims {size} bytes, {have} left")
    inner = Cursor(cursor.take(have, "extensions"), 0, have)
    try:
        while inner.left:
            kind = inner.u16("extension_type")
            found.append(Extension(kind, inner.vector(2, f"extension {kind}").rest()))
    except DecodeError as error:
        if have == size:
            problems.append(error.what)


def _protocols(inner: Cursor) -> list[str]:
    """Read protocol_name_list, RFC 7301 §3.1."""
    names = inner.vector(2, "protocol_name_list")
    found: list[str] = []
    while names.left:
        found.append(names.vector(1, "protocol_name").rest().decode("utf-8", "backslashreplace"))
    inner.done("protocol_name_list")
    return found


def _chosen_protocol(inner: Cursor) -> str:
    """Read the one protocol that a server chooses, RFC 7301 §3.1."""
    names = _protocols(inner)
    if not names:
        raise DecodeError("protocol_name_list is empty")
    return names[0]
