"""strace -ff writes a file for each process: FILE.PID. Those of one trace are read as one, in the order of their times.

Which files belong together shows in them: one tells of the process whose number is another's name. Their lines are put
in order as strace-log-merge(1) does, each with its process before it, and count as in what that prints.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from heapq import merge

from tlsalert.errors import CaptureError
from tlsalert.sources.files import ByteSource
from tlsalert.sources.lines import Lines

#: Files of one trace that are read together: each of them stays open.
MANY = 400
#: How much of each is searched for the processes that it started, in bytes.
SEARCHED = 32 << 20
#: Merged lines come in chunks of this many bytes.
CHUNK = 64 * 1024

_NAME = re.compile(r"(.+)\.(\d{1,9})")
_BEGINS = re.compile(rb"(?:\d\d:\d\d:\d\d|\d{9,11}\.\d)[.\d]* +(?:[a-z_]\w*\(|\+\+\+ |--- )")
_STAMP = re.compile(rb"(?:\d\d:\d\d:\d\d|\d{9,11})(?:\.\d{1,9})?(?= )")
_BORN = re.compile(rb"^\S+ (?:clone3?|v?fork)\(.*\) += (\d{1,9})\b", re.MULTILINE)


class Parts(ByteSource):
    """The files of one trace as one source; ``name`` is that of the file that was asked for, ``parts`` are all."""

    def __init__(self, source: ByteSource, parts: list[str]) -> None:
        self.name = source.name
        self.head = source.head
        self.damage = source.damage
        self.pipe = False
        self.size = sum(os.path.getsize(part) for part in parts if os.path.isfile(part))
        self.parts = tuple(parts)
        self._done = self._passed = 0
        source.close()

    def advanced(self) -> int:
        """Return how many bytes of all files were taken since this was asked before."""
        before, self._done = self._done, self._passed
        return self._done - before

    def close(self) -> None:
        """Do nothing: the files are closed when they have been read."""

    def chunks(self) -> Iterator[bytes]:
        """Go through the lines of all files in the order of their times."""
        held: list[bytes] = []
        size = 0
        numbered = sorted(self.parts, key=_pid)
        ordered = merge(*(_lines(path, place) for place, path in enumerate(numbered)), key=_order)
        for _, _, pid, text in ordered:
            line = b"%d %s\n" % (pid, text)
            held.append(line)
            size += len(line)
            self._passed += len(text) + 1
            if size >= CHUNK:
                yield b"".join(held)
                held, size = [], 0
        if held:
            yield b"".join(held)


def with_parts(source: ByteSource) -> ByteSource:
    """Return the source, or where it is one file of a trace in several (-ff -tt or -ttt) all of them as one."""
    parts = parts_of(source.name, source.head)
    return Parts(source, parts) if len(parts) > 1 else source


def parts_of(name: str, head: bytes) -> list[str]:
    """Return the files of the trace that the file ``name``, which begins with ``head``, is a part of; itself too."""
    found = _NAME.fullmatch(os.path.basename(name))
    if found is None or not _BEGINS.match(head):
        return [name]
    folder = os.path.dirname(name)
    beside: dict[int, str] = {int(found[2]): name}
    try:
        with os.scandir(folder or ".") as entries:
            for entry in entries:
                other = _NAME.fullmatch(entry.name)
                if other is not None and other[1] == found[1] and entry.is_file() and int(other[2]) not in beside:
                    beside[int(other[2])] = os.path.join(folder, entry.name)
                if len(beside) > MANY:
                    return [name]
    except OSError:
        return [name]
    return _related(int(found[2]), beside)


def _related(pid: int, beside: dict[int, str]) -> list[str]:
    """Return those files whose processes are related to process ``pid``, whichever began the other."""
    kin: dict[int, set[int]] = {one: set() for one in beside}
    for one, path in beside.items() if len(beside) > 1 else ():
        for child in _children(path):
            if child in kin:
                kin[one].add(child)
                kin[child].add(one)
    known, left = {pid}, [pid]
    while left:
        for one in kin[left.pop()] - known:
            known.add(one)
            left.append(one)
    return [beside[one] for one in sorted(known)]


def _children(path: str) -> set[int]:
    """Return the processes that a file tells the beginning of; none where it is no part of a trace."""
    try:
        with ByteSource(path) as source:
            if not _BEGINS.match(source.head):
                return set()
            found: set[int] = set()
            rest, size = b"", 0
            for chunk in source.chunks():
                text = rest + chunk
                found.update(int(one) for one in _BORN.findall(text))
                rest = text[text.rfind(b"\n") + 1 :][:CHUNK]
                size += len(chunk)
                if size > SEARCHED:
                    break
            return found
    except CaptureError:
        return set()


def _lines(path: str, place: int) -> Iterator[tuple[bytes, int, int, bytes]]:
    """Give a file's lines with what they are ordered by: their times, then the order of the files."""
    lines = Lines()
    pid, stamp = _pid(path), b""
    try:
        with ByteSource(path) as source:
            for chunk in source.chunks():
                for text in lines.feed(chunk):
                    stamp = _stamp(text, stamp)
                    yield stamp, place, pid, text
    except CaptureError:
        return  # it was there a moment ago
    for text in lines.finish():
        yield _stamp(text, stamp), place, pid, text


def _order(line: tuple[bytes, int, int, bytes]) -> tuple[bytes, int]:
    return line[0], line[1]


def _stamp(text: bytes, before: bytes) -> bytes:
    found = _STAMP.match(text)
    return found[0] if found is not None else before


def _pid(path: str) -> int:
    return int(path.rpartition(".")[2])
