"""A payload layer by layer: compressed streams are opened, a cpio archive becomes its files, all else is one file."""

from __future__ import annotations

from collections.abc import Iterator

from tlsalert.pki import cpio
from tlsalert.pki.containers import Budget, Data, RefusedError, rooted
from tlsalert.pki.firmware.parts import BROKEN, Broken, Content, File
from tlsalert.pki.firmware.unpack import stream_kind, unpack_stream

#: Streams inside streams.
MOST_LAYERS = 4


def layers(prefix: str, payload: bytes, budget: Budget, layer: int = 0) -> Iterator[Content]:
    """Yield what a payload holds; ``prefix`` is told before it: "" or such as "gzip:"."""
    kind = stream_kind(payload) if layer < MOST_LAYERS else None
    if kind is not None:
        limits = budget.limits
        try:
            plain, _, wrong = unpack_stream(
                kind, payload, 0, budget.most(len(payload)), limits.ratio, limits.ratio_from
            )
        except BROKEN as error:
            yield Broken(f"{prefix}{kind}", f"it can't be unpacked: {error}")
            return
        yield from opened(f"{prefix}{kind}", len(payload), plain, wrong, budget, layer + 1)
    elif cpio.begins(payload):
        yield from archived(f"{prefix}cpio", payload, budget)
    else:
        yield File(prefix.rstrip(":"), payload)


def opened(name: str, packed: int, plain: bytes, wrong: str, budget: Budget, layer: int = 1) -> Iterator[Content]:
    """Yield what a stream holds that was unpacked already, and what was wrong with it."""
    if wrong:
        yield Broken(name, wrong)
    budget.admit(name, packed, len(plain)) if len(plain) <= budget.most(packed) else None
    yield from layers(f"{name}:", plain, budget, layer)


def archived(name: str, data: Data, budget: Budget) -> Iterator[Content]:
    """Yield the files of the cpio archives that begin the data, and of what follows them; paths begin with ``name``."""
    for found in cpio.members(data):
        if isinstance(found, cpio.Stopped):
            if found.says is None:
                yield from layers(f"{name}+{found.at:#x}:", data[found.at :], budget)
            else:
                yield Broken(name, found.says)
        elif not found.is_file:
            budget.admit(name, None, 0)
        elif found.size:
            yield from _archived(f"{name}:{rooted(found.name)}", found, data, budget)


def _archived(path: str, member: cpio.Member, data: Data, budget: Budget) -> Iterator[Content]:
    try:
        budget.admit(path, None, member.present(data))
    except RefusedError as refused:
        if budget.spent:
            raise
        yield Broken(path, refused.what)
        return
    plain, wrong = member.read(data)
    if wrong is not None:
        yield Broken(path, wrong)
    if plain:
        yield File(path, plain, member.mode)
