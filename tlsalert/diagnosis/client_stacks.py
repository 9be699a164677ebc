"""Which TLS stack a client is, by its ClientHello: the extensions that it offers, and their order.

Seen on the wire from OpenSSL 3.0.17, Node.js 20, CPython 3.11 (OpenSSL), GnuTLS 3.7.9, Java 17 and, for the older
order without encrypt_then_mac, OpenSSL 1.0.1e and 1.0.2v; GREASE is RFC 8701's, which BoringSSL's clients send.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from tlsalert.diagnosis.knowledge import STACKS
from tlsalert.model import ClientHello
from tlsalert.registry.open import is_grease

SUPPORTED_GROUPS, EC_POINT_FORMATS, STATUS_REQUEST_V2, ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET = 10, 11, 17, 22, 23
RECORD_SIZE_LIMIT, SIGNATURE_ALGORITHMS_CERT = 28, 50

#: How sure a stack is that was recognised: others may make the same hello.
RECOGNISED: Final = 0.85


def client_stack(hello: ClientHello | None) -> dict[str, float]:
    """Return a probability for each stack of :data:`~tlsalert.diagnosis.knowledge.STACKS`; they add up to 1."""
    found = _recognised(hello) if hello is not None else None
    if found is None:
        return dict.fromkeys(STACKS, 1 / len(STACKS))
    return {stack: RECOGNISED if stack == found else (1 - RECOGNISED) / (len(STACKS) - 1) for stack in STACKS}


def _recognised(hello: ClientHello) -> str | None:
    kinds = tuple(extension.type for extension in hello.extensions)
    if any(is_grease(kind) for kind in kinds) or any(is_grease(code) for code in hello.cipher_suites):
        return "boringssl"
    if STATUS_REQUEST_V2 in kinds or SIGNATURE_ALGORITHMS_CERT in kinds:
        return "java"
    if (EC_POINT_FORMATS, SUPPORTED_GROUPS) in pairwise(kinds):
        newer = ENCRYPT_THEN_MAC in kinds or EXTENDED_MASTER_SECRET in kinds
        return "openssl>=1.1.1" if newer else "openssl<=1.0.2"
    if ENCRYPT_THEN_MAC in kinds and RECORD_SIZE_LIMIT in kinds:
        return "gnutls"
    return None
