"""A capture read as a whole: its connections in order, its clocks held against each other, its damage told."""

from __future__ import annotations

import bz2
import gc
import gzip
import lzma
import os
import pickle
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.evidence import ATLAS, CAPTURES, CASES, CORPUS, captures_under, needs_atlas, needs_corpus
from tests.secrets import captured
from tests.secrets.peers import Peers
from tests.secrets.peers import Talk as Spoken
from tests.talks import (
    CERTIFICATE,
    IN_2015,
    NOON,
    SECOND,
    SERVER,
    Talk,
    answer,
    established,
    flight,
    hello,
    other,
    refused,
    refused_hello,
    write,
)
from tests.wire import tls
from tests.wire.packets import enhanced, ethernet, interface, ipv4, pcap, section, segment
from tests.wire.wrapped import FRAME, PACKET, snap, udp, wireless
from tlsalert import packet_reader, telling
from tlsalert.capture import Capture, Reader, Wanted, read
from tlsalert.diagnosis.verdict import Witnesses, judge
from tlsalert.errors import CaptureError, TlsalertError
from tlsalert.model import Connection, Summary, Verdict
from tlsalert.render.rows import row
from tlsalert.secrets.opening import open_with
from tlsalert.sources import files

CONSOLE = CAPTURES / "console.pcap"


@pytest.fixture
def piecemeal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read in small pieces and hold nothing back, as if the capture were larger than the memory."""
    monkeypatch.setattr(files, "CHUNK", 600)
    monkeypatch.setattr(packet_reader, "HELD_BYTES", 0)


def verdict(connection: Connection) -> Verdict:
    assert connection.verdict is not None
    return connection.verdict


def told(path: Path, wanted: Wanted = "all") -> list[tuple[int, int, str]]:
    """Return number, client's port and outcome of each connection, as they come."""
    found: list[tuple[int, int, str]] = []
    for connection in Reader(path, wanted):
        assert connection.client is not None
        found.append((connection.connection, connection.client.port, verdict(connection).outcome))
    return found


#: The first opens first and ends last; the fourth is no TLS; the last was not seen to its end.
MIXED = (
    refused(42, at=0, port=1, pace=2500),
    established(at=3, port=2),
    refused_hello(70, at=4, port=3),
    other(at=5, port=4),
    established(at=6, port=5),
    refused(48, at=8, port=6),
    Talk((hello(7),), at=60, port=7, closer=None),
)
MIXED_TOLD = [
    (0, 1, "failed"),
    (1, 2, "established"),
    (2, 3, "failed"),
    (3, 5, "established"),
    (4, 6, "failed"),
    (5, 7, "incomplete"),
]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    return write(tmp_path / "mixed.pcap", *MIXED)


# --- order, numbers, choice -----------------------------------------------------------------------------------------


def test_connections_come_in_the_order_of_their_first_packets_and_count_from_0(mixed: Path) -> None:
    assert told(mixed) == MIXED_TOLD


def test_a_choice_leaves_the_numbers_as_they_are(mixed: Path) -> None:
    failed = [row for row in MIXED_TOLD if row[2] == "failed"]
    assert told(mixed, "failed") == failed
    assert told(mixed, "alerts") == failed  # each of these has an alert, and no other one


@pytest.mark.usefixtures("piecemeal")
@pytest.mark.parametrize("wanted", ["all", "failed", "alerts"])
def test_what_is_told_before_the_end_keeps_its_number(mixed: Path, wanted: Wanted) -> None:
    """A capture larger than the memory is told as its connections end; no number may stand for two of them."""
    rows = MIXED_TOLD if wanted == "all" else [row for row in MIXED_TOLD if row[2] == "failed"]
    early = told(mixed, wanted)
    assert sorted(early) == rows
    assert early != rows  # else nothing was told early, and this shows nothing


def test_a_close_without_an_alert_is_a_failure_but_no_alert(tmp_path: Path) -> None:
    path = write(tmp_path / "closed.pcap", Talk((hello(), flight(), answer(CERTIFICATE)), how="rst"))
    assert told(path, "failed") == [(0, 40112, "failed")]
    assert told(path, "alerts") == []


def test_a_warning_in_a_connection_that_went_well_is_an_alert(tmp_path: Path) -> None:
    flights = (hello(), ("server", tls.alert(1, 112)), *established().flights[1:])
    path = write(tmp_path / "warned.pcap", Talk(flights))
    assert told(path, "alerts") == [(0, 40112, "established")]
    assert told(path, "failed") == []


@pytest.mark.parametrize("size", [1, 7, 64, 1000, 100_000])
def test_connections_do_not_depend_on_how_the_file_was_sliced(
    mixed: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = list(Reader(mixed))
    monkeypatch.setattr(files, "CHUNK", size)
    assert list(Reader(mixed)) == whole


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_a_compressed_capture_is_the_same_capture(
    mixed: Path, tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(compress(mixed.read_bytes()))
    assert told(packed) == MIXED_TOLD


# --- the summary ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["all", "failed", "alerts"])
def test_the_summary_counts_everything_whatever_was_chosen(mixed: Path, wanted: Wanted) -> None:
    reader = Reader(mixed, wanted)
    assert reader.summary == Summary(str(mixed))
    list(reader)
    summary = reader.summary
    assert (summary.connections, summary.other_streams) == (6, 1)
    assert (summary.failed_by_server, summary.failed_by_client, summary.failed_other) == (3, 0, 0)
    assert summary.start == NOON * SECOND
    assert summary.end is not None
    assert summary.end >= (NOON + 60) * SECOND
    assert summary.packets > 40
    assert summary.notes == ()


def test_a_client_that_refuses_is_counted_as_one(tmp_path: Path) -> None:
    talk = Talk((hello(), flight(), ("client", tls.alert(2, 48))), closer="client")
    summary = read(write(tmp_path / "client.pcap", talk)).summary
    assert (summary.failed_by_server, summary.failed_by_client) == (0, 1)


def test_progress_is_told_in_bytes_of_the_file(mixed: Path) -> None:
    reader = Reader(mixed)
    done: list[int] = []
    reader.progress = done.append
    list(reader)
    assert sum(done) == reader.size == mixed.stat().st_size


def test_the_size_of_a_compressed_file_is_that_on_the_disk(mixed: Path, tmp_path: Path) -> None:
    packed = tmp_path / "mixed.gz"
    packed.write_bytes(gzip.compress(mixed.read_bytes()))
    reader = Reader(packed)
    assert (reader.size, reader.live) == (packed.stat().st_size, False)
    list(reader)


# --- damage ---------------------------------------------------------------------------------------------------------


def test_of_a_capture_cut_short_all_that_is_there_is_read_and_the_end_is_told(mixed: Path) -> None:
    whole = mixed.read_bytes()
    mixed.write_bytes(whole[:-30])
    capture = read(mixed)
    assert len(capture) == 6
    assert [note for note in capture.summary.notes if "cut short" in note and str(len(whole) - 30) in note]


def test_a_capture_of_nothing_but_its_header_holds_nothing(mixed: Path) -> None:
    mixed.write_bytes(mixed.read_bytes()[:24])
    capture = read(mixed)
    assert (len(capture), capture.summary.start, capture.summary.notes) == (0, None, ())


def test_of_a_compressed_capture_cut_short_the_cut_is_told(mixed: Path) -> None:
    packed = gzip.compress(mixed.read_bytes())
    mixed.write_bytes(packed[: len(packed) - 200])
    capture = read(mixed)
    assert len(capture) >= 4
    assert any("compressed" in note for note in capture.summary.notes)


def test_packets_of_a_link_that_is_not_understood_are_counted(mixed: Path) -> None:
    whole = bytearray(mixed.read_bytes())
    struct.pack_into("<I", whole, 20, 250)
    mixed.write_bytes(whole)
    capture = read(mixed)
    assert len(capture) == 0
    (note,) = capture.summary.notes
    assert note.endswith("packets of link type 250 (LINKTYPE_RTAC_SERIAL) are not understood")


def test_what_could_not_be_read_below_tcp_is_told(tmp_path: Path) -> None:
    """By the network layer, and by the dissector that it asks."""
    path = tmp_path / "several.pcapng"
    lowpan = struct.pack("<HBHHH", 0x8841, 1, 0xABCD, 2, 1) + struct.pack(">HH", 0xC000 | 200, 9)
    packets = [wireless(snap(b"secret"), b"\x08\x41"), ipv4(segment(), fragment=0x2000), lowpan]
    described = interface(105) + interface(101) + interface(230)
    path.write_bytes(section() + described + b"".join(enhanced(one, 1, place) for place, one in enumerate(packets)))
    fragments, encrypted, others = read(path).summary.notes
    assert fragments.startswith("1 IP datagrams came in fragments")
    assert encrypted == "1 frames of 802.11 are encrypted"
    assert others == "1 LoWPAN datagrams in fragments could not be put together"


def test_a_connection_in_a_tunnel_is_read_as_any_other(tmp_path: Path) -> None:
    path = tmp_path / "tunnel.pcap"
    path.write_bytes(pcap([ethernet(ipv4(udp(b"\x08\0\0\0\0\0\x2a\0" + FRAME, 4789), 17))]))
    (connection,) = read(path)
    assert [message.message for message in connection.messages] == ["client_hello"]


@pytest.mark.parametrize(
    ("resolution", "ticks", "time"),
    [
        pytest.param(0, 7, "1970-01-01T00:00:07Z", id="seconds"),
        pytest.param(3, 7123, "1970-01-01T00:00:07.123Z", id="milliseconds"),
        pytest.param(9, 7123456789, "1970-01-01T00:00:07.123456789Z", id="nanoseconds"),
        pytest.param(0x84, 7 * 16 + 3, "1970-01-01T00:00:07.18Z", id="a second's sixteenths"),
    ],
)
def test_times_have_the_decimals_of_their_interface(tmp_path: Path, resolution: int, ticks: int, time: str) -> None:
    path = tmp_path / "times.pcapng"
    described = interface(101, options=[(9, bytes([resolution]))])
    path.write_bytes(section() + described + enhanced(PACKET, ticks))
    (connection,) = read(path)
    assert row(connection)["start"] == time


@pytest.mark.parametrize(
    ("begin", "says"),
    [
        (b"", "the file is empty"),
        (b"no capture at all", "not a capture"),
        (b"\xd4\xc3\xb2\xa1", "the capture ends inside its file header"),
        (b"\x1f\x8bgarbage", "the compressed data is damaged"),
        (gzip.compress(b"\xd4\xc3\xb2\xa1", mtime=0)[:-9], "the compressed data is damaged or cut short"),
    ],
)
def test_what_is_no_capture_is_refused_at_once_and_closed(tmp_path: Path, begin: bytes, says: str) -> None:
    path = tmp_path / "other"
    path.write_bytes(begin)
    with pytest.raises(CaptureError) as raised:
        read(path)
    assert str(raised.value).startswith(f"{path}: {says}")
    del raised
    gc.collect()  # a file that is still open would be a warning here, and warnings are errors


@pytest.mark.parametrize("read_on", [False, True], ids=["not read", "begun"])
def test_a_capture_that_is_not_read_to_its_end_leaves_no_file_open(mixed: Path, read_on: bool) -> None:
    capture = read(mixed)
    if read_on:
        capture[0]
    del capture
    gc.collect()
    assert str(mixed) not in [os.readlink(f"/proc/self/fd/{number}") for number in open_files()]


def open_files() -> list[str]:
    """Return the numbers of the files that this process holds open (the one for looking is closed again)."""
    return [number for number in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{number}")]


@pytest.mark.parametrize("resolution", [0, 3, 6, 9, 19, 0x7F, 0x80, 0x9E, 0xBF, 0xFF])
@pytest.mark.parametrize("ticks", [0, 2**40, 2**62, 2**63, 2**64 - 100])
def test_times_that_no_calendar_has_are_read_all_the_same(tmp_path: Path, resolution: int, ticks: int) -> None:
    """draft-ietf-opsawg-pcapng §4.2: if_tsresol is a power of ten, or of two with the highest bit."""
    packets = split(write(tmp_path / "plain.pcap", refused()).read_bytes())
    path = tmp_path / "odd.pcapng"
    blocks = [enhanced(packet, ticks + number) for number, packet in enumerate(packets)]
    path.write_bytes(section() + interface(options=[(9, bytes([resolution]))]) + b"".join(blocks))
    (connection,) = read(path)
    assert verdict(connection).refused_by == "server"


def split(pcap: bytes) -> list[bytes]:
    """Return the packets of a pcap file."""
    found, at = [], 24
    while at < len(pcap):
        (size,) = struct.unpack_from("<I", pcap, at + 8)
        found.append(pcap[at + 16 : at + 16 + size])
        at += 16 + size
    return found


# --- clocks ---------------------------------------------------------------------------------------------------------


def clocked(path: Path, *talks: Talk) -> list[Connection]:
    return list(read(write(path / "clocks.pcap", *talks)))


def test_three_handshakes_that_agree_prove_the_servers_clock(tmp_path: Path) -> None:
    connections = clocked(tmp_path, *(refused(at=40 * n, port=n + 1, clock=IN_2015) for n in range(3)))
    for connection in connections:
        clock = connection.clocks.server
        assert clock is not None
        assert (clock.agreeing, clock.confidence > 0.99) == (3, True)
        assert clock.skew_seconds == pytest.approx(IN_2015 - NOON, abs=2)
        found = verdict(connection)
        assert (found.cause, found.at_fault) == ("certificate_not_yet_valid", "server")
        assert found.confidence >= 0.9


def test_one_handshake_with_a_past_date_proves_nothing(tmp_path: Path) -> None:
    (connection,) = clocked(tmp_path, refused(clock=IN_2015))
    clock = connection.clocks.server
    assert clock is None or (clock.agreeing, clock.confidence < 0.95) == (1, True)
    assert verdict(connection).confidence < 0.9


def test_one_handshake_that_agrees_with_the_capture_shows_a_clock(tmp_path: Path) -> None:
    (connection,) = clocked(tmp_path, refused(clock=NOON))
    assert connection.clocks.server is not None
    assert connection.clocks.server.confidence > 0.95


def test_handshakes_that_disagree_show_no_clock(tmp_path: Path) -> None:
    talks = [refused(at=n, port=n + 1, clock=IN_2015 + n * 86_400) for n in range(3)]
    connections = clocked(tmp_path, *talks)
    assert [connection.clocks.server for connection in connections] == [None] * 3
    assert max(verdict(connection).confidence for connection in connections) < 0.9


def test_a_clock_that_stands_still_is_no_clock_that_agrees(tmp_path: Path) -> None:
    """The same date in a random an hour later: not what a clock does."""
    talks = [refused(at=3600 * n, port=n + 1, clock=IN_2015 - 3600 * n) for n in range(3)]
    assert [connection.clocks.server for connection in clocked(tmp_path, *talks)] == [None] * 3


def test_each_server_has_its_own_clock(tmp_path: Path) -> None:
    """Same address, other port: another machine may stand behind it."""
    talks = [
        refused(at=n, port=n + 1, clock=IN_2015 if n % 2 else None, server=(SERVER, 5900 + n % 2)) for n in range(6)
    ]
    clocks = [connection.clocks.server for connection in clocked(tmp_path, *talks)]
    assert [clock is not None and clock.agreeing for clock in clocks] == [False, 3] * 3


def test_the_very_same_hello_seen_twice_is_no_second_witness(tmp_path: Path) -> None:
    """A port that is mirrored twice, or a capture merged with itself."""
    once = refused(clock=IN_2015)
    again = Talk(once.flights, at=1, port=40113)
    for connection in clocked(tmp_path, once, again):
        assert connection.clocks.server is None or connection.clocks.server.agreeing == 1
        assert verdict(connection).confidence < 0.9


def test_a_client_is_known_by_its_address_whatever_its_port(tmp_path: Path) -> None:
    talks = [
        Talk((hello(n, IN_2015 + n), flight(n), ("client", tls.alert(2, 42))), at=n, port=n, closer="client")
        for n in (1, 2, 3)
    ]
    for connection in clocked(tmp_path, *talks):
        assert connection.clocks.client is not None
        assert connection.clocks.client.agreeing == 3
        found = verdict(connection)
        assert (found.refused_by, found.cause, found.at_fault) == ("client", "certificate_not_yet_valid", "client")


def test_the_captures_clock_is_that_of_the_first_packet(tmp_path: Path) -> None:
    (connection,) = clocked(tmp_path, refused(at=5))
    assert connection.clocks.capture == connection.start == (NOON + 5) * SECOND


# --- a capture as a sequence ----------------------------------------------------------------------------------------


def test_a_capture_is_a_sequence_of_connections() -> None:
    capture = read(CONSOLE)
    assert isinstance(capture, Capture)
    assert capture.source == str(CONSOLE)
    assert len(capture) == 3
    assert [connection.connection for connection in capture] == [0, 1, 2]
    assert capture[-1] is capture[2]
    assert [connection.connection for connection in capture[1:]] == [1, 2]
    assert capture[0] in capture
    assert list(capture) == list(capture)
    assert next(reversed(capture)) is capture[2]
    with pytest.raises(IndexError):
        capture[3]


def test_a_capture_knows_its_failures_and_shows_them() -> None:
    capture = read(str(CONSOLE))
    assert len(capture.failed) == 3
    assert repr(capture) == f"<Capture {CONSOLE}: 3 connections read so far>"
    assert (capture.summary.connections, capture.summary.failed_by_server) == (3, 3)


def test_connections_pickle() -> None:
    capture = read(CONSOLE)
    assert pickle.loads(pickle.dumps(list(capture))) == list(capture)


# --- hostile captures -----------------------------------------------------------------------------------------------

CHANGES = st.lists(st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=5)), min_size=1, max_size=8)


def assert_survives(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        reader = Reader(path)
    except CaptureError:
        return
    for connection in reader:
        assert connection.verdict is not None
    assert reader.summary.connections >= 0


@given(CHANGES, st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_capture_is_read_or_refused(tmp_path: Path, changes: list[tuple[int, bytes]], cut: bool) -> None:
    data = bytearray(CONSOLE.read_bytes())
    for place, put in changes:
        place %= len(data) - 8
        data[place : place + len(put)] = put
    assert_survives(tmp_path / "changed.pcap", bytes(data[: changes[0][0]]) if cut else bytes(data))


@pytest.mark.long
@given(CHANGES, st.sampled_from(sorted(CAPTURES.glob("*.pcap"))))
@settings(max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_at_length_a_changed_capture_is_read_or_refused(
    tmp_path: Path, changes: list[tuple[int, bytes]], capture: Path
) -> None:
    data = bytearray(capture.read_bytes())
    for place, put in changes:
        place %= len(data) - 8
        data[place : place + len(put)] = put
    assert_survives(tmp_path / "changed.pcap", bytes(data))


def judged(paths: list[Path]) -> list[Connection]:
    found: list[Connection] = []
    for path in paths:
        try:
            found.extend(Reader(path))
        except TlsalertError:
            continue
    return found


def assert_the_quick_way_is_right(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> int:
    """What a connection that went well is told to be is what a whole diagnosis says; return how many went well."""
    quick: list[bool] = []

    def noting(connection: Connection, witnesses: Witnesses, well: bool = False) -> Connection:
        quick.append(well)
        return judge(connection, witnesses, well)

    def whole(connection: Connection, witnesses: Witnesses, well: bool = False) -> Connection:
        return judge(connection, witnesses)

    monkeypatch.setattr(telling, "judge", noting)
    told_quickly = judged(paths)
    monkeypatch.setattr(telling, "judge", whole)
    assert judged(paths) == told_quickly
    return sum(quick)


def test_connections_that_went_well_need_no_whole_diagnosis(monkeypatch: pytest.MonkeyPatch) -> None:
    assert assert_the_quick_way_is_right(sorted(CAPTURES.glob("*.pcap")), monkeypatch) > 0


@needs_corpus
def test_nor_do_those_of_public_captures(monkeypatch: pytest.MonkeyPatch) -> None:
    assert assert_the_quick_way_is_right(list(captures_under(CORPUS, CASES)), monkeypatch) > 200


# --- secrets --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spoken() -> list[Spoken]:
    """Three handshakes of TLS 1.3, each with all secrets so far."""
    peers = Peers("TLS 1.3", "ALL", client_certificate=True)
    talks = [peers.talk() for _ in range(3)]
    peers.close()
    return talks


def finished(connection: Connection) -> int:
    return sum(message.decrypted and message.message == "finished" for message in connection.messages)


@pytest.mark.parametrize("place", [0.0, 0.3, 0.5, 1.0])
def test_secrets_inside_a_capture_open_what_was_before_them_too(
    spoken: list[Spoken], tmp_path: Path, place: float
) -> None:
    plain = captured.write(tmp_path / "plain.pcap", *spoken)
    path = captured.with_secrets(tmp_path / "with.pcapng", plain, spoken[-1].keylog, place)
    reader = Reader(path)
    assert [finished(connection) for connection in reader] == [2, 2, 2]
    assert reader.summary.notes == ()
    assert reader.summary.connections == 3


def test_secrets_inside_a_compressed_capture_open_what_was_before_them(spoken: list[Spoken], tmp_path: Path) -> None:
    plain = captured.write(tmp_path / "plain.pcap", *spoken)
    path = captured.with_secrets(tmp_path / "with.pcapng", plain, spoken[-1].keylog, 1.0)
    packed = tmp_path / "with.pcapng.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert [finished(connection) for connection in read(packed)] == [2, 2, 2]


def test_secrets_that_come_late_through_a_pipe_are_told_as_late(spoken: list[Spoken], tmp_path: Path) -> None:
    """A pipe cannot be read again; with the key log given as a file, all is opened."""
    plain = captured.write(tmp_path / "plain.pcap", *spoken)
    path = captured.with_secrets(tmp_path / "with.pcapng", plain, spoken[-1].keylog, 1.0)
    keys = tmp_path / "keys"
    keys.write_bytes(spoken[-1].keylog)
    for secrets, notes in ((None, 1), (open_with([keys]), 0)):
        pipe = tmp_path / f"pipe{notes}"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(path.read_bytes(),))
        writer.start()
        reader = Reader(pipe, secrets=secrets)
        opened = [finished(connection) for connection in reader]
        writer.join()
        assert len(opened) == 3
        assert [note for note in reader.summary.notes if "give them with --keylog" in note] or not notes
        assert notes or opened == [2, 2, 2]


@pytest.mark.usefixtures("piecemeal")
def test_with_secrets_connections_do_not_depend_on_the_slicing(spoken: list[Spoken], tmp_path: Path) -> None:
    path = captured.write(tmp_path / "plain.pcap", *spoken)
    keys = tmp_path / "keys"
    keys.write_bytes(spoken[-1].keylog)
    sliced = list(read(path, keylog=keys))
    files.CHUNK = 1 << 20
    assert sliced == list(read(path, keylog=keys))
    assert [finished(connection) for connection in sliced] == [2, 2, 2]


def test_the_memory_for_records_is_given_back_and_its_end_is_told(
    spoken: list[Spoken], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = captured.write(tmp_path / "plain.pcap", *spoken)
    keys = tmp_path / "keys"
    keys.write_bytes(spoken[-1].keylog)
    for left in (1 << 20, 3000):
        reader = Reader(path, secrets=open_with([keys]))
        reader._tcp.keeping.left = left
        connections = list(reader)
        assert reader._tcp.keeping.left == left  # all of it was given back
        lacking = [note for one in connections for note in one.notes if "not kept to be decrypted" in note]
        assert bool(lacking) == (left == 3000)


def assert_a_choice_misses_none(path: Path, keys: Path) -> int:
    """With secrets, too, those that surely went well are not built; return how many failed."""
    everything = list(Reader(path, secrets=open_with([keys])))
    failed = [c for c in everything if c.verdict is not None and c.verdict.outcome in ("failed", "not_tls")]
    reader = Reader(path, "failed", open_with([keys]))
    assert list(reader) == failed
    assert reader.summary.connections == len(everything)
    return len(failed)


def test_with_secrets_a_choice_of_failures_misses_none() -> None:
    for path in sorted(CAPTURES.glob("*.keys")):
        assert_a_choice_misses_none(path.with_suffix(".pcap"), path)


@needs_atlas
def test_nor_does_it_in_captures_of_real_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = sorted(ATLAS.glob("*.keys"))
    assert sum(assert_a_choice_misses_none(path.with_suffix(".pcap"), path) for path in logs) > 500

    def whole(connection: Connection, witnesses: Witnesses, well: bool = False) -> Connection:
        return judge(connection, witnesses)

    quick = [list(read(path.with_suffix(".pcap"), keylog=path)) for path in logs]
    monkeypatch.setattr(telling, "judge", whole)
    assert [list(read(path.with_suffix(".pcap"), keylog=path)) for path in logs] == quick
