"""The readers of file systems against images of the tools that make them, and of our own makers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pki.firmware.images import TREE, cpio, cramfs, found_in, jffs2, romfs, run, tree_in, under

#: Nothing begins at 0, and bytes follow.
BEFORE, AFTER = b"\xff" * 0x1000, b"\xa5" * 5000


def read(image: bytes) -> tuple[dict[str, bytes], dict[str, str]]:
    return found_in(BEFORE + image + AFTER)


@pytest.mark.parametrize(
    ("kind", "image"),
    [
        pytest.param("cramfs", cramfs(), id="cramfs, little-endian"),
        pytest.param("cramfs", cramfs(order="big"), id="cramfs, big-endian"),
        pytest.param("jffs2", jffs2(), id="JFFS2, little-endian"),
        pytest.param("jffs2", jffs2(order="big"), id="JFFS2, big-endian"),
        pytest.param("romfs", romfs(), id="romfs"),
        pytest.param("cpio", cpio(), id="cpio newc"),
        pytest.param("cpio", cpio(checked=True), id="cpio crc"),
    ],
)
def test_files_are_found_at_their_places(kind: str, image: bytes) -> None:
    assert read(image) == (under(f"{kind}@0x1000"), {})


@pytest.mark.parametrize("packer", ["gzip", "lzma", "lzo", "xz", "lz4", "zstd"])
def test_squashfs_of_every_compressor(tmp_path: Path, packer: str) -> None:
    image = tmp_path / "image"
    run("mksquashfs", tree_in(tmp_path / "tree"), image, "-comp", packer, "-noappend", "-quiet")
    assert read(image.read_bytes()) == (under("squashfs@0x1000"), {})


def test_squashfs_before_version_4_is_told() -> None:
    old = bytearray(96)
    old[:4], old[28:32], old[63:71] = b"hsqs", (3).to_bytes(2, "little") + bytes(2), (96).to_bytes(8, "little")
    assert "SquashFS 3.0" in read(bytes(old))[1]["squashfs@0x1000"]


@pytest.mark.parametrize(
    "options", [("-X", "zlib"), ("-m", "none"), ("-x", "zlib"), ("-x", "zlib", "-x", "lzo"), ("-b",)]
)
def test_jffs2_of_every_compressor(tmp_path: Path, options: tuple[str, ...]) -> None:
    image = tmp_path / "image"
    run("mkfs.jffs2", "-r", tree_in(tmp_path / "tree"), "-o", image, "-e", "64", *options)
    assert read(image.read_bytes()) == (under("jffs2@0x1000"), {})


@pytest.mark.parametrize("packer", ["lzo", "zlib", "zstd", "none"])
def test_ubifs_in_ubi(tmp_path: Path, packer: str) -> None:
    image, volume, settings = tmp_path / "image", tmp_path / "volume", tmp_path / "settings"
    sizes = "-m", "512", "-e", "15360", "-c", "60"
    run("mkfs.ubifs", "-r", tree_in(tmp_path / "tree"), *sizes, "-x", packer, "-o", volume)
    settings.write_text(f"[a]\nmode=ubi\nimage={volume}\nvol_id=0\nvol_type=dynamic\nvol_name=rootfs\n")
    run("ubinize", "-o", image, "-m", "512", "-p", "16KiB", settings)
    assert read(image.read_bytes()) == (under("ubi@0x1000:rootfs"), {})


def test_a_volume_of_ubi_that_is_no_ubifs_is_one_file(tmp_path: Path) -> None:
    image, volume, settings = tmp_path / "image", tmp_path / "volume", tmp_path / "settings"
    volume.write_bytes(cramfs())
    settings.write_text(f"[a]\nmode=ubi\nimage={volume}\nvol_id=3\nvol_type=static\nvol_name=app\n")
    run("ubinize", "-o", image, "-m", "512", "-p", "16KiB", settings)
    files, damage = read(image.read_bytes())
    assert damage == {}
    assert files["ubi@0x1000:app"].startswith(cramfs())


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4"])
@pytest.mark.parametrize("block", ["1024", "4096"])
def test_ext(tmp_path: Path, kind: str, block: str) -> None:
    image = tmp_path / "image"
    image.write_bytes(bytes(8 << 20))
    run(f"mkfs.{kind}", "-q", "-b", block, "-d", tree_in(tmp_path / "tree"), image)
    assert found_in(BEFORE + image.read_bytes()) == (under(f"{kind}@0x1000"), {})


def test_ext4_with_bytes_in_the_inodes(tmp_path: Path) -> None:
    files = {"/a/small": b"sixty bytes fit, and a few more do in an attribute of it: " * 2, "/b": b"x"}
    image = tmp_path / "image"
    image.write_bytes(bytes(4 << 20))
    run("mkfs.ext4", "-q", "-O", "inline_data,64bit", "-I", "256", "-d", tree_in(tmp_path / "tree", files), image)
    assert found_in(image.read_bytes()) == (under("ext4@0x0", files), {})


@pytest.mark.parametrize(("bits", "size"), [("12", 1), ("16", 20), ("32", 40)])
def test_fat(tmp_path: Path, bits: str, size: int) -> None:
    image, tree = tmp_path / "image", tree_in(tmp_path / "tree")
    image.write_bytes(bytes(size << 20))
    run("mkfs.vfat", "-F", bits, *(("-s", "1") if bits == "32" else ()), image)
    run("mcopy", "-s", "-i", image, tree / "etc", tree / "lib", "::")
    assert found_in(BEFORE + image.read_bytes()) == (under("fat@0x1000"), {})


def test_cramfs_that_was_changed_is_told_and_the_rest_is_read() -> None:
    image = bytearray(cramfs())
    at = image.index(b"\x78\x9c", 600)
    image[at + 4 : at + 12] = b"tampered"
    files, damage = read(bytes(image))
    assert "its CRC is" in damage.pop("cramfs@0x1000")
    ((broken, says),) = damage.items()
    assert "can't be read: Error -3" in says
    rest = {path: data for path, data in under("cramfs@0x1000").items() if path != broken}
    assert {path: data for path, data in files.items() if path != broken} == rest


@pytest.mark.parametrize("order", ["little", "big"])
def test_jffs2_counts_the_newest_version_and_tells_a_wrong_crc(order: str) -> None:
    old = jffs2({"/a": b"old" * 2000}, order)  # type: ignore[arg-type]
    broken = bytearray(old)
    broken[-8] ^= 1
    assert found_in(bytes(broken))[1]["jffs2@0x0:/a"].endswith("its CRC is wrong")


@pytest.mark.parametrize(("kind", "image"), [("jffs2", jffs2()), ("romfs", romfs())])
def test_what_is_cut_is_told_and_what_is_there_is_read(kind: str, image: bytes) -> None:
    files, damage = found_in(BEFORE + image[: len(image) * 2 // 3])
    assert "it is cut" in damage[f"{kind}@0x1000"]
    whole = under(f"{kind}@0x1000")
    assert any(data == whole[path] for path, data in files.items())


def test_cramfs_that_is_cut_is_told_file_by_file(tmp_path: Path) -> None:
    image = tmp_path / "image"
    run("mkfs.cramfs", tree_in(tmp_path / "tree"), image)  # it writes the folders first
    files, damage = found_in(image.read_bytes()[:8192])
    assert "it is cut" in damage["cramfs@0x0"]
    assert files["cramfs@0x0:/etc/motd"] == TREE["/etc/motd"]
    assert "can't be read" in damage["cramfs@0x0:/lib/random.bin"]


def test_two_partitions_of_jffs2_are_told_apart() -> None:
    first, second = {"/a": b"one" * 50}, {"/a": b"other" * 50}
    files, _ = found_in(jffs2(first).ljust(0x10000, b"\xff") + jffs2(second))
    assert files == {**under("jffs2@0x0", first), **under("jffs2@0x10000", second)}


def test_the_tree_is_large_enough_to_have_blocks_and_ends_of_blocks() -> None:
    assert any(len(data) > 4096 and len(data) % 4096 for data in TREE.values())
