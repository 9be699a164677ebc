"""The parts of a cipher suite are read out of its IANA name."""

from __future__ import annotations

import hashlib

import pytest

from tlsalert.errors import DecodeError
from tlsalert.registry.cipher_suites import NAMES, CipherSuite
from tlsalert.secrets.suites import HASH_LENGTHS, SIGNALS, parse_suite, suite_of
from tlsalert.wire.transcript import NULL_CIPHERS


@pytest.mark.parametrize("name", sorted(set(NAMES.values()) - SIGNALS))
def test_every_suite_of_the_registry_has_parts_that_fit(name: str) -> None:
    suite = parse_suite(name)
    assert suite.name == name
    assert suite.key_material <= suite.key_length
    assert (suite.key_length > 0) == (suite.mode not in ("NULL", "HMAC"))
    assert (suite.tag_length > 0) == suite.aead
    assert (suite.block_length > 0) == (suite.mode == "CBC")
    assert suite.prf_hash in HASH_LENGTHS
    assert not suite.readable or not suite.mac or suite.mac_length == hashlib.new(suite.mac).digest_size


@pytest.mark.parametrize("name", sorted(set(NAMES.values()) - SIGNALS))
def test_suites_without_encryption_are_those_that_wire_reads_in_clear(name: str) -> None:
    suite = parse_suite(name)
    if not suite.tls13:
        assert (suite.cipher == "NULL") == (int(CipherSuite[name]) in NULL_CIPHERS) or "GOST" in name


# RFC 5246 App. C, RFC 5288, RFC 6655, RFC 7905, RFC 8446 App. B.4, RFC 2246 App. C, RFC 2712, RFC 6209, GB/T 38636
@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("TLS_RSA_WITH_AES_128_CBC_SHA", ("RSA", "RSA", "AES", "CBC", 16, 16, 16, 0, 0, 0, "sha1", "sha256")),
        (
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            ("ECDHE", "ECDSA", "AES", "GCM", 32, 32, 0, 4, 8, 16, None, "sha384"),
        ),
        ("TLS_DHE_RSA_WITH_AES_128_CCM_8", ("DHE", "RSA", "AES", "CCM", 16, 16, 0, 4, 8, 8, None, "sha256")),
        (
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            ("ECDHE", "RSA", "CHACHA20", "POLY1305", 32, 32, 0, 12, 0, 16, None, "sha256"),
        ),
        ("TLS_AES_128_CCM_8_SHA256", ("", "", "AES", "CCM", 16, 16, 0, 12, 0, 8, None, "sha256")),
        ("TLS_DH_anon_WITH_RC4_128_MD5", ("DH", "anon", "RC4", "stream", 16, 16, 0, 0, 0, 0, "md5", "sha256")),
        ("TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5", ("RSA", "RSA", "RC2", "CBC", 16, 5, 8, 0, 0, 0, "md5", "sha256")),
        ("TLS_KRB5_EXPORT_WITH_DES_CBC_40_SHA", ("KRB5", "KRB5", "DES", "CBC", 8, 5, 8, 0, 0, 0, "sha1", "sha256")),
        (
            "TLS_RSA_PSK_WITH_3DES_EDE_CBC_SHA",
            ("RSA_PSK", "PSK", "3DES_EDE", "CBC", 24, 24, 8, 0, 0, 0, "sha1", "sha256"),
        ),
        ("TLS_ECDHE_PSK_WITH_NULL_SHA384", ("ECDHE_PSK", "PSK", "NULL", "NULL", 0, 0, 0, 0, 0, 0, "sha384", "sha384")),
        ("TLS_RSA_WITH_ARIA_256_CBC_SHA384", ("RSA", "RSA", "ARIA", "CBC", 32, 32, 16, 0, 0, 0, "sha384", "sha384")),
        ("ECC_SM4_CBC_SM3", ("ECC", "", "SM4", "CBC", 16, 16, 16, 0, 0, 0, "sm3", "sm3")),
    ],
)
def test_parts(name: str, parts: tuple[object, ...]) -> None:
    suite = parse_suite(name)
    assert parts == (
        suite.key_exchange,
        suite.authentication,
        suite.cipher,
        suite.mode,
        suite.key_length,
        suite.key_material,
        suite.block_length,
        suite.fixed_iv_length,
        suite.record_iv_length,
        suite.tag_length,
        suite.mac,
        suite.prf_hash,
    )


def test_export_is_told_even_where_the_key_keeps_its_length() -> None:
    suite = parse_suite("TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA")
    assert (suite.export, suite.key_material, suite.key_length) == (True, 8, 8)


def test_a_signal_and_an_unlisted_code_are_no_suites() -> None:
    assert suite_of(CipherSuite.TLS_FALLBACK_SCSV) is None
    assert suite_of(0x7777) is None


@pytest.mark.parametrize("name", ["TLS_RSA_WITH_MYSTERY_128_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_WHAT"])
def test_a_name_that_no_rule_fits_is_told(name: str) -> None:
    with pytest.raises(DecodeError, match=name):
        parse_suite(name)
