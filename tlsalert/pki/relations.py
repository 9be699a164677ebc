"""How the things that were found belong together: which key fits which certificate, who signed whom, what is double."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from tlsalert.pki.found import Found, Use
from tlsalert.pki.signatures import signed_by
from tlsalert.pki.usage import Config

#: Places that are told of one relation: a store in a thousand archives makes no list of a thousand names each.
MOST_PLACES: Final = 64
#: Certificates of one name that are tried as issuers of one certificate, and signatures checked in all: strangers can
#: make thousands of one name.
MOST_ISSUERS: Final = 24
MOST_CHECKS: Final = 50_000

#: A file system in an image, as a place names it: what follows is a path from its root.
_IMAGE: Final = re.compile(r"[\w-]+@0x[0-9a-f]+:")


def related(found: Sequence[Found], configs: Sequence[tuple[str, Config]], roots: Sequence[str]) -> list[Found]:
    """Return the things with ``fits``, ``issued_by``, ``duplicates`` and ``used_by`` filled in.

    ``configs`` are configurations with their places, ``roots`` the folders that were named.
    """
    public = _by_spki(found, ("certificate", "csr", "public_key"))
    private = _by_spki(found, ("private_key",))
    copies = _copies(found)
    issuers = _Issuers(found)
    uses = _uses(found, configs, roots)
    made: list[Found] = []
    for one in found:
        fits: Iterable[str] = ()
        if one.spki_sha256 is not None and one.kind in ("certificate", "csr", "private_key", "public_key"):
            fits = (public if one.kind == "private_key" else private).get(one.spki_sha256, ())
        places, problems = issuers.of(one)
        made.append(
            replace(
                one,
                fits=tuple(fits),
                issued_by=places,
                duplicates=tuple(where for where in copies.get((one.kind, one.sha256), ()) if where != one.where),
                used_by=tuple(uses.get(one.where, ())),
                problems=(*one.problems, *problems),
            )
        )
    return made


def _by_spki(found: Sequence[Found], kinds: tuple[str, ...]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = defaultdict(list)
    for one in found:
        if one.kind in kinds and one.spki_sha256 is not None:
            _add(places[one.spki_sha256], one.where)
    return places


def _copies(found: Sequence[Found]) -> dict[tuple[str, str | None], list[str]]:
    places: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for one in found:
        if one.sha256 is not None:
            _add(places[one.kind, one.sha256], one.where)
    return places


def _add(places: list[str], where: str) -> None:
    if len(places) < MOST_PLACES and where not in places:
        places.append(where)


class _Issuers:
    """The certificates by their subjects; who signed one is found by its issuer's name and proved by the signature."""

    def __init__(self, found: Sequence[Found]) -> None:
        self._checks = 0
        self._known: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self._places: dict[str, list[str]] = defaultdict(list)
        self._by_name: dict[str, dict[str, Found]] = defaultdict(dict)
        for one in found:
            if one.kind == "certificate" and one.sha256 is not None and one.subject is not None:
                _add(self._places[one.sha256], one.where)
                self._by_name[one.subject].setdefault(one.sha256, one)

    def of(self, one: Found) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the places of the certificates that signed this one, and what is wrong with its signature."""
        if one.kind not in ("certificate", "crl") or one.der is None or one.issuer is None or one.sha256 is None:
            return (), ()
        if one.sha256 not in self._known:
            self._known[one.sha256] = self._search(one, one.der, one.issuer)
        return self._known[one.sha256]

    def _search(self, one: Found, der: bytes, issuer: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        wanted = None if one.certificate is None else one.certificate.issuer_key_identifier
        candidates = sorted(self._by_name.get(issuer, {}).values(), key=lambda other: not _names_key(other, wanted))
        places: list[str] = []
        wrong: list[str] = []
        for other in candidates[:MOST_ISSUERS]:
            if self._checks >= MOST_CHECKS or other.der is None:
                break
            self._checks += 1
            proved = signed_by(der, other.der)
            if proved:
                for where in self._places[other.sha256 or ""]:
                    _add(places, where)
            elif proved is False and (other.sha256 == one.sha256 or (wanted and _names_key(other, wanted))):
                wrong.append("itself" if other.sha256 == one.sha256 else f"{other.subject} ({other.where})")
        if places or not wrong:
            return tuple(places), ()
        return (), (f"it names {wrong[0]} as its issuer, whose key did not make its signature",)


def _names_key(other: Found, wanted: str | None) -> bool:
    return wanted is not None and other.certificate is not None and other.certificate.key_identifier == wanted


def _uses(found: Sequence[Found], configs: Sequence[tuple[str, Config]], roots: Sequence[str]) -> dict[str, list[Use]]:
    """Return what configurations say, by the place of what they name."""
    if not configs:
        return {}
    files, folders = _index(found)
    uses: dict[str, list[Use]] = defaultdict(list)
    for where, config in configs:
        for named in config.named:
            use = Use(where, config.program, named.section, named.role, named.settings)
            for target in resolved(where, named.path, files, folders, roots):
                for place in files.get(target, ()):
                    if len(uses[place]) < MOST_PLACES and use not in uses[place]:
                        uses[place].append(use)
    return uses


def _index(found: Sequence[Found]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the places by the file that each lies in (itself, or a key store around it), and the files by folder."""
    files: dict[str, list[str]] = defaultdict(list)
    folders: dict[str, list[str]] = defaultdict(list)
    for one in found:
        if one.kind == "config":
            continue
        file = one.where
        while True:
            _add(files[file], one.where)
            _add(folders[posixpath.dirname(file)], file)
            cut = file.rfind("!")
            if cut < 0:
                break
            file = file[:cut]
    return files, folders


def resolved(
    where: str, path: str, files: Container[str], folders: Mapping[str, Sequence[str]], roots: Sequence[str] = ()
) -> Sequence[str]:
    """Return the files that a configuration at ``where`` means by ``path``: one, or those of a folder.

    An absolute path counts from the root of the archive or image that the configuration lies in; in a folder that is
    a device's file system unpacked, from one of the folders above. At last, a file of that name beside it is taken.
    """
    outer, folder = _split(where)
    if path.startswith("/"):
        candidates = [outer + posixpath.normpath(path)]
        if not outer:
            candidates += [posixpath.normpath(above + path) for above in _above(folder)]
            candidates += [posixpath.normpath(root.rstrip("/") + path) for root in roots]
    else:
        candidates = [outer + posixpath.normpath(posixpath.join(folder, path))]
    candidates.append(outer + posixpath.join(folder, posixpath.basename(path)))
    for candidate in candidates:
        if candidate in files:
            return [candidate]
        if candidate in folders and candidate != outer + folder:
            return folders[candidate]
    return []


def _above(folder: str) -> Iterator[str]:
    while folder not in ("", "/", "."):
        yield folder
        folder = posixpath.dirname(folder)


def _split(where: str) -> tuple[str, str]:
    """Return what stands before the path in the innermost archive or image, and the folder of that path."""
    cut = where.rfind("!") + 1
    image = _IMAGE.match(where, cut)
    start = image.end() if image else cut
    return where[:start], posixpath.dirname(where[start:])
