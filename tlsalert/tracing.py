"""Which packets of a capture belong to which connections: it is read once more, and flows come out by frames.

A connection's packets are all that the TCP layer takes for its flow, without payload or with, and the fragments that
such a packet came in. The reader told a connection's flow (:attr:`Reader.flow`): the same packets in the same
order make the same numbers.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from tlsalert.bits import Bits
from tlsalert.sources.scapy_links import ScapyLinks
from tlsalert.wire.capfile import CaptureParser
from tlsalert.wire.network import Network
from tlsalert.wire.tcp import TcpTable

#: What stands in a flow's place for a frame that completes a datagram, and then for those that its fragments came in.
WHOLE, PIECE = -2, -1


def frames_of(chunks: Iterable[bytes], flows: Container[int]) -> Bits:
    """Return the frames of the packets that belong to some flows of a capture, which is given by its bytes."""
    frames = Bits()
    for frame, flow in Tracer().traced(chunks):
        if flow in flows:
            frames.add(frame)
    return frames


def flow_of(chunks: Iterable[bytes], connection: int) -> int | None:
    """Return the flow of a connection by its number, which counts the flows with TLS from 0; None where it has none."""
    tracer = Tracer()
    for _ in tracer.traced(chunks):
        pass
    return tracer.tls.nth(connection)


class Tracer:
    """The network layers of a reader, which tell what packets belong to instead of what they say."""

    def __init__(self) -> None:
        self.table = TcpTable()
        self.table.tracing = True
        self.network = Network(self.table, ScapyLinks())
        self.tls = Bits()  # the flows that proved to be TLS

    def traced(self, chunks: Iterable[bytes]) -> Iterator[tuple[int, int]]:
        """Go through a capture's bytes: give the frames that belong to flows, with their numbers."""
        parser = CaptureParser(self.network)
        for chunk in chunks:
            parser.feed(chunk)
            self.table.settle()  # as the reader does, or a clock that jumps would make other flows
            yield from self.taken()
        parser.finish()
        self.table.finish()
        yield from self.taken()

    def taken(self) -> Iterator[tuple[int, int]]:
        """Give the frames that have come since the last time with the numbers of their flows. Call it after packets."""
        table = self.table
        traced, table.traced = table.traced, []
        for number in table.recognised:
            self.tls.add(number)
        for flow in table.finished:
            if flow.transcript is not None and (flow.transcript.tls or flow.transcript.declined):
                self.tls.add(int(flow.number))
        table.finished, table.recognised = [], []
        fragments: list[int] = []
        whole = 0
        pairs = iter(traced)
        for frame, number in zip(pairs, pairs, strict=True):
            if number == WHOLE:  # this frame completes a datagram, perhaps inside another one that it completed
                fragments = fragments if whole == frame else []
                whole = frame
            elif number == PIECE:
                fragments.append(frame)
            else:
                if whole == frame:
                    yield from ((piece, number) for piece in fragments if piece != frame)
                yield frame, number
