"""Opens what was kept of a connection, and tells its messages and alerts as if they had been in clear.

Up to TLS 1.2 the outer content type says what a record holds: of application data only the first records of each side
are opened, for the sake of an HTTP answer in them. In TLS 1.3 a record has to be opened to know.
"""

from __future__ import annotations

from typing import Final

from tlsalert.model import HANDSHAKE_KEYS, Side
from tlsalert.secrets.keyring import Keyring
from tlsalert.secrets.stream import Decryptor, Plaintext, Record
from tlsalert.wire.opened import INSIDE, Opened
from tlsalert.wire.transcript import (
    CHANGE_CIPHER_SPEC,
    GAP,
    HANDSHAKE,
    RUN,
    SHORT,
    SSLV2,
    TLS13,
    Event,
    Transcript,
    in_order,
)

ALERT, APPLICATION_DATA = 21, 23
LATE_SENDERS: Final = "Mbed TLS 3.5 and Erlang/OTP do so; Wireshark cannot read it"
#: Records of application data of one side after which only short ones are opened: they may be alerts.
ENOUGH: Final = 8


def reveal(transcript: Transcript, client: int, keyring: Keyring, everything: bool = False) -> bool:
    """Open the protected records that were kept of a connection, and put what was in them into its transcript.

    ``client`` is the side of the client, 0 or 1; ``everything`` opens all application data that was kept. What stays
    shut, and why, becomes notes. Returns whether anything was opened; secrets that come later may open more.
    """
    kept = transcript.kept
    if kept is None or not any(item.code < 0 and item.body is not None for item in kept.items):
        return False
    reader = _Reader(transcript, client, keyring, everything)
    for item in in_order(kept.items):
        reader.take(item)
    return reader.finish()


class _Reader:
    """One connection's way through the decryptor."""

    def __init__(self, transcript: Transcript, client: int, keyring: Keyring, everything: bool) -> None:
        self.transcript = transcript
        self.sides: tuple[Side, Side] = ("client", "server") if client == 0 else ("server", "client")
        self.decryptor = Decryptor(keyring)
        self.opened = Opened(transcript)
        self.everything = everything
        self.any = False
        self.data = [0, 0]

    def take(self, item: Event) -> None:
        """Take the next item."""
        side = self.sides[item.side]
        kind = int(item.kind)
        if kind == GAP:
            self.decryptor.gap(side, int(item.length) or None)
            self.opened.gap(item)
        elif kind == RUN:
            self._pass(item, side)
        elif item.code >= 0:
            self._in_clear(item, side, kind)
        else:
            self._protected(item, side, kind)

    def finish(self) -> bool:
        """Put what was opened into the transcript, and say why the rest was not."""
        for failure in self.decryptor.failures:
            if not self.transcript.null_cipher:
                self.transcript.note(
                    f"frame {failure.frame}: {failure}" if failure.kind != "no_secret" else str(failure)
                )
        kept = self.transcript.kept
        if kept is not None and kept.lacking and self.any:
            self.transcript.note(f"{kept.lacking} long records were not kept to be decrypted")
        if self.any:
            self.opened.finish()
        return self.any

    def _in_clear(self, item: Event, side: Side, kind: int) -> None:
        self.opened.leave(item)
        if kind == CHANGE_CIPHER_SPEC:
            self.decryptor.change_cipher_spec(side)
        elif kind == HANDSHAKE and item.body is not None and not item.cut:
            self.decryptor.message(side, bytes((item.code,)) + len(item.body).to_bytes(3, "big") + item.body)
        elif kind == HANDSHAKE:
            self.decryptor.handshake.miss()
        elif kind == SSLV2 and item.body is not None:
            self.decryptor.sslv2_hello(item.body)

    def _pass(self, item: Event, side: Side) -> None:
        """Step over records of which nothing was kept."""
        tail = item.body or b""
        self.decryptor.feed(self._record(item, side, APPLICATION_DATA, None, tail, int(item.code)))
        for _ in range(min(int(item.code), 64)):
            self.opened.leave(Event(APPLICATION_DATA, -1, item.side, item.frame, item.time, item.length, None, False))

    def _protected(self, item: Event, side: Side, kind: int) -> None:
        fragment = item.body
        if kind == APPLICATION_DATA and fragment is not None and not self._wanted(item):
            fragment = None
        told = self.decryptor.feed(self._record(item, side, kind, fragment, (item.body or b"")[-64:]))
        if isinstance(told, Plaintext):
            self.any = True
            if told.late and told.content_type == ALERT:
                self.transcript.note(f"frame {item.frame}: the alert {HANDSHAKE_KEYS} ({LATE_SENDERS})")
            if kind == APPLICATION_DATA and told.content_type == APPLICATION_DATA:
                self.data[item.side] += 1
            self.opened.take(item, told.content_type, told.data)
        else:
            self.opened.leave(item)

    def _wanted(self, item: Event) -> bool:
        """Whether a record of application data is worth opening."""
        if self.everything:
            return True
        if self.transcript.version < TLS13 and self.transcript.version:
            return len(self.opened.inside[item.side]) < INSIDE
        return self.data[item.side] < ENOUGH or item.length <= SHORT

    def _record(
        self, item: Event, side: Side, kind: int, fragment: bytes | None, tail: bytes, records: int = 1
    ) -> Record:
        version = min(int(self.transcript.version), 0x0303)
        return Record(side, kind, version, int(item.length), fragment, int(item.frame), int(item.time), tail, records)
