"""A server that declines to begin TLS failed the handshake before it began: who, why, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.talks import SERVER, Talk, hello, write
from tests.wire.dialogues import DIALOGUES
from tlsalert.capture import Reader, read
from tlsalert.model import Connection, Verdict

PROXIES = ("http-connect", "socks4", "socks5")


def told(path: Path, *flights: object) -> tuple[Connection, Verdict]:
    (connection,) = read(write(path / "a.pcap", Talk(tuple(flights), closer="client")))  # type: ignore[arg-type]
    assert connection.verdict is not None
    return connection, connection.verdict


@pytest.mark.parametrize("name", [name for name in DIALOGUES if name not in PROXIES])
def test_a_server_that_declines_has_refused(name: str, tmp_path: Path) -> None:
    connection, verdict = told(tmp_path, *DIALOGUES[name].declined)
    assert connection.protocol == name
    assert connection.messages == ()
    assert (verdict.outcome, verdict.refused_by, verdict.at_fault) == ("failed", "server", "server")
    assert verdict.cause == "starttls_refused"
    asked, answered = verdict.evidence
    assert asked.position is not None
    assert answered.position is not None
    assert repr(DIALOGUES[name].says) in answered.says
    assert verdict.advice


@pytest.mark.parametrize(
    ("name", "answer", "fault", "do"),
    [
        ("http-connect", b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "client", "user name"),
        ("http-connect", b"HTTP/1.1 403 Forbidden\r\n\r\n", "network", "rules"),
        ("http-connect", b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "network", "does not reach"),
        ("socks4", b"\x00\x5b" + bytes(6), "network", "does not reach"),
        ("socks4", b"\x00\x5d" + bytes(6), "client", "user name"),
        ("socks5", b"\x05\x02\x00\x01" + bytes(6), "network", "rules"),
        ("socks5", b"\x05\x05\x00\x01" + bytes(6), "network", "does not reach"),
    ],
)
def test_a_proxy_that_opens_no_tunnel_is_not_the_server(
    name: str, answer: bytes, fault: str, do: str, tmp_path: Path
) -> None:
    *before, _ = DIALOGUES[name].declined
    connection, verdict = told(tmp_path, *before, ("server", answer))
    assert connection.protocol == name
    assert (verdict.outcome, verdict.cause, verdict.at_fault) == ("failed", "tunnel_refused", fault)
    assert verdict.refused_by == "server"
    assert do in verdict.advice[0]


def test_a_reply_for_the_time_being_is_told_as_such(tmp_path: Path) -> None:
    _, verdict = told(tmp_path, *DIALOGUES["smtp"].declined)
    assert verdict.summary == "The SMTP server declined to begin TLS: 454 4.7.0 TLS not available."
    assert verdict.advice[0].startswith("The refusal is for the time being")
    assert "openssl s_client -starttls smtp" in verdict.advice[0]


def test_a_client_that_begins_all_the_same_was_told_no(tmp_path: Path) -> None:
    connection, verdict = told(tmp_path, *DIALOGUES["ftp"].declined, hello(), ("server", b"500 what?\r\n"))
    assert [message.message for message in connection.messages] == ["client_hello"]
    assert (verdict.outcome, verdict.cause) == ("failed", "starttls_refused")


def test_what_answers_a_hello_behind_a_tunnel_is_named(tmp_path: Path) -> None:
    accepted = DIALOGUES["http-connect"].accepted
    connection, verdict = told(tmp_path, *accepted, hello(), ("server", b"SSH-2.0-OpenSSH_9.2\r\n"))
    assert connection.protocol == "http-connect"
    assert verdict.outcome == "not_tls"
    assert "SSH" in verdict.summary


def test_what_was_said_before_tls_is_no_answer_to_the_hello(tmp_path: Path) -> None:
    _, verdict = told(tmp_path, *DIALOGUES["smtp"].accepted, hello())
    assert verdict.outcome != "not_tls"


def test_declined_ones_are_counted_and_numbered_with_the_others(tmp_path: Path) -> None:
    talks = [
        Talk(tuple(DIALOGUES["pop3"].declined), at=0, port=1),
        Talk((hello(),), at=0.001, port=2),
        Talk((("client", b"GET / HTTP/1.0\r\n\r\n"), ("server", b"HTTP/1.0 200 OK\r\n\r\n")), at=0.002, port=3),
        Talk(tuple(DIALOGUES["http-connect"].declined), at=0.003, port=4, server=(SERVER, 3128)),
    ]
    reader = Reader(write(tmp_path / "a.pcap", *talks), "failed")
    numbers = [(one.connection, one.protocol) for one in reader if one.protocol]
    assert numbers == [(0, "pop3"), (2, "http-connect")]
    assert (reader.summary.connections, reader.summary.other_streams) == (3, 1)
