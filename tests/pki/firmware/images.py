"""Small images: some written byte by byte here, the others with the tools that make them, where they are installed."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest

from tlsalert.pki.containers import Blob, Budget, Covered, Damage, Limits
from tlsalert.pki.firmware import open_firmware

Files = dict[str, bytes]
#: Not all bytes are alike: some pack well, some don't, and one file has a hole.
TREE: Files = {
    "/etc/stunnel/client.crt": b"-----BEGIN CERTIFICATE-----\n" * 40,
    "/etc/motd": b"hello\n",
    "/lib/random.bin": bytes((i * i * 7919 >> 5) & 0xFF for i in range(20_000)),
    "/lib/text.txt": b"All work and no play makes Jack a dull boy.\n" * 700,
    "/lib/hole.bin": b"begin" + bytes(30_000) + b"end",
}


def found_in(image: bytes, limits: Limits | None = None) -> tuple[Files, dict[str, str]]:
    """Return the files in an image by their places, and what is said of damage; "F!" is left out of all places."""
    files: Files = {}
    damage: dict[str, str] = {}
    for one in open_firmware(Blob("F", image), Budget(limits or Limits())):
        if isinstance(one, Blob):
            assert isinstance(one.data, bytes)
            files[one.where.removeprefix("F!")] = one.data
        elif isinstance(one, Damage):
            damage.setdefault(one.where.removeprefix("F!"), one.says)
        else:
            assert isinstance(one, Covered)
            assert 0 <= one.start < one.stop <= len(image)
    return files, damage


def under(prefix: str, files: Mapping[str, bytes] = TREE) -> Files:
    """Return the tree's files under a prefix of their places."""
    return {f"{prefix}:{path}": data for path, data in files.items()}


def tree_in(folder: Path, files: Mapping[str, bytes] = TREE) -> Path:
    """Write the tree to a folder."""
    for path, data in files.items():
        target = folder / path[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder


def run(*command: str | Path) -> None:
    """Run a tool; the test is left out where it is not installed."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    program = shutil.which(command[0], path=path)
    if program is None:
        pytest.skip(f"{command[0]} is not installed")
    subprocess.run([program, *map(str, command[1:])], check=True, capture_output=True)


Order = Literal["little", "big"]


def cramfs(files: Mapping[str, bytes] = TREE, order: Order = "little") -> bytes:
    """Write a CramFS image of either byte order."""
    body = bytearray(76)

    def inode(mode: int, size: int, name: str, offset: int) -> bytes:
        length = -(-len(name) // 4)
        if order == "little":
            words = mode, size, length | offset >> 2 << 6
        else:
            words = mode << 16, size << 8, length << 26 | offset >> 2
        raw = b"".join(word.to_bytes(4, order) for word in words)
        return raw + name.encode().ljust(length * 4, b"\0")

    def write(node: object) -> tuple[int, int, int]:
        """Append a file or folder; return mode, size and where it lies."""
        if isinstance(node, bytes):
            at = len(body)
            blocks = [zlib.compress(node[i : i + 4096]) for i in range(0, len(node), 4096)]
            stop = at + 4 * len(blocks)
            for block in blocks:
                stop += len(block)
                body.extend(stop.to_bytes(4, order))
            body.extend(b"".join(blocks))
            body.extend(bytes(-len(body) % 4))
            return 0o100644, len(node), at
        assert isinstance(node, dict)
        entries = b"".join(inode(*written[:2], name, written[2]) for name, written in _each(node, write))
        at = len(body)
        body.extend(entries)
        return 0o040755, len(entries), at

    mode, size, at = write(nested(files))
    body[64:76] = inode(mode, size, "", at)
    body[:32] = b"".join(word.to_bytes(4, order) for word in (0x28CD3D45, len(body), 1, 0)) + b"Compressed ROMFS"
    body[32:36] = zlib.crc32(body).to_bytes(4, order)
    return bytes(body)


def _each(node: dict[str, object], write: object) -> list[tuple[str, tuple[int, int, int]]]:
    assert callable(write)
    return [(name, write(child)) for name, child in node.items()]


def nested(files: Mapping[str, bytes]) -> dict[str, object]:
    """Return paths and bytes as folders in folders."""
    root: dict[str, object] = {}
    for path, data in files.items():
        *folders, name = path[1:].split("/")
        node = root
        for folder in folders:
            inner = node.setdefault(folder, {})
            assert isinstance(inner, dict)
            node = inner
        node[name] = data
    return root


def cpio(files: Mapping[str, bytes] = TREE, checked: bool = False) -> bytes:
    """Write a cpio archive in the form of an initramfs; with checksums, the form "crc"."""
    out = bytearray()
    for number, (path, data) in enumerate([*files.items(), ("/TRAILER!!!", b"")]):
        name = path[1:].encode() + b"\0"
        mode = 0o100644 if data else 0
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), sum(data) if checked else 0)
        out += (b"070702" if checked else b"070701") + b"".join(b"%08X" % field for field in fields) + name
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def uimage(payload: bytes, kind: int = 3) -> bytes:
    """Write a legacy image of U-Boot."""
    head = struct.pack(">7I4B32s", 0x27051956, 0, 0, len(payload), 0, 0, zlib.crc32(payload), 5, 2, kind, 1, b"test")
    return head[:4] + zlib.crc32(head).to_bytes(4, "big") + head[8:] + payload


def jffs2(files: Mapping[str, bytes] = TREE, order: Order = "little") -> bytes:
    """Write a JFFS2 partition: names and nodes of one page each, zlib where that is smaller."""
    out, numbers = bytearray(), {"": 1}

    def crc(raw: bytes) -> bytes:
        return (zlib.crc32(raw, 0xFFFFFFFF) ^ 0xFFFFFFFF).to_bytes(4, order)

    def number(value: int, size: int = 4) -> bytes:
        return value.to_bytes(size, order)

    def node(kind: int, head: bytes, data: bytes, data_crc: bytes, size: int) -> None:
        start = number(0x1985, 2) + number(kind, 2) + number(size + len(data))
        whole = start + crc(start) + head
        out.extend(whole)
        out.extend(data_crc + crc(whole[: size - 8]) if kind == 0xE002 else crc(whole) + crc(data))
        out.extend(data)
        out.extend(b"\xff" * (-len(out) % 4))

    def entry(path: str, kind: int) -> int:
        folder, _, name = path.rpartition("/")
        if path not in numbers:
            if folder not in numbers:
                entry(folder, 4)
            numbers[path] = len(numbers) + 1
            raw = name.encode()
            ids = number(numbers[folder]) + number(numbers[path]) + number(numbers[path]) + bytes(4)
            node(0xE001, ids + bytes((len(raw), kind, 0, 0)), raw, b"", 40)
        return numbers[path]

    for path, data in files.items():
        inode = entry(path, 8)
        for version, at in enumerate(range(0, len(data), 4096), 1):
            plain = data[at : at + 4096]
            packed = zlib.compress(plain)
            kind, packed = (6, packed) if len(packed) < len(plain) else (0, plain)
            words = inode, version, 0o100644, 0, len(data), 0, 0, 0, at, len(packed), len(plain)
            node(0xE002, b"".join(map(number, words)) + bytes((kind, 0, 0, 0)), packed, crc(packed), 68)
    return bytes(out)


def romfs(files: Mapping[str, bytes] = TREE) -> bytes:
    """Write a romfs image."""

    def padded(raw: bytes) -> bytes:
        return raw + bytes(-len(raw) % 16)

    def folder(node: dict[str, object], at: int) -> bytes:
        out = b""
        for i, (name, child) in enumerate(node.items()):
            here, title = at + len(out), padded(name.encode() + b"\0")
            inner = folder(child, here + 16 + len(title)) if isinstance(child, dict) else b""
            data = b"" if isinstance(child, dict) else child
            assert isinstance(data, bytes)
            size = 16 + len(title) + len(inner) + len(padded(data))
            following = here + size if i + 1 < len(node) else 0
            kind, info = (1, here + 16 + len(title)) if isinstance(child, dict) else (2, 0)
            out += struct.pack(">4I", following | kind, info, len(data), 0) + title + inner + padded(data)
        return out

    body = padded(b"label\0") + folder(nested(files), 32)
    whole = bytearray(b"-rom1fs-" + struct.pack(">II", 16 + len(body), 0) + body)
    words = struct.unpack(">128I", bytes(whole[:512]).ljust(512, b"\0"))
    whole[12:16] = (-sum(words) & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(whole)
