"""Which TLS stack a server runs, told from its side of the handshake, and whether such a stack shows its clock.

A naive Bayes over few features, each taken relative to what the client offered: what a server leaves out says
something only where it was asked. The libraries and what each does are in :mod:`tlsalert.diagnosis.traits`.
Nothing here looks at an alert: what a stack answers is :mod:`tlsalert.diagnosis.knowledge`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import exp
from typing import Final

from tlsalert.diagnosis.traits import LIBRARIES, PRIOR, Row, evidence
from tlsalert.diagnosis.traits import ticket_lifetime as _ticket_lifetime
from tlsalert.model import ClientHello, Connection, ServerHello

#: What to call the families of :data:`tlsalert.diagnosis.knowledge.STACKS` in a sentence.
LABELS: Final[dict[str, str]] = {
    "openssl<=1.0.2": "OpenSSL 1.0.2 or older",
    "openssl>=1.1.1": "OpenSSL 1.1.1 or newer",
    "stunnel-pinned": "stunnel with pinned certificates",
    "nginx": "nginx",
    "gnutls": "GnuTLS",
    "gnutls-serv": "gnutls-serv",
    "nss": "NSS",
    "mbedtls": "Mbed TLS",
    "wolfssl": "wolfSSL",
    "botan": "Botan",
    "go<=1.19": "Go 1.19 or older",
    "go": "Go",
    "java": "Java (JSSE)",
    "node": "Node.js",
    "grpc": "gRPC",
    "boringssl": "BoringSSL",
    "rustls": "rustls",
    "erlang": "Erlang/OTP",
    "schannel": "Windows (Schannel)",
    "other": "another stack",
}

#: How many of the servers of one library behave as which family of answers. A judgement, not a count.
FAMILIES: Final[dict[str, dict[str, float]]] = {
    "openssl<=1.0.1e": {"openssl<=1.0.2": 0.91, "stunnel-pinned": 0.07, "nginx": 0.02},
    "openssl 1.0.1f-1.0.2": {"openssl<=1.0.2": 0.90, "stunnel-pinned": 0.06, "nginx": 0.04},
    "openssl>=1.1.0": {"openssl>=1.1.1": 0.68, "nginx": 0.15, "node": 0.08, "stunnel-pinned": 0.09},
    "gnutls": {"gnutls": 0.85, "gnutls-serv": 0.15},
    "boringssl": {"boringssl": 0.7, "grpc": 0.3},
}

#: Libraries that put gmt_unix_time into ServerHello.random up to TLS 1.2, and how surely. Measured with a false
#: clock: OpenSSL 0.9.8zh and 1.0.1e, Mbed TLS 2.28 and 3.5, Botan 2.19, BoringSSL show it; OpenSSL 1.0.2u and
#: later, GnuTLS, NSS, wolfSSL, Go, Java, rustls, Erlang do not. OpenSSL stopped with 1.0.1f (its NEWS). Schannel:
#: 37 of 38 ServerHellos in public captures are within two days of the capture; of BoringSSL 105 of 105.
SHOWS_CLOCK: Final[dict[str, float]] = {
    "openssl<=1.0.1e": 0.98,
    "mbedtls": 0.95,
    "botan": 0.97,
    "boringssl": 0.97,
    "schannel": 0.95,
    "other": 0.3,
}
_STACKS_SHOWING: Final = {**SHOWS_CLOCK, "grpc": SHOWS_CLOCK["boringssl"]}
NO_CLOCK: Final = 0.01

TLS13: Final = (0x0304, 0xFEFC)
SCSV: Final = 0x00FF  # TLS_EMPTY_RENEGOTIATION_INFO_SCSV, RFC 5746 §3.3
RSA_MD5: Final = 0x0101  # RFC 5246 §7.4.1.4.1: md5, rsa
#: Numbers in an offer whose answer is remembered: a longer one is looked at anew, or strangers could fill the memory.
LONGEST: Final = 256
#: What some rows of evidence came to, by their identities, with the rows themselves: while they are held, no others can
#: have these identities. A capture shows the same few servers again and again.
_KNOWN: Final[dict[tuple[int, ...], tuple[list[Row], Mapping[str, float]]]] = {}
#: So many of them are kept.
REMEMBERED: Final = 256


def server_stack(connection: Connection, libraries: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return how likely the server belongs to each family of ``knowledge.STACKS``; the values add up to 1.

    Without a ServerHello it is the prior.
    """
    found = dict.fromkeys(LABELS, 0.0)
    libraries = libraries or server_libraries(connection)
    applications = _applications(connection)
    for library, share in libraries.items():
        families = FAMILIES.get(library)
        if families is None:
            found[library] += share
            continue
        weights = {family: weight * applications.get(family, 1.0) for family, weight in families.items()}
        total = sum(weights.values())
        for family, weight in weights.items():
            found[family] += share * weight / total
    return found


def server_libraries(connection: Connection) -> Mapping[str, float]:
    """Return how likely each library is; the values add up to 1."""
    client, server = connection.client_hello, connection.server_hello
    if client is None or server is None:
        return _shares([])
    rows = list(evidence(connection, client, server))
    key = tuple([id(row) for row in rows])
    known = _KNOWN.get(key)
    if known is None:
        if len(_KNOWN) >= REMEMBERED:
            _KNOWN.clear()
        known = rows, _shares(rows)
        _KNOWN[key] = known
    return known[1]


def _shares(rows: list[Row]) -> dict[str, float]:
    scores = list(PRIOR)
    for row in rows:
        scores = [score + weight for score, weight in zip(scores, row, strict=True)]
    highest = max(scores)
    shares = [exp(score - highest) for score in scores]
    total = sum(shares)
    return {library: share / total for library, share in zip(LIBRARIES, shares, strict=True)}


def clock_prior(
    stacks: dict[str, float], connection: Connection, libraries: Mapping[str, float] | None = None
) -> float:
    """Return how likely this server puts its clock into ServerHello.random, before the value is looked at.

    ``stacks`` is what :func:`server_stack` said, of this connection or of several to the same server.
    """
    hello = connection.server_hello
    if hello is None or hello.hello_retry_request or hello.version in TLS13:
        return 0.0  # RFC 8446 §4.1.3: 32 random bytes
    libraries = libraries or server_libraries(connection)
    old = libraries["openssl<=1.0.1e"]
    newer = libraries["openssl 1.0.1f-1.0.2"]
    generations = {
        "openssl<=1.0.2": old + newer,
        "stunnel-pinned": old + newer + libraries["openssl>=1.1.0"],
        "nginx": old + newer + libraries["openssl>=1.1.0"],
    }
    chance = 0.0
    for stack, share in stacks.items():
        if stack in generations:
            chance += share * SHOWS_CLOCK["openssl<=1.0.1e"] * old / max(generations[stack], 1e-9)
        else:
            chance += share * _STACKS_SHOWING.get(stack, NO_CLOCK)
    return min(1.0, chance)


def client_clock_prior(connection: Connection) -> float:
    """Return how likely this client puts its clock into ClientHello.random, before the value is looked at.

    Counted over public captures: what is within two days of the capture's own clock is taken for a clock.
    """
    hello = connection.client_hello
    if hello is None or any(version in TLS13 for version in hello.versions):
        return NO_CLOCK  # 1 of 505 that offered TLS 1.3 showed it
    types = tuple([extension.type for extension in hello.extensions])
    if len(types) + len(hello.cipher_suites) + len(hello.signature_schemes) > LONGEST:
        return _client_prior.__wrapped__(types, hello.cipher_suites, hello.signature_schemes)
    return _client_prior(types, hello.cipher_suites, hello.signature_schemes)


@lru_cache(maxsize=256)
def _client_prior(types: tuple[int, ...], suites: tuple[int, ...], schemes: tuple[int, ...]) -> float:
    if RSA_MD5 in schemes:
        return 0.97  # OpenSSL 1.0.0 to 1.0.1e: MD5 and the clock went together, in 1.0.1f; 12 of 12
    if _grease(suites):
        return NO_CLOCK  # Chromium and its kin, RFC 8701
    if types[:4] == (0, 10, 11, 13) and SCSV in suites:
        return 0.85  # Apple's Secure Transport; 31 of 37
    if types[-6:] == (13, 10, 11, 22, 23, 35) and SCSV in suites:
        return 0.9  # Mbed TLS 2.x; 2 of 2
    if types[-2:] == (23, 65281) and SCSV not in suites:
        return 0.2  # Schannel, by its age; 4 of 19
    if 23 in types or 13 in types:
        return 0.03  # OpenSSL 1.0.1f and later, NSS, Go, Java: 32 random bytes; 6 of 277
    return 0.3  # from before TLS 1.2's extensions: old enough for either; 27 of 100


def _grease(suites: tuple[int, ...]) -> bool:
    """Whether the client mixes in values that mean nothing, RFC 8701."""
    return any(suite & 0x0F0F == 0x0A0A and suite >> 8 == suite & 0xFF for suite in suites)


def _applications(connection: Connection) -> dict[str, float]:
    """Return how much more or less likely the programs over OpenSSL and GnuTLS are than their prior says.

    Measured: nginx, stunnel and Apache give tickets 300 seconds, OpenSSL itself, HAProxy and Node 7200; Node
    does not acknowledge a server name, nginx, stunnel and HAProxy do; Node prefers its own cipher suites.
    """
    client, server = connection.client_hello, connection.server_hello
    factors = dict.fromkeys(("openssl>=1.1.1", "nginx", "node", "stunnel-pinned", "gnutls-serv", "grpc"), 1.0)
    if client is None or server is None:
        return factors
    seconds = _ticket_lifetime(connection)
    if seconds == 300:
        factors |= {"nginx": 3.0, "stunnel-pinned": 3.0, "openssl>=1.1.1": 0.7, "node": 0.1}
    elif seconds is not None:
        factors |= {"nginx": 0.4, "stunnel-pinned": 0.1, "openssl>=1.1.1": 1.2, "node": 1.5}
        factors["gnutls-serv"] = 3.0
    answered = {extension.type for extension in server.extensions}
    if server.version not in TLS13 and any(extension.type == 0 for extension in client.extensions):
        node = 0.1 if 0 in answered else 1.5
        factors["node"] *= node
    if connection.alpn == "h2" or server.alpn == "h2":
        factors["grpc"] *= 2.5
        factors["stunnel-pinned"] *= 0.2
    factors["node"] *= _own_choice(client, server)
    return factors


def _own_choice(client: ClientHello, server: ServerHello) -> float:
    """Return how a choice against the client's order, or by it, tells for Node.

    Node picks TLS_AES_256_GCM_SHA384 in TLS 1.3 and ECDHE with AES-128-GCM before that, whatever comes first.
    """
    preferred, passed_over = (0x1302, 0x1301) if server.version in TLS13 else (0xC02F, 0xC030)
    offered = client.cipher_suites
    if preferred not in offered or passed_over not in offered:
        return 1.0
    if offered.index(preferred) < offered.index(passed_over):
        return 1.0
    return 4.0 if server.cipher_suite == preferred else 0.1
