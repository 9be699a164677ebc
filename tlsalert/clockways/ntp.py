"""NTP, RFC 5905: what the device would tell its own clients, where it serves time at all.

One packet of 48 bytes is sent for each sample, in client mode, and says nothing of us: all its fields but version and
mode are zero, and its transmit timestamp, which the answer must repeat, is random.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from typing import Final

from tlsalert.clockways.manners import Manners, port_said, why
from tlsalert.clockways.reading import SECOND, Reading, Sample, read, stands_still, together, unreached

WAY: Final = "ntp"
PORT: Final = 123
SIZE: Final = 48
#: Version 4, mode 3 (client), RFC 5905 §7.3.
REQUEST: Final = 4 << 3 | 3
SERVER_MODE: Final = 4
#: Leap indicator 3: the server's clock was never set.
UNSYNCHRONIZED: Final = 3
#: Kiss codes by which a server declines, RFC 5905 §7.4; the others tell of its state.
DECLINES: Final = (b"DENY", b"RSTR", b"RATE")
#: From 1900 to 1970 in seconds; NTP counts from 1900 in 32 bits.
TO_1970: Final = 2_208_988_800
ERA: Final = 1 << 32
#: Datagrams that are looked at for one answer: others are not for us.
MOST: Final = 16
LONGEST: Final = 2048


@dataclass(frozen=True, slots=True)
class Packet:
    """The fields of an answer that count. Times in nanoseconds since 1970; delay and dispersion in seconds."""

    leap: int
    mode: int
    stratum: int
    delay: float
    dispersion: float
    reference: bytes
    origin: bytes
    received: int
    transmitted: int


def read_packet(data: bytes) -> Packet | None:
    """Return an NTP packet's fields, RFC 5905 §7.3; None where it is too short to be one."""
    if len(data) < SIZE:
        return None
    return Packet(
        data[0] >> 6,
        data[0] & 7,
        data[1],
        int.from_bytes(data[4:8], "big") / 65536,
        int.from_bytes(data[8:12], "big") / 65536,
        data[12:16],
        data[24:32],
        timestamp(data[32:40]),
        timestamp(data[40:48]),
    )


def timestamp(data: bytes) -> int:
    """Return an NTP timestamp (8 bytes) in nanoseconds since 1970.

    Its seconds come round every 136 years. With the highest bit they are between 1968 and 2036, without it after that
    (RFC 4330 §3); before 1968 no device stands.
    """
    seconds, fraction = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
    if seconds < ERA // 2:
        seconds += ERA
    return (seconds - TO_1970) * SECOND + (fraction * SECOND >> 32)


def by_ntp(host: str, port: int, manners: Manners) -> Reading:
    """Ask for the time by NTP. Nothing that comes back raises an error."""
    samples: list[Sample] = []
    said = Packet(0, 0, 0, 0.0, 0.0, b"", b"", 0, 0)
    try:
        with _connected(host, port) as peer:
            for number in range(manners.samples):
                if number:
                    manners.rest(manners.pause)
                answer = _ask(peer, manners.timeout)
                if isinstance(answer, str):
                    return Reading(WAY, answer)
                sample, said = answer
                samples.append(sample)
    except (OSError, ValueError) as error:
        if not samples:
            return unreached(WAY, f"{port_said(host, port)}: {why(error)}")
    return _judged(samples, said)


def _judged(samples: list[Sample], said: Packet) -> Reading:
    if len(samples) > 1 and stands_still(samples):
        return Reading(WAY, "no clock: its transmit timestamp stands still")
    if together(samples) is None:
        return Reading(WAY, "no clock: its answers contradict each other, or it was set while it was asked")
    if said.leap == UNSYNCHRONIZED:
        return read(WAY, samples, "it serves time, and says that its own clock was never set (leap indicator 3)")
    error = said.delay / 2 + said.dispersion
    return read(WAY, samples, f"stratum {said.stratum}; by its own word up to {error:.3g} s from its source")


def _connected(host: str, port: int) -> socket.socket:
    """Return a socket that hears this one peer only."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.connect(address)
    except BaseException:
        made.close()
        raise
    return made


def _ask(peer: socket.socket, timeout: float) -> tuple[Sample, Packet] | str:
    """Return one sample, or why the server gives none. Raises OSError where nothing that fits comes in time."""
    token = os.urandom(8)
    end = time.monotonic() + timeout
    sent = time.time_ns()
    peer.send(bytes((REQUEST,)) + bytes(39) + token)
    for _ in range(MOST):
        left = end - time.monotonic()
        if left <= 0:
            break
        peer.settimeout(left)
        data = peer.recv(LONGEST)
        came = time.time_ns()
        packet = read_packet(data)
        if packet is None or packet.mode != SERVER_MODE or packet.origin != token:
            continue  # RFC 5905 §8: a bogus packet
        if packet.stratum == 0 and packet.reference in DECLINES:
            return f"it declines to serve us (kiss code {packet.reference.decode('ascii')})"
        if packet.transmitted == timestamp(bytes(8)):
            return "its answer holds no time"
        # its clock stood at `received` when our question came, and at `transmitted` when its answer left
        between = min(max(packet.transmitted - packet.received, 0), came - sent)
        return Sample(packet.transmitted, sent + between, came, 0.0), packet
    raise TimeoutError
