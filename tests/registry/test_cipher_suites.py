"""Cipher suites are IANA's, and what SSLv2 and old drafts had beside them."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.registry.cipher_suites import CipherSuite, Sslv2CipherKind, cipher_suite_name

IANA = Path(__file__).parents[3] / "shared" / "iana" / "tls-parameters-4.csv"
RENAMED = {"TLS_AEGIS_256_SHA384": "TLS_AEGIS_256_SHA512"}  # draft-irtf-cfrg-aegis-aead, after 2023


@pytest.mark.parametrize(
    ("code", "name"),
    [
        pytest.param(0x0000, "TLS_NULL_WITH_NULL_NULL", id="RFC 5246 §A.5"),
        pytest.param(0x001C, "SSL_FORTEZZA_KEA_WITH_NULL_SHA", id="RFC 6101"),
        pytest.param(0x00FF, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV", id="RFC 5746 §3.3"),
        pytest.param(0x1301, "TLS_AES_128_GCM_SHA256", id="RFC 8446 App. B.4"),
        pytest.param(0x5600, "TLS_FALLBACK_SCSV", id="RFC 7507 §2"),
        pytest.param(0xC030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", id="RFC 5289 §3.2"),
        pytest.param(0xC0AE, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", id="RFC 7251 §2"),
        pytest.param(0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", id="RFC 7905 §2"),
        pytest.param(0xE013, "ECC_SM4_CBC_SM3", id="GB/T 38636-2020"),
        pytest.param(0x1234, "0x1234", id="unlisted"),
        pytest.param(0xFAFA, "0xFAFA", id="GREASE has no name"),
    ],
)
def test_a_cipher_suite_has_ianas_name_or_its_number(code: int, name: str) -> None:
    assert cipher_suite_name(code) == name


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (0x1301, "TLS_AES_128_GCM_SHA256(0x1301)"),
        (0x1234, "unlisted(0x1234)"),
        (0x0A0A, "GREASE(0x0A0A)"),
        (0xFF01, "private_use(0xFF01)"),
    ],
)
def test_a_cipher_suite_is_told_by_name_and_hexadecimal_number(code: int, told: str) -> None:
    assert str(CipherSuite(code)) == told


@given(code=st.integers(0, 0xFFFF))
def test_the_quick_name_is_the_members_name(code: int) -> None:
    suite = CipherSuite(code)
    assert cipher_suite_name(code) == (suite.name if suite in list(CipherSuite) else f"0x{code:04X}")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        pytest.param(0x0700C0, "SSL_CK_DES_192_EDE3_CBC_WITH_MD5(0x0700C0)", id="SSL 2.0"),
        pytest.param(0x00002F, "TLS_RSA_WITH_AES_128_CBC_SHA(0x00002F)", id="RFC 5246 App. E.2"),
        pytest.param(0x0000FF, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV(0x0000FF)", id="RFC 5746 §3.3"),
        pytest.param(0x123456, "unlisted(0x123456)", id="unlisted"),
    ],
)
def test_a_cipher_kind_of_sslv2_may_be_a_tls_suite(kind: int, told: str) -> None:
    assert str(Sslv2CipherKind(kind)) == told


@pytest.mark.skipif(not IANA.exists(), reason="IANA's table is not beside the checkout")
def test_every_suite_of_ianas_table_is_here() -> None:
    with IANA.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Description"].startswith("TLS_")]
    assert len(rows) > 340
    for row in rows:
        code = int(row["Value"].replace(",0x", ""), 16)
        assert cipher_suite_name(code) == RENAMED.get(row["Description"], row["Description"])
