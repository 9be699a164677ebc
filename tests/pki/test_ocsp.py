"""An OCSP response says which certificate is good, revoked or unknown, and from when to when: RFC 6960 §4.2.1."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pki.encoded import GENERALIZED_TIME, INTEGER, OCTET_STRING, SEQUENCE, oid, tlv
from tlsalert.messages import OcspResponse, OcspSingle
from tlsalert.pki.ocsp import MOST_ANSWERS, read_ocsp

BASIC = "1.3.6.1.5.5.7.48.1.1"
GOOD, UNKNOWN = tlv(0x80), tlv(0x82)
SHA1 = tlv(SEQUENCE, oid("1.3.14.3.2.26"))


def when(day: int) -> bytes:
    return tlv(GENERALIZED_TIME, f"202406{day:02}120000Z".encode())


def day(number: int) -> datetime:
    return datetime(2024, 6, number, 12, tzinfo=UTC)


def revoked(reason: int | None = None) -> bytes:
    said = b"" if reason is None else tlv(0xA0, tlv(0x0A, bytes([reason])))
    return tlv(0xA1, when(1) + said)


def answer(status: bytes = GOOD, until: bytes = tlv(0xA0, when(9)), serial: bytes = b"\x12\x34") -> bytes:
    """Return a SingleResponse."""
    identity = tlv(SEQUENCE, SHA1, tlv(OCTET_STRING, b"n" * 20), tlv(OCTET_STRING, b"k" * 20), tlv(INTEGER, serial))
    return tlv(SEQUENCE, identity, status, when(2), until)


def response(*answers: bytes, status: int = 0, kind: str = BASIC, version: bytes = b"") -> bytes:
    """Return an OCSPResponse that names its responder by key."""
    data = tlv(SEQUENCE, version, tlv(0xA2, tlv(OCTET_STRING, b"r" * 20)), when(3), tlv(SEQUENCE, *answers))
    basic = tlv(SEQUENCE, data, tlv(SEQUENCE, oid("1.2.840.113549.1.1.11")), tlv(0x03, b"\0s"))
    return tlv(SEQUENCE, tlv(0x0A, bytes([status])), tlv(0xA0, tlv(SEQUENCE, oid(kind), tlv(OCTET_STRING, basic))))


def test_a_good_certificate() -> None:
    encoded = response(answer())
    single = OcspSingle("1234", "good", day(2), day(9))
    assert read_ocsp(encoded) == OcspResponse(len(encoded), 0, day(3), (single,))


@pytest.mark.parametrize("reason", [None, 1])
def test_a_revoked_one_with_its_reason(reason: int | None) -> None:
    (single,) = read_ocsp(response(answer(revoked(reason)))).responses
    assert (single.status, single.revoked_at, single.reason) == ("revoked", day(1), reason)


def test_one_that_the_responder_does_not_know_and_no_next_update() -> None:
    (single,) = read_ocsp(response(answer(UNKNOWN, until=b""))).responses
    assert (single.status, single.next_update) == ("unknown", None)


def test_a_version_may_stand_before() -> None:
    found = read_ocsp(response(answer(), version=tlv(0xA0, tlv(INTEGER, b"\0"))))
    assert (found.produced_at, len(found.responses), found.problems) == (day(3), 1, ())


def test_a_refusal_has_nothing_but_its_status() -> None:
    encoded = tlv(SEQUENCE, tlv(0x0A, b"\x03"))
    assert read_ocsp(encoded) == OcspResponse(5, 3)


def test_several_answers_up_to_a_limit() -> None:
    found = read_ocsp(response(*[answer()] * (MOST_ANSWERS + 1)))
    assert len(found.responses) == MOST_ANSWERS
    assert found.problems == ("only the first 256 answers are told",)


@pytest.mark.parametrize(
    ("encoded", "says"),
    [
        (b"", "DER ends where an element should begin"),
        (b"\x30\x05\x0a", "DER element claims 5 bytes, 1 left"),
        (tlv(SEQUENCE), "an OCSP response without a status"),
        (response(answer(), kind="1.2.3"), "an OCSP response of type 1.2.3"),
        (response(answer()) + b"!", "1 bytes follow the OCSP response"),
        (response(answer(tlv(0x85))), "a certificate status of tag 0x85"),
        (response(answer(tlv(0xA1))), "a revocation without its time"),
        (response(tlv(SEQUENCE, when(1))), "an element with 1 of 3 parts"),
    ],
)
def test_what_is_broken_is_told_and_the_rest_stays(encoded: bytes, says: str) -> None:
    found = read_ocsp(encoded)
    assert len(found.problems) == 1
    assert found.problems[0].endswith(says)
    assert found.length == len(encoded)


def test_answers_before_a_broken_one_are_kept() -> None:
    found = read_ocsp(response(answer(), answer(tlv(0x85))))
    assert [one.status for one in found.responses] == ["good"]
    assert found.produced_at == day(3)
    assert len(found.problems) == 1


def test_an_element_of_a_million_parts_is_not_read_to_its_end() -> None:
    found = read_ocsp(tlv(SEQUENCE, tlv(0x0A, b"\0"), bytes(2_000_000)))
    assert found.status == 0
    assert len(found.problems) == 1


@given(encoded=st.binary(max_size=200))
def test_any_bytes_make_a_response(encoded: bytes) -> None:
    assert read_ocsp(encoded).length == len(encoded)


@given(place=st.integers(0, 180), value=st.integers(0, 255))
def test_any_byte_may_be_another(place: int, value: int) -> None:
    encoded = bytearray(response(answer(revoked(4)), answer()))
    encoded[place] = value
    assert read_ocsp(bytes(encoded)).length == len(encoded)
