"""Protocols that carry TLS records in packets of their own: their framing is taken off before records are read.

MS-TDS wraps the handshake in its PRELOGIN packets (MS-TDS 2.2.3.1 and 3.2.5.2), after which bare records follow;
OpenVPN over TCP carries TLS in its control packets and goes on with data packets of its own (OpenVPN's protocol
documentation, "reliability layer"), the two kinds mixed.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

TDS: Final = 1
OPENVPN: Final = 2

TDS_HEADER: Final = 8
TDS_PRELOGIN: Final = 0x12
TDS_RESPONSE: Final = 0x04
OPENVPN_CONTROL: Final = 4
#: P_CONTROL_WKC_V1 and P_DATA_V2 and all below it.
LAST_OPCODE: Final = 11
#: Lengths of the HMAC that --tls-auth puts into control packets: none, MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512.
OPENVPN_HMACS: Final = (0, 16, 20, 28, 32, 48, 64)
SESSION_ID: Final = 8
#: A packet acknowledges at most so many others (RELIABLE_ACK_SIZE).
MOST_ACKNOWLEDGED: Final = 8
#: A control packet is no longer than this: it has to fit into one of the tunnel's MTU.
MOST_CONTROL: Final = 4096
#: The longest head that an envelope puts before a record.
LONGEST_HEAD: Final = 128


@final
@mypyc_attr(acyclic=True)
class Envelope:
    """Takes the framing off one direction's bytes, in any slicing."""

    def __init__(self, kind: i64, hmac: i64) -> None:
        self.kind = kind
        self.hmac = hmac
        self.carry = b""
        self.left: i64 = 0  # bytes of TLS that are still to come of the packet in hand
        self.skip: i64 = 0  # bytes of it that are none
        self.bare = False
        self.lost = False  # bytes are missing: where the next packet begins is not known

    def open(self, data: bytes, start: i64, end: i64) -> bytes:
        """Return what ``data[start:end]`` holds of TLS."""
        if len(self.carry) > 0:
            data = self.carry + data[start:end]
            self.carry = b""
            start = 0
            end = len(data)
        if self.lost:
            if not self._plausible(data, start, end):
                return b""
            self.lost = False
        found: list[bytes] = []
        while start < end:
            if self.bare:
                found.append(data[start:end])
                break
            step = min(self.skip, end - start)
            self.skip -= step
            start += step
            step = min(self.left, end - start)
            if step > 0:
                found.append(data[start : start + step])
                self.left -= step
                start += step
            if start < end and not self._head(data, start, end):
                self.carry = data[start:end]
                break
            if start < end and not self.bare:
                start = self._enter(data, start)
        return b"".join(found)

    def gap(self, missing: i64) -> i64:
        """Step over bytes that were not captured; return how many of them were TLS's as far as is known."""
        if self.bare:
            return missing
        step = min(self.skip, missing)
        self.skip -= step
        missing -= step
        inner = min(self.left, missing)
        self.left -= inner
        if missing > inner or len(self.carry) > 0:
            self.lost = True
            self.carry = b""
            self.skip = 0
            self.left = 0
        return inner

    def _plausible(self, data: bytes, start: i64, end: i64) -> bool:
        """Whether a packet may begin at ``start``, or in TDS a bare record."""
        if end - start < TDS_HEADER:
            return False
        if self.kind == TDS:
            bare = 20 <= data[start] <= 24 and data[start + 1] == 3 and data[start + 2] <= 4
            return bare or _tds(data, start)
        opcode = data[start + 2] >> 3
        return 1 <= opcode <= LAST_OPCODE and (data[start] > 0 or data[start + 1] > 0)

    def _head(self, data: bytes, start: i64, end: i64) -> bool:
        """Whether a packet's head lies whole in ``data[start:end]``; bare records end TDS's framing for good."""
        have = end - start
        if self.kind == TDS:
            if have >= 2 and 20 <= data[start] <= 24 and data[start + 1] == 3:
                self.bare = True
                return True
            return have >= TDS_HEADER
        if have < 3:
            return False
        if data[start + 2] >> 3 != OPENVPN_CONTROL:
            return True
        count = acknowledged(data, start, self.hmac)
        return have > count and have >= control_head(data, start, self.hmac)

    def _enter(self, data: bytes, start: i64) -> i64:
        """Begin the packet at ``start``; return where its content begins."""
        if self.kind == TDS:
            size = i64(data[start + 2]) << 8 | i64(data[start + 3])
            self.left = max(size - TDS_HEADER, 0)
            return start + TDS_HEADER
        size = 2 + (i64(data[start]) << 8 | i64(data[start + 1]))
        if data[start + 2] >> 3 != OPENVPN_CONTROL:
            self.skip = max(size, 3)
            return start
        head = control_head(data, start, self.hmac)
        self.left = max(size - head, 0)
        return start + head


def acknowledged(data: bytes, start: i64, hmac: i64) -> i64:
    """Return where an OpenVPN control packet at ``start`` counts the packets it acknowledges, from ``start``."""
    return 3 + SESSION_ID + (hmac + 8 if hmac > 0 else 0)


def control_head(data: bytes, start: i64, hmac: i64) -> i64:
    """Return the length of an OpenVPN control packet's head; the byte that counts acknowledgements must be there."""
    at = acknowledged(data, start, hmac)
    many = i64(data[start + at])
    return at + 1 + (4 * many + SESSION_ID if many > 0 else 0) + 4


def envelope_at(data: bytes, start: i64, end: i64) -> Envelope | None:
    """Return the framing around a TLS hello if ``data[start:end]`` begins with such a packet, else None."""
    have = end - start
    if have < TDS_HEADER + 6:
        return None
    if _tds(data, start) and _hello(data, start + TDS_HEADER, end):
        return Envelope(TDS, 0)
    if data[start + 2] >> 3 == OPENVPN_CONTROL:
        for hmac in OPENVPN_HMACS:
            if acknowledged(data, start, hmac) < have:
                head = control_head(data, start, hmac)
                if head + 6 <= have and _hello(data, start + head, end) and _counted(data, start, hmac):
                    return Envelope(OPENVPN, hmac)
    return None


def packet_before(data: bytes, at: i64, end: i64) -> i64:
    """Return where the packet begins in which a TLS hello at ``at`` comes first, or ``at`` where it is in none."""
    if at >= TDS_HEADER and _tds(data, at - TDS_HEADER):
        return at - TDS_HEADER
    for hmac in OPENVPN_HMACS:
        many: i64 = 0
        while many <= MOST_ACKNOWLEDGED:
            head = acknowledged(data, 0, hmac) + 5 + (4 * many + SESSION_ID if many > 0 else 0)
            start = at - head
            if start < 0:
                break
            size = i64(data[start]) << 8 | i64(data[start + 1])
            control = data[start + 2] >> 3 == OPENVPN_CONTROL and head + 4 <= size <= MOST_CONTROL
            if control and control_head(data, start, hmac) == head and _counted(data, start, hmac):
                return start
            many += 1
    return at


def _counted(data: bytes, start: i64, hmac: i64) -> bool:
    """Whether the packet numbers in a control packet's head are small, as all are at first.

    Bytes of an HMAC may look like a count of acknowledgements: only this shows which length of HMAC is meant.
    """
    at = start + acknowledged(data, start, hmac)
    many = i64(data[at])
    numbered = hmac == 0 or _small(data, at - 8)
    while many > 0 and numbered:
        many -= 1
        numbered = _small(data, at + 1 + 4 * many)
    return numbered


def _small(data: bytes, at: i64) -> bool:
    return data[at] == 0 and data[at + 1] == 0


def _tds(data: bytes, at: i64) -> bool:
    """Whether a TDS packet that may hold a handshake begins at ``at``, whose eight bytes of head are there."""
    kind = data[at]
    size = i64(data[at + 2]) << 8 | i64(data[at + 3])
    return (kind == TDS_PRELOGIN or kind == TDS_RESPONSE) and data[at + 1] <= 1 and size > TDS_HEADER


def _hello(data: bytes, at: i64, end: i64) -> bool:
    """Whether a record with a ClientHello or ServerHello begins at ``at``."""
    if end - at < 6:
        return False
    kind = data[at + 5]
    return data[at] == 22 and data[at + 1] == 3 and data[at + 2] <= 4 and (kind == 1 or kind == 2)
