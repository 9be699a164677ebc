"""Interfaces become one growing capture, with the counts of what came and what was lost."""

from __future__ import annotations

import contextlib
import itertools
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.talks import Talk, refused, write
from tlsalert.errors import CaptureError
from tlsalert.packet_reader import Reader
from tlsalert.sources import live
from tlsalert.sources.interface import Interface
from tlsalert.sources.live import LiveSource, listen, statistics
from tlsalert.wire.ring import enhanced_packet


class FakeInterface:
    """An interface whose chunks are there already. At its end it stays silent, or breaks off."""

    def __init__(self, name: str, *chunks: tuple[bytes, int], lost: int = 0, error: Exception | None = None) -> None:
        self.name, self.link = name, 1
        self.closed = False
        self._chunks, self._lost, self._error = list(chunks), lost, error
        self._reading, self._writing = os.pipe()
        os.write(self._writing, b"x")

    def fileno(self) -> int:
        return self._reading

    def read(self) -> tuple[bytes, int]:
        if self._chunks:
            return self._chunks.pop(0)
        if self._error is not None:
            raise self._error
        if not self.closed:
            os.set_blocking(self._reading, False)
            with contextlib.suppress(BlockingIOError):
                os.read(self._reading, 1)
        return b"", 0

    def dropped(self) -> int:
        return self._lost

    def close(self) -> None:
        self.closed = True
        os.close(self._reading)
        os.close(self._writing)


def packets(path: Path, number: int = 0) -> tuple[bytes, int]:
    """Return a pcap's packets as an interface gives them."""
    data, at, made = path.read_bytes(), 24, []
    while at < len(data):
        seconds, fraction, size, full = struct.unpack_from("<IIII", data, at)
        time = seconds * 1_000_000_000 + fraction * 1000
        made.append(enhanced_packet(data[at + 16 : at + 16 + size], full, number, time))
        at += 16 + size
    return b"".join(made), len(made)


@pytest.fixture
def talk(tmp_path: Path) -> Callable[..., tuple[bytes, int]]:
    def made(*talks: Talk, number: int = 0) -> tuple[bytes, int]:
        return packets(write(tmp_path / "talk.pcap", *talks), number)

    return made


def read(source: LiveSource) -> Reader:
    reader = Reader(source.name, source=source)
    source.stop()
    return reader


def test_what_passes_is_read_like_a_capture(talk: Callable[..., tuple[bytes, int]]) -> None:
    chunk, many = talk(refused(42, port=4001), refused(48, at=1, port=4002))
    source = LiveSource([FakeInterface("eth0", (chunk, many))])
    reader = read(source)
    alerts = [connection.alerts[-1].code for connection in reader]
    assert alerts == [42, 48]
    assert (reader.summary.source, reader.summary.packets, reader.summary.notes) == ("eth0", many, ())
    assert source.packets == many


def test_two_interfaces_are_one_capture(talk: Callable[..., tuple[bytes, int]]) -> None:
    first, second = talk(refused(port=4001)), talk(refused(port=4002), number=1)
    source = LiveSource([FakeInterface("eth0", first), FakeInterface("eth1", second)])
    assert len(list(read(source))) == 2
    assert source.name == "eth0 eth1"


def test_packets_that_were_lost_are_told() -> None:
    source = LiveSource([FakeInterface("eth0", lost=2), FakeInterface("eth1", lost=3)])
    reader = read(source)
    assert list(reader) == []
    assert source.dropped == 5
    assert [note.partition(" and")[0] for note in reader.summary.notes] == [
        "5 packets came faster than they could be read"
    ]


def test_an_interface_that_goes_away_is_an_error_behind_what_had_come(talk: Callable[..., tuple[bytes, int]]) -> None:
    gone = CaptureError("the interface is down, or has gone", "eth0")
    source = LiveSource([FakeInterface("eth0", talk(refused()), error=gone)])
    chunks = source.chunks()
    assert next(chunks).startswith(b"\x0a\x0d\x0d\x0a")
    assert len(next(chunks)) > 1000
    with pytest.raises(CaptureError, match="has gone"):
        list(chunks)


def test_a_surprise_in_the_thread_reaches_the_reader() -> None:
    source = LiveSource([FakeInterface("eth0", error=ValueError("never thought of"))])
    with pytest.raises(CaptureError, match="eth0: listening broke off: never thought of"):
        list(source.chunks())


def test_a_slow_reader_makes_packets_wait_and_loses_none() -> None:
    chunks = [(enhanced_packet(bytes([number]) * 1000, 1000, 0, 0), 1) for number in range(50)]
    source = LiveSource([FakeInterface("eth0", *chunks)], limit=2000)
    assert source.waiting < 4000
    source.stop()
    got = b"".join(source.chunks())
    assert all(bytes([number]) * 1000 in got for number in range(50))


def test_closing_ends_the_thread_and_closes_the_interfaces() -> None:
    fake = FakeInterface("eth0", *[(bytes(1000), 1)] * 50)
    with LiveSource([fake], limit=1000):
        pass
    assert fake.closed


def test_where_one_cannot_be_opened_the_others_are_closed() -> None:
    first = FakeInterface("eth0")

    def opener(name: str, bpf: str | None, number: int, blocks: int) -> Interface:
        if number:
            raise CaptureError("there is no such interface", name)
        return first

    with pytest.raises(CaptureError, match="eth1"):
        listen(["eth0", "eth1"], None, opener)
    assert first.closed


def test_where_one_of_several_breaks_off_the_others_are_heard(talk: Callable[..., tuple[bytes, int]]) -> None:
    gone = FakeInterface("veth0", error=CaptureError("the interface is down, or has gone", "veth0"))
    reader = Reader("both", source=(source := LiveSource([gone, FakeInterface("eth0", talk(refused(42), number=1))])))
    assert len(list(itertools.islice(reader, 1))) == 1
    source.stop()
    list(reader)
    assert any("veth0" in note and "not listening" in note for note in source.notes())
    assert gone.closed


def test_several_share_the_memory_for_bursts_and_none_is_opened_twice() -> None:
    asked: list[tuple[str, int, int]] = []

    def opener(name: str, bpf: str | None, number: int, blocks: int) -> Interface:
        asked.append((name, number, blocks))
        return FakeInterface(name)

    for names in (["eth0"], ["eth0", "eth1", "eth0"], [f"veth{n}" for n in range(100)]):
        with listen(names, None, opener):
            pass
    assert asked[:3] == [("eth0", 0, 256), ("eth0", 0, 128), ("eth1", 1, 128)]
    assert {blocks for _, _, blocks in asked[3:]} == {16}


def test_any_stands_for_all_that_are_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "interfaces_up", lambda: ["lo", "eth7"])
    with listen(["any"], None, lambda name, *_: FakeInterface(name)) as source:
        assert source.name == "lo eth7"


def test_the_counts_stand_in_the_capture() -> None:
    block = statistics(10, 3)
    assert struct.unpack_from("<II", block) == (5, len(block))
    assert struct.pack("<HHQ", 4, 8, 13) in block
    assert struct.pack("<HHQ", 5, 8, 3) in block
