"""What an extension says, in JSON's words: numbers by name, opaque bytes by length, the unknown as null."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pki.encoded import attribute, name, oid
from tests.pki.test_ocsp import answer, response, revoked
from tests.wire.test_extensions import CERT_ID, CH, CR, CT, ECH_CONFIG, EE, HRR, NST, SH, sct, u32
from tests.wire.tls import u16, vector
from tlsalert.model import Extension
from tlsalert.render.values import extension_row, extension_value
from tlsalert.wire.extensions import READERS

AUTHORITY = name((attribute("2.5.4.3", b"Some CA"),))


@pytest.mark.parametrize(
    ("kind", "message", "data", "value"),
    [
        (0, CH, vector(2, b"\0" + vector(2, b"a.example")), "a.example"),
        (0, SH, b"", None),
        (1, CH, b"\x02", 1024),
        (1, CH, b"\x09", "unlisted(9)"),
        (3, CH, vector(2, b"\x02" + vector(2, AUTHORITY)), [{"type": "x509_name", "identifier": "CN=Some CA"}]),
        (5, CH, b"\x01\0\0\0\0", {"status_type": "ocsp", "responders": 0, "extensions_length": 0}),
        (9, SH, b"\x01", "OpenPGP"),
        (10, CH, vector(2, u16(0x0A0A, 29, 4588)), ["GREASE(2570)", "x25519", "X25519MLKEM768"]),
        (11, CH, vector(1, b"\0\x09"), ["uncompressed", "unlisted(9)"]),
        (13, CH, vector(2, u16(0x0804)), ["rsa_pss_rsae_sha256"]),
        (14, CH, vector(2, u16(7)) + b"\0", {"profiles": ["SRTP_AEAD_AES_128_GCM"], "mki": ""}),
        (15, CH, b"\x01", "peer_allowed_to_send"),
        (16, CH, vector(2, vector(1, b"h2")), ["h2"]),
        (
            18,
            SH,
            vector(2, vector(2, sct())),
            [
                {
                    "version": 1,
                    "log_id": CERT_ID.hex(),
                    "time": "2023-11-14T22:13:20.123Z",
                    "signature_scheme": "ecdsa_secp256r1_sha256",
                }
            ],
        ),
        (19, CH, vector(1, b"\x02\0"), ["RawPublicKey", "X509"]),
        (21, CH, bytes(100), 100),
        (24, CH, b"\x01\0" + vector(1, b"\x02"), {"version": "1.0", "key_parameters": ["ecdsap256"]}),
        (25, CH, vector(2, b"\x01" + vector(1, b"h")), [{"type": "cert", "hash": "68"}]),
        (27, CH, vector(1, u16(2)), ["brotli"]),
        (28, CH, u16(16385), 16385),
        (34, CH, vector(2, u16(0x0403)), ["ecdsa_secp256r1_sha256"]),
        (
            34,
            CT,
            u32(604800) + u16(0x0403) + vector(3, bytes(91)) + u16(0x0804) + vector(2, bytes(256)),
            {
                "valid_time": 604800,
                "signature_scheme": "ecdsa_secp256r1_sha256",
                "key_length": 91,
                "signed_with": "rsa_pss_rsae_sha256",
                "signature_length": 256,
            },
        ),
        (35, CH, bytes(200), {"length": 200}),
        (39, SH, b"\0", "AESKW128"),
        (
            41,
            CH,
            vector(2, vector(2, bytes(32)) + u32(7)) + vector(2, vector(1, bytes(48))),
            {"identities": [{"length": 32, "obfuscated_ticket_age": 7}], "binders": [48]},
        ),
        (41, SH, u16(0), 0),
        (42, NST, u32(16384), 16384),
        (43, CH, vector(1, u16(0x0304, 0x7F1C)), ["TLS 1.3", "TLS 1.3 draft 28"]),
        (43, SH, u16(0x0304), "TLS 1.3"),
        (44, HRR, vector(2, bytes(80)), {"length": 80}),
        (45, CH, b"\x01\x01", ["psk_dhe_ke"]),
        (47, CR, vector(2, vector(2, AUTHORITY)), ["CN=Some CA"]),
        (
            48,
            CR,
            vector(2, vector(1, oid("2.5.29.37")) + vector(2, b"1234") + vector(1, b"?") + vector(2, b"")),
            [{"oid": "2.5.29.37", "length": 4}, {"oid": "3f", "length": 0}],
        ),
        (51, CH, vector(2, u16(29) + vector(2, bytes(32))), [{"group": "x25519", "length": 32}]),
        (51, SH, u16(29) + vector(2, bytes(32)), {"group": "x25519", "length": 32}),
        (51, HRR, u16(23), "secp256r1"),
        (52, SH, vector(2, vector(2, u16(3, 0))), [{"type": "x509_sct_v2", "length": 4}]),
        (54, CH, vector(1, b"\xc1"), "c1"),
        (
            57,
            EE,
            bytes.fromhex("01 04 80007530 02 10") + bytes(16) + bytes.fromhex("7fff 01 07 04 01 ff"),
            [
                {"name": "max_idle_timeout", "length": 4, "value": 30000},
                {"name": "stateless_reset_token", "length": 16, "value": "00" * 16},
                {"name": "0x3fff", "length": 1, "value": "07"},
                {"name": "initial_max_data", "length": 1, "value": "ff"},
            ],
        ),
        (58, CH, b"\x02\x01", {"new_sessions": 2, "resumptions": 1}),
        (59, CT, u16(24) + bytes(9), {"lifetime_hours": 24, "length": 9}),
        (62, CH, vector(1, b"\x02"), [1]),
        (17513, EE, b"settings", {"length": 8}),
        (51764, CH, vector(2, vector(1, b"\x82\x37")), ["8237"]),
        (64768, CH, vector(1, u16(10)), ["supported_groups"]),
        (
            65037,
            CH,
            b"\0" + u16(1, 3) + b"\x63" + vector(2, bytes(32)) + vector(2, bytes(208)),
            {
                "type": "outer",
                "kdf": "HKDF-SHA256",
                "aead": "ChaCha20Poly1305",
                "config_id": 0x63,
                "enc_length": 32,
                "payload_length": 208,
            },
        ),
        (65037, CH, b"\x01", {"type": "inner"}),
        (65037, HRR, bytes(8), {"length": 8}),
        (
            65037,
            EE,
            vector(2, u16(0xFE0D) + ECH_CONFIG),
            [
                {
                    "version": "0xfe0d",
                    "config_id": 7,
                    "kem": "DHKEM(X25519, HKDF-SHA256)",
                    "suites": [
                        {"kdf": "HKDF-SHA256", "aead": "AES-128-GCM"},
                        {"kdf": "HKDF-SHA256", "aead": "ChaCha20Poly1305"},
                    ],
                    "public_name": "a.example",
                }
            ],
        ),
        (65281, SH, vector(1, b"\xab\xcd"), "abcd"),
        (
            65486,
            CH,
            u16(0x1301, 29) + vector(2, b"") + vector(2, b"") + vector(2, bytes(9)),
            {"cipher_suite": "TLS_AES_128_GCM_SHA256", "group": "x25519", "length": 9},
        ),
        (23, CH, b"", None),
        (0x0A0A, CH, b"\0", None),
        (4242, CH, b"opaque", None),
        (43, CH, b"", {"problem": "it is empty"}),
        (51, SH, b"\0", {"problem": "group needs 2 bytes, 1 left"}),
    ],
)
def test_an_extension_says(kind: int, message: int, data: bytes, value: object) -> None:
    assert extension_value(kind, data, message) == value
    assert extension_value(kind, data, message) == value


def test_a_stapled_response() -> None:
    encoded = response(answer(revoked(1)))
    assert extension_value(5, b"\x01" + vector(3, encoded), CT) == {
        "status": "successful",
        "length": len(encoded),
        "produced_at": "2024-06-03T12:00:00Z",
        "certificates": [
            {
                "serial": "1234",
                "status": "revoked",
                "this_update": "2024-06-02T12:00:00Z",
                "next_update": "2024-06-09T12:00:00Z",
                "revoked_at": "2024-06-01T12:00:00Z",
                "reason": "key_compromise",
            }
        ],
        "problems": [],
    }


def test_a_row_has_name_length_and_value() -> None:
    expected = {"type": 28, "name": "record_size_limit", "length": 2, "value": 64}
    assert extension_row(Extension(28, b"\0\x40"), CH) == expected
    assert list(extension_row(Extension(28, b"\0\x40"), CH)) == ["type", "name", "length", "value"]


@given(
    kind=st.sampled_from(sorted(READERS)),
    data=st.binary(max_size=120),
    message=st.sampled_from([CH, SH, NST, HRR, EE, CT, CR]),
)
def test_any_bytes_make_what_json_can_write(kind: int, data: bytes, message: int) -> None:
    assert json.dumps(extension_value(kind, data, message))
