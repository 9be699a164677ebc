"""Key logs of every form are read; what is not one is told without being quoted."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.errors import CaptureError, TlsalertError, UsageError
from tlsalert.secrets.keylog import (
    CLIENT_EARLY,
    CLIENT_HANDSHAKE,
    CLIENT_RANDOM,
    CLIENT_TRAFFIC,
    LABELS,
    MAX_OF_ONE,
    MAX_SAME,
    PMS_CLIENT_RANDOM,
    SERVER_HANDSHAKE,
    SERVER_TRAFFIC,
    KeyLog,
    write_keylog,
)

RANDOM = bytes(range(32))
OTHER = bytes(range(1, 33))
MASTER = bytes(range(100, 148))
SECRET = bytes(range(50, 82))
HEX, MASTER_HEX, SECRET_HEX = RANDOM.hex(), MASTER.hex(), SECRET.hex()
LINE = f"CLIENT_RANDOM {HEX} {MASTER_HEX}\n"


def read(text: str | bytes) -> KeyLog:
    keylog = KeyLog()
    keylog.add(text if isinstance(text, bytes) else text.encode(), "keys.log")
    return keylog


def only(keylog: KeyLog, label: str) -> bytes | None:
    secrets = keylog.secrets(RANDOM)
    return None if secrets is None else secrets.get(label)


@pytest.mark.parametrize(
    ("label", "secret"),
    [
        (CLIENT_RANDOM, MASTER),
        (PMS_CLIENT_RANDOM, b"any length"),
        (CLIENT_EARLY, SECRET),
        (CLIENT_HANDSHAKE, SECRET),
        (SERVER_HANDSHAKE, MASTER),
        (CLIENT_TRAFFIC, SECRET),
        (SERVER_TRAFFIC, MASTER),
        ("CLIENT_TRAFFIC_SECRET_1", SECRET),
        ("SERVER_TRAFFIC_SECRET_17", SECRET),
        ("EARLY_EXPORTER_SECRET", SECRET),
        ("EXPORTER_SECRET", SECRET),
        ("ECH_SECRET", SECRET),
        ("ECH_CONFIG", b"\xfe\x0d\x00\x41"),
    ],
)
def test_every_label_of_the_format_is_read(label: str, secret: bytes) -> None:
    """NSS key log format; RFC 9850 §2."""
    keylog = read(f"{label} {HEX} {secret.hex()}\n")
    assert only(keylog, label) == secret
    assert keylog.problems == []


def test_all_labels_are_covered_by_the_test_above() -> None:
    assert set(LABELS) == {
        CLIENT_RANDOM,
        PMS_CLIENT_RANDOM,
        CLIENT_EARLY,
        CLIENT_HANDSHAKE,
        SERVER_HANDSHAKE,
        CLIENT_TRAFFIC,
        SERVER_TRAFFIC,
        *("EARLY_EXPORTER_SECRET", "EXPORTER_SECRET", "ECH_SECRET", "ECH_CONFIG"),
    }


def test_a_premaster_secret_is_found_by_the_first_bytes_of_the_encrypted_one() -> None:
    keylog = read(f"RSA 0011223344556677 {MASTER_HEX}\n")
    assert keylog.premaster(bytes.fromhex("0011223344556677") + b"and more") == MASTER
    assert keylog.premaster(bytes(128)) is None


def test_a_master_secret_is_found_by_its_session_id() -> None:
    """The form that Wireshark takes from OpenSSL's s_client."""
    keylog = read(f"RSA Session-ID:{HEX} Master-Key:{MASTER_HEX}\n")
    assert keylog.master(RANDOM) == MASTER
    assert keylog.master(b"") is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LINE, id="as written"),
        pytest.param(LINE.rstrip(), id="without the last newline"),
        pytest.param(LINE.replace("\n", "\r\n"), id="CRLF"),
        pytest.param("# SSL/TLS secrets log file\n\n" + LINE, id="after a comment"),
        pytest.param("  " + LINE.replace(" ", "\t \t"), id="odd space"),
        pytest.param(f"[12:00] keylog: {LINE}", id="after something else"),
        pytest.param(LINE.replace("\n", " # done\n"), id="before something else"),
        pytest.param(f"CLIENT_RANDOM {HEX.upper()} {MASTER_HEX.upper()}", id="capital letters"),
        pytest.param("\ufeff" + LINE, id="byte order mark"),
        pytest.param(("\ufeff" + LINE).encode("utf-16-le"), id="UTF-16, as PowerShell writes"),
        pytest.param(LINE * 3, id="three times"),
        pytest.param(LINE + "SOME_LABEL_OF_TOMORROW 00 11\n", id="a label of tomorrow"),
    ],
)
def test_the_ways_in_which_lines_are_written(text: str | bytes) -> None:
    keylog = read(text)
    assert only(keylog, CLIENT_RANDOM) == MASTER
    assert keylog.problems == []
    assert keylog.generation == 1


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param(f"CLIENT_RANDOM {HEX} {MASTER_HEX[:-1]}", "it is not hexadecimal", id="odd"),
        pytest.param(f"CLIENT_RANDOM {HEX} {MASTER_HEX[:-2]}xy", "it is not hexadecimal", id="not hex"),
        pytest.param(f"CLIENT_RANDOM {HEX} {MASTER_HEX[:-2]}", "the secret has an impossible length", id="short"),
        pytest.param(f"SERVER_TRAFFIC_SECRET_0 {HEX} 00", "the secret has an impossible length", id="one byte"),
        pytest.param(
            f"CLIENT_RANDOM {HEX[:-2]} {MASTER_HEX}", "it has no label, client random and secret", id="random"
        ),
        pytest.param(f"CLIENT_RANDOM {HEX}", "it has no label, client random and secret", id="cut"),
        pytest.param(f"RSA 00112233 {MASTER_HEX}", "it has no label, client random and secret", id="RSA"),
        pytest.param(MASTER_HEX, "it has no label, client random and secret", id="bare"),
        pytest.param("\x00\xff{}", "it has no label, client random and secret", id="binary"),
        pytest.param("x" * 20_000, "it is too long", id="endless"),
    ],
)
def test_a_line_that_is_none_is_told_by_number_and_never_quoted(line: str, why: str) -> None:
    keylog = read(f"# first\n{line}\nSERVER_TRAFFIC_SECRET_0 {HEX} {SECRET_HEX}\n")
    assert keylog.problems == [f"keys.log: line 2 was left out: {why}"]
    assert only(keylog, SERVER_TRAFFIC) == SECRET
    assert only(keylog, CLIENT_RANDOM) is None


def test_many_lines_that_are_none_are_told_once() -> None:
    keylog = read("junk\n" * 1000 + LINE + "junk\n")
    assert keylog.problems == [
        "keys.log: 1001 lines were left out, the first is line 1: it has no label, client random and secret"
    ]


@pytest.mark.parametrize("text", ["-----BEGIN CERTIFICATE-----\nMIIB\n", "\0\1\2" * 40_000, "# nothing\n"])
def test_a_file_that_is_no_key_log_is_told(text: str) -> None:
    assert read(text).problems == ["keys.log: no line of it is one of a key log"]


def test_an_empty_file_is_no_problem_as_it_may_grow() -> None:
    assert read("").problems == []


def test_a_random_that_was_used_twice_keeps_both_secrets_and_gives_the_newer_first() -> None:
    keylog = read(LINE + f"CLIENT_RANDOM {HEX} {'ab' * 48}\n" + LINE)
    secrets = keylog.secrets(RANDOM)
    assert secrets is not None
    assert secrets.all(CLIENT_RANDOM) == (b"\xab" * 48, MASTER)
    assert secrets.get(CLIENT_RANDOM) == b"\xab" * 48
    assert secrets.all(CLIENT_TRAFFIC) == ()


def test_a_random_that_is_used_without_end_does_not_fill_the_memory() -> None:
    keylog = KeyLog()
    for number in range(1000):
        keylog.put(CLIENT_RANDOM, RANDOM, number.to_bytes(48, "big"))
    secrets = keylog.secrets(RANDOM)
    assert secrets is not None
    assert len(secrets.all(CLIENT_RANDOM)) == MAX_SAME
    assert keylog.problems == ["key log: some secrets were left out: there are too many for one client random"]


def test_labels_without_end_for_one_random_are_held_to_a_limit_too() -> None:
    """Each secret is compared with those that are there: without a limit a key log in a capture takes minutes."""
    keylog = KeyLog()
    for number in range(4000):
        keylog.put(f"CLIENT_TRAFFIC_SECRET_{1 + number % 200}", RANDOM, number.to_bytes(32, "big"))
    assert len([*keylog.entries()]) == keylog.generation == MAX_OF_ONE
    keylog.put("CLIENT_TRAFFIC_SECRET_1", RANDOM, bytes(32))  # it is there
    assert keylog.problems == ["key log: some secrets were left out: there are too many for one client random"]


def test_labels_of_one_random_come_together() -> None:
    keylog = read(f"{CLIENT_HANDSHAKE} {HEX} {SECRET_HEX}\n{SERVER_TRAFFIC} {HEX} {SECRET_HEX}\n")
    secrets = keylog.secrets(RANDOM)
    assert secrets is not None
    assert secrets.labels == (CLIENT_HANDSHAKE, SERVER_TRAFFIC)
    assert keylog.secrets(OTHER) is None
    assert [(label, random) for label, random, _ in keylog.entries()] == [
        (CLIENT_HANDSHAKE, RANDOM),
        (SERVER_TRAFFIC, RANDOM),
    ]


def test_a_file_is_read_on_where_it_grew_and_a_half_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    path.write_text(LINE[:80])
    keylog = KeyLog()
    keylog.follow(path)
    assert only(keylog, CLIENT_RANDOM) is None
    with path.open("a") as file:
        file.write(LINE[80:])
    assert keylog.refresh()
    assert only(keylog, CLIENT_RANDOM) == MASTER
    assert not keylog.refresh()
    assert keylog.problems == []


def test_a_secret_that_is_cut_where_it_would_fit_is_not_taken_before_its_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    line = f"{SERVER_TRAFFIC} {HEX} {MASTER_HEX}\n"
    path.write_text(line[: line.index(MASTER_HEX) + 64])
    keylog = KeyLog()
    keylog.follow(path)
    path.write_text(line)
    keylog.refresh()
    secrets = keylog.secrets(RANDOM)
    assert secrets is not None
    assert secrets.all(SERVER_TRAFFIC) == (MASTER,)


def test_the_final_refresh_takes_a_line_without_its_end(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    path.write_text(LINE.rstrip())
    keylog = KeyLog()
    keylog.follow(path)
    assert keylog.refresh(final=True)
    assert only(keylog, CLIENT_RANDOM) == MASTER


def test_a_file_that_was_written_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    path.write_text("# a long comment\n" * 100)
    keylog = KeyLog()
    keylog.follow(path)
    path.write_text(LINE)
    assert keylog.refresh()
    path.unlink()
    assert not keylog.refresh()
    path.write_text(f"{CLIENT_TRAFFIC} {HEX} {SECRET_HEX}\n")
    assert keylog.refresh()
    assert only(keylog, CLIENT_RANDOM) == MASTER
    assert only(keylog, CLIENT_TRAFFIC) == SECRET


def test_a_pipe_is_read_to_its_end() -> None:
    reading, writing = os.pipe()
    os.write(writing, LINE.rstrip().encode())
    os.close(writing)
    keylog = KeyLog()
    keylog.follow(f"/dev/fd/{reading}")
    os.close(reading)
    assert only(keylog, CLIENT_RANDOM) == MASTER
    assert not keylog.refresh()


@pytest.mark.parametrize("name", ["missing.log", "."])
def test_a_file_that_cannot_be_read_is_an_error_with_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(CaptureError) as raised:
        KeyLog().follow(tmp_path / name)
    assert raised.value.where == str(tmp_path / name)


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_are_read_without_an_error(blocks: list[bytes]) -> None:
    keylog = KeyLog()
    for block in blocks:
        keylog.add(block)
    assert all(isinstance(problem, str) for problem in keylog.problems)


@given(
    st.lists(
        st.sampled_from([b"CLIENT_RANDOM ", b"RSA ", b"QUIC_", b"CLIENT_TRAFFIC_SECRET_", b"0", b"999", b"Session-ID:"])
        | st.sampled_from(
            [HEX.encode(), MASTER_HEX.encode(), b" ", b"\n", b"#", b"\r", b"Master-Key:", b"ab" * 8, b"\0"]
        ),
        max_size=12,
    )
)
def test_anything_like_a_key_log_is_read_without_an_error(parts: list[bytes]) -> None:
    keylog = read(b"".join(parts))
    for problem in keylog.problems:
        assert MASTER_HEX[:8] not in problem
        assert HEX[:8] not in problem


@given(cuts=st.lists(st.integers(0, 2 * len(LINE)), max_size=6), wide=st.booleans())
def test_how_a_file_grows_makes_no_difference(cuts: list[int], wide: bool) -> None:
    text = LINE + "# between\r\n" + f"{SERVER_TRAFFIC} {HEX} {SECRET_HEX}\r\n"
    data = ("\ufeff" + text).encode("utf-16-le") if wide else text.encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "growing.log"
        path.write_bytes(b"")
        keylog = KeyLog()
        keylog.follow(path)
        at = 0
        for cut in [*sorted(cuts), len(data)]:
            with path.open("ab") as file:
                file.write(data[at:cut] if cut > at else b"")
            at = max(at, cut)
            keylog.refresh()
    assert (only(keylog, CLIENT_RANDOM), only(keylog, SERVER_TRAFFIC)) == (MASTER, SECRET)
    assert keylog.problems == []


def test_a_key_log_is_written_for_its_owner_alone_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "derived.log"
    entries = [(CLIENT_RANDOM, RANDOM, MASTER), (SERVER_TRAFFIC, OTHER, SECRET), (CLIENT_RANDOM, RANDOM, MASTER)]
    assert write_keylog(path, entries) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().splitlines()[0] == LINE.strip()
    keylog = KeyLog()
    keylog.follow(path)
    assert [(label, random, bytes(secret)) for label, random, secret in keylog.entries()] == entries[:2]


@pytest.mark.parametrize("kind", ["file", "link", "dangling link"])
def test_a_key_log_overwrites_nothing_and_follows_no_link(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "derived.log", tmp_path / "evidence.pcap"
    if kind != "dangling link":
        target.write_text("evidence")
    if kind == "file":
        path.write_text("evidence")
    else:
        path.symlink_to(target)
    with pytest.raises(UsageError, match="is there already"):
        write_keylog(path, [(CLIENT_RANDOM, RANDOM, MASTER)])
    assert not target.exists() or target.read_text() == "evidence"


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(TlsalertError, match="cannot be written: No such file"):
        write_keylog(tmp_path / "missing" / "derived.log", [])
