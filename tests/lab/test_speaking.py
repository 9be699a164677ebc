"""Before TLS a device speaks SMTP, IMAP or POP3; after the handshake it echoes, serves a page, greets, or closes."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from tests.lab.talking import BEHIND, Answer, ask, people, soon
from tlsalert.capture import read
from tlsalert.lab.levels import LabDevice, StartTls
from tlsalert.lab.server import RunningDevice, serve
from tlsalert.lab.speaking import LINE_BYTES, LINES, http_date, speak_before


@pytest.fixture
def running() -> Iterator[RunningDevice]:
    with serve(LabDevice(people()["device"], asks="no", clock=BEHIND)) as made:
        yield made


def test_echo_sends_everything_back(running: RunningDevice) -> None:
    assert ask(running.address, says=b"x" * 16_000).data == b"x" * 16_000
    assert soon(lambda: running.served)
    assert running.served[0].says == "16000 bytes came back"


def test_the_page_carries_the_devices_clock(running: RunningDevice) -> None:
    running.change(after="http")
    answer = ask(running.address, says=b"GET / HTTP/1.1\r\nHost: device.example\r\n\r\n").data
    assert answer.startswith(b"HTTP/1.1 200 OK\r\nDate: Thu, 12 Mar 2015 05:4")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head


def test_the_console_greets_first(running: RunningDevice) -> None:
    running.change(after="console")
    assert ask(running.address, says=b"") == Answer(b"RFB 003.008\n")


def test_close_says_nothing(running: RunningDevice) -> None:
    running.change(after="close")
    assert ask(running.address, says=b"") == Answer(b"")


@pytest.mark.parametrize("protocol", get_args(StartTls))
def test_openssl_finds_the_way_to_tls(running: RunningDevice, protocol: StartTls) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl")
    running.change(starttls=protocol, after="close")
    host, port = running.address
    done = subprocess.run(
        [openssl, "s_client", "-connect", f"{host}:{port}", "-starttls", protocol, "-quiet"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert soon(lambda: running.served)
    assert running.served[0].happened == "accepted", done.stderr


def smtp(plain: socket.socket) -> None:
    """Ask for TLS, and send something in clear right behind it."""
    plain.recv(1000)
    plain.sendall(b"EHLO me\r\n")
    plain.recv(1000)
    plain.sendall(b"STARTTLS\r\nRCPT TO:<somebody>\r\n")
    plain.recv(1000)


def test_what_comes_in_clear_behind_starttls_is_dropped(running: RunningDevice) -> None:
    running.change(starttls="smtp")
    assert ask(running.address, before=smtp) == Answer(b"hello")


@pytest.mark.parametrize("said", [b"QUIT\r\n", b"HELO\r\n" * (LINES + 1), b"x" * (LINE_BYTES * 3), b""])
def test_who_does_not_ask_for_tls_is_sent_away(running: RunningDevice, said: bytes) -> None:
    running.change(starttls="smtp")
    with socket.create_connection(running.address, 5) as plain:
        plain.sendall(said)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(1000):
            pass
    assert soon(lambda: running.counts == {"no_tls": 1})


class Said:
    """A line on which a client has said something already; ``answers`` is what it was sent."""

    def __init__(self, *lines: bytes) -> None:
        self._lines = list(lines)
        self.answers: list[bytes] = []

    def receive(self) -> bytes:
        return self._lines.pop(0) if self._lines else b""

    def send(self, data: bytes) -> None:
        self.answers.append(data)


@pytest.mark.parametrize(
    ("protocol", "said", "answers"),
    [
        ("smtp", [b"MAIL FROM:<a>\r\n", b"sta", b"rttls\r\n"], ["220 lab.example", "530 Must", "220 Go"]),
        ("imap", [b"a CAPABILITY\r\nb STARTTLS\r\n"], ["* OK", "* CAPABILITY", "b OK"]),
        ("imap", [b"a LOGIN x y\r\n", b"\r\n", b"c STARTTLS\r\n"], ["* OK", "a NO", "* BAD", "c OK"]),
        ("pop3", [b"USER x\r\n", b"CAPA\r\n", b"STLS\r\n"], ["+OK", "-ERR", "+OK\r\nSTLS", "+OK Begin"]),
    ],
)
def test_each_protocol_has_its_words(protocol: StartTls, said: list[bytes], answers: list[str]) -> None:
    line = Said(*said)
    assert speak_before(line, protocol)
    told = [answer.decode() for answer in line.answers]
    assert [one[: len(start)] for one, start in zip(told, answers, strict=True)] == answers


def test_a_date_is_written_in_english_and_in_gmt() -> None:
    assert http_date(datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)) == "Sun, 06 Nov 1994 08:49:37 GMT"  # RFC 9110


def test_starttls_is_read_from_the_recording(tmp_path: Path) -> None:
    device = LabDevice(people()["device"], trusted=(people()["root"].certificate,), clock=BEHIND, starttls="smtp")
    with serve(device, record=tmp_path) as running:
        assert ask(running.address, "ipmi", before=smtp).alert == 42
    (connection,) = read(tmp_path / "lab.pcap")
    assert (connection.protocol, [alert.code for alert in connection.alerts]) == ("smtp", [42])
