"""A network interface of this machine, opened for listening: packets as pcapng, and how many of them were lost.

The socket is scapy's, with its filter. Where the kernel can, it puts the packets into a ring of memory that is shared
with it (TPACKET_V3, packet(7)): a burst waits there, and no packet costs a system call. Else each is received by
itself. Scapy is imported when an interface is opened.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import mmap
import os
import select
import socket
import struct
import sys
from pathlib import Path
from typing import Any, Final, Protocol

from tlsalert.errors import CaptureError, TlsalertError, UsageError
from tlsalert.wire.links import ETHERNET, IEEE802_11, PRISM, RADIOTAP, RAW
from tlsalert.wire.ring import enhanced_packet, enhanced_packets

#: What the interface's kind (ARPHRD_… in <linux/if_arp.h>) lets packets begin with.
LINKS: Final = {
    1: ETHERNET,
    772: ETHERNET,  # loopback
    **dict.fromkeys((512, 519, 768, 769, 776, 65534), RAW),  # PPP, raw IP, tunnels (IPIP, IP6, SIT), tun: bare IP
    801: IEEE802_11,
    802: PRISM,
    803: RADIOTAP,
}
LOOPBACK: Final = 772
#: Stands for all interfaces, as it does for libpcap.
ANY: Final = "any"
#: What the kernel tells of interfaces: their kind, and whether they are up (IFF_UP in <linux/if.h>).
NET, UP = Path("/sys/class/net"), 0x1

# <linux/if_packet.h>
SOL_PACKET, RX_RING, STATISTICS, VERSION, IGNORE_OUTGOING = 263, 5, 6, 10, 23
TPACKET_V3: Final = 2
#: The ring: blocks that the kernel fills one after the other. One holds the largest packet several times.
BLOCK, BLOCKS, FRAME = 1 << 18, 256, 1 << 11
#: Milliseconds after which the kernel gives a block away that is not full.
RETIRE: Final = 40
#: Where a block says whose it is: the kernel's (0) or ours (1), and how many of its bytes are used.
STATUS, USED = 8, 20
#: Packets that are received one by one before they are passed on.
BATCH: Final = 256
#: The longest packet: what segmentation offload puts together, with its headers.
LONGEST: Final = 0x10000 + 256


class Interface(Protocol):
    """An open interface. ``link`` is what its packets begin with, by the number of pcap."""

    name: str
    link: int

    def fileno(self) -> int:
        """Return what to wait on."""

    def read(self) -> tuple[bytes, int]:
        """Return what has come, as pcapng's enhanced packet blocks, and how many packets it is; never waits.

        Raises CaptureError where the interface has gone or is down.
        """

    def dropped(self) -> int:
        """Return how many packets were lost so far because nobody took them in time."""

    def close(self) -> None:
        """Listen no more."""


def interfaces_up(net: Path = NET) -> list[str]:
    """Return the interfaces that are up and whose packets are understood: those that "any" stands for."""
    found: list[str] = []
    for _, name in socket.if_nameindex():
        with contextlib.suppress(OSError, ValueError):  # it has gone in between
            up = int((net / name / "flags").read_text(), 16) & UP
            if up and int((net / name / "type").read_text()) in LINKS:
                found.append(name)
    return found


def open_interface(name: str, bpf: str | None = None, number: int = 0, blocks: int = BLOCKS) -> Interface:
    """Listen on an interface, with a filter in libpcap's language; ``number`` is what pcapng shall call it.

    ``blocks`` is how many blocks the ring has, of 256 KiB each.

    Raises :class:`CaptureError` where there is none such, or no right to listen, and :class:`UsageError` for a filter
    that is none.
    """
    if sys.platform != "linux":
        raise CaptureError("listening needs Linux", name, f"or read from a pipe: {_piped(name, bpf)}")
    try:
        socket.if_nametoindex(name)
    except OSError:
        there = ", ".join(known for _, known in socket.if_nameindex())
        raise CaptureError("there is no such interface", name, f"there are {there}") from None
    opened = _open(name, bpf)
    try:
        kind = opened.ins.getsockname()[3]
        if kind not in LINKS:
            raise CaptureError(f"an interface of kind {kind} is not understood", name, f"try {_piped(name, bpf)}")
        _complain(opened.ins, name)
        if kind == LOOPBACK:  # each packet comes twice there: sent, and received
            with contextlib.suppress(OSError):  # before Linux 4.20
                opened.ins.setsockopt(SOL_PACKET, IGNORE_OUTGOING, 1)
        made = ring(opened, name, LINKS[kind], kind != LOOPBACK, number, blocks)
        return made or OneByOne(opened, name, LINKS[kind], number)
    except BaseException:
        opened.close()
        raise


def rights_missing(name: str, bpf: str | None = None) -> CaptureError:
    """Return the error that says which right is missing to listen, and how to come by it, or do without."""
    python = os.path.realpath(sys.executable)
    return CaptureError(
        "this user may not listen on interfaces: that needs the capability CAP_NET_RAW",
        name,
        f"give it to Python (and so to all its programs): sudo setcap cap_net_raw+ep {python}; "
        f"or let a program that has it listen: {_piped(name, bpf, 'sudo ')}; "
        "or without any rights pass the connections through: tlsalert tap --listen 127.0.0.1:8443 --to SERVER:443",
    )


def _open(name: str, bpf: str | None) -> Any:
    """Open scapy's socket."""
    logging.getLogger("scapy").setLevel(logging.ERROR)  # it warns of link types whose layers nobody needs here
    from scapy.arch.linux import L2ListenSocket
    from scapy.config import conf
    from scapy.error import Scapy_Exception
    from scapy.packet import Raw

    if getattr(conf, "default_l2", None) is None:
        conf.default_l2 = Raw  # packets are not given to scapy's layers, and those take long to import
    try:
        return L2ListenSocket(iface=name, filter=bpf)
    except PermissionError:
        raise rights_missing(name, bpf) from None
    except Scapy_Exception as error:
        raise UsageError(f"the filter {bpf!r} cannot be used: {error}", mend="see pcap-filter(7)") from error
    except OSError as error:
        raise CaptureError(f"cannot listen: {error.strerror or error}", name) from error


def ring(opened: Any, name: str, link: int, both_ways: bool, number: int, blocks: int = BLOCKS) -> Ring | None:
    """Return the interface with a ring of packets; None where the kernel has none, or numbers are big-endian."""
    if sys.byteorder != "little":
        return None
    plain = opened.ins
    try:
        plain.setsockopt(SOL_PACKET, VERSION, TPACKET_V3)
        while True:
            try:
                sizes = struct.pack("7I", BLOCK, blocks, FRAME, BLOCK // FRAME * blocks, RETIRE, 0, 0)
                plain.setsockopt(SOL_PACKET, RX_RING, sizes)
                break
            except OSError as error:
                if error.errno != errno.ENOMEM or blocks <= 8:
                    raise
                blocks //= 2
        memory = mmap.mmap(plain.fileno(), BLOCK * blocks, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
    except OSError:
        with contextlib.suppress(OSError):
            plain.setsockopt(SOL_PACKET, VERSION, 0)
        return None
    return Ring(opened, name, link, both_ways, number, memory)


class _Listening:
    """What both kinds share: scapy's socket, and the kernel's count of lost packets."""

    #: How many bytes the kernel's count is long.
    _size = 8

    def __init__(self, opened: Any, name: str, link: int, number: int) -> None:
        self.name = name
        self.link = link
        self._opened = opened
        self._socket: socket.socket = opened.ins
        self._number = number
        self._dropped = 0
        self.dropped()  # while scapy sets the socket up it has no room for packets
        self._dropped = 0

    def fileno(self) -> int:
        return self._socket.fileno()

    def dropped(self) -> int:
        with contextlib.suppress(OSError):
            counts = self._socket.getsockopt(SOL_PACKET, STATISTICS, self._size)
            self._dropped += struct.unpack_from("II", counts)[1]  # the kernel begins anew each time it is asked
        return self._dropped

    def close(self) -> None:
        self._opened.close()


class Ring(_Listening):
    """An interface whose packets the kernel puts into shared memory, block by block."""

    _size = 12

    def __init__(self, opened: Any, name: str, link: int, both_ways: bool, number: int, memory: mmap.mmap) -> None:
        super().__init__(opened, name, link, number)
        self._both_ways = both_ways
        self._memory = memory
        self._blocks = len(memory) // BLOCK
        self._at = 0

    def read(self) -> tuple[bytes, int]:
        """Return the next block's packets."""
        memory, start = self._memory, self._at * BLOCK
        if not memory[start + STATUS] & 1:
            _complain(self._socket, self.name)
            return b"", 0
        used = int.from_bytes(memory[start + USED : start + USED + 4], "little")
        made = enhanced_packets(memory[start : start + min(used, BLOCK)], self._number, self._both_ways)
        memory[start + STATUS] = 0  # the kernel may fill it again
        self._at = (self._at + 1) % self._blocks
        return made

    def close(self) -> None:
        """Listen no more, and give the ring back."""
        super().close()
        self._memory.close()


class OneByOne(_Listening):
    """An interface whose packets are received one at a time."""

    def read(self) -> tuple[bytes, int]:
        """Return what has come, up to :data:`BATCH` packets."""
        made: list[bytes] = []
        while len(made) < BATCH and select.select([self._socket], [], [], 0)[0]:
            try:
                _, packet, time = self._opened.recv_raw(LONGEST)
            except OSError as error:
                raise _lost(error.errno or 0, self.name) from error
            if packet and time is not None:
                made.append(enhanced_packet(packet, len(packet), self._number, round(time * 1_000_000) * 1000))
        return b"".join(made), len(made)


def _complain(plain: socket.socket, name: str) -> None:
    """Raise what the socket has to complain about."""
    if code := plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise _lost(code, name)


def _lost(code: int, name: str) -> TlsalertError:
    if code == errno.ENETDOWN:
        return CaptureError("the interface is down, or has gone", name, f"set it up: ip link set {name} up")
    return CaptureError(f"listening broke off: {os.strerror(code)}", name)


def _piped(name: str, bpf: str | None, before: str = "") -> str:
    return f"{before}tcpdump -i {name} -U -w - '{bpf or 'tcp'}' | tlsalert read -"
