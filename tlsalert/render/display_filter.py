"""The display filter that makes Wireshark show what a verdict is about."""

from __future__ import annotations

from collections.abc import Iterator

from tlsalert.model import Connection


def display_filter(connection: Connection) -> str | None:
    """Return Wireshark's display filter for the packets of a connection, from its first message to what ended it.

    Wireshark numbers streams by another rule than tlsalert numbers connections, and ports are used again: so the filter
    names both ends and the frames, which both count alike. None where the evidence has no frames, or an end is unknown.
    """
    frames = sorted(_frames(connection))
    client, server = connection.client, connection.server
    if not frames or client is None or server is None:
        return None
    port = "tcp.port" if connection.transport == "tcp" else "udp.port"
    ends = [f"{_field(end.address)} == {end.address}" for end in (client, server)]
    ends += [f"{port} == {end.port}" for end in (client, server)]
    span = str(frames[0]) if frames[0] == frames[-1] else f"{frames[0]}..{frames[-1]}"
    return " && ".join((*dict.fromkeys(ends), f"frame.number in {{{span}}}"))


def _field(address: str) -> str:
    return "ipv6.addr" if ":" in address else "ip.addr"


def _frames(connection: Connection) -> Iterator[int]:
    """Go through the frames that a connection names: those of its messages, alerts and close, and of the evidence."""
    places = [one.position for one in connection.messages]
    places += [one.position for one in connection.alerts]
    places += [one.position for one in (connection.closed, connection.reset) if one is not None and one.position]
    if connection.verdict is not None:
        places += [one.position for one in connection.verdict.evidence if one.position is not None]
    for place in places:
        if place.frame is not None:
            yield place.frame
