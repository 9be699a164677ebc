"""The flows that are open, found by their two ends: a hash table of native objects.

With a dict each packet needed a key made of bytes, its hash and a look-up that compares bytes. Here an end of an IPv4
connection is one number, and nothing is made to find it: that saved 65 of the 225 ns that a packet took.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from tlsalert.wire.flow import Flow, u16, u32

#: Slots of an empty table; it doubles when there are as many flows.
SMALLEST: Final = 1024


def multiplier(name: bytes) -> int:
    """Return an odd number of 28 bits that nobody outside this process knows.

    Python's own hash of bytes is keyed for each process, so that nobody can choose addresses and ports that
    meet in one slot.
    """
    return hash(name) & 0x7FFFFFF | 0x8000001


ONE: Final[i64] = multiplier(b"low end of the lower number")
TWO: Final[i64] = multiplier(b"high end of the lower number")
THREE: Final[i64] = multiplier(b"low end of the higher number")
FOUR: Final[i64] = multiplier(b"high end of the higher number")


def ends(key: bytes) -> tuple[i64, i64]:
    """Return the two ends of a key (both addresses and both ports, as on the wire) as numbers.

    An IPv4 address and port fit into one. For longer ones it is 62 bits of Python's keyed hash, negative so that it
    is no IPv4 end: nobody can make two ends the same, and chance does not.
    """
    if len(key) == 12:
        return u32(key, 0) << 16 | u16(key, 8), u32(key, 4) << 16 | u16(key, 10)
    size = (len(key) - 4) // 2
    near = hash(key[:size] + key[-4:-2]) & 0x3FFFFFFFFFFFFFFF
    far = hash(key[size : 2 * size] + key[-2:]) & 0x3FFFFFFFFFFFFFFF
    return -1 - i64(near), -1 - i64(far)


@final
class FlowMap:
    """Open flows by their ends, whichever of the two comes first."""

    def __init__(self) -> None:
        self.count: i64 = 0
        self.mask: i64 = SMALLEST - 1
        self.slots: list[Flow | None] = [None] * SMALLEST

    def find(self, near: i64, far: i64) -> Flow | None:
        """Return the flow between two ends."""
        flow = self.slots[slot(near, far) & self.mask]
        while flow is not None:
            if flow.near == near:
                if flow.far == far:
                    return flow
            elif flow.near == far and flow.far == near:
                return flow
            flow = flow.following
        return None

    def add(self, flow: Flow) -> None:
        """Take a flow whose ends have none yet."""
        if self.count > self.mask:
            self._grow()
        place = slot(flow.near, flow.far) & self.mask
        flow.following = self.slots[place]
        self.slots[place] = flow
        self.count += 1

    def remove(self, flow: Flow) -> None:
        """Let a flow go."""
        place = slot(flow.near, flow.far) & self.mask
        before = self.slots[place]
        if before is flow:
            self.slots[place] = flow.following
            flow.following = None
            self.count -= 1
            return
        while before is not None:
            if before.following is flow:
                before.following = flow.following
                flow.following = None
                self.count -= 1
                return
            before = before.following

    def all(self) -> list[Flow]:
        """Return all flows in the order of their first packets."""
        found: list[Flow] = []
        for first in self.slots:
            flow = first
            while flow is not None:
                found.append(flow)
                flow = flow.following
        found.sort(key=_number)
        return found

    def _grow(self) -> None:
        """Double the slots: on the average a flow is moved once in its life."""
        old = self.slots
        self.mask = 2 * self.mask + 1
        slots: list[Flow | None] = [None] * int(self.mask + 1)
        for first in old:
            flow = first
            while flow is not None:
                following = flow.following
                place = slot(flow.near, flow.far) & self.mask
                flow.following = slots[place]
                slots[place] = flow
                flow = following
        self.slots = slots


def slot(near: i64, far: i64) -> i64:
    """Return the hash of two ends, the same in both directions. Ends have up to 62 bits: nothing overflows."""
    low, high = (near, far) if near < far else (far, near)
    mixed = (low & 0xFFFFFFFF) * ONE + (low >> 32) * TWO + (high & 0xFFFFFFFF) * THREE + (high >> 32) * FOUR
    return mixed >> 27


def _number(flow: Flow) -> int:
    return int(flow.number)
