"""What the handshake messages of one handshake say about its keys."""

from __future__ import annotations

import hashlib
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.model import Side
from tlsalert.registry.versions import draft_of
from tlsalert.secrets.protection import Options
from tlsalert.secrets.schedule import TLS13, DirectionKeys
from tlsalert.secrets.suites import Suite, suite_of
from tlsalert.wire.cursor import Cursor
from tlsalert.wire.transcript import HELLO_RETRY_REQUEST

CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET, END_OF_EARLY_DATA = 1, 2, 4, 5
CERTIFICATE_REQUEST, CLIENT_KEY_EXCHANGE, FINISHED, KEY_UPDATE, MESSAGE_HASH = 13, 16, 20, 24, 254

TRUNCATED_HMAC, ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET, SESSION_TICKET = 4, 22, 23, 35
PRE_SHARED_KEY, EARLY_DATA, SUPPORTED_VERSIONS, KEY_SHARE = 41, 42, 43, 51

#: Messages are kept for their hash up to this length; a handshake has a few thousand bytes.
MAX_TRANSCRIPT: Final = 1 << 20


class Handshake:
    """The facts of one handshake, as its messages come in. A renegotiation is another handshake."""

    def __init__(self) -> None:
        self.client_random: bytes | None = None
        self.server_random: bytes | None = None
        self.offered: tuple[int, ...] = ()
        self.offers_tls13 = False
        self.version = 0
        self.draft: int | None = None
        self.suite: Suite | None = None
        self.suite_code: int | None = None
        self.options = Options()
        self.extended_master = False
        self.offered_session_id = b""
        self.session_id = b""
        self.ticket = b""
        self.new_ticket = b""
        self.key_exchange: bytes | None = None
        self.early_data = False
        self.retried = False
        self.psk_selected: int | None = None
        self.psk_alone = False
        self.client_hello = b""
        self.binders_at = 0
        self.binders: tuple[bytes, ...] = ()
        self.whole = True
        #: Both directions' keys for the master secrets that were tried.
        self.drawn: dict[bytes, tuple[DirectionKeys, DirectionKeys]] = {}
        self._messages: list[bytes] = []
        self._size = 0
        self._hello_end = 0
        self._server_end = 0

    @property
    def tls13(self) -> bool:
        """Whether this is TLS 1.3, as the ServerHello says; or, before there is one, whether it may become that."""
        return self.version == TLS13 if self.version else self.offers_tls13

    @property
    def prefix(self) -> str:
        """The word that HKDF labels begin with: drafts before the 20th had another one."""
        return "TLS 1.3, " if self.draft is not None and self.draft < 20 else "tls13 "

    def begins_anew(self, kind: int) -> bool:
        """Whether a message of this type opens another handshake."""
        return kind == CLIENT_HELLO and self.server_random is not None and not self.retried

    def take(self, side: Side, message: bytes) -> None:
        """Take one handshake message with its header of four bytes."""
        kind, body = message[0], message[4:]
        try:
            if kind == CLIENT_HELLO:
                self._client_hello(body, message)
            elif kind == SERVER_HELLO:
                self._server_hello(body)
        except DecodeError:
            self.whole = False
        if kind == SERVER_HELLO and self.retried and self.server_random is None:
            self._retry()
        self._keep(kind, side, message)
        if kind == CLIENT_KEY_EXCHANGE:
            self.key_exchange = body
        elif kind == NEW_SESSION_TICKET and self.version != TLS13 and len(body) > 6:
            self.new_ticket = body[6:]

    def take_sslv2(self, message: bytes) -> None:
        """Take a ClientHello in SSLv2's form, without its two bytes of length: RFC 5246 App. E.2."""
        cursor = Cursor(message, 0, len(message))
        try:
            cursor.take(3, "type and version")
            specs, session_id, challenge = (cursor.u16("length") for _ in range(3))
            cursor.take(specs + session_id, "cipher_specs and session_id")
            self.client_random = cursor.take(challenge, "challenge")[-32:].rjust(32, b"\0")
        except DecodeError:
            self.whole = False
        self._keep(CLIENT_HELLO, "client", message)

    def miss(self) -> None:
        """Take note that messages are missing: no hash over them can be right any more."""
        if self.key_exchange is None:
            self.whole = False

    def to_key_exchange(self) -> bytes | None:
        """Return the messages up to ClientKeyExchange, RFC 7627 §3; None where one of them is missing."""
        return b"".join(self._messages) if self.whole and self.key_exchange is not None else None

    def to_server_hello(self) -> bytes | None:
        """Return TLS 1.3's messages up to ServerHello, RFC 8446 §4.4.1."""
        return b"".join(self._messages)[: self._hello_end] if self.whole and self._hello_end else None

    def to_server_finished(self) -> bytes | None:
        """Return TLS 1.3's messages up to the server's Finished."""
        return b"".join(self._messages)[: self._server_end] if self.whole and self._server_end else None

    def _keep(self, kind: int, side: Side, message: bytes) -> None:
        if kind == 0 or self._server_end or (self.key_exchange is not None and self.version != TLS13):
            return  # HelloRequest counts in no hash, RFC 5246 §7.4.1.1
        if self.version == TLS13 and side == "client" and kind != CLIENT_HELLO:
            return  # in the hash they come after the server's Finished, in time they may come before
        self._size += len(message)
        if self._size > MAX_TRANSCRIPT:
            self.whole, self._messages = False, []
            return
        self._messages.append(message)
        if self.version == TLS13 and kind == SERVER_HELLO and self.server_random is not None:
            self._hello_end = self._size
        elif self.version == TLS13 and kind == FINISHED:
            self._server_end = self._size

    def _retry(self) -> None:
        """Put the hash of the first ClientHello in its place, RFC 8446 §4.4.1."""
        hash_name = self.suite.prf_hash if self.suite else "sha256"
        digest = hashlib.new(hash_name, b"".join(self._messages), usedforsecurity=False).digest()
        self._messages = [bytes((MESSAGE_HASH, 0, 0, len(digest))) + digest]
        self._size = len(self._messages[0])

    def _client_hello(self, body: bytes, message: bytes) -> None:
        cursor = Cursor(body, 0, len(body))
        cursor.u16("legacy_version")
        self.client_random = cursor.take(32, "random")
        self.client_hello = message
        self.offered_session_id = cursor.vector(1, "session_id").rest()
        self.offered = cursor.vector(2, "cipher_suites").numbers(2, "cipher_suites")
        cursor.vector(1, "compression_methods")
        if not cursor.left:
            return
        for kind, inner in _extensions(cursor):
            if kind == SESSION_TICKET:
                self.ticket = inner.rest()
            elif kind == EARLY_DATA:
                self.early_data = True
            elif kind == SUPPORTED_VERSIONS:
                versions = inner.vector(1, "versions").numbers(2, "versions")
                self.offers_tls13 = any(version == TLS13 or draft_of(version) for version in versions)
            elif kind == PRE_SHARED_KEY:
                inner.vector(2, "identities")
                self.binders_at = 4 + int(inner.at)
                self.binders = tuple(_vectors(inner.vector(2, "binders"), 1))

    def _server_hello(self, body: bytes) -> None:
        cursor = Cursor(body, 0, len(body))
        version = cursor.u16("legacy_version")
        random = cursor.take(32, "random")
        draft = draft_of(version)
        session_id = b""
        if draft is None or draft > 21:  # drafts up to the 21st have neither session ID nor compression here
            session_id = cursor.vector(1, "session_id").rest()
        code = cursor.u16("cipher_suite")
        compression = 0 if draft is not None and draft <= 21 else cursor.u8("compression_method")
        found = dict(_extensions(cursor)) if cursor.left else {}
        if SUPPORTED_VERSIONS in found:
            version = found[SUPPORTED_VERSIONS].u16("selected_version")
            draft = draft_of(version)
        self.version = TLS13 if draft is not None else version
        self.draft = draft
        self.suite_code, self.suite = code, suite_of(code)
        self.options = Options(
            encrypt_then_mac=ENCRYPT_THEN_MAC in found,
            truncated_mac=TRUNCATED_HMAC in found,
            deflate=compression == 1,
            bare=draft is not None and draft < 25,
        )
        if self.version == TLS13 and random == HELLO_RETRY_REQUEST:
            self.retried = True
            return
        self.retried = False
        self.server_random, self.session_id = random, session_id
        self.extended_master = EXTENDED_MASTER_SECRET in found
        if PRE_SHARED_KEY in found:
            self.psk_selected = found[PRE_SHARED_KEY].u16("selected_identity")
            self.psk_alone = KEY_SHARE not in found


def _extensions(cursor: Cursor) -> list[tuple[int, Cursor]]:
    found: list[tuple[int, Cursor]] = []
    extensions = cursor.vector(2, "extensions")
    while extensions.left:
        kind = extensions.u16("extension_type")
        found.append((kind, extensions.vector(2, "extension")))
    return found


def _vectors(cursor: Cursor, width: int) -> list[bytes]:
    found: list[bytes] = []
    while cursor.left:
        found.append(cursor.vector(width, "entry").rest())
    return found
