"""Key logs: the SSLKEYLOGFILE format of NSS (RFC 9850) and the older forms that tools still write.

A line is a label, the client random and a secret, the last two in hexadecimal. Lines may come in any order, at any
time, from several files or blocks of a capture. A secret is given out as :class:`Secret`, which does not print.
"""

from __future__ import annotations

import os
import re
import stat
from binascii import Error as HexError
from binascii import hexlify, unhexlify
from collections.abc import Iterable, Iterator
from typing import Final

from mypy_extensions import i64

from tlsalert.errors import CaptureError, UsageError
from tlsalert.secrets.secret import Secret

CLIENT_RANDOM: Final = "CLIENT_RANDOM"
PMS_CLIENT_RANDOM: Final = "PMS_CLIENT_RANDOM"
CLIENT_EARLY: Final = "CLIENT_EARLY_TRAFFIC_SECRET"
CLIENT_HANDSHAKE: Final = "CLIENT_HANDSHAKE_TRAFFIC_SECRET"
SERVER_HANDSHAKE: Final = "SERVER_HANDSHAKE_TRAFFIC_SECRET"
CLIENT_TRAFFIC: Final = "CLIENT_TRAFFIC_SECRET_0"
SERVER_TRAFFIC: Final = "SERVER_TRAFFIC_SECRET_0"

#: Labels whose first value is a client random: NSS's key log format and RFC 9850 §2.1 to §2.3; PMS_CLIENT_RANDOM
#: (the premaster secret, of any length) is Wireshark's.
LABELS: Final = (
    CLIENT_RANDOM,
    PMS_CLIENT_RANDOM,
    CLIENT_EARLY,
    CLIENT_HANDSHAKE,
    SERVER_HANDSHAKE,
    CLIENT_TRAFFIC,
    SERVER_TRAFFIC,
    "EXPORTER_SECRET",
    "EARLY_EXPORTER_SECRET",
    "ECH_SECRET",
    "ECH_CONFIG",
)
MASTER_LENGTH: Final = 48
#: The longest secret that is believed: the shared secret of 16384-bit Diffie-Hellman. An ECHConfig is shorter.
MAX_SECRET: Final = 2048
#: Different secrets that are kept for one label and one random: a replayed hello has the same random again.
MAX_SAME: Final = 16
#: Secrets of all labels that are kept for one random; each that comes is compared with them.
MAX_OF_ONE: Final = 256
#: A longer line is not one of a key log.
MAX_LINE: Final = 16384
CHUNK: Final = 1 << 18
#: The bytes of byte order marks, in UTF-8 and UTF-16.
_MARKS: Final = b"\xef\xbb\xbf\xff\xfe"

_CODES: Final = {label.encode(): code for code, label in enumerate(LABELS)}
_ANY_LENGTH: Final = tuple(LABELS.index(label) for label in (PMS_CLIENT_RANDOM, "ECH_SECRET", "ECH_CONFIG"))
_NUMBERED: Final = re.compile(rb"(?:CLIENT|SERVER)_TRAFFIC_SECRET_[1-9][0-9]{0,2}\Z")
_ANYWHERE: Final = re.compile(
    rb"\b((?:QUIC_)?(?:%s|(?:CLIENT|SERVER)_TRAFFIC_SECRET_[1-9]\d{0,2}))[ \t]+([0-9A-Fa-f]{64})[ \t]+([0-9A-Fa-f]+)\b"
    % b"|".join(sorted(_CODES, reverse=True))
)
_RSA: Final = re.compile(rb"\bRSA[ \t]+([0-9A-Fa-f]{16})[ \t]+([0-9A-Fa-f]{96})\b")
_RSA_SESSION: Final = re.compile(
    rb"\bRSA[ \t]+Session-ID:[ \t]*([0-9A-Fa-f]{0,64})[ \t]+Master-Key:[ \t]*([0-9A-Fa-f]{96})\b"
)
_UNKNOWN_LABEL: Final = re.compile(rb"[A-Z][A-Z0-9_]+[ \t]+[0-9A-Fa-f]+[ \t]+[0-9A-Fa-f]+\s*\Z")


class Secrets:
    """What is known under one client random. Its repr names the labels and shows no secret."""

    __slots__ = ("_entries", "client_random")

    def __init__(self, client_random: bytes, entries: Iterable[tuple[str, bytes]]) -> None:
        self.client_random = client_random
        self._entries: dict[str, tuple[Secret, ...]] = {}
        for label, secret in entries:
            found = self._entries.get(label, ())
            if secret not in found:
                self._entries[label] = (*found, Secret(secret))

    def get(self, label: str) -> Secret | None:
        """Return the newest secret with ``label``, or None."""
        found = self._entries.get(label)
        return found[-1] if found else None

    def all(self, label: str) -> tuple[Secret, ...]:
        """Return every secret with ``label``, the newest first: a random that was used twice has several."""
        return self._entries.get(label, ())[::-1]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that there are secrets for."""
        return tuple(self._entries)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self.labels)})"


class KeyLog:
    """Secrets by client random, from any number of files and blocks; memory is about that of the text.

    ``generation`` counts up whenever a secret came in that was not there: who failed for lack of one may try again.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._by_random: dict[bytes, bytes] = {}
        self._heads: dict[int, bytes] = {}  # what stands before a secret: its label's code, and its length
        self._premasters: dict[bytes, Secret] = {}
        self._sessions: dict[bytes, Secret] = {}
        self._labels: list[str] = list(LABELS)
        self._codes: dict[bytes, int] = dict(_CODES)
        self._files: list[_File] = []
        self._complaints: dict[str, _Complaint] = {}
        self._crowded = False

    def __len__(self) -> int:
        return len(self._by_random) + len(self._premasters) + len(self._sessions)

    def __repr__(self) -> str:
        return f"<key log with secrets of {len(self)} handshakes>"

    # -- what goes in

    def add(self, text: bytes, source: str = "key log") -> None:
        """Take a whole key log, or a block of one such as a capture holds (pcapng's type TLSK)."""
        reader = _Lines(source)
        self._take(reader.feed(text), reader)
        self._take(reader.end(), reader)
        self._complain(reader)

    def put(self, label: str, client_random: bytes, secret: bytes) -> None:
        """Take one secret under the label it has in a key log."""
        self._store(self._code(label.encode()), client_random, secret)

    def follow(self, path: str | os.PathLike[str]) -> None:
        """Read a file, and read on whenever :meth:`refresh` is called; a pipe is read to its end at once.

        Raises :class:`CaptureError` where it cannot be read.
        """
        file = _File(os.fspath(path))
        self._read(file)
        self._files.append(file)

    def refresh(self, final: bool = False) -> bool:
        """Read what was appended to the files since; say whether that brought secrets.

        A last line without its end waits for the rest of it, unless this is the ``final`` call.
        """
        before = self.generation
        for file in self._files:
            self._read(file)
            if final:
                self._take(file.lines.end(), file.lines)
                self._complain(file.lines)
        return self.generation != before

    # -- what comes out

    def secrets(self, client_random: bytes) -> Secrets | None:
        """Return what is known under a client random, or None."""
        found = self._by_random.get(client_random)
        return None if found is None else Secrets(client_random, self._unpack(found))

    def find(self, client_random: bytes, label: str) -> list[Secret]:
        """Return the secrets with one label, the newest first: :meth:`secrets` for those in a hurry."""
        found, code = self._by_random.get(client_random), self._codes.get(label.encode())
        if found is None or code is None:
            return []
        return [Secret(secret) for held, secret in _parts(found) if held == code][::-1]

    def only(self, client_random: bytes, label: str) -> bytes:
        """Return the secret with one label, for those in the greatest hurry; nothing where there are none or several.

        It is plain bytes, which print: whoever asks keeps it to itself.
        """
        found, code = self._by_random.get(client_random), self._codes.get(label.encode())
        if found is None or code is None:
            return b""
        only = b""
        at: i64 = 0
        size: i64 = len(found)
        while at < size:
            end: i64 = at + 3 + (i64(found[at + 1]) << 8 | i64(found[at + 2]))
            if i64(found[at]) == code:
                if len(only) > 0:
                    return b""
                only = found[at + 3 : end]
            at = end
        return only

    def later(self, client_random: bytes, label: str) -> list[tuple[int, Secret]]:
        """Return the traffic secrets that were logged after KeyUpdates (NSS numbers them on), with their numbers."""
        if len(self._labels) == len(LABELS):
            return []
        secrets, stem = self.secrets(client_random), label[:-1]
        labels = () if secrets is None else secrets.labels
        numbered = [name for name in labels if name.startswith(stem) and name != label]
        return (
            [(int(name[len(stem) :]), secret) for name in numbered for secret in secrets.all(name)] if secrets else []
        )

    def premaster(self, encrypted: bytes) -> Secret | None:
        """Return the premaster secret logged for an encrypted one, of which the log has the first 8 bytes."""
        return self._premasters.get(encrypted[:8])

    def master(self, session_id: bytes) -> Secret | None:
        """Return the master secret that was logged for a session ID."""
        return self._sessions.get(session_id) if session_id else None

    def entries(self) -> Iterator[tuple[str, bytes, Secret]]:
        """Go through all entries that have a client random: label, random, secret."""
        for client_random, found in self._by_random.items():
            for label, secret in self._unpack(found):
                yield label, client_random, Secret(secret)

    @property
    def problems(self) -> list[str]:
        """What could not be understood, one sentence a source, or was too much. No sentence quotes a line."""
        told = [complaint.sentence(source) for source, complaint in self._complaints.items()]
        if self._crowded:
            told.append("key log: some secrets were left out: there are too many for one client random")
        return told

    # -- the rest

    def _read(self, file: _File) -> None:
        for chunk in file.appended():
            self._take(file.lines.feed(chunk), file.lines)
        if file.done:
            self._take(file.lines.end(), file.lines)
        self._complain(file.lines)

    def _take(self, lines: Iterable[bytes], reader: _Lines) -> None:
        codes = self._codes
        for number, line in enumerate(lines, reader.number + 1):
            reader.number = number
            if len(line) > MAX_LINE:
                reader.complain(number, "it is too long")
                continue
            parts = (line if number > 1 else line.lstrip(_MARKS)).split()
            if not parts or parts[0].startswith(b"#"):
                continue
            if len(parts) == 3 and (code := codes.get(parts[0])) is not None and len(parts[1]) == 64:
                try:
                    client_random, secret = unhexlify(parts[1]), unhexlify(parts[2])
                except (HexError, ValueError):
                    reader.complain(number, "it is not hexadecimal")
                    continue
                if self._fits(code, secret):
                    self._store(code, client_random, secret)
                    reader.found += 1
                else:
                    reader.complain(number, "the secret has an impossible length")
            elif self._odd(line):
                reader.found += 1
            elif _UNKNOWN_LABEL.match(line) and parts[0] not in codes and parts[0] != b"RSA":
                reader.found += 1  # labels of tomorrow are none of our business, RFC 9850 §2
            else:
                reader.complain(number, "it has no label, client random and secret")

    def _odd(self, line: bytes) -> bool:
        """Read a line of another form: NSS's RSA, old OpenSSL's session, or a line with something around it."""
        if match := _RSA_SESSION.search(line):
            return self._keep(self._sessions, unhexlify(match[1]), unhexlify(match[2]))
        if match := _RSA.search(line):
            return self._keep(self._premasters, unhexlify(match[1]), unhexlify(match[2]))
        if not (match := _ANYWHERE.search(line)) or len(match[3]) % 2:
            return False
        code, secret = self._code(match[1].removeprefix(b"QUIC_")), unhexlify(match[3])
        if not self._fits(code, secret):
            return False
        self._store(code, unhexlify(match[2]), secret)
        return True

    def _code(self, label: bytes) -> int:
        code = self._codes.get(label)
        if code is None:
            if not _NUMBERED.match(label):
                raise UsageError("that is no label of a key log", "key log")
            if len(self._labels) == 0xFF:
                return 0xFF  # nobody has logged so many updates; entries() leaves them out
            self._labels.append(label.decode())
            code = self._codes[label] = len(self._labels) - 1
        return code

    def _fits(self, code: int, secret: bytes) -> bool:
        if code == 0:
            return len(secret) == MASTER_LENGTH
        if code in _ANY_LENGTH:
            return 0 < len(secret) <= MAX_SECRET
        return len(secret) in (32, 48, 64)  # as long as the hash of a TLS 1.3 cipher suite

    def _store(self, code: int, client_random: bytes, secret: bytes) -> None:
        found = self._by_random.get(client_random, b"")
        same: i64 = 0
        all_of_it: i64 = 0
        at: i64 = 0
        size: i64 = len(found)
        while at < size:
            end: i64 = at + 3 + (i64(found[at + 1]) << 8 | i64(found[at + 2]))
            all_of_it += 1
            if i64(found[at]) == code:
                same += 1
                if found[at + 3 : end] == secret:
                    return
            at = end
        if same >= MAX_SAME or all_of_it >= MAX_OF_ONE:
            self._crowded = True
            return
        entry = self._heads.get(code << 16 | len(secret))
        if entry is None:
            entry = bytes((code, len(secret) >> 8, len(secret) & 0xFF))
            self._heads[code << 16 | len(secret)] = entry
        self._by_random[client_random] = found + entry + secret
        self.generation += 1

    def _keep(self, table: dict[bytes, Secret], key: bytes, secret: bytes) -> bool:
        if table.get(key) != secret:
            table[key] = Secret(secret)
            self.generation += 1
        return True

    def _unpack(self, found: bytes) -> Iterator[tuple[str, bytes]]:
        labels = self._labels
        for code, secret in _parts(found):
            if code < len(labels):
                yield labels[code], secret

    def _complain(self, reader: _Lines) -> None:
        if reader.malformed or (reader.number and not reader.found and not len(self)):
            self._complaints[reader.source] = _Complaint(reader.malformed, reader.first, reader.why, reader.found)


def write_keylog(path: str | os.PathLike[str], entries: Iterable[tuple[str, bytes, bytes]]) -> int:
    """Write label, client random and secret of each entry to a new file of mode 0600; return how many lines that made.

    Raises :class:`UsageError` where something has that name already, be it a link: evidence is not overwritten.
    """
    name = os.fspath(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(name, flags, 0o600)
    except FileExistsError:
        raise UsageError("is there already", name, "name a file that does not exist yet") from None
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", name) from None
    with os.fdopen(handle, "wb") as file:
        lines = 0
        for label, client_random, secret in dict.fromkeys(entries):
            file.write(b"%s %s %s\n" % (label.encode(), hexlify(client_random), hexlify(secret)))
            lines += 1
    return lines


class _Complaint:
    """What was wrong with one source, without its content."""

    def __init__(self, malformed: int, first: int, why: str, found: int) -> None:
        self.malformed, self.first, self.why, self.found = malformed, first, why, found

    def sentence(self, source: str) -> str:
        if not self.found:
            return f"{source}: no line of it is one of a key log"
        if self.malformed == 1:
            return f"{source}: line {self.first} was left out: {self.why}"
        return f"{source}: {self.malformed} lines were left out, the first is line {self.first}: {self.why}"


class _Lines:
    """Cuts bytes into lines, counts them, and holds back the last one until it is whole."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.number = 0
        self.found = 0
        self.malformed = 0
        self.first = 0
        self.why = ""
        self._rest = b""
        self._passing = False

    def feed(self, data: bytes) -> list[bytes]:
        lines = (self._rest + data.replace(b"\0", b"")).split(b"\n")  # PowerShell redirects as UTF-16
        self._rest = lines.pop()
        if self._passing and lines:
            lines[0] = b"#"  # the end of a line whose beginning was passed over
            self._passing = False
        if len(self._rest) > MAX_LINE:
            if not self._passing:
                self.complain(self.number + len(lines) + 1, "it is too long")
            self._rest, self._passing = b"", True
        return lines

    def end(self) -> list[bytes]:
        rest, self._rest = self._rest, b""
        return [rest] if rest and not self._passing else []

    def restart(self) -> None:
        """Begin again with line 1: the file was written anew."""
        self._rest, self._passing, self.number = b"", False, 0

    def complain(self, number: int, why: str) -> None:
        self.malformed += 1
        if self.malformed == 1:
            self.first, self.why = number, why


class _File:
    """A file that may grow, be cut and written anew, or be a pipe."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lines = _Lines(path)
        self._at = 0
        self._identity: tuple[int, int] | None = None
        self.done = False

    def appended(self) -> Iterator[bytes]:
        """Read what came since the last time, in chunks."""
        if self.done:
            return
        try:
            with open(self.path, "rb", buffering=0) as file:
                yield from self._chunks(file.fileno())
        except OSError as error:
            if self._identity is not None:
                return  # it was there once: rotated away, and perhaps back the next time
            raise CaptureError(f"cannot be read: {error.strerror}", self.path) from None

    def _chunks(self, handle: int) -> Iterator[bytes]:
        status = os.fstat(handle)
        if stat.S_ISREG(status.st_mode):
            identity = status.st_dev, status.st_ino
            if identity != self._identity or status.st_size < self._at:
                self._at, self._identity = 0, identity
                self.lines.restart()
            os.lseek(handle, self._at, os.SEEK_SET)
        else:
            self.done, self._identity = True, (0, 0)
        while chunk := os.read(handle, CHUNK):
            self._at += len(chunk)
            yield chunk


def _parts(found: bytes) -> list[tuple[int, bytes]]:
    at, parts = 0, []
    while at < len(found):
        end = at + 3 + (found[at + 1] << 8 | found[at + 2])
        parts.append((found[at], found[at + 3 : end]))
        at = end
    return parts
