"""DER is told apart by its structure, and each kind gives what is in it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat, pkcs7
from hypothesis import given
from hypothesis import strategies as st

from tests.pki.stores import AT, DAY, leaf, look, look_at_all, make, run
from tlsalert.pki.containers import Damage
from tlsalert.pki.objects import der_kind

EC = ec.generate_private_key(ec.SECP256R1())


def request() -> bytes:
    name = x509.Name.from_rfc4514_string("CN=wanted")
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(EC, hashes.SHA256()).public_bytes(Encoding.DER)


def revocations() -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(leaf().certificate.subject)
    builder = builder.last_update(AT - DAY).next_update(AT + DAY)
    return builder.sign(leaf().key, hashes.SHA256()).public_bytes(Encoding.DER)


KINDS: dict[str, Callable[[], bytes]] = {
    "certificate": lambda: leaf().der,
    "csr": request,
    "crl": revocations,
    "pkcs1": lambda: leaf().private(PrivateFormat.TraditionalOpenSSL),
    "pkcs8": lambda: leaf().private(),
    "sec1": lambda: make("CN=a", EC).private(PrivateFormat.TraditionalOpenSSL),
    "encrypted": lambda: leaf().locked(encoding=Encoding.DER),
    "spki": lambda: EC.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "pkcs7": lambda: pkcs7.serialize_certificates([leaf().certificate], Encoding.DER),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_known_by_its_first_fields(kind: str) -> None:
    assert der_kind(KINDS[kind]()) == kind


@given(st.binary(max_size=200))
def test_other_bytes_are_of_no_kind_or_of_one_that_is_known(data: bytes) -> None:
    assert der_kind(data) in (None, "pkcs12", "dsa", *KINDS)


def test_a_certificate_is_told_with_its_facts() -> None:
    (one,) = look(leaf().der)
    assert (one.kind, one.subject, one.key) == ("certificate", "CN=leaf,O=Board", "RSA 2048")
    assert one.sha256 == sha256(leaf().der).hexdigest()
    assert one.spki_sha256 == sha256(leaf().spki).hexdigest()
    assert one.not_after == AT + 200 * DAY


def test_a_request_has_a_subject_and_a_key() -> None:
    (one,) = look(request())
    assert (one.kind, one.subject, one.key) == ("csr", "CN=wanted", "EC P-256")


def test_a_revocation_list_has_an_issuer_and_the_time_of_the_next() -> None:
    (one,) = look(revocations())
    assert (one.kind, one.subject, one.issuer) == ("crl", None, "CN=leaf,O=Board")
    assert (one.not_before, one.not_after) == (AT - DAY, AT + DAY)


@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
def test_a_bundle_gives_its_certificates(encoding: Encoding) -> None:
    other = make("CN=other", ed25519.Ed25519PrivateKey.generate())
    found = look(pkcs7.serialize_certificates([leaf().certificate, other.certificate], encoding))
    assert {one.subject for one in found} == {"CN=leaf,O=Board", "CN=other"}


def test_a_certificate_with_openssls_trust_settings_is_one(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_bytes(leaf().pem)
    trusted = run("openssl", "x509", "-in", "a.pem", "-trustout", "-addtrust", "serverAuth", folder=tmp_path)
    assert b"TRUSTED" in trusted
    assert [one.sha256 for one in look(trusted)] == [sha256(leaf().der).hexdigest()]


@pytest.mark.parametrize("kind", ["certificate", "csr", "crl", "pkcs7"])
def test_what_is_cut_off_in_pem_is_told(kind: str) -> None:
    from tlsalert.pki.extract import pem

    things = look_at_all(pem("CERTIFICATE", KINDS[kind]()[:90]))
    assert [type(one) for one in things] == [Damage]
