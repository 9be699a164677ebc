"""The key exchange messages by cipher suite and version: RFC 5246 §7.4.3 and §7.4.7 and what extends them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.tls import SSL3, TLS10, TLS11, TLS12, u16, vector
from tlsalert.messages import (
    ClientKeyExchange,
    DhParameters,
    EcParameters,
    KeyParameters,
    RsaParameters,
    ServerKeyExchange,
    Signature,
    SrpParameters,
)
from tlsalert.wire.key_exchange import read_client_key_exchange, read_server_key_exchange

ECDHE_RSA, ECDHE_ECDSA, ECDH_ANON, ECDH_RSA = 0xC02F, 0xC02B, 0xC018, 0xC00E
DHE_RSA, DH_ANON, DH_RSA = 0x009E, 0x0018, 0x003F
RSA, RSA_EXPORT = 0x002F, 0x0003
PSK, DHE_PSK, RSA_PSK, ECDHE_PSK = 0x008C, 0x0090, 0x0094, 0xC035
SRP, SRP_RSA = 0xC01D, 0xC01E
KRB5, GOST, TLCP, TLS13_SUITE, NOT_KNOWN = 0x001E, 0x0081, 0xE013, 0x1301, -1

POINT = b"\x04" + bytes(64)
EC = b"\x03" + u16(23) + vector(1, POINT)
EC_VALUE = EcParameters(3, 23, None, POINT)
DH = vector(2, b"\xff" * 128) + vector(2, b"\x02") + vector(2, b"Y" * 128)
DH_VALUE = DhParameters(b"\xff" * 128, b"\x02", b"Y" * 128)
SRP_BYTES = vector(2, b"N" * 128) + vector(2, b"\x02") + vector(1, b"salt") + vector(2, b"B" * 128)
SRP_VALUE = SrpParameters(b"N" * 128, b"\x02", b"salt", b"B" * 128)
SIGNED_12 = u16(0x0804) + vector(2, b"sig")
SIGNED_10 = vector(2, b"sig")
BY_12, BY_10 = Signature(0x0804, b"sig"), Signature(None, b"sig")


@pytest.mark.parametrize(
    ("suite", "version", "body", "name", "parameters", "signature", "hint"),
    [
        (ECDHE_RSA, TLS12, EC + SIGNED_12, "ECDHE_RSA", EC_VALUE, BY_12, None),
        (ECDHE_ECDSA, TLS11, EC + SIGNED_10, "ECDHE_ECDSA", EC_VALUE, BY_10, None),
        (ECDHE_RSA, SSL3, EC + SIGNED_10, "ECDHE_RSA", EC_VALUE, BY_10, None),
        (ECDHE_RSA, 0, EC + SIGNED_12, "ECDHE_RSA", EC_VALUE, BY_12, None),
        (ECDHE_RSA, 0, EC + SIGNED_10, "ECDHE_RSA", EC_VALUE, BY_10, None),
        (ECDH_ANON, TLS12, EC, "ECDH_anon", EC_VALUE, None, None),
        (DHE_RSA, TLS12, DH + SIGNED_12, "DHE_RSA", DH_VALUE, BY_12, None),
        (DHE_RSA, TLS10, DH + SIGNED_10, "DHE_RSA", DH_VALUE, BY_10, None),
        (DH_ANON, TLS10, DH, "DH_anon", DH_VALUE, None, None),
        (
            RSA_EXPORT,
            TLS10,
            vector(2, b"m" * 64) + vector(2, b"\1\0\1") + SIGNED_10,
            "RSA_EXPORT",
            RsaParameters(b"m" * 64, b"\1\0\1"),
            BY_10,
            None,
        ),
        (PSK, TLS12, vector(2, b"hint"), "PSK", None, None, b"hint"),
        (RSA_PSK, TLS12, vector(2, b""), "RSA_PSK", None, None, b""),
        (DHE_PSK, TLS12, vector(2, b"hint") + DH, "DHE_PSK", DH_VALUE, None, b"hint"),
        (ECDHE_PSK, TLS12, vector(2, b"") + EC, "ECDHE_PSK", EC_VALUE, None, b""),
        (SRP, TLS10, SRP_BYTES, "SRP_SHA", SRP_VALUE, None, None),
        (SRP_RSA, TLS12, SRP_BYTES + SIGNED_12, "SRP_SHA_RSA", SRP_VALUE, BY_12, None),
        (TLCP, TLS11, SIGNED_10, "ECC", None, BY_10, None),
    ],
)
def test_the_server_says(
    suite: int,
    version: int,
    body: bytes,
    name: str,
    parameters: KeyParameters | None,
    signature: Signature | None,
    hint: bytes | None,
) -> None:
    assert read_server_key_exchange(body, version, suite) == ServerKeyExchange(name, parameters, signature, hint)


@pytest.mark.parametrize(
    ("curve", "bits"),
    [
        (b"\x01" + vector(1, b"\x7f" + b"\xff" * 31), 255),
        (b"\x02" + u16(163) + b"\x01" + vector(1, b"k"), 163),
        (b"\x02" + u16(571) + b"\x02" + vector(1, b"k") * 3, 571),
    ],
    ids=["prime", "trinomial", "pentanomial"],
)
def test_explicit_curves_are_told_by_the_size_of_their_field(curve: bytes, bits: int) -> None:
    """RFC 4492 §5.4."""
    body = curve + vector(1, b"x") * 5 + vector(1, POINT) + SIGNED_10
    found = read_server_key_exchange(body, TLS10, ECDHE_RSA)
    assert found == ServerKeyExchange("ECDHE_RSA", EcParameters(curve[0], None, bits, POINT), BY_10)


def test_what_is_not_read_any_further_is_kept() -> None:
    assert read_server_key_exchange(b"gost", TLS12, GOST) == ServerKeyExchange("GOSTR341001", rest=b"gost")


@pytest.mark.parametrize("suite", [NOT_KNOWN, TLS13_SUITE, 0xEEEE])
@pytest.mark.parametrize(
    ("body", "parameters", "signature", "hint"),
    [
        (EC + SIGNED_12, EC_VALUE, BY_12, None),
        (EC + SIGNED_10, EC_VALUE, BY_10, None),
        (DH + SIGNED_12, DH_VALUE, BY_12, None),
        (EC, EC_VALUE, None, None),
        (DH, DH_VALUE, None, None),
        (vector(2, b"hint") + EC, EC_VALUE, None, b"hint"),
        (vector(2, b"hint"), None, None, b"hint"),
    ],
)
def test_without_the_suite_the_form_that_fits_is_taken(
    suite: int, body: bytes, parameters: KeyParameters | None, signature: Signature | None, hint: bytes | None
) -> None:
    assert read_server_key_exchange(body, 0, suite) == ServerKeyExchange(None, parameters, signature, hint)


def test_where_none_fits_the_bytes_are_kept() -> None:
    found = read_server_key_exchange(b"\xffnothing", TLS12, NOT_KNOWN)
    assert found.rest == b"\xffnothing"
    assert found.problems == ("the cipher suite is not known, and no form fits",)


@pytest.mark.parametrize(
    ("suite", "body", "says"),
    [
        (ECDHE_RSA, b"\x03\x00", "namedcurve needs 2 bytes, 1 left"),
        (ECDHE_RSA, b"\x09", "curve_type 9 is not known"),
        (ECDHE_RSA, b"\x02" + u16(163) + b"\x05", "basis 5 is not known"),
        (ECDHE_RSA, EC + SIGNED_12 + b"!", "server_key_exchange has 1 bytes too many"),
        (DHE_RSA, DH[:-1], "dh_Ys claims 128 bytes, 127 left"),
        (DHE_RSA, DH + SIGNED_12[:-1], "signature claims 3 bytes, 2 left"),
        (RSA, b"!", "server_key_exchange has 1 bytes too many"),
        (PSK, b"\0", "psk_identity_hint needs 2 bytes, 1 left"),
    ],
)
def test_what_breaks_the_grammar_is_a_problem(suite: int, body: bytes, says: str) -> None:
    assert read_server_key_exchange(body, TLS12, suite).problems == (says,)


def test_what_was_read_before_is_kept() -> None:
    found = read_server_key_exchange(EC + b"\x08", TLS12, ECDHE_RSA)
    assert (found.parameters, found.signature) == (EC_VALUE, None)
    assert found.problems == ("signature_scheme needs 2 bytes, 1 left",)


SECRET = b"s" * 128


@pytest.mark.parametrize(
    ("suite", "version", "body", "name", "kind", "public", "identity"),
    [
        (RSA, TLS12, vector(2, SECRET), "RSA", "rsa", SECRET, None),
        (RSA, SSL3, SECRET, "RSA", "rsa", SECRET, None),
        (RSA, 0, SECRET, "RSA", "rsa", SECRET, None),
        (RSA, 0, vector(2, SECRET), "RSA", "rsa", SECRET, None),
        (DHE_RSA, TLS10, vector(2, b"Y"), "DHE_RSA", "dh", b"Y", None),
        (DH_RSA, TLS10, b"", "DH_RSA", "dh", b"", None),
        (ECDHE_RSA, TLS12, vector(1, POINT), "ECDHE_RSA", "ec", POINT, None),
        (ECDH_RSA, TLS12, b"", "ECDH_RSA", "ec", b"", None),
        (PSK, TLS12, vector(2, b"me"), "PSK", "psk", b"", b"me"),
        (RSA_PSK, TLS12, vector(2, b"me") + vector(2, SECRET), "RSA_PSK", "rsa", SECRET, b"me"),
        (DHE_PSK, TLS12, vector(2, b"me") + vector(2, b"Y"), "DHE_PSK", "dh", b"Y", b"me"),
        (ECDHE_PSK, TLS12, vector(2, b"me") + vector(1, POINT), "ECDHE_PSK", "ec", POINT, b"me"),
        (SRP, TLS10, vector(2, b"A"), "SRP_SHA", "srp", b"A", None),
        (KRB5, TLS10, vector(2, b"ticket") + vector(2, b"") + vector(2, b"e"), "KRB5", "krb5", b"ticket", None),
        (GOST, TLS10, b"\x30\x01", "GOSTR341001", "opaque", b"\x30\x01", None),
        (NOT_KNOWN, TLS12, vector(1, POINT), None, "ec", POINT, None),
        (NOT_KNOWN, TLS12, vector(2, SECRET), None, "rsa_or_dh", SECRET, None),
    ],
)
def test_the_client_says(
    suite: int, version: int, body: bytes, name: str | None, kind: str, public: bytes, identity: bytes | None
) -> None:
    assert read_client_key_exchange(body, version, suite) == ClientKeyExchange(name, kind, public, identity)


@pytest.mark.parametrize(
    ("suite", "body", "says"),
    [
        (RSA, SECRET, "EncryptedPreMasterSecret claims 29555 bytes, 126 left"),
        (ECDHE_RSA, POINT + b"!", "client_key_exchange has 61 bytes too many"),
        (PSK, b"", "psk_identity needs 2 bytes, 0 left"),
        (NOT_KNOWN, b"???", "the cipher suite is not known, and no form fits"),
    ],
)
def test_what_breaks_its_grammar_is_a_problem_too(suite: int, body: bytes, says: str) -> None:
    assert read_client_key_exchange(body, TLS12, suite).problems == (says,)


SUITES = st.sampled_from(
    [
        *(ECDHE_RSA, ECDH_ANON, ECDH_RSA, DHE_RSA, DH_ANON, DH_RSA, RSA, RSA_EXPORT, PSK, DHE_PSK, RSA_PSK, ECDHE_PSK),
        *(SRP, SRP_RSA, KRB5, GOST, TLCP, TLS13_SUITE, NOT_KNOWN),
    ]
)


@given(body=st.binary(max_size=200), version=st.sampled_from([0, SSL3, TLS10, TLS11, TLS12, 0x0304]), suite=SUITES)
def test_any_bytes_are_a_value(body: bytes, version: int, suite: int) -> None:
    for found in (
        read_server_key_exchange(body, version, suite),
        read_client_key_exchange(body, version, suite),
    ):
        assert all(found.problems)
