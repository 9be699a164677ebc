"""Facts that an engineer gives: where they count, where they do not, and what is no fact."""

from __future__ import annotations

import json
from base64 import encodebytes
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

import tlsalert
from tests.evidence import CAPTURES
from tests.talks import CERTIFICATE, NOON, Talk, answer, flight, hello, refused, write
from tests.wire import tls
from tlsalert.cli.read import command
from tlsalert.errors import CaptureError, UsageError
from tlsalert.given import given, read_chain, read_time
from tlsalert.model import Connection, Verdict

UNREAD = CAPTURES / "tls13-unknown-ca.pcap"
PEM = b"-----BEGIN CERTIFICATE-----\n" + encodebytes(CERTIFICATE) + b"-----END CERTIFICATE-----\n"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "client.pem"
    path.write_bytes(b"subject: anything\n" + PEM)
    return path


def verdict(connection: Connection) -> Verdict:
    assert connection.verdict is not None
    return connection.verdict


def test_a_clock_that_is_given_decides(tmp_path: Path) -> None:
    (connection,) = tlsalert.read(write(tmp_path / "refused.pcap", refused()), server_clock="2015-03-12")
    clock = connection.clocks.server
    assert clock is not None
    assert (clock.source, clock.confidence) == ("given", 1.0)
    assert (verdict(connection).cause, verdict(connection).at_fault) == ("certificate_not_yet_valid", "server")
    assert verdict(connection).confidence > 0.9
    assert verdict(connection).evidence[0].says.startswith("the server's clock as it was given (--server-clock): 2015")


def test_it_runs_on_from_the_beginning_of_the_capture(tmp_path: Path) -> None:
    path = write(tmp_path / "two.pcap", refused(port=1), refused(at=60, port=2))
    clocks = [c.clocks.server for c in tlsalert.read(path, server_clock="2015-03-12T05:41:50Z")]
    assert clocks[0] is not None
    assert clocks[1] is not None
    assert clocks[1].time - clocks[0].time == 60 * 10**9


def test_a_certificate_counts_where_the_client_sent_one_that_is_encrypted(certificate: Path) -> None:
    (without,) = tlsalert.read(UNREAD)
    (connection,) = tlsalert.read(UNREAD, client_cert=certificate, server_clock="2015-03-12")
    assert verdict(without).cause != "certificate_not_yet_valid"
    assert verdict(connection).cause == "certificate_not_yet_valid"
    assert connection.certificates.client == ()  # what was not seen is not shown as seen
    given_ = [e for e in verdict(connection).evidence if "as it was given (--client-cert) and not seen" in e.says]
    assert [e.position for e in given_] == [None]


def test_it_does_not_count_where_the_clients_is_seen(tmp_path: Path, certificate: Path) -> None:
    path = write(tmp_path / "refused.pcap", refused(48))
    plain, with_it = (next(iter(tlsalert.read(path, client_cert=one))).verdict for one in (None, certificate))
    assert plain == with_it


@pytest.mark.parametrize("name", ["tls13-no-certificate", "no-client-certificate"])
def test_it_does_not_count_where_the_client_sent_none(name: str, certificate: Path) -> None:
    path = CAPTURES / f"{name}.pcap"
    assert [verdict(c) for c in tlsalert.read(path, client_cert=certificate)] == [
        verdict(c) for c in tlsalert.read(path)
    ]


def test_in_a_renegotiation_that_is_encrypted_it_counts(tmp_path: Path, certificate: Path) -> None:
    bare = (
        "server",
        tls.said(
            tls.message(2, tls.server_hello()), tls.message(11, tls.certificate_list(CERTIFICATE)), tls.message(14)
        ),
    )
    done = "server", tls.change_cipher_spec() + tls.encrypted(22, 40)
    new = tls.encrypted(22, 900) + tls.encrypted(20, 25) + tls.encrypted(22, 40)
    again = ("client", new), ("server", tls.encrypted(21, 26))
    talk = Talk((hello(), bare, ("client", _without_certificate()), done, *again))  # type: ignore[arg-type]
    path = write(tmp_path / "again.pcap", talk)
    (connection,) = tlsalert.read(path, client_cert=certificate, server_clock="2015-03-12")
    assert verdict(connection).cause == "certificate_not_yet_valid"


def _without_certificate() -> bytes:
    return tls.said(tls.message(16, bytes(66))) + tls.change_cipher_spec() + tls.encrypted(22, 40)


@pytest.mark.parametrize("content", [PEM, CERTIFICATE, PEM + PEM], ids=["PEM", "DER", "chain"])
def test_certificates_come_as_pem_or_der(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert {one.der for one in read_chain(path)} == {CERTIFICATE}


@pytest.mark.parametrize("content", [b"", b"no certificate", PEM.replace(b"MII", b"***")])
def test_what_is_no_certificate_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="certificate"):
        read_chain(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="none\\.pem"):
        read_chain(tmp_path / "none.pem")


@pytest.mark.parametrize(
    ("said", "time"),
    [
        ("2021-06-17T08:51:03Z", NOON),
        ("2021-06-17T10:51:03+02:00", NOON),
        (datetime(2021, 6, 17, 8, 51, 3, tzinfo=UTC), NOON),
        ("2021-06-17", NOON - NOON % 86_400),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(said: str | datetime, time: int) -> None:
    assert read_time(said) == time * 10**9


def test_what_is_no_time_is_told() -> None:
    with pytest.raises(UsageError, match="is no time"):
        read_time("yesterday")


def test_nothing_given_is_nothing() -> None:
    assert given(None, None) is None


def test_the_command_line_takes_both(tmp_path: Path, certificate: Path) -> None:
    path = write(
        tmp_path / "refused.pcap", Talk((hello(), flight(), answer(CERTIFICATE), ("server", tls.alert(2, 42))))
    )
    arguments = [str(path), "--format", "jsonl", "--server-clock", "2015-03-12", "--client-cert", str(certificate)]
    told = json.loads(CliRunner().invoke(command, arguments).stdout)
    assert told["clocks"]["server"]["source"] == "given"
    assert told["verdict"]["cause"] == "certificate_not_yet_valid"


def test_a_certificate_is_not_written_over(tmp_path: Path, certificate: Path) -> None:
    path = write(tmp_path / "refused.pcap", refused())
    result = CliRunner().invoke(command, [str(path), "--client-cert", str(certificate), "-o", str(certificate)])
    assert result.exit_code == 2
    assert certificate.read_bytes().endswith(PEM)
