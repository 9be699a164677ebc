"""What a message says as a dict for JSON, and the words beside it in the ladder."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tlsalert
from tests.evidence import CAPTURES
from tests.pki.test_ocsp import answer, response, revoked
from tests.wire import tls
from tests.wire.test_contents import CERTIFICATE_13, TICKET_13, u32
from tests.wire.test_key_exchange import (
    DH,
    DHE_RSA,
    EC,
    ECDHE_RSA,
    PSK,
    RSA,
    RSA_EXPORT,
    SIGNED_10,
    SIGNED_12,
    SRP,
    SRP_BYTES,
)
from tests.wire.tls import TLS10, TLS12, TLS13, extensions_block, u16, vector
from tlsalert.model import Connection, HandshakeMessage, Position
from tlsalert.pki.ocsp import read_ocsp
from tlsalert.render.fields import fields, message_fields, message_remark, remark
from tlsalert.render.values import ocsp_row
from tlsalert.wire.contents import READERS

EXCHANGE: dict[str, object] = {
    "key_exchange": None,
    "curve_type": None,
    "group": None,
    "field_bits": None,
    "prime_bits": None,
    "generator": None,
    "modulus_bits": None,
    "public_length": None,
    "identity_hint": None,
    "signature_scheme": None,
    "signature_length": None,
    "problems": [],
}
REVOKED = b"\x01" + vector(3, response(answer(revoked(1))))


@pytest.mark.parametrize(
    ("kind", "version", "suite", "body", "row"),
    [
        (
            12,
            TLS12,
            ECDHE_RSA,
            EC + SIGNED_12,
            EXCHANGE
            | {
                "key_exchange": "ECDHE_RSA",
                "curve_type": "named_curve",
                "group": "secp256r1",
                "public_length": 65,
                "signature_scheme": "rsa_pss_rsae_sha256",
                "signature_length": 3,
            },
        ),
        (
            12,
            TLS10,
            DHE_RSA,
            DH + SIGNED_10,
            EXCHANGE
            | {
                "key_exchange": "DHE_RSA",
                "prime_bits": 1024,
                "generator": "02",
                "public_length": 128,
                "signature_length": 3,
            },
        ),
        (
            12,
            TLS10,
            RSA_EXPORT,
            vector(2, b"\x80" + bytes(63)) + vector(2, b"\3") + SIGNED_10,
            EXCHANGE | {"key_exchange": "RSA_EXPORT", "modulus_bits": 512, "signature_length": 3},
        ),
        (12, TLS12, PSK, vector(2, b"hint"), EXCHANGE | {"key_exchange": "PSK", "identity_hint": "hint"}),
        (15, TLS12, -1, SIGNED_12, {"signature_scheme": "rsa_pss_rsae_sha256", "signature_length": 3, "problems": []}),
        (15, TLS10, -1, SIGNED_10, {"signature_scheme": None, "signature_length": 3, "problems": []}),
        (
            16,
            TLS12,
            RSA,
            vector(2, bytes(256)),
            {"key_exchange": "RSA", "kind": "rsa", "public_length": 256, "identity": None, "problems": []},
        ),
        (
            16,
            TLS12,
            PSK,
            vector(2, b"me"),
            {"key_exchange": "PSK", "kind": "psk", "public_length": 0, "identity": "me", "problems": []},
        ),
        (
            4,
            TLS13,
            -1,
            TICKET_13 + extensions_block([(42, u32(9))]),
            {
                "lifetime": 7200,
                "ticket_length": 6,
                "age_add": 0xFFFFFFFF,
                "nonce": "0001",
                "max_early_data": 9,
                "extensions": [{"type": 42, "name": "early_data", "length": 4, "value": 9}],
                "problems": [],
            },
        ),
        (0, TLS12, -1, b"", {"problems": []}),
        (14, TLS12, -1, b"?", {"problems": ["server_hello_done has 1 bytes too many"]}),
        (3, 0xFEFD, -1, b"\xfe\xff\x02\xab\xcd", {"version": "DTLS 1.0", "cookie": "abcd", "problems": []}),
        (
            6,
            0x7F12,
            -1,
            u16(0x7F12) + extensions_block([(40, u16(29))]),
            {
                "version": "TLS 1.3 draft 18",
                "cipher_suite": None,
                "extensions": [{"type": 40, "name": "key_share_draft", "length": 2, "value": "x25519"}],
                "problems": [],
            },
        ),
        (
            8,
            TLS13,
            -1,
            extensions_block([tls.alpn(b"h2")]),
            {
                "extensions": [
                    {"type": 16, "name": "application_layer_protocol_negotiation", "length": 5, "value": ["h2"]}
                ],
                "problems": [],
            },
        ),
        (9, TLS13, -1, b"\3", {"number": 3, "problems": []}),
        (10, TLS13, -1, vector(2, b"\1\xc1") + b"\0", {"ids": ["c1"], "usage": "cid_immediate", "problems": []}),
        (20, TLS12, -1, b"\xff" * 12, {"length": 12, "verify_data": "ff" * 12, "problems": []}),
        (
            21,
            TLS12,
            -1,
            b"\0" + vector(2, vector(2, b"http://a/") + b"\1" + b"\xaa" * 20),
            {"kind": "individual_certs", "urls": [{"url": "http://a/", "sha1": "aa" * 20}], "problems": []},
        ),
        (
            23,
            TLS12,
            -1,
            vector(3, u16(0) + vector(2, b"123") + u16(9, 0)),
            {
                "entries": [{"type": "user_mapping_data", "length": 3}, {"type": "unlisted(9)", "length": 0}],
                "problems": [],
            },
        ),
        (24, TLS13, -1, b"\1", {"request_update": "update_requested", "problems": []}),
        (
            26,
            TLS12,
            -1,
            vector(2, b"key") + vector(2, b"salt") + u16(7) + b"\0\1\0",
            {"key_length": 3, "salt_length": 4, "spi": 7, "ttl": 256, "problems": []},
        ),
        (67, TLS12, -1, vector(1, b"h2") + vector(1, b"\0"), {"protocol": "h2", "padding_length": 1, "problems": []}),
        (
            203,
            TLS12,
            -1,
            u16(30032) + vector(2, bytes(128)),
            {"extensions": [{"type": 30032, "name": "channel_id", "length": 128}], "problems": []},
        ),
        (254, TLS13, -1, b"\xab", {"hash": "ab", "problems": []}),
        (99, TLS12, -1, b"\xab", {"length": 1, "data": "ab", "problems": []}),
        (99, TLS12, -1, bytes(40), {"length": 40, "data": None, "problems": []}),
    ],
)
def test_a_message_as_json_shows_it(kind: int, version: int, suite: int, body: bytes, row: dict[str, object]) -> None:
    found = fields(kind, body, version, suite)
    assert found == row
    assert found is not None
    assert list(found) == list(row)


def test_the_status_of_certificates() -> None:
    encoded = response(answer(revoked(1)))
    expected = {"status_type": "ocsp", "responses": [ocsp_row(read_ocsp(encoded))], "problems": []}
    assert fields(22, REVOKED, TLS12, -1) == expected


def test_compressed_certificates() -> None:
    packed = zlib.compress(CERTIFICATE_13)
    body = u16(1) + len(CERTIFICATE_13).to_bytes(3, "big") + vector(3, packed)
    assert fields(25, body, TLS13, -1) == {
        "algorithm": "zlib",
        "compressed_length": len(packed),
        "uncompressed_length": len(CERTIFICATE_13),
        "certificate": {
            "context": "",
            "entries": [{"length": 3, "extensions": []}, {"length": 3, "extensions": []}],
        },
        "problems": [],
    }


@pytest.mark.parametrize(
    ("kind", "version", "body"),
    [
        (1, 0, tls.client_hello()),
        (2, 0, tls.server_hello()),
        (11, TLS12, tls.certificate_list(b"one")),
        (13, TLS10, b"\1\1\0\0"),
    ],
)
def test_what_has_its_own_place_in_the_object_is_not_said_twice(kind: int, version: int, body: bytes) -> None:
    assert fields(kind, body, version, -1) is None
    assert remark(kind, body, version, -1) is None


def test_what_tls_1_3_adds_to_certificates_and_requests() -> None:
    body = vector(1, b"\1") + vector(3, vector(3, b"one") + extensions_block([(4242, b"?")]))
    assert fields(11, body, TLS13, -1) == {
        "context": "01",
        "entries": [
            {"length": 3, "extensions": [{"type": 4242, "name": "unlisted(4242)", "length": 1, "value": None}]}
        ],
        "problems": [],
    }
    request = vector(1, b"") + extensions_block([(50, vector(2, u16(0x0401)))])
    assert fields(13, request, TLS13, -1) == {
        "context": "",
        "signature_schemes_cert": ["rsa_pkcs1_sha256"],
        "extensions": [{"type": 50, "name": "signature_algorithms_cert", "length": 4, "value": ["rsa_pkcs1_sha256"]}],
        "problems": [],
    }


def test_the_keys_of_a_type_do_not_depend_on_what_was_sent() -> None:
    for kind in READERS:
        nothing = fields(kind, b"", TLS13, -1)
        if nothing is not None:
            assert list(nothing)[-1] == "problems"
    for suite in (ECDHE_RSA, DHE_RSA, PSK, SRP, -1):
        assert list(fields(12, b"", TLS12, suite) or ()) == list(EXCHANGE)


@pytest.mark.parametrize(
    ("kind", "version", "suite", "body", "words"),
    [
        (12, TLS12, ECDHE_RSA, EC + SIGNED_12, "secp256r1, rsa_pss_rsae_sha256"),
        (12, TLS10, ECDHE_RSA, EC + SIGNED_10, "secp256r1"),
        (12, TLS12, DHE_RSA, DH + SIGNED_12, "DH 1024 bits, rsa_pss_rsae_sha256"),
        (12, TLS10, RSA_EXPORT, vector(2, b"\x80" + bytes(63)) + vector(2, b"\3") + SIGNED_10, "RSA 512 bits"),
        (12, TLS10, SRP, SRP_BYTES, "SRP 1023 bits"),
        (12, TLS12, PSK, vector(2, b"a\x1b[1m"), r"PSK hint a\x1b[1m"),
        (12, TLS12, PSK, vector(2, b""), None),
        (12, TLS12, ECDHE_RSA, b"\x03", "malformed: namedcurve needs 2 bytes, 0 left"),
        (
            12,
            TLS10,
            ECDHE_RSA,
            b"\1" + vector(1, b"\x7f" + bytes(31)) + vector(1, b"x") * 6 + SIGNED_10,
            "explicit_prime of 255 bits",
        ),
        (15, TLS12, -1, SIGNED_12, "rsa_pss_rsae_sha256"),
        (15, TLS10, -1, SIGNED_10, None),
        (4, TLS12, -1, u32(7200) + vector(2, b"t"), "lifetime 7200 s"),
        (4, TLS12, -1, u32(0) + vector(2, b"t"), None),
        (22, TLS12, -1, REVOKED, "OCSP: revoked"),
        (22, TLS12, -1, b"\1" + vector(3, b"\x30\3\x0a\1\3"), "OCSP: try_later"),
        (22, TLS12, -1, b"\2" + vector(3, vector(3, response(answer())) + vector(3, b"")), "OCSP: good, none"),
        (16, TLS12, PSK, vector(2, b"me"), "PSK identity me"),
        (16, TLS12, RSA, vector(2, b"s"), None),
        (8, TLS13, -1, extensions_block([(0, b""), tls.alpn(b"h2")]), "h2"),
        (8, TLS13, -1, extensions_block([]), None),
        (25, TLS13, -1, u16(9) + b"\0\0\5" + vector(3, b"?"), "malformed: compression algorithm 9 is not known"),
        (24, TLS13, -1, b"\1", "update_requested"),
        (3, 0xFEFD, -1, b"\xfe\xff\x02\xab\xcd", "cookie of 2 bytes"),
        (67, TLS12, -1, vector(1, b"h\n2") + b"\0", r"h\n2"),
        (14, TLS12, -1, b"", None),
        (20, TLS12, -1, bytes(12), None),
    ],
)
def test_the_words_beside_a_message(kind: int, version: int, suite: int, body: bytes, words: str | None) -> None:
    assert remark(kind, body, version, suite) == words


def test_the_messages_of_a_capture() -> None:
    found = tlsalert.read(CAPTURES / "console.pcap")[0]
    said = {one.message: message_remark(one, found) for one in found.messages}
    assert said["server_key_exchange"] == "x25519, rsa_pss_rsae_sha256"
    assert said["client_hello"] is None
    rows = {one.message: message_fields(one, found) for one in found.messages}
    assert rows["certificate"] is None
    assert rows["server_hello_done"] == {"problems": []}


def message(kind: int | None, body: bytes | None, name: str = "finished", cut: bool = False) -> HandshakeMessage:
    return HandshakeMessage(name, kind, "server", Position(1), None, 0, body=body, cut=cut)


def test_what_was_not_read_has_neither_fields_nor_words() -> None:
    nothing = Connection(source="s", connection=0)
    for one in (message(20, None), message(None, b"x"), message(1, b"x", "sslv2_client_hello")):
        assert message_fields(one, nothing) is None
        assert message_remark(one, nothing) is None


def test_a_message_of_which_the_end_was_not_captured_is_not_called_malformed() -> None:
    nothing = Connection(source="s", connection=0)
    assert message_remark(message(4, b"\0", cut=True), nothing) is None
    row = message_fields(message(4, b"\0", cut=True), nothing)
    assert row is not None
    assert row["problems"]


@given(
    kind=st.integers(0, 255),
    body=st.binary(max_size=200),
    version=st.sampled_from([0, TLS10, TLS12, TLS13, 0xFEFD]),
    suite=st.sampled_from([-1, ECDHE_RSA, DHE_RSA, PSK, SRP, RSA]),
)
def test_any_bytes_make_what_json_and_a_terminal_can_show(kind: int, body: bytes, version: int, suite: int) -> None:
    json.dumps(fields(kind, body, version, suite))
    words = remark(kind, body, version, suite)
    assert words is None or words.isprintable()
