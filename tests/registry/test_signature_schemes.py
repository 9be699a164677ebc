"""Signature schemes are named as IANA names them, older pairs by signature and hash."""

import pytest

from tlsalert.registry.signature_schemes import SignatureScheme


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param(0x0401, "rsa_pkcs1_sha256(0x0401)", id="RFC 8446 §4.2.3"),
        pytest.param(0x0403, "ecdsa_secp256r1_sha256(0x0403)", id="RFC 8446 §4.2.3, ecdsa"),
        pytest.param(0x0807, "ed25519(0x0807)", id="RFC 8446 §4.2.3, ed25519"),
        pytest.param(0x0202, "dsa_sha1(0x0202)", id="RFC 5246 §7.4.1.4.1"),
        pytest.param(0x0301, "rsa_sha224(0x0301)", id="RFC 5246 §7.4.1.4.1, sha224"),
        pytest.param(0x0904, "mldsa44(0x0904)", id="ML-DSA-44"),
        pytest.param(0x0906, "mldsa87(0x0906)", id="ML-DSA-87"),
        pytest.param(0x5A5A, "GREASE(0x5A5A)", id="RFC 8701 §2"),
        pytest.param(0xFE01, "private_use(0xFE01)", id="RFC 8446 §4.2.3, private use"),
        pytest.param(0x0999, "unlisted(0x0999)", id="unlisted code survives"),
    ],
)
def test_a_code_is_told_by_name_and_number(code: int, told: str) -> None:
    assert str(SignatureScheme(code)) == told
