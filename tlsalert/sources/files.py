"""Files and pipes, plain or compressed, as chunks of bytes: bounded memory whatever their size."""

from __future__ import annotations

import io
import os
import select
import sys
import weakref
import zlib
from collections.abc import Callable, Iterator
from typing import IO, BinaryIO, cast

from tlsalert.errors import CaptureError

#: Larger buffers are mapped freshly for each read, and the page faults cost more than the parsing.
CHUNK = 64 * 1024
#: Seconds after which a pipe that says nothing is idle: what has ended is told then.
IDLE = 1.0
#: What a reader needs to recognise a file by its content.
HEAD = 512


Read = Callable[[int], bytes | None]


def _gzip(raw: BinaryIO) -> Read:
    from gzip import GzipFile

    return GzipFile(fileobj=raw).read1


def _xz(raw: BinaryIO) -> Read:
    from lzma import LZMAFile

    return LZMAFile(raw).read1


def _bzip2(raw: BinaryIO) -> Read:
    from bz2 import BZ2File

    return BZ2File(raw).read1


def _zstd(raw: BinaryIO) -> Read:
    import zstandard

    reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
    read: Read = reader.read
    return read


ZSTD = b"\x28\xb5\x2f\xfd"

#: Compressions by the bytes that their files begin with: RFC 1952, RFC 8878, the xz and bzip2 formats.
COMPRESSIONS: dict[bytes, Callable[[BinaryIO], Read]] = {
    b"\x1f\x8b": _gzip,
    ZSTD: _zstd,
    b"\xfd7zXZ\x00": _xz,
    b"BZh": _bzip2,
}


class ByteSource:
    """The bytes of one piece of evidence. ``name`` is its path or "-"; ``damage`` is what a decompressor found broken.

    ``size`` is the file's own size in bytes, compressed as it may be; None of a pipe. With ``file`` the bytes are those
    of that one, and the path is but a name.
    """

    def __init__(self, path: str | os.PathLike[str], file: IO[bytes] | None = None) -> None:
        self.name = os.fspath(path)
        self.damage: str | None = None
        self.pipe = self.name == "-" and file is None
        self._file: IO[bytes] = file or (_standard_input() if self.pipe else _opened(self.name))
        self._close = weakref.finalize(self, _nothing if self.pipe else self._file.close)
        raw = _PushedBack(self._file)
        self._take: Read = raw.read
        self._waits = self.pipe and _selectable(self._file)
        self.size: int | None = None if self.pipe or file is not None else os.fstat(self._file.fileno()).st_size
        self._done = 0
        start = raw.peek(32, self.name)
        for magic, opener in COMPRESSIONS.items():
            if start.startswith(magic):
                self._waits = False  # a decompressor may hold bytes that the pipe no longer shows
                self._take = opener(cast("BinaryIO", io.BufferedReader(raw, CHUNK)))
                break
        self.head = self._first()
        if not self.head and self.damage is None and start.startswith(ZSTD) and _zstd_promises(start):
            self.damage = "the compressed data is cut short: nothing of it can be read"

    def __enter__(self) -> ByteSource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; standard input stays open. It is closed as well when nobody holds this any more."""
        self._close()

    def advanced(self) -> int:
        """Return how many of the file's ``size`` bytes were taken since this was asked before, 0 of a pipe."""
        if self.size is None or self._file.closed:
            return 0
        before, self._done = self._done, self._file.tell()
        return self._done - before

    def chunks(self) -> Iterator[bytes]:
        """Go through the bytes, a chunk at a time; a broken compression ends them and is told in ``damage``.

        An empty chunk says that a pipe has been idle for a while (:data:`IDLE`); more may come.
        """
        if self.head:
            yield self.head
        while True:
            if self._idle():
                yield b""
                continue
            chunk = self._read(CHUNK)
            if not chunk:
                return
            yield chunk

    def notes(self) -> list[str]:
        """Nothing is lost between a file and its reader; what is broken in it is told in ``damage``."""
        return []

    def _idle(self) -> bool:
        """Wait for a pipe's next bytes, but not for ever; what is no pipe, or compressed, is never idle."""
        if not self._waits:
            return False
        return not select.select([self._file], [], [], IDLE)[0]

    def _first(self) -> bytes:
        head = b""
        while len(head) < HEAD and (more := self._read(CHUNK)):
            head += more
        return head

    def _read(self, size: int) -> bytes:
        try:
            return self._take(size) or b""
        except OSError as error:
            if error.errno is None:  # a decompressor's own complaint
                self.damage = f"the compressed data is damaged: {error}"
                return b""
            raise CaptureError(error.strerror or str(error), self.name) from error
        except (EOFError, zlib.error, ValueError) as error:
            self.damage = f"the compressed data is damaged or cut short: {error}"
            return b""
        except Exception as error:
            if type(error).__name__ == "LZMAError":  # what is compared by name need not be imported for it
                self.damage = f"the compressed data is damaged or cut short: {error}"
            elif type(error).__name__ == "ZstdError":
                self.damage = f"the compressed data is damaged: {error}"
            else:
                raise
            return b""


class _PushedBack(io.RawIOBase):
    """A raw stream whose first bytes can be looked at before it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._back = b""

    def peek(self, size: int, name: str) -> bytes:
        """Return the first bytes without taking them."""
        try:
            while len(self._back) < size and (more := self._file.read(CHUNK)):
                self._back += more
        except OSError as error:
            raise CaptureError(error.strerror or str(error), name) from error
        return self._back[:size]

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes."""
        if self._back:
            back, self._back = self._back, b""
            if 0 <= size < len(back):
                self._back = back[size:]
                back = back[:size]
            return back
        return self._file.read(size)

    def readinto(self, buffer: object) -> int:
        """Read into a buffer, as a decompressor's own buffering asks."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)


def _zstd_promises(start: bytes) -> bool:
    """Whether a zstd frame announces content: its decompressor ends without a word where that was cut off."""
    import zstandard

    try:
        return bool(zstandard.get_frame_parameters(start).content_size != 0)
    except zstandard.ZstdError:
        return True


def _selectable(file: IO[bytes]) -> bool:
    """Whether the system can tell when there is something to read: not for what a program put in stdin's place."""
    try:
        file.fileno()
    except (OSError, AttributeError):
        return False
    return os.name == "posix"


def _nothing() -> None:
    """Leave standard input to the program that owns it."""


def _opened(name: str) -> IO[bytes]:
    try:
        return open(name, "rb", buffering=0)
    except FileNotFoundError as error:
        raise CaptureError("there is no such file", name) from error
    except IsADirectoryError as error:
        raise CaptureError("that is a directory", name, "name the files in it") from error
    except OSError as error:
        raise CaptureError(error.strerror or str(error), name) from error


def _standard_input() -> IO[bytes]:
    if sys.stdin is None:
        raise CaptureError("standard input is closed", "-")
    raw: IO[bytes] = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
    return raw
