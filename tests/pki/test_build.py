"""A certificate is taken apart and put together again as it was; what is changed is changed alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from tests.pki.issuing import AUTHORITY, issue, usage
from tlsalert.errors import DecodeError
from tlsalert.pki import build, write
from tlsalert.pki.certificate import read_certificate
from tlsalert.pki.signatures import signed_by
from tlsalert.pki.signing import Signer

ROOT = issue("CN=Root,O=Example", None, AUTHORITY)
LEAF = issue(
    "CN=leaf",
    ROOT,
    usage("digital_signature"),
    x509.SubjectAlternativeName([x509.DNSName("leaf.example")]),
    critical=(x509.BasicConstraints(ca=False, path_length=None),),
)


def test_a_body_put_together_again_is_the_same_to_the_byte() -> None:
    body = build.body_of(LEAF.der)
    again = build.certificate(body, Signer(ROOT.key))
    signed = body.signed(Signer(ROOT.key).algorithm)
    assert signed in LEAF.der
    assert signed in again
    assert signed_by(again, ROOT.der) is True


def test_an_extension_is_replaced_in_its_place_or_added_at_the_end() -> None:
    body = build.body_of(LEAF.der)
    places = [one.dotted for one in body.extensions]
    changed = body.with_extension(build.dns_names("other.example"))
    assert [one.dotted for one in changed.extensions] == places
    longer = body.with_extension(build.extended_usage(build.CLIENT_AUTH))
    assert [one.dotted for one in longer.extensions] == [*places, build.EXTENDED_KEY_USAGE]
    assert [one.dotted for one in body.without(places[0]).extensions] == places[1:]


def test_an_extension_tells_whether_it_is_critical_and_what_is_in_it() -> None:
    found = {one.dotted: one for one in build.body_of(LEAF.der).extensions}
    assert found[build.BASIC_CONSTRAINTS].critical
    assert not found[build.KEY_USAGE].critical
    assert found[build.BASIC_CONSTRAINTS].value == write.sequence()


def test_extensions_say_what_they_were_built_to_say() -> None:
    body = replace(build.body_of(ROOT.der), extensions=())
    for one in (
        build.basic_constraints(True, 3),
        build.key_usage(build.DIGITAL_SIGNATURE, build.CERTIFICATE_SIGNING),
        build.extended_usage(build.SERVER_AUTH, build.ANY_USAGE),
        build.dns_names("a.example", "b.example"),
        build.permitted_names("example"),
        build.subject_identifier(b"own"),
        build.authority_identifier(b"above"),
    ):
        body = body.with_extension(one)
    read = read_certificate(build.certificate(body, Signer(ROOT.key)))
    assert read.problems == ()
    assert (read.ca, read.path_length) == (True, 3)
    assert read.key_usage == ("digitalSignature", "keyCertSign")
    assert read.extended_key_usage == ("serverAuth", "anyExtendedKeyUsage")
    assert read.subject_alt_names == ("DNS:a.example", "DNS:b.example")
    assert read.permitted_names == ("DNS:example",)
    assert (read.key_identifier, read.issuer_key_identifier) == (b"own".hex(), b"above".hex())


def test_a_key_identifier_is_the_one_that_others_take() -> None:
    expected = x509.SubjectKeyIdentifier.from_public_key(ROOT.key.public_key()).digest
    assert build.identifier_of(ROOT.info) == expected


def test_a_certificate_of_version_1_has_no_version() -> None:
    body = replace(build.body_of(LEAF.der), version=None, extensions=())
    read = read_certificate(build.certificate(body, Signer(ROOT.key)))
    assert (read.version, read.problems) == (1, ())
    assert build.body_of(build.certificate(body, Signer(ROOT.key))) == body


def test_a_crl_is_read_by_others() -> None:
    began, ends = datetime(2021, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)
    entries = [build.Revoked(write.integer(7), 1), build.Revoked(write.integer(8), 6)]
    name = build.body_of(ROOT.der).subject
    encoded = build.revocation_list(name, Signer(ROOT.key), entries, began, ends, b"above")
    crl = x509.load_der_x509_crl(encoded)
    assert crl.is_signature_valid(ROOT.key.public_key())
    assert crl.issuer == ROOT.name
    assert (crl.last_update_utc, crl.next_update_utc) == (began, ends)
    reasons = [entry.extensions.get_extension_for_class(x509.CRLReason).value.reason for entry in crl]
    assert reasons == [x509.ReasonFlags.key_compromise, x509.ReasonFlags.certificate_hold]
    assert len(x509.load_der_x509_crl(build.revocation_list(name, Signer(ROOT.key), [], began, ends, b""))) == 0


def test_serial_numbers_are_positive_and_differ() -> None:
    serials = {build.random_serial() for _ in range(100)}
    assert len(serials) == 100
    assert all(len(one) == 18 and one[2] < 0x80 for one in serials)


@given(st.binary(max_size=200) | st.integers(0, len(LEAF.der)).map(lambda cut: LEAF.der[:cut]))
def test_what_is_no_certificate_is_a_decode_error(data: bytes) -> None:
    if data != LEAF.der:
        with pytest.raises(DecodeError):
            build.body_of(data)
