"""Capture files as bytes in any slicing: pcap and pcapng framing → packets.

pcap: draft-ietf-opsawg-pcap; pcapng: draft-ietf-opsawg-pcapng. Frames count from 1 as Wireshark counts them.
"""

from __future__ import annotations

from typing import Final, final

from librt.strings import read_i32_be, read_i32_le
from mypy_extensions import i64

from tlsalert.wire.network import Network

#: A packet longer than this is no packet but damage (Wireshark's own limit is far below for all but USB).
MAX_PACKET: Final = 1 << 24
#: Bytes of decryption secrets that are kept of one file.
MAX_SECRETS: Final = 64 << 20
#: The type of secrets that is a key log of TLS, "TLSK" (draft-ietf-opsawg-pcapng §4.7).
TLS_KEY_LOG: Final = 0x544C534B
#: Seconds from 1970 that no capture's time lies beyond: some 270 years.
FAR: Final = 1 << 33

PCAP_MAGICS: Final = {
    b"\xd4\xc3\xb2\xa1": (True, 1000),
    b"\xa1\xb2\xc3\xd4": (False, 1000),
    b"\x4d\x3c\xb2\xa1": (True, 1),
    b"\xa1\xb2\x3c\x4d": (False, 1),
    b"\x34\xcd\xb2\xa1": (True, 1000),  # Kuznetzov's modified format has eight more bytes a packet
    b"\xa1\xb2\xcd\x34": (False, 1000),
}
PCAPNG_MAGIC: Final = b"\x0a\x0d\x0d\x0a"


@final
class Interface:
    """What a pcapng interface block says: link type, how long its packets may be, and how its times count."""

    def __init__(self, link: i64, snap: i64, unit: i64, per_second: i64, offset: i64, digits: i64) -> None:
        self.link = link
        self.snap = snap  # bytes of a packet that are kept at most, or 0
        self.unit = unit  # nanoseconds in one tick, or 0 where a tick is no whole number of them
        self.per_second = per_second
        self.offset = offset
        self.digits = digits  # decimals of a second that tell one tick from the next


@final
class CaptureParser:
    """Takes a capture file's bytes and hands its packets to the network layer."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.rest = b""
        self.consumed: i64 = 0
        self.frames: i64 = 0
        self.little = True
        self.unit: i64 = 1000
        self.link: i64 = -1
        self.head: i64 = 16
        self.kind: i64 = 0  # 0 not known yet, 1 pcap, 2 pcapng
        self.interfaces: list[Interface] = []
        self.secrets: list[bytes] = []  # key logs inside the file: take them from there
        self.late_secrets = False  # they came after packets whose records were not kept
        self.kept_secrets: i64 = 0
        self.lost_secrets: i64 = 0
        self.orphans: i64 = 0
        self.digits: i64 = 6
        self.damage: str | None = None
        self.stopped = False
        self.time: i64 = 0
        self.first_time: i64 = -1
        self.snapped: i64 = 0

    def feed(self, chunk: bytes) -> None:
        """Take the file's next bytes. After damage nothing more is read: ``damage`` says where and what."""
        if self.stopped:
            return
        at: i64 = 0
        if self.kind == 1 and len(self.rest) > 0:
            at = self._straddling(chunk)
            if at < 0:
                return
            data = chunk
        else:
            data = self.rest + chunk if len(self.rest) > 0 else chunk
        if self.kind == 0:
            at = self._header(data)
            if at == 0 or self.stopped:
                self.rest = data if at == 0 else b""
                return
        at = self._packets(data, at) if self.kind == 1 else self._blocks(data, at)
        self.rest = data[at:]
        self.consumed += at

    def _straddling(self, chunk: bytes) -> i64:
        """Read the packet that began in the chunk before; return where the next one begins, or -1 if it goes on.

        To join the two chunks for it would copy the whole file once more.
        """
        rest = self.rest
        have: i64 = len(rest)
        need = self.head
        if have < need:
            rest += chunk[: need - have]
        size: i64 = len(rest)
        if size >= need:
            captured = self._u32(rest, 8)
            if captured <= MAX_PACKET:
                need += captured
                rest = self.rest + chunk[: need - have]
                size = len(rest)
        if size < need:
            self.rest = rest
            return -1
        self._packets(rest, 0)
        self.rest = b""
        self.consumed += have
        return -1 if self.stopped else need - have

    def finish(self) -> None:
        """Say whether the file ended where a packet ends."""
        if not self.stopped and len(self.rest) > 0 and self.kind != 0:
            where = f"inside packet {self.frames + 1}, at byte {self.consumed + len(self.rest)}"
            self.damage = f"the file ends {where}: it was cut short"

    def _header(self, data: bytes) -> i64:
        if len(data) < 24:
            return 0
        magic = data[:4]
        if magic == PCAPNG_MAGIC:
            self.kind = 2
            self.digits = 0  # until an interface with packets has shown its own
            return self._section(data, 0)
        if magic not in PCAP_MAGICS:
            self._damaged(0, f"this is no capture: it begins with {magic.hex(' ')}")
            return len(data)
        self.little, self.unit = PCAP_MAGICS[magic]
        self.digits = 9 if self.unit == 1 else 6
        self.head = 24 if magic in (b"\x34\xcd\xb2\xa1", b"\xa1\xb2\xcd\x34") else 16
        self.link = self._u32(data, 20) & 0x03FFFFFF  # the upper bits say how long a frame check sequence is
        self.kind = 1
        return 24

    def _packets(self, data: bytes, at: i64) -> i64:
        """Read pcap packets from ``at``; return where the first incomplete one begins."""
        size: i64 = len(data)
        network = self.network
        little = self.little
        link = self.link
        head = self.head
        while at + head <= size:
            if little:
                seconds = i64(read_i32_le(data, at)) & 0xFFFFFFFF
                fraction = i64(read_i32_le(data, at + 4)) & 0xFFFFFFFF
                captured = i64(read_i32_le(data, at + 8)) & 0xFFFFFFFF
                length = i64(read_i32_le(data, at + 12)) & 0xFFFFFFFF
            else:
                seconds = i64(read_i32_be(data, at)) & 0xFFFFFFFF
                fraction = i64(read_i32_be(data, at + 4)) & 0xFFFFFFFF
                captured = i64(read_i32_be(data, at + 8)) & 0xFFFFFFFF
                length = i64(read_i32_be(data, at + 12)) & 0xFFFFFFFF
            if captured > MAX_PACKET:
                self._damaged(at, f"packet {self.frames + 1} claims to be {captured} bytes long")
                return size
            if at + head + captured > size:
                break
            self.frames += 1
            if captured < length:
                self.snapped += 1
            time = seconds * 1000000000 + fraction * self.unit
            if self.first_time < 0:
                self.first_time = time
            self.time = time
            network.packet(data, at + head, at + head + captured, link, self.frames, time)
            at += head + captured
        return at

    def _damaged(self, at: i64, says: str) -> None:
        self.stopped = True
        self.damage = f"{says} (byte {self.consumed + at}): the file is damaged there, what comes after is not read"

    def _blocks(self, data: bytes, at: i64) -> i64:
        """Read pcapng blocks from ``at``; return where the first incomplete one begins."""
        size: i64 = len(data)
        while at + 12 <= size:
            if data[at : at + 4] == PCAPNG_MAGIC:
                self.little = data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a"
            kind = self._u32(data, at)
            length = self._u32(data, at + 4)
            if length < 12 or length > MAX_PACKET + 4096 or length & 3:
                self._damaged(at, f"the block after packet {self.frames} claims to be {length} bytes long")
                return size
            if at + length > size:
                break
            if kind == 6:
                self._timed(data, at, length, self._u32(data, at + 8))
            elif kind == 1:
                self._interface(data, at, length)
            elif kind == 3:
                self._simple(data, at, length)
            elif kind == 2:
                self._timed(data, at, length, self._u16(data, at + 8))
            elif kind == 10 and length >= 20 and self._u32(data, at + 8) == TLS_KEY_LOG:
                self._key_log(data, at, length)
            elif is_other_frame(kind):
                self.frames += 1
            elif kind == 0x0A0D0D0A:
                self._section(data, at)
                if self.stopped:
                    return size
            at += length
        return at

    def _key_log(self, data: bytes, at: i64, length: i64) -> None:
        """Read a decryption secrets block with a TLS key log; from it on protected records are kept to be opened."""
        self.kept_secrets += length
        if self.kept_secrets > MAX_SECRETS:
            self.lost_secrets += 1
            return
        many = min(self._u32(data, at + 12), length - 20)
        self.secrets.append(data[at + 16 : at + 16 + many])
        keeping = self.network.tcp.keeping
        if not keeping.on:
            keeping.on = True
            self.late_secrets = self.frames > 0

    def _section(self, data: bytes, at: i64) -> i64:
        """Begin a section: its byte order is its own, and so are its interfaces."""
        self.little = data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a"
        self.interfaces = []
        length = self._u32(data, at + 4)
        if length < 28 or length > MAX_PACKET:
            self._damaged(at, f"the section header claims to be {length} bytes long")
            return len(data)
        return length if length <= len(data) else 0

    def _interface(self, data: bytes, at: i64, length: i64) -> None:
        """Read an interface description: its link type, and from its options the unit and offset of time."""
        unit: i64 = 1000
        per_second: i64 = 1000000
        offset: i64 = 0
        digits: i64 = 6
        option = at + 16
        stop = at + length - 4
        while option + 4 <= stop:
            code = self._u16(data, option)
            size = self._u16(data, option + 2)
            if code == 0 or option + 4 + size > stop:
                break
            if code == 9 and size >= 1:
                unit, per_second = _resolution(data[option + 4])
                digits = _decimals(data[option + 4])
            elif code == 14 and size == 8:
                low, high = (0, 4) if self.little else (4, 0)
                upper = self._u32(data, option + 4 + high)
                if upper >= 1 << 31:
                    upper -= 1 << 32  # it is a signed number
                offset = upper * (1 << 32) + self._u32(data, option + 4 + low)
                offset = max(-2 * FAR, min(2 * FAR, offset))
            option += 4 + (size + 3 & ~3)
        snap = self._u32(data, at + 12) if length >= 20 else 0
        self.interfaces.append(Interface(self._u16(data, at + 8), snap, unit, per_second, offset, digits))

    def _timed(self, data: bytes, at: i64, length: i64, interface: i64) -> None:
        """Read an enhanced packet block, or the one that came before it: they differ in how they name the interface."""
        if length >= 32:
            captured, full = self._u32(data, at + 20), self._u32(data, at + 24)
            self._packet(data, at + 28, at + length - 4, captured, full, interface, self._ticks(data, at + 12))

    def _simple(self, data: bytes, at: i64, length: i64) -> None:
        """A simple packet block has no time: the last one known has to do. It is filled up beyond the snap length."""
        if length < 16:
            return
        full = self._u32(data, at + 8)
        captured = min(full, length - 16)
        if len(self.interfaces) > 0 and self.interfaces[0].snap > 0:
            captured = min(captured, self.interfaces[0].snap)
        self._packet(data, at + 12, at + length - 4, captured, full, 0, -1)

    def _packet(self, data: bytes, start: i64, stop: i64, captured: i64, full: i64, interface: i64, ticks: i64) -> None:
        self.frames += 1
        if captured > stop - start:
            captured = stop - start
        if captured < full:
            self.snapped += 1
        if interface >= len(self.interfaces):
            self.orphans += 1
            return
        described = self.interfaces[interface]
        if described.digits > self.digits:
            self.digits = described.digits
        seconds = described.offset + ticks // described.per_second
        if ticks >= 0 and -FAR < seconds < FAR:
            part = ticks % described.per_second
            if described.unit > 0:
                part *= described.unit
            else:
                part = int(part) * 1000000000 // int(described.per_second)
            self.time = seconds * 1000000000 + part
            if self.first_time < 0:
                self.first_time = self.time
        self.network.packet(data, start, start + captured, described.link, self.frames, self.time)

    def _ticks(self, data: bytes, at: i64) -> i64:
        """Return a time in its interface's unit, or -1 for one that no clock can have meant."""
        upper = self._u32(data, at)
        return upper << 32 | self._u32(data, at + 4) if upper < 1 << 31 else -1

    def _u32(self, data: bytes, at: i64) -> i64:
        if self.little:
            return i64(read_i32_le(data, at)) & 0xFFFFFFFF
        return i64(read_i32_be(data, at)) & 0xFFFFFFFF

    def _u16(self, data: bytes, at: i64) -> i64:
        if self.little:
            return i64(data[at]) | i64(data[at + 1]) << 8
        return i64(data[at]) << 8 | i64(data[at + 1])


def is_other_frame(kind: i64) -> bool:
    """Whether Wireshark counts a block of pcapng as a frame though it holds no packet (wiretap/pcapng.c of 4.0).

    Those are custom blocks, entries of systemd's journal, and events of sysdig in three forms.
    """
    return kind in (9, 0x204, 0x216, 0x221, 0xBAD, 0x40000BAD)


def _resolution(value: int) -> tuple[int, int]:
    """Return if_tsresol as (nanoseconds a tick, or 0; ticks a second): powers of 10, or of 2 with the top bit set."""
    if value & 0x80:
        return (0, 1 << min(value & 0x7F, 62))
    if value <= 9:
        return (10 ** (9 - value), 10**value)
    return (0, 10 ** min(value, 18))


def _decimals(value: int) -> int:
    """Return how many decimals tell a tick of if_tsresol from the next one: at most 9, those of nanoseconds."""
    if value & 0x80:
        return min(9, ((value & 0x7F) * 30103 + 99999) // 100000)  # a binary digit is 0.30103 decimal ones
    return min(9, value)
