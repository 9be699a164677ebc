"""Every certificate and key in what is named: files, folders, archives, images, logs, captures and servers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from tlsalert.errors import TlsalertError
from tlsalert.pki.containers import Blob, Budget, Covered, Damage, Inside, Limits, RefusedError, opener_for
from tlsalert.pki.found import Found
from tlsalert.pki.keys import Phrases
from tlsalert.pki.problems import WARN, judged
from tlsalert.pki.relations import related
from tlsalert.pki.scan import scan
from tlsalert.pki.usage import Config, read_config
from tlsalert.sources.recognise import is_text

#: More things are not kept: a stranger's archive can hold millions.
MOST_FOUND = 200_000
#: Jars in this form of Java 5 to 13 hold no file as such.
PACK200 = b"\xca\xfe\xd0\x0d"
CAPTURES = (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1", b"\x0a\x0d\x0d\x0a")


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that was found, in order; what could not be read inside of it; and what could not be read at all."""

    found: tuple[Found, ...]
    damage: tuple[Damage, ...]
    unread: tuple[TlsalertError, ...] = ()


def certs(
    *paths: str | os.PathLike[str],
    at: datetime | None = None,
    warn: timedelta = WARN,
    passphrases: Iterable[bytes] = (),
) -> list[Found]:
    """Return every certificate, request, revocation list and key in files, folders, archives, captures and logs.

    ``at`` is the time at which they are judged (now), ``warn`` how long before its end a certificate is told of.
    Key stores and encrypted keys are tried with ``passphrases``. What is damaged inside a file is passed over;
    :func:`tlsalert.pki.inventory.inventory` tells of it.

    Raises :class:`tlsalert.errors.CaptureError` where a path cannot be read.
    """
    taken = inventory([os.fspath(path) for path in paths], at, warn, Phrases(tuple(passphrases)))
    for error in taken.unread:
        raise error
    return list(taken.found)


def inventory(
    paths: Sequence[str],
    at: datetime | None = None,
    warn: timedelta = WARN,
    phrases: Phrases | None = None,
    limits: Limits | None = None,
    extra: Callable[[], Iterable[Found | Damage]] | None = None,
    watch: Callable[[Blob], None] | None = None,
    done: Callable[[int], None] | None = None,
) -> Inventory:
    """Look through ``paths``; ``extra`` gives what was found elsewhere, as behind a server, to be related with it.

    ``watch`` is called with each file that holds no others, ``done`` with the bytes of each that was named or lies in
    a folder, once it was gone through.
    """
    from tlsalert.pki.places import contents

    taking = _Taking(phrases or Phrases(), limits or Limits(), watch)
    unread: list[TlsalertError] = []
    for path in paths:
        try:
            for one in contents(path, done):
                taking.take(one)
        except TlsalertError as error:
            unread.append(error)
    if extra is not None:
        for thing in extra():
            taking.keep(thing)
    roots = [path for path in paths if os.path.isdir(path)]
    found = related(taking.found, taking.configs, roots)
    return Inventory(tuple(judged(found, at or datetime.now(UTC), warn)), tuple(taking.damage), tuple(unread))


@dataclass(slots=True)
class _Taking:
    """Takes blobs apart, and keeps what is in them."""

    phrases: Phrases
    limits: Limits
    watch: Callable[[Blob], None] | None = None
    found: list[Found] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)
    configs: list[tuple[str, Config]] = field(default_factory=list)
    _full: bool = False

    def take(self, one: Blob | Found | Damage) -> None:
        """Take a file that was named, with a budget of its own."""
        if not isinstance(one, Blob):
            self.keep(one)
            return
        try:
            self._open(one, Budget(self.limits))
        except RefusedError as error:
            self.keep(Damage(one.where, str(error).removeprefix(f"{one.where}: ")))

    def keep(self, one: Found | Damage) -> None:
        """Keep what was found, up to a limit."""
        if isinstance(one, Damage):
            if len(self.damage) < MOST_FOUND:
                self.damage.append(one)
        elif len(self.found) < MOST_FOUND:
            self.found.append(one)
        elif not self._full:
            self._full = True
            self.damage.append(Damage(one.where, f"more than {MOST_FOUND} things were found: the rest is not told"))

    def _open(self, blob: Blob, budget: Budget) -> None:
        data = blob.data
        head = data[:8]
        if head[:4] == PACK200:
            self.keep(Damage(blob.where, "a jar in the form of pack200: unpack it with unpack200 (Java 5 to 13)"))
            return
        if blob.depth and head[:4] in CAPTURES:
            self.keep(Damage(blob.where, "a capture inside of an archive: unpack it and name it itself"))
            return
        from tlsalert.pki.firmware import open_firmware
        from tlsalert.pki.firmware.streams import end_of

        opener = opener_for(data)
        if opener is not None and blob.depth >= self.limits.depth:
            if not opener.whole:  # it may be no container at all
                self._look(blob, ())
                return
            self.keep(Damage(blob.where, f"nested more than {self.limits.depth} deep: not opened"))
            return
        covered: list[Covered] = []
        if opener is None or not opener.whole:
            self._enter(opener.open(blob, budget) if opener is not None else (), budget, covered)
            self._look(blob, covered)
            return
        stop = end_of(opener.name, data)
        inner = blob if stop == len(data) else replace(blob, data=data[:stop])
        opened = self._enter(opener.open(inner, budget), budget, covered)
        stop = min([stop, *(part.stop for part in covered)])
        if stop < len(data):  # an image that happens to begin with an archive or a stream
            covered.append(Covered(0, stop))
            self._enter(open_firmware(blob, budget, stop), budget, covered)
            self._look(blob, covered)
        elif not opened:
            self._look(blob, covered)

    def _enter(self, contents: Iterable[Inside], budget: Budget, covered: list[Covered]) -> bool:
        """Take what a container holds; return whether it held anything."""
        opened = False
        for one in contents:
            if isinstance(one, Covered):
                covered.append(one)
            elif isinstance(one, Damage):
                self.keep(one)
            else:
                opened = True
                self._open(one, budget)
        return opened

    def _look(self, blob: Blob, covered: Sequence[Covered]) -> None:
        if self.watch is not None and not covered:
            self.watch(blob)
        things = sorted(scan(blob, self.phrases, covered), key=lambda one: one.offset if isinstance(one, Found) else 0)
        for one in things:
            self.keep(one)
        if len(blob.data) <= 1 << 20 and is_text(head := blob.data[: 1 << 20]):
            config = read_config(head)
            if config is not None:
                self.configs.append((blob.where, config))
                digest = sha256(head).hexdigest()
                self.keep(Found(blob.where, "config", digest, key=config.program, mode=blob.mode))


def walked(blob: Blob, phrases: Phrases | None = None, limits: Limits | None = None) -> Iterator[Found | Damage]:
    """Yield what is in one blob that is at hand, without relations and problems."""
    taking = _Taking(phrases or Phrases(), limits or Limits())
    taking.take(blob)
    yield from taking.found
    yield from taking.damage
