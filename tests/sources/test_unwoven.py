"""Lines of stderr in the middle of those of stdout are taken out, and nothing is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tlsalert.sources.unwoven import PATIENCE, Unwoven

STDERR = [b"depth=0 CN = bmc", b"verify error:num=18:self signed certificate", b"verify return:1"]


def lines(text: bytes) -> list[tuple[bytes, int]]:
    unwoven = Unwoven()
    found = [one for number, line in enumerate(text.split(b"\n"), 1) for one in unwoven.feed(line, number)]
    return found + list(unwoven.finish())


def test_a_line_in_two_pieces_is_one_again_and_has_the_first_ones_number() -> None:
    text = b"0000 - 16 0" + b"\n".join(STDERR) + b"\n3 01 00\n0010 - 00"
    assert lines(text) == [*zip(STDERR, (1, 2, 3), strict=True), (b"0000 - 16 03 01 00", 1), (b"0010 - 00", 5)]


@given(cut=st.integers(0, 80))
def test_wherever_stdout_was_interrupted(cut: int) -> None:
    stdout = b"---\n0000 - 16 03 03 00 39   ....9\nread from 0x1 [0x2] (5 bytes => 5 (0x5))\nlast line\n"
    woven = stdout[:cut] + b"\n".join(STDERR) + b"\n" + stdout[cut:]
    assert [line for line, _ in lines(woven) if line not in STDERR and line] == stdout.split(b"\n")[:-1]


def test_short_words_of_stderr_wait_for_nothing() -> None:
    assert [line for line, _ in lines(b"00verify return:1\nERROR\n11")] == [b"verify return:1", b"ERROR", b"0011"]


def test_what_never_ends_is_not_waited_for() -> None:
    text = b"\n".join([b"0000verify return:1", *[b"verify return:1"] * PATIENCE])
    assert (b"0000", 1) in lines(text)


def test_a_digit_that_is_glued_to_the_number_of_a_thread_belongs_to_stdout() -> None:
    error = b"140714381317952:error:14094412:SSL routines:f:r:s.c:1:SSL alert number 42"
    assert lines(b"04" + error + b"\ne0 - 89") == [(error, 1), (b"04e0 - 89", 1)]
    error = b"4046AA7F0000AB12:error:0A000412:SSL routines:f:r:s.c:1:SSL alert number 42"
    assert lines(b"04e0 - 8" + error + b"\n9 ce") == [(error, 1), (b"04e0 - 89 ce", 1)]
