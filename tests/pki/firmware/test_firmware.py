"""Images as a whole: what lies where, layer by layer, and what strangers put there."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evidence import CASES, needs_cases
from tests.pki.firmware.images import TREE, cpio, cramfs, found_in, jffs2, romfs, uimage, under
from tests.pki.test_predict import SERVER, pem
from tlsalert.pki.containers import Blob, Budget, Limits
from tlsalert.pki.firmware import open_firmware
from tlsalert.pki.inventory import inventory


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("res/client.crt", TREE["/etc/stunnel/client.crt"])
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("a/b")
        member.size = 6
        archive.addfile(member, io.BytesIO(b"inside"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("image", "place"),
    [
        pytest.param(gzip.compress(cpio()), "gzip@0x800:cpio", id="gzip"),
        pytest.param(lzma.compress(cpio()), "xz@0x800:cpio", id="xz"),
        pytest.param(lzma.compress(cpio(), lzma.FORMAT_ALONE), "lzma@0x800:cpio", id="lzma"),
        pytest.param(bz2.compress(cpio()), "bzip2@0x800:cpio", id="bzip2"),
        pytest.param(zstandard.compress(cpio()), "zstd@0x800:cpio", id="zstd"),
        pytest.param(uimage(gzip.compress(cpio())), "uImage@0x800:gzip:cpio", id="uImage"),
        pytest.param(uimage(lzma.compress(gzip.compress(cpio()))), "uImage@0x800:xz:gzip:cpio", id="two layers"),
    ],
)
def test_streams_are_opened_layer_by_layer(image: bytes, place: str) -> None:
    assert found_in(bytes(0x800) + image + b"\xff" * 100) == (under(place), {})


@pytest.mark.parametrize(("image", "kind"), [(zipped(), "zip"), (tarred(), "tar")])
def test_archives_are_handed_on_whole(image: bytes, kind: str) -> None:
    files, damage = found_in(b"\xff" * 100 + image + b"\xff" * 100)
    assert damage == {}
    assert files[f"{kind}@0x64"].rstrip(b"\0") == image.rstrip(b"\0")


def test_a_zip_that_lost_its_end_is_handed_on_up_to_where_its_members_end() -> None:
    image = zipped()
    files, _ = found_in(bytes(70) + image[: image.index(b"PK\1\2")])
    assert files["zip@0x46"].startswith(b"PK\3\4")


def test_parts_that_follow_each_other_all_have_their_places() -> None:
    image = cramfs().ljust(0x20000, b"\xff") + romfs().ljust(0x20000, b"\0") + jffs2()
    expected = {**under("cramfs@0x0"), **under("romfs@0x20000"), **under("jffs2@0x40000")}
    assert found_in(image) == (expected, {})


def test_a_uimage_whose_checksums_are_wrong_is_told() -> None:
    image = bytearray(uimage(b"kernel" * 100))
    image[-1] ^= 1
    assert "the CRC of its data" in found_in(bytes(image))[1]["uImage@0x0"]
    image[20] ^= 1
    assert "the CRC of its header" in found_in(bytes(image))[1]["uImage@0x0"]


def test_a_multi_uimage_tells_each_of_its_parts() -> None:
    parts = gzip.compress(cpio()), b"a device tree"
    sizes = b"".join(len(part).to_bytes(4, "big") for part in parts) + bytes(4)
    payload = sizes + parts[0] + bytes(-len(parts[0]) % 4) + parts[1]
    files, damage = found_in(uimage(payload, kind=4))
    assert files == {**under("uImage@0x0:part0:gzip:cpio"), "uImage@0x0:part1": b"a device tree"}
    assert damage == {}


@pytest.mark.parametrize(
    "first", [gzip.compress(b"kernel" * 99), zipped(), tarred(), cpio()], ids=["gzip", "zip", "tar", "cpio"]
)
def test_what_follows_an_archive_at_the_start_is_found_at_its_place(tmp_path: Path, first: bytes) -> None:
    image = tmp_path / "image.bin"
    image.write_bytes(first.ljust(0x20000, b"\xff") + cramfs({"/etc/a.pem": pem(SERVER)}))
    (one,) = inventory([str(image)]).found
    assert one.where == f"{image}!cramfs@0x20000:/etc/a.pem"


def test_random_bytes_hold_nothing() -> None:
    chance = b"".join(zlib.crc32(bytes((i & 255, i >> 8))).to_bytes(4, "big") for i in range(60_000))
    assert found_in(chance) == ({}, {})


def test_a_bomb_ends_with_a_sentence() -> None:
    limits = Limits(ratio_from=1 << 20, ratio=50)
    files, damage = found_in(bytes(100) + gzip.compress(bytes(64 << 20)), limits)
    assert "as a bomb does" in damage["gzip@0x64"]
    assert sum(map(len, files.values())) < 4 << 20


def test_a_stream_whose_checksum_is_wrong_is_read_and_told() -> None:
    packed = bytearray(gzip.compress(cpio()))
    packed[-5] ^= 1
    files, damage = found_in(bytes(100) + bytes(packed))
    assert "broken" in damage["gzip@0x64"]
    assert files["gzip@0x64:cpio:/etc/motd"] == TREE["/etc/motd"]


def test_a_folder_that_lies_in_itself_is_read_once() -> None:
    image = bytearray(cramfs({"/a/b/c": b"x"}))
    root = int.from_bytes(image[72:76], "little") >> 6 << 2
    folder = bytes(image[root + 8 : root + 12])
    inner = (int.from_bytes(folder, "little") >> 6) << 2
    image[inner + 8 : inner + 12] = folder  # /a/b is /a
    damage = found_in(bytes(image))[1]
    assert damage["cramfs@0x0:/a/b"] == "a folder that lies in itself: not read again"


def test_a_file_of_absurd_size_is_refused() -> None:
    limits = Limits(member_bytes=1000)
    _, damage = found_in(jffs2({"/big": b"x" * 5000, "/small": b"y"}), limits)
    assert "not read" in damage["jffs2@0x0:/big"]


SMALL = {"/etc/a": b"some text " * 600, "/b": b"b"}
IMAGES = [
    cramfs(SMALL),
    cramfs(SMALL, "big"),
    jffs2(SMALL),
    romfs(SMALL),
    cpio(SMALL),
    uimage(gzip.compress(cpio(SMALL))),
]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_change_of_an_image_raises(data: st.DataObject) -> None:
    image = bytearray(data.draw(st.sampled_from(IMAGES)))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(image) - 1) | st.integers(0, 100))
        image[at : at + 4] = data.draw(st.binary(max_size=5) | st.sampled_from([b"\xff" * 4, bytes(4), b"\0\0\0\x80"]))
    found_in(
        b"\xff" * 64 + bytes(image[: data.draw(st.integers(64, 1 << 20))]),
        Limits(total_bytes=32 << 20, member_bytes=8 << 20),
    )


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=600))
def test_no_bytes_raise(noise: bytes) -> None:
    for magic in (
        b"hsqs",
        b"UBI#\1\0\0\0",
        b"\x53\xef\1\0\1\0",
        b"\xeb<\x90",
        b"\xd0\x0d\xfe\xed",
        b"\x02\x21\x4c\x18",
    ):
        found_in(b"\xff" * 64 + magic + noise + b"FAT12   " + noise)


@needs_cases
def test_the_cases_are_found_where_they_lie() -> None:
    import json

    wanted = {"cramfs-be", "initramfs", "cramfs", "tampered"}
    for name in wanted:
        folder = CASES / f"firmware-{name}"
        evidence = json.loads((folder / "expected.json").read_text())["evidence"][0]
        with zipfile.ZipFile(folder / evidence["file"]) as archive:
            image = archive.read(archive.namelist()[0])
        files, _ = found_in(image)
        for one in evidence["found"]:
            assert one["where"].split("!")[0] in files


def test_the_import_needs_nothing_but_the_core() -> None:
    code = "import sys, tlsalert.pki.firmware; print([m for m in sys.modules if m.startswith('dissect')])"
    import sys

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_what_the_budget_refuses_in_all_is_raised() -> None:
    from tlsalert.pki.containers import RefusedError

    with pytest.raises(RefusedError, match="members"):
        list(open_firmware(Blob("F", cpio()), Budget(Limits(members=2))))
