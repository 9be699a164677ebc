"""Archives read in place, never unpacked: zip (jar, war, apk), tar, cpio and ar (deb, static libraries).

Links inside an archive are not followed, and a member's name is only told, never used as a path: "../" leads nowhere.
"""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Final

from tlsalert.pki import cpio
from tlsalert.pki.containers import Blob, Budget, Damage, Data, Inside, RefusedError

CHUNK: Final = 1 << 18
LOCAL: Final = b"PK\3\4"
#: Members of a zip are read up to here into its list; each has 46 bytes at least, but Python's object takes 600.
MOST_LISTED: Final = 200_000
LONGEST_NAME: Final = 4096


def open_zip(blob: Blob, budget: Budget) -> Iterator[Inside]:
    """Yield the members of a zip file by its directory; where that is damaged, by the headers before each member."""
    file = _file(blob.data)
    try:
        if blob.data[-65557:].count(b"PK\1\2") == 0 and LOCAL not in blob.data[:4]:
            yield Damage(blob.where, "the zip archive is empty")
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MOST_LISTED:
                raise RefusedError(f"{blob.where}: {len(members)} members: not read")
            yield from _zip_members(archive, members, blob, budget)
    except (
        zipfile.BadZipFile,
        ValueError,
        OSError,
        EOFError,
        struct.error,
        NotImplementedError,
        RuntimeError,
    ) as error:
        yield Damage(blob.where, f"the zip archive's directory is damaged ({error}): its members are read one by one")
        yield from _zip_walk(blob, budget)


def _zip_members(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], blob: Blob, budget: Budget
) -> Iterator[Inside]:
    reached = 0
    for info in sorted(members, key=lambda one: one.header_offset):
        if info.filename.endswith("/"):
            continue
        where = blob.member(info.filename, b"").where
        if info.header_offset < reached:
            yield Damage(where, "it lies inside another member, as in a bomb: not read")
            continue
        reached = info.header_offset + 30 + info.compress_size
        if info.flag_bits & 1:
            yield Damage(where, "the member is encrypted: not read")
            continue
        mode = info.external_attr >> 16 & 0o7777 or None
        yield from _zip_member(archive, info, blob, budget, where, mode)


def _zip_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, blob: Blob, budget: Budget, where: str, mode: int | None
) -> Iterator[Inside]:
    try:
        most = budget.most(info.compress_size)
        if info.file_size > most:
            budget.admit(where, info.compress_size, info.file_size)
        with archive.open(info) as member:
            data, damage = _read(member, most)
        budget.admit(where, info.compress_size, len(data))
    except RefusedError as error:
        yield _refusal(error, where)
        if budget.spent:
            raise
        return
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        OSError,
        EOFError,
        ValueError,
        struct.error,
    ) as error:
        yield Damage(where, f"the member cannot be read: {error}")
        return
    yield blob.member(info.filename, data, mode)
    if damage:
        yield Damage(where, f"the member is damaged: {damage}")


def _refusal(error: RefusedError, where: str) -> Damage:
    return Damage(where, str(error).removeprefix(f"{where}: "))


def _read(member: IO[bytes], most: int) -> tuple[bytes, str | None]:
    """Return up to ``most`` + 1 bytes, and why there are no more of them."""
    made: list[bytes] = []
    size = 0
    try:
        while size <= most and (part := member.read(min(CHUNK, most + 1 - size))):
            made.append(part)
            size += len(part)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
        if not made:
            raise OSError(str(error) or "its data is damaged") from None
        return b"".join(made), str(error) or "it ends too early"
    return b"".join(made), None


def _zip_walk(blob: Blob, budget: Budget) -> Iterator[Inside]:
    """Yield members by their local headers (APPNOTE 4.3.7): of an archive that is cut off."""
    data, at = blob.data, blob.data.find(LOCAL)
    while at >= 0 and at + 30 <= len(data):
        flags, method, size, name_size, extra = struct.unpack("<6xHH8xL4xHH", data[at : at + 30])
        start = at + 30 + name_size + extra
        name = data[at + 30 : at + 30 + min(name_size, LONGEST_NAME)].decode("utf-8", "backslashreplace")
        following = data.find(LOCAL, start)
        stop = start + size if size else following if following >= 0 else len(data)
        packed = data[start : min(max(stop, start), len(data))]
        if method in (0, 8, 12) and packed and not flags & 1 and not name.endswith("/"):
            yield from _walked(blob, name, packed, method, budget)
        at = data.find(LOCAL, max(at + 4, min(stop, len(data))))


def _walked(blob: Blob, name: str, packed: bytes, method: int, budget: Budget) -> Iterator[Inside]:
    from tlsalert.pki.streams import expand

    where = blob.member(name, b"").where
    plain, damage = packed, None
    if method:
        make = (lambda: zlib.decompressobj(-15)) if method == 8 else bz2.BZ2Decompressor
        plain, damage, _ = expand(packed, make, b"", budget.most(len(packed)))
    budget.admit(where, len(packed), len(plain))
    yield blob.member(name, plain)
    if damage:
        yield Damage(where, f"the member is damaged: {damage}")


def open_tar(blob: Blob, budget: Budget) -> Iterator[Inside]:
    """Yield the files of a tar archive: ustar, GNU and pax; links and devices are passed over."""
    file = _file(blob.data)
    try:
        with tarfile.open(fileobj=file, mode="r:", errorlevel=0) as archive:
            while (info := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # or the headers of all would be kept
                if info.isfile():
                    yield from _tar_member(archive, info, blob, budget)
    except RefusedError:
        raise
    except Exception as error:  # tarfile raises what it likes at hostile headers: UnicodeError, OverflowError, …
        yield Damage(blob.where, f"the tar archive is damaged: {_said(error)}")


def _tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo, blob: Blob, budget: Budget) -> Iterator[Inside]:
    where = blob.member(info.name, b"").where
    left = max(len(blob.data) - info.offset_data, 0)
    try:
        if info.size > left and not info.issparse():
            yield Damage(where, f"the tar archive ends inside of it: {left} of {info.size} bytes")
        elif info.size > budget.most(None):
            budget.admit(where, None, info.size)
        member = archive.extractfile(info)
        if member is None:
            return
        data, damage = _read(member, min(budget.most(None), left if not info.issparse() else info.size))
        budget.admit(where, left if info.issparse() else len(data), len(data))
    except RefusedError as error:
        yield _refusal(error, where)
        if budget.spent:
            raise
        return
    except Exception as error:  # as for a zip's
        yield Damage(where, f"the member cannot be read: {_said(error)}")
        return
    yield blob.member(info.name, data, info.mode & 0o7777)
    if damage and info.size <= left:
        yield Damage(where, f"the member is damaged: {damage}")


def open_cpio(blob: Blob, budget: Budget) -> Iterator[Inside]:
    """Yield the files of a cpio archive: "newc" with and without sums, "odc", the old binary form of both orders."""
    for found in cpio.members(blob.data):
        if isinstance(found, cpio.Stopped):
            if blob.data[found.at : found.at + 512].strip(b"\0\xff") or not found.at:  # else it is padding
                says = found.says or f"other bytes follow at {found.at:#x}, which are not read"
                yield Damage(blob.where, f"the cpio archive is damaged: {says}")
        elif found.is_file and found.size:
            yield from _cpio_member(found, blob, budget)


def _cpio_member(found: cpio.Member, blob: Blob, budget: Budget) -> Iterator[Inside]:
    where = blob.member(found.name, b"").where
    try:
        budget.admit(where, found.size, found.present(blob.data))
    except RefusedError as error:
        yield _refusal(error, where)
        if budget.spent:
            raise
        return
    data, damage = found.read(blob.data)
    yield blob.member(found.name, data, found.mode & 0o7777)
    if damage:
        yield Damage(where, f"the member is damaged: {damage}")


def open_ar(blob: Blob, budget: Budget) -> Iterator[Inside]:
    """Yield the members of an ar archive: a .deb's parts, a static library's objects; long names as GNU and BSD do."""
    at, names = 8, b""
    while at + 60 <= len(blob.data):
        header = blob.data[at : at + 60]
        try:
            size, mode = int(header[48:58]), int(header[40:48].strip() or b"0", 8)
        except ValueError:
            size = -1
        if size < 0 or header[58:] != b"`\n":
            yield Damage(blob.where, f"the ar archive is damaged at byte {at}")
            return
        data = blob.data[at + 60 : at + 60 + size]
        raw = header[:16].rstrip()
        if raw == b"//":
            names = data
        elif raw not in (b"/", b"/SYM64/"):
            name, data = _ar_name(raw, data, names)
            where = blob.member(name, b"").where
            budget.admit(where, size, len(data))
            yield blob.member(name, data, mode & 0o7777)
            if at + 60 + size > len(blob.data):
                yield Damage(where, f"the ar archive ends inside of it: {len(blob.data) - at - 60} of {size} bytes")
        at += 60 + size + size % 2


def _ar_name(raw: bytes, data: bytes, names: bytes) -> tuple[str, bytes]:
    if raw.startswith(b"#1/") and raw[3:].isdigit():
        size = min(int(raw[3:]), LONGEST_NAME)
        return data[:size].rstrip(b"\0").decode("utf-8", "backslashreplace"), data[size:]
    if raw.startswith(b"/") and raw[1:].isdigit() and int(raw[1:]) < len(names):
        start = int(raw[1:])
        raw = names[start : start + LONGEST_NAME].split(b"\n")[0]
    return raw.rstrip(b"/").decode("utf-8", "backslashreplace"), data


def _file(data: Data) -> IO[bytes]:
    """Return the data as a file, without a copy: bytes are shared, a mapped file is a file."""
    if isinstance(data, bytes):
        return io.BytesIO(data)
    data.seek(0)
    return _Mapped(data)


class _Mapped(io.RawIOBase, IO[bytes]):
    """A mapped file that can be closed without unmapping it."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, len(self._data))[whence])
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        stop = len(self._data) if size is None or size < 0 else self._at + size
        part = self._data[self._at : stop]
        self._at += len(part)
        return part


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
