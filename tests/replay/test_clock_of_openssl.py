"""The clock finder and the device's mind against real OpenSSL handshakes, in memory, whose clock is the test's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tlsalert.diagnosis.device_causes import Facts
from tlsalert.diagnosis.device_mind import mind
from tlsalert.diagnosis.tried import Tried
from tlsalert.lab.certificates import Identity, issued, self_signed
from tlsalert.lab.device import Client, Device, Dialogue
from tlsalert.model import EPOCH, Alert, Position
from tlsalert.pki.certificate import read_certificate
from tlsalert.registry.alerts import AlertDescription, AlertLevel
from tlsalert.replay.answers import answer_of
from tlsalert.replay.clock_finder import find_clock
from tlsalert.replay.outcome import Accepted, Closed, Outcome, Refused

TODAY = datetime(2021, 6, 17, 8, 51, tzinfo=UTC)
IN_2015 = datetime(2015, 1, 3, 4, 5, 6, tzinfo=UTC)
BEGINS, ENDS = datetime(2016, 5, 19, tzinfo=UTC), datetime(2026, 5, 17, tzinfo=UTC)
ALERT = 21  # the content type, RFC 5246 §6.2.1


class Asked:
    """A device of the lab, and our own clock, which goes on by a tenth of a second with each handshake."""

    def __init__(self, clock: datetime, ca: Identity) -> None:
        self.clock, self.ca, self.ours = clock, ca, TODAY
        self.server = self_signed("CN=BMC", EPOCH, datetime(2049, 1, 1, tzinfo=UTC), "p256")

    def now(self) -> float:
        return (self.ours - EPOCH).total_seconds()

    def show(self, identity: Identity | None) -> Outcome:
        self.ours += timedelta(seconds=0.1)
        clock = self.clock + (self.ours - TODAY)
        device = Device(identity=self.server, trusted=(self.ca.certificate,), clock=clock.replace(microsecond=0))
        dialogue = Dialogue(device, Client(identity=identity))
        flights = dialogue.handshake()
        if dialogue.established:
            return Accepted("finished")
        last = next((data for side, data in reversed(flights) if side == "server"), b"")
        if last[:1] != bytes([ALERT]):
            return Closed("fin", "client_certificate")
        said = Alert(AlertLevel(last[5]), AlertDescription(last[6]), "server", Position(), None)
        return Refused("server", "client_certificate", said)

    def ask(self, not_before: datetime, not_after: datetime) -> Outcome:
        return self.show(issued("CN=probe", self.ca, not_before, not_after, "p256"))


def authority(begins: datetime = EPOCH, ends: datetime = datetime(2049, 1, 1, tzinfo=UTC)) -> Identity:
    return self_signed("CN=Client CA", begins, ends, "p256")


@pytest.mark.parametrize(
    "clock", [TODAY, IN_2015, datetime(2044, 6, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 1, tzinfo=UTC)], ids=str
)
def test_openssls_clock_is_found_to_the_second(clock: datetime) -> None:
    asked = Asked(clock, authority())
    found = find_clock(asked.ask, (), None, asked.now)
    assert found.skew_seconds == pytest.approx((clock - TODAY).total_seconds(), abs=1.5)
    assert found.checks == "both"
    assert found.contradictions == 0
    assert found.handshakes <= 44


@pytest.mark.parametrize(
    ("clock", "bounds"),
    [
        pytest.param(IN_2015, (None, datetime(2020, 1, 1, tzinfo=UTC)), id="not yet valid"),
        pytest.param(datetime(2044, 6, 1, tzinfo=UTC), (datetime(2030, 1, 1, tzinfo=UTC), None), id="expired"),
    ],
)
def test_a_ca_that_openssl_finds_out_of_date_is_told(
    clock: datetime, bounds: tuple[datetime | None, datetime | None]
) -> None:
    validity = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    asked = Asked(clock, authority(*validity))
    found = find_clock(asked.ask, (), validity, asked.now)
    assert (found.clock, found.bounds) == (None, bounds)


def test_a_ca_that_openssl_does_not_trust_is_told() -> None:
    asked = Asked(TODAY, authority())
    stranger = self_signed("CN=stranger", EPOCH, datetime(2049, 1, 1, tzinfo=UTC), "p256")
    found = find_clock(
        lambda begins, ends: asked.show(issued("CN=probe", stranger, begins, ends, "p256")), (), None, asked.now
    )
    assert "does not trust this CA" in " ".join(found.says)


@pytest.mark.parametrize(
    ("clock", "answer", "summary"),
    [
        pytest.param(
            IN_2015, "42", "The device trusts your CA and its clock is 2015-01-03 04:05:1", id="2015"),
        pytest.param(TODAY, "ok", "The device trusts your CA and its clock is 2021-06-17 08:51:0", id="right"),
        pytest.param(
            datetime(2026, 11, 20, tzinfo=UTC), "45",
            "The device trusts your CA and its clock is 2026-11-20 00:00:0", id="after its end"),
    ],
)  # fmt: skip
def test_the_founding_case_from_probes_to_verdict(clock: datetime, answer: str, summary: str) -> None:
    ca = authority()
    asked = Asked(clock, ca)
    good = issued("CN=IPMI", ca, BEGINS, ENDS, "p256")
    stranger = self_signed("CN=IPMI", EPOCH, datetime(2049, 1, 1, tzinfo=UTC), "p256")
    shows = {"good": good, "none_sent": None, "self_signed_unknown": stranger}
    tried = [Tried(variant, "TLS 1.2", answer_of(asked.show(identity)) or "") for variant, identity in shows.items()]
    assert [one.answer for one in tried] == [answer, "40", "48"]
    found = find_clock(asked.ask, (), None, asked.now)
    leaf, root = (read_certificate(one.certificate.public_bytes(Encoding.DER)) for one in (good, ca))
    told = mind(tried, Facts((leaf, root), TODAY), found=found.known)
    assert told.verdict.summary.startswith(summary)
    assert told.trusts.your_ca is True
