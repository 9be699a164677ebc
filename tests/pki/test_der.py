"""Reading DER: what X.690 allows is read, what it forbids is said, nothing is read past its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pki.encoded import GENERALIZED_TIME, OID, UTC_TIME, oid, tlv, whole
from tlsalert.errors import DecodeError
from tlsalert.pki import der


def test_an_element_knows_its_tag_its_content_and_its_end() -> None:
    part = der.element(b"\0\0" + tlv(0x04, b"abc") + b"rest", 2)
    assert (part.tag, part.content, part.whole, part.stop) == (0x04, b"abc", b"\x04\x03abc", 7)


@given(st.binary(max_size=70_000), st.sampled_from([0x02, 0x04, 0x30, 0xA3]))
def test_what_was_written_is_read_back(content: bytes, tag: int) -> None:
    part = whole(tlv(tag, content))
    assert (part.tag, part.content) == (tag, content)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"", "ends where an element should begin", id="nothing"),
        pytest.param(b"\x30", "ends where an element should begin", id="no length"),
        pytest.param(b"\x30\x05abc", "claims 5 bytes, 3 left", id="too short"),
        pytest.param(b"\x30\x82\x01", "length of 2 bytes", id="length cut short"),
        pytest.param(b"\x30\x85\0\0\0\0\1a", "length of 5 bytes", id="length of more than 4 GiB"),
        pytest.param(b"\x30\x80\0\0", "length of 0 bytes", id="indefinite length: BER only, X.690 §10.1"),
        pytest.param(b"\x3f\x81\x01\0", "tag of several bytes", id="high tag number"),
    ],
)
def test_an_element_that_does_not_fit_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        der.element(data)


def test_an_element_stays_inside_its_parent() -> None:
    parent = whole(tlv(0x30, b"\x04\x05abc"))
    with pytest.raises(DecodeError, match="claims 5 bytes, 3 left"):
        list(der.children(parent))
    with pytest.raises(DecodeError, match="claims 5 bytes, 3 left"):
        der.first(parent)


def test_of_very_many_children_only_so_many_are_read() -> None:
    most = der.MOST_CHILDREN
    assert len(list(der.children(whole(tlv(0x30, b"\4\0" * most))))) == most
    with pytest.raises(DecodeError, match=f"an element with more than {most} parts"):
        list(der.children(whole(tlv(0x30, b"\4\0" * (most + 1)))))


@pytest.mark.parametrize("read", [der.first_of, der.parts])
def test_of_the_first_parts_no_others_are_read(read: Callable[[der.Element, int], list[der.Element]]) -> None:
    """What follows would not even fit."""
    parent = whole(tlv(0x30, tlv(2, b"\1"), tlv(2, b"\2"), b"\4\x7f"))
    assert [part.content for part in read(parent, 2)] == [b"\1", b"\2"]


def test_where_there_are_fewer_parts_they_are_all_or_an_error() -> None:
    parent = whole(tlv(0x30, tlv(2, b"\1")))
    assert len(der.first_of(parent, 2)) == 1
    with pytest.raises(DecodeError, match="an element with 1 of 2 parts"):
        der.parts(parent, 2)


def test_children_come_in_their_order_and_use_up_their_parent() -> None:
    parent = whole(tlv(0x30, tlv(2, b"\1"), tlv(4, b""), tlv(2, b"\2")))
    assert [(part.tag, part.content) for part in der.children(parent)] == [(2, b"\1"), (4, b""), (2, b"\2")]
    assert list(der.children(whole(b"\x30\0"))) == []


@pytest.mark.parametrize(
    ("tag", "content", "text"),
    [
        pytest.param(0x0C, "Zürich".encode(), "Zürich", id="UTF8String"),
        pytest.param(0x13, b"Example", "Example", id="PrintableString"),
        pytest.param(0x16, b"a@example.net", "a@example.net", id="IA5String"),
        pytest.param(0x14, b"Z\xfcrich", "Zürich", id="T61String, as most programs wrote it"),
        pytest.param(0x1E, "Zürich".encode("utf-16-be"), "Zürich", id="BMPString"),
        pytest.param(0x1C, "Zürich".encode("utf-32-be"), "Zürich", id="UniversalString"),
        pytest.param(0x0C, b"Z\xfcrich", r"Z\xfcrich", id="no UTF-8"),
        pytest.param(0x1E, b"\xd8\x00", r"\xd8\x00", id="half a surrogate pair"),
    ],
)
def test_text_is_read_by_its_type_and_broken_bytes_stay_visible(tag: int, content: bytes, text: str) -> None:
    assert der.text(whole(tlv(tag, content))) == text


@pytest.mark.parametrize(
    "dotted", ["2.5.4.3", "1.2.840.113549.1.9.1", "0.9.2342.19200300.100.1.25", "2.999.1", "2.100.3", "1.39.0", "0.0"]
)
def test_object_identifiers_are_dotted(dotted: str) -> None:
    assert der.oid(whole(oid(dotted))) == dotted


def test_an_identifier_made_of_a_uuid_is_read() -> None:
    """ITU-T X.667 §6.3 puts 128 bits into one number."""
    dotted = f"2.25.{2**128 - 1}"
    assert der.oid(whole(oid(dotted))) == dotted


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x55\x84", id="ends inside a number, X.690 §8.19.2"),
        pytest.param(b"\x55" + b"\xff" * 5000 + b"\x01", id="a number of 35,000 bits"),
    ],
)
def test_an_identifier_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(DecodeError):
        der.oid(whole(tlv(OID, content)))


@pytest.mark.parametrize(
    ("tag", "said", "time"),
    [
        pytest.param(UTC_TIME, "160519094636Z", (2016, 5, 19, 9, 46, 36), id="UTCTime"),
        pytest.param(UTC_TIME, "491231235959Z", (2049, 12, 31, 23, 59, 59), id="49 is 2049, RFC 5280 §4.1.2.5.1"),
        pytest.param(UTC_TIME, "500101000000Z", (1950, 1, 1, 0, 0, 0), id="50 is 1950"),
        pytest.param(GENERALIZED_TIME, "20500101000000Z", (2050, 1, 1, 0, 0, 0), id="GeneralizedTime"),
        pytest.param(GENERALIZED_TIME, "99991231235959Z", (9999, 12, 31, 23, 59, 59), id="no end, RFC 5280 §4.1.2.5"),
        pytest.param(UTC_TIME, "1605190946Z", (2016, 5, 19, 9, 46, 0), id="without seconds, X.680 §47.3"),
        pytest.param(UTC_TIME, "160519094636+1130", (2016, 5, 18, 22, 16, 36), id="with a zone, X.680 §47.3"),
        pytest.param(UTC_TIME, "1605190946-0030", (2016, 5, 19, 10, 16, 0), id="with a zone, without seconds"),
    ],
)
def test_times_are_read_in_all_forms_that_were_ever_issued(tag: int, said: str, time: tuple[int, ...]) -> None:
    year, month, day, hour, minute, second = time
    expected = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    assert der.time(whole(tlv(tag, said.encode()))) == expected


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        pytest.param(UTC_TIME, b"", id="empty"),
        pytest.param(UTC_TIME, b"tomorrow", id="words"),
        pytest.param(UTC_TIME, b"161319094636Z", id="a thirteenth month"),
        pytest.param(UTC_TIME, b"160230094636Z", id="30 February"),
        pytest.param(UTC_TIME, b"16519094636Z", id="a digit is missing"),
        pytest.param(UTC_TIME, b"160519094636", id="no zone"),
        pytest.param(UTC_TIME, b"160519094636Z\0", id="something follows"),
        pytest.param(UTC_TIME, b"160519 94636Z", id="a blank for a digit"),
        pytest.param(UTC_TIME, "1605190946３6Z".encode(), id="a digit of another script"),
        pytest.param(GENERALIZED_TIME, b"160519094636Z", id="a year of two digits in a GeneralizedTime"),
        pytest.param(GENERALIZED_TIME, b"00000101000000Z", id="the year 0"),
        pytest.param(GENERALIZED_TIME, b"99991231235959-0100", id="after the calendar's end by its zone"),
        pytest.param(GENERALIZED_TIME, b"00010101000000+0100", id="before the calendar's beginning"),
        pytest.param(0x02, b"160519094636Z", id="an integer"),
    ],
)
def test_what_is_no_time_is_refused(tag: int, said: bytes) -> None:
    with pytest.raises(DecodeError):
        der.time(whole(tlv(tag, said)))


@given(st.binary(max_size=60))
def test_any_bytes_are_an_element_or_a_documented_error(data: bytes) -> None:
    readers = (der.oid, der.time, der.text, lambda part: [*der.children(part)], der.first)
    try:
        part = der.element(data)
    except DecodeError:
        return
    assert part.stop <= len(data)
    for read in readers:
        try:
            read(part)
        except DecodeError as error:
            assert error.what  # noqa: PT017 - what else is raised must escape
