"""Handshakes of real peers come out of a capture with all that was said under encryption, or a note says why not."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from OpenSSL import SSL

from tests import talks
from tests.secrets import captured
from tests.secrets.hellos import RANDOM as CLIENT_RANDOM
from tests.secrets.hellos import SERVER_RANDOM, client_hello, server_hello
from tests.secrets.peers import Peers, Talk
from tests.secrets.sealing import Sealer, Sealer13
from tests.secrets.test_peers import shaken
from tests.talks import Flight
from tests.wire import tls
from tlsalert.capture import read
from tlsalert.model import Connection, Side
from tlsalert.secrets.schedule import TLS10, TLS12, connection_keys, next_traffic_secret
from tlsalert.secrets.suites import suite_of
from tlsalert.wire.transcript import KEPT_OF_ONE

MASTER = bytes(range(100, 148))
SECRETS: dict[tuple[Side, str], bytes] = {
    ("client", "HANDSHAKE_TRAFFIC_SECRET"): b"1" * 32,
    ("server", "HANDSHAKE_TRAFFIC_SECRET"): b"2" * 32,
    ("client", "TRAFFIC_SECRET_0"): b"3" * 32,
    ("server", "TRAFFIC_SECRET_0"): b"4" * 32,
}
NAMES = [
    "client_hello", "server_hello", "encrypted_extensions", "certificate_request", "certificate",
    "certificate_verify", "finished", "certificate", "certificate_verify", "finished",
]  # fmt: skip


def log(path: Path, text: bytes) -> Path:
    path.write_bytes(text)
    return path


def told(folder: Path, talk: Talk, keylog: bytes | None = None) -> Connection:
    pcap = captured.write(folder / "talk.pcap", talk)
    (connection,) = read(pcap, keylog=log(folder / "keys", talk.keylog if keylog is None else keylog))
    return connection


def names(connection: Connection) -> list[str]:
    return [message.message for message in connection.messages if message.message != "change_cipher_spec"]


def spoken(version: str = "TLS 1.3", **fields: object) -> Talk:
    peers = Peers(version, client_certificate=True, ciphers="ALL" if version == "TLS 1.3" else "AES128-SHA", **fields)  # type: ignore[arg-type]
    try:
        return peers.talk()
    finally:
        peers.close()


# --- real peers -----------------------------------------------------------------------------------------------------


def test_messages_and_alerts_of_tls13_stand_in_their_place(tmp_path: Path) -> None:
    connection = told(tmp_path, spoken())
    assert names(connection)[: len(NAMES)] == NAMES
    assert set(names(connection)[len(NAMES) :]) == {"new_session_ticket"}
    assert [one.decrypted for one in connection.messages if one.message == "server_hello"] == [False]
    assert all(one.decrypted and one.encrypted for one in connection.messages if one.message == "finished")
    assert {(one.sender, one.code, one.decrypted) for one in connection.alerts} == {
        ("client", 0, True),
        ("server", 0, True),
    }
    frames = [one.position.frame for one in connection.messages if one.position.frame is not None]
    assert frames == sorted(frames)
    assert len(connection.certificates.client) == 1
    assert connection.notes == ()
    assert connection.verdict is not None
    assert connection.verdict.outcome == "established"


@pytest.mark.parametrize("version", ["TLS 1.0", "TLS 1.1", "TLS 1.2"])
def test_up_to_tls12_it_is_finished_and_the_alerts(tmp_path: Path, version: str) -> None:
    connection = told(tmp_path, spoken(version))
    assert [one.sender for one in connection.messages if one.message == "finished" and one.decrypted] == [
        "client", "server"]  # fmt: skip
    assert {(one.code, one.decrypted) for one in connection.alerts} == {(0, True)}


def test_a_hello_that_is_sent_again_changes_nothing(tmp_path: Path) -> None:
    peers = Peers("TLS 1.3", "ALL")
    peers.server.set_ecdh_curve("secp521r1")
    talk = peers.talk()
    peers.close()
    connection = told(tmp_path, talk)
    assert names(connection).count("client_hello") == 2
    assert names(connection).count("finished") == 2


def test_a_renegotiation_inside_is_read(tmp_path: Path) -> None:
    talk = shaken(SSL.TLS1_2_VERSION, b"ECDHE-RSA-AES128-GCM-SHA256", renegotiate=True)
    connection = told(tmp_path, talk)
    assert names(connection).count("client_hello") == names(connection).count("server_hello") == 2
    assert names(connection).count("finished") == 4


def test_a_certificate_that_is_asked_for_later_is_read(tmp_path: Path) -> None:
    """RFC 8446 §4.6.2."""
    peers = Peers("TLS 1.3", "ALL", client_certificate=True)
    peers.client.post_handshake_auth = True
    peers.server.verify_mode = ssl.CERT_OPTIONAL
    talk = peers.talk(client_auth_later=True)
    peers.close()
    connection = told(tmp_path, talk)
    later = names(connection)[names(connection).index("new_session_ticket") :]
    assert [name for name in later if name != "new_session_ticket"] == [
        "certificate_request", "certificate", "certificate_verify", "finished"]  # fmt: skip
    assert len(connection.certificates.client) == 1


# --- wrong and missing secrets --------------------------------------------------------------------------------------


def test_a_key_log_of_another_connection_is_told_as_such(tmp_path: Path) -> None:
    connection = told(tmp_path, spoken(), spoken().keylog)
    assert names(connection) == ["client_hello", "server_hello"]
    assert [note for note in connection.notes if "the key log has no secret for this client random" in note]


def test_one_sides_secret_opens_that_side(tmp_path: Path) -> None:
    """And what the other side said is told as unread, not as missing."""
    talk = spoken()
    keylog = b"".join(line for line in talk.keylog.splitlines(True) if line.startswith(b"SERVER_"))
    connection = told(tmp_path, talk, keylog)
    inside = [one for one in connection.messages if one.decrypted]
    assert {one.sender for one in inside} == {"server"}
    assert {one.message for one in inside} >= {"encrypted_extensions", "certificate_request", "finished"}
    assert {one.sender for one in connection.alerts if one.decrypted} == {"server"}
    assert [note for note in connection.notes if "but not CLIENT_" in note]
    assert connection.verdict is not None
    assert connection.verdict.outcome == "established"


def test_a_damaged_record_is_told_and_those_behind_it_are_read(tmp_path: Path) -> None:
    talk = spoken("TLS 1.3")
    place = next(n for n, one in enumerate(talk.records) if one.content_type == 23)
    damaged = talk.records[place]
    assert damaged.fragment is not None
    flipped = bytes((damaged.fragment[0] ^ 1,)) + damaged.fragment[1:]
    talk.records[place] = type(damaged)(damaged.side, 23, damaged.version, damaged.length, flipped)
    connection = told(tmp_path, talk)
    (note,) = connection.notes
    assert note.endswith("secret found, record 0 of the server does not authenticate")
    assert "encrypted_extensions" not in names(connection)
    assert names(connection).count("finished") == 2


def test_secrets_are_in_nothing_that_is_said(tmp_path: Path) -> None:
    talk = spoken()
    connection = told(tmp_path, talk)
    said = repr(connection)
    secrets = [line.split()[2].decode() for line in talk.keylog.splitlines() if not line.startswith(b"#")]
    assert secrets
    for secret in secrets:
        assert secret not in said
        assert repr(bytes.fromhex(secret))[2:-1] not in said


# --- long connections -----------------------------------------------------------------------------------------------


def record(kind: int, fragment: bytes, version: int = 0x0303) -> bytes:
    return bytes((kind, version >> 8, version & 255)) + len(fragment).to_bytes(2, "big") + fragment


def clear(*messages: bytes) -> bytes:
    return record(22, b"".join(messages))


@pytest.mark.parametrize(
    ("code", "version"),
    [
        pytest.param(0xC02F, TLS12, id="1.2 GCM"),
        pytest.param(0xCCA8, TLS12, id="1.2 ChaCha20"),
        pytest.param(0xC013, TLS12, id="1.2 CBC"),
        pytest.param(0xC013, TLS10, id="1.0 CBC, the IV is the end of the record before"),
        pytest.param(0x0005, TLS10, id="RC4, whose keystream runs on"),
    ],
)
def test_an_alert_behind_a_long_download_is_read(tmp_path: Path, code: int, version: int) -> None:
    """Of the data between nothing is opened and next to nothing is kept."""
    suite = suite_of(code)
    assert suite is not None
    drawn = connection_keys(MASTER, CLIENT_RANDOM, SERVER_RANDOM, version, suite)
    client, server = (Sealer(suite, version, keys) for keys in drawn)
    finished = b"\x14\x00\x00\x0c" + bytes(12)
    flights: list[Flight] = [
        ("client", clear(client_hello([code], version))),
        ("server", clear(server_hello(code, version), tls.message(tls.SERVER_HELLO_DONE))),
        ("client", clear(tls.message(tls.CLIENT_KEY_EXCHANGE, bytes(66))) + record(20, b"\x01", version)),
        ("client", record(22, client.seal(22, finished), version)),
        ("server", record(20, b"\x01", version) + record(22, server.seal(22, finished), version)),
    ]
    flights += [("server", record(23, server.seal(23, bytes(9000)), version)) for _ in range(40)]
    flights.append(("server", record(21, server.seal(21, b"\x02\x5a"), version)))
    pcap = talks.write(tmp_path / "long.pcap", talks.Talk(tuple(flights)))
    keylog = log(tmp_path / "keys", b"CLIENT_RANDOM %s %s\n" % (CLIENT_RANDOM.hex().encode(), MASTER.hex().encode()))
    (connection,) = read(pcap, keylog=keylog)
    assert [(one.sender, one.code, one.decrypted) for one in connection.alerts] == [("server", 90, True)]
    assert connection.application_records[1] == 40


def sealers() -> dict[tuple[Side, str], Sealer13]:
    suite = suite_of(0x1301)
    assert suite is not None
    return {key: Sealer13(suite, secret) for key, secret in SECRETS.items()}


def logged(*sides: Side) -> bytes:
    return b"".join(
        f"{side.upper()}_{name} {CLIENT_RANDOM.hex()} {secret.hex()}\n".encode()
        for (side, name), secret in SECRETS.items()
        if side in sides
    )


def opening(by: dict[tuple[Side, str], Sealer13]) -> list[Flight]:
    server, client = by["server", "HANDSHAKE_TRAFFIC_SECRET"], by["client", "HANDSHAKE_TRAFFIC_SECRET"]
    inside = b"\x08\x00\x00\x02\x00\x00" + b"\x14\x00\x00\x20" + bytes(32)
    return [
        ("client", clear(client_hello([0x1301], tls13=True))),
        ("server", clear(server_hello(0x1301, selected=0x0304)) + record(23, server.seal(22, inside, padding=100))),
        ("client", record(23, client.seal(22, b"\x14\x00\x00\x20" + bytes(32)))),
    ]


@pytest.mark.parametrize("size", [9000, 90])
def test_an_alert_of_tls13_behind_a_long_download_is_read(tmp_path: Path, size: int) -> None:
    """Long records beyond the limit are not kept; the short one may be an alert, so it is."""
    by = sealers()
    server = by["server", "TRAFFIC_SECRET_0"]
    many = 3 * KEPT_OF_ONE // size
    flights = opening(by) + [("server", record(23, server.seal(23, bytes(size)))) for _ in range(many)]
    flights.append(("server", record(23, server.seal(21, b"\x02\x5a", padding=3))))
    pcap = talks.write(tmp_path / "long.pcap", talks.Talk(tuple(flights), pace=1))
    (connection,) = read(pcap, keylog=log(tmp_path / "keys", logged("client", "server")))
    assert [(one.sender, one.code) for one in connection.alerts] == [("server", 90)]
    assert names(connection) == ["client_hello", "server_hello", "encrypted_extensions", "finished", "finished"]
    assert [note for note in connection.notes if note.endswith("long records were not kept to be decrypted")]


def test_an_alert_under_updated_keys_is_read(tmp_path: Path) -> None:
    """RFC 8446 §4.6.3; one direction's secret is enough: 32 bytes tell the alert."""
    by = sealers()
    server = by["server", "TRAFFIC_SECRET_0"]
    suite = suite_of(0x1301)
    assert suite is not None
    updated = Sealer13(suite, next_traffic_secret(SECRETS["server", "TRAFFIC_SECRET_0"], "sha256"))
    flights = opening(by)
    flights.append(("server", record(23, server.seal(22, b"\x18\x00\x00\x01\x00"))))
    flights.append(("server", record(23, updated.seal(21, b"\x02\x2d"))))
    pcap = talks.write(tmp_path / "updated.pcap", talks.Talk(tuple(flights)))
    (connection,) = read(pcap, keylog=log(tmp_path / "keys", logged("server")))
    assert "key_update" in names(connection)
    assert [(one.sender, one.code) for one in connection.alerts if one.decrypted] == [("server", 45)]


def test_an_alert_under_the_handshake_keys_though_others_are_due_is_read(tmp_path: Path) -> None:
    """Mbed TLS 3.5 and Erlang/OTP send them so."""
    by = sealers()
    flights = opening(by)
    flights.append(("server", record(23, by["server", "HANDSHAKE_TRAFFIC_SECRET"].seal(21, b"\x02\x2a"))))
    pcap = talks.write(tmp_path / "late.pcap", talks.Talk(tuple(flights)))
    (connection,) = read(pcap, keylog=log(tmp_path / "keys", logged("client", "server")))
    assert [(one.sender, one.code) for one in connection.alerts] == [("server", 42)]
    assert connection.verdict is not None
    assert (connection.verdict.outcome, connection.verdict.refused_by) == ("failed", "server")


def test_the_servers_32_bytes_tell_the_alert_of_a_refusal(tmp_path: Path) -> None:
    by = sealers()
    flights = [*opening(by), ("server", record(23, by["server", "TRAFFIC_SECRET_0"].seal(21, b"\x02\x30")))]
    pcap = talks.write(tmp_path / "refused.pcap", talks.Talk(tuple(flights)))
    line = [one for one in logged("server").splitlines(True) if one.startswith(b"SERVER_TRAFFIC")]
    (connection,) = read(pcap, keylog=log(tmp_path / "keys", b"".join(line)))
    assert [(one.sender, one.code) for one in connection.alerts if one.decrypted] == [("server", 48)]
    assert connection.verdict is not None
    assert (connection.verdict.outcome, connection.verdict.refused_by) == ("failed", "server")


def test_of_a_capture_with_a_gap_what_is_there_is_read(tmp_path: Path) -> None:
    """A record that was not captured takes its sequence number with it."""
    by = sealers()
    server = by["server", "TRAFFIC_SECRET_0"]
    flights = opening(by) + [("server", record(23, server.seal(23, bytes(300)))) for _ in range(3)]
    flights.append(("server", record(23, server.seal(21, b"\x02\x5a"))))
    pcap = talks.write(tmp_path / "gap.pcap", talks.Talk(tuple(flights)))
    data = pcap.read_bytes()
    packets, at = [], 24
    while at < len(data):
        size = int.from_bytes(data[at + 8 : at + 12], "little")
        packets.append(data[at : at + 16 + size])
        at += 16 + size
    long = [n for n, one in enumerate(packets) if 300 < len(one) - 16 - 54 < 340]
    assert len(long) >= 3
    del packets[long[1]]
    pcap.write_bytes(data[:24] + b"".join(packets))
    (connection,) = read(pcap, keylog=log(tmp_path / "keys", logged("client", "server")))
    assert [(one.sender, one.code) for one in connection.alerts] == [("server", 90)]
