"""Logs of tracers other than strace: they are recognised, so that whoever gives one is told what to record instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from tlsalert.errors import CaptureError
from tlsalert.model import Certificate, Connection
from tlsalert.wire.conversation import Conversation
from tlsalert.wire.transcript import Keeping

#: Tracers by what one of their lines looks like: perf-trace(1), dtruss(1m), truss(1) of FreeBSD and Solaris, ltrace(1).
OTHER_TRACES: dict[str, bytes] = {
    "perf trace": rb"^ *\d+\.\d{3} \( *(?:\d+\.\d{3} ms)? *\): ",
    "dtruss": rb"^(?: *\d+/0x[0-9a-f]+: +)?[a-z_]\w*\(.*0x.*\)\t\t = -?\d+ (?:-?\d+|Err#\d+)$"
    rb"|^SYSCALL\(args\) \t\t = return",
    "truss": rb"^(?:\d+: )?(?:\d+\.\d+ +)?[a-z_]\w*\(.*\)\s+"
    rb"(?:= -?\d+ \(0x[0-9a-f]+\)|ERR#\d+ '.*'|Err#\d+ \w+|argc = \d+)$",
    "ltrace": rb"^(?:\[pid +\d+\] |\d+ +)?(?:\d\d:\d\d:\d\d\S* )?"
    rb"(?:__libc_start_main\(|\+\+\+ exited \(status \d+\) \+\+\+|[\w.+-]+(?:->\w+|@\w+)\()",
}
_MEND = "record with strace -f -tt -s 65536 -o FILE COMMAND, or capture the network"


class OtherTrace:
    """A log that is not read: its first line says so."""

    timed = False
    began: int | None = None
    ended: int | None = None
    chain: tuple[Certificate, ...] = ()

    def __init__(self, source: str) -> None:
        self._source = source

    def line(self, text: bytes, number: int) -> NoReturn:
        """Raise :class:`CaptureError` that names the tracer."""
        raise CaptureError(
            "a log of perf trace, dtruss, truss or ltrace: of these tracers' logs only strace's are read",
            self._source,
            _MEND,
        )

    def take(self) -> Sequence[Conversation | Connection]:
        """Return nothing."""
        return ()

    def finish(self) -> None:
        """Do nothing."""

    def notes(self) -> Sequence[str]:
        """Return nothing."""
        return ()


def open_log(source: str, keeping: Keeping) -> OtherTrace:
    """Return a log that is not read."""
    return OtherTrace(source)
