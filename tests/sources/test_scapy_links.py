"""What scapy knows and the fast path does not is read through scapy, and only then is scapy loaded."""

from __future__ import annotations

import struct
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tlsalert
from tests.wire.packets import pcap
from tests.wire.wrapped import PACKET6, SEGMENT, assert_hello6, captured
from tlsalert.sources.scapy_links import MODULES, ScapyLinks
from tlsalert.wire.network import Network
from tlsalert.wire.tcp import TcpTable

WITHFCS, NOFCS, IRDA = 195, 230, 144
#: PACKET6 with its header compressed: RFC 6282 §3.1, with nothing left out but version, traffic class and flow label.
COMPRESSED = b"\x78\0\x06\x40" + ip_address("2001:db8::5").packed + ip_address("2001:db8::7").packed + SEGMENT


def radio(inner: bytes, number: int = 1) -> bytes:
    """Return an IEEE 802.15.4 data frame between short addresses, in one network (§7.3.2)."""
    return struct.pack("<HBHHH", 0x8841, number, 0xABCD, 2, 1) + inner


def first(inner: bytes, size: int, tag: int = 9) -> bytes:
    """Return a first fragment, RFC 4944 §5.3."""
    return struct.pack(">HH", 0xC000 | size, tag) + inner


def later(inner: bytes, size: int, offset: int, tag: int = 9) -> bytes:
    return struct.pack(">HHB", 0xE000 | size, tag, offset // 8) + inner


@pytest.mark.parametrize(
    ("link", "packet"),
    [
        pytest.param(NOFCS, radio(b"\x41" + PACKET6), id="LoWPAN, uncompressed"),
        pytest.param(NOFCS, radio(COMPRESSED), id="LoWPAN with a compressed header"),
        pytest.param(WITHFCS, radio(COMPRESSED) + b"\xaa\xbb", id="the same with a frame check sequence"),
    ],
)
def test_the_packet_is_found_on(link: int, packet: bytes) -> None:
    assert_hello6(captured(packet, link=link, into=Network(TcpTable(), ScapyLinks())))


@pytest.mark.parametrize("backwards", [False, True])
def test_fragments_are_put_together(backwards: bool) -> None:
    """Their offsets count in the datagram as it was before its header was compressed."""
    size = len(PACKET6)
    start = radio(first(COMPRESSED[: 36 + 24], size))
    rest = [radio(later(PACKET6[at : at + 40], size, at), at) for at in range(64, size, 40)]
    packets = [start, *rest]
    links = ScapyLinks()
    flows = captured(*(packets[::-1] if backwards else packets), link=NOFCS, into=Network(TcpTable(), links))
    assert_hello6(flows)
    assert links.notes() == []


def test_fragments_without_the_others_are_told() -> None:
    links = ScapyLinks()
    assert links(NOFCS, radio(first(COMPRESSED[:60], len(PACKET6)))) == b""
    assert links.notes() == ["1 LoWPAN datagrams in fragments could not be put together"]


def test_a_frame_that_holds_no_ip_holds_nothing() -> None:
    links = ScapyLinks()
    assert links(NOFCS, b"\x02\0\1") == b""  # an acknowledgement
    assert links.notes() == []


@pytest.mark.parametrize("link", [1, 105, 147, 249, 65535])
def test_other_link_types_are_not_scapys(link: int) -> None:
    assert ScapyLinks()(link, PACKET6) is None


def test_what_scapy_cannot_take_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(packet: bytes) -> None:
        raise IndexError(packet)

    links = ScapyLinks()
    monkeypatch.setitem(links._roots, NOFCS, broken)
    assert links(NOFCS, b"x") == b""
    assert links(NOFCS, b"y") == b""
    assert links.notes() == [
        "2 packets of link type 230 (LINKTYPE_IEEE802_15_4_NOFCS) are broken: scapy cannot take them apart"
    ]


def test_without_scapy_the_link_type_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, NOFCS, ("scapy.layers.that_is_not_there",))
    network = Network(TcpTable(), ScapyLinks())
    assert captured(radio(COMPRESSED), link=NOFCS, into=network) == []
    assert network.unknown == {NOFCS: 1}


def test_scapys_own_settings_are_left_as_they_were() -> None:
    from scapy.config import conf

    before = conf.dot15d4_protocol
    ScapyLinks()(NOFCS, radio(COMPRESSED))
    assert conf.dot15d4_protocol == before


def test_infrared_is_found() -> None:
    packet = struct.pack(">HHH8sH", 0, 783, 0, bytes(8), 0x86DD) + PACKET6
    assert_hello6(captured(packet, link=IRDA, into=Network(TcpTable(), ScapyLinks())))


@given(packet=st.binary(max_size=100), link=st.sampled_from(sorted(MODULES)))
@settings(deadline=None, max_examples=60)
def test_any_bytes_are_taken_or_left(packet: bytes, link: int) -> None:
    found = ScapyLinks()(link, packet)
    assert found is not None


def loaded(tmp_path: Path, link: int, packet: bytes) -> set[str]:
    """Return the modules that reading a capture of one packet loads."""
    path = tmp_path / "one.pcap"
    path.write_bytes(pcap([packet], link))
    script = "import sys, tlsalert; print(len(tlsalert.read(sys.argv[1]))); print(*sys.modules, sep='\\n')"
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(tlsalert.__file__).parents[1])
    assert done.stderr == ""
    return set(done.stdout.split())


def test_scapy_is_loaded_only_for_its_link_types(tmp_path: Path) -> None:
    assert not any(name.startswith("scapy") for name in loaded(tmp_path, 147, PACKET6))
    modules = loaded(tmp_path, NOFCS, radio(COMPRESSED))
    assert "scapy.layers.sixlowpan" in modules
    assert "scapy.all" not in modules
