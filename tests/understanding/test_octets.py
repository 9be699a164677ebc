"""Alerts in bytes, as strace, dumps and people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.understanding.octets import Octets, in_line, in_text, of_bytes, unescape


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (r"\2*", Octets(42, "fatal")),
        (r"\1\0", Octets(0, "warning")),
        (r"\x02\x30", Octets(48, "fatal")),
        (r"\25\3\3\0\2\2*", Octets(42, "fatal")),
        (r'"\25\3\1\0\2\2("', Octets(40, "fatal")),
        ("02 2a", Octets(42, "fatal")),
        ("02:2a", Octets(42, "fatal")),
        ("15 03 03 00 02 02 74", Octets(116, "fatal")),
        ("15030300020230", Octets(48, "fatal")),
        ("15 03 03 00 1a 00 00 00", Octets(None, None, encrypted=True)),
        ("15 03 03 00 02", Octets(None, None)),
    ],
)
def test_a_text_that_is_bytes_is_read(text: str, told: Octets) -> None:
    assert in_text(text) == told


@pytest.mark.parametrize(
    "text", ["", "42", "2a", "022a", "03 2a", "16 03 01 00 05 01", r"\3*", "hello", r"C:\2\file", "ab cd ef"]
)
def test_other_texts_are_no_bytes_of_an_alert(text: str) -> None:
    assert in_text(text) is None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (r'read(3, "\25\3\3\0\2\2*", 7) = 7', 42),
        (r'[pid 7] recvfrom(3, "\x15\x03\x03\x00\x02\x02\x30", 16, 0, NULL, NULL) = 7', 48),
        (r'write(4, "\25\3\3\0\2\0020", 7) = 7', 48),
        ("0000 - 15 03 03 00 02 02 2a                       ......*", 42),
        ("<<< ??? [length 0007] 15 03 03 00 02 02 28", 40),
    ],
)
def test_a_record_inside_a_line_is_found(line: str, code: int) -> None:
    found = in_line(line, line.lower())
    assert found is not None
    assert found.code == code


def test_escapes_are_those_of_c() -> None:
    assert unescape(r"\25\3\3\0\2\2*") == b"\x15\x03\x03\x00\x02\x02*"
    assert unescape(r"\n\t\\\"\x0a\101A") == b'\n\t\\"\nAA'


@given(data=st.binary(max_size=12))
def test_any_bytes_are_an_alert_or_not(data: bytes) -> None:
    found = of_bytes(data)
    assert found is None or found.code is None or 0 <= found.code <= 255


@given(line=st.text(max_size=100))
def test_any_line_is_looked_through(line: str) -> None:
    in_line(line, line.lower())
    in_text(line)


@given(code=st.integers(0, 255), level=st.sampled_from([1, 2]))
def test_what_strace_prints_is_read_back(code: int, level: int) -> None:
    record = bytes([0x15, 3, 3, 0, 2, level, code])
    printed = "".join(f"\\{byte:03o}" for byte in record)
    assert in_text(printed) == Octets(code, "fatal" if level == 2 else "warning")
