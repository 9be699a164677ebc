"""What a file is, by its first bytes; what it is not, in words that help."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.errors import CaptureError
from tlsalert.sources.recognise import KNOWN_OTHERS, capture_kind, evidence_kind


@pytest.mark.parametrize("magic", ["d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d", "34cdb2a1", "a1b2cd34"])
def test_pcap_is_known_in_both_orders_both_precisions_and_its_modified_form(magic: str) -> None:
    """draft-ietf-opsawg-pcap §4; the modified form is Alexey Kuznetzov's, as libpcap reads it."""
    assert capture_kind(bytes.fromhex(magic) + bytes(20), "x") == "pcap"


def test_pcapng_is_known_by_its_section_header() -> None:
    """draft-ietf-opsawg-pcapng §4.1: the block type reads the same in both orders."""
    assert capture_kind(b"\x0a\x0d\x0d\x0a" + bytes(24), "x") == "pcapng"


@pytest.mark.parametrize(
    ("head", "says"),
    [
        pytest.param(b"", "file: the file is empty; nothing was recorded into it", id="empty"),
        pytest.param(b"\xd4\xc3\xb2\xa1" + bytes(6), "ends inside its file header, after 10 bytes", id="pcap header"),
        pytest.param(
            b"\x0a\x0d\x0d\x0a" + bytes(4), "ends inside its section header, after 8 bytes", id="pcapng header"
        ),
        pytest.param(b"snoop\0\0\0\0\0\0\2", "a snoop capture; convert it: editcap", id="RFC 1761"),
        pytest.param(b"GMBU\0\2", "a Network Monitor capture; convert it: editcap", id="Network Monitor"),
        pytest.param(b"PK\x03\x04", "a zip archive; unpack it first", id="zip"),
        pytest.param(b"\x7fELF\2\1", "a program", id="ELF"),
        pytest.param(b"-----BEGIN CERTIFICATE", "not a capture: it begins with 2d 2d 2d 2d 2d 42 45 47", id="PEM"),
        pytest.param(b"\0", "not a capture: it begins with 00; tlsalert reads pcap and pcapng", id="one byte"),
    ],
)
def test_what_is_no_capture_is_called_what_it_is(head: bytes, says: str) -> None:
    with pytest.raises(CaptureError) as raised:
        capture_kind(head, "file")
    assert says in str(raised.value)
    assert raised.value.where == "file"


@given(st.binary(max_size=40))
def test_any_bytes_are_a_capture_or_an_error_that_a_terminal_can_show(head: bytes) -> None:
    try:
        assert capture_kind(head, "file") in ("pcap", "pcapng")
    except CaptureError as error:
        assert str(error).isprintable()  # noqa: PT017 - what else is raised must escape


def test_no_two_kinds_begin_alike() -> None:
    magics = [*KNOWN_OTHERS]
    assert not [(one, other) for one in magics for other in magics if one != other and one.startswith(other)]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b'08:50:31.1 read(3, "\\26\\3\\1", 5) = 5\n', "log"),
        ("Zertifikat ungültig\r\n".encode("latin-1"), "log"),
        (b"\xd4\xc3\xb2\xa1" + bytes(20), "pcap"),
        (b"\x0a\x0d\x0d\x0a" + bytes(24), "pcapng"),
    ],
)
def test_text_is_a_log_and_a_capture_a_capture(head: bytes, kind: str) -> None:
    assert evidence_kind(head, "x") == kind


def test_what_was_lost_in_unpacking_is_why_there_is_no_capture() -> None:
    with pytest.raises(CaptureError) as raised:
        evidence_kind(b"\xd4\xc3", "x", "the compressed data is damaged")
    assert str(raised.value) == "x: the compressed data is damaged"
