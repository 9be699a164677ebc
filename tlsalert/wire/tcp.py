"""TCP reassembly, RFC 9293: segments in any order → each direction's bytes in order, or a gap that is told.

A flow is kept from its first packet until it has closed and lingered a little; what it said stays in
its transcript. Missing bytes are waited for until the other side has acknowledged them and a number of packets
went by, or too much is waiting: then the reader steps over them.
"""

from __future__ import annotations

from collections import deque
from typing import Final, final

from librt.strings import read_i32_be
from mypy_extensions import i64, mypyc_attr

from tlsalert.wire.records import SEARCH, RecordStream
from tlsalert.wire.transcript import Transcript

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
ACK: Final = 0x10

#: Segments and bytes that one direction may keep while it waits for missing ones.
MAX_WAITING: Final = 256
MAX_WAITING_BYTES: Final = 1 << 20
#: Packets of a flow to let pass after the other side acknowledged bytes that were not seen.
PATIENCE: Final = 24
#: A closed flow stays for late packets: so many nanoseconds of the capture's clock, and at most so many flows. After
#: FINs from both sides nothing but repetitions can come; after a reset the other side's last words may be under way.
LINGER: Final = 2_000_000_000
MAX_FINISHED: Final = 64
MAX_RESET: Final = 1024
#: A flow that goes on after its close (a reset that was not for it, say) stays for so much longer.
LATE: Final = 30_000_000_000
#: Flows that are open at one time; beyond it the oldest is told as it stands.
MAX_OPEN: Final = 1_000_000


@final
@mypyc_attr(acyclic=True)
class Segment:
    """Bytes that came before the ones they follow. ``size`` counts those the capture cut off, too."""

    def __init__(self, seq: i64, data: bytes, size: i64, frame: i64, time: i64) -> None:
        self.seq = seq
        self.data = data
        self.size = size
        self.frame = frame
        self.time = time


@final
class Half:
    """One direction of a flow: where its stream stands, and what waits for missing bytes."""

    def __init__(self, flow: Flow, side: i64) -> None:
        self.flow = flow
        self.side = side
        self.begun = False
        self.isn: i64 = -1
        self.next: i64 = 0
        self.acked: i64 = -1
        self.reader: RecordStream | None = None
        self.waiting: list[Segment] | None = None
        self.waiting_bytes: i64 = 0
        self.waited: i64 = 0
        self.fin = False


@final
class Flow:
    """One TCP connection. ``key`` is addresses and ports as on the wire, as its first packet had them."""

    def __init__(self, key: bytes, number: i64, frame: i64, time: i64) -> None:
        self.key = key
        self.number = number
        self.frame = frame
        self.start = time
        self.end = time
        self.last_frame = frame
        self.a: Half | None = None
        self.b: Half | None = None
        self.opener: i64 = -1
        self.transcript: Transcript | None = None
        self.how: i64 = 0  # 0 open, else FIN or RST, whichever came first
        self.close_side: i64 = -1
        self.close_frame: i64 = 0
        self.close_time: i64 = 0
        self.rst_side: i64 = -1
        self.rst_frame: i64 = 0
        self.rst_time: i64 = 0
        self.closed_at: i64 = -1
        self.cut: i64 = 0
        self.missing: i64 = 0
        self.missing_frame: i64 = 0
        self.done = False
        self.tls = False


@final
class TcpTable:
    """All TCP flows of a capture.

    ``finished`` holds flows with data that have ended, ``recognised`` the numbers of those that proved to be TLS: take
    them from there.
    """

    def __init__(self) -> None:
        self.halves: dict[bytes, Half] = {}
        self.both_finished: deque[Flow] = deque()
        self.was_reset: deque[Flow] = deque()
        self.finished: list[Flow] = []
        self.recognised: list[int] = []
        self.notes: list[str] = []
        self.flows: i64 = 0
        self.open: i64 = 0
        self.latest: i64 = 0

    def packet(self, key: bytes, data: bytes, at: i64, end: i64, size: i64, frame: i64, time: i64) -> None:
        """Take a TCP segment of ``size`` bytes at ``data[at:end]``; ``end`` comes early where the capture cut it."""
        if end - at < 20:
            return
        flags: i64 = data[at + 13]
        offset = (i64(data[at + 12]) >> 4) * 4
        length = size - offset
        if offset < 20 or length < 0:
            return
        half = self.halves.get(key)
        if half is not None and half.flow.closed_at >= 0 and over(half.flow, time):
            self._end(half.flow)  # what comes so late begins anew, however the file was cut into chunks
            half = None
        if half is None:
            if length == 0 and not flags & SYN:
                return
            half = self._open(key, frame, time)
        if flags & SYN:
            half = self._syn(half, key, flags, u32(data, at + 4), frame, time)
            if half is None:
                return
        flow = half.flow
        flow.last_frame = frame
        flow.end = time
        self.latest = time
        other = flow.b if half.side == 0 else flow.a
        if flags & ACK:
            half.acked = u32(data, at + 8)
            if other is not None and other.waiting is not None:
                self._wait(other, half)
        if length > 0:
            if flow.closed_at >= 0:
                flow.closed_at = time + LATE
            seq = u32(data, at + 4)
            if flags & SYN:
                seq = (seq + 1) & 0xFFFFFFFF
            reader = half.reader
            start = at + offset
            if seq == half.next and reader is not None and half.waiting is None and end - start == length:
                reader.feed(data, start, end, frame, time)
                half.next = (seq + length) & 0xFFFFFFFF
            else:
                self._data(half, seq, data, start, end, length, frame, time)
            if not flow.tls:
                transcript = flow.transcript
                if transcript is not None and transcript.tls:
                    flow.tls = True
                    self.recognised.append(int(flow.number))
        if flags & (FIN | RST):
            self._close(half, flags, frame, time)

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
        for half in list(self.halves.values()):
            self._end(half.flow)

    def _settle(self, lingering: deque[Flow]) -> None:
        while len(lingering) > 0:
            flow = lingering[0]
            if not over(flow, self.latest):
                return
            lingering.popleft()
            self._end(flow)

    def _open(self, key: bytes, frame: i64, time: i64) -> Half:
        if self.open >= MAX_OPEN:
            self._evict()
        flow = Flow(key, self.flows, frame, time)
        self.flows += 1
        self.open += 1
        a = Half(flow, 0)
        b = Half(flow, 1)
        flow.a = a
        flow.b = b
        self.halves[key] = a
        self.halves[reverse(key)] = b
        return a

    def _evict(self) -> None:
        """Too many are open: tell the half of them that has been silent longest."""
        flows = [half.flow for half in self.halves.values() if half.side == 0]
        flows.sort(key=_last_frame)
        for flow in flows[: len(flows) // 2]:
            self._end(flow)
        says = (
            f"more than {MAX_OPEN} connections were open at once: the ones silent for longest were told as they stood"
        )
        if says not in self.notes:
            self.notes.append(says)

    def _syn(self, half: Half, key: bytes, flags: i64, seq: i64, frame: i64, time: i64) -> Half | None:
        """Begin a direction at its SYN; a SYN of another number on old ports begins a new connection."""
        following = (seq + 1) & 0xFFFFFFFF
        flow = half.flow
        other = flow.b if half.side == 0 else flow.a
        again = half.begun and half.isn != seq and (not flags & ACK or flow.closed_at >= 0)
        middle = not half.begun and not flags & ACK and other is not None and other.begun and other.isn < 0
        if again or middle:
            self._end(flow)
            half = self._open(key, frame, time)
            flow = half.flow
        elif half.begun:
            return half if half.isn == seq else None
        half.begun = True
        half.isn = seq
        half.next = following
        if flow.opener < 0:
            flow.opener = 1 - half.side if flags & ACK else half.side
        return half

    def _reader(self, half: Half) -> RecordStream:
        transcript = half.flow.transcript
        if transcript is None:
            transcript = Transcript()
            half.flow.transcript = transcript
        reader = RecordStream(transcript, half.side)
        half.reader = reader
        return reader

    def _data(
        self, half: Half, seq: i64, data: bytes, start: i64, end: i64, length: i64, frame: i64, time: i64
    ) -> None:
        """Take bytes that are not simply the next ones: the first, repeated, early or cut ones."""
        reader = half.reader
        if reader is None:
            reader = self._reader(half)
        if not half.begun:
            half.begun = True
            half.next = seq
            reader.begin_anywhere()
        start = min(start, end)  # the capture may have cut the options off as well
        ahead = distance(seq, half.next)
        if ahead > 0 and not (reader.state == SEARCH and not reader.transcript.tls):
            self._keep(half, Segment(seq, data[start:end], length, frame, time))
            return
        if ahead > 0:
            half.next = seq  # not TLS so far, so nothing to wait for
        self._deliver(half, reader, seq, data, start, end, length, frame, time)
        if half.waiting is not None:
            self._drain(half, reader)

    def _deliver(
        self,
        half: Half,
        reader: RecordStream,
        seq: i64,
        data: bytes,
        start: i64,
        end: i64,
        length: i64,
        frame: i64,
        time: i64,
    ) -> None:
        """Read what is new of a segment that begins at or before the next byte: the first copy of a byte wins."""
        old = -distance(seq, half.next)
        if old >= length:
            return
        start += old
        stop = start - old + length
        if start < end:
            reader.feed(data, start, end, frame, time)
        if stop > end:
            half.flow.cut += 1
            reader.gap(stop - max(start, end), frame, time)
        half.next = (half.next + length - old) & 0xFFFFFFFF

    def _keep(self, half: Half, segment: Segment) -> None:
        """Let an early segment wait in its place."""
        waiting = half.waiting
        if waiting is None:
            half.waiting = [segment]
            half.waiting_bytes = len(segment.data)
            half.waited = 0
            return
        place = len(waiting)
        while place > 0 and distance(waiting[place - 1].seq, segment.seq) > 0:
            place -= 1
        if place > 0:  # what an earlier copy holds of its beginning, or a later one of its end, is not new
            before = waiting[place - 1]
            segment = tail(segment, before.size - distance(segment.seq, before.seq))
        rest = segment
        while place < len(waiting) and rest.size > 0 and distance(waiting[place].seq, rest.seq) < rest.size:
            known = waiting[place]
            ahead = distance(known.seq, rest.seq)
            if ahead > 0:
                waiting.insert(place, head(rest, ahead))
                half.waiting_bytes += min(ahead, i64(len(rest.data)))
                place += 1
            rest = tail(rest, ahead + known.size)
            place += 1
        if rest.size > 0:
            waiting.insert(place, rest)
            half.waiting_bytes += len(rest.data)
        if len(waiting) > MAX_WAITING or half.waiting_bytes > MAX_WAITING_BYTES:
            self._step_over(half)

    def _wait(self, half: Half, peer: Half) -> None:
        """Lose patience with bytes that the peer has acknowledged, so that it has them and the capture hasn't."""
        waiting = half.waiting
        if waiting is not None and distance(peer.acked, waiting[0].seq) >= 0:
            half.waited += 1
            if half.waited > PATIENCE:
                self._step_over(half)

    def _step_over(self, half: Half) -> None:
        """Give up the bytes before the first waiting segment, and go on there."""
        waiting = half.waiting
        reader = half.reader
        if waiting is None or reader is None:
            return
        first = waiting[0]
        missing = distance(first.seq, half.next)
        half.waited = 0
        half.next = first.seq
        half.flow.missing += missing
        if half.flow.missing_frame == 0:
            half.flow.missing_frame = first.frame
        reader.gap(missing, first.frame, first.time)
        self._drain(half, reader)

    def _drain(self, half: Half, reader: RecordStream) -> None:
        """Read the waiting segments whose turn has come."""
        waiting = half.waiting
        if waiting is None:
            return
        taken = 0
        while taken < len(waiting):
            segment = waiting[taken]
            if distance(segment.seq, half.next) > 0:
                break
            size: i64 = len(segment.data)
            half.waiting_bytes -= size
            self._deliver(half, reader, segment.seq, segment.data, 0, size, segment.size, segment.frame, segment.time)
            taken += 1
        if taken == len(waiting):
            half.waiting = None
        elif taken > 0:
            half.waiting = waiting[taken:]

    def _close(self, half: Half, flags: i64, frame: i64, time: i64) -> None:
        flow = half.flow
        if flow.how == 0:
            flow.how = RST if flags & RST else FIN
            flow.close_side = half.side
            flow.close_frame = frame
            flow.close_time = time
        if flags & RST and flow.rst_side < 0:
            flow.rst_side = half.side
            flow.rst_frame = frame
            flow.rst_time = time
        half.fin = True
        if flow.closed_at < 0:
            a, b = flow.a, flow.b
            if flags & RST:
                flow.closed_at = time
                self.was_reset.append(flow)
                if len(self.was_reset) > MAX_RESET:
                    self._end(self.was_reset.popleft())
            elif a is not None and a.fin and b is not None and b.fin:
                flow.closed_at = time
                self.both_finished.append(flow)
                if len(self.both_finished) > MAX_FINISHED:
                    self._end(self.both_finished.popleft())

    def _end(self, flow: Flow) -> None:
        if flow.done:
            return
        flow.done = True
        self.open -= 1
        for half in (flow.a, flow.b):
            if half is not None:
                while half.waiting is not None:
                    self._step_over(half)
                if half.reader is not None:
                    half.reader.finish(flow.last_frame, flow.end)
                half.reader = None
        flow.a = None  # flow and half hold each other: let go, so that no garbage waits for the collector
        flow.b = None
        self.halves.pop(flow.key, None)
        self.halves.pop(reverse(flow.key), None)
        if flow.transcript is not None:
            self.finished.append(flow)


def reverse(key: bytes) -> bytes:
    """Return the key of the other direction."""
    size = (len(key) - 4) // 2
    return key[size : 2 * size] + key[:size] + key[-2:] + key[-4:-2]


def over(flow: Flow, time: i64) -> bool:
    """Whether a closed flow has lingered long enough at ``time``, or the capture's clock has jumped."""
    lingered = time - flow.closed_at
    return lingered > LINGER or lingered < -LINGER - LATE


def head(segment: Segment, size: i64) -> Segment:
    """Return a segment's first ``size`` bytes."""
    return Segment(segment.seq, segment.data[:size], size, segment.frame, segment.time)


def tail(segment: Segment, skip: i64) -> Segment:
    """Return a segment without its first ``skip`` bytes, of size 0 where nothing is left."""
    if skip <= 0:
        return segment
    left = segment.size - skip
    seq = (segment.seq + skip) & 0xFFFFFFFF
    return Segment(seq, segment.data[skip:], left if left > 0 else 0, segment.frame, segment.time)


def distance(seq: i64, base: i64) -> i64:
    """Return how far ``seq`` is ahead of ``base``; sequence numbers wrap at 2^32 (RFC 9293 §3.4)."""
    return ((seq - base + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def u32(data: bytes, at: i64) -> i64:
    """Return four bytes at ``at`` as a number."""
    return i64(read_i32_be(data, at)) & 0xFFFFFFFF


def _last_frame(flow: Flow) -> int:
    return int(flow.last_frame)
