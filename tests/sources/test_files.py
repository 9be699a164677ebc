"""Bytes of evidence, plain or compressed, whole or cut: all that can be read is read, and what is broken is said."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlsalert.errors import CaptureError
from tlsalert.sources.files import CHUNK, HEAD, ByteSource

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}
#: More than two blocks of the format with the largest ones (bzip2: 900,000 bytes), and nothing that packs well.
LONG = random.Random(5).randbytes(2_000_000)


def given_as(path: Path, data: bytes) -> ByteSource:
    path.write_bytes(data)
    return ByteSource(path)


def read_all(source: ByteSource) -> bytes:
    with source:
        return b"".join(source.chunks())


@pytest.mark.parametrize("size", [0, 1, 7, 8, HEAD - 1, HEAD, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_plain_file_is_read_as_it_is(tmp_path: Path, size: int) -> None:
    source = given_as(tmp_path / "file", LONG[:size])
    assert (source.size, source.pipe, source.name) == (size, False, str(tmp_path / "file"))
    assert source.head == LONG[: len(source.head)]
    assert len(source.head) >= min(HEAD, size)
    assert read_all(source) == LONG[:size]
    assert source.damage is None


@pytest.mark.parametrize("form", [None, *COMPRESSORS])
def test_how_far_it_is_counts_in_the_bytes_of_the_file(tmp_path: Path, form: str | None) -> None:
    source = given_as(tmp_path / "file", COMPRESSORS[form](LONG) if form else LONG)
    steps = [source.advanced() for _ in source.chunks()]
    assert min(steps) >= 0
    assert max(steps) <= (source.size or 0) // 2  # not all at once
    assert sum(steps) + source.advanced() == source.size
    source.close()
    assert source.advanced() == 0


def test_nobody_knows_how_far_a_pipe_is(tmp_path: Path) -> None:
    with ByteSource("a name", io.BytesIO(LONG)) as source:
        assert (source.size, source.advanced()) == (None, 0)


@pytest.mark.parametrize("form", COMPRESSORS)
@pytest.mark.parametrize("size", [0, 5, HEAD, 2_000_000])
def test_a_compressed_file_is_known_by_its_content_and_unpacked(tmp_path: Path, form: str, size: int) -> None:
    source = given_as(tmp_path / "no-ending", COMPRESSORS[form](LONG[:size]))
    assert source.size == (tmp_path / "no-ending").stat().st_size  # what it will be unpacked nobody knows
    assert len(source.head) >= min(HEAD, size)
    assert read_all(source) == LONG[:size]
    assert source.damage is None


@pytest.mark.parametrize("form", COMPRESSORS)
def test_several_compressed_pieces_in_a_row_are_one_file(tmp_path: Path, form: str) -> None:
    """What `cat a.gz b.gz` makes: RFC 1952 §2.2, RFC 8878 §3.1, and the other two formats alike."""
    compress = COMPRESSORS[form]
    source = given_as(tmp_path / "joined", compress(LONG[:1000]) + compress(LONG[1000:2000]))
    assert read_all(source) == LONG[:2000]


@pytest.mark.parametrize("form", COMPRESSORS)
def test_no_chunk_is_large_however_well_it_packs(tmp_path: Path, form: str) -> None:
    source = given_as(tmp_path / "bomb", COMPRESSORS[form](bytes(30_000_000)))
    with source:
        sizes = [len(chunk) for chunk in source.chunks()]
    assert sum(sizes) == 30_000_000
    assert max(sizes) <= 2 * CHUNK


@pytest.mark.parametrize("form", COMPRESSORS)
def test_of_a_file_cut_short_all_that_can_be_unpacked_is_read(tmp_path: Path, form: str) -> None:
    packed = COMPRESSORS[form](LONG)
    found = read_all(given_as(tmp_path / "cut", packed[: len(packed) * 6 // 10]))
    assert LONG.startswith(found)
    assert len(found) > 0.4 * len(LONG)


@pytest.mark.parametrize("form", ["gzip", "xz", "bzip2"])
def test_a_cut_is_told(tmp_path: Path, form: str) -> None:
    packed = COMPRESSORS[form](LONG)
    source = given_as(tmp_path / "cut", packed[:-1000])
    read_all(source)
    assert source.damage is not None
    assert "damaged or cut short" in source.damage


@pytest.mark.parametrize("form", COMPRESSORS)
def test_a_file_cut_before_anything_can_be_unpacked_is_damaged_not_empty(tmp_path: Path, form: str) -> None:
    source = given_as(tmp_path / "cut", COMPRESSORS[form](LONG[:5000])[:10])
    assert read_all(source) == b""
    assert source.damage is not None


@pytest.mark.parametrize(
    "begin", [b"\x1f\x8b", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00", b"BZh", b"BZh9"], ids=bytes.hex
)
def test_what_only_begins_like_a_compressed_file_is_damage(tmp_path: Path, begin: bytes) -> None:
    source = given_as(tmp_path / "garbage", begin + b"garbage, no more" * 9)
    assert read_all(source) == b""
    assert source.damage is not None
    assert "damaged" in source.damage


def test_a_byte_that_changed_is_told_and_what_came_before_it_is_kept(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(LONG))
    packed[-6] ^= 1  # the checksum, RFC 1952 §2.3.1
    source = given_as(tmp_path / "changed", bytes(packed))
    assert read_all(source) == LONG
    assert source.damage is not None


def test_what_follows_a_compressed_file_does_not_spoil_it(tmp_path: Path) -> None:
    source = given_as(tmp_path / "tail", gzip.compress(LONG[:5000]) + b"something else")
    assert read_all(source) == LONG[:5000]
    assert source.damage is not None


@given(st.sampled_from([*COMPRESSORS]), st.integers(0, 400), st.binary(max_size=8), st.integers(0, 400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_damage_is_an_error_of_its_own(tmp_path: Path, form: str, place: int, put: bytes, size: int) -> None:
    packed = COMPRESSORS[form](LONG[:200])
    source = given_as(tmp_path / "any", packed[:place] + put + packed[place + len(put) : place + size])
    assert isinstance(read_all(source), bytes)


# --- what cannot be opened ------------------------------------------------------------------------------------------


def test_a_missing_file_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(CaptureError) as raised:
        ByteSource(tmp_path / "none.pcap")
    assert str(raised.value) == f"{tmp_path / 'none.pcap'}: there is no such file"


def test_a_directory_is_told_with_a_mend(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="that is a directory; name the files in it"):
        ByteSource(tmp_path)


def test_a_link_to_itself_is_told(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(CaptureError, match="symbolic links"):
        ByteSource(tmp_path / "loop")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no /proc")
def test_a_file_that_fails_while_it_is_read_is_told() -> None:
    with pytest.raises(CaptureError, match="/proc/self/mem: Input/output error"):
        ByteSource("/proc/self/mem")  # its first bytes are nobody's


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "secret.pcap"
    path.touch(mode=0)
    with pytest.raises(CaptureError, match="Permission denied"):
        ByteSource(path)


def test_a_file_that_is_not_read_to_its_end_is_closed(tmp_path: Path) -> None:
    with given_as(tmp_path / "file", LONG) as source:
        assert next(source.chunks()) == source.head  # an open file would be an error here: warnings are


# --- standard input -------------------------------------------------------------------------------------------------


class Pipe:
    """A pipe whose reading end is standard input."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reading, self._writing = os.pipe()
        self.stdin = io.TextIOWrapper(os.fdopen(reading, "rb"))
        monkeypatch.setattr(sys, "stdin", self.stdin)

    def write(self, data: bytes) -> None:
        os.write(self._writing, data)

    def close(self) -> None:
        os.close(self._writing)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    made = Pipe(monkeypatch)
    yield made
    made.stdin.close()


def test_a_dash_is_standard_input(pipe: Pipe) -> None:
    pipe.write(b"some bytes")
    pipe.close()
    source = ByteSource("-")
    assert (source.name, source.pipe, source.size, source.head) == ("-", True, None, b"some bytes")
    assert read_all(source) == b"some bytes"
    assert not pipe.stdin.closed  # it belongs to whoever opened it


def test_what_is_in_a_pipe_is_given_before_the_pipe_ends(pipe: Pipe) -> None:
    pipe.write(LONG[:HEAD])
    source = ByteSource("-")
    with source:
        chunks = source.chunks()
        assert next(chunks) == LONG[:HEAD]
        pipe.write(b"and more")
        assert next(chunks) == b"and more"
        pipe.close()
        assert list(chunks) == []


def test_a_pipe_that_gives_a_byte_at_a_time_is_read(pipe: Pipe) -> None:
    packed = gzip.compress(LONG[:300])

    def trickle() -> None:
        for byte in packed:
            pipe.write(bytes([byte]))
        pipe.close()

    writer = threading.Thread(target=trickle)
    writer.start()
    assert read_all(ByteSource("-")) == LONG[:300]
    writer.join()


def test_an_empty_pipe_is_empty(pipe: Pipe) -> None:
    pipe.close()
    assert ByteSource("-").head == b""


def test_a_closed_standard_input_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CaptureError, match="standard input is closed"):
        ByteSource("-")


def test_bytes_in_memory_are_read_like_a_file() -> None:
    with ByteSource("a name", io.BytesIO(b"x" * 100_000)) as source:
        assert (source.name, source.size, source.pipe) == ("a name", None, False)
        assert b"".join(source.chunks()) == b"x" * 100_000
