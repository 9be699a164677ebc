"""Firmware images: file systems, archives and streams found by their content at any offset, and their files.

An image has no table of contents that could be trusted. It is gone through once from front to back; where something
begins that checks out, its files are read and its bytes count as explained. What remains is carved by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tlsalert.pki.containers import Blob, Budget, Covered, Damage, Data, Inside, RefusedError
from tlsalert.pki.firmware import cramfs, ext, fat, fit, jffs2, romfs, squashfs, ubi, uimage
from tlsalert.pki.firmware.parts import BROKEN, File, Part
from tlsalert.pki.firmware.signs import Hits
from tlsalert.pki.firmware.streams import Streams

#: The smallest thing that is looked for: a stream of a few bytes.
SMALLEST: Final = 64
#: So many places that begin like something are looked at in one image of 64 MiB, and in proportion in a larger one.
MOST_TRIED: Final = 500_000
#: What is damaged in one file is told so many times.
MOST_TROUBLES: Final = 8

_READERS: Final[dict[str, Callable[[Data, int, Budget], Part | None]]] = {
    "cramfs": cramfs.part_at,
    "squashfs": squashfs.part_at,
    "jffs2": jffs2.part_at,
    "ubi": ubi.part_at,
    "romfs": romfs.part_at,
    "ext": ext.part_at,
    "fat": fat.part_at,
    "uImage": uimage.part_at,
    "fit": fit.part_at,
}


def open_firmware(blob: Blob, budget: Budget, begin: int = 0) -> Iterator[Inside]:
    """Yield the files in an image, what of it is damaged, and which of its bytes are explained by that.

    A file's place is "IMAGE!cramfs@0x400000:/etc/x"; what lies before byte ``begin`` is left out. Raises RefusedError
    where the budget is spent.
    """
    data = blob.data
    if len(data) < SMALLEST:
        return
    hits, streams = Hits(data, begin), Streams(data, budget)
    left = max(MOST_TRIED, MOST_TRIED * len(data) >> 26)
    for place, kind in hits:
        left -= 1
        if left < 0:
            yield Damage(blob.where, f"too much begins like something: what follows byte {place:#x} is not looked at")
            return
        if place < 0:
            continue
        try:
            part = _part(kind, data, place, budget, streams)
        except BROKEN:
            continue
        if part is not None:
            yield from _told(blob, part, budget)
            hits.after = max(hits.after, part.stop, place + 1)
    if streams.given_up is not None:
        said = f"too many streams are broken: those from byte {streams.given_up:#x} on are not unpacked"
        yield Damage(blob.where, said)


def _part(kind: str, data: Data, at: int, budget: Budget, streams: Streams) -> Part | None:
    """Return the part of an image that begins here, if one does."""
    match kind:
        case "cpio":
            return streams.cpio_at(at)
        case "tar":
            return streams.tar_at(at)
        case "zip":
            return streams.zip_at(at)
        case _ if kind in _READERS:
            return _READERS[kind](data, at, budget)
        case _:
            return streams.stream_at(kind, at)


def _told(blob: Blob, part: Part, budget: Budget) -> Iterator[Inside]:
    """Yield a part's files under their places."""
    place = f"{blob.where}!{part.kind}@{part.start:#x}"
    yield Covered(part.start, part.stop)
    last, troubles = "", 0
    try:
        for found in part.contents:
            where = f"{place}:{found.path}" if found.path else place
            if where != last:
                last, troubles = where, 0
            if isinstance(found, File):
                yield Blob(where, found.data, blob.depth + 1, found.mode)
                continue
            troubles += 1
            if troubles < MOST_TROUBLES:
                yield Damage(where, found.says)
            elif troubles == MOST_TROUBLES:
                yield Damage(where, f"{found.says}; more of it is damaged, and not told one by one")
    except RefusedError as refused:
        yield Damage(place, refused.what)
        if budget.spent:
            raise
    except BROKEN as error:
        yield Damage(place, f"it can't be read to its end: {error}")
