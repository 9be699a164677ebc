"""Which stack a server runs: handshakes that were measured on loopback, as the features that count in them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.diagnosis.knowledge import STACKS
from tlsalert.diagnosis.stacks import (
    LABELS,
    REMEMBERED,
    client_clock_prior,
    clock_prior,
    server_libraries,
    server_stack,
)
from tlsalert.model import (
    HANDSHAKE_KEYS,
    ClientHello,
    Connection,
    EncryptedRecord,
    Extension,
    HandshakeMessage,
    Position,
    ServerHello,
)

HERE = Position(frame=1)
ALL_POINTS, UNCOMPRESSED = b"\x03\x00\x01\x02", b"\x01\x00"
X25519, P256, P384, P521 = 29, 23, 24, 25
TLS10, TLS12, TLS13 = 0x0301, 0x0303, 0x0304
ECDHE_AES256 = 0xC030
SENTINEL = b"DOWNGRD\x01"  # RFC 8446 §4.1.3

# What OpenSSL 3.0's s_client offers: the extensions in its order, groups and suites as far as they matter.
S_CLIENT = (0, 11, 10, 35, 22, 23, 13, 43, 45, 51)
S_CLIENT_GROUPS = (X25519, P256, 30, P521, P384)

# supported_signature_algorithms of CertificateRequest, as the servers sent them.
SCHEMES_101E = "060106020603050105020503040104020403030103020303020102020203" + "0101"
SCHEMES_102V = SCHEMES_101E.removesuffix("0101")
SCHEMES_30 = "040305030603080708080809080a080b080408050806040105010601030303010302040205020602"
SCHEMES_GNUTLS = "040108090804040308070501080a0805050308080601080b0806060302010203"
SCHEMES_GO = "080404030807080508060401050106010503060302010203"
SCHEMES_NSS = "040305030603020308040805080604010501060102010402050206020202"
SCHEMES_JAVA = "040305030603080708080804080508060809080a080b0401050106010402030303010302020302010202"
SCHEMES_MBEDTLS = "0501050304010403"
SCHEMES_WOLFSSL = "0806080b0805080a0804080906010501040103010201"
SCHEMES_BORINGSSL = "040308040401050308050501080606010201"
SCHEMES_RUSTLS = "050304030807080608050804060105010401"
SCHEMES_ERLANG = "020202010203030103030401040305010503060106030804080508060809080a080b"


def client(types: tuple[int, ...] = S_CLIENT, **fields: Any) -> ClientHello:
    """Return a ClientHello that offers extensions of these types."""
    known: dict[str, Any] = {
        "legacy_version": TLS12,
        "random": bytes(32),
        "session_id": b"",
        "cipher_suites": (0x1302, 0x1303, 0x1301, 0xC02C, 0xC030, 0xC02B, 0xC02F, 0x00FF),
        "compression_methods": (0,),
        "extensions": tuple(Extension(kind, b"") for kind in types),
        "versions": (TLS13, TLS12) if 43 in types else (TLS12,),
        "groups": S_CLIENT_GROUPS,
    }
    return ClientHello(**{**known, **fields})


def message(name: str, kind: int, body: bytes) -> HandshakeMessage:
    return HandshakeMessage(name, kind, "server", HERE, None, len(body), body=body)


def answered(
    types: tuple[int, ...],
    points: bytes = UNCOMPRESSED,
    session: bytes = b"",
    tail: bytes = bytes(8),
    kinds: bytes = b"",
    schemes: str = "",
    curve: int | None = None,
    lifetime: int | None = None,
    hello: ClientHello | None = None,
    version: int = TLS12,
    suite: int = ECDHE_AES256,
) -> Connection:
    """Return a connection up to TLS 1.2 whose server answered so."""
    extensions = tuple(Extension(kind, points if kind == 11 else b"") for kind in types)
    server = ServerHello(version, bytes(24) + tail, session, suite, 0, extensions, version)
    messages = []
    if kinds:
        offered = bytes.fromhex(schemes)
        listed = len(offered).to_bytes(2) + offered if version >= TLS12 else b""
        request = bytes([len(kinds)]) + kinds + listed + b"\x00\x00"
        messages.append(message("certificate_request", 13, request))
    if curve is not None:
        messages.append(message("server_key_exchange", 12, b"\x03" + curve.to_bytes(2) + b"\x01\x04"))
    if lifetime is not None:
        messages.append(message("new_session_ticket", 4, lifetime.to_bytes(4) + b"\x00\x01\x00"))
    return Connection(
        source="made by hand",
        connection=0,
        client_hello=hello or client(),
        server_hello=server,
        messages=tuple(messages),
    )


def in_tls13(
    types: tuple[int, ...], lengths: tuple[int, ...], suite: int = 0x1302, echo: bool = True, group: int = X25519
) -> Connection:
    """Return a TLS 1.3 connection whose server sent encrypted records of these lengths."""
    session = bytes(range(32))
    extensions = tuple(Extension(kind, b"") for kind in types)
    server = ServerHello(TLS12, bytes(32), session if echo else b"", suite, 0, extensions, TLS13, group=group)
    return Connection(
        source="made by hand",
        connection=0,
        tls_version="TLS 1.3",
        client_hello=client(session_id=session),
        server_hello=server,
        encrypted_records=tuple(EncryptedRecord(23, "server", HERE, None, length) for length in lengths),
    )


OPENSSL_101E = answered((65281, 11, 35), ALL_POINTS, kinds=b"\x01\x02\x40", schemes=SCHEMES_101E, curve=P256)
OPENSSL_102V = answered((65281, 11, 35), ALL_POINTS, kinds=b"\x01\x02\x40", schemes=SCHEMES_102V, curve=P256)
OPENSSL_111F = answered(
    (65281, 11, 35, 23), ALL_POINTS, kinds=b"\x01\x02\x40", schemes=SCHEMES_30, curve=X25519
)  # held to TLS 1.2: no sentinel
OPENSSL_30 = answered(
    (65281, 11, 35, 23), ALL_POINTS, tail=SENTINEL, kinds=b"\x01\x02\x40", schemes=SCHEMES_30, curve=X25519
)
MBEDTLS = answered(
    (65281, 23, 11), session=b"s" * 32, kinds=b"\x01\x40", schemes=SCHEMES_MBEDTLS, curve=P521, suite=0xCCA8,
    hello=client((22, 23, 13, 11, 10, 35, 9), groups=(P256, P384, P521)),
)  # fmt: skip
BORINGSSL = answered((23, 65281, 11, 35), tail=SENTINEL, kinds=b"\x01\x40", schemes=SCHEMES_BORINGSSL, curve=X25519)


@pytest.mark.parametrize(
    ("connection", "stack"),
    [
        pytest.param(OPENSSL_101E, "openssl<=1.0.2", id="OpenSSL 1.0.1e s_server"),
        pytest.param(OPENSSL_102V, "openssl<=1.0.2", id="OpenSSL 1.0.2v s_server"),
        pytest.param(OPENSSL_111F, "openssl>=1.1.1", id="OpenSSL 1.1.1f s_server, TLS 1.2 only"),
        pytest.param(OPENSSL_30, "openssl>=1.1.1", id="OpenSSL 3.0.22"),
        pytest.param(
            answered((11, 23, 35, 65281), session=b"s" * 32, tail=SENTINEL, kinds=b"\x01\x40",
                     schemes=SCHEMES_GNUTLS, curve=X25519, lifetime=21600),
            "gnutls", id="gnutls-serv 3.7.9"),
        pytest.param(
            answered((35, 65281, 11), tail=SENTINEL, kinds=b"\x01\x40", schemes=SCHEMES_GO, curve=X25519),
            "go<=1.19", id="Go 1.19.8: no extended master secret"),
        pytest.param(
            answered((35, 65281, 23, 11), tail=SENTINEL, kinds=b"\x01\x40", schemes=SCHEMES_GO, curve=X25519),
            "go", id="Go's source since 1.20"),
        pytest.param(
            answered((11, 23, 65281), session=b"s" * 32, tail=SENTINEL, kinds=b"\x01\x40\x02",
                     schemes=SCHEMES_NSS, curve=X25519),
            "nss", id="NSS 3.87 selfserv: the client's order"),
        pytest.param(
            answered((23, 35, 65281), session=b"s" * 32, tail=SENTINEL, kinds=b"\x40\x01\x02",
                     schemes=SCHEMES_JAVA, curve=X25519),
            "java", id="Java 17"),
        pytest.param(MBEDTLS, "mbedtls", id="Mbed TLS 2.28.3"),
        pytest.param(
            answered((35, 11, 65281, 23), tail=SENTINEL, kinds=b"\x01", schemes=SCHEMES_WOLFSSL, curve=X25519),
            "wolfssl", id="wolfSSL 5.5.4"),
        pytest.param(
            answered((11, 23, 65281), session=b"s" * 32, curve=P256, kinds=b"\x01\x40",
                     schemes="0403040105030501"),
            "botan", id="Botan 2.19.3: by number, no sentinel"),
        pytest.param(BORINGSSL, "boringssl", id="gRPC 1.85"),
        pytest.param(
            answered((0, 65281, 23), session=b"s" * 32, tail=SENTINEL, kinds=b"\x01\x40",
                     schemes=SCHEMES_RUSTLS, curve=X25519),
            "rustls", id="rustls 0.23, granian 2.8.7"),
        pytest.param(
            answered((65281, 11), session=b"s" * 32, tail=SENTINEL, kinds=b"\x40\x01\x02",
                     schemes=SCHEMES_ERLANG, curve=P256),
            "erlang", id="Erlang/OTP 25"),
        pytest.param(
            answered((5, 35, 16, 23, 65281, 0), session=b"s" * 32, curve=P384, lifetime=36000),
            "schannel", id="Microsoft's servers in public captures"),
    ],
)  # fmt: skip
def test_a_servers_flight_up_to_tls12_shows_its_library(connection: Connection, stack: str) -> None:
    found = server_stack(connection)
    assert max(found, key=lambda name: found[name]) == stack
    assert found[stack] > 0.4


@pytest.mark.parametrize(
    ("connection", "stacks"),
    [
        pytest.param(in_tls13((43, 51), (49, 225, 1750, 281, 69), group=P256), {"openssl>=1.1.1"},
                     id="OpenSSL 3.0 names its groups in EncryptedExtensions"),
        pytest.param(in_tls13((51, 43), (23, 225, 916, 281, 69), group=P256), {"gnutls"}, id="GnuTLS 3.7.9"),
        pytest.param(in_tls13((43, 51), (65, 275, 1766, 297, 85)), {"java"}, id="Java 17 pads each record"),
        pytest.param(in_tls13((43, 51), (23, 221, 916, 281, 53), 0x1301), {"go", "go<=1.19"},
                     id="Go 1.19 prefers AES-128"),
        pytest.param(in_tls13((51, 43), (2272, 19), 0x1301), {"nss"}, id="NSS 3.87: one record, AES-128"),
        pytest.param(in_tls13((51, 43), (1195,)), {"boringssl", "grpc"}, id="gRPC 1.85: one record"),
        pytest.param(in_tls13((51, 43), (23, 64, 842, 281, 53), 0x1301, echo=False), {"wolfssl"},
                     id="wolfSSL 5.5.4 does not echo the session id"),
    ],
)  # fmt: skip
def test_in_tls13_the_order_and_the_lengths_show_it(connection: Connection, stacks: set[str]) -> None:
    found = server_stack(connection)
    assert max(found, key=lambda name: found[name]) in stacks


def decrypted(order: tuple[int, ...], schemes: str, lifetime: int | None = None, types: int = 43) -> Connection:
    """Return a TLS 1.3 connection whose server's flight was decrypted; ``order`` is that of a CertificateRequest."""
    content = bytes.fromhex(schemes)
    bodies = {13: (len(content)).to_bytes(2) + content, 50: b"", 47: b"", 5: b"", 18: b""}
    block = b"".join(kind.to_bytes(2) + len(bodies[kind]).to_bytes(2) + bodies[kind] for kind in order)
    messages = [message("encrypted_extensions", 8, b"\0\0")]
    messages.append(message("certificate_request", 13, b"\0" + len(block).to_bytes(2) + block))
    if lifetime is not None:
        messages.append(message("new_session_ticket", 4, lifetime.to_bytes(4) + bytes(10)))
    told = in_tls13((43, 51) if types == 43 else (51, 43), ())
    read = tuple(msgspec.structs.replace(one, decrypted=True) for one in messages)
    return msgspec.structs.replace(told, messages=read)


@pytest.mark.parametrize(
    ("connection", "stacks"),
    [
        pytest.param(decrypted((13, 47), SCHEMES_30, 7200), {"openssl>=1.1.1"}, id="OpenSSL 3.0"),
        pytest.param(decrypted((13, 47, 5), "040108090804", types=51), {"gnutls"}, id="GnuTLS 3.7.9"),
        pytest.param(decrypted((13, 47, 50), SCHEMES_JAVA), {"java"}, id="Java 17: signature_algorithms_cert"),
        pytest.param(decrypted((5, 18, 13, 47), SCHEMES_GO, 604_800), {"go", "go<=1.19"}, id="Go 1.19"),
        pytest.param(decrypted((13,), SCHEMES_NSS, types=51), {"nss"}, id="NSS 3.87, without authorities"),
    ],
)
def test_in_tls13_what_was_decrypted_shows_it(connection: Connection, stacks: set[str]) -> None:
    """The lengths of the first flight are not there then: what is left are records of application data."""
    late = EncryptedRecord(23, "server", HERE, None, 2272, True)
    found = server_stack(msgspec.structs.replace(connection, encrypted_records=(late,)))
    assert max(found, key=lambda name: found[name]) in stacks


def test_an_alert_under_the_handshake_keys_speaks_for_mbed_tls_and_erlang() -> None:
    plain = in_tls13((43, 51), ())
    noted = msgspec.structs.replace(plain, notes=(f"frame 9: the alert {HANDSHAKE_KEYS}",))
    before, after = server_stack(plain), server_stack(noted)
    assert after["mbedtls"] > 0.8 > before["mbedtls"]
    assert after["erlang"] > 2 * before["erlang"]


def test_old_openssl_and_new_are_told_apart_with_certainty() -> None:
    assert server_stack(OPENSSL_102V)["openssl>=1.1.1"] < 0.001
    assert server_stack(OPENSSL_111F)["openssl<=1.0.2"] < 0.001


def test_heartbeat_answered_is_openssl_101_or_102() -> None:
    # stunnel 4.56 on OpenSSL 1.0.1e with a client of the same: TLS 1.0, so no signature algorithms to look at.
    old = client((0, 11, 10, 35, 15), versions=(TLS10,), groups=(14, 13, 25, 11, 12, 24, 9, 10, 22, 23))
    found = server_stack(
        answered((0, 65281, 11, 35, 15), ALL_POINTS, kinds=b"\x01\x02\x40", curve=P256, hello=old, version=TLS10)
    )
    assert found["openssl<=1.0.2"] + found["stunnel-pinned"] > 0.95


def test_a_ticket_of_300_seconds_speaks_for_nginx_and_stunnel_over_openssl() -> None:
    types = (65281, 0, 11, 35, 23)
    short = server_stack(answered(types, ALL_POINTS, tail=SENTINEL, curve=X25519, lifetime=300))
    long = server_stack(answered(types, ALL_POINTS, tail=SENTINEL, curve=X25519, lifetime=7200))
    assert short["nginx"] > 2 * long["nginx"]
    assert short["stunnel-pinned"] > 5 * long["stunnel-pinned"]


def test_what_was_not_offered_cannot_be_missed() -> None:
    plain = client((0, 10, 11))
    found = server_stack(answered((65281, 11), ALL_POINTS, hello=plain))
    assert found["openssl>=1.1.1"] > 0.1
    assert found["openssl<=1.0.2"] > 0.1


def test_without_a_server_hello_there_is_only_the_prior() -> None:
    silent = Connection(source="made by hand", connection=0, client_hello=client())
    found = server_stack(silent)
    assert found == server_stack(Connection(source="empty", connection=0))
    assert max(found, key=lambda name: found[name]) == "openssl>=1.1.1"
    assert sum(found.values()) == pytest.approx(1)


def test_every_family_has_a_name_for_sentences() -> None:
    assert tuple(LABELS) == STACKS


@pytest.mark.parametrize(
    ("connection", "low", "high"),
    [
        pytest.param(OPENSSL_101E, 0.9, 1, id="OpenSSL 1.0.1e still offers MD5, and shows its clock"),
        pytest.param(OPENSSL_102V, 0, 0.1, id="OpenSSL 1.0.2v offers none, and shows none"),
        pytest.param(OPENSSL_30, 0, 0.05, id="OpenSSL 3.0"),
        pytest.param(MBEDTLS, 0.9, 1, id="Mbed TLS 2.28.3"),
        pytest.param(BORINGSSL, 0.9, 1, id="BoringSSL up to TLS 1.2"),
        pytest.param(answered((65281, 11, 35), ALL_POINTS, curve=P256), 0.2, 0.8, id="old OpenSSL of unknown age"),
        pytest.param(in_tls13((51, 43), (1195,)), 0, 0, id="nobody in TLS 1.3"),
        pytest.param(Connection(source="empty", connection=0), 0, 0, id="no ServerHello"),
    ],
)
def test_whether_a_server_shows_its_clock_is_known_from_its_library(
    connection: Connection, low: float, high: float
) -> None:
    assert low <= clock_prior(server_stack(connection), connection) <= high


def test_a_hello_retry_request_has_no_clock() -> None:
    hello = ServerHello(TLS12, bytes(32), b"", 0x1301, 0, (), TLS12, hello_retry_request=True)
    connection = Connection(source="made by hand", connection=0, client_hello=client(), server_hello=hello)
    assert clock_prior({"openssl<=1.0.2": 1.0}, connection) == 0


@pytest.mark.parametrize(
    ("hello", "low", "high"),
    [
        pytest.param(
            client((11, 10, 35, 13, 15), signature_schemes=(0x0601, 0x0201, 0x0101)), 0.9, 1, id="OpenSSL 1.0.1e"
        ),
        pytest.param(client((11, 10, 35, 13, 15), signature_schemes=(0x0601, 0x0201)), 0, 0.1, id="OpenSSL 1.0.2"),
        pytest.param(client((0, 10, 11, 13, 5, 18, 23)), 0.8, 1, id="Secure Transport"),
        pytest.param(client((0, 13, 10, 11, 22, 23, 35)), 0.8, 1, id="Mbed TLS 2"),
        pytest.param(client((0, 10, 11, 13, 35, 23, 65281), cipher_suites=(0xC030,)), 0.1, 0.4, id="Schannel"),
        pytest.param(client(cipher_suites=(0x1A1A, 0xC030), versions=(TLS12,)), 0, 0.05, id="GREASE: Chromium"),
        pytest.param(client(), 0, 0.05, id="OpenSSL 3.0 offers TLS 1.3"),
        pytest.param(client((11, 10), versions=(TLS10,)), 0.2, 0.6, id="too old to tell"),
    ],
)
def test_whether_a_client_shows_its_clock(hello: ClientHello, low: float, high: float) -> None:
    connection = Connection(source="made by hand", connection=0, client_hello=hello)
    assert low <= client_clock_prior(connection) <= high


def test_a_client_that_said_nothing_shows_no_clock() -> None:
    assert client_clock_prior(Connection(source="empty", connection=0)) < 0.05


U16 = st.integers(0, 0xFFFF)
EXTENSIONS = st.lists(st.builds(Extension, st.one_of(st.sampled_from((0, 11, 16, 23, 35, 43, 51, 65281)), U16),
                                st.binary(max_size=6)), max_size=80).map(tuple)  # fmt: skip
NUMBERS = st.lists(U16, max_size=8).map(tuple)


@given(
    hello=st.builds(
        ClientHello, U16, st.binary(max_size=40), st.binary(max_size=40), NUMBERS, st.just((0,)), EXTENSIONS,
        versions=NUMBERS, groups=NUMBERS, signature_schemes=NUMBERS,
    ),
    server=st.builds(
        ServerHello, U16, st.binary(max_size=40), st.binary(max_size=40), U16, st.just(0), EXTENSIONS,
        st.one_of(st.sampled_from((0x0300, TLS10, TLS12, TLS13, 0xFEFD)), U16), group=st.one_of(st.none(), U16),
    ),
    bodies=st.lists(st.tuples(st.sampled_from((4, 12, 13)), st.one_of(st.none(), st.binary(max_size=40))), max_size=4),
    lengths=st.lists(st.integers(0, 0xFFFF), max_size=8),
)  # fmt: skip
def test_odd_values_never_raise_and_the_shares_add_up(
    hello: ClientHello, server: ServerHello, bodies: list[tuple[int, bytes | None]], lengths: list[int]
) -> None:
    connection = Connection(
        source="odd",
        connection=0,
        client_hello=hello,
        server_hello=server,
        messages=tuple(HandshakeMessage("odd", kind, "server", HERE, None, 0, body=body) for kind, body in bodies),
        encrypted_records=tuple(EncryptedRecord(23, "server", HERE, None, length) for length in lengths),
    )
    found = server_stack(connection)
    assert sum(found.values()) == pytest.approx(1)
    assert 0 <= clock_prior(found, connection) <= 1
    assert 0 <= client_clock_prior(connection) <= 1


def test_what_is_remembered_of_a_server_is_what_would_be_found_anew() -> None:
    known = (OPENSSL_101E, OPENSSL_102V, OPENSSL_111F, OPENSSL_30, MBEDTLS)
    before = [dict(server_libraries(connection)) for connection in known]
    for number in range(2 * REMEMBERED):  # so many different servers that the first ones are forgotten
        shown = tuple(kind for bit, kind in enumerate((65281, 11, 35, 23, 16, 5, 0, 22, 15)) if number >> bit & 1)
        server_libraries(answered(shown, ALL_POINTS))
    assert [dict(server_libraries(connection)) for connection in known] == before
    assert before[0] != before[1] != before[3] != before[4]
