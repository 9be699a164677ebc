"""Real TLS peers in memory: handshakes by Python's ssl module (OpenSSL), recorded as the records of both sides."""

from __future__ import annotations

import base64
import contextlib
import ssl
import tempfile
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from tlsalert.lab.certificates import Identity, KeyKind, self_signed
from tlsalert.model import Side
from tlsalert.secrets.direction import Record

VERSIONS = {
    "TLS 1.0": ssl.TLSVersion.TLSv1,
    "TLS 1.1": ssl.TLSVersion.TLSv1_1,
    "TLS 1.2": ssl.TLSVersion.TLSv1_2,
    "TLS 1.3": ssl.TLSVersion.TLSv1_3,
}
#: Options of OpenSSL 3 that Python has no names for.
NO_EXTENDED_MASTER_SECRET, NO_ENCRYPT_THEN_MAC = 1 << 0, 1 << 19

#: Who sends, where it writes, and where the other reads.
Wire = tuple[Side, ssl.MemoryBIO, ssl.MemoryBIO]


@dataclass
class Talk:
    """What both sides sent, in order, and the secrets that the client logged."""

    records: list[Record] = field(default_factory=list)
    keylog: bytes = b""
    cipher: str = ""
    session: ssl.SSLSession | None = None
    resumed: bool = False

    def take(self, side: Side, data: bytes) -> None:
        """Add what a side sent, which ends with a record's end."""
        at = 0
        while at < len(data):
            end = at + 5 + int.from_bytes(data[at + 3 : at + 5], "big")
            version = int.from_bytes(data[at + 1 : at + 3], "big")
            self.records.append(
                Record(side, data[at], version, end - at - 5, data[at + 5 : end], len(self.records) + 1)
            )
            at = end


@cache
def identity(kind: KeyKind) -> Identity:
    """Return a certificate for 127.0.0.1 that signed itself."""
    return self_signed("CN=peer", datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC), kind)


@cache
def dh_parameters() -> bytes:
    """Return the group ffdhe2048 of RFC 7919 App. A.1, from the formula it stands there with."""
    e = 0  # floor(2^1918 * e), by the series of 1/n!
    term = 1 << 2000
    for number in range(1, 400):
        e += term
        term //= number
    p = 2**2048 - 2**1984 + ((e >> (2000 - 1918)) + 560316) * 2**64 - 1
    der = b"\x30\x82\x01\x08\x02\x82\x01\x01" + p.to_bytes(257, "big") + b"\x02\x01\x02"  # p and g, PKCS #3 §9
    return b"-----BEGIN DH PARAMETERS-----\n" + base64.encodebytes(der) + b"-----END DH PARAMETERS-----\n"


@dataclass
class Peers:
    """A client's context and a server's; several talks may resume each other's sessions."""

    version: str
    ciphers: str = "ALL:COMPLEMENTOFALL:eNULL"
    kind: KeyKind = "rsa"
    options: int = 0
    client_certificate: bool = False

    def __post_init__(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="peers")
        self._folder = folder
        self.log = Path(folder.name) / "keys.log"
        pem = Path(folder.name) / "peer.pem"
        pem.write_bytes(identity(self.kind).to_pem())
        parameters = Path(folder.name) / "dh.pem"
        parameters.write_bytes(dh_parameters())
        self.client, self.server = (self._context(side) for side in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER))
        self.client.check_hostname, self.client.verify_mode = False, ssl.CERT_NONE
        self.client.keylog_filename = str(self.log)
        self.server.load_cert_chain(pem)
        self.server.load_dh_params(str(parameters))
        if self.client_certificate:
            self.client.load_cert_chain(pem)
            self.server.verify_mode = ssl.CERT_REQUIRED
            self.server.load_verify_locations(pem)

    def _context(self, protocol: int) -> ssl.SSLContext:
        context: Any = ssl.SSLContext(protocol)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the old versions are what is tested
            context.minimum_version = context.maximum_version = VERSIONS[self.version]
        context.set_ciphers(f"{self.ciphers}:@SECLEVEL=0")
        context.options |= self.options
        assert isinstance(context, ssl.SSLContext)
        return context

    def close(self) -> None:
        self._folder.cleanup()

    def talk(self, resume: Talk | None = None, client_auth_later: bool = False, answers: int = 1) -> Talk:
        """Shake hands, send some data each way, and close."""
        talk = Talk()
        session = None if resume is None else resume.session
        # Each side writes into a pipe of its own, so that what it sent can be recorded before the other reads it.
        to_server, to_client, out_client, out_server = (ssl.MemoryBIO() for _ in range(4))
        client = self.client.wrap_bio(to_client, out_client, server_hostname="peer", session=session)
        server = self.server.wrap_bio(to_server, out_server, server_side=True)
        wires: list[Wire] = [("client", out_client, to_server), ("server", out_server, to_client)]
        done = {"client": False, "server": False}
        for _ in range(20):
            for side, peer in (("client", client), ("server", server)):
                if not done[side]:
                    with contextlib.suppress(ssl.SSLWantReadError):
                        peer.do_handshake()
                        done[side] = True
                self._carry(talk, wires)
        assert all(done.values())
        talk.cipher, talk.resumed = client.cipher()[0], bool(client.session_reused)  # type: ignore[index]
        for sender, receiver, data in ((client, server, b"question"), *[(server, client, b"answer" * 1000)] * answers):
            sender.write(data)
            self._carry(talk, wires)
            assert receiver.read(len(data))
        if client_auth_later:
            server.verify_client_post_handshake()
            server.write(b"more")
            self._carry(talk, wires)
            client.read(4)
            client.write(b"mine")
            self._carry(talk, wires)
            server.read(4)
            self._carry(talk, wires)
        talk.session = client.session
        for peer in (client, server):
            with contextlib.suppress(ssl.SSLError):
                peer.unwrap()
            self._carry(talk, wires)
        talk.keylog = self.log.read_bytes()
        return talk

    @staticmethod
    def _carry(talk: Talk, wires: list[Wire]) -> None:
        for side, out, into in wires:
            data = out.read()
            into.write(data)
            talk.take(side, data)
