"""What tshark prints becomes plain facts of each stream; pyshark and tshark are asked for where they are missing."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.evidence import CAPTURES
from tests.wireshark import needs_tshark
from tlsalert.capture import read
from tlsalert.cross_check.seen import Stream, _take, streams_of
from tlsalert.errors import UsageError

ENDS = frozenset(("10.0.0.5 40112", "10.0.0.7 5900"))


def layer(name: str, fields: dict[str, Any], *others: dict[str, Any]) -> Any:
    """Return a layer as pyshark makes it of tshark's JSON: others of the same name hang on the first."""
    duplicates = [SimpleNamespace(layer_name=name, _all_fields=one) for one in others]
    return SimpleNamespace(layer_name=name, _all_fields=fields, duplicate_layers=duplicates)


def dissected(*records: dict[str, Any], protocols: str = "eth:ip:tcp:tls", back: bool = False) -> Stream:
    """Return the stream of one packet with these TLS layers."""
    ends = [("10.0.0.5", "40112"), ("10.0.0.7", "5900")]
    (source, sport), (peer, dport) = reversed(ends) if back else ends
    network = {"ip.src": source, "ip.dst": peer}
    layers = [layer("ip", {"ip.src": "192.0.2.1", "ip.dst": "192.0.2.2"}, network)]
    layers += [layer("tcp", {"tcp.stream": "3", "tcp.srcport": sport, "tcp.dstport": dport})]
    layers += [layer("tls", records[0], *records[1:])]
    streams: dict[int, Stream] = {}
    _take(SimpleNamespace(frame_info=layer("frame", {"frame.protocols": protocols}), layers=layers), streams)
    return streams.get(3, Stream(-1, frozenset()))


def record(**handshake: Any) -> dict[str, Any]:
    return {"tls.record": {"tls.handshake": {f"tls.handshake.{name}": value for name, value in handshake.items()}}}


def test_the_ends_are_those_of_the_innermost_packet() -> None:
    stream = dissected(record(type="1"), protocols="eth:ip:ip:tcp:tls")
    assert (stream.number, stream.ends) == (3, ENDS)


def test_messages_have_senders_and_stand_in_their_order_over_records_and_layers() -> None:
    two = {"tls.record": [{"tls.handshake": [{"tls.handshake.type": "11"}, {"tls.handshake.type": "13"}]}]}
    stream = dissected(record(type="2"), two, record(type="14"), back=True)
    assert stream.messages == [("10.0.0.7 5900", kind) for kind in (2, 11, 13, 14)]


def test_the_version_is_the_extension_s_before_the_field_s() -> None:
    hello = record(type="2", version="0x0303", ciphersuite="0x1301")
    assert (dissected(hello).version, dissected(hello).cipher_suite) == (0x0303, 0x1301)
    hello["tls.record"]["tls.handshake"]["Extension: supported_versions (len=2)"] = {
        "tls.handshake.extensions.supported_version": "0x0304"
    }
    assert dissected(hello).version == 0x0304


def test_name_serials_and_alerts() -> None:
    hello = record(type="1", version="0x0303")
    hello["tls.record"]["tls.handshake"]["Extension: server_name"] = {
        "Server Name Indication extension": {"tls.handshake.extensions_server_name": "bmc.example"}
    }
    serials = {"tls.handshake.certificates_tree": [{"x509af.serialNumber": ["0x0a", "00:0b"]}]}
    chain = {"tls.record": {"tls.handshake": {"tls.handshake.type": "11", **serials}}}
    alert = {"tls.record": {"tls.alert_message": {"tls.alert_message.level": "2", "tls.alert_message.desc": "42"}}}
    stream = dissected(hello, chain, alert)
    assert (stream.server_name, stream.serials, stream.version) == ("bmc.example", {10, 11}, None)
    assert stream.alerts == [("10.0.0.5 40112", 42)]


def test_tls_that_is_not_in_tcp_is_left_out() -> None:
    streams: dict[int, Stream] = {}
    eap = [layer("eap", {}), layer("tls", record(type="1"))]
    _take(SimpleNamespace(frame_info=layer("frame", {"frame.protocols": "eth:eapol:eap:tls"}), layers=eap), streams)
    assert streams == {}


def test_pyshark_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyshark", None)
    with pytest.raises(UsageError, match=r"needs pyshark; pip install 'tlsalert\[wireshark\]'"):
        streams_of("x.pcap")


def test_tshark_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("pyshark", reason="needs the extra wireshark")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="needs tshark, Wireshark's program for terminals; install the package tshark"):
        streams_of("x.pcap")


@needs_tshark
def test_a_whole_capture_as_wireshark_sees_it() -> None:
    pytest.importorskip("pyshark", reason="needs the extra wireshark")
    streams, complaint = streams_of(str(CAPTURES / "console.pcap"), ports={5900})
    assert (len(streams), complaint) == (3, None)
    ours = read(CAPTURES / "console.pcap")[2]
    third = streams[2]
    assert third.ends == ENDS
    assert [kind for _, kind in third.messages] == [one.type for one in ours.messages if one.type is not None]
    assert third.alerts == [("10.0.0.7 5900", 42)]
    assert third.serials == {
        int(one.serial or "", 16) for one in (*ours.certificates.client, *ours.certificates.server)
    }


@needs_tshark
def test_what_a_key_log_opens_is_seen_too() -> None:
    pytest.importorskip("pyshark", reason="needs the extra wireshark")
    path, keys = CAPTURES / "tls13-unknown-ca.pcap", CAPTURES / "tls13-unknown-ca.keys"
    assert streams_of(str(path), {5900})[0][0].alerts == []
    assert [code for _, code in streams_of(str(path), {5900}, str(keys))[0][0].alerts] == [48]


@needs_tshark
def test_a_capture_that_is_cut_short_is_seen_as_far_as_it_goes(tmp_path: Path) -> None:
    pytest.importorskip("pyshark", reason="needs the extra wireshark")
    path = tmp_path / "cut.pcap"
    path.write_bytes((CAPTURES / "console.pcap").read_bytes()[:-7])
    streams, complaint = streams_of(str(path), {5900})
    assert len(streams) == 3
    assert complaint is not None
    assert "cut short" in complaint
