"""What TLS libraries do in a server's flight: the features, and how often each library shows which.

Where they come from: handshakes on loopback with the servers named beside them (to about 340 different client
hellos of public captures), public captures themselves, and the sources of Mbed TLS (ssl_srv.c) and Go
(crypto/tls/handshake_messages.go). The shares are rounded from what was counted, kept away from 0 and 1:
builds and settings differ. Where a library was not seen to show a feature the share is a judgement.

Extensions by their IANA number: 0 server_name, 5 status_request, 11 ec_point_formats, 15 heartbeat, 16 ALPN,
18 signed_certificate_timestamp, 22 encrypt_then_mac, 23 extended_master_secret, 35 session_ticket,
43 supported_versions, 51 key_share, 13172 next_protocol_negotiation, 65281 renegotiation_info.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import log
from typing import Final

from tlsalert.model import HANDSHAKE_KEYS, ClientHello, Connection, ServerHello

Row = tuple[float, ...]  # logarithms of probabilities, in the order of LIBRARIES

#: The libraries that are told apart, and how often they are met. A judgement; OpenSSL leads.
_MET: Final[dict[str, float]] = {
    "openssl<=1.0.1e": 0.10,
    "openssl 1.0.1f-1.0.2": 0.12,
    "openssl>=1.1.0": 0.33,
    "gnutls": 0.04,
    "nss": 0.02,
    "mbedtls": 0.05,
    "wolfssl": 0.03,
    "botan": 0.01,
    "go<=1.19": 0.03,
    "go": 0.06,
    "java": 0.06,
    "boringssl": 0.05,
    "rustls": 0.03,
    "erlang": 0.015,
    "schannel": 0.03,
    "other": 0.025,
}
LIBRARIES: Final = tuple(_MET)
PRIOR: Final[Row] = tuple(log(share) for share in _MET.values())

OLD: Final = ("openssl<=1.0.1e", "openssl 1.0.1f-1.0.2")
OPENSSL: Final = (*OLD, "openssl>=1.1.0")
GO: Final = ("go<=1.19", "go")
TLS13: Final = (0x0304, 0xFEFC)
P256, P521, X25519 = 23, 25, 29
DOWNGRADE: Final = b"DOWNGRD"  # RFC 8446 §4.1.3: the last eight bytes are this and 01 or 00

#: The order of a ServerHello's extensions. Two of them the wrong way round rule a library out.
ORDERS: Final[dict[str, tuple[tuple[int, ...], ...]]] = {
    "openssl<=1.0.1e": ((0, 65281, 11, 35, 5, 14, 15, 13172),),  # 1.0.1e s_server, stunnel 4.56
    "openssl 1.0.1f-1.0.2": ((0, 65281, 11, 35, 5, 14, 15, 13172, 16),),  # 1.0.2v s_server; public captures
    "openssl>=1.1.0": ((65281, 0, 1, 11, 10, 35, 5, 13172, 16, 14, 22, 18, 23),),  # 1.1.1f, 3.0; nginx, HAProxy
    "gnutls": ((11, 22, 23, 35, 65281),),  # 3.7.9
    "mbedtls": ((65281, 1, 4, 22, 23, 35, 11, 16),),  # 2.28.3; ssl_srv.c
    "wolfssl": ((65281, 35, 11, 23), (11, 35, 65281, 23), (22, 35, 11, 65281, 23)),  # 5.5.4
    "botan": ((0, 5, 11, 16, 22, 23, 35, 65281),),  # 2.19.3: by number
    "go<=1.19": ((5, 35, 65281, 16, 18, 11),),  # 1.19.8
    "go": ((5, 35, 65281, 23, 16, 18, 11, 0),),  # handshake_messages.go
    "java": ((0, 1, 5, 16, 17, 23, 35, 65281),),  # 17: by number
    "boringssl": ((0, 23, 65281, 11, 35, 16, 5, 13172, 18, 30032),),  # gRPC 1.85; public captures of Google's
    "rustls": ((0, 65281, 16, 23),),  # 0.23 (granian 2.8.7)
    "erlang": ((65281, 11),),  # OTP 25
    "schannel": ((5, 35, 16, 23, 65281, 0),),  # Microsoft's own servers in public captures
}
LOOKED_AT: Final = 64  # extensions of a hello: more are hostile
_IN_ORDER, _OUT_OF_ORDER, _UNTOLD = log(0.97), log(0.01), log(0.003)


def _row(default: float, shares: dict[str, float]) -> Row:
    """Return the row of one value: the share given for a library, else the default."""
    return tuple(log(shares.get(library, default)) for library in LIBRARIES)


def _each(libraries: tuple[str, ...], share: float) -> dict[str, float]:
    return dict.fromkeys(libraries, share)


def _asked(default: float, shares: dict[str, float]) -> tuple[Row, Row]:
    """Return the rows for an extension that was offered: left out, and answered."""
    left_out = _row(1 - default, {library: 1 - share for library, share in shares.items()})
    return left_out, _row(default, shares)


#: How often a library answers what the client offers: rows for "left out" and "answered".
EXTENDED_MASTER_SECRET: Final = _asked(
    0.95, _each((*OLD, "go<=1.19", "erlang"), 0.005) | {"other": 0.5, "schannel": 0.9, "openssl>=1.1.0": 0.985}
)
# Heartbeat is built into OpenSSL 1.0.1 and 1.0.2; GnuTLS can be told to answer it.
HEARTBEAT: Final = _asked(0.002, _each(OLD, 0.6) | {"gnutls": 0.02, "other": 0.05})
SESSION_TICKET: Final = _asked(
    0.75,
    _each(("nss", "erlang"), 0.03)
    | _each(("mbedtls", "botan"), 0.15)
    | {"rustls": 0.1, "gnutls": 0.45, "wolfssl": 0.9, "schannel": 0.35, "other": 0.5, "java": 0.9},
)
# Only where a CBC suite was chosen, RFC 7366 §3.
ENCRYPT_THEN_MAC: Final = _asked(
    0.01,
    {"openssl>=1.1.0": 0.97, "gnutls": 0.9, "mbedtls": 0.97, "wolfssl": 0.9, "botan": 0.6, "other": 0.1},
)
# A 1.1.0, or a server that is held to TLS 1.2, has no sentinel.
SENTINEL: Final = _asked(
    0.9,
    _each(OLD, 0.001)
    | _each(("mbedtls", "botan"), 0.002)
    | {"openssl>=1.1.0": 0.6, "schannel": 0.05, "other": 0.3, "java": 0.6, "nss": 0.8, "gnutls": 0.85},
)

_OTHER: Final = {"other": 0.2}
#: ec_point_formats, where offered and an elliptic curve suite was chosen.
POINT_FORMATS: Final[dict[bytes | None, Row]] = {
    b"\x03\x00\x01\x02": _row(0.002, _each(OPENSSL, 0.97) | _OTHER),
    b"\x01\x00": _row(0.95, _each(OPENSSL, 0.01) | _each(("java", "schannel"), 0.005) | {"rustls": 0.3, "other": 0.5}),
    None: _row(0.02, _each(("java", "schannel"), 0.99) | {"rustls": 0.7, "other": 0.4}),
}
#: CertificateRequest's certificate_types, RFC 5246 §7.4.4: 1 rsa_sign, 2 dss_sign, 64 ecdsa_sign; 3 and 4 are
#: the fixed Diffie-Hellman of OpenSSL up to 1.0.2.
CERTIFICATE_TYPES: Final[dict[bytes, Row]] = {
    b"\x01\x02\x40": _row(0.002, _each(OPENSSL, 0.95) | {"gnutls": 0.3, "schannel": 0.2} | _OTHER),
    b"\x01\x02": _row(0.002, _each(OLD, 0.3) | {"openssl>=1.1.0": 0.1, "gnutls": 0.1, "java": 0.05} | _OTHER),
    b"\x01\x40": _row(
        0.002,
        _each((*GO, "mbedtls", "boringssl", "rustls", "botan"), 0.9) | {"gnutls": 0.6} | _OTHER,
    ),
    b"\x40\x01\x02": _row(0.002, {"java": 0.9, "erlang": 0.97} | _OTHER),
    b"\x01\x40\x02": _row(0.002, {"nss": 0.97} | _OTHER),
    b"\x01": _row(0.002, {"wolfssl": 0.9, "go<=1.19": 0.01, "mbedtls": 0.05, "boringssl": 0.02} | _OTHER),
}
FIXED_DH: Final = _row(0.002, _each(OLD, 0.5) | _OTHER)  # 3, 4, 1, 2 …: with an ephemeral Diffie-Hellman suite
#: How a CertificateRequest's supported_signature_algorithms begin and end (TLS 1.2), as the servers send them.
SCHEMES: Final[tuple[tuple[bytes, bytes, Row], ...]] = (
    # 1.0.1e ends with MD5, which 1.0.1f left out; 1.0.2v and OpenSSL 1.1.0 end with SHA-1.
    (bytes.fromhex("060106020603"), bytes.fromhex("0101"), _row(0.001, {"openssl<=1.0.1e": 0.95})),
    (
        bytes.fromhex("060106020603"),
        b"",
        _row(0.001, {"openssl<=1.0.1e": 0.02, "openssl 1.0.1f-1.0.2": 0.97, "openssl>=1.1.0": 0.02, "other": 0.02}),
    ),
    (bytes.fromhex("04030503060308070808"), bytes.fromhex("0602"), _row(0.001, {"openssl>=1.1.0": 0.95})),
    (
        bytes.fromhex("0403050306030807080808"),
        b"",
        _row(0.001, {"openssl>=1.1.0": 0.4, "java": 0.93, "other": 0.02}),
    ),
    (bytes.fromhex("040108090804"), b"", _row(0.001, {"gnutls": 0.97})),
    (bytes.fromhex("080404030807"), b"", _row(0.001, _each(GO, 0.97))),
    (bytes.fromhex("040305030603020308"), b"", _row(0.001, {"nss": 0.97})),
    (bytes.fromhex("05010503"), b"", _row(0.001, {"mbedtls": 0.8, "other": 0.02})),
    (bytes.fromhex("0806080b0805"), b"", _row(0.001, {"wolfssl": 0.95})),
    (bytes.fromhex("04030804040105030805"), b"", _row(0.001, {"boringssl": 0.97, "other": 0.02})),
    (bytes.fromhex("05030403"), b"", _row(0.001, {"rustls": 0.97, "other": 0.02})),
    (bytes.fromhex("0202020102030301"), b"", _row(0.001, {"erlang": 0.97})),
)
UNKNOWN_SCHEMES: Final = _row(
    0.03, {"botan": 0.9, "schannel": 0.9, "other": 0.8, "mbedtls": 0.2, "openssl>=1.1.0": 0.08}
)

#: (a ticket is promised, what session_id is): OpenSSL, Go and BoringSSL leave it empty beside a ticket; GnuTLS
#: and Java do not; Go has no session cache.
SESSION_ID: Final[dict[tuple[bool, str], Row]] = {
    (True, "empty"): _row(0.9, {"gnutls": 0.02, "java": 0.03, "schannel": 0.3, "mbedtls": 0.05, "other": 0.5}),
    (True, "new"): _row(0.02, {"gnutls": 0.97, "java": 0.95, "schannel": 0.7, "mbedtls": 0.9, "other": 0.3}),
    (False, "empty"): _row(0.05, _each(GO, 0.97) | _each(OPENSSL, 0.15) | {"wolfssl": 0.2, "other": 0.3}),
    (False, "new"): _row(0.9, _each(GO, 0.01) | {"other": 0.5}),
}
#: ServerKeyExchange's named curve: "x25519"; "p256", "p384" or "p521" where X25519 was offered or not.
CURVE: Final[dict[str, Row]] = {
    "x25519": _row(0.9, _each(OLD, 0.001) | {"erlang": 0.02, "mbedtls": 0.5, "botan": 0.6, "other": 0.3}),
    "p256 before x25519": _row(
        0.04, _each(OLD, 0.95) | {"erlang": 0.95, "schannel": 0.3, "other": 0.3, "java": 0.1, "openssl>=1.1.0": 0.06}
    ),
    "p521 after p256": _row(0.005, {"mbedtls": 0.6, "other": 0.05} | _each(OLD, 0.02)),
}
#: The lifetime that a NewSessionTicket of TLS 1.2 hints at, in seconds.
LIFETIME: Final[dict[int, Row]] = {
    300: _row(0.01, _each(OLD, 0.8) | {"openssl>=1.1.0": 0.35, "other": 0.1}),
    7200: _row(0.01, {"openssl>=1.1.0": 0.5, "other": 0.1, "boringssl": 0.1} | _each(OLD, 0.08)),
    0: _row(0.01, _each(GO, 0.97) | {"other": 0.1}),
    86400: _row(0.01, {"java": 0.95, "mbedtls": 0.5, "other": 0.1}),
    21600: _row(0.01, {"gnutls": 0.95, "other": 0.05}),
    36000: _row(0.01, {"schannel": 0.95, "other": 0.05}),
    100800: _row(0.01, {"boringssl": 0.4, "other": 0.1}),
}
#: ChaCha20-Poly1305 (RFC 7905) came to OpenSSL with 1.1.0; Erlang, NSS and others have it.
CHACHA: Final = _row(0.1, _each(OLD, 0.001) | {"schannel": 0.001, "wolfssl": 0.03})
CHACHA_SUITES: Final = frozenset({0xCCA8, 0xCCA9, 0xCCAA})
#: AES-CBC with RSA and (EC)DHE; those of RFC 5289 (0xC023 to 0xC02A) are all CBC.
CBC_SUITES: Final = frozenset({0x2F, 0x33, 0x35, 0x39, 0x3C, 0x3D, 0x67, 0x6B, 0xC009, 0xC00A, 0xC013, 0xC014})
#: A version below what the client offers, short of TLS 1.2: the server has no better one.
OLD_VERSION: Final = _row(
    0.01, {"openssl<=1.0.1e": 0.3, "openssl 1.0.1f-1.0.2": 0.04, "schannel": 0.1, "java": 0.04, "other": 0.1}
)

#: SSLv3 spoken at all: OpenSSL up to 1.1.1 does where it was built so, and little else that still runs.
SSL3: Final = _row(
    0.001,
    _each(OLD, 0.05) | _each(("nss", "schannel", "gnutls", "java"), 0.01) | {"other": 0.02, "openssl>=1.1.0": 0.004},
)
#: ALPN (RFC 7301) came to OpenSSL with 1.0.2.
ALPN: Final = _row(0.5, {"openssl<=1.0.1e": 0.03})
#: A capture from before 2014-01-06, when OpenSSL 1.0.1f came out (2016-08-25 for 1.1.0): its clock may err.
BEFORE_2014: Final = _row(0.5, _each(("openssl 1.0.1f-1.0.2", "openssl>=1.1.0", "rustls", "go"), 0.03))
_YEAR_2000, _JANUARY_2014 = 946_684_800 * 10**9, 1_388_966_400 * 10**9

# --- TLS 1.3 ---
_BEFORE_TLS13: Final = _each(OLD, 1e-5) | {"botan": 1e-3}
#: supported_versions and key_share in the ServerHello.
ORDER_13: Final[dict[tuple[int, ...], Row]] = {
    (43, 51): _row(
        0.01,
        {"openssl>=1.1.0": 0.99, **_each((*GO, "java", "erlang", "mbedtls"), 0.98)}
        | _BEFORE_TLS13
        | {"schannel": 0.5, "other": 0.5},
    ),
    (51, 43): _row(
        0.01,
        {**_each(("gnutls", "nss", "boringssl", "rustls", "wolfssl"), 0.98)}
        | _BEFORE_TLS13
        | {"schannel": 0.5, "other": 0.5},
    ),
}
#: The server's first encrypted flight in one record, or one record per message.
ONE_RECORD: Final = _row(0.01, _each(("nss", "boringssl", "rustls"), 0.97) | {"schannel": 0.5, "other": 0.4})
MANY_RECORDS: Final = _row(0.97, _each(("nss", "boringssl", "rustls"), 0.05) | {"other": 0.6})
#: legacy_session_id that is not sent back, against RFC 8446 §4.1.3: wolfSSL without middlebox compatibility.
NO_ECHO: Final = _row(0.005, {"wolfssl": 0.9, "other": 0.05})
#: JSSE pads each record by 16 bytes (RFC 8446 §5.4): a Finished of 69 or 85 bytes instead of 53 or 69.
PADDED: Final = _row(0.002, {"java": 0.97, "other": 0.03})
UNPADDED: Final = _row(0.97, {"java": 0.02})
#: EncryptedExtensions larger than server_name and ALPN account for: OpenSSL names its groups where the client's
#: first share is not of the group that it likes best.
GROUPS_TOLD: Final = _row(0.03, {"openssl>=1.1.0": 0.9, "gnutls": 0.1, "nss": 0.1, "go": 0.05, "other": 0.2})
GROUPS_UNTOLD: Final = _row(0.95, {"openssl>=1.1.0": 0.1, "other": 0.6})
#: Which suite was chosen though another came first: Go, NSS and wolfSSL like AES-128, Java and Node AES-256.
SUITE_13: Final[dict[str, Row]] = {
    "first": _row(0.9, _each(("go", "go<=1.19", "nss", "wolfssl"), 0.25) | {"java": 0.4, "openssl>=1.1.0": 0.8}),
    "aes128": _row(0.01, _each(("go", "go<=1.19", "nss", "wolfssl"), 0.75)),
    "aes256": _row(0.01, {"java": 0.6, "openssl>=1.1.0": 0.2, "schannel": 0.3, "other": 0.1}),
}
#: The extensions of a TLS 1.3 CertificateRequest without certificate_authorities (47), which depends on settings; seen
#: once it is decrypted: OpenSSL 1.1.1 and 3.0, NSS 3.87, JSSE 17, GnuTLS 3.7.9, Go 1.19.
REQUEST_13: Final[dict[tuple[int, ...], Row]] = {
    (13,): _row(0.5, {"openssl>=1.1.0": 0.97, "nss": 0.97} | _each(("java", "gnutls", *GO), 0.02)),
    (13, 50): _row(0.02, {"java": 0.97, "openssl>=1.1.0": 0.005, "nss": 0.005, "gnutls": 0.005}),
    (13, 5): _row(0.02, {"gnutls": 0.97, "openssl>=1.1.0": 0.005, "nss": 0.005, "java": 0.005}),
    (5, 18, 13): _row(0.02, _each(GO, 0.97) | {"openssl>=1.1.0": 0.005, "nss": 0.005, "java": 0.005}),
}
#: The lifetime of its first NewSessionTicket, RFC 8446 §4.6.1, from the same servers.
LIFETIME_13: Final[dict[int, Row]] = {
    300: _row(0.02, {"openssl>=1.1.0": 0.35, "other": 0.1}),
    7200: _row(0.02, {"openssl>=1.1.0": 0.6, "other": 0.1}),
    86400: _row(0.05, {"java": 0.95, "openssl>=1.1.0": 0.02}),
    604800: _row(0.1, _each(GO, 0.97) | {"openssl>=1.1.0": 0.01, "java": 0.01}),
}
#: An alert under the handshake keys when the traffic keys are due: Mbed TLS 3.5 sends all of its alerts about the
#: client's flight so, Erlang/OTP 25 some.
LATE_ALERT: Final = _row(0.001, {"mbedtls": 0.9, "erlang": 0.4, "other": 0.03})


def evidence(connection: Connection, client: ClientHello, server: ServerHello) -> Iterator[Row]:
    """Yield a row of logarithms for each feature that the handshake shows."""
    if server.version in TLS13:
        yield from _tls13(connection, client, server)
    else:
        yield from _hello(client, server)
        yield from _flight(connection, client)
        if connection.start is not None and _YEAR_2000 < connection.start < _JANUARY_2014:
            yield BEFORE_2014


def ticket_lifetime(connection: Connection) -> int | None:
    """Return the seconds of a NewSessionTicket (RFC 5077 §3.3, RFC 8446 §4.6.1); None where none is readable."""
    body = _body(connection, 4)
    return int.from_bytes(body[:4], "big") if body is not None and len(body) >= 6 else None


def _hello(client: ClientHello, server: ServerHello) -> Iterator[Row]:
    """Yield what a ServerHello up to TLS 1.2 shows."""
    offered = {extension.type for extension in client.extensions}
    types = tuple(extension.type for extension in server.extensions)
    yield _order(types[:LOOKED_AT], _echoes(client, types[:LOOKED_AT]))
    if server.version == 0x0300:
        yield SSL3
    else:
        for extension, rows in ((23, EXTENDED_MASTER_SECRET), (15, HEARTBEAT), (35, SESSION_TICKET)):
            if extension in offered:
                yield rows[extension in types]
        if 22 in offered and _cbc(server.cipher_suite):
            yield ENCRYPT_THEN_MAC[22 in types]
        yield SENTINEL[server.random[-8:-1] == DOWNGRADE]
    if 16 in types:
        yield ALPN
    if 11 in offered and 0xC000 < server.cipher_suite < 0xCD00:
        formats = next((extension.data for extension in server.extensions if extension.type == 11), None)
        if formats in POINT_FORMATS:
            yield POINT_FORMATS[formats]
    session_id = "empty" if not server.session_id else "echo" if server.session_id == client.session_id else "new"
    if session_id != "echo":
        yield SESSION_ID[35 in types, session_id]
    if server.cipher_suite in CHACHA_SUITES:
        yield CHACHA
    if server.version < 0x0303 and server.version < max(client.versions, default=0) < 0x0304:
        yield OLD_VERSION


def _flight(connection: Connection, client: ClientHello) -> Iterator[Row]:
    """Yield what the messages after a ServerHello up to TLS 1.2 show."""
    request = _body(connection, 13)
    if request:
        kinds = request[1 : 1 + request[0]]
        if kinds in CERTIFICATE_TYPES:
            yield CERTIFICATE_TYPES[kinds]
        elif kinds[:2] in (b"\x03\x04", b"\x05\x06"):
            yield FIXED_DH
        hello = connection.server_hello
        if hello is not None and hello.version in (0x0303, 0xFEFD):
            yield from _schemes(request[1 + request[0] :])
    exchange = _body(connection, 12)
    if exchange is not None and len(exchange) >= 3 and exchange[0] == 3:  # named_curve, RFC 8422 §5.4
        curve = _curve(int.from_bytes(exchange[1:3], "big"), client.groups)
        if curve in CURVE:
            yield CURVE[curve]
    seconds = ticket_lifetime(connection)
    if seconds in LIFETIME:
        yield LIFETIME[seconds]


def _tls13(connection: Connection, client: ClientHello, server: ServerHello) -> Iterator[Row]:
    """Yield what a TLS 1.3 handshake shows: in what was decrypted of it, else in the lengths of what is encrypted."""
    types = tuple(extension.type for extension in server.extensions if extension.type in (43, 51))
    if types in ORDER_13:
        yield ORDER_13[types]
    if client.session_id and server.session_id != client.session_id:
        yield NO_ECHO
    offered = [suite for suite in client.cipher_suites if suite in (0x1301, 0x1302, 0x1303)]
    chosen = {0x1301: "aes128", 0x1302: "aes256"}.get(server.cipher_suite)
    if len(offered) > 1:
        if server.cipher_suite == offered[0]:
            yield SUITE_13["first"]
        elif chosen is not None:
            yield SUITE_13[chosen]
    if any(message.decrypted and message.sender == "server" for message in connection.messages):
        yield from _decrypted_flight(connection, server)
    else:
        yield from _first_flight(connection, server)
    if any(HANDSHAKE_KEYS in note for note in connection.notes):
        yield LATE_ALERT


def _decrypted_flight(connection: Connection, server: ServerHello) -> Iterator[Row]:
    """Yield what the decrypted messages from EncryptedExtensions on show."""
    told = _body(connection, 8)
    if told is not None and server.group not in (X25519, None):
        yield GROUPS_TOLD if 10 in _extensions(told) else GROUPS_UNTOLD
    request = _body(connection, 13)
    if request:  # a context stands before the extensions, RFC 8446 §4.3.2
        extensions = _extensions(request[1 + request[0] :])
        order = tuple(kind for kind in extensions if kind != 47)
        if order in REQUEST_13:
            yield REQUEST_13[order]
        yield from _schemes(extensions.get(13, b""))
    seconds = ticket_lifetime(connection)
    if seconds in LIFETIME_13:
        yield LIFETIME_13[seconds]


def _extensions(block: bytes) -> dict[int, bytes]:
    """Return a block of extensions in its order, as far as it goes, RFC 8446 §4.2."""
    found: dict[int, bytes] = {}
    at = 2
    while at + 4 <= len(block) and len(found) < LOOKED_AT:
        size = int.from_bytes(block[at + 2 : at + 4], "big")
        found[int.from_bytes(block[at : at + 2], "big")] = block[at + 4 : at + 4 + size]
        at += 4 + size
    return found


def _first_flight(connection: Connection, server: ServerHello) -> Iterator[Row]:
    """Yield what the records of EncryptedExtensions to Finished show."""
    lengths = [record.length for record in connection.encrypted_records if record.sender == "server"][:6]
    if server.hello_retry_request or not lengths:
        return
    if lengths[0] > 300:  # EncryptedExtensions alone is not that long
        yield ONE_RECORD
        return
    yield MANY_RECORDS
    # type and length of the message, verify_data (the hash's length), the content type, the tag: RFC 8446 §5.2
    finished = 4 + (48 if server.cipher_suite == 0x1302 else 32) + 1 + 16
    if finished in lengths[2:]:
        yield UNPADDED
    elif finished + 16 in lengths[2:]:
        yield PADDED
    if server.group not in (X25519, None):
        yield GROUPS_TOLD if lengths[0] >= 39 else GROUPS_UNTOLD


def _schemes(rest: bytes) -> Iterator[Row]:
    """Yield the row of a CertificateRequest's supported_signature_algorithms, RFC 5246 §7.4.4."""
    schemes = rest[2 : 2 + int.from_bytes(rest[:2], "big")]
    if len(schemes) < 2:
        return
    for begins, ends, row in SCHEMES:
        if schemes.startswith(begins) and schemes.endswith(ends):
            yield row
            return
    yield UNKNOWN_SCHEMES


@lru_cache(maxsize=1024)
def _order(types: tuple[int, ...], echoes: bool) -> Row:
    """Return the row of an order of extensions. NSS keeps the client's order; "other" may do anything."""
    shares = []
    for library in LIBRARIES:
        known = [tuple(t for t in order if t in types) for order in ORDERS.get(library, ())]
        if library == "nss":
            shares.append(_IN_ORDER if echoes else _OUT_OF_ORDER)
        elif library == "other":
            shares.append(log(1 / (1 + len(types) ** 2 / 3)))
        else:
            fits = any(order == tuple(t for t in types if t in order) for order in known)
            strange = sum(t not in ORDERS[library][0] and t not in (0, 1, 5, 16) for t in types)
            shares.append((_IN_ORDER if fits else _OUT_OF_ORDER) + strange * _UNTOLD / 2)
    return tuple(shares)


def _echoes(client: ClientHello, types: tuple[int, ...]) -> bool:
    """Whether the extensions stand in the client's order; renegotiation_info is last if a suite asked for it."""
    order = [extension.type for extension in client.extensions[:LOOKED_AT]]
    if 65281 not in order:
        order.append(65281)
    return tuple(extension for extension in order if extension in types) == types


def _curve(chosen: int, groups: tuple[int, ...]) -> str:
    """Name the choice of a curve by what the client put before it: 29 X25519, 23 P-256, 25 P-521."""
    if chosen == X25519:
        return "x25519"
    before = groups[: groups.index(chosen)] if chosen in groups else ()
    if chosen == P256 and X25519 in before:
        return "p256 before x25519"
    if chosen == P521 and P256 in before:
        return "p521 after p256"
    return ""


def _cbc(suite: int) -> bool:
    """Whether a suite of those that are met uses CBC (RFC 5246 §A.5, RFC 8422 §6, RFC 5289)."""
    return suite in CBC_SUITES or 0xC023 <= suite <= 0xC02A


def _body(connection: Connection, kind: int) -> bytes | None:
    """Return the server's first message of a type, if it could be read."""
    for message in connection.messages:
        if message.type == kind and message.sender == "server":
            return message.body
    return None
