"""A server of tlslite-ng: it still speaks what OpenSSL has given up, SSLv3, RC4 and small Diffie-Hellman groups."""

from __future__ import annotations

import contextlib
import socket
import warnings

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.replay.devices import Serve
from tlsalert.lab.certificates import Identity

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it imports asyncore
    from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
    from tlslite.errors import BaseTLSException

#: Generator and prime of 512 bits, the size that export rules once allowed (openssl dhparam -2 512).
SMALL_GROUP = (
    2,
    int(
        "CD26028B8A237DE8D22378E7CF4395D6C1C4CEC2B6E7AB3F7AAA936408CD0299"
        "20A4D61ED4008490DD1CE9183EB578E1E75BFE17DF96806BD4640939374DB12F",
        16,
    ),
)
VERSIONS = {"SSLv3": (3, 0), "TLS 1.0": (3, 1), "TLS 1.1": (3, 2), "TLS 1.2": (3, 3), "TLS 1.3": (3, 4)}
CIPHERS = ["rc4", "3des", "aes128", "aes256", "aes128gcm", "aes128ccm", "aes128ccm_8", "chacha20-poly1305"]


def peer(identity: Identity, version: str, *, group: tuple[int, int], seen: list[bytes | None]) -> Serve:
    """Serve one version and ask for a certificate, without looking at its issuer or insisting on it.

    ``seen`` gets the client's leaf (None where it showed none) of each handshake that succeeded.
    """
    pem = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    key = parsePEMKey(pem, private=True)
    chain = X509CertChain()
    chain.parsePemList(identity.certificate.public_bytes(Encoding.PEM).decode())
    settings = HandshakeSettings()
    settings.minVersion = settings.maxVersion = VERSIONS[version]
    settings.cipherNames = CIPHERS
    settings.macNames = ["sha", "md5", "sha256", "sha384", "aead"]
    settings.minKeySize = 512
    settings.dhParams = group

    def serve(sock: socket.socket) -> None:
        connection = TLSConnection(sock)
        with contextlib.suppress(BaseTLSException):
            connection.handshakeServer(certChain=chain, privateKey=key, reqCert=True, settings=settings)
            shown = connection.session.clientCertChain
            seen.append(None if shown is None else bytes(shown.x509List[0].bytes))
            connection.read(1, 1)
            connection.close()

    return serve
