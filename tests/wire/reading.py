"""Bytes go in, and what was told comes out as short lines that a test can list."""

from __future__ import annotations

from typing import Literal

from tlsalert.registry.handshake_types import HandshakeType
from tlsalert.wire.records import RecordStream
from tlsalert.wire.transcript import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, Event, Transcript

#: An event without its position: content type, code, side, length, body, and whether it was cut.
Said = tuple[int, int, int, int, bytes | None, bool]
SIDES = ("client", "server")


class Talk:
    """One connection whose two directions are fed by hand: each piece is a packet, side 0 is the client."""

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.streams = (RecordStream(self.transcript, 0), RecordStream(self.transcript, 1))
        self.frame = 0

    def client(self, *pieces: bytes) -> Talk:
        return self._feed(0, pieces)

    def server(self, *pieces: bytes) -> Talk:
        return self._feed(1, pieces)

    def gap(self, side: Literal["client", "server"], missing: int) -> Talk:
        self.frame += 1
        self.streams[SIDES.index(side)].gap(missing, self.frame, self.frame * 1000)
        return self

    def end(self) -> Talk:
        for stream in self.streams:
            stream.finish(self.frame, self.frame * 1000)
        return self

    @property
    def told(self) -> list[str]:
        return told(self.transcript)

    @property
    def records(self) -> list[str]:
        return told_records(self.transcript)

    @property
    def notes(self) -> list[str]:
        return self.transcript.notes

    def _feed(self, side: int, pieces: tuple[bytes, ...]) -> Talk:
        for piece in pieces:
            self.frame += 1
            # between other bytes, so that a reader that leaves its bounds shows
            data = b"\x16\x03" + piece + b"\x15\x03\x03\x00\x02\x02\x00"
            self.streams[side].feed(data, 2, 2 + len(piece), self.frame, self.frame * 1000)
        return self


def told(transcript: Transcript) -> list[str]:
    """Return one line for each event: "client client_hello", "server alert 2 40", "server encrypted_handshake 40"."""
    return [_line(event) for event in transcript.events]


def told_records(transcript: Transcript) -> list[str]:
    """Return one line for each unread record that was kept: "client 23 100"."""
    kept = transcript.records
    return [f"{SIDES[event.side]} {event.kind} {event.length}" for event in kept]


def without_positions(transcript: Transcript) -> list[Said]:
    """Return all that was told but where and when."""
    everything = transcript.events + transcript.records
    return [(int(e.kind), int(e.code), int(e.side), int(e.length), e.body, e.cut) for e in everything]


def bodies(transcript: Transcript) -> list[bytes | None]:
    return [event.body for event in transcript.events]


def _line(event: Event) -> str:
    side = SIDES[event.side]
    if event.kind == CHANGE_CIPHER_SPEC:
        return f"{side} change_cipher_spec"
    if event.kind == ALERT:
        return f"{side} alert {event.code >> 8} {event.code & 255}" if event.code >= 0 else f"{side} encrypted_alert"
    if event.kind != HANDSHAKE:
        return f"{side} sslv2 {event.code}"
    if event.code < 0:
        return f"{side} encrypted_handshake {event.length}"
    name = HandshakeType(int(event.code)).name
    return f"{side} {name} cut" if event.cut else f"{side} {name}"
