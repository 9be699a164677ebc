"""Archives are read in place: names, damage, and what hostile ones try."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pki.stores import leaf, look, look_at_all, run
from tlsalert.pki.containers import Blob, Budget, Damage, Limits, RefusedError, opener_for
from tlsalert.pki.found import Found

NAME = "CN=leaf,O=Board"


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(members: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o640
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def newc(members: dict[str, bytes]) -> bytes:
    made = b""
    for number, (name, data) in enumerate({**members, "TRAILER!!!": b""}.items()):
        mode = 0o100644 if data else 0
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        made += b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        made += bytes(-len(made) % 4) + data
        made += bytes(-len(made) % 4)
    return made


def ar(members: dict[str, bytes]) -> bytes:
    made = b"!<arch>\n"
    for name, data in members.items():
        head = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode()
        made += head + data + b"\n" * (len(data) % 2)
    return made


MAKERS = {"zip": zipped, "tar": tarred, "cpio": newc, "ar": ar}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_member_is_told_by_its_path_from_the_archives_root(kind: str) -> None:
    name = "client.crt" if kind == "ar" else "res/client.crt"
    data = MAKERS[kind]({"empty": b"", name: leaf().pem, "other": b"a text\n"})
    assert [(one.where, one.subject) for one in look(data)] == [(f"FILE!/{name}", NAME)]
    opener = opener_for(data)
    assert opener is not None
    assert opener.name == kind


@pytest.mark.parametrize("kind", MAKERS)
def test_archives_in_archives_are_opened_up_to_a_depth(kind: str) -> None:
    data = leaf().pem
    for _ in range(6):
        data = MAKERS[kind]({"in": data})
    assert look(data)[0].where == "FILE" + "!/in" * 6
    for _ in range(6):
        data = MAKERS[kind]({"in": data})
    (damage,) = look_at_all(data)
    assert isinstance(damage, Damage)
    assert "nested more than 8 deep" in damage.says


@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_cut_off_gives_what_comes_before_and_says_so(kind: str) -> None:
    data = MAKERS[kind]({"a": leaf().pem, "b": leaf().pem})
    where = data.rindex(b"b", 0, len(data) - 200) if kind == "zip" else len(data) * 6 // 10
    if kind == "tar":
        where = 512 + 2048 + 600
    things = look_at_all(data[:where])
    assert any(isinstance(one, Found) and one.where == "FILE!/a" for one in things)
    assert any(isinstance(one, Damage) for one in things)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\x", "a\nb\x1b[31m", "x" * 3000, "a!b"])
@pytest.mark.parametrize("kind", ["zip", "tar", "cpio"])
def test_a_members_name_is_told_and_leads_nowhere(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (one,) = look(MAKERS[kind]({name: leaf().pem}))
    assert one.where.startswith("FILE!/")
    assert list(tmp_path.iterdir()) == []


def test_links_in_a_tar_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.pem").write_bytes(leaf().pem)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo("link")
            info.type, info.linkname = kind, str(tmp_path / "secret.pem")
            archive.addfile(info)
    assert look(out.getvalue()) == []


class TestBombs:
    """What would fill memory or time is refused with a sentence."""

    def test_a_member_that_unpacks_to_too_much(self) -> None:
        (damage,) = self.inside(zipped({"bomb": bytes(4 << 20)}), Limits(member_bytes=1 << 20))
        assert isinstance(damage, Damage)
        assert damage == Damage("FILE!/bomb", "4 MiB unpacked, more than 1 MiB: not read")

    def test_a_ratio_that_no_honest_member_has(self) -> None:
        limits = Limits(ratio=100, ratio_from=1 << 20)
        (damage,) = self.inside(zipped({"bomb": bytes(4 << 20)}), limits)
        assert isinstance(damage, Damage)
        assert "more than 100 times its size" in damage.says

    def test_members_that_are_small_but_too_much_together(self) -> None:
        data = zipped({f"{number}": bytes(1 << 20) for number in range(8)})
        with pytest.raises(RefusedError, match="in all"):
            self.inside(data, Limits(total_bytes=3 << 20))

    def test_more_members_than_anybody_has(self) -> None:
        with pytest.raises(RefusedError, match="more than 10 members"):
            self.inside(zipped({f"{number}": b"x" for number in range(12)}), Limits(members=10))

    def test_a_header_that_lies_about_its_size(self) -> None:
        data = bytearray(zipped({"bomb": bytes(4 << 20)}))
        at = data.index(b"PK\1\2")
        data[at + 24 : at + 28] = struct.pack("<I", 100)
        things = self.inside(bytes(data), Limits(member_bytes=1 << 20))
        assert all(not isinstance(one, Blob) or len(one.data) <= 1 << 20 for one in things)

    def test_members_that_lie_in_each_other(self) -> None:
        data = bytearray(zipped({"a": bytes(100_000), "b": b"second"}))
        second = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
        data[second + 42 : second + 46] = struct.pack("<I", 2)  # it begins inside of the first one
        things = self.inside(bytes(data), Limits())
        assert Damage("FILE!/b", "it lies inside another member, as in a bomb: not read") in things

    def test_an_archive_in_itself_ends_at_the_depth(self) -> None:
        data = zipped({"a": b""})
        for _ in range(30):
            data = zipped({"a": data, "b": data[:0]})
        assert any(isinstance(one, Damage) and "nested" in one.says for one in look_at_all(data))

    def test_a_tar_that_claims_more_than_it_has(self) -> None:
        info = tarfile.TarInfo("huge")
        info.size = 1 << 40
        things = look_at_all(info.tobuf(tarfile.GNU_FORMAT) + leaf().pem)
        assert any(isinstance(one, Damage) for one in things)

    def test_a_pax_header_that_claims_more_than_it_has(self) -> None:
        info = tarfile.TarInfo("huge")
        info.type, info.size = tarfile.XHDTYPE, 1 << 33
        assert all(isinstance(one, Damage) for one in look_at_all(info.tobuf(tarfile.GNU_FORMAT) + b"9" * 4000))

    @staticmethod
    def inside(data: bytes, limits: Limits) -> list[object]:
        opener = opener_for(data)
        assert opener is not None
        return list(opener.open(Blob("FILE", data), Budget(limits)))


def test_a_member_without_a_name_is_read() -> None:
    data, sum_of = leaf().pem, zlib.crc32(leaf().pem)
    common = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0, sum_of, len(data), len(data), 0, 0)
    local = b"PK\3\4" + common
    listed = b"PK\1\2\x14\0" + common + bytes(14)
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(listed), len(local) + len(data), 0)
    assert [one.where for one in look(local + data + listed + end)] == ["FILE!/"]


def test_an_encrypted_member_is_told() -> None:
    data = bytearray(zipped({"a.crt": leaf().pem}))
    for sign, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(sign) + place] |= 1
    assert look_at_all(bytes(data)) == [Damage("FILE!/a.crt", "the member is encrypted: not read")]


def test_a_zip_behind_a_program_is_none_of_the_programs_business() -> None:
    assert look_at_all(b"MZ" + bytes(60) + zipped({"a.crt": leaf().pem}, zipfile.ZIP_STORED))


def test_what_the_jar_tool_makes_is_read(tmp_path: Path) -> None:
    (tmp_path / "res").mkdir()
    (tmp_path / "res" / "client.crt").write_bytes(leaf().pem)
    run("jar", "cf", "console.jar", "res", folder=tmp_path)
    assert [one.where for one in look((tmp_path / "console.jar").read_bytes())] == ["FILE!/res/client.crt"]


@pytest.mark.parametrize("form", ["newc", "crc", "odc", "bin"])
def test_what_cpio_makes_is_read(form: str, tmp_path: Path) -> None:
    (tmp_path / "a.crt").write_bytes(leaf().pem)
    data = run("cpio", "-o", "-H", form, folder=tmp_path, stdin=b"a.crt\n")
    assert [one.where for one in look(data)] == ["FILE!/a.crt"]


@pytest.mark.parametrize("form", ["gnu", "ustar", "pax", "v7", "oldgnu"])
def test_what_tar_makes_is_read(form: str, tmp_path: Path) -> None:
    name = "d" * 60 + "/" + "n" * 30 + ".crt"
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_bytes(leaf().pem)
    data = run("tar", "-c", f"--format={form}", name, folder=tmp_path)
    assert [one.subject for one in look(data)] == [NAME]


def test_long_names_of_ar_are_read(tmp_path: Path) -> None:
    (tmp_path / "a-name-of-more-than-sixteen-bytes.crt").write_bytes(leaf().pem)
    run("ar", "rc", "a.ar", "a-name-of-more-than-sixteen-bytes.crt", folder=tmp_path)
    assert look((tmp_path / "a.ar").read_bytes())[0].where == "FILE!/a-name-of-more-than-sixteen-bytes.crt"
    bsd = ar({"#1/20": b"twenty-bytes-of-name" + leaf().pem})
    assert look(bsd)[0].where == "FILE!/twenty-bytes-of-name"


def test_pack200_is_told_as_such() -> None:
    (damage,) = look_at_all(zipped({"a.pack": b"\xca\xfe\xd0\x0d" + bytes(40)}))
    assert isinstance(damage, Damage)
    assert "pack200" in damage.says


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(MAKERS)), st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_is_no_reason_to_break_off(kind: str, at: int, byte: int) -> None:
    data = bytearray(MAKERS[kind]({"a": leaf().pem, "b": leaf().der}))
    data[at % len(data)] = byte
    look_at_all(bytes(data))
