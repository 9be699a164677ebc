"""Takes apart what a program wrote to stdout and to stderr, where both went into one file.

stdout is written in blocks of some thousand bytes, stderr line by line: so a line of stderr may stand in the middle of
one of stdout, whose other half comes behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

#: How lines begin that OpenSSL's s_client and s_server write to stderr: of the certificate's verification, the state
#: of the handshake, and errors. Those begin with the number of the thread, to which a digit of stdout may be glued: 16
#: hexadecimal digits since 3.0, whose codes begin with the library shifted by 23 bits, and before it 15 on Linux.
ON_STDERR: Final = re.compile(
    rb"depth=\d+ |verify error:num=\d+:|verify return:\d|verify depth is \d|not(?:Before|After)=\w{3} |"
    rb"[0-9A-F]{16}:error:[08][0-9A-F]{7}:|\d{15}:error:[0-9A-F]{8}:|"
    rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{1,14}:error:[0-9A-F]{8}:|(?:read|write):errno=\d|"
    rb"SSL3 alert (?:read|write):|SSL_(?:connect|accept):|Can't use SSL_get_servername|SSL_(?:connect|accept) error"
)
#: Lines of stderr that are too short to be looked for inside others.
ALONE: Final = frozenset((b"ERROR", b"DONE", b"RENEGOTIATING", b"KEYUPDATE", b"ACCEPT"))
#: An interrupted line is not waited for longer than so many lines.
PATIENCE: Final = 4096


class Unwoven:
    """Gives whole lines: of stderr as they come, of stdout where they end, each with the number that it began on."""

    def __init__(self) -> None:
        self._begun = b""
        self._number = 0
        self._waited = 0

    @property
    def waits(self) -> bool:
        """Whether a line of stdout has begun and waits for its end."""
        return bool(self._begun)

    def feed(self, text: bytes, number: int) -> Iterator[tuple[bytes, int]]:
        """Take the next line."""
        found = ON_STDERR.search(text)
        if found is not None:
            if found.start() and not self._begun:
                self._begun = text[: found.start()]
                self._number = number
                self._waited = 0
            elif found.start():
                yield from self._end(text[: found.start()])
            yield text[found.start() :], number
        elif self._begun and text in ALONE:
            yield text, number
        elif self._begun:
            yield from self._end(text)
        else:
            yield text, number
        self._waited += 1
        if self._begun and self._waited > PATIENCE:
            yield from self._end(b"")

    def finish(self) -> Iterator[tuple[bytes, int]]:
        """Give what was begun and never ended."""
        if self._begun:
            yield from self._end(b"")

    def _end(self, rest: bytes) -> Iterator[tuple[bytes, int]]:
        begun, self._begun = self._begun, b""
        yield begun + rest, self._number
