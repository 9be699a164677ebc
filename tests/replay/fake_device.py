"""A device that is a dictionary: what it answers to each variant, in place of all that a replay stands on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.evidence import CAPTURES
from tlsalert.capture import read
from tlsalert.model import Alert, Connection, Position, Side, Verdict
from tlsalert.registry.alerts import AlertDescription, AlertLevel
from tlsalert.replay.bench import Asked, AskPassphrase, Meaning, VariantFacts
from tlsalert.replay.expectation import called_for
from tlsalert.replay.outcome import Accepted, Closed, NotTried, Outcome, Refused, Unreachable
from tlsalert.replay.result import ClockTold, HelloTold, Row, StackTold
from tlsalert.replay.runner import Run, Tried

ACCEPTED = Accepted("finished")
LOST = Closed("rst", "client_certificate", alert_lost=True)
GONE = Unreachable("connection refused")

Key = str | tuple[str, str]


def alert(code: int, sender: Side = "server", level: int = 2) -> Refused:
    """Return a refusal with an alert."""
    said = Alert(AlertLevel(level), AlertDescription(code), sender, Position(9), None)
    return Refused(sender, "client_certificate", said)


def refused_hello(code: int) -> Refused:
    """Return a refusal of the ClientHello."""
    said = Alert(AlertLevel.fatal, AlertDescription(code), "server", Position(5), None)
    return Refused("server", "client_hello", said)


@dataclass(frozen=True)
class FakeTrial:
    """A trial as the client's are."""

    variant: str
    tls_version: str
    outcome: Outcome
    note: str | None = None
    connection: Connection | None = None


@dataclass
class FakeDevice:
    """A bench whose answers are given by variant, or by (variant, version): one, or one after the other.

    What is not given is accepted. ``asked`` holds what was shown to it.
    """

    answers: Mapping[Key, Outcome | Sequence[Outcome] | BaseException] = field(default_factory=dict)
    not_tried: Mapping[str, NotTried] = field(default_factory=dict)
    target: str = "10.0.0.7:5900"
    hello: HelloTold = field(default_factory=lambda: HelloTold("profile python"))
    versions: tuple[str, ...] = ("TLS 1.2",)
    means: Meaning = field(default_factory=Meaning)
    asked: list[tuple[str, str]] = field(default_factory=list)
    connection: Connection | None = None

    def hello_for(self, versions: Sequence[str]) -> HelloTold:
        """Send the same in all."""
        return self.hello

    def try_one(self, variant: str, tls_version: str) -> Tried:
        """Answer."""
        self.asked.append((variant, tls_version))
        given = self.answers.get((variant, tls_version), self.answers.get(variant, ACCEPTED))
        if isinstance(given, BaseException):
            raise given
        if isinstance(given, Sequence):
            before = self.asked.count((variant, tls_version)) - 1
            given = given[min(before, len(given) - 1)]
        return FakeTrial(variant, tls_version, given, connection=self.connection)

    def meaning(self, run: Run, rows: tuple[Row, ...], find_clock: bool | None) -> Meaning:
        """Mean what it was told to mean."""
        return self.means

    def write_crls(self, variants: Iterable[str], path: str) -> int:
        """Write the names of the variants that need one."""
        names = [name for name in variants if CATALOGUE[name].must_know is not None]
        Path(path).write_text("".join(f"{name}\n" for name in names))
        return len(names)

    def write_pcap(self, trials: Iterable[Tried], path: str) -> None:
        """Write the names of what passed."""
        Path(path).write_text("".join(f"{one.variant}\n" for one in trials))

    write_keylog = write_pcap


def opened(device: FakeDevice, asked: Asked, ask: AskPassphrase) -> FakeDevice:
    """Open it as the real one is opened: at the address that was asked for."""
    device.target = asked.address
    return device


def console() -> Connection:
    """Return a handshake that was refused."""
    return read(CAPTURES / "console.pcap")[2]


#: A catalogue for tests, so that they don't change with the real one.
CATALOGUE = {
    one.name: one
    for one in (
        VariantFacts("good", "the control", "the certificate and its key", {"TLS 1.2": called_for(None)}),
        VariantFacts("none_sent", "without any", "", {"TLS 1.2": called_for("handshake_failure")}),
        VariantFacts("expired", "its time is over", "the CA's key", {"TLS 1.2": called_for("certificate_expired")}),
        VariantFacts(
            "revoked",
            "it was taken back",
            "the CA's key",
            {"TLS 1.2": called_for("certificate_revoked")},
            "the CRL that revokes it",
        ),
        VariantFacts("missing_intermediate", "the chain has a gap", "the CA's key"),
    )
}

#: What a whole replay of the founding case may mean.
FOUNDING = Meaning(
    Verdict(
        "failed",
        "The device trusts your CA and its clock is 2015-01-03 ± 1 s.",
        refused_by="server",
        cause="certificate_not_yet_valid",
        confidence=0.98,
        at_fault="server",
        advice=("set the device's clock",),
    ),
    ClockTold("2015-01-03T00:00:00Z", 1.0, "2015-01-03 00:00:00 ± 1 s, by 31 handshakes", -200000000.0),
    StackTold("OpenSSL 1.0.2", 0.96, ("sha1_signed",)),
    ("CN=BMC console CA",),
)
