"""Interfaces as one growing capture: a thread that takes packets off them, and the pcapng in which they are read."""

from __future__ import annotations

import contextlib
import select
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from tlsalert.errors import CaptureError
from tlsalert.sources.interface import ANY, BLOCKS, RETIRE, Interface, interfaces_up, open_interface
from tlsalert.sources.passing import QUEUE, Passing

#: Seconds between two looks at whether to stop, and at how many packets were lost.
TICK = 0.2
#: The most bytes of a packet that are captured: all of it.
SNAP = 262_144
#: An interface's ring has at least so many blocks, however many interfaces there are.
LEAST_BLOCKS = 16


class LiveSource(Passing):
    """What passes on interfaces, until it is stopped. ``packets`` counts what came, ``dropped`` what was lost.

    Where packets come faster than they are read they wait in the queue, then in the kernel's memory; what finds no
    room there the kernel drops and counts.
    """

    def __init__(self, interfaces: Sequence[Interface], limit: int = QUEUE) -> None:
        super().__init__(" ".join(interface.name for interface in interfaces), pcapng_head(interfaces), limit)
        self.packets = 0
        self.dropped = 0
        self._interfaces = interfaces
        self._heard = list(interfaces)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="listening")
        self._thread.start()

    def stop(self) -> None:
        """Listen no more; what has come already is still read."""
        self._stopping.set()

    def close(self) -> None:
        """Stop, and forget what waits."""
        self.stop()
        super().close()
        self._thread.join()

    def notes(self) -> list[str]:
        """Say how many packets were lost."""
        lost = []
        if self.dropped:
            lost.append(
                f"{self.dropped} packets came faster than they could be read and were dropped by the kernel: what they "
                "carried is missing (a filter with --bpf lessens the load)"
            )
        return lost + super().notes()

    def _run(self) -> None:
        error: Exception | None = None
        try:
            while not self._stopping.is_set():
                ready, _, _ = select.select(self._heard, [], [], TICK)
                for interface in ready:
                    self._hear(interface)
                self._count()
            time.sleep(2 * RETIRE / 1000)  # what has just come the kernel gives away when it has lain for so long
            for interface in self._heard:
                self._drain(interface)
        except CaptureError as broken:
            error = broken
        except Exception as broken:  # whatever it is, the reader must learn of it and not wait for ever
            error = CaptureError(f"listening broke off: {broken}", self.name)
        finally:
            self._count()
            self.put(statistics(self.packets, self.dropped))
            for interface in self._interfaces:
                with contextlib.suppress(OSError):
                    interface.close()
            self.end(error)

    def _hear(self, interface: Interface) -> None:
        """Take what is there. One that breaks off is left, and told of, as long as there are others."""
        try:
            self._drain(interface)
        except CaptureError as broken:
            if len(self._heard) == 1:
                raise
            self._heard.remove(interface)
            self.say(f"not listening there any more: {broken}")

    def _drain(self, interface: Interface) -> None:
        """Take what is there, but not for ever where more comes all the time."""
        for _ in range(64):
            chunk, packets = interface.read()
            if not packets:
                return
            while not self.put(chunk, TICK):  # meanwhile packets wait in the kernel's ring
                self._count()
                if self._ended:
                    return
            self.packets += packets

    def _count(self) -> None:
        with contextlib.suppress(OSError):
            self.dropped = sum(interface.dropped() for interface in self._interfaces)


def listen(
    names: Iterable[str], bpf: str | None = None, opener: Callable[..., Interface] = open_interface
) -> LiveSource:
    """Begin to listen on interfaces; "any" stands for all that are up now.

    Several share the memory that one alone would have for bursts. Raises what
    :func:`tlsalert.sources.interface.open_interface` does.
    """
    wanted = list(dict.fromkeys(names))
    if ANY in wanted:
        wanted = interfaces_up() or wanted
    opened: list[Interface] = []
    try:
        for number, name in enumerate(wanted):
            opened.append(opener(name, bpf, number, max(LEAST_BLOCKS, BLOCKS // len(wanted))))
    except BaseException:
        for interface in opened:
            interface.close()
        raise
    return LiveSource(opened)


def pcapng_head(interfaces: Sequence[Interface]) -> bytes:
    """Return a section header and the interfaces' descriptions, with times in nanoseconds."""
    head = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _option(4, b"tlsalert") + _END)
    for interface in interfaces:
        options = _option(2, interface.name.encode()) + _option(9, b"\x09") + _END
        head += _block(1, struct.pack("<HHI", interface.link, 0, SNAP) + options)
    return head


def statistics(packets: int, dropped: int) -> bytes:
    """Return an interface statistics block: the counts of all interfaces, told of the first one."""
    now = time.time_ns()
    counts = _option(4, struct.pack("<Q", packets + dropped)) + _option(5, struct.pack("<Q", dropped))
    return _block(5, struct.pack("<III", 0, now >> 32, now & 0xFFFFFFFF) + counts + _END)


_END = b"\0\0\0\0"


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size
