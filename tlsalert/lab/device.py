"""A TLS server with a clock of its own, and a client for it, both in memory: no sockets, no root.

The device is a real OpenSSL server (pyOpenSSL), so it sends the alerts that OpenSSL sends. Two clocks
count, and they differ in how they are set:

- the clock by which it judges certificates is ``Device.clock`` (``X509_VERIFY_PARAM_set_time``);
- the clock that it shows in ServerHello.random (with ``shows_clock``, as TLS stacks did before 2014, RFC
  5246 §7.4.1.2) is always the process's: where that one shall be wrong too, run the process under
  :mod:`tlsalert.lab.faketime`.

    device = Device(identity, trusted=(pinned,), clock=datetime(2015, 3, 12, tzinfo=UTC))
    for side, flight in handshake(device, Client(engineer)):
        ...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from tempfile import NamedTemporaryFile
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from OpenSSL import SSL, crypto

from tlsalert.lab.certificates import Identity
from tlsalert.model import Side

#: What one side sent in one go: several messages, perhaps several records.
Flight = tuple[Side, bytes]
Version = Literal["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]

VERSIONS: dict[Version, int] = {
    "TLS 1.0": SSL.TLS1_VERSION,
    "TLS 1.1": SSL.TLS1_1_VERSION,
    "TLS 1.2": SSL.TLS1_2_VERSION,
    "TLS 1.3": SSL.TLS1_3_VERSION,
}

#: SSL_MODE_SEND_SERVERHELLO_TIME of openssl/ssl.h, which pyOpenSSL does not name.
SEND_SERVERHELLO_TIME = 0x40


@dataclass(frozen=True, slots=True, kw_only=True)
class _Party:
    """What both sides choose.

    ``versions`` are the lowest and the highest. ``ciphers`` is OpenSSL's list for TLS up to 1.2 (append
    ``:@SECLEVEL=0`` for weak keys and hashes; below TLS 1.2 that is done here, OpenSSL would refuse them),
    ``ciphersuites`` the one for TLS 1.3. ``trusted`` are the roots and pinned certificates. ``clock`` is
    what certificates are judged by, None for the process's. ``curve`` limits the key exchange to one. ``alpn`` are the
    application protocols, best first; a device refuses a client that shares none (RFC 7301 §3.2).
    """

    trusted: tuple[x509.Certificate, ...] = ()
    clock: datetime | None = None
    versions: tuple[Version, Version] = ("TLS 1.2", "TLS 1.2")
    ciphers: str = "DEFAULT"
    ciphersuites: str | None = None
    curve: ec.EllipticCurve | None = None
    alpn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Device(_Party):
    """A server that shows ``identity`` and asks for a client certificate as ``asks`` says.

    It names what it trusts in its CertificateRequest. ``shows_clock``: see the module's text.
    """

    identity: Identity
    asks: Literal["required", "optional", "no"] = "required"
    shows_clock: bool = False


@dataclass(frozen=True, slots=True)
class Client(_Party):
    """A client that shows ``identity``, or no certificate. Without ``trusted`` it accepts any server."""

    identity: Identity | None = None
    server_name: str | None = None


def handshake(device: Device, client: Client) -> list[Flight]:
    """Return what both sides sent until the handshake was finished or refused."""
    return Dialogue(device, client).handshake()


class NothingInCommon(Exception):  # noqa: N818 - raised through OpenSSL's callback, which makes alert 120 of it
    """The client shares none of the device's application protocols."""


class Dialogue:
    """A device and a client that talk in memory. Each method returns the flights that it caused.

    ``established`` tells whether both sides finished and neither refused. ``errors`` holds what OpenSSL
    said on a side that failed. ``secrets`` are the lines of the key log (SSLKEYLOGFILE), which open the connection to
    everyone who has them.
    """

    def __init__(self, device: Device, client: Client) -> None:
        self.errors: dict[Side, str] = {}
        self.secrets: list[bytes] = []
        self._finished: set[Side] = set()
        self._ends: dict[Side, SSL.Connection] = {"client": _client(client, self.secrets), "server": _server(device)}

    @property
    def established(self) -> bool:
        """Whether the handshake succeeded on both sides."""
        return len(self._finished) == 2 and not self.errors

    def handshake(self) -> list[Flight]:
        """Let both sides talk until neither has more to say."""
        flights: list[Flight] = []
        silent = 0
        side: Side = "client"
        while silent < 2:
            self._listen(side)
            flight = self._deliver(side)
            flights += flight
            silent = 0 if flight else silent + 1
            side = _other(side)
        return flights

    def send(self, side: Side, data: bytes) -> list[Flight]:
        """Let ``side`` send application data. Raises OpenSSL.SSL.Error unless the handshake succeeded."""
        self._ends[side].sendall(data)
        flights = self._deliver(side)
        self._listen(_other(side))
        return flights + self._deliver(_other(side))

    def close(self, side: Side) -> list[Flight]:
        """Let ``side`` send close_notify, RFC 8446 §6.1; the other side does not answer it."""
        self._ends[side].shutdown()
        return self._deliver(side)

    def _listen(self, side: Side) -> None:
        """Let ``side`` work on what it was sent, and note its refusal."""
        if side in self.errors:
            return
        try:
            if side not in self._finished:
                self._ends[side].do_handshake()
                self._finished.add(side)
            # TLS 1.3: the client finishes first. It must read on, or a refusal looks like success.
            while self._ends[side].recv(65536):
                pass
        except (SSL.WantReadError, SSL.ZeroReturnError):
            return
        except SSL.Error as error:
            self.errors[side] = reason(error)
        except NothingInCommon as error:
            self.errors[side] = str(error)

    def _deliver(self, side: Side) -> list[Flight]:
        """Carry what ``side`` has written to the other side."""
        pieces: list[bytes] = []
        try:
            while True:
                pieces.append(self._ends[side].bio_read(65536))
        except SSL.WantReadError:
            data = b"".join(pieces)
        if not data:
            return []
        self._ends[_other(side)].bio_write(data)
        return [(side, data)]


def reason(error: SSL.Error) -> str:
    """Return the reasons in OpenSSL's error queue, as ``openssl errstr`` words them."""
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return "; ".join(said for _, _, said in queue) or "the connection ended"


def _other(side: Side) -> Side:
    return "server" if side == "client" else "client"


def server_context(device: Device) -> SSL.Context:
    """Return the context of a device's connections: it may serve many of them, at the same time as well."""
    context = _context(SSL.TLS_SERVER_METHOD, device, device.identity)
    if device.shows_clock:
        context.set_mode(SEND_SERVERHELLO_TIME)
    if device.asks != "no":
        must = SSL.VERIFY_FAIL_IF_NO_PEER_CERT if device.asks == "required" else 0
        context.set_verify(SSL.VERIFY_PEER | must)
        for authority in device.trusted:
            context.add_client_ca(authority)
    if device.alpn:
        context.set_alpn_select_callback(_chooser(device.alpn))
    return context


def _server(device: Device) -> SSL.Connection:
    connection = SSL.Connection(server_context(device), None)
    connection.set_accept_state()
    return connection


def _client(client: Client, secrets: list[bytes]) -> SSL.Connection:
    context = _context(SSL.TLS_CLIENT_METHOD, client, client.identity)
    context.set_keylog_callback(lambda _, line: secrets.append(line))
    if client.trusted:
        context.set_verify(SSL.VERIFY_PEER)
    if client.alpn:
        context.set_alpn_protos([name.encode("ascii") for name in client.alpn])
    connection = SSL.Connection(context, None)
    if client.server_name is not None:
        connection.set_tlsext_host_name(client.server_name.encode("ascii"))
    connection.set_connect_state()
    return connection


def _context(method: int, party: _Party, identity: Identity | None) -> SSL.Context:
    context = SSL.Context(method)
    lowest, highest = (VERSIONS[version] for version in party.versions)
    context.set_min_proto_version(lowest)
    context.set_max_proto_version(highest)
    weak = lowest < SSL.TLS1_2_VERSION and "@SECLEVEL" not in party.ciphers
    context.set_cipher_list((party.ciphers + (":@SECLEVEL=0" if weak else "")).encode("ascii"))
    if party.ciphersuites is not None:
        context.set_tls13_ciphersuites(party.ciphersuites.encode("ascii"))
    if party.curve is not None:
        context.set_tmp_ecdh(party.curve)
    _trust(context, party)
    if identity is not None:
        context.use_certificate(identity.certificate)
        _use_key(context, identity)
        for certificate in identity.chain:
            context.add_extra_chain_cert(certificate)
    return context


def _chooser(protocols: tuple[str, ...]) -> Callable[[SSL.Connection, list[bytes]], bytes]:
    """Return what OpenSSL asks for the protocol to speak; it refuses the client where that raises."""

    def choose(_: SSL.Connection, offered: list[bytes]) -> bytes:
        for name in protocols:
            if name.encode("ascii") in offered:
                return name.encode("ascii")
        raise NothingInCommon("no application protocol")

    return choose


def _use_key(context: SSL.Context, identity: Identity) -> None:
    """Let ``context`` sign with the key of ``identity``, or with the wrong one that it claims for its own.

    OpenSSL takes no key that does not fit the certificate, but it compares the public halves only: so the wrong
    key's private half goes with the right one's public half. Nothing but OpenSSL's own reader lets that pass, and
    that one reads files.
    """
    if identity.signs_with is None:
        context.use_privatekey(identity.key)
        return
    der = identity.signs_with.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    form = Encoding.X962, PublicFormat.UncompressedPoint
    own, claimed = (key.public_key().public_bytes(*form) for key in (identity.signs_with, identity.key))
    with NamedTemporaryFile() as file:  # mode 0600
        file.write(der.replace(own, claimed))
        file.flush()
        context.use_privatekey_file(file.name, crypto.FILETYPE_ASN1)


def _trust(context: SSL.Context, party: _Party) -> None:
    store = context.get_cert_store()
    if store is None:  # only where OpenSSL has run out of memory
        raise MemoryError
    for certificate in party.trusted:
        store.add_cert(crypto.X509.from_cryptography(certificate))
    if party.clock is not None:
        store.set_time(party.clock)
