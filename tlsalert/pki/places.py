"""Where things are looked for: files and folders, captures, logs, and what the system itself trusts."""

from __future__ import annotations

import mmap
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec

from tlsalert.errors import CaptureError, TlsalertError
from tlsalert.model import Certificate, Connection
from tlsalert.pki.containers import Blob, Damage, Data, Limits
from tlsalert.pki.found import Found
from tlsalert.pki.objects import certificate_found
from tlsalert.sources.files import ByteSource
from tlsalert.sources.log import kind_of
from tlsalert.sources.recognise import evidence_kind

#: Larger files are mapped, and read in pieces as they are looked through.
MAPPED = 64 << 20
#: How far a log is looked at for the lines that show what it is.
LOOKED_AT = 1 << 18
#: The certificates that systems trust, where they keep them: Debian, Red Hat, SUSE, Alpine, the BSDs, and Java's own.
TRUST_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
    "/etc/ssl/certs/java/cacerts",
    "/etc/pki/java/cacerts",
)


def contents(path: str, done: Callable[[int], None] | None = None) -> Iterator[Blob | Found | Damage]:
    """Yield the files at a path, or what a capture or a log at it shows; "-" is standard input.

    ``done`` is called with the bytes of each file once it was gone through; :func:`sizes` tells of how many there are.
    Raises :class:`CaptureError` where it cannot be read.
    """
    if path == "-":
        yield from _stdin()
    elif os.path.isdir(path):
        yield from _folder(path, done)
    else:
        yield from _file(path)
        if done is not None:
            done(_size(path))


def sizes(paths: Iterable[str]) -> list[int]:
    """Return the bytes of each file that :func:`contents` would go through at these paths."""
    found: list[int] = []
    for path in paths:
        if not os.path.isdir(path):
            found.append(_size(path))
            continue
        for folder, _, files in os.walk(path):
            every = (os.path.join(folder, name) for name in files)
            found += [_size(one) for one in every if os.path.isfile(one) and not os.path.islink(one)]
    return found


def trust_stores() -> list[str]:
    """Return the files with the certificates that this system trusts; one that several names lead to counts once."""
    import ssl

    standard = ssl.get_default_verify_paths()
    known = [*TRUST_STORES, *(path for path in (standard.cafile, standard.capath) if path)]
    there = {os.path.realpath(path): path for path in reversed(known) if os.path.exists(path)}
    return sorted(there.values(), key=known.index)


def _stdin() -> Iterator[Blob | Damage]:
    if sys.stdin is None:
        raise CaptureError("standard input is closed", "-")
    most = Limits().member_bytes
    data = sys.stdin.buffer.read(most + 1)
    yield Blob("-", data[:most])
    if len(data) > most:
        yield Damage("-", f"only the first {most >> 20} MiB are read from a pipe; write it to a file and name that")


def _size(path: str) -> int:
    """Return a file's bytes; none for a pipe, or what is not there."""
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def _folder(path: str, done: Callable[[int], None] | None) -> Iterator[Blob | Found | Damage]:
    """Yield the files under a folder in the order of their names; links that lead out of it are told, not followed."""
    root = os.path.realpath(path)
    failed: list[OSError] = []
    for folder, folders, files in os.walk(path, onerror=failed.append):
        folders.sort()
        leaving: list[tuple[str, str]] = []
        for name in sorted({*files, *(one for one in folders if os.path.islink(os.path.join(folder, one)))}):
            one = os.path.join(folder, name)
            if os.path.islink(one):
                target = os.path.realpath(one)
                if os.path.exists(target) and os.path.commonpath((root, target)) != root:
                    leaving.append((one, target))
            elif os.path.isfile(one):
                yield from _inside(one)
                if done is not None:
                    done(_size(one))
        if leaving:
            yield Damage(leaving[0][0], _leaving(leaving, path))
    for error in failed:
        yield Damage(error.filename or path, f"cannot be read: {error.strerror}")


def _leaving(links: list[tuple[str, str]], path: str) -> str:
    more = f", as do {len(links) - 1} others in the same folder" if len(links) > 1 else ""
    return f"the link leads out of {path} to {links[0][1]}{more}: not followed"


def _inside(path: str) -> Iterator[Blob | Found | Damage]:
    """Yield a file of a folder: one that cannot be read is told and the others are still read."""
    try:
        yield from _file(path)
    except TlsalertError as error:
        yield Damage(path, str(error).removeprefix(f"{path}: "))


def _file(path: str) -> Iterator[Blob | Found | Damage]:
    kind = _kind(path)
    if kind == "capture":
        yield from _connections(path)
    elif kind == "strace":
        yield from _trace(path)
    else:
        data, mode = _read(path)
        yield Blob(path, data, 0, mode)
        if kind == "log":
            yield from _of_log(path)


def _kind(path: str) -> str | None:
    """Return "capture", "strace" or "log" (of another kind that shows handshakes); None for any other file."""
    with ByteSource(path) as source:
        try:
            kind = evidence_kind(source.head, source.name, source.damage)
        except TlsalertError:
            return None
        if kind != "log":
            return "capture"
        head = source.head
        for chunk in source.chunks():
            head = chunk if chunk.startswith(head) else head + chunk
            if len(head) >= LOOKED_AT:
                break
    for line in head.split(b"\n"):
        known = kind_of(line)
        if known is not None:
            return "strace" if known.name.startswith("strace") else "log"
    return None


def _read(path: str) -> tuple[Data, int]:
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            mode = stat.S_IMODE(status.st_mode)
            if status.st_size > MAPPED:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), mode
            return file.read(MAPPED + 1), mode
    except OSError as error:
        raise CaptureError(error.strerror or str(error), path) from error


def _connections(path: str, logged: bool = False) -> Iterator[Found | Damage]:
    """Yield the certificates that the handshakes in a capture or a log show, each once for each side that sent it."""
    from tlsalert.capture import open_evidence

    reader = open_evidence(path)
    told: set[tuple[str, str]] = set()
    for connection in reader:
        for side, chain in (("server", connection.certificates.server), ("client", connection.certificates.client)):
            for certificate in chain:
                if certificate.der and (side, certificate.sha256) not in told:  # logs of words know names alone
                    told.add((side, certificate.sha256))
                    yield from _shown(path, connection, side, certificate)
    if not logged:  # what is odd about a log's times or lines says nothing of certificates
        for note in reader.summary.notes:
            yield Damage(path, note)


def _of_log(path: str) -> Iterator[Found | Damage]:
    """Yield what a log's handshakes show; one that is not understood was still looked through as a text."""
    try:
        yield from _connections(path, logged=True)
    except TlsalertError as error:
        yield Damage(path, str(error).removeprefix(f"{path}: "))


def _shown(path: str, connection: Connection, side: str, certificate: Certificate) -> Iterator[Found | Damage]:
    blob = Blob(f"{path}!#{connection.connection}:{side}", b"")
    yield from certificate_found(certificate.der, blob, 0)


def _trace(path: str) -> Iterator[Blob | Found | Damage]:
    """Yield the files that a traced program read and wrote, and the certificates of its handshakes."""
    if find_spec("tlsalert.sources.strace_files") is not None:
        from importlib import import_module

        with ByteSource(path) as source:
            for piece in import_module("tlsalert.sources.strace_files").pieces(source.chunks()):
                blob = Blob(path, b"").member(piece.path, piece.data)
                yield blob
                if piece.cut or piece.missing:
                    yield Damage(blob.where, "the trace does not show all of the file; record it with strace -s 65536")
    yield from _of_log(path)
