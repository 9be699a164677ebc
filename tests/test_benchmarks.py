"""The benchmarks' workloads hold what their README promises, and the runner tells what it measured."""

import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("OpenSSL", reason="needs the extra lab")

from tests.lab.packets import RST, SYN, Packet, capture_of, records

ROOT = Path(__file__).parents[1]
SCALE = 0.005
CONNECTIONS = 390
#: One in 50 is refused, by each of these in turn; the last three are encrypted.
REFUSED = [number // 50 % 7 for number in range(25, CONNECTIONS, 50)]


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "benchmarks" / name), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    directory = tmp_path_factory.mktemp("workloads") / "new"
    names = ("handshakes", "bulk", "dirty")
    done = script("make_workloads.py", str(directory), "--scale", str(SCALE), *names)
    assert done.stderr == ""
    assert done.returncode == 0
    return directory, done.stdout.splitlines()


@pytest.fixture(scope="module")
def handshakes(made: tuple[Path, list[str]]) -> list[Packet]:
    return capture_of(made[0] / "handshakes.pcap")


@pytest.fixture(scope="module")
def bulk(made: tuple[Path, list[str]]) -> list[Packet]:
    return capture_of(made[0] / "bulk.pcap")


def sent_by(packets: list[Packet], *, server: bool) -> dict[object, bytes]:
    """Return what one side of each connection sent, by the client's address and port."""
    sent: dict[object, bytearray] = defaultdict(bytearray)
    for packet in packets:
        end, peer = (packet.source, packet.target) if server else (packet.target, packet.source)
        if end[1] == 443:
            sent[peer] += packet.payload
    return {client: bytes(data) for client, data in sent.items()}


def opened(packets: list[Packet]) -> list[object]:
    return [packet.source for packet in packets if packet.flags == SYN]


def test_handshakes_has_the_promised_connections_and_packets(handshakes: list[Packet]) -> None:
    assert len(opened(handshakes)) == len(set(opened(handshakes))) == CONNECTIONS
    assert 1.4e6 < len(handshakes) / SCALE < 1.6e6


def test_handshakes_has_about_500_mb(made: tuple[Path, list[str]]) -> None:
    assert 450e6 < (made[0] / "handshakes.pcap").stat().st_size / SCALE < 550e6


def test_one_connection_in_fifty_is_refused_and_the_alerts_go_round(handshakes: list[Packet]) -> None:
    alerts = Counter(
        tuple(fragment)
        for stream in sent_by(handshakes, server=True).values()
        for kind, fragment in records(stream)
        if kind == 21 and len(fragment) == 2
    )
    expected = Counter((40, 42, 45, 48)[turn] for turn in REFUSED if turn < 4)
    assert alerts == {(2, code): count for code, count in expected.items()}


def test_six_connections_in_ten_are_tls_1_2(handshakes: list[Packet]) -> None:
    versions = Counter(b"\x00\x2b\x00\x02\x03\x04" in s[:300] for s in sent_by(handshakes, server=True).values())
    assert 0.5 < versions[False] / CONNECTIONS < 0.7


def test_every_connection_has_randoms_of_its_own(handshakes: list[Packet]) -> None:
    for server in (False, True):
        streams = sent_by(handshakes, server=server).values()
        assert {stream[5] for stream in streams} == {2 if server else 1}
        assert len({stream[11:43] for stream in streams}) == CONNECTIONS


def test_many_connections_are_open_at_once(handshakes: list[Packet]) -> None:
    first: dict[object, int] = {}
    last: dict[object, int] = {}
    for packet in handshakes:
        client = packet.target if packet.source[1] == 443 else packet.source
        first.setdefault(client, packet.time)
        last[client] = packet.time
    middle = first[opened(handshakes)[CONNECTIONS // 2]]
    assert 30 < sum(first[client] <= middle <= last[client] for client in first) < 70


@pytest.mark.parametrize("name", ["handshakes", "bulk"])
def test_packets_are_in_order_of_time_with_right_checksums(name: str, request: pytest.FixtureRequest) -> None:
    packets: list[Packet] = request.getfixturevalue(name)
    assert all(packet.checksums == (0xFFFF, 0xFFFF) for packet in packets)
    assert all(one.time <= next_.time for one, next_ in pairwise(packets))
    assert max(packet.length for packet in packets) == 1500


def test_bulk_has_sixty_connections_that_carry_the_promised_bytes(bulk: list[Packet]) -> None:
    assert len(opened(bulk)) == 60
    streams = [*sent_by(bulk, server=True).values(), *sent_by(bulk, server=False).values()]
    full = [len(fragment) for s in streams for kind, fragment in records(s) if kind == 23 and len(fragment) > 16_384]
    assert 0.95 < len(full) * 16_384 / (2e9 * SCALE) < 1.05
    assert not any(packet.flags & RST for packet in bulk)


def test_bulk_has_its_connections_interleaved(bulk: list[Packet]) -> None:
    data = [packet.source for packet in bulk if packet.length == 1500]
    changes = sum(one != other for one, other in pairwise(data))
    assert changes > len(data) / 10


def test_dirty_has_some_packets_doubled_and_some_late(made: tuple[Path, list[str]]) -> None:
    packets = capture_of(made[0] / "dirty.pcap")
    doubled = sum(one == other for one, other in pairwise(packets))
    late = sum(one.time > other.time for one, other in pairwise(packets))
    assert 0.001 < doubled / len(packets) < 0.006
    assert 0.001 < late / len(packets) < 0.006


def test_half_open_is_nothing_but_syns_from_as_many_ends(tmp_path: Path) -> None:
    assert script("make_workloads.py", str(tmp_path), "half-open", "--scale", "0.0005").returncode == 0
    packets = capture_of(tmp_path / "half-open.pcap")
    assert len(packets) == len(set(opened(packets))) == 500


def test_unanswered_has_a_hello_of_its_own_for_each_connection(tmp_path: Path) -> None:
    assert script("make_workloads.py", str(tmp_path), "unanswered", "--scale", "0.0005").returncode == 0
    packets = capture_of(tmp_path / "unanswered.pcap")
    hellos = sent_by(packets, server=False).values()
    assert len(hellos) == len({hello[11:43] for hello in hellos}) == len(set(opened(packets))) == 500
    assert {hello[5] for hello in hellos} == {1}
    assert not any(sent_by(packets, server=True).values())


def test_the_maker_tells_what_it_made(
    made: tuple[Path, list[str]], handshakes: list[Packet], bulk: list[Packet]
) -> None:
    directory, said = made
    for line, name, packets in ((said[0], "handshakes", handshakes), (said[1], "bulk", bulk)):
        size = (directory / f"{name}.pcap").stat().st_size
        connections = len(opened(packets))
        assert line.startswith(f"{name}: {connections} connections, {len(packets)} packets, {size} bytes")
    assert f"{len(capture_of(directory / 'dirty.pcap'))} packets" in said[2]
    assert sum(int(part.split()[0]) for part in said[0].split("refused ")[1].split(", ")) == len(REFUSED)


def test_an_unknown_workload_is_a_usage_error(tmp_path: Path) -> None:
    done = script("make_workloads.py", str(tmp_path), "lunch")
    assert done.returncode == 2
    assert "there is no workload lunch" in done.stderr


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return pytest.importorskip("run")


def test_the_runner_shows_failures_and_what_is_missing(made: tuple[Path, list[str]], runner: Any) -> None:
    python = (sys.executable, "-c")
    peers = [
        runner.Peer("floor", (*python, "pass")),
        runner.Peer("tlsalert", (*python, "import sys; sys.exit('broken | pipe')")),
        runner.Peer("absent", None),
        runner.Peer("no such file", ("/nonexistent/program",)),
    ]
    table = runner.measure(made[0] / "handshakes.pcap", peers, 1, 5.0)
    assert "| tlsalert | failed | | | |" in table
    assert r"- tlsalert failed: exit 1: broken \| pipe" in table
    assert "- no such file failed: could not be started: No such file or directory" in table
    assert "- absent: not installed." in table
    assert "| floor | 0." in table


def test_a_slow_peer_is_measured_on_the_beginning_and_scaled(made: tuple[Path, list[str]], runner: Any) -> None:
    """This one takes a second for a megabyte; it never gets the whole file, but whole packets."""
    code = "import sys, time, pathlib; d = pathlib.Path(sys.argv[1]).read_bytes(); time.sleep(len(d) / 1e6)"
    peer = runner.Peer("snail", (sys.executable, "-c", code), slow=True)
    file = made[0] / "bulk.pcap"
    result = runner.measure_slow(peer, file, 3, 0.5)
    assert 0 < result.share < 0.5
    assert result.run.trouble is None
    assert result.run.seconds > file.stat().st_size / 2e6
    assert "snail: scaled from the first" in runner.table(file, [result], [], "snail")


def test_a_file_that_is_no_capture_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    for name, says in (("text", "not a little-endian pcap file"), ("none", "No such file")):
        done = script("run.py", str(tmp_path / name))
        assert done.returncode == 2
        assert says in done.stderr


def test_a_key_log_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "empty.pcap").write_bytes(bytes.fromhex("d4c3b2a1") + bytes(20))
    done = script("run.py", str(tmp_path / "empty.pcap"), "--keylog", str(tmp_path / "none"))
    assert done.returncode == 2
    assert "no such file" in done.stderr


def test_with_a_key_log_everybody_has_it(tmp_path: Path) -> None:
    """What decrypts is measured, and nothing that cannot."""
    done = script("make_workloads.py", str(tmp_path), "--scale", "0.002", "keyed")
    assert done.returncode == 0
    keyed, keys = tmp_path / "keyed.pcap", tmp_path / "keyed.keys"
    done = script("run.py", str(keyed), "--keylog", str(keys), "--repeat", "1")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("| t")]
    known = ["tcpdump 'tcp port 1' (the floor)", "tlsalert read --keylog --only failed"]
    known += ["tlsalert read --keylog (every connection)", "tshark with keys, -Y tls -T fields"]
    assert [row for row in [*known, "tshark with keys, -Y tls -T json"] if row not in done.stdout] == []
    assert rows
    assert all(row.startswith("tcpdump") or "key" in row for row in rows)
    assert "failed" not in done.stdout.replace("--only failed", "")


def test_the_replay_is_timed_beside_s_client() -> None:
    done = script("replay.py", "--repeat", "1", "--variant", "good", "expired", "none_sent", "key_mismatch")
    assert done.returncode == 0, done.stderr
    head, _, *rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("|")]
    assert head[1:5] == ["handshakes", "seconds", "handshakes/s", "alerts told"]
    assert [(row[0].strip("| "), row[1], row[4]) for row in rows][:1] == [("tlsalert, all variants", "8", "6")]
    if shutil.which("openssl"):
        assert [row[1] for row in rows] == ["8", "6", "6"]
        assert "- s_client cannot show 1 of 4 variants: key_mismatch." in done.stdout
