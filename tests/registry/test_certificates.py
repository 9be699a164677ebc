"""What certificates are made of is named as IANA names it."""

import pytest

from tlsalert.registry.certificates import (
    CertificateCompressionAlgorithm,
    CertificateStatusType,
    CertificateType,
    ClientCertificateType,
)
from tlsalert.registry.open import Registry


@pytest.mark.parametrize(
    ("member", "told"),
    [
        pytest.param(ClientCertificateType(1), "rsa_sign(1)", id="RFC 5246 §7.4.4"),
        pytest.param(ClientCertificateType(64), "ecdsa_sign(64)", id="RFC 8422 §5.5"),
        pytest.param(ClientCertificateType(230), "private_use(230)", id="private use"),
        pytest.param(CertificateType(0), "X509(0)", id="RFC 6091 §3.1"),
        pytest.param(CertificateType(2), "RawPublicKey(2)", id="RFC 7250 §3"),
        pytest.param(CertificateStatusType(1), "ocsp(1)", id="RFC 6066 §8"),
        pytest.param(CertificateStatusType(2), "ocsp_multi(2)", id="RFC 6961 §2.2"),
        pytest.param(CertificateCompressionAlgorithm(2), "brotli(2)", id="RFC 8879 §7.3"),
        pytest.param(CertificateCompressionAlgorithm(0x4A4A), "private_use(19018)", id="here no GREASE"),
        pytest.param(CertificateCompressionAlgorithm(0x0A0A), "unlisted(2570)", id="nor here"),
    ],
)
def test_a_code_is_told_by_name_and_number(member: Registry, told: str) -> None:
    assert str(member) == told
