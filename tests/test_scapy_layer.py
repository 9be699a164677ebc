"""Inside scapy: packets carry verdicts, connections have their packets and records, and nothing changes a byte."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.layers.tls.handshake import TLSCertificate, TLSClientHello, TLSServerHello
from scapy.layers.tls.record import TLS, TLSAlert
from scapy.packet import Raw, ls
from scapy.plist import PacketList
from scapy.sendrecv import AsyncSniffer, sniff
from scapy.supersocket import StreamSocket
from scapy.utils import EDecimal, PcapReader, rdpcap, wrpcap

import tlsalert
from tests.evidence import CAPTURES, ROOT
from tests.pki.certificates import made
from tests.talks import Talk, hello, other, refused, write
from tests.wire import tls
from tests.wire.packets import RAW, ethernet, ipv4, ipv6, pcap, segment
from tlsalert.errors import CaptureError, DecodeError
from tlsalert.model import Connection, Endpoint, HandshakeMessage, Position
from tlsalert.pki.certificate import read_certificate
from tlsalert.scapy_layer import (
    TLSConnections,
    TLSVerdict,
    certificate,
    client_hello,
    packets,
    records,
    scapy_certificate,
    scapy_client_hello,
    verdict_layer,
)
from tlsalert.wire.hello import read_client_hello

CONSOLE = CAPTURES / "console.pcap"
#: scapy does not hand out the secrets that a pcapng brings: the verdict of this one stands on an encrypted alert.
WITH_SECRETS = "tls13-expired.pcapng"
NAMES = ["console.pcap", "disturbed.pcap", "starttls-smtp.pcap", WITH_SECRETS, "nanoseconds.pcapng"]
WITHOUT = [name for name in NAMES if name != WITH_SECRETS]


def sniffed(path: Path, **options: Any) -> PacketList:
    return sniff(offline=str(path), session=TLSConnections(**options))


def verdicts(found: PacketList) -> list[tuple[int, str]]:
    """Return frame and cause of each packet's verdict, those without left out."""
    return [(p[TLSVerdict].frame, p[TLSVerdict].cause) for p in found if p.haslayer(TLSVerdict)]


# --- sniffing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_all_packets_come_out_as_they_were_and_in_their_order(name: str) -> None:
    plain, found = rdpcap(str(CAPTURES / name)), sniffed(CAPTURES / name)
    assert [bytes(one) for one in found] == [one.original for one in plain]
    assert [one.time for one in found] == [one.time for one in plain]


@pytest.mark.parametrize("name", WITHOUT)
def test_they_carry_the_verdicts_that_read_gives(name: str) -> None:
    told = {}
    for packet in sniffed(CAPTURES / name):
        if packet.haslayer(TLSVerdict):
            layer = packet[TLSVerdict]
            told[layer.connection] = layer.told.verdict
            assert layer.sentence == layer.told.verdict.summary
    assert told == {one.connection: one.verdict for one in tlsalert.read(CAPTURES / name)}


def test_a_key_log_decrypts() -> None:
    path, keys = CAPTURES / "tls13-unknown-ca.pcap", CAPTURES / "tls13-unknown-ca.keys"
    for log, wanted in ((None, []), (keys, [48])):
        told = sniffed(path, keylog=log)[0][TLSVerdict].told
        assert [alert.code for alert in told.alerts if alert.decrypted] == wanted
    (connection,) = tlsalert.read(rdpcap(str(path)), keylog=keys)
    assert [alert.code for alert in connection.alerts if alert.decrypted] == [48]


def test_packets_of_other_traffic_carry_none(tmp_path: Path) -> None:
    path = write(tmp_path / "x.pcap", other(0, 1), refused(42, 20, 2))
    found = sniffed(path)
    ports = {(one[TCP].sport, one[TCP].dport) for one in found if one.haslayer(TLSVerdict)}
    assert ports == {(2, 5900), (5900, 2)}
    assert len(found) == len(rdpcap(str(path)))


def test_a_class_will_do_and_prn_sees_the_verdict() -> None:
    seen: list[str] = []
    sniff(offline=str(CONSOLE), session=TLSConnections, prn=lambda p: seen.append(p[TLSVerdict].cause), store=False)
    assert seen[-1] == "certificate_not_yet_valid"
    assert len(seen) == 36


def test_what_waits_is_bounded_and_no_verdict_is_lost() -> None:
    session = TLSConnections(held=3)
    found = sniff(offline=str(CONSOLE), session=session)
    bare = [one for one in found if isinstance(one, TLSVerdict)]
    assert len([one for one in found if not isinstance(one, TLSVerdict)]) == 36
    assert session.late == len(bare)
    told = {one[TLSVerdict].connection for one in found if one.haslayer(TLSVerdict)}
    assert told == {0, 1, 2}
    assert all(bytes(one) == b"" for one in bare)
    sizes = []
    session = TLSConnections(held=3)
    for packet in rdpcap(str(CONSOLE)):
        list(session.take(packet))
        sizes.append(len(session._waiting))
    assert max(sizes) == 3


def test_one_packet_at_a_time_loses_no_packet_and_no_verdict(tmp_path: Path) -> None:
    path = write(tmp_path / "x.pcap", *(refused(42, number / 1000, 40112 + number) for number in range(9)), other(60))
    session = TLSConnections(held=2)
    given = [session.process(packet) for packet in rdpcap(str(path))]
    found = [one for one in given if one is not None] + list(session.finish())
    assert {one[TLSVerdict].connection for one in found if one.haslayer(TLSVerdict)} == set(range(9))
    assert len([one for one in found if not isinstance(one, TLSVerdict)]) == len(given)


def test_an_empty_capture_ends_at_once(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcap"
    path.write_bytes(pcap([]))
    assert len(sniffed(path)) == 0


def test_scapy_s_own_reader_and_a_session_by_hand() -> None:
    session = TLSConnections()
    with PcapReader(str(CONSOLE)) as reader:
        found = [out for packet in reader for out in session.take(packet)]
    assert found == []
    assert len(verdicts(PacketList(list(session.finish())))) == 36


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs the right to capture")
def test_live_on_loopback() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    ready = threading.Event()
    sniffer = AsyncSniffer(iface="lo", filter=f"tcp port {port}", session=TLSConnections(), started_callback=ready.set)
    sniffer.start()
    if not ready.wait(10):
        pytest.skip("loopback cannot be captured here")
    time.sleep(0.2)
    with server:
        for closing in range(2):
            with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0] as device:
                client.sendall(hello()[1])
                device.recv(4096)
                device.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
                client.recv(10)
            time.sleep(3.2 if closing == 0 else 0.2)  # a connection is told some two seconds after it has closed
    sniffer.stop()
    assert sniffer.results is not None
    causes = {one[TLSVerdict].refused_by for one in sniffer.results if one.haslayer(TLSVerdict)}
    assert causes == {"server"}


# --- the layer ------------------------------------------------------------------------------------------------------


def test_the_verdict_is_a_layer_like_others(capsys: pytest.CaptureFixture[str]) -> None:
    packet = sniffed(CONSOLE)[32]
    layer = packet.getlayer(TLSVerdict)
    assert packet.haslayer("TLSVerdict")
    assert packet.summary().endswith(
        "TLS Verdict #2 failed: The server refused the client's certificate: it is not valid yet by the server's clock."
    )
    shown = str(packet.show(dump=True))
    for fact in ("[ TLS Verdict ]", "frame     = 33", "cause     = certificate_not_yet_valid", "at_fault  = server"):
        assert fact in shown
    ls(TLSVerdict)
    assert "refused_by" in capsys.readouterr().out
    assert layer.copy() == layer
    assert (layer.told.connection, layer.copy().cause) == (2, "certificate_not_yet_valid")
    assert packet.sprintf("%TLSVerdict.cause%") == "certificate_not_yet_valid"


def test_it_has_no_bytes_wherever_it_stands() -> None:
    connection = tlsalert.read(CONSOLE)[2]
    plain = Ether() / IP(dst="10.0.0.7") / TCP(dport=443) / Raw(b"payload")
    assert bytes(plain / verdict_layer(connection)) == bytes(plain)
    assert bytes(verdict_layer(connection)) == b""
    assert len(plain / verdict_layer(connection)) == len(plain)


def test_names_from_the_wire_do_not_steer_the_terminal() -> None:
    verdict = tlsalert.model.Verdict("failed", "see \x1b[31m this")
    layer = verdict_layer(Connection(source="x", connection=0, verdict=verdict))
    assert "\x1b" not in str(layer.show(dump=True))
    assert "\x1b" not in layer.summary()


def test_a_connection_without_a_verdict_or_ends() -> None:
    layer = verdict_layer(Connection(source="x", connection=0))
    assert (layer.outcome, layer.client, layer.evidence) == (None, None, ())


def test_packets_with_verdicts_can_be_written(tmp_path: Path) -> None:
    wrpcap(str(tmp_path / "again.pcap"), sniffed(CONSOLE))
    assert (tmp_path / "again.pcap").stat().st_size == CONSOLE.stat().st_size
    again = tlsalert.read(tmp_path / "again.pcap")
    assert [one.verdict for one in again] == [one.verdict for one in tlsalert.read(CONSOLE)]


# --- a connection's packets and records -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_packets_have_the_frames_times_and_bytes_of_the_capture(name: str) -> None:
    everything = rdpcap(str(CAPTURES / name))
    for connection in tlsalert.read(CAPTURES / name):
        found = connection.packets
        assert isinstance(found, PacketList)
        frames = [one[TLSVerdict].frame for one in found]
        assert {one.position.frame for one in connection.messages} <= set(frames)
        for frame, packet in zip(frames, found, strict=True):
            whole = everything[frame - 1]
            assert (packet.original, packet.time, packet.wirelen) == (whole.original, whole.time, whole.wirelen)
            assert packet[TLSVerdict].told == connection


@pytest.mark.parametrize("name", NAMES)
def test_records_are_scapy_s_with_the_bytes_that_were_sent(name: str) -> None:
    for connection in tlsalert.read(CAPTURES / name):
        told = connection.records
        assert all(isinstance(one, TLS) for one in told)
        kinds = [message.msgtype for one in told for message in one.msg if hasattr(message, "msgtype")]
        clear = [one.type for one in connection.messages if not one.encrypted and one.type is not None]
        assert set(clear) <= set(kinds)
        assert all(int.from_bytes(bytes(one)[3:5], "big") == len(bytes(one)) - 5 for one in told)
        sent = b"".join(bytes(one) for one in told)
        for message in connection.messages:
            if message.body and not message.encrypted and not message.decrypted:
                assert message.body in sent


def test_records_say_what_scapy_knows() -> None:
    told = tlsalert.read(CONSOLE)[2].records
    assert isinstance(told[0].msg[0], TLSClientHello)
    assert isinstance(told[1].msg[0], TLSServerHello)
    assert isinstance(told[2].msg[0], TLSCertificate)
    assert isinstance(told[-1].msg[0], TLSAlert)
    assert told[-1].msg[0].descr == 42
    assert told[0].time == EDecimal("1623919903.618")


def test_a_hello_keeps_its_extensions_when_an_older_version_was_chosen(tmp_path: Path) -> None:
    """scapy writes no signature_algorithms once a session is older than TLS 1.2, RFC 5246 §7.4.1.4.1."""
    offer = tls.said(tls.message(1, tls.client_hello(extensions=[(13, tls.vector(2, tls.u16(0x0403, 0x0401)))])))
    chosen = tls.said(tls.message(2, tls.server_hello(0x0301)))
    path = write(tmp_path / "x.pcap", Talk((("client", offer), ("server", chosen))))
    assert [bytes(one) for one in tlsalert.read(path)[0].records] == [offer, chosen]


def _in_fragments(whole: bytes, ip: Callable[..., bytes]) -> list[bytes]:
    """Return a segment in three fragments, of which the last comes first and the middle one last."""
    return [ip(whole[at : at + 16], at // 8, more) for at, more in ((32, False), (0, True), (16, True))]


def _fragment4(data: bytes, offset: int, more: bool) -> bytes:
    return ipv4(data, fragment=offset | 0x2000 * more)


def _fragment6(data: bytes, offset: int, more: bool) -> bytes:
    return ipv6(b"\x06\0" + (offset << 3 | more).to_bytes(2, "big") + b"\0\0\0\x07" + data, protocol=44)


ALERT = b"\x15\x03\x03\0\2\2\x2a"
HELLO = hello()[1]


@pytest.mark.parametrize(
    ("link", "frames"),
    [
        pytest.param(1, [ethernet(b"\0\x01\x21\x40" + ipv4(segment(HELLO)), 0x8847)], id="MPLS, RFC 3032"),
        pytest.param(0, [b"\x1e\0\0\0" + ipv6(segment(HELLO))], id="IPv6 on the loopback of macOS"),
        pytest.param(1, [ethernet(one) for one in _in_fragments(segment(ALERT * 4), _fragment4)], id="IPv4 fragments"),
        pytest.param(
            1, [ethernet(one, 0x86DD) for one in _in_fragments(segment(ALERT * 4), _fragment6)], id="IPv6 fragments"
        ),
    ],
)
def test_records_are_found_where_scapy_sees_no_tcp(
    tmp_path: Path, link: int, frames: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(frames, link=link))
    (connection,) = tlsalert.read(path)
    with caplog.at_level("WARNING", "scapy.runtime"):
        told = b"".join(bytes(one) for one in connection.records)
    assert told == (HELLO if len(frames) == 1 else ALERT * 4)
    assert not caplog.messages


def test_what_is_in_frames_of_its_own_has_no_records_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    connection = structs.replace(tlsalert.read(CONSOLE)[0], protocol="openvpn")
    with caplog.at_level("WARNING", "scapy.runtime"):
        assert records(connection) == []
    assert "openvpn has TLS in frames of its own" in caplog.text


def test_packets_without_tcp_are_told(caplog: pytest.LogCaptureFixture) -> None:
    connection = structs.replace(tlsalert.read(CONSOLE)[0], server=Endpoint("192.0.2.99", 1))
    with caplog.at_level("WARNING", "scapy.runtime"):
        assert records(connection) == []
    assert "in 12 of 12 packets TCP was not found" in caplog.text


def test_bytes_behind_a_gap_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap([ethernet(ipv4(segment(HELLO, 1))), ethernet(ipv4(segment(ALERT, 1000)))]))
    (connection,) = tlsalert.read(path)
    with caplog.at_level("WARNING", "scapy.runtime"):
        assert [bytes(one) for one in connection.records] == [HELLO]
    assert "7 bytes after bytes that the capture lacks are left out" in caplog.text


def test_times_out_of_all_bounds_end_nothing() -> None:
    """A big-endian pcapng whose clock scapy reads a thousand times too fast: sniff gave none of its packets."""
    late = rdpcap(str(CONSOLE))
    for packet in late:
        packet.time *= 1_000_000
    session = TLSConnections()
    found = [one for packet in late for one in session.take(packet)] + list(session.finish())
    assert len(found) == len(late)
    assert verdicts(PacketList(found))
    assert len(tlsalert.read(late)) == 3


@pytest.mark.parametrize(
    ("source", "position", "says"),
    [
        pytest.param("-", Position(3), "its packets came once and are gone; save them to a file", id="a pipe"),
        pytest.param("sniffed", Position(3), "its packets came once and are gone", id="a session"),
        pytest.param("client.log", Position(line=3), "that is a log: it has no packets", id="a log"),
        pytest.param("/nowhere/x.pcap", Position(3), "there is no such file", id="a file that is gone"),
        pytest.param(str(CONSOLE), Position(3), "there is no connection 7 in it any more", id="another file"),
    ],
)
def test_where_the_packets_are_gone_that_is_said(source: str, position: Position, says: str) -> None:
    message = HandshakeMessage("client_hello", 1, "client", position, None, 0)
    connection = Connection(source=source, connection=7, messages=(message,))
    for ask in (packets, records):
        with pytest.raises(CaptureError, match=says):
            ask(connection)


# --- scapy's packets as evidence ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITHOUT)
def test_read_takes_scapy_s_packets(name: str) -> None:
    capture = tlsalert.read(rdpcap(str(CAPTURES / name)))
    assert [one.verdict for one in capture] == [one.verdict for one in tlsalert.read(CAPTURES / name)]
    assert "packets of scapy" in capture.source
    assert [one[TLSVerdict].frame for one in capture[0].packets] == [
        one[TLSVerdict].frame for one in tlsalert.read(CAPTURES / name)[0].packets
    ]


def test_it_takes_what_scapy_made_and_any_mixture(tmp_path: Path) -> None:
    alert = Raw(b"\x15\x03\x03\0\2\2\x28")
    made = [
        IP(src="10.0.0.5", dst="10.0.0.7") / TCP(sport=40112, dport=443, flags="PA", seq=1) / Raw(hello()[1]),
        Ether() / IP(src="10.0.0.7", dst="10.0.0.5") / TCP(sport=443, dport=40112, flags="PA", seq=9) / alert,
    ]
    (connection,) = tlsalert.read(iter(made))
    assert [one.message for one in connection.messages] == ["client_hello"]
    assert [alert.code for alert in connection.alerts] == [40]
    raw = tmp_path / "raw.pcap"
    raw.write_bytes(pcap([ipv4(segment(hello()[1]))], link=RAW))
    (connection,) = tlsalert.read(rdpcap(str(raw)))
    assert connection.client_hello is not None


def test_when_the_capture_is_gone_so_are_its_packets() -> None:
    connection = tlsalert.read(rdpcap(str(CONSOLE)))[2]
    gc.collect()
    with pytest.raises(CaptureError, match="its packets came once and are gone"):
        packets(connection)


# --- hellos and certificates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_hellos_and_certificates_go_there_and_back(name: str) -> None:
    for connection in tlsalert.read(CAPTURES / name):
        body = next(one.body for one in connection.messages if one.message == "client_hello")
        ours = connection.client_hello
        assert ours is not None
        assert body is not None
        layer = scapy_client_hello(ours)
        assert bytes(layer)[4:] == body
        assert layer.ciphers == list(ours.cipher_suites)
        assert client_hello(layer) == ours
        for one in (*connection.certificates.client, *connection.certificates.server):
            assert bytes(scapy_certificate(one)) == one.der
            assert certificate(scapy_certificate(one)) == one


EXTENSIONS = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=20)), max_size=4)


@given(random=st.binary(min_size=32, max_size=32), session=st.binary(max_size=32), extensions=EXTENSIONS)
def test_any_hello_keeps_its_bytes(random: bytes, session: bytes, extensions: list[tuple[int, bytes]]) -> None:
    listed = b"".join(tls.u16(kind) + tls.vector(2, data) for kind, data in extensions)
    body = b"\x03\x03" + random + tls.vector(1, session) + tls.vector(2, b"\xc0\x2f") + b"\x01\x00"
    body += tls.vector(2, listed) if extensions else b""
    layer = scapy_client_hello(read_client_hello(body))
    assert bytes(layer)[4:] == body
    assert client_hello(layer) == read_client_hello(body)


def test_a_certificate_keeps_the_bytes_that_scapy_would_drop() -> None:
    """easy-rsa writes Netscape's comment into certificates; scapy reads it as empty."""
    comment = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.16.840.1.113730.1.13"), b"\x16\x08Easy-RSA")
    ours = read_certificate(made(comment))
    layer = scapy_certificate(ours)
    assert bytes(layer) == ours.der
    assert certificate(layer) == ours


def test_a_certificate_that_scapy_cannot_read_is_told() -> None:
    with pytest.raises(DecodeError, match=r"scapy cannot read this certificate: [^\n]+$"):
        scapy_certificate(read_certificate(b"\x00\x03abc"))


def test_a_hello_of_sslv2_has_no_place_in_scapy_s_layer() -> None:
    hello = tlsalert.read(CONSOLE)[0].client_hello
    assert hello is not None
    with pytest.raises(DecodeError, match="ciphers of three bytes"):
        scapy_client_hello(structs.replace(hello, cipher_suites=(0x010080, 0x0035)))


def test_scapy_can_change_a_hello_of_ours() -> None:
    ours = tlsalert.read(CONSOLE)[2].client_hello
    assert ours is not None
    layer = scapy_client_hello(ours)
    layer.ciphers = [0x002F]
    layer.msglen = layer.cipherslen = None
    changed = client_hello(layer)
    assert changed.cipher_suites == (0x2F,)
    assert changed.extensions == ours.extensions


# --- scapy's own tools on the lab's device --------------------------------------------------------------------------


class RecordSocket(StreamSocket):
    """scapy's socket, a record at a time: of a whole flight it would take none for the answer."""

    def recv(self, x: int | None = None, **kwargs: Any) -> TLS:
        head = self.ins.recv(5, socket.MSG_WAITALL)
        return TLS(head + self.ins.recv(int.from_bytes(head[3:5], "big"), socket.MSG_WAITALL))


def test_sr_sends_a_captured_hello_to_the_device_and_the_answer_is_read() -> None:
    pytest.importorskip("OpenSSL", reason="needs the extra lab")
    from tests.replay.devices import authority, device, listening
    from tlsalert.lab.device import Device

    ours = tlsalert.read(CONSOLE)[2].client_hello
    assert ours is not None
    sent = TLS(version=0x0301, msg=[scapy_client_hello(ours)])
    with (
        listening(device(Device(authority()))) as target,
        socket.create_connection((target.host, target.port), timeout=10) as plain,
    ):
        answer = RecordSocket(plain, TLS).sr1(sent, timeout=5, verbose=False)
    assert isinstance(answer, TLS)
    assert isinstance(answer.msg[0], TLSServerHello)
    assert answer.msg[0].cipher == ours.cipher_suites[0]


def test_lsc_knows_sniff_that_takes_the_session(capsys: pytest.CaptureFixture[str]) -> None:
    from scapy.config import lsc

    lsc()
    assert "sniff" in capsys.readouterr().out


# --- what is imported -----------------------------------------------------------------------------------------------


def test_scapy_is_loaded_only_by_this_module_and_not_all_of_it() -> None:
    code = (
        "import sys, tlsalert, tlsalert.model, tlsalert.capture; list(tlsalert.read(sys.argv[1]));"
        "print([one for one in sys.modules if one.startswith('scapy')]);"
        "import tlsalert.scapy_layer; print('scapy.all' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(CONSOLE)], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    assert done.stdout.splitlines() == ["[]", "False"]
