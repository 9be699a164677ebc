"""Lines come out the same however their bytes were sliced."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tlsalert.sources.lines import Lines


def cut(*chunks: bytes, longest: int = 100) -> tuple[list[bytes], list[str]]:
    lines = Lines(longest)
    out = [line for chunk in chunks for line in lines.feed(chunk)]
    out += lines.finish()
    assert lines.count == len(out)
    return out, lines.notes()


def test_both_ends_of_lines_are_known_and_the_last_needs_none() -> None:
    assert cut(b"one\r\ntwo\n\nfour") == ([b"one", b"two", b"", b"four"], [])


def test_nothing_has_no_lines() -> None:
    assert cut(b"") == ([], [])


def test_a_line_that_is_too_long_is_cut_and_told_once() -> None:
    lines, notes = cut(b"a" * 70, b"a" * 70, b"a\nnext\n")
    assert lines == [b"a" * 100, b"next"]
    assert notes == ["1 lines were longer than 100 bytes and cut there"]


@given(st.lists(st.binary(max_size=30)))
def test_slicing_changes_nothing(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    expected = [line[:-1] if line.endswith(b"\r") else line for line in whole.split(b"\n")]
    if not whole.endswith(b"\n") and whole:
        assert cut(*chunks, longest=10_000)[0] == expected
    else:
        assert cut(*chunks, longest=10_000)[0] == expected[:-1]
