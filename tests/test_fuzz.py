"""Any bytes can be read; and the hunt for those that can't finds them, keeps them, and finds them again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import fuzz
from tests.evidence import CAPTURES

#: How the formats that are recognised begin, so that random bytes get past the door.
BEGINNINGS = [
    (CAPTURES / "success.pcap").read_bytes()[:40],
    (CAPTURES / "nanoseconds.pcapng").read_bytes()[:80],
    b"\x1f\x8b\x08\x00",
    b"\x28\xb5\x2f\xfd",
    b"",
]


@settings(deadline=None, max_examples=300)
@given(beginning=st.sampled_from(BEGINNINGS), rest=st.binary(max_size=600))
def test_any_bytes_are_read_or_refused_in_words(beginning: bytes, rest: bytes) -> None:
    fuzz.fuzz_one_input(beginning + rest)


def test_cases_come_again_with_the_same_seed() -> None:
    sources = fuzz.seeds([CAPTURES / "success.pcap"])
    cases = [fuzz.case(sources, 7, number) for number in range(20)]
    assert cases == [fuzz.case(sources, 7, number) for number in range(20)]
    assert len({*cases}) > 15
    assert cases != [fuzz.case(sources, 8, number) for number in range(20)]


def test_what_is_compressed_is_broken_as_it_is_and_open() -> None:
    packed, opened = fuzz.seeds([CAPTURES / "no-shared-version.pcap.gz"])
    assert packed.startswith(b"\x1f\x8b")
    assert opened.startswith(b"\xd4\xc3\xb2\xa1")


def test_logs_and_captures_are_broken_where_nothing_is_named() -> None:
    assert {*fuzz.LOGS, (CAPTURES / "success.pcap").read_bytes()} <= {*fuzz.seeds([])}


def test_a_hunt_that_finds_nothing_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main(["--seconds", "0.3", "--seed", "5", "--keep", str(tmp_path)]) == 0
    assert "cases of seed 5: nothing found" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_what_breaks_the_reading_is_kept_and_breaks_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(reader: object) -> None:
        raise KeyError("as a bug would")

    monkeypatch.setattr(fuzz, "say_all", broken)
    assert fuzz.main(["--seconds", "60", "--seed", "5", "--keep", str(tmp_path), str(CAPTURES / "success.pcap")]) == 1
    (kept,) = tmp_path.iterdir()
    assert f"breaks the reading: {kept}" in capsys.readouterr().err
    with pytest.raises(KeyError):
        fuzz.main(["--replay", str(kept)])
    monkeypatch.undo()
    assert fuzz.main(["--replay", str(kept)]) == 0
