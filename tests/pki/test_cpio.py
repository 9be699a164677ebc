"""cpio archives, entry by entry: several names of one file, sums, and where reading ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pki.firmware.images import cpio
from tlsalert.pki.cpio import Member, Stopped, begins, end, members

TEXT = {"/etc/motd": b"hello", "/a": bytes(range(256))}


def entry(name: str, data: bytes, inode: int = 1, links: int = 1) -> bytes:
    """Write one entry of a regular file, "newc" (cpio(5)), with zeros up to a multiple of four."""
    numbers = (inode, 0o100644, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % number for number in numbers) + name.encode() + b"\0"
    head += bytes(-len(head) % 4)
    return head + data + bytes(-len(data) % 4)


def files(data: bytes) -> dict[str, bytes]:
    return {one.name: one.read(data)[0] for one in members(data) if isinstance(one, Member) and one.is_file}


@pytest.mark.parametrize("checked", [False, True])
def test_what_was_packed_is_there(checked: bool) -> None:
    assert {f"/{name.lstrip('./')}": data for name, data in files(cpio(TEXT, checked)).items()} == TEXT


def test_each_name_of_a_file_has_its_bytes() -> None:
    """The bytes stand with the last name only (Linux, buffer-format.rst)."""
    data = entry("first", b"", 7, 2) + entry("other", b"", 8, 1) + entry("last", b"bytes", 7, 2)
    assert files(data) == {"first": b"bytes", "last": b"bytes", "other": b""}


def test_archives_follow_each_other_with_zeros_between() -> None:
    both = cpio({"/a": b"1"}) + bytes(512) + cpio({"/b": b"2"})
    assert sorted(name[-1] for name in files(both)) == ["a", "b"]
    assert end(both, 0) == len(both)


def test_what_follows_the_last_archive_is_pointed_at() -> None:
    data = cpio(TEXT)
    assert list(members(data + b"kernel"))[-1] == Stopped(len(data), None)
    assert end(data + b"kernel", 0) == len(data)


def test_a_file_that_is_cut_is_read_as_far_as_it_goes() -> None:
    data = entry("a", b"0123456789")[:-6]
    (one,) = (one for one in members(data) if isinstance(one, Member))
    assert one.read(data) == (b"012345", "10 bytes by its header, 6 of them are there")


def test_a_wrong_sum_is_told() -> None:
    data = cpio({"/a": b"hello"}, checked=True).replace(b"hello", b"hallo")
    assert [one.read(data)[1] for one in members(data) if isinstance(one, Member) and one.size] == [
        "its checksum is wrong"
    ]


@given(st.binary(max_size=300), st.sampled_from([b"", b"070701", b"070702", b"070707", b"\xc7\x71", b"\x71\xc7"]))
def test_any_bytes_end(noise: bytes, magic: bytes) -> None:
    data = magic + noise
    assert len(list(members(data))) <= len(data) + 1
    assert 0 <= end(data, 0) <= len(data)
    assert not begins(data) or isinstance(next(members(data)), Member)
