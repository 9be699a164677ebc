"""A device as the lab runs it, and how it judges a client's certificate: stunnel's levels of verification.

Level, and what it demands (stunnel's manual, "verify", "verifyChain" and "verifyPeer"):

    0   a certificate is asked for and not looked at
    1   if one is shown, its chain must be right
    2   one must be shown, and its chain must be right (verifyChain)
    3   as 2, and the certificate itself must be among those that the device has
    4   one must be shown and be among those that the device has; its chain does not count (verifyPeer)

What stunnel does about each error is taken from its behaviour: the tests hold this device against the real one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL, crypto

from tlsalert.lab.device import Device, Version, server_context
from tlsalert.lab.faults import Fault
from tlsalert.lab.openssl import CERT_REJECTED, Judge, judge_by

Level = Literal[0, 1, 2, 3, 4]
After = Literal["echo", "http", "console", "close"]
StartTls = Literal["smtp", "imap", "pop3"]

#: X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE and
#: X509_V_ERR_CERT_UNTRUSTED of openssl/x509_vfy.h: the chain above the certificate is not known.
_CHAIN_UNKNOWN = (20, 21, 27)

_LEFT_OUT: dict[Version, int] = {
    "TLS 1.0": SSL.OP_NO_TLSv1,
    "TLS 1.1": SSL.OP_NO_TLSv1_1,
    "TLS 1.2": SSL.OP_NO_TLSv1_2,
    "TLS 1.3": SSL.OP_NO_TLSv1_3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabDevice(Device):
    """A device that listens. ``clock`` is what its clock says when it starts, and runs on; None is the process's.

    ``pinned`` certificates are trusted like ``trusted`` ones; levels 3 and 4 want the client's among both, as stunnel,
    which knows one file only, does. ``verify`` None demands what ``asks`` says (a right chain). ``without`` are
    versions between the lowest and the highest that it lacks. ``crls`` count for the client's own certificate.
    ``after`` is what it does once the handshake has succeeded: send back what it gets; answer a request of HTTP with
    its Date; greet like a remote console (RFC 6143 §7.1.1); close. ``starttls`` comes before TLS.
    """

    verify: Level | None = None
    pinned: tuple[x509.Certificate, ...] = ()
    without: tuple[Version, ...] = ()
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    after: After = "echo"
    starttls: StartTls | None = None
    fault: Fault | None = None


def context_of(device: LabDevice) -> SSL.Context:
    """Return the context of its connections. Raises OpenSSL's Error where it can't make one of such settings."""
    # The clock is set for each connection: a store's would stand still, and go before it.
    context = server_context(replace(device, clock=None))
    context.set_session_id(
        b"tlsalert lab"
    )  # without one OpenSSL ends a session that is taken up again, by a fatal error
    for version in device.without:
        context.set_options(_LEFT_OUT[version])
    store = context.get_cert_store()
    if store is None:  # only where OpenSSL has run out of memory
        raise MemoryError
    for certificate in device.pinned:
        store.add_cert(crypto.X509.from_cryptography(certificate))
        context.add_client_ca(certificate)
    for crl in device.crls:
        store.add_crl(crl)
    if device.crls:
        store.set_flags(crypto.X509StoreFlags.CRL_CHECK)
    if device.verify is not None:
        must = SSL.VERIFY_FAIL_IF_NO_PEER_CERT if device.verify >= 2 else 0
        if device.verify >= 3 or device.verify == 0:
            judge_by(context, SSL.VERIFY_PEER | must, _judge(device))
        else:
            context.set_verify(SSL.VERIFY_PEER | must)
    return context


def _judge(device: LabDevice) -> Judge:
    """Return who decides on levels 0, 3 and 4, certificate by certificate."""
    level = device.verify
    known = {one.public_bytes(Encoding.DER) for one in (*device.trusted, *device.pinned)}

    def judge(certificate: crypto.X509, error: int, depth: int) -> int:
        if level == 0:
            return 0
        if error and (level == 3 or (depth == 0 and error not in _CHAIN_UNKNOWN)):
            return error
        if depth > 0 or crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate) in known:
            return 0
        return CERT_REJECTED

    return judge
