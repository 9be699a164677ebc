"""What stands in a line of strace, taken apart: strings, descriptors, arguments, addresses, vectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.straces import address, string
from tlsalert.sources import strace_values as values
from tlsalert.sources.strace_values import Segment


@given(data=st.binary(max_size=200), manner=st.sampled_from(["", "-x", "-xx"]))
def test_any_bytes_come_back_out_of_a_string(data: bytes, manner: str) -> None:
    text = string(data, manner=manner).encode()
    assert values.quoted(text, 0) == (data, len(text))


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (rb"\26\3\1", b"\x16\x03\x01"),
        (rb"\0001", b"\x001"),
        (rb"\x16\3\"\\", b'\x16\x03"\\'),
        (rb"\9\777\xzz\q", b"9\xffxzzq"),
        (rb"ends with \\", b"ends with \\"),
        (b"odd \\", b"odd \\"),
    ],
)
def test_escapes(text: bytes, data: bytes) -> None:
    assert values.unescape(text) == data


@given(st.binary(max_size=100))
def test_any_text_can_be_unescaped(text: bytes) -> None:
    assert len(values.unescape(text)) <= len(text)


@pytest.mark.parametrize(
    ("text", "number", "label"),
    [
        (b"4, ", 4, b""),
        (b"4<TCP:[1.2.3.4:5->6.7.8.9:10]>, ", 4, b"TCP:[1.2.3.4:5->6.7.8.9:10]"),
        (b"1</dev/pts/0<char 136:0>>, ", 1, b"/dev/pts/0<char 136:0>"),
        (b'3<UNIX-STREAM:[12->34, "/run/x"]>', 3, b'UNIX-STREAM:[12->34, "/run/x"]'),
        (b"-1, ", -1, b""),
    ],
)
def test_descriptors(text: bytes, number: int, label: bytes) -> None:
    found = values.descriptor(text)
    assert found is not None
    assert (found.number, found.label) == (number, label)


def test_what_is_no_descriptor_is_none() -> None:
    assert values.descriptor(b"AT_FDCWD, ") is None
    assert values.descriptors(b"[3, 4<pipe:[5]>]") == [3, 4]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b"3, F_SETFD, FD_CLOEXEC", [b"3", b"F_SETFD", b"FD_CLOEXEC"]),
        (b'4, "a, (\\"b", {x=[1, 2], y="},"}, 5', [b"4", b'"a, (\\"b"', b'{x=[1, 2], y="},"}', b"5"]),
        (b'"not closed, ', [b'"not closed,']),
        (b"", [b""]),
        (b"))]], 1", [b"))]]", b"1"]),
    ],
)
def test_arguments(text: bytes, parts: list[bytes]) -> None:
    assert values.arguments(text) == parts


@pytest.mark.parametrize("end", [("10.0.0.7", 5900), ("2001:db8::7", 443), ("::1", 1)])
def test_addresses(end: tuple[str, int]) -> None:
    assert values.address(address(end).encode()) == values.packed(end[0].encode(), end[1])


@pytest.mark.parametrize(
    "text",
    [
        b'{sa_family=AF_UNIX, sun_path="/dev/log"}',
        b'{sa_family=AF_INET, sin_port=htons(99999), sin_addr=inet_addr("1.2.3.4")}',
        b'{sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr("1.2.3.400")}',
        b"NULL",
    ],
)
def test_what_is_no_address_of_the_internet_is_none(text: bytes) -> None:
    assert values.address(text) is None


def test_addresses_in_hexadecimal_and_of_older_versions() -> None:
    hexed = "".join(f"\\x{byte:02x}" for byte in b"10.0.0.7")
    text = f'{{sa_family=AF_INET, sin_port=htons(5900), sin_addr=inet_addr("{hexed}")}}'
    assert values.address(text.encode()) == bytes((10, 0, 0, 7, 23, 12))
    old = b'{sa_family=AF_INET6, sin6_port=htons(1), sin6_addr=inet_pton("::1"), sin6_flowinfo=0}'
    assert values.address(old) == bytes(15) + b"\1\0\1"


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        (b'[{iov_base="ab", iov_len=2}, {iov_base="c"..., iov_len=9}], 2', [Segment(b"ab", 2), Segment(b"c", 9)]),
        (b'[{"ab", 2}, {"}, 5", 4}], 2', [Segment(b"ab", 2), Segment(b"}, 5", 4)]),
        (b"[{iov_base=0x7ffd, iov_len=12}], 1", [Segment(b"", 12)]),
        (b'[{iov_base="not closed', []),
        (b"[{iov_base=NULL, iov_len=99999999999999999}]", [Segment(b"", values.MOST)]),
        (b"NULL, 0", []),
    ],
)
def test_vectors(text: bytes, segments: list[Segment]) -> None:
    assert values.vector(text) == segments


@given(st.binary(max_size=120))
def test_no_text_is_an_error(text: bytes) -> None:
    values.arguments(text)
    values.vector(text)
    values.address(text)
    values.descriptor(text)
    values.quoted(text, 0)
    values.ends(text)
    values.number(text)
