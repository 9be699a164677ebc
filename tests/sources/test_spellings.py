"""Names in the spellings of several libraries."""

from __future__ import annotations

import pytest

from tlsalert.sources.spellings import alert_code, cipher_name, message_code, name_in_order, version_name


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("AES256-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA"),
        ("DHE-RSA-AES128-SHA256", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"),
        ("EDH-RSA-DES-CBC3-SHA", "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"),
        ("RC4-SHA", "TLS_RSA_WITH_RC4_128_SHA"),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
        ("AES128-CCM8", "TLS_RSA_WITH_AES_128_CCM_8"),
        ("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
        ("GNUTLS_ECDHE_RSA_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("GNUTLS_RSA_AES_256_CBC_SHA1", "TLS_RSA_WITH_AES_256_CBC_SHA"),
        ("GNUTLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
        ("0000", None),
        ("(NONE)", None),
        ("", None),
    ],
)
def test_cipher_suites(spelled: str, name: str | None) -> None:
    assert cipher_name(spelled) == name


def test_messages() -> None:
    names = (
        "Request CERT",
        "Server finished",
        "SERVER HELLO DONE",
        "ServerKeyExchange",
        "client certificate",
        "nothing",
    )
    assert [message_code(name) for name in names] == [13, 14, 14, 12, 11, None]


def test_alerts() -> None:
    names = ("bad certificate", "CA is unknown", "unknown CA", "expired_certificate", "handshake failure", "nothing")
    assert [alert_code(name) for name in names] == [42, 48, 48, 45, 40, None]


def test_versions() -> None:
    names = ("TLSv1.3", "TLSv1", "SSLv3", "TLS1.2", "TLS 1.0", "3.3")
    assert [version_name(name) for name in names] == ["TLS 1.3", "TLS 1.0", "SSLv3", "TLS 1.2", "TLS 1.0", None]


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("/C=US/O=Example/CN=IPMI", "CN=IPMI,O=Example,C=US"),
        ("C = US, O = Example, CN = IPMI", "CN=IPMI,O=Example,C=US"),
        ('C = US, O = "Example, Inc."', r"O=Example\, Inc.,C=US"),
        ("no name", "no name"),
    ],
)
def test_names_of_people_are_turned_round(told: str, name: str) -> None:
    assert name_in_order(told) == name
