"""What a capture's other connections say: clocks in HTTP and across jumps, choices, and certificates."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from tests.pki.issuing import AUTHORITY, Holder, issue
from tests.talks import (
    CERTIFICATE,
    DATA,
    FINISHED,
    IN_2015,
    NOON,
    SERVER,
    Flight,
    Talk,
    answer,
    established,
    flight,
    hello,
    refused,
    refused_hello,
    write,
)
from tests.wire import tls
from tlsalert.capture import read
from tlsalert.model import Connection, Verdict
from tlsalert.witnesses import bounds

WEB: Flight = ("client", b"GET / HTTP/1.1\r\nHost: bmc\r\n\r\n")


def response(date: bytes, *headers: bytes) -> Flight:
    lines = (b"HTTP/1.1 200 OK", b"Server: bmc", b"Date: " + date, *headers, b"", b"")
    return "server", b"\r\n".join(lines)


AT_2015 = response(b"Thu, 12 Mar 2015 05:41:50 GMT")
AT_NOON = response(b"Thu, 17 Jun 2021 08:51:03 GMT")


def web(*answers: Flight, port: int = 50_000, at: float = 0, server: tuple[str, int] = (SERVER, 80)) -> Talk:
    return Talk((WEB, *answers), at, port, server)


def judged(path: Path, *talks: Talk) -> list[Connection]:
    return list(read(write(path / "witnesses.pcap", *talks)))


def verdict(connection: Connection) -> Verdict:
    assert connection.verdict is not None
    return connection.verdict


def test_the_web_server_of_a_device_shows_its_clock(tmp_path: Path) -> None:
    """The BMC's random shows nothing: its web page on another port has a Date in clear."""
    (connection,) = judged(tmp_path, refused(at=5), web(AT_2015))
    clock = connection.clocks.server
    assert clock is not None
    assert (clock.source, round(clock.skew_seconds)) == ("HTTP Date", IN_2015 - NOON)
    assert (verdict(connection).cause, verdict(connection).at_fault) == ("certificate_not_yet_valid", "server")
    assert verdict(connection).confidence > 0.9


def test_a_plain_answer_on_the_tls_port_shows_it_as_well(tmp_path: Path) -> None:
    told = judged(tmp_path, refused(at=5), Talk((hello(9), AT_2015), 1, 50_001))
    assert [c.clocks.server is not None and c.clocks.server.source for c in told] == ["HTTP Date"] * 2
    assert [c.verdict and c.verdict.outcome for c in told] == ["not_tls", "failed"]


def test_a_cache_in_between_shows_nothing(tmp_path: Path) -> None:
    (connection,) = judged(tmp_path, refused(at=5), web(response(b"Thu, 12 Mar 2015 05:41:50 GMT", b"Age: 20")))
    assert connection.clocks.server is None


def test_a_server_behind_a_proxy_is_not_the_proxy(tmp_path: Path) -> None:
    """Its address in the capture is the proxy's, whose clock is another."""
    tunnel: tuple[Flight, Flight] = (("client", b"CONNECT bmc:443 HTTP/1.1\r\n\r\n"), AT_2015)
    (connection,) = judged(tmp_path, Talk((*tunnel, *refused().flights), server=(SERVER, 3128)))
    assert connection.clocks.server is None


def test_another_address_says_nothing_of_it(tmp_path: Path) -> None:
    (connection,) = judged(tmp_path, refused(at=5), web(AT_2015, server=("10.0.0.8", 80)))
    assert connection.clocks.server is None


def test_a_device_that_is_set_right_between_two_connections(tmp_path: Path) -> None:
    """Each connection is judged by the state of its own time."""
    early = refused(port=40_001, clock=40)
    late = Talk((hello(2), flight(2, NOON + 60), answer(CERTIFICATE), FINISHED, *DATA), 60, 40_002)
    before, after = judged(tmp_path, early, late)
    assert before.clocks.server is not None
    assert after.clocks.server is not None
    assert before.clocks.server.skew_seconds < -(10**9)
    assert abs(after.clocks.server.skew_seconds) < 5
    assert verdict(before).cause == "certificate_not_yet_valid"
    assert any("the server's clock: it jumped from 1970-01-01" in e.says for e in verdict(before).evidence)


def test_a_web_server_that_is_set_right_shows_the_jump(tmp_path: Path) -> None:
    told = judged(tmp_path, web(AT_2015, port=50_001), refused(at=1), web(AT_NOON, port=50_002, at=30))
    assert "between frames" in str(told[0].clocks.server and told[0].clocks.server.jump)


def test_what_the_server_chose_with_others_decides_a_refused_hello(tmp_path: Path) -> None:
    old = tls.said(tls.message(1, tls.client_hello(version=tls.TLS10)))
    refusal = Talk((("client", old), ("server", tls.alert(2, 40))), 5, 40_009)
    told = judged(tmp_path, *(established(n, 40_001 + n) for n in range(3)), refusal)
    found = verdict(told[-1])
    assert found.cause == "no_shared_version"
    says = [evidence.says for evidence in found.evidence]
    assert says[:2] == ["the client offers at most TLS 1.0", "this server chose TLS 1.2 with 3 other connections"]


def test_another_port_is_another_server(tmp_path: Path) -> None:
    told = judged(tmp_path, established(), refused_hello(at=5, port=40_009, server=(SERVER, 443)))
    assert not any("other connection" in evidence.says for evidence in verdict(told[-1]).evidence)


def test_a_certificate_that_was_accepted_before_is_told(tmp_path: Path) -> None:
    told = judged(tmp_path, established(), refused(at=5, port=40_009))
    (line,) = [e for e in verdict(told[-1]).evidence if "accepted this very certificate" in e.says]
    assert line.position == next(
        m.position for m in told[0].messages if (m.sender, m.message) == ("client", "certificate")
    )


def test_a_choice_of_failures_hears_the_same_witnesses(tmp_path: Path) -> None:
    from tlsalert.capture import Reader

    talks = (
        established(),
        established(1, 40_002),
        refused(at=5, port=40_009),
        refused_hello(70, 6, 40_010),
        web(AT_2015),
    )
    path = write(tmp_path / "some.pcap", *talks)
    everything = [c for c in read(path) if verdict(c).outcome == "failed"]
    assert list(Reader(path, "failed")) == everything


# --- what a server accepted from others -----------------------------------------------------------------------------

CA = issue("CN=CA", None, AUTHORITY, x509.SubjectKeyIdentifier(b"k" * 20))
OTHER_CA = issue("CN=CA", None, AUTHORITY, x509.SubjectKeyIdentifier(b"o" * 20))


def dated(begins: int, ends: int, by: Holder = CA, identifier: bytes = b"k" * 20) -> bytes:
    """Return a certificate that is valid from the beginning of one year to that of another."""
    builder = x509.CertificateBuilder().subject_name(x509.Name.from_rfc4514_string(f"CN=from {begins} to {ends}"))
    builder = builder.issuer_name(by.name).serial_number(begins * 10_000 + ends).public_key(CA.key.public_key())
    builder = builder.not_valid_before(datetime(begins, 1, 1)).not_valid_after(datetime(ends, 1, 1))
    builder = builder.add_extension(x509.AuthorityKeyIdentifier(identifier, None, None), critical=False)
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


def accepted(der: bytes, port: int, *, data: bool = True) -> Talk:
    return Talk((hello(port), flight(port), answer(der), FINISHED, *(DATA if data else ())), 0, port)


def denied(der: bytes, code: int, port: int = 40_009) -> Talk:
    return Talk((hello(port), flight(port), answer(der), ("server", tls.alert(2, code))), 5, port)


def test_an_expired_certificate_that_was_accepted_shows_a_clock_that_is_behind(tmp_path: Path) -> None:
    """The capture is of 2021, and nothing shows the server's clock: what it accepted ended in 2016."""
    told = judged(tmp_path, accepted(dated(2010, 2016), 40_001), denied(dated(2017, 2030), 42))
    found = verdict(told[-1])
    assert (found.cause, found.at_fault) == ("certificate_not_yet_valid", "server")
    assert found.confidence <= 0.88  # it is no proof: somebody may have set the clock in between
    says = [e.says for e in found.evidence]
    assert "the same server accepted a certificate that ends on 2016-01-01: its clock is not past that" in says


def test_one_that_is_not_valid_yet_shows_a_clock_that_runs_ahead(tmp_path: Path) -> None:
    told = judged(tmp_path, accepted(dated(2035, 2040), 40_001), denied(dated(2010, 2030), 46))
    assert (verdict(told[-1]).cause, verdict(told[-1]).at_fault) == ("certificate_expired", "server")


def test_what_the_dates_cannot_be_is_left_out(tmp_path: Path) -> None:
    """Both begin and end alike, and one was accepted: no date is the reason. Nor is the issuer, who is the same."""
    told = judged(tmp_path, accepted(dated(2016, 2026), 40_001), denied(dated(2015, 2027), 42))
    found = verdict(told[-1])
    shares: dict[str | None, float] = {
        found.cause: found.confidence,
        **{other.cause: other.confidence for other in found.alternatives},
    }
    assert shares.get("certificate_not_yet_valid", 0) < 0.1
    assert shares.get("unknown_ca", 0) < 0.2
    assert any("accepted another certificate of this issuer" in e.says for e in found.evidence)


def test_an_issuer_of_the_same_name_and_another_key_is_another_one(tmp_path: Path) -> None:
    stranger = dated(2015, 2027, OTHER_CA, b"o" * 20)
    told = judged(tmp_path, accepted(dated(2016, 2026), 40_001), denied(stranger, 48))
    assert verdict(told[-1]).cause == "unknown_ca"
    assert not any("of this issuer" in e.says for e in verdict(told[-1]).evidence)


def test_who_got_no_answer_may_not_have_been_accepted(tmp_path: Path) -> None:
    """Node.js finishes the handshake and closes where it does not like the certificate."""
    told = judged(tmp_path, accepted(dated(2010, 2016), 40_001, data=False), denied(dated(2017, 2030), 42))
    assert not any("the same server accepted a certificate" in e.says for e in verdict(told[-1]).evidence)


def test_a_clock_that_shows_comes_first(tmp_path: Path) -> None:
    told = judged(tmp_path, accepted(dated(2010, 2016), 40_001), denied(dated(2017, 2030), 42), web(AT_NOON))
    assert verdict(told[-1]).cause != "certificate_not_yet_valid"


@pytest.mark.parametrize(
    ("years", "told"),
    [
        ([(2010, 2020)], (2010, 2020)),
        ([(2010, 2020), (2015, 2030)], (2015, 2020)),
        ([(2010, 2012), (2015, 2030)], None),  # the clock was set in between, or nobody looks at dates
        ([], None),
    ],
)
def test_the_bounds_of_a_clock(years: list[tuple[int, int]], told: tuple[int, int] | None) -> None:
    found = bounds(tuple((frame, dated(*span)) for frame, span in enumerate(years)))
    if told is None:
        assert found is None
    else:
        assert found is not None
        assert (found.after, found.before) == tuple(datetime(year, 1, 1, tzinfo=UTC) for year in told)


def test_what_signed_itself_is_trusted_whatever_its_dates() -> None:
    assert bounds(((1, CA.der),)) is None
