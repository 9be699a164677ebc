"""A capture of a few connections holds their packets and no others', and secrets only where they were asked for."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evidence import CAPTURES
from tests.secrets import captured
from tests.secrets.peers import Peers, Talk
from tests.talks import established, refused, write
from tests.wire.packets import block, section
from tests.wireshark import needs_tshark, tshark
from tlsalert.capture import Reader, read
from tlsalert.extraction import Extraction
from tlsalert.secrets.opening import OpenWith, open_with
from tlsalert.sources.blocks import SECRETS, Blocks
from tlsalert.sources.packets import packets


def extracted(
    path: Path, out: Path, *numbers: int, with_secrets: bool = False, secrets: OpenWith | None = None
) -> list[str]:
    extraction = Extraction(str(out), with_secrets)
    reader = Reader(path, secrets=secrets)
    for connection in reader:
        if connection.connection in numbers:
            extraction.take(connection, reader.flow)
    return list(extraction.write(str(path), reader.secrets))


def test_the_packets_of_one_connection_and_no_others(tmp_path: Path) -> None:
    path, out = tmp_path / "three.pcap", tmp_path / "out.pcapng"
    write(path, established(0, 1), refused(42, 0.001, 2), established(0.002, 3))
    assert extracted(path, out, 1) == [f"{out}: 10 packets of 1 connection"]
    before, after = (list(packets([one.read_bytes()])) for one in (path, out))
    wanted = [one for one in before if b"\0\x02" in (one.data[34:36], one.data[36:38])]
    assert [(one.time, one.data) for one in after] == [(one.time, one.data) for one in wanted]
    (connection,) = read(out)
    assert connection.verdict == read(path)[1].verdict or connection.verdict is not None
    assert [alert.code for alert in connection.alerts] == [42]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[Talk, Talk]]:
    peers = Peers("TLS 1.3", "ECDHE-RSA-AES128-GCM-SHA256")
    first = peers.talk()
    yield first, peers.talk()
    peers.close()


def key_logs(path: Path) -> list[bytes]:
    found = [one.data for one in Blocks([path.read_bytes()]) if one.kind == SECRETS]
    return [data[16 : 16 + int.from_bytes(data[12:16], "little")] for data in found]


@pytest.fixture
def secret(tmp_path: Path, two: tuple[Talk, Talk]) -> Path:
    """A pcapng of two connections with the secrets of both, and blocks about names and statistics."""
    plain = captured.write(tmp_path / "two.pcap", *two)
    path = captured.with_secrets(tmp_path / "two.pcapng", plain, two[0].keylog + two[1].keylog, 0)
    path.write_bytes(path.read_bytes() + block(4, b"\0\0\0\0") + block(5, bytes(12)))
    return path


def test_without_being_asked_no_secret_goes_along(secret: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    said = extracted(secret, out, 1)
    assert said[1:] == [f"{out}: left out: 3 blocks with names, statistics, secrets and the like"]
    assert key_logs(out) == []
    assert {one.kind for one in Blocks([out.read_bytes()])} == {0x0A0D0D0A, 1, 6}


def test_with_secrets_those_of_the_chosen_connection_and_no_others(
    secret: Path, two: tuple[Talk, Talk], tmp_path: Path
) -> None:
    out = tmp_path / "out.pcapng"
    extracted(secret, out, 1, with_secrets=True)
    (told,) = key_logs(out)
    random = read(secret)[1].client_hello
    assert random is not None
    own = [line for line in two[1].keylog.splitlines() if random.random.hex().encode() in line]
    assert own
    assert sorted(told.splitlines()) == sorted(set(own))
    (connection,) = read(out)
    assert any(one.decrypted for one in connection.messages)


def test_secrets_that_were_derived_go_along(tmp_path: Path) -> None:
    from tests.secrets.peers import identity

    peers = Peers("TLS 1.2", "AES128-SHA")
    path, key, out = tmp_path / "rsa.pcap", tmp_path / "key.pem", tmp_path / "out.pcapng"
    captured.write(path, peers.talk())
    peers.close()
    key.write_bytes(identity("rsa").to_pem())
    (said,) = extracted(path, out, 0, with_secrets=True, secrets=open_with([], [key]))
    assert said.endswith(", with 1 secret")
    assert any(alert.decrypted for alert in read(out)[0].alerts)


def test_where_no_secrets_are_known_that_is_said(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    said = extracted(CAPTURES / "console.pcap", out, 2, with_secrets=True)
    assert said == [f"{out}: 12 packets of 1 connection", f"{out}: no secrets of these connections are known"]


def test_a_section_does_not_say_its_old_length(tmp_path: Path) -> None:
    whole = (CAPTURES / "nanoseconds.pcapng").read_bytes()
    path, out = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    path.write_bytes(whole[:16] + len(whole).to_bytes(8, "little") + whole[24:])
    extracted(path, out, 0)
    assert out.read_bytes()[16:24] == section()[16:24]


@needs_tshark
def test_tshark_reads_it_and_decrypts_with_the_secrets(secret: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    shown = ("-Y", "tls.handshake.type == 20", "-d", "tcp.port==5900,tls", "-T", "fields", "-e", "frame.number")
    extracted(secret, out, 0)
    assert tshark(out, *shown) == []
    extracted(secret, out, 0, with_secrets=True)
    assert len(tshark(out, *shown)) == 2
