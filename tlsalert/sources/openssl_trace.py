"""What ``openssl s_client -trace`` prints of messages (ssl/t1_trce.c): everything decoded, nothing as bytes.

The hellos are put together again from what is printed of them, for the clock in their random and for what was offered
and chosen. Extensions are printed in many ways: only those of which all is printed come back, so no fingerprint can be
made of such a hello.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from tlsalert.sources.spellings import message_code
from tlsalert.sources.talk import CERTIFICATE, CLIENT_HELLO, SERVER_HELLO, Grade, Talk

_MESSAGE: Final = re.compile(rb"    (?:Unsupported|Unknown|([A-Z]\w+)), Length=(\d{1,8})\s*$")
_ALERT: Final = re.compile(rb"    Level=\w+\((\d{1,3})\), description=[^()]*\((\d{1,3})\)")
_VERSION: Final = re.compile(rb"      (?:client|server)_version=0x([0-9a-fA-F]{1,4})")
_TIME: Final = re.compile(rb"\s+gmt_unix_time=0x([0-9a-fA-F]{8})")
_RANDOM: Final = re.compile(rb"\s+random_bytes \(len=28\): ([0-9A-F]{56})")
_SESSION: Final = re.compile(rb"      session_id \(len=(\d{1,2})\): ([0-9A-F]*)")
_SUITE: Final = re.compile(rb"\s+(?:cipher_suite )?\{0x([0-9A-F]{2}), 0x([0-9A-F]{2})\}")
_COMPRESSION: Final = re.compile(rb"\s+(?:compression_method: )?[\w ]*\(0x([0-9A-Fa-f]{2})\)")
_EXTENSION: Final = re.compile(rb"\s+extension_type=[^()]*\((\d{1,5})\), length=(\d{1,5})")
_NUMBER: Final = re.compile(rb"\s+.*\((?:0x([0-9a-f]{4})|(\d{1,5}))\)\s*$")
_DUMP: Final = re.compile(rb"\s+[0-9a-f]{4} - ((?:[0-9a-f]{2}[ -]?){1,16})  ")
_CHANGE: Final = re.compile(rb"    change_cipher_spec \(1\)")

#: Extensions whose numbers are printed one by one: supported_versions, supported_groups, signature_algorithms.
LISTS: Final = {43: 1, 10: 2, 13: 2}
SUPPORTED_VERSIONS: Final = 43
MOST_SUITES: Final = 1000


class Trace:
    """Takes the lines of -trace behind "Sent Record" and "Received Record".

    ``hello`` gives the session of a ClientHello that comes at a line, ``alert`` takes an alert. ``certificates`` says
    whose certificates are printed now: the program's own, its peer's, or nobody's.
    """

    def __init__(self, hello: Callable[[int], Talk], alert: Callable[[bool, int, int, int, Grade], None]) -> None:
        self.certificates: bool | None = None
        self._hello = hello
        self._alert = alert
        self._talk: Talk | None = None
        self._own = False
        self._code = -1
        self._size = 0
        self._place = 0
        self._parts: _Hello | None = None

    def record(self, talk: Talk, own: bool) -> None:
        """Begin a record."""
        self.finish()
        self._talk = talk
        self._own = own
        self.certificates = None

    def line(self, line: bytes, at: int) -> None:
        """Take a line of what is in the record."""
        talk = self._talk
        if talk is None:
            return
        if found := _MESSAGE.match(line):
            self._begin(found, at)
        elif found := _ALERT.match(line):
            self.finish()
            self._alert(self._own, int(found[1]) & 0xFF, int(found[2]) & 0xFF, at, Grade.detail)
        elif _CHANGE.match(line):
            self.finish()
            talk.change(self._own, at, Grade.detail)
        elif self._parts is not None:
            self._parts.line(line)

    def finish(self) -> None:
        """End the message in the making."""
        code, self._code = self._code, -1
        parts, self._parts = self._parts, None
        if code < 0 or self._talk is None:
            return
        if code == CLIENT_HELLO:
            self._talk = self._hello(self._place)
        body = None if parts is None else parts.body(code)
        if body is not None:
            self._talk.facts.rebuilt = True
        self._talk.message(self._own, code, self._place, Grade.detail, self._size, body)

    def _begin(self, found: re.Match[bytes], at: int) -> None:
        self.finish()
        name = found[1]
        code = None if name is None else message_code(name.decode())
        self.certificates = self._own if code == CERTIFICATE else None
        if code is None:
            return
        self._code = code
        self._size = int(found[2])
        self._place = at
        self._parts = _Hello() if code in (CLIENT_HELLO, SERVER_HELLO) else None


class _Hello:
    """A hello in parts."""

    def __init__(self) -> None:
        self._version = b""
        self._time = b""
        self._random = b""
        self._session: bytes | None = None
        self._suites = bytearray()
        self._compression = bytearray()
        self._extension = -1
        self._extensions: dict[int, bytearray] = {}
        self._dumped: dict[int, bytearray] = {}

    def line(self, line: bytes) -> None:
        """Take a line of it."""
        if found := _VERSION.match(line):
            self._version = int(found[1], 16).to_bytes(2, "big")
        elif found := _TIME.match(line):
            self._time = bytes.fromhex(found[1].decode())
        elif found := _RANDOM.match(line):
            self._random = bytes.fromhex(found[1].decode())
        elif found := _SESSION.match(line):
            self._session = bytes.fromhex(found[2].decode()[: len(found[2]) & ~1])[:32]
        elif found := _EXTENSION.match(line):
            self._extension = int(found[1])
            if len(self._extensions) < MOST_SUITES:
                self._extensions[self._extension] = bytearray()
        elif self._extension >= 0:
            self._inside(line)
        elif (found := _SUITE.match(line)) and len(self._suites) < 2 * MOST_SUITES:
            self._suites += bytes.fromhex((found[1] + found[2]).decode())
        elif found := _COMPRESSION.match(line):
            self._compression += bytes.fromhex(found[1].decode())[:1]

    def body(self, code: int) -> bytes | None:
        """Return the message's body; None where a part is missing without which there is none."""
        if not self._version or len(self._time) != 4 or len(self._random) != 28 or self._session is None:
            return None
        session = bytes((len(self._session),)) + self._session
        head = self._version + self._time + self._random + session
        extensions = b""
        for kind, said in self._known(code == SERVER_HELLO):
            extensions += kind.to_bytes(2, "big") + len(said).to_bytes(2, "big") + said
        block = len(extensions).to_bytes(2, "big") + extensions if extensions else b""
        if code == SERVER_HELLO:
            return head + bytes(self._suites[:2]) + bytes(self._compression[:1] or b"\0") + block
        suites, compression = bytes(self._suites), bytes(self._compression[:255])
        return head + _counted(suites, 2) + _counted(compression or b"\0", 1) + block

    def _inside(self, line: bytes) -> None:
        """Take a line of an extension."""
        kind = self._extension
        if found := _DUMP.match(line):
            dumped = self._dumped.setdefault(kind, bytearray())
            if len(dumped) < 4096:
                dumped += bytes.fromhex(found[1].replace(b"-", b" ").decode())
        elif kind in LISTS and (found := _NUMBER.match(line)):
            number = int(found[1], 16) if found[1] else int(found[2])
            if len(self._extensions.get(kind, b"")) < 2 * MOST_SUITES and number <= 0xFFFF:
                self._extensions[kind] += number.to_bytes(2, "big")

    def _known(self, server: bool) -> list[tuple[int, bytes]]:
        """Return the extensions of which all is known."""
        known = []
        for kind, numbers in self._extensions.items():
            if kind in self._dumped:
                known.append((kind, bytes(self._dumped[kind])))
            elif kind in LISTS and numbers:
                alone = server and kind == SUPPORTED_VERSIONS
                known.append((kind, bytes(numbers[:2]) if alone else _counted(bytes(numbers), LISTS[kind])))
        return known


def _counted(data: bytes, size: int) -> bytes:
    """Return a vector: its length in ``size`` bytes, and what is in it."""
    return len(data).to_bytes(size, "big") + data
