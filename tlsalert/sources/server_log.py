"""Logs of servers and daemons: each line goes to the reader of the program that wrote it, and connections come out.

One file may hold many programs, as syslog's do, and what they say is interleaved. What no program's reader takes is
looked at as a single error line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol

from tlsalert.model import Certificate, Connection
from tlsalert.sources.apache_log import ApacheLog
from tlsalert.sources.error_lines import ErrorLines
from tlsalert.sources.haproxy_log import HaproxyLog
from tlsalert.sources.log import Log
from tlsalert.sources.mail_log import DovecotLog, PostfixLog
from tlsalert.sources.nginx_log import NginxLog
from tlsalert.sources.openvpn_log import OpenvpnLog
from tlsalert.sources.stamps import Entry, Stamps, written_last
from tlsalert.sources.stunnel_log import StunnelLog
from tlsalert.sources.talks import Talks
from tlsalert.wire.transcript import Keeping

#: A line without any of this tells nothing of TLS, and is not looked at further.
WORTH: Final = re.compile(
    rb"(?i)ssl|tls|https|haproxy|alert|certificate|verif|LOG[0-7]\[|connect|depth=|error:|link (?:local|remote)|"
    rb"SIG[A-Z0-9]+\[|handshak|code: '"
)


class Speaker(Protocol):
    """The reader of one program's lines."""

    name: str

    def takes(self, entry: Entry) -> bool:
        """Whether a line is the program's."""

    def line(self, entry: Entry, number: int) -> None:
        """Take a line of the program."""


class ServerLog:
    """A log of servers and daemons, in words."""

    def __init__(self, source: str) -> None:
        self.timed = False
        self.began: int | None = None
        self.ended: int | None = None
        self.chain: tuple[Certificate, ...] = ()
        self._stamps = Stamps(written_last(source))
        self._talks = Talks(source)
        self._speakers: tuple[Speaker, ...] = (
            StunnelLog(self._talks),
            NginxLog(self._talks),
            HaproxyLog(self._talks),
            PostfixLog(self._talks),
            DovecotLog(self._talks),
            ApacheLog(self._talks),
            OpenvpnLog(self._talks),
            ErrorLines(self._talks),
        )

    def line(self, text: bytes, number: int) -> None:
        """Take line ``number`` (from 1)."""
        if WORTH.search(text) is None:
            return
        entry = self._stamps.read(text)
        if entry.time is not None:
            self.timed = True
            self.began = entry.time if self.began is None else min(self.began, entry.time)
            self.ended = entry.time if self.ended is None else max(self.ended, entry.time)
        for speaker in self._speakers:
            if speaker.takes(entry):
                speaker.line(entry, number)
                return

    def take(self) -> Sequence[Connection]:
        """Return what has ended since the last call."""
        return self._talks.take()

    def finish(self) -> None:
        """Say that there are no more lines."""
        self._talks.end_all()

    def notes(self) -> Sequence[str]:
        """Return what is to be said of the log as a whole."""
        notes = []
        if self._stamps.yearless:
            notes.append("its times name no year: it is taken from when the file was written last")
        if self._stamps.zoneless:
            notes.append("its times name no time zone: they are taken as UTC")
        if self._talks.given_up:
            notes.append(
                f"{self._talks.given_up} connections were told before their last lines: too many were open at once"
            )
        return notes


def open_log(source: str, keeping: Keeping) -> Log:
    """Return a fresh log; nothing in it can be decrypted, so nothing is kept."""
    return ServerLog(source)
