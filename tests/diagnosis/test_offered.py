"""Whether a key is of a kind that the other side said it can verify."""

from __future__ import annotations

from typing import Any

import pytest

from tests import stories
from tests.diagnosis.handshakes import BMC, DONE, replace, spoken
from tlsalert.diagnosis.offered import not_offered
from tlsalert.model import CertificateRequest, Side


def asked(key: str, *schemes: str, version: str = "TLS 1.2", scheme: int | None = None, **fields: Any) -> str | None:
    """Return what is said where the server asks for a certificate with these schemes."""
    request = CertificateRequest((), schemes, fields.pop("types", ()))
    story = spoken(*DONE, version=version, certificate_request=request)
    return not_offered(story, "client", replace(BMC, key=key), scheme)


def offered(key: str, *schemes: int, groups: tuple[int, ...] = (), version: str = "TLS 1.2") -> str | None:
    """Return what is said of a server's key where the client offers these schemes and groups."""
    hello = replace(stories.HELLO, signature_schemes=schemes, groups=groups)
    return not_offered(spoken(*DONE, version=version, client_hello=hello), "server", replace(BMC, key=key))


@pytest.mark.parametrize(
    ("key", "scheme"),
    [
        ("RSA 2048", "rsa_pkcs1_sha256"),
        ("RSA 2048", "rsa_pss_rsae_sha256"),
        ("EC P-256", "ecdsa_secp256r1_sha256"),
        ("EC P-384", "ecdsa_secp256r1_sha256"),  # up to TLS 1.2 it names a hash, and any curve
        ("DSA 1024", "dsa_sha1"),
        ("Ed25519", "ed25519"),
        ("ML-DSA-65", "mldsa65"),
        ("GOST 2012 256", "rsa_pkcs1_sha256"),  # nobody here knows which scheme it takes
    ],
)
def test_a_key_with_a_scheme_for_it_is_fit(key: str, scheme: str) -> None:
    assert asked(key, scheme) is None


@pytest.mark.parametrize("key", ["RSA 2048", "Ed25519", "Ed448", "DSA 1024"])
def test_a_key_without_a_scheme_for_it_is_not(key: str) -> None:
    """RFC 5246 §7.4.4, RFC 8446 §4.3.2."""
    said = asked(key, "ecdsa_secp256r1_sha256")
    assert said is not None
    assert key in said
    assert "CertificateRequest" in said


def test_in_tls_1_3_a_scheme_is_for_one_curve() -> None:
    """RFC 8446 §4.2.3."""
    assert asked("EC P-256", "ecdsa_secp256r1_sha256", version="TLS 1.3") is None
    assert asked("EC P-384", "ecdsa_secp256r1_sha256", version="TLS 1.3") is not None
    assert asked("EC P-224", "ecdsa_secp256r1_sha256", "ecdsa_sha224", version="TLS 1.3") is not None


def test_to_sign_by_what_was_not_offered_is_told() -> None:
    assert asked("RSA 2048", "rsa_pkcs1_sha256", scheme=0x0401) is None
    assert "rsa_pkcs1_sha512" in str(asked("RSA 2048", "rsa_pkcs1_sha256", scheme=0x0601))


@pytest.mark.parametrize("version", ["SSLv3", "TLS 1.0", "TLS 1.1"])
def test_before_tls_1_2_there_are_types_of_certificates(version: str) -> None:
    """RFC 4346 §7.4.4."""
    assert asked("RSA 2048", version=version, types=("rsa_sign", "dss_sign")) is None
    assert "rsa_sign" in str(asked("EC P-256", version=version, types=("rsa_sign",)))
    assert asked("EC P-256", version=version) is None
    assert version in str(asked("Ed25519", version=version, types=("rsa_sign",)))


def test_where_nothing_was_asked_nothing_is_missing() -> None:
    assert asked("Ed448") is None
    assert not_offered(spoken(*DONE, certificate_request=None), "client", BMC) is None
    assert not_offered(spoken(*DONE, client_hello=None), "server", BMC) is None


def test_a_servers_key_is_held_against_the_clients_hello() -> None:
    """RFC 8446 §4.2.3; RFC 8422 §5.1 for the curve, up to TLS 1.2."""
    assert offered("RSA 2048", 0x0401) is None
    assert "the client offers" in str(offered("RSA 2048", 0x0403))
    assert offered("EC P-256", 0x0403, groups=(23,)) is None
    assert "curve" in str(offered("EC P-256", 0x0403, groups=(29, 24)))
    assert offered("EC P-256", 0x0403, groups=(29,), version="TLS 1.3") is None
    assert offered("EC P-256", 0x0403) is None


@pytest.mark.parametrize("side", ["client", "server"])
def test_a_key_that_was_not_read_is_not_judged(side: Side) -> None:
    assert not_offered(spoken(*DONE), side, replace(BMC, key=None)) is None
