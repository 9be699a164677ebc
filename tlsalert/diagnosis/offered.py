"""Whether a certificate's key is of a kind that the other side said it can verify.

A server says so in its CertificateRequest (RFC 5246 §7.4.4, RFC 8446 §4.3.2), a client in its ClientHello
(RFC 8446 §4.2.3, RFC 8422 §5.1).
"""

from __future__ import annotations

from typing import Final

from tlsalert.model import Certificate, Connection, Side
from tlsalert.registry.groups import NamedGroup
from tlsalert.registry.signature_schemes import SignatureScheme

#: How the names of signature schemes begin, and the certificate type before TLS 1.2, by the kind of key.
KINDS: Final = {
    "RSA": ("rsa", "rsa_sign"),
    "DSA": ("dsa", "dss_sign"),
    "EC": ("ecdsa", "ecdsa_sign"),
    "Ed25519": ("ed25519", None),
    "Ed448": ("ed448", None),
    "ML-DSA-44": ("mldsa44", None),
    "ML-DSA-65": ("mldsa65", None),
    "ML-DSA-87": ("mldsa87", None),
}
#: Curves by the names that groups and, in TLS 1.3, signature schemes have for them: RFC 8446 §4.2.3, RFC 8422 §5.1.1.
CURVES: Final = {
    "P-192": "secp192r1",
    "P-224": "secp224r1",
    "P-256": "secp256r1",
    "P-384": "secp384r1",
    "P-521": "secp521r1",
    "secp256k1": "secp256k1",
    "brainpoolP256r1": "brainpoolP256r1",
    "brainpoolP384r1": "brainpoolP384r1",
    "brainpoolP512r1": "brainpoolP512r1",
}
OLD: Final = ("SSLv3", "TLS 1.0", "TLS 1.1")


def not_offered(connection: Connection, owner: Side, leaf: Certificate, scheme: int | None = None) -> str | None:
    """Return how a certificate of ``owner`` misses what the other side offered, or None where it does not.

    ``scheme`` is the one that ``owner`` signed with, where that was seen.
    """
    kind, _, detail = (leaf.key or "").partition(" ")
    begins, old_type = KINDS.get(kind, (None, None))
    if begins is None:
        return None
    if connection.tls_version in OLD:
        return _old(connection, owner, leaf, old_type)
    offered, who = _schemes(connection, owner)
    if not offered:
        return None
    fitting = [name for name in offered if name.startswith(begins)]
    if not fitting:
        return f"its key is {leaf.key}, and {who} no signature scheme for such a key"
    if connection.tls13 and kind == "EC":
        curve = CURVES.get(detail, detail)
        if not any(curve in name for name in fitting):
            return f"its key is {leaf.key}, and {who} no signature scheme for this curve"
    if scheme is not None and _name(scheme) not in offered:
        return f"the {owner} signed with {_name(scheme)}, which the other side did not offer"
    return _group(connection, owner, leaf, detail) if kind == "EC" else None


def _old(connection: Connection, owner: Side, leaf: Certificate, old_type: str | None) -> str | None:
    """Before TLS 1.2 there are certificate types, and no signature but RSA, DSA and ECDSA: RFC 4346 §7.4.4."""
    if old_type is None:
        return f"its key is {leaf.key}, for which {connection.tls_version} has no signature"
    request = connection.certificate_request
    if owner == "client" and request is not None and request.types and old_type not in request.types:
        return f"its key is {leaf.key}, and the server asks for certificates of type {', '.join(request.types)}"
    return None


def _schemes(connection: Connection, owner: Side) -> tuple[tuple[str, ...], str]:
    request, hello = connection.certificate_request, connection.client_hello
    if owner == "client":
        return request.signature_schemes if request is not None else (), "the server's CertificateRequest has"
    return tuple(_name(code) for code in hello.signature_schemes) if hello is not None else (), "the client offers"


def _group(connection: Connection, owner: Side, leaf: Certificate, curve: str) -> str | None:
    """Up to TLS 1.2 a server's key has to lie on a curve that the client offers, RFC 8422 §5.1."""
    hello = connection.client_hello
    if owner != "server" or connection.tls13 or hello is None or not hello.groups or curve not in CURVES:
        return None
    if any(NamedGroup(code).name == CURVES[curve] for code in hello.groups):
        return None
    return f"its key is {leaf.key}, a curve that the client does not offer"


def _name(scheme: int) -> str:
    member = SignatureScheme(scheme)
    return member.name if member.name in SignatureScheme.__members__ else str(member)
