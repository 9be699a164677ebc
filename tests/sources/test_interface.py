"""An interface gives its packets as pcapng, counts what was lost, and says which right is missing."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tlsalert.errors import CaptureError, UsageError
from tlsalert.sources import interface
from tlsalert.sources.interface import Interface, OneByOne, Ring, interfaces_up, open_interface, rights_missing

SECRET = b"said on loopback"


def _may_listen() -> bool:
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except (OSError, AttributeError):
        return False
    return True


needs_rights = pytest.mark.skipif(not _may_listen(), reason="needs the right to listen on interfaces")


@contextlib.contextmanager
def opened(bpf: str | None = None, blocks: int = 256) -> Iterator[Interface]:
    made = open_interface("lo", bpf, 3, blocks)
    try:
        yield made
    finally:
        made.close()


def heard(made: Interface, port: int, times: int = 1) -> list[bytes]:
    """Send datagrams to a port on loopback and return the packets that come of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(times):
            sender.sendto(SECRET, ("127.0.0.1", port))
    found: list[bytes] = []
    end = time.monotonic() + 10
    while time.monotonic() < end and sum(SECRET in packet for packet in found) < times:
        select.select([made], [], [], 0.2)
        found += packets(made.read()[0])
    select.select([made], [], [], 0.2)
    return found + packets(made.read()[0])


def packets(pcapng: bytes) -> list[bytes]:
    found = []
    while pcapng:
        kind, size, number, _, _, captured, _ = struct.unpack_from("<7I", pcapng)
        assert (kind, number) == (6, 3)
        found.append(pcapng[28 : 28 + captured])
        pcapng = pcapng[size:]
    return found


@pytest.fixture
def port() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener.getsockname()[1]


def test_interfaces_that_are_up_and_understood_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"lo": ("0x9", 772), "eth0": ("0x1003", 1), "eth1": ("0x1002", 1), "can0": ("0x1", 280)}
    for name, (flags, kind) in there.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "flags").write_text(f"{flags}\n")
        (tmp_path / name / "type").write_text(f"{kind}\n")
    monkeypatch.setattr(socket, "if_nameindex", lambda: list(enumerate([*there, "gone0"], 1)))
    assert interfaces_up(tmp_path) == ["lo", "eth0"]


@needs_rights
@pytest.mark.parametrize("kind", [Ring, OneByOne])
def test_each_packet_on_loopback_comes_once(kind: type, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind is OneByOne:
        monkeypatch.setattr(interface, "ring", lambda *_: None)
    with opened(f"udp port {port}") as made:
        if not isinstance(made, kind):
            pytest.skip("this kernel has no ring")
        found = heard(made, port, 5)
        assert len(found) == 5
        assert all(packet.endswith(SECRET) and packet[12:14] == b"\x08\x00" for packet in found)
        assert made.link == 1
        assert made.dropped() == 0


@needs_rights
def test_a_filter_keeps_others_out(port: int) -> None:
    with opened(f"tcp port {port}") as made:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(SECRET, ("127.0.0.1", port))
        select.select([made], [], [], 0.3)
        assert made.read() == (b"", 0)


@needs_rights
def test_the_ring_goes_round(port: int) -> None:
    with opened(f"udp port {port}", blocks=2) as made:
        for _ in range(5):
            assert len(heard(made, port)) == 1


@needs_rights
def test_what_finds_no_room_is_counted(port: int) -> None:
    with opened(f"udp port {port}", blocks=1) as made, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        if not isinstance(made, Ring):
            pytest.skip("this kernel has no ring")
        for _ in range(50):
            sender.sendto(bytes(30_000), ("127.0.0.1", port))
        lost = made.dropped()
        assert lost > 0
        assert made.dropped() >= lost  # the kernel counts anew each time, and this does not


@needs_rights
def test_a_filter_that_is_none_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"the filter 'no filter' cannot be used: .*pcap-filter\(7\)"):
        open_interface("lo", "no filter")


def test_an_interface_that_is_not_there_is_named_beside_those_that_are() -> None:
    with pytest.raises(CaptureError, match=r"nothing0: there is no such interface; there are .*lo"):
        open_interface("nothing0")


def test_missing_rights_are_named_with_the_line_that_gives_them_and_two_ways_without() -> None:
    said = str(rights_missing("eth0", "port 443"))
    assert "CAP_NET_RAW" in said
    assert f"sudo setcap cap_net_raw+ep {os.path.realpath(sys.executable)}" in said
    assert "sudo tcpdump -i eth0 -U -w - 'port 443' | tlsalert read -" in said
    assert "tlsalert tap --listen" in said


def test_who_has_no_rights_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("scapy.arch.linux.L2ListenSocket.__init__", refuse)
    with pytest.raises(CaptureError, match="CAP_NET_RAW"):
        open_interface("lo")


class FakeSocket:
    """Scapy's socket, with packets that somebody thought out."""

    def __init__(self, *received: tuple[bytes | None, float | None] | OSError) -> None:
        self.received = list(received)
        self.ins, self._other = socket.socketpair()
        self._other.send(b"x")  # there is always something to read

    def recv_raw(self, size: int) -> tuple[None, bytes | None, float | None]:
        one = self.received.pop(0)
        if isinstance(one, OSError):
            raise one
        return None, *one

    def close(self) -> None:
        self.ins.close()
        self._other.close()


def test_packets_received_one_by_one_are_passed_on_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "BATCH", 2)
    fake = FakeSocket((b"one", 1.5), (None, None), (b"two", 2.0), (b"three", 3.0))
    made = OneByOne(fake, "eth0", 1, 3)
    first, many = made.read()
    assert (packets(first), many) == ([b"one", b"two"], 2)
    assert struct.unpack_from("<II", first, 12) == (1_500_000_000 >> 32, 1_500_000_000 & 0xFFFFFFFF)
    fake.close()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(100, "Network is down"), "eth0: the interface is down, or has gone; set it up"),
        (OSError(5, "x"), "Input"),
    ],
)
def test_an_interface_that_breaks_off_says_why(error: OSError, says: str) -> None:
    fake = FakeSocket(error)
    with pytest.raises(CaptureError, match=says):
        OneByOne(fake, "eth0", 1, 0).read()
    fake.close()
