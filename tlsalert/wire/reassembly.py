"""Segments that are not simply the next ones: repeated, early, cut or missing (RFC 9293 §3.10.7.4).

Missing bytes are waited for until the other side has acknowledged them and a number of packets went by, or too much is
waiting: then the reader steps over them. Of a byte that comes twice the first copy counts. Whether the second says
the same is looked at where the first is still known: in full while it waits, and of what has been read the
first eight bytes of the direction's last segment, which hold a record's header and more. A copy that differs
anywhere else is not noticed.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i16, i64

from tlsalert.wire.flow import Flow, Half, Segment, Waiting, beginning, differ, distance, head, tail
from tlsalert.wire.records import RecordStream
from tlsalert.wire.transcript import Keeping, Kept, Transcript

#: Segments and bytes that one direction may keep while it waits for missing ones.
MAX_WAITING: Final = 256
MAX_WAITING_BYTES: Final = 1 << 20
#: Bytes that may wait in all flows together; what a segment takes besides its bytes counts, too.
MAX_WAITING_TOTAL: Final = 48 << 20
EACH: Final = 160
#: Packets of a flow to let pass after the other side acknowledged bytes that were not seen.
PATIENCE: Final = 24


@final
class Reassembly:
    """Hands each direction's bytes in order to its reader. ``bytes`` are waiting in all flows together."""

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes
        self.keeping = Keeping()
        self.bytes: i64 = 0
        self.queue: dict[Half, Flow] = {}  # who waits, in the order in which they began to

    def take(
        self,
        flow: Flow,
        half: Half,
        side: i64,
        seq: i64,
        data: bytes,
        start: i64,
        end: i64,
        length: i64,
        frame: i64,
        time: i64,
    ) -> None:
        """Take a segment of ``length`` bytes, of which ``data[start:end]`` were captured."""
        reader = half.reader
        if reader is None:
            reader = _reader(flow, half, side, self.keeping)
        if half.next < 0:
            half.next = seq
            reader.begin_anywhere()
        start = min(start, end)  # the capture may have cut the options off as well
        ahead = distance(seq, half.next)
        if ahead < 0 and self._old(half, reader, -ahead, seq, data, start, end, length, frame):
            return
        if ahead > 0 and not reader.waits():
            half.next = seq  # not TLS so far, so nothing to wait for
            ahead = 0
        if ahead > 0:
            self._keep(flow, half, reader, Segment(seq, data[start:end], length, frame, time))
        elif half.waiting is None:
            self._deliver(flow, half, reader, seq, data, start, end, length, frame, time)
        else:
            early = tail(Segment(seq, data[start:end], length, frame, time), -ahead)
            self._keep(flow, half, reader, early)  # what waits came first where they overlap
            self._drain(flow, half, reader)

    def acknowledged(self, flow: Flow, half: Half, number: i64) -> None:
        """Lose patience with bytes that the peer has acknowledged, so that it has them and the capture hasn't."""
        waiting = half.waiting
        reader = half.reader
        if waiting is None or reader is None:
            return
        if distance(number, waiting.segments[0].seq) >= 0:
            waiting.passed += 1
            if waiting.passed > PATIENCE:
                self._step_over(flow, half, reader)

    def give_up(self, flow: Flow, half: Half) -> None:
        """Read all that waits: what is missing will not come."""
        reader = half.reader
        while half.waiting is not None and reader is not None:
            self._step_over(flow, half, reader)

    def _old(
        self,
        half: Half,
        reader: RecordStream,
        back: i64,
        seq: i64,
        data: bytes,
        start: i64,
        end: i64,
        length: i64,
        frame: i64,
    ) -> bool:
        """Hold a segment that repeats ``back`` bytes against what is known of them; say whether nothing is new."""
        if length == 1 and back == 1:
            return True  # a keep-alive: its byte may be anything (RFC 9293 §3.8.4)
        place = distance(half.seen_at, seq)
        size = min(i64(half.seen_size), end - start - place)
        if place >= 0 and size > 0:
            shift = 64 - 8 * size
            if beginning(data, start + place, start + place + size) >> shift != half.seen >> shift:
                _conflict(reader, frame)
        return length <= back

    def _deliver(
        self,
        flow: Flow,
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
        """Read what is new of a segment that begins at or before the next byte."""
        old = -distance(seq, half.next)
        if old >= length:
            return
        start += old
        stop = start - old + length
        if start < end:
            half.seen_at = half.next
            half.seen_size = i16(min(8, end - start))
            half.seen = beginning(data, start, end)
            reader.feed(data, start, end, frame, time)
        if stop > end:
            flow.loss().cut += 1
            reader.gap(stop - max(start, end), frame, time)
        half.next = (half.next + length - old) & 0xFFFFFFFF

    def _keep(self, flow: Flow, half: Half, reader: RecordStream, segment: Segment) -> None:
        """Let a segment wait in its place: what was there before it stays."""
        waiting = half.waiting
        if waiting is None:
            waiting = Waiting()
            half.waiting = waiting
            self.queue[half] = flow
        segments = waiting.segments
        place: i64 = len(segments)
        while place > 0 and distance(segments[place - 1].seq, segment.seq) > 0:
            place -= 1
        conflict = False
        if place > 0:  # what an earlier copy holds of its beginning, or a later one of its end, is not new
            before = segments[place - 1]
            known_to = before.size - distance(segment.seq, before.seq)
            conflict = known_to > 0 and differ(before, segment)
            segment = tail(segment, known_to)
        rest = segment
        while place < len(segments) and rest.size > 0 and distance(segments[place].seq, rest.seq) < rest.size:
            known = segments[place]
            conflict = conflict or differ(known, rest)
            ahead = distance(known.seq, rest.seq)
            if ahead > 0:
                self._insert(waiting, place, head(rest, ahead))
                place += 1
            rest = tail(rest, ahead + known.size)
            place += 1
        if rest.size > 0:
            self._insert(waiting, place, rest)
        if conflict:
            _conflict(reader, segment.frame)
        if len(segments) > MAX_WAITING or waiting.bytes > MAX_WAITING_BYTES:
            self._step_over(flow, half, reader)
        while self.bytes > MAX_WAITING_TOTAL and len(self.queue) > 0:
            self._relieve()

    def _insert(self, waiting: Waiting, place: i64, segment: Segment) -> None:
        size: i64 = len(segment.data)
        waiting.segments.insert(place, segment)
        waiting.bytes += size
        self.bytes += size + EACH

    def _relieve(self) -> None:
        """Too much is waiting in all: the direction that has waited longest steps over what it lacks."""
        for half, flow in self.queue.items():
            says = (
                f"more than {MAX_WAITING_TOTAL} bytes waited for missing ones: "
                "the connections that had waited longest were read without them"
            )
            if says not in self.notes:
                self.notes.append(says)
            self.give_up(flow, half)
            return

    def _step_over(self, flow: Flow, half: Half, reader: RecordStream) -> None:
        """Give up the bytes before the first waiting segment, and go on there."""
        waiting = half.waiting
        if waiting is None:
            return
        first = waiting.segments[0]
        missing = distance(first.seq, half.next)
        waiting.passed = 0
        if missing > 0:
            half.next = first.seq
            losses = flow.loss()
            losses.missing += missing
            if losses.frame == 0:
                losses.frame = first.frame
            reader.gap(missing, first.frame, first.time)
        self._drain(flow, half, reader)

    def _drain(self, flow: Flow, half: Half, reader: RecordStream) -> None:
        """Read the waiting segments whose turn has come."""
        waiting = half.waiting
        if waiting is None:
            return
        taken: i64 = 0
        for segment in waiting.segments:
            if distance(segment.seq, half.next) > 0:
                break
            size: i64 = len(segment.data)
            waiting.bytes -= size
            self.bytes -= size + EACH
            self._deliver(
                flow, half, reader, segment.seq, segment.data, 0, size, segment.size, segment.frame, segment.time
            )
            taken += 1
        if taken == len(waiting.segments):
            half.waiting = None
            self.queue.pop(half, None)
        elif taken > 0:
            waiting.segments = waiting.segments[taken:]


def _reader(flow: Flow, half: Half, side: i64, keeping: Keeping) -> RecordStream:
    transcript = flow.transcript
    if transcript is None:
        transcript = Transcript()
        if keeping.on:
            transcript.kept = Kept(keeping)
        flow.transcript = transcript
    reader = RecordStream(transcript, side)
    half.reader = reader
    return reader


def _conflict(reader: RecordStream, frame: i64) -> None:
    reader.transcript.note(
        f"frame {frame}: the {reader.name()} stream has other bytes than before in the same place; the first ones count"
    )
