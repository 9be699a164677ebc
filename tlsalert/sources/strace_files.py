"""Files put together again from what a traced program read and wrote: certificates and keys among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from msgspec import Struct

#: More of one file is not kept, nor of all files together, in bytes; nor more files than these.
LARGEST = 1 << 20
ALL = 48 << 20
MANY = 20_000
#: Where a file begins that is no certificate, no key and no archive of some: a program or a library.
_PROGRAM = b"\x7fELF"
_PEM = b"-----BEGIN "
#: How DER begins: a SEQUENCE with a length of one to three bytes, X.690 §8.1.3.
_DER = (b"\x30\x80", b"\x30\x81", b"\x30\x82", b"\x30\x83")


class Piece(Struct, frozen=True):
    """A file as far as a trace shows it.

    ``path`` is as the program named it, ``line`` where it was opened, ``written`` whether it was written rather than
    read. ``missing`` counts the bytes within ``data`` that the trace does not show: they are zeros. ``cut`` says that
    the file went on behind what was kept.
    """

    path: str
    data: bytes
    line: int
    written: bool
    missing: int = 0
    cut: bool = False


class Draft:
    """A file in the making, from the calls on one open file description."""

    def __init__(self, path: bytes, line: int, before: bytes = b"") -> None:
        self.path = path
        self.line = line
        self.written = False
        self.given_up = False
        self.data = bytearray(before)
        self._known = len(before)
        self._cut = False

    def put(self, at: int, shown: bytes, size: int) -> int:
        """Put ``size`` bytes at ``at``, of which ``shown`` are known; return by how much it grew."""
        if at < 0 or at >= LARGEST:
            self._cut = True
            return 0
        end = min(at + size, LARGEST)
        self._cut = self._cut or at + size > LARGEST
        before = len(self.data)
        if end > before:
            self.data.extend(bytes(end - before))
        shown = shown[: end - at]
        fresh = at >= before
        self.data[at : at + len(shown)] = shown
        self._known += len(shown) if fresh else max(0, at + len(shown) - before)
        return len(self.data) - before

    def piece(self) -> Piece:
        """Return the file as it is now."""
        path = self.path.decode("utf-8", "backslashreplace")
        missing = max(0, len(self.data) - self._known)
        return Piece(path, bytes(self.data), self.line, self.written, missing, self._cut)


class Files:
    """The files of one trace. With ``everything`` all but programs are kept, else what holds certificates or keys.

    What is complete is in ``done``; ``left_out`` counts the files that had no room.
    """

    def __init__(self, everything: bool) -> None:
        self.done: list[Piece] = []
        self.left_out = 0
        self._everything = everything
        self._held = 0
        self._seen: set[tuple[bytes, bytes]] = set()
        self._last: dict[bytes, bytes] = {}

    def wanted(self, draft: Draft, at: int, shown: bytes) -> bool:
        """Whether a file is worth keeping, by the first bytes that are seen of it."""
        if draft.given_up:
            return False
        if draft.data:
            return True
        keep = not shown.startswith(_PROGRAM)
        if not self._everything:
            keep = keep and (_PEM in shown or (at == 0 and (shown.startswith(_DER) or len(shown) < 256)))
        if keep and (self._held >= ALL or len(self._seen) >= MANY):
            self.left_out += 1
            keep = False
        draft.given_up = not keep
        return keep

    def before(self, path: bytes) -> bytes:
        """Return what a file held when it was closed last: what is appended follows that."""
        return self._last.get(path, b"")

    def put(self, draft: Draft, at: int, shown: bytes, size: int, written: bool) -> None:
        """Take bytes of a file that is wanted."""
        draft.written = draft.written or written
        self._held += draft.put(at, shown, size)

    def close(self, draft: Draft) -> None:
        """Take a file that was closed: it is kept once, however often it was read."""
        if not draft.data:
            return
        key = draft.path, sha256(draft.data).digest()
        if key in self._seen:
            self._held -= len(draft.data)
            return
        self._seen.add(key)
        piece = draft.piece()
        if piece.written and self._everything:
            self._last[draft.path] = piece.data
        self.done.append(piece)

    def take(self) -> list[Piece]:
        """Return what is complete, and keep it no longer."""
        done, self.done = self.done, []
        self._held = max(0, self._held - sum(len(piece.data) for piece in done))
        return done


def pieces(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """Return the files that a trace shows, in the order in which they were closed: what was read, and what was written.

    ``chunks`` are the trace's bytes in any slicing. Bounded in memory: of one file :data:`LARGEST` bytes are kept.
    Private keys are among them; who shows pieces to anybody has to leave those out.
    """
    from tlsalert.sources.lines import Lines
    from tlsalert.sources.strace import Trace
    from tlsalert.wire.transcript import Keeping

    trace = Trace("-", Keeping(), everything=True)
    lines = Lines()
    number = 0
    for chunk in chunks:
        for text in lines.feed(chunk):
            number += 1
            trace.line(text, number)
        trace.take()
        yield from trace.files.take()
    for text in lines.finish():
        trace.line(text, number + 1)
    trace.finish()
    yield from trace.files.take()
