"""Wireshark's display filter for a connection: both ends, and the frames from its hello to its end."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from tests import stories
from tests.evidence import CAPTURES
from tests.talks import refused, write
from tests.wireshark import needs_tshark, tshark
from tlsalert.capture import read
from tlsalert.model import Connection, Endpoint, HandshakeMessage, Position
from tlsalert.render.display_filter import display_filter

SIX = Endpoint("2001:db8::5", 40112), Endpoint("2001:db8::7", 5900)


def of(*frames: int, **changed: object) -> str | None:
    messages = tuple(HandshakeMessage("client_hello", 1, "client", Position(one), None, 0) for one in frames)
    ends = {"client": Endpoint("10.0.0.5", 40112), "server": Endpoint("10.0.0.7", 5900)}
    return display_filter(structs.replace(Connection(source="x", connection=0, messages=messages), **(ends | changed)))


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        pytest.param(
            of(4, 9),
            "ip.addr == 10.0.0.5 && ip.addr == 10.0.0.7 && tcp.port == 40112 && tcp.port == 5900 && "
            "frame.number in {4..9}",
            id="IPv4",
        ),
        pytest.param(
            of(7, client=SIX[0], server=SIX[1]),
            "ipv6.addr == 2001:db8::5 && ipv6.addr == 2001:db8::7 && tcp.port == 40112 && tcp.port == 5900 && "
            "frame.number in {7}",
            id="IPv6, one frame",
        ),
        pytest.param(
            of(7, client=Endpoint("127.0.0.1", 5900), server=Endpoint("127.0.0.1", 5900), transport="udp"),
            "ip.addr == 127.0.0.1 && udp.port == 5900 && frame.number in {7}",
            id="UDP, from itself to itself",
        ),
        pytest.param(of(), None, id="no frames, as in a log"),
        pytest.param(of(7, client=None), None, id="an end that nobody knows"),
    ],
)
def test_the_filter(shown: str | None, wanted: str | None) -> None:
    assert shown == wanted


def test_it_reaches_to_the_close_and_to_all_evidence() -> None:
    shown = display_filter(stories.console())
    assert shown is not None
    assert shown.endswith("frame.number in {4..10}")


@needs_tshark
def test_wireshark_shows_the_handshake_by_it_and_nothing_else(tmp_path: Path) -> None:
    again = write(tmp_path / "again.pcap", refused(42), refused(48, at=30))  # the same ports twice
    for path in (CAPTURES / "console.pcap", again):
        for connection in read(path):
            shown = display_filter(connection)
            assert shown is not None
            frames = {int(line) for line in tshark(path, "-Y", shown, "-T", "fields", "-e", "frame.number")}
            assert {one.position.frame for one in connection.messages} <= frames
            others = [one for one in read(path) if one.connection != connection.connection]
            assert not frames & {one.position.frame for other in others for one in other.messages}
