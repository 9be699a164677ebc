"""romfs, the simplest of the read-only file systems (Documentation/filesystems/romfs.rst of Linux)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tlsalert.pki.containers import Budget, Data
from tlsalert.pki.firmware.parts import BROKEN, DEEPEST, Broken, Content, File, Part, View, name_of

MAGIC: Final = b"-rom1fs-"
LINK, FOLDER, REGULAR, RUNS = 0, 1, 2, 8
#: Names are padded to so many bytes, and files begin at multiples of it.
ALIGNED: Final = 16
LONGEST_NAME: Final = 256


def part_at(data: Data, at: int, budget: Budget) -> Part | None:
    """Return the file system that begins here."""
    header = View(data, at, 16, "big")
    if header.present < 16 or header.take(0, 8) != MAGIC:
        return None
    view = View(data, at, header.number(8), "big")
    if view.present < 2 * ALIGNED:
        return None
    return Part("romfs", at, view.stop, _contents(view, budget))


def _contents(view: View, budget: Budget) -> Iterator[Content]:
    yield from view.cut()
    checked = view.take(0, min(512, view.present) // 4 * 4)
    if sum(int.from_bytes(checked[i : i + 4], "big") for i in range(0, len(checked), 4)) & 0xFFFFFFFF:
        yield Broken("", "the checksum over its first 512 bytes is wrong: it was changed or broken")
    _, first = _name(view, 16)
    yield from _folder(view, first, budget)


def _folder(view: View, first: int, budget: Budget) -> Iterator[Content]:
    """Go through the files from the first header on; a header that was met already is not read again."""
    waiting, seen = [("", first, 0)], set[int]()
    while waiting:
        path, at, depth = waiting.pop()
        while at and at not in seen:
            seen.add(at)
            try:
                word, where, size = (view.number(at + 4 * i) for i in range(3))
                name, begin = _name(view, at + 16)
                after = word & ~15
                if word & 7 == LINK and name not in (".", ".."):  # a second name of a file
                    word, _, size = (view.number(where + 4 * i) for i in range(3))
                    begin = _name(view, where + 16)[1]
                    word = word if word & 7 == REGULAR else LINK
            except BROKEN as error:
                yield Broken(path or "/", f"the folder can't be read to its end: {error}")
                break
            inside = f"{path}/{name}"
            budget.admit(inside, None, 0)
            if word & 7 == FOLDER and name not in (".", ".."):
                if depth < DEEPEST:
                    waiting.append((inside, where, depth + 1))
            elif word & 7 == REGULAR and size:
                there = min(size, max(view.present - begin, 0))
                budget.admit(inside, None, there)
                if there < size:
                    yield Broken(inside, f"{size} bytes by its header, {there} of them are there")
                yield File(inside, view.take(begin, there) if there else b"", 0o755 if word & RUNS else 0o644)
            at = after


def _name(view: View, at: int) -> tuple[str, int]:
    """Return a name and where what follows it begins."""
    raw = view.take(at, min(LONGEST_NAME, max(view.present - at, 0)))
    size = raw.index(b"\0") + 1
    return name_of(raw), at + -(-size // ALIGNED) * ALIGNED
