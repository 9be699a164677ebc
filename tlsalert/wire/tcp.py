"""TCP connections, RFC 9293: segments in any order → each direction's bytes in order, or a gap that is told.

A flow is kept from its first packet until it has closed and lingered a little; what it said stays in
its transcript. Urgent pointers are not looked at: the urgent bytes are part of the stream (RFC 6093 §3).
"""

from __future__ import annotations

from collections import deque
from typing import Final, final

from librt.strings import read_i32_be, read_i64_be
from mypy_extensions import i16, i64

from tlsalert.wire.flow import ACK, FIN, RST, SYN, Ending, Flow, Half, beginning, distance, u32
from tlsalert.wire.flowmap import FlowMap, ends
from tlsalert.wire.reassembly import Reassembly
from tlsalert.wire.transcript import Keeping

#: A closed flow stays for late packets: so many nanoseconds of the capture's clock, and at most so many flows. After
#: FINs from both sides nothing but repetitions can come; after a reset the other side's last words may be under way.
LINGER: Final = 2_000_000_000
MAX_FINISHED: Final = 64
MAX_RESET: Final = 1024
#: A flow that goes on after its close (a reset that was not for it, say) stays for so much longer.
LATE: Final = 30_000_000_000
#: Flows that are open at one time; beyond it the oldest is told as it stands.
MAX_OPEN: Final = 1_000_000
#: A reset whose number is so far from the next byte's hits no window that is in use, so the host does not heed it
#: (RFC 9293 §3.10.7.4, RFC 5961 §3): it is forged or astray. Where it is nearer nobody can tell.
ASTRAY: Final = 1 << 24


@final
class TcpTable:
    """All TCP flows of a capture.

    ``finished`` holds flows with data that have ended, ``recognised`` the numbers of those that proved to be TLS: take
    them from there. So is ``traced`` while ``tracing`` is on: a packet's frame, its flow's number, the next one's …
    """

    def __init__(self) -> None:
        self.known = FlowMap()
        self.both_finished: deque[Flow] = deque()
        self.was_reset: deque[Flow] = deque()
        self.finished: list[Flow] = []
        self.recognised: list[int] = []
        self.notes: list[str] = []
        self.tracing = False
        self.traced: list[int] = []
        self.assembly = Reassembly(self.notes)
        self.flows: i64 = 0
        self.latest: i64 = 0

    @property
    def open(self) -> int:
        """How many flows are held that have not ended."""
        return int(self.known.count)

    @property
    def keeping(self) -> Keeping:
        """Whether protected records are kept for decryption: switch it on before the packets come."""
        return self.assembly.keeping

    def packet(self, key: bytes, data: bytes, at: i64, end: i64, size: i64, frame: i64, time: i64) -> None:
        """Take a TCP segment of ``size`` bytes at ``data[at:end]``; ``end`` comes early where the capture cut it.

        ``key`` is both addresses and both ports as on the wire.
        """
        near, far = ends(key)
        self._segment(near, far, key if near < 0 else None, data, at, end, size, frame, time)

    def packet4(self, data: bytes, addresses: i64, at: i64, end: i64, size: i64, frame: i64, time: i64) -> None:
        """Take the same with two IPv4 addresses at ``addresses``: the common case, for which no key is made."""
        both = read_i64_be(data, addresses)
        ports = i64(read_i32_be(data, at))
        near = (both >> 16 & 0xFFFFFFFF0000) | (ports >> 16 & 0xFFFF)
        far = (both & 0xFFFFFFFF) << 16 | (ports & 0xFFFF)
        self._segment(near, far, None, data, at, end, size, frame, time)

    def settle(self) -> None:
        """Tell the flows that closed long enough ago. Call it now and then, between packets."""
        self._settle(self.both_finished)
        self._settle(self.was_reset)

    def settle_all(self) -> None:
        """Tell all flows that have closed, without waiting for late packets: nothing has come for a while."""
        while len(self.both_finished) > 0:
            self._end(self.both_finished.popleft())
        while len(self.was_reset) > 0:
            self._end(self.was_reset.popleft())

    def finish(self) -> None:
        """Tell every flow as it stands: the capture has ended."""
        self.both_finished.clear()
        self.was_reset.clear()
        for flow in self.known.all():
            self._end(flow)

    def _segment(
        self, near: i64, far: i64, key: bytes | None, data: bytes, at: i64, end: i64, size: i64, frame: i64, time: i64
    ) -> None:
        if end - at < 20:
            return
        flags: i64 = data[at + 13]
        offset = (i64(data[at + 12]) >> 4) * 4
        length = size - offset
        if offset < 20 or length < 0:
            return
        flow = self.known.find(near, far)
        if flow is not None and flow.ending is not None and over(flow.ending, time):
            self._end(flow)  # what comes so late begins anew, however the file was cut into chunks
            flow = None
        if flow is None:
            if length == 0 and not flags & SYN:
                return
            flow = self._open(near, far, key, frame, time)
        if flags & SYN:
            flow = self._syn(flow, near, key, flags, u32(data, at + 4), frame, time)
            if flow is None:
                return
        flow.last_frame = frame
        flow.end = time
        self.latest = time
        if self.tracing:
            self.traced.append(int(frame))
            self.traced.append(int(flow.number))
        if flow.near == near:
            side: i64 = 0
            half = flow.a
            other = flow.b
        else:
            side = 1
            half = flow.b
            other = flow.a
        if other is not None and other.waiting is not None and flags & ACK:
            self.assembly.acknowledged(flow, other, u32(data, at + 8))
        if length > 0:
            seq = u32(data, at + 4)
            if flags & SYN:
                seq = (seq + 1) & 0xFFFFFFFF
            if half is None:
                half = flow.begin(side)
            ending = flow.ending
            if ending is not None and ending.closed_at >= 0:
                ending.closed_at = time + LATE
            reader = half.reader
            start = at + offset
            if seq == half.next and reader is not None and half.waiting is None and end - start == length:
                half.next = (seq + length) & 0xFFFFFFFF
                half.seen_at = seq
                if length >= 8:
                    half.seen = read_i64_be(data, start)
                    half.seen_size = 8
                else:
                    half.seen = beginning(data, start, end)
                    half.seen_size = i16(length)
                if reader.skip >= length:  # inside a record that is only counted
                    reader.skip -= length
                else:
                    reader.feed(data, start, end, frame, time)
            else:
                self.assembly.take(flow, half, side, seq, data, start, end, length, frame, time)
            if not flow.tls:
                transcript = flow.transcript
                if transcript is not None and (transcript.tls or transcript.declined):
                    flow.tls = True
                    self.recognised.append(int(flow.number))
        if flags & (FIN | RST):
            self._close(flow, side, flags, u32(data, at + 4), frame, time)

    def _settle(self, lingering: deque[Flow]) -> None:
        while len(lingering) > 0:
            flow = lingering[0]
            if flow.ending is not None and not over(flow.ending, self.latest):
                return
            lingering.popleft()
            self._end(flow)

    def _open(self, near: i64, far: i64, key: bytes | None, frame: i64, time: i64) -> Flow:
        if self.known.count >= MAX_OPEN:
            self._evict()
        flow = Flow(near, far, key, self.flows, frame, time)
        self.flows += 1
        self.known.add(flow)
        return flow

    def _evict(self) -> None:
        """Too many are open: tell the half of them that has been silent longest."""
        flows = self.known.all()
        flows.sort(key=_last_frame)
        for flow in flows[: len(flows) // 2]:
            self._end(flow)
        says = (
            f"more than {MAX_OPEN} connections were open at once: the ones silent for longest were told as they stood"
        )
        if says not in self.notes:
            self.notes.append(says)

    def _syn(
        self, flow: Flow, near: i64, key: bytes | None, flags: i64, seq: i64, frame: i64, time: i64
    ) -> Flow | None:
        """Begin a direction at its SYN; a SYN of another number on old ports begins a new connection."""
        mine = flow.near == near
        half, other = (flow.a, flow.b) if mine else (flow.b, flow.a)
        if half is not None and half.next >= 0:
            ending = flow.ending
            was_reset = ending is not None and ending.rst_side >= 0
            if half.isn == seq and not (was_reset and not flags & ACK):
                return flow
            if half.isn != seq and flags & ACK and (ending is None or ending.closed_at < 0):
                return None
        elif flags & ACK or other is None or other.next < 0 or other.isn >= 0:
            if half is None:
                half = flow.begin(0 if mine else 1)
            half.isn = seq
            half.next = (seq + 1) & 0xFFFFFFFF
            if flow.opener < 0:
                flow.opener = 1 if mine == bool(flags & ACK) else 0
            return flow
        far = flow.far if mine else flow.near
        self._end(flow)
        return self._syn(self._open(near, far, key, frame, time), near, key, flags, seq, frame, time)

    def _close(self, flow: Flow, side: i64, flags: i64, seq: i64, frame: i64, time: i64) -> None:
        half, other = (flow.a, flow.b) if side == 0 else (flow.b, flow.a)
        if half is None:
            half = flow.begin(side)
        ending = flow.ending
        reset = flags & RST
        off = distance(seq, half.next)
        if reset and half.next >= 0 and half.waiting is None and not -ASTRAY <= off <= ASTRAY:
            if ending is None or ending.closed_at < 0:  # after the close nobody asks
                losses = flow.loss()
                if losses.stray == 0:
                    losses.stray = frame
            return
        if ending is None:
            ending = Ending(RST if reset else FIN, side, frame, time)
            flow.ending = ending
        if reset and ending.rst_side < 0:
            ending.rst_side = side
            ending.rst_frame = frame
            ending.rst_time = time
        half.fin = True
        if ending.closed_at < 0:
            if reset:
                ending.closed_at = time
                self.was_reset.append(flow)
                if len(self.was_reset) > MAX_RESET:
                    self._end(self.was_reset.popleft())
            elif other is not None and other.fin:
                ending.closed_at = time
                self.both_finished.append(flow)
                if len(self.both_finished) > MAX_FINISHED:
                    self._end(self.both_finished.popleft())

    def _end(self, flow: Flow) -> None:
        if flow.done:
            return
        flow.done = True
        self.known.remove(flow)
        self._finish(flow, flow.a)
        self._finish(flow, flow.b)
        flow.a = None  # what waits for its turn to be told needs no readers
        flow.b = None
        transcript = flow.transcript
        if transcript is not None:
            if flow.losses is not None and flow.losses.stray > 0:
                transcript.note(
                    f"frame {flow.losses.stray}: a reset whose sequence number is far outside the window"
                    " closes nothing; it is forged or astray"
                )
            self.finished.append(flow)

    def _finish(self, flow: Flow, half: Half | None) -> None:
        """Read what still waits in a direction, and say that it has ended."""
        if half is None:
            return
        reader = half.reader
        if reader is not None:
            if half.waiting is not None:
                self.assembly.give_up(flow, half)
            reader.finish(flow.last_frame, flow.end)


def over(ending: Ending, time: i64) -> bool:
    """Whether a closed flow has lingered long enough at ``time``, or the capture's clock has jumped."""
    if ending.closed_at < 0:
        return False
    lingered = time - ending.closed_at
    return lingered > LINGER or lingered < -LINGER - LATE


def _last_frame(flow: Flow) -> int:
    return int(flow.last_frame)
