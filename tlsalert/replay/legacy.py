"""A client's handshake from SSLv3 to TLS 1.2: RFC 6101 §5, RFC 2246 §7, RFC 5246 §7.

It is liberal: the server's certificate and signatures are not verified, any size of key is taken.
"""

from __future__ import annotations

import os
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.pki.der import element
from tlsalert.pki.rsa import RsaKey
from tlsalert.pki.signatures import taken_apart
from tlsalert.registry.alerts import AlertDescription
from tlsalert.replay.agreement import Agreed, Unable, curve_agreement, encrypted, finite_agreement, fixed_agreement
from tlsalert.replay.core import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CERTIFICATE_STATUS,
    CERTIFICATE_VERIFY,
    CLIENT_KEY_EXCHANGE,
    FINISHED,
    HELLO_REQUEST,
    NEW_SESSION_TICKET,
    NEXT_PROTOCOL,
    SERVER_HELLO_DONE,
    SERVER_KEY_EXCHANGE,
    WARNING,
    Abort,
    Core,
    cursor,
    extensions,
)
from tlsalert.replay.records import CHANGE_CIPHER_SPEC, PLAINTEXT
from tlsalert.replay.sealing import Sealer, sealer_for
from tlsalert.replay.signing import proof_of
from tlsalert.secrets.protection import RecordOpener, opener_for
from tlsalert.secrets.schedule import SSLV3, TLS12, connection_keys, master_secret, session_hash, verify_data
from tlsalert.wire.cursor import Cursor

MAX_FRAGMENT_LENGTH, NEXT_PROTOCOLS, RECORD_SIZE_LIMIT, RENEGOTIATION_INFO = 1, 13172, 28, 0xFF01
NAMED_CURVE: Final = 3
#: What can be done; anonymous key exchanges and those of export suites are among them.
EXCHANGES: Final = frozenset(("RSA", "DH", "DHE", "ECDH", "ECDHE"))
_NO_CERTIFICATE: Final = 41


class Legacy:
    """One handshake. ``asked`` says that the server wants a certificate, ``sent`` that the client's flight is made.

    ``done`` says that the server's Finished came. ``own_verify`` and ``peer_verify`` are what renegotiation_info
    (RFC 5746) speaks of.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.version = core.facts.version
        suite = core.facts.suite
        if suite is None or suite.tls13 or not suite.readable:
            name = f"0x{core.facts.suite_code or 0:04X}" if suite is None else suite.name
            raise Abort(AlertDescription.illegal_parameter, f"the server chose the cipher suite {name}")
        if suite.key_exchange not in EXCHANGES:
            raise Abort(AlertDescription.illegal_parameter, f"the key exchange of {suite.name} cannot be done here")
        self.suite = suite
        self.asked = False
        self.sent = False
        self.done = False
        self.own_verify = b""
        self.peer_verify = b""
        self._schemes: tuple[int, ...] = ()
        self._server_key = b""
        self._agreed: Agreed | None = None
        self._export_key: tuple[int, int] | None = None
        self._next_protocols: bytes | None = None
        self._master = b""
        self._pending: RecordOpener | None = None

    def hello(self, found: dict[int, bytes]) -> None:
        """Take note of what the ServerHello agreed on by its extensions."""
        code = found.get(MAX_FRAGMENT_LENGTH, b"")
        if len(code) == 1 and 1 <= code[0] <= 4:  # RFC 6066 §4
            self.core.writer.limit = 1 << 8 + code[0]
        self._next_protocols = found.get(NEXT_PROTOCOLS)
        limit = found.get(RECORD_SIZE_LIMIT, b"")
        if len(limit) == 2:  # RFC 8449 §4
            self.core.writer.limit = max(64, min(PLAINTEXT, int.from_bytes(limit, "big")))

    def message(self, kind: int, message: bytes) -> None:
        """Take a message of the server, with its header. Raises :class:`Abort`, DecodeError and ValueError."""
        if kind == HELLO_REQUEST:
            return  # in the midst of a handshake it is ignored, RFC 5246 §7.4.1.1
        if kind == FINISHED:
            self._finished(message[4:])
            self.core.take(message)
            return
        self.core.take(message)
        body = cursor(message[4:])
        if kind == CERTIFICATE:
            chain = body.vector(3, "certificate_list")
            leaf = chain.vector(3, "certificate").rest() if chain.left else b""
            parts = taken_apart(leaf)
            self._server_key = b"" if parts is None else parts.key
        elif kind == SERVER_KEY_EXCHANGE:
            self._key_exchange(body)
        elif kind == CERTIFICATE_REQUEST:
            self._request(body)
        elif kind == SERVER_HELLO_DONE:
            self._answer()
        elif kind not in (CERTIFICATE_STATUS, NEW_SESSION_TICKET):
            raise Abort(AlertDescription.unexpected_message, f"the server sent a message of type {kind}")

    def change_cipher_spec(self) -> None:
        """Read under the new keys from here on."""
        if self._pending is None:
            raise Abort(AlertDescription.unexpected_message, "the server changed its cipher before it was due")
        self.core.reader.opener, self._pending = self._pending, None

    # what the server says ----------------------------------------------------------------------------------

    def _key_exchange(self, body: Cursor) -> None:
        exchange = self.suite.key_exchange
        try:
            if exchange in ("DHE", "DH"):
                numbers = [int.from_bytes(body.vector(2, "dh").rest(), "big") for _ in range(3)]
                self._agreed = finite_agreement(*numbers)
            elif exchange in ("ECDHE", "ECDH"):
                if body.u8("curve_type") != NAMED_CURVE:
                    raise Unable("a curve that is spelled out")
                group = body.u16("namedcurve")
                self._agreed = curve_agreement(group, body.vector(1, "point").rest())
            elif exchange == "RSA":  # RFC 2246 App. D.1: a key that is small enough for export
                modulus, exponent = (int.from_bytes(body.vector(2, "rsa").rest(), "big") for _ in range(2))
                self._export_key = modulus, exponent
        except Unable as error:
            raise Abort(AlertDescription.illegal_parameter, f"the server's key exchange: {error}") from None

    def _request(self, body: Cursor) -> None:
        self.asked = self.core.asked = True
        body.vector(1, "certificate_types")
        if self.version >= TLS12:
            self._schemes = body.vector(2, "supported_signature_algorithms").numbers(2, "scheme")

    def _finished(self, data: bytes) -> None:
        if self.core.reader.opener is None or not self.sent:
            raise Abort(AlertDescription.unexpected_message, "the server finished before it was due")
        right = verify_data(self._master, bytes(self.core.transcript), self.version, self.suite.prf_hash, False)
        if data != right:
            raise Abort(AlertDescription.decrypt_error, "the server's Finished is wrong")
        self.peer_verify = data
        self.done = True

    # what the client answers -------------------------------------------------------------------------------

    def _answer(self) -> None:
        """Queue the client's flight, from Certificate to Finished."""
        core = self.core
        if self.sent:
            raise Abort(AlertDescription.unexpected_message, "the server said twice that it was done")
        proves = self._certificates()
        key_exchange, premaster = self._shared()
        core.facts.take("client", core.say(CLIENT_KEY_EXCHANGE, key_exchange))
        client, server = self._randoms()
        digest = None
        if core.facts.extended_master:
            digest = session_hash(bytes(core.transcript), self.version, self.suite.prf_hash)
        self._master = bytes(master_secret(premaster, client, server, self.version, self.suite.prf_hash, digest))
        core.log_secret("CLIENT_RANDOM", self._master)
        if proves and core.presentation.key is not None:
            self._prove()
        sealer = self._keys(client, server)
        core.out += core.writer.write(CHANGE_CIPHER_SPEC, b"\1")
        core.writer.sealer = sealer
        if self._next_protocols is not None:
            core.say(NEXT_PROTOCOL, _next_protocol(self._next_protocols))
        right = verify_data(self._master, bytes(core.transcript), self.version, self.suite.prf_hash, True)
        self.own_verify = core.finished(right)
        core.say(FINISHED, self.own_verify)
        self.sent = True

    def _certificates(self) -> bool:
        """Queue the Certificate message; say whether a CertificateVerify must follow."""
        shown, core = self.core.presentation, self.core
        if not self.asked:
            return False
        if self.version == SSLV3 and not shown.certificates and shown.raw is None and shown.message:
            core.alert(WARNING, _NO_CERTIFICATE)  # RFC 6101 §5.6.6: there is no empty list in SSLv3
            return False
        entries = b"".join(len(one).to_bytes(3, "big") + one for one in shown.certificates)
        return core.say_certificates(len(entries).to_bytes(3, "big") + entries)

    def _prove(self) -> None:
        core = self.core
        key = core.presentation.key
        if key is None:
            return
        content = bytes(core.transcript)
        proof = core.presentation.proof
        schemes = self._schemes
        signed = proof_of(key, self.version, content, schemes, proof=proof, pss_only=core.pss_only, master=self._master)
        if signed.note is not None:
            core.note(signed.note)
        core.say(CERTIFICATE_VERIFY, signed.body)

    def _shared(self) -> tuple[bytes, bytes]:
        """Return the body of the ClientKeyExchange, and the premaster secret."""
        exchange = self.suite.key_exchange
        try:
            if exchange == "RSA":
                return self._rsa()
            if exchange in ("DH", "ECDH") and self._agreed is None:
                self._agreed = fixed_agreement(self._server_key)
        except Unable as error:
            raise Abort(AlertDescription.illegal_parameter, f"the server's key exchange: {error}") from None
        if self._agreed is None:
            raise Abort(AlertDescription.unexpected_message, "the server sent no ServerKeyExchange")
        public = self._agreed.public
        width = 2 if exchange.startswith("DH") else 1
        return len(public).to_bytes(width, "big") + public, self._agreed.secret

    def _rsa(self) -> tuple[bytes, bytes]:
        """Encrypt a premaster secret for the server, RFC 5246 §7.4.7.1; SSLv3 has no length before it."""
        numbers = self._export_key
        if numbers is None:
            try:
                key = RsaKey.read(element(self._server_key)) if self._server_key else None
            except DecodeError:
                key = None
            if key is None:
                raise Abort(AlertDescription.illegal_parameter, "the server's certificate holds no RSA key that fits")
            numbers = key.modulus, key.exponent
        premaster = self.core.facts.client_hello[4:6] + os.urandom(46)
        sealed = encrypted(premaster, *numbers)
        return sealed if self.version == SSLV3 else len(sealed).to_bytes(2, "big") + sealed, premaster

    def _randoms(self) -> tuple[bytes, bytes]:
        return self.core.facts.client_random or b"", self.core.facts.server_random or b""

    def _keys(self, client: bytes, server: bytes) -> Sealer:
        """Make both directions' keys: the server's wait for its change_cipher_spec."""
        own, peer = connection_keys(self._master, client, server, self.version, self.suite)
        options = self.core.facts.options
        opener = opener_for(self.suite, self.version, peer, options)
        if isinstance(opener, str):
            raise Abort(AlertDescription.internal_error, opener)
        self._pending = opener
        return sealer_for(self.suite, self.version, own, options)


def with_renegotiation(message: bytes, verify: bytes) -> bytes:
    """Return a ClientHello for a renegotiation: with the client's last verify_data in renegotiation_info.

    RFC 5746 §3.5; the signalling cipher suite is for first handshakes only and goes. Raises DecodeError.
    """
    body = cursor(message[4:])
    head = body.take(34, "version and random")
    session = body.vector(1, "session_id").rest()
    suites = [code for code in body.vector(2, "cipher_suites").numbers(2, "cipher_suites") if code != 0x00FF]
    methods = body.vector(1, "compression_methods").rest()
    found = extensions(body) if body.left else {}
    found.pop(RENEGOTIATION_INFO, None)
    info = RENEGOTIATION_INFO, bytes((len(verify),)) + verify
    block = b"".join(
        kind.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data for kind, data in (*found.items(), info)
    )
    made = head + bytes((len(session),)) + session + (2 * len(suites)).to_bytes(2, "big")
    made += b"".join(code.to_bytes(2, "big") for code in suites) + bytes((len(methods),)) + methods
    made += len(block).to_bytes(2, "big") + block
    return message[:1] + len(made).to_bytes(3, "big") + made


def _next_protocol(offered: bytes) -> bytes:
    """Return the body of NextProtocol: the server's first choice, draft-agl-tls-nextprotoneg-04 §3."""
    name = offered[1 : 1 + offered[0]] if offered else b"http/1.1"
    padding = bytes(32 - (len(name) + 2) % 32)
    return bytes((len(name),)) + name + bytes((len(padding),)) + padding
