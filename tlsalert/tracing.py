"""Which packets of a capture belong to which connections: it is read once more, and flows come out by frames.

A connection's packets are all that the TCP layer takes for its flow, without payload or with, and the fragments that
such a packet came in. The reader told a connection's flow (:attr:`Reader.flow`): the same packets in the same
order make the same numbers.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator

from tlsalert.bits import Bits
from tlsalert.sources.files import ByteSource
from tlsalert.sources.scapy_links import ScapyLinks
from tlsalert.wire.capfile import CaptureParser
from tlsalert.wire.network import Network
from tlsalert.wire.tcp import TcpTable

#: What stands in a flow's place for a frame that completes a datagram, and then for those that its fragments came in.
WHOLE, PIECE = -2, -1


def frames_of(path: str | os.PathLike[str], flows: Container[int]) -> Bits:
    """Return the frames of the packets that belong to some flows of a capture.

    Raises :class:`tlsalert.errors.CaptureError` where it cannot be opened or read.
    """
    frames = Bits()
    tracer = Tracer()
    parser = CaptureParser(tracer.network)
    with ByteSource(path) as source:
        for chunk in source.chunks():
            parser.feed(chunk)
            tracer.table.settle()  # as the reader does, or a clock that jumps would make other flows
            for frame, flow in tracer.taken():
                if flow in flows:
                    frames.add(frame)
    return frames


class Tracer:
    """The network layers of a reader, which tell what packets belong to instead of what they say."""

    def __init__(self) -> None:
        self.table = TcpTable()
        self.table.tracing = True
        self.network = Network(self.table, ScapyLinks())

    def taken(self) -> Iterator[tuple[int, int]]:
        """Give the frames that have come since the last time with the numbers of their flows. Call it after packets."""
        table = self.table
        traced, table.traced = table.traced, []
        table.finished = []
        table.recognised = []
        fragments: list[int] = []
        whole = 0
        pairs = iter(traced)
        for frame, flow in zip(pairs, pairs, strict=True):
            if flow == WHOLE:  # this frame completes a datagram, perhaps inside another one that it completed
                fragments = fragments if whole == frame else []
                whole = frame
            elif flow == PIECE:
                fragments.append(frame)
            else:
                if whole == frame:
                    yield from ((piece, flow) for piece in fragments if piece != frame)
                yield frame, flow
