"""What becomes of a capture's flows when they have ended: numbered, their clocks noted, the unwanted let go."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from tlsalert.wire.connection import client_side
from tlsalert.wire.flow import Flow
from tlsalert.wire.readings import Readings, server_key
from tlsalert.wire.servers import Servers

#: What a held connection takes besides the bodies of its messages, in bytes.
EACH = 1500
#: Bytes of the map of TLS flows that are counted together: 4,096 flows.
BLOCK = 512


@final
class Harvest:
    """Takes flows as they end. Those that somebody may want are in ``held``, about ``held_bytes`` of them."""

    def __init__(self, with_good: bool, with_alerts: bool) -> None:
        self.with_good = with_good
        self.with_alerts = with_alerts
        self.readings = Readings()
        self.servers = Servers()
        self.held: list[Flow] = []
        self.held_bytes: i64 = 0
        self.good: i64 = 0
        self.other_streams: i64 = 0
        self.tls: list[int] = []  # bytes, as numbers that need not be made: a bytearray took ten times as long
        self.blocks: list[int] = []
        self._reached: i64 = 0
        self._before: i64 = 0

    def take(self, flows: list[Flow]) -> None:
        """Take flows that have ended: those that surely did not fail only count, unless they are wanted, too."""
        for flow in flows:
            transcript = flow.transcript
            if transcript is None or not (transcript.tls or transcript.declined):
                self.other_streams += 1
                if transcript is not None and transcript.answer is not None:
                    self.readings.note_date(flow.key, transcript)
                continue
            self.recognise(flow.number)
            client = client_side(flow, transcript)
            well = transcript.went_well()
            key = flow.key
            server = server_key(key, client)
            self.readings.note_hellos(key, server, client, transcript)
            if transcript.answer is not None:
                self.readings.note_date(key, transcript)
            self.servers.note(server, transcript)
            wanted = self.with_good or (self.with_alerts and transcript.alerts > 0)
            if not wanted and (well or (flow.how == 0 and transcript.unanswered())):
                self.good += 1
                continue
            self.held.append(flow)
            self.held_bytes += EACH
            if transcript.kept is not None:
                self.held_bytes += transcript.kept.size
            for event in transcript.events:
                body = event.body
                if body is not None:
                    self.held_bytes += len(body)

    def release(self) -> list[Flow]:
        """Give what is held, in the order of first packets, and hold it no longer."""
        held = self.held
        held.sort(key=_number)
        self.held = []
        self.held_bytes = 0
        return held

    def recognise_all(self, numbers: list[int]) -> None:
        """Note that flows are TLS."""
        for number in numbers:
            self.recognise(number)

    def recognise(self, number: i64) -> None:
        """Note that a flow is TLS, as soon as that is known: a bit for each flow, and a count for each block."""
        place = number >> 3
        bit = 1 << (number & 7)
        while place >= len(self.tls):
            self.tls.extend([0] * BLOCK)
            self.blocks.append(0)
        known: i64 = self.tls[place]
        if not known & bit:
            self.tls[place] = int(known | bit)
            self.blocks[place // BLOCK] += 1
            if place < self._reached:
                self._reached = 0
                self._before = 0

    def rank(self, number: i64) -> int:
        """Return how many TLS flows began before flow ``number``: what its connection is numbered by, from 0."""
        place = number >> 3
        if place < self._reached or place - self._reached > BLOCK:
            block = place // BLOCK
            self._before = sum(self.blocks[:block])
            self._reached = block * BLOCK
        while self._reached < place:  # mostly a short way: flows are ranked in their order
            self._before += i64(self.tls[self._reached].bit_count())
            self._reached += 1
        return int(self._before) + (self.tls[place] & int((1 << (number & 7)) - 1)).bit_count()


def _number(flow: Flow) -> int:
    return int(flow.number)
