"""What shows inside TLS 1.3 once it is decrypted, end to end: refusals in HTTP, the Date of an answer, late alerts."""

from __future__ import annotations

from pathlib import Path

import pytest

import tlsalert
from tests.secrets.hellos import client_hello, server_hello
from tests.secrets.sealing import Sealer13
from tests.talks import CERTIFICATE, Flight, Talk, refused, write
from tests.wire import tls
from tlsalert.model import HANDSHAKE_KEYS, Connection, Side, Verdict
from tlsalert.secrets.suites import parse_suite

SUITE = parse_suite("TLS_AES_128_GCM_SHA256")
LABELS = {
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET": b"c" * 32,
    "SERVER_HANDSHAKE_TRAFFIC_SECRET": b"s" * 32,
    "CLIENT_TRAFFIC_SECRET_0": b"C" * 32,
    "SERVER_TRAFFIC_SECRET_0": b"S" * 32,
}
SERVERS = ("SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0")
CLIENTS = ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0")
SCHEMES = b"\0\x0d" + tls.vector(2, tls.vector(2, b"\x04\x03\x08\x04"))
GET = b"GET / HTTP/1.1\r\nHost: bmc\r\n\r\n"
DATE_2015 = b"Date: Thu, 12 Mar 2015 05:41:50 GMT\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + DATE_2015 + b"Content-Length: 2\r\n\r\nok"
REFUSED_400 = (
    b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n" + DATE_2015 + b"Content-Length: 60\r\n\r\n"
    b"<html><head><title>400 The SSL certificate error</title></head>"
)
CLOSE = b"\x01\x00"


class Sealed:
    """A connection in TLS 1.3 as its two ends seal it; ``random`` is its client's."""

    def __init__(self, number: int, *certificates: bytes) -> None:
        self.random = bytes([number]) * 32
        self.number = number
        self.sealers = {label: Sealer13(SUITE, secret) for label, secret in LABELS.items()}
        handshake = tls.message(8, b"\0\0") + tls.message(13, b"\0" + tls.vector(2, SCHEMES))
        handshake += tls.message(11, tls.certificate_list_13(CERTIFICATE)) + tls.message(15, bytes(70))
        self.flights: list[Flight] = [
            ("client", tls.record(22, client_hello([0x1301], random=self.random, tls13=True))),
            ("server", tls.record(22, server_hello(0x1301, selected=0x0304)) + self.sealed("server", 22, handshake)),
        ]
        self.flights[-1] = "server", self.flights[-1][1] + self.sealed("server", 22, tls.message(20, bytes(32)))
        answer = tls.message(11, tls.certificate_list_13(*certificates))
        answer += tls.message(15, bytes(70)) if certificates else b""
        self.say("client", 22, answer + tls.message(20, bytes(32)))

    def sealed(self, side: Side, kind: int, content: bytes, traffic: bool = False) -> bytes:
        label = f"{side.upper()}_TRAFFIC_SECRET_0" if traffic else f"{side.upper()}_HANDSHAKE_TRAFFIC_SECRET"
        return tls.record(23, self.sealers[label].seal(kind, content))

    def say(self, side: Side, kind: int, content: bytes, traffic: bool = False) -> Sealed:
        self.flights.append((side, self.sealed(side, kind, content, traffic)))
        return self

    def talk(self, at: float = 0) -> Talk:
        return Talk(tuple(self.flights), at, 41_000 + self.number)

    def keys(self, *labels: str) -> str:
        return "".join(f"{name} {self.random.hex()} {LABELS[name].hex()}\n" for name in labels or LABELS)


def answered(number: int, said: bytes, *certificates: bytes, asked: bytes = GET, close: bool = True) -> Sealed:
    sealed = Sealed(number, *certificates).say("client", 23, asked, True).say("server", 23, said, True)
    return sealed.say("server", 21, CLOSE, True) if close else sealed


def read(path: Path, *sealed: Sealed, labels: tuple[str, ...] = (), more: tuple[Talk, ...] = ()) -> list[Connection]:
    talks = [one.talk(number) for number, one in enumerate(sealed)]
    log = path / "keys.log"
    log.write_text("".join(one.keys(*labels) for one in sealed))
    return list(tlsalert.read(write(path / "inside.pcap", *talks, *more), keylog=log))


def verdict(connection: Connection) -> Verdict:
    assert connection.verdict is not None
    return connection.verdict


def says(connection: Connection) -> str:
    return "\n".join(one.says for one in verdict(connection).evidence)


def test_a_certificate_refused_in_http_is_judged_by_the_date_of_that_answer(tmp_path: Path) -> None:
    (connection,) = read(tmp_path, answered(1, REFUSED_400, CERTIFICATE))
    found = verdict(connection)
    assert (found.outcome, found.refused_by, found.cause) == ("failed", "server", "certificate_not_yet_valid")
    assert found.at_fault == "server"
    assert found.summary.startswith("The handshake succeeded, and inside it the server refused the client's cert")
    assert "HTTP/1.1 400 Bad Request" in says(connection)
    assert "The SSL certificate error" in says(connection)


def test_an_answer_to_one_shows_the_clock_by_which_another_is_refused(tmp_path: Path) -> None:
    """The Date was decrypted: nothing may say that it was sent in clear."""
    refusal = Sealed(2, CERTIFICATE).say("server", 21, b"\x02\x2a", True)
    good, bad = read(tmp_path, answered(1, OK, CERTIFICATE), refusal)
    assert verdict(good).outcome == "established"
    assert bad.clocks.server is not None
    assert bad.clocks.server.source == "HTTP Date"
    assert (verdict(bad).cause, verdict(bad).at_fault) == ("certificate_not_yet_valid", "server")
    assert "it stands in an HTTP answer from the server's address" in says(bad)
    assert "clear" not in says(bad)


def test_the_same_without_keys_is_a_success_and_nothing_more(tmp_path: Path) -> None:
    path = write(tmp_path / "inside.pcap", answered(1, REFUSED_400, CERTIFICATE).talk())
    assert [verdict(c).outcome for c in tlsalert.read(path)] == ["established"]


def test_an_alert_under_the_handshake_keys_is_noted(tmp_path: Path) -> None:
    (connection,) = read(tmp_path, Sealed(1, CERTIFICATE).say("server", 21, b"\x02\x30"))
    assert [alert.code for alert in connection.alerts] == [48]
    assert [note for note in connection.notes if HANDSHAKE_KEYS in note] == list(connection.notes)
    assert not connection.lossy  # a note that tells of no loss does not make the signature doubtful
    assert "Wireshark cannot read it" in connection.notes[0]


def test_an_alert_under_the_keys_that_are_due_is_not(tmp_path: Path) -> None:
    (connection,) = read(tmp_path, Sealed(1, CERTIFICATE).say("server", 21, b"\x02\x30", True))
    assert ([alert.code for alert in connection.alerts], connection.notes) == ([48], ())


def test_the_secrets_of_the_server_alone_tell_its_alert_and_what_stays_shut(tmp_path: Path) -> None:
    (connection,) = read(tmp_path, Sealed(1, CERTIFICATE).say("server", 21, b"\x02\x30", True), labels=SERVERS)
    assert [alert.code for alert in connection.alerts] == [48]
    assert connection.certificates.client == ()
    assert (verdict(connection).outcome, verdict(connection).refused_by) == ("failed", "server")
    assert "client's certificate is encrypted" in verdict(connection).advice[-1]
    assert "not CLIENT_HANDSHAKE_TRAFFIC_SECRET" in verdict(connection).advice[-1]


def test_the_secrets_of_the_client_alone_show_its_certificate_and_prove_nothing(tmp_path: Path) -> None:
    """The signature here is no signature; but what it signs was not read, so nobody may call it wrong."""
    (connection,) = read(tmp_path, Sealed(1, CERTIFICATE).say("server", 21, b"\x02\x30", True), labels=CLIENTS)
    assert len(connection.certificates.client) == 1
    assert [alert.code for alert in connection.alerts] == [None]
    found = verdict(connection)
    assert (found.outcome, found.refused_by) == ("failed", "server")
    assert found.cause != "key_mismatch"
    assert found.confidence <= 0.6
    assert "The alert is encrypted" in found.advice[-1]


@pytest.mark.parametrize(
    ("suite", "options"),
    [(0xC02F, ["--keylog"]), (0x009C, ["--keylog", "--rsa-key"])],
    ids=["ECDHE", "static RSA"],
)
def test_advice_names_the_options_that_would_read_it(tmp_path: Path, suite: int, options: list[str]) -> None:
    """A renegotiation's alert up to TLS 1.2, with nothing to open it."""
    hello = "client", tls.said(tls.message(1, tls.client_hello()))
    flight = (
        "server",
        tls.said(
            tls.message(2, tls.server_hello(suite=suite)),
            tls.message(11, tls.certificate_list(CERTIFICATE)),
            tls.message(14),
        ),
    )
    answer = "client", tls.said(tls.message(16, bytes(66))) + tls.change_cipher_spec() + tls.encrypted(22, 40)
    done = "server", tls.change_cipher_spec() + tls.encrypted(22, 40)
    new = tls.encrypted(22, 400) + tls.encrypted(20, 25) + tls.encrypted(22, 40)
    again: list[Flight] = [("client", new), ("server", tls.encrypted(21, 26))]
    talk = Talk((hello, flight, answer, done, *again), 0, 40_001)  # type: ignore[arg-type]
    (connection,) = tlsalert.read(write(tmp_path / "again.pcap", talk))
    assert verdict(connection).outcome == "failed"
    assert [o for o in ("--keylog", "--rsa-key") if o in verdict(connection).advice[-1]] == options


def test_what_is_read_needs_no_option(tmp_path: Path) -> None:
    (connection,) = tlsalert.read(write(tmp_path / "clear.pcap", refused()))
    assert "--keylog" not in " ".join(verdict(connection).advice)


def test_half_of_a_byte_at_a_time_is_an_answer_all_the_same(tmp_path: Path) -> None:
    """TLS 1.0 stacks send the first byte by itself, against BEAST: an answer may come in several records."""
    sealed = Sealed(1, CERTIFICATE).say("client", 23, GET, True)
    sealed.say("server", 23, REFUSED_400[:1], True).say("server", 23, REFUSED_400[1:], True)
    (connection,) = read(tmp_path, sealed)
    assert verdict(connection).outcome == "failed"
