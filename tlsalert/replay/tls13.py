"""A client's handshake in TLS 1.3: RFC 8446 §4 and §7.

It is liberal: the server's certificate and its CertificateVerify are not verified, and may be compressed (RFC 8879).
"""

from __future__ import annotations

import hashlib
from typing import Final

from tlsalert.registry.alerts import AlertDescription
from tlsalert.replay.core import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CERTIFICATE_VERIFY,
    COMPRESSED_CERTIFICATE,
    ENCRYPTED_EXTENSIONS,
    FINISHED,
    KEY_UPDATE,
    NEW_SESSION_TICKET,
    Abort,
    Core,
    cursor,
    extensions,
)
from tlsalert.replay.greeting import FreshHello
from tlsalert.replay.legacy import MAX_FRAGMENT_LENGTH, RECORD_SIZE_LIMIT
from tlsalert.replay.records import HANDSHAKE, PLAINTEXT
from tlsalert.replay.sealing import sealer_for
from tlsalert.replay.signing import proof_of
from tlsalert.secrets.keylog import CLIENT_HANDSHAKE, CLIENT_TRAFFIC, SERVER_HANDSHAKE, SERVER_TRAFFIC
from tlsalert.secrets.protection import RecordOpener, opener_for
from tlsalert.secrets.schedule import (
    TLS13,
    EarlySchedule,
    derive_secret,
    finished_13,
    next_traffic_secret,
    traffic_keys,
)
from tlsalert.secrets.suites import Suite
from tlsalert.wire.cursor import Cursor

SIGNATURE_ALGORITHMS, PRE_SHARED_KEY, KEY_SHARE, POST_HANDSHAKE_AUTH = 13, 41, 51, 49
#: The record of a change_cipher_spec, which is always in clear.
CHANGE: Final = bytes.fromhex("140303000101")
#: How many key updates and later requests for a certificate are answered: a server could send them for ever.
MOST_ANSWERS: Final = 16


class Tls13:
    """One handshake. ``asked`` says that the server wants a certificate, ``sent`` that the client's flight is made.

    ``tickets`` counts the NewSessionTickets that came after it: the server was content.
    """

    def __init__(self, core: Core, fresh: FreshHello, suite: Suite, compatible: bool) -> None:
        self.core = core
        self.suite = suite
        self.asked = False
        self.sent = False
        self.tickets = 0
        self.compatible = compatible
        self._fresh = fresh
        self._hash = suite.prf_hash
        self._schemes: tuple[int, ...] = ()
        self._context = b""
        self._handshake_secret = b""
        self._own = self._peer = b""
        self._application: tuple[bytes, bytes] = (b"", b"")
        self._after = b""
        self._answers = 0
        self._later = 0

    def hello(self, found: dict[int, bytes]) -> None:
        """Take the ServerHello's extensions: the keys of the handshake follow from its key share."""
        if PRE_SHARED_KEY in found or KEY_SHARE not in found:
            raise Abort(AlertDescription.illegal_parameter, "the server chose a pre-shared key, which was not offered")
        share = cursor(found[KEY_SHARE])
        group = share.u16("group")
        own = self._fresh.shares.get(group)
        if own is None:
            raise Abort(
                AlertDescription.illegal_parameter, f"the server chose group {group}, for which no share was sent"
            )
        try:
            shared = own.shared(share.vector(2, "key_exchange").rest())
        except ValueError as error:
            raise Abort(AlertDescription.illegal_parameter, f"the server's key share is wrong: {error}") from None
        schedule = EarlySchedule(b"", self._hash)
        secret = schedule.handshake(shared)
        messages = bytes(self.core.transcript)
        self._own = bytes(derive_secret(secret, "c hs traffic", messages, self._hash))
        self._peer = bytes(derive_secret(secret, "s hs traffic", messages, self._hash))
        self._handshake_secret = bytes(schedule.master(secret))
        self.core.log_secret(CLIENT_HANDSHAKE, self._own)
        self.core.log_secret(SERVER_HANDSHAKE, self._peer)
        self.core.reader.opener = self._opener(self._peer)
        self.core.writer.sealer = sealer_for(self.suite, TLS13, traffic_keys(self._own, self.suite))

    def message(self, kind: int, message: bytes) -> None:
        """Take a message of the server, with its header. Raises :class:`Abort`, DecodeError and ValueError."""
        if self.sent:
            self._later_message(kind, message)
            return
        if kind == FINISHED:
            right = finished_13(self._peer, self._digest(), self._hash)
            if message[4:] != right:
                raise Abort(AlertDescription.decrypt_error, "the server's Finished is wrong")
            self.core.take(message)
            self._answer()
            return
        self.core.take(message)
        body = cursor(message[4:])
        if kind == ENCRYPTED_EXTENSIONS:
            self._agreed(extensions(body))
        elif kind == CERTIFICATE_REQUEST:
            self._request(body)
        elif kind not in (CERTIFICATE, CERTIFICATE_VERIFY, COMPRESSED_CERTIFICATE):
            raise Abort(AlertDescription.unexpected_message, f"the server sent a message of type {kind}")

    def change_cipher_spec(self) -> None:
        """Take note of one: it says nothing (RFC 8446 §5), save that the server keeps to the compatibility mode."""
        self.compatible = True

    # the handshake -----------------------------------------------------------------------------------------

    def _agreed(self, found: dict[int, bytes]) -> None:
        code = found.get(MAX_FRAGMENT_LENGTH, b"")
        if len(code) == 1 and 1 <= code[0] <= 4:  # RFC 6066 §4
            self.core.writer.limit = 1 << 8 + code[0]
        limit = found.get(RECORD_SIZE_LIMIT, b"")
        if len(limit) == 2:  # RFC 8449 §4: in TLS 1.3 it counts the content type
            self.core.writer.limit = max(64, min(PLAINTEXT, int.from_bytes(limit, "big") - 1))

    def _request(self, body: Cursor) -> None:
        self.asked = self.core.asked = True
        self._context = body.vector(1, "certificate_request_context").rest()
        algorithms = cursor(extensions(body).get(SIGNATURE_ALGORITHMS, b"\0\0"))
        self._schemes = algorithms.vector(2, "supported_signature_algorithms").numbers(2, "scheme")

    def _answer(self) -> None:
        """Queue the client's flight; in the compatibility mode a change_cipher_spec before it (RFC 8446 App. D.4)."""
        core = self.core
        master = self._handshake_secret
        messages = bytes(core.transcript)
        client = bytes(derive_secret(master, "c ap traffic", messages, self._hash))
        server = bytes(derive_secret(master, "s ap traffic", messages, self._hash))
        self._application = client, server
        core.log_secret(CLIENT_TRAFFIC, client)
        core.log_secret(SERVER_TRAFFIC, server)
        if self.compatible:
            core.out += CHANGE
        if self.asked:
            self._present(self._own)
        core.say(FINISHED, core.finished(finished_13(self._own, self._digest(), self._hash)))
        core.writer.sealer = sealer_for(self.suite, TLS13, traffic_keys(client, self.suite))
        core.reader.earlier, core.reader.opener = core.reader.opener, self._opener(server)
        self._after = bytes(core.transcript)
        self.sent = True

    def _present(self, base: bytes) -> None:
        """Queue Certificate and CertificateVerify, RFC 8446 §4.4.2 and §4.4.3."""
        core = self.core
        shown = core.presentation
        entries = b"".join(len(one).to_bytes(3, "big") + one + b"\0\0" for one in shown.certificates)
        head = bytes((len(self._context),)) + self._context
        proves = core.say_certificates(head + len(entries).to_bytes(3, "big") + entries)
        if not proves or shown.key is None:
            return
        signed = proof_of(shown.key, TLS13, self._digest(), self._schemes, proof=shown.proof, pss_only=core.pss_only)
        if signed.note is not None:
            core.note(signed.note)
        core.say(CERTIFICATE_VERIFY, signed.body)

    # after the handshake -----------------------------------------------------------------------------------

    def _later_message(self, kind: int, message: bytes) -> None:
        if kind == NEW_SESSION_TICKET:
            self.tickets += 1
        elif kind == KEY_UPDATE:
            self._update(message[4:])
        elif kind == CERTIFICATE_REQUEST:
            self._prove_later(message)
        else:
            raise Abort(AlertDescription.unexpected_message, f"the server sent a message of type {kind} afterwards")

    def _update(self, body: bytes) -> None:
        """Take the server's next key, and change the own one too where it asks for that (RFC 8446 §4.6.3)."""
        client, server = self._application
        server = bytes(next_traffic_secret(server, self._hash))
        self.core.reader.opener = self._opener(server)
        self._answers += 1
        if body == b"\1" and self._answers <= MOST_ANSWERS:
            self.core.out += self.core.writer.write(HANDSHAKE, self.core.made(KEY_UPDATE, b"\0"))
            client = bytes(next_traffic_secret(client, self._hash))
            self.core.writer.sealer = sealer_for(self.suite, TLS13, traffic_keys(client, self.suite))
        self._application = client, server

    def _prove_later(self, message: bytes) -> None:
        """Answer a request for a certificate after the handshake, RFC 8446 §4.6.2: over the handshake and this one."""
        core = self.core
        self._later += 1
        if self._later > MOST_ANSWERS:
            raise Abort(AlertDescription.unexpected_message, "the server asks for a certificate again and again")
        core.transcript[:] = self._after + message
        self.tickets = 0  # what it said before it asked proves nothing
        self._request(cursor(message[4:]))
        client, _ = self._application
        self._present(client)
        core.say(FINISHED, core.finished(finished_13(client, self._digest(), self._hash)))

    def _digest(self) -> bytes:
        return hashlib.new(self._hash, self.core.transcript, usedforsecurity=False).digest()

    def _opener(self, secret: bytes) -> RecordOpener:
        opener = opener_for(self.suite, TLS13, traffic_keys(secret, self.suite))
        if isinstance(opener, str):
            raise Abort(AlertDescription.illegal_parameter, opener)
        return opener


def after_retry(transcript: bytearray, hash_name: str) -> None:
    """Put the hash of the first ClientHello in its place, RFC 8446 §4.4.1."""
    digest = hashlib.new(hash_name, transcript, usedforsecurity=False).digest()
    transcript[:] = bytes((254, 0, 0, len(digest))) + digest
