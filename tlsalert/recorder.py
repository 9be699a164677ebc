"""Writes bytes that two endpoints exchanged as a capture, as if they had passed over Ethernet and TCP.

Handshakes in memory, and those of a replay, have no packets; a :class:`Recorder` gives them addresses, ports, segments,
acknowledgements and checksums, so that any tool that reads pcap reads them::

    with open("lab.pcap", "wb") as file, Recorder(file) as recorder:
        conversation = recorder.open(("10.0.0.5", 40112), ("10.0.0.7", 5900), time)
        conversation.send("client", client_hello, time + 2_000_000)
        conversation.close("server", time + 9_000_000)

Times are whole nanoseconds since 1970-01-01 UTC and may not go backwards from one call to the next,
whichever conversation it is about; the file holds whole microseconds. The format is pcap's first one
(little-endian, Ethernet), draft-ietf-opsawg-pcap; the segments follow RFC 9293. For other formats, and for what a
network does to packets, see :mod:`tlsalert.lab.rewrite`.
"""

from __future__ import annotations

import heapq
import struct
from ipaddress import ip_address
from random import Random
from types import TracebackType
from typing import Literal, Protocol, Self

from tlsalert.errors import UsageError
from tlsalert.model import Side

#: An IPv4 or IPv6 address as text, and a port.
Address = tuple[str, int]

#: An Ethernet frame carries at most this many bytes of IP packet (IEEE 802.3).
MTU = 1500
#: A lone segment is acknowledged after this many nanoseconds: Linux's 40 ms (RFC 9293 §3.8.6.3 allows 500).
DELAYED_ACK = 40_000_000
#: Nanoseconds that a full frame takes on a wire of 1 Gbit/s.
FRAME_TIME = 12_000

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

#: Bytes of a checksum's pieces.
_PIECE = 2048

PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)


class Sink(Protocol):
    """Where a capture goes: a binary file, or whatever else takes the header and then packet by packet."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes."""

    def flush(self) -> object:
        """Pass on what is still held."""


class Recorder:
    """Writes conversations to ``file`` in the order of time.

    ``delay`` is what passes between a packet and the other stack's answer to it, in nanoseconds. ``mtu`` is how many
    bytes of IP packet a frame carries. ``seed`` decides the initial sequence numbers: the same calls write the
    same file. Without ``checksums`` those of TCP stay 0, for a reader that does not look at them: to sum up all bytes
    takes longer than all the rest. ``packets`` counts what was recorded so far. Leaving the ``with`` block writes what
    is still held back; the file stays open.
    """

    def __init__(
        self, file: Sink, *, delay: int = 100_000, seed: int = 0, mtu: int = MTU, checksums: bool = True
    ) -> None:
        self.packets = 0
        self.mtu = mtu
        self.checksums = checksums
        self.delay = delay
        self._file = file
        self._random = Random(seed)  # noqa: S311 - numbers for a story, not for secrecy
        self._now = 0
        self._waiting: list[tuple[int, int, bytes | _Timer]] = []
        self._order = 0
        file.write(PCAP_HEADER)

    def open(self, client: Address, server: Address, time: int) -> Conversation:
        """Record SYN, SYN-ACK and ACK, the first at ``time``, and return the conversation."""
        self._advance(time)
        return Conversation(self, client, server, time)

    def reach(self, time: int) -> None:
        """Write all that happened up to ``time``; nothing can be recorded before it any more."""
        self._advance(time)

    def finish(self) -> None:
        """Write what is still held back. Nothing can be recorded afterwards at an earlier time."""
        while self._waiting:
            self._write_next()
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()

    def _advance(self, time: int) -> None:
        """Write all that happened up to ``time``; nothing can come before it any more."""
        if time < self._now:
            raise UsageError("times go backwards", f"time {time}", f"give one that is {self._now} or later")
        self._now = time
        while self._waiting and self._waiting[0][0] <= time:
            self._write_next()

    def _write_next(self) -> None:
        time, _, item = heapq.heappop(self._waiting)
        if isinstance(item, _Timer):
            item.fire(time)
        else:
            self._file.write(item)

    def _hold(self, time: int, item: bytes | _Timer) -> None:
        self._order += 1  # packets of one instant stay in the order in which they were made
        heapq.heappush(self._waiting, (time, self._order, item))


class Conversation:
    """One TCP conversation, opened by :meth:`Recorder.open`.

    A call whose time lies before the last packet of the same conversation happens right after that packet.
    """

    def __init__(self, recorder: Recorder, client: Address, server: Address, time: int) -> None:
        self._recorder = recorder
        sides = (_Stack(client, server, recorder), _Stack(server, client, recorder))
        self._sides: dict[Side, _Stack] = {"client": sides[0], "server": sides[1]}
        self._clock = time
        self._closed = False
        self._ended: Side | None = None
        sides[0].emit(self._clock, SYN)
        sides[1].receive(sides[0])
        sides[1].emit(self._next(), SYN | ACK)
        sides[0].receive(sides[1])
        sides[0].emit(self._next(), ACK)

    def send(self, side: Side, data: bytes, time: int) -> None:
        """Record ``data`` as one send of ``side`` at ``time``: segments, and the peer's acknowledgements."""
        sender, receiver = self._parties(side, time)
        moment = max(time, self._clock + FRAME_TIME)
        size = sender.segment_size
        for at in range(0, len(data), size):
            last = at + size >= len(data)
            sender.emit(moment, PSH | ACK if last else ACK, data[at : at + size])
            self._clock = max(self._clock, moment, self._acknowledge(receiver, sender, moment))
            moment += FRAME_TIME

    def close(self, side: Side, time: int, how: Literal["fin", "rst"] = "fin") -> None:
        """Record that ``side`` ends the conversation at ``time``, by FIN and FIN, or by one RST."""
        closer, peer = self._parties(side, time)
        self._closed = True
        self._clock = max(time, self._clock + FRAME_TIME)
        if how == "rst":
            peer.timer = None  # a stack that was reset acknowledges nothing more
            closer.emit(self._clock, RST | ACK)
            return
        closer.emit(self._clock, FIN | ACK)
        peer.receive(closer)
        peer.emit(self._next(), FIN | ACK)
        closer.receive(peer)
        closer.emit(self._next(), ACK)

    def end(self, side: Side, time: int) -> None:
        """Record that ``side`` sends no more (a FIN) while its peer may go on. The second end closes the conversation.

        RFC 9293 §3.6 calls it a half-close.
        """
        ender, peer = self._parties(side, time)
        self._clock = max(time, self._clock + FRAME_TIME)
        ender.emit(self._clock, FIN | ACK)
        peer.receive(ender)
        peer.emit(self._next(), ACK)
        self._closed = self._ended is not None
        self._ended = side

    def _parties(self, side: Side, time: int) -> tuple[_Stack, _Stack]:
        """Return the stack of ``side`` and its peer's, with all written that came before ``time``."""
        if self._closed:
            raise UsageError("the conversation is closed", mend="open another one")
        if side == self._ended:
            raise UsageError(f"the {side} has ended its half", mend="let the other side speak")
        self._recorder._advance(time)
        return self._sides[side], self._sides["server" if side == "client" else "client"]

    def _next(self) -> int:
        self._clock += self._recorder.delay
        return self._clock

    def _acknowledge(self, receiver: _Stack, sender: _Stack, moment: int) -> int:
        """Let ``receiver`` answer a segment: at once to every second one, else later. Return when."""
        receiver.receive(sender)
        if receiver.timer is None:
            receiver.timer = _Timer(receiver)
            self._recorder._hold(moment + DELAYED_ACK, receiver.timer)
            return moment
        moment += self._recorder.delay
        receiver.emit(moment, ACK)
        return moment


class _Timer:
    """A delayed acknowledgement: forgotten if the stack has acknowledged by other means before it fires."""

    def __init__(self, stack: _Stack) -> None:
        self._stack = stack

    def fire(self, time: int) -> None:
        if self._stack.timer is self:
            self._stack.emit(time, ACK)


class _Stack:
    """One side's TCP: its numbers, and the headers of the packets that it sends."""

    _WINDOW = 0x7FFF  # with the scale below 4 MiB, so that no sender ever fills it
    _SACK_PERMITTED, _WINDOW_SCALE = b"\1\1\4\2", b"\1\3\3\7"
    _IPV4 = struct.Struct(">BBHHHBBH")
    _IPV6 = struct.Struct(">IHBB")
    _TCP = struct.Struct(">HHIIHHHH")
    _PCAP = struct.Struct("<IIII")

    def __init__(self, own: Address, peer: Address, recorder: Recorder) -> None:
        source, target = ip_address(own[0]).packed, ip_address(peer[0]).packed
        if len(source) != len(target):
            raise UsageError(f"{own[0]} can't talk to {peer[0]}", mend="give two addresses of one family")
        self.timer: _Timer | None = None
        self.segment_size = recorder.mtu - (40 if len(source) == 4 else 60)
        self._recorder = recorder
        self._ports = own[1], peer[1]
        self._addresses = source + target
        self._ethernet = _mac(target) + _mac(source) + (b"\x08\x00" if len(source) == 4 else b"\x86\xdd")
        self._sum = _ones_sum(self._addresses)
        self._identification = recorder._random.getrandbits(16)
        self._sequence = recorder._random.getrandbits(32)
        self._expected = 0

    def receive(self, peer: _Stack) -> None:
        """Take note of all that ``peer`` has sent."""
        self._expected = peer._sequence

    def emit(self, time: int, flags: int, payload: bytes = b"") -> None:
        """Send one segment, which also acknowledges what was received."""
        options = b""
        if flags & SYN:
            largest = b"\2\4" + self.segment_size.to_bytes(2, "big")
            options = largest + self._SACK_PERMITTED + self._WINDOW_SCALE
        segment = self._segment(flags, options, payload)
        frame = self._ethernet + self._network_header(len(segment)) + segment
        seconds, rest = divmod(time, 1_000_000_000)
        header = self._PCAP.pack(seconds, rest // 1000, len(frame), len(frame))
        self._recorder._hold(time, header + frame)
        self._recorder.packets += 1
        self._sequence = self._sequence + len(payload) + (1 if flags & (SYN | FIN) else 0) & 0xFFFFFFFF
        self.timer = None

    def _segment(self, flags: int, options: bytes, payload: bytes) -> bytes:
        """Return header and payload with the checksum of RFC 9293 §3.1, pseudo-header included."""
        length = 20 + len(options) + len(payload)
        offset = (20 + len(options)) << 10 | flags
        source, target = self._ports
        sequence, expected = self._sequence, self._expected if flags & ACK else 0
        checksum = 0
        if self._recorder.checksums:
            total = self._sum + 6 + length + source + target + sequence + expected + offset + self._WINDOW
            total += _ones_sum(options) + _ones_sum(payload)
            checksum = -total % 0xFFFF
        header = self._TCP.pack(source, target, sequence, expected, offset, self._WINDOW, checksum, 0)
        return header + options + payload

    def _network_header(self, length: int) -> bytes:
        """Return an IPv4 (RFC 791 §3.1) or IPv6 (RFC 8200 §3) header for a segment of ``length`` bytes."""
        if len(self._addresses) == 32:
            return self._IPV6.pack(0x6000_0000, length, 6, 64) + self._addresses
        self._identification = self._identification + 1 & 0xFFFF
        total = 0x4500 + 20 + length + self._identification + 0x4000 + 0x4006 + self._sum
        fields = (0x45, 0, 20 + length, self._identification, 0x4000, 64, 6, -total % 0xFFFF)
        return self._IPV4.pack(*fields) + self._addresses


def _ones_sum(data: bytes) -> int:
    """Return a number that equals the sum of the 16-bit words of ``data`` in ones' complement, RFC 1071.

    That sum is arithmetic modulo 65535, in which the whole string is one big number: 2**16 counts as 1. So it may as
    well be the sum of several big numbers, of which one remainder is taken: the remainder costs more than the sum.
    """
    if len(data) % 2:
        data += b"\0"
    return sum(int.from_bytes(data[at : at + _PIECE], "big") for at in range(0, len(data), _PIECE)) % 0xFFFF


def _mac(address: bytes) -> bytes:
    """Return a locally administered MAC address (IEEE 802) that goes with an IP address."""
    return b"\x02\x00" + address[-4:]
