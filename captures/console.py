"""The stories of the remote console: what a wrong clock does.

An engineer's PC (10.0.0.5) opens the remote console of a BMC (10.0.0.7:5900), which asks for a client
certificate and judges it by its own clock. Each handshake is a real one, between two OpenSSL endpoints in
a child process under libfaketime: so the server's clock shows in ServerHello.random as an old BMC's does.
The recorder then gives the bytes the addresses and times of the story. Run as a script, this is that child.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from labels import ESTABLISHED, Label, refused

from tlsalert.lab import faketime
from tlsalert.lab.certificates import Identity, self_signed
from tlsalert.lab.device import Client, Device, Dialogue, Flight
from tlsalert.recorder import Recorder

#: What the capturing PC's clock says at the first SYN.
START = datetime(2021, 6, 17, 8, 51, 3, 217_000, tzinfo=UTC)
MS = 1_000_000

CLIENT, BMC = "10.0.0.5", "10.0.0.7"

#: When each flight leaves, in milliseconds after the SYN: the BMC is slow at RSA.
FLIGHTS = (1, 42, 59, 265)


@dataclass(frozen=True)
class Attempt:
    """One connection: ``after`` seconds from the start, from ``port``, with the certificate ``shows``.

    ``label`` holds the alert that the server must answer with. ``clock`` is the server's where it is not the scene's.
    """

    after: float
    port: int
    shows: str | None
    label: Label
    server: str = BMC
    clock: datetime | None = None


@dataclass(frozen=True)
class Scene:
    """One capture. ``clock`` is what the BMC's clock says when the capture starts, ``start`` what the PC's says.

    ``pages`` are the seconds at which the PC gets a page from the BMC's port 80, in clear.
    """

    why: str
    clock: datetime
    attempts: tuple[Attempt, ...]
    shows_clock: bool = True
    start: datetime = START
    pages: tuple[float, ...] = ()

    @property
    def labels(self) -> tuple[Label, ...]:
        """What is true of each connection."""
        return tuple(attempt.label for attempt in self.attempts)


BEHIND = datetime(2015, 3, 12, 5, 41, 50, 300_000, tzinfo=UTC)
AHEAD = datetime(2031, 11, 2, 22, 8, 17, 900_000, tzinfo=UTC)
#: After the certificate's last day: by then the right clock refuses it, too.
LATER = datetime(2026, 7, 1, 8, 51, 3, 217_000, tzinfo=UTC)

NOTHING_SHOWN = refused("server", 40, "no_client_certificate", "client")
UNKNOWN = refused("server", 48, "unknown_ca", "client")
NOT_YET = refused("server", 42, "certificate_not_yet_valid", "server")
SCENES = {
    "no-client-certificate": Scene(
        "The client sends no certificate.", BEHIND, (Attempt(0, 40098, None, NOTHING_SHOWN),)
    ),
    "unknown-ca": Scene(
        "The client sends a home-made certificate.", BEHIND, (Attempt(0, 40104, "home-made", UNKNOWN),)
    ),
    "not-yet-valid": Scene(
        "The right certificate, not valid yet by the BMC's clock, three times.",
        BEHIND,
        (
            Attempt(0, 40112, "ipmi", NOT_YET),
            Attempt(4.27, 40114, "ipmi", NOT_YET),
            Attempt(8.55, 40118, "ipmi", NOT_YET),
        ),
    ),
    "not-yet-valid-no-clock": Scene(
        "The same, and nothing shows the BMC's clock.",
        BEHIND,
        (Attempt(0, 40112, "ipmi", replace(NOT_YET, decided=False)),),
        shows_clock=False,
    ),
    "expired": Scene(
        "The right certificate after its last day, by a right clock.",
        LATER,
        (Attempt(0, 40126, "ipmi", refused("server", 45, "certificate_expired", "client")),),
        start=LATER,
    ),
    "success": Scene("Nothing goes wrong.", START, (Attempt(0, 40130, "ipmi", ESTABLISHED),)),
    "console": Scene(
        "How the engineer came upon it: no certificate, the home-made one, the right one.",
        BEHIND - timedelta(seconds=40.36),
        (
            Attempt(0, 40098, None, NOTHING_SHOWN),
            Attempt(16.9, 40104, "home-made", UNKNOWN),
            Attempt(40.4, 40112, "ipmi", NOT_YET),
        ),
    ),
    "two-clocks": Scene(
        "Two BMCs, one whose clock is six years behind and one whose clock is ten years ahead: each has its own.",
        BEHIND,
        (
            Attempt(0, 40140, "ipmi", NOT_YET),
            Attempt(2.1, 40142, "ipmi", refused("server", 45, "certificate_expired", "server"), "10.0.0.8", AHEAD),
            Attempt(5.4, 40144, "ipmi", NOT_YET),
            Attempt(7.7, 40146, "ipmi", refused("server", 45, "certificate_expired", "server"), "10.0.0.8", AHEAD),
        ),
    ),
    "clock-reset": Scene(
        "The BMC's clock is set between two connections: the first is refused, the second goes well.",
        BEHIND,
        (Attempt(0, 40150, "ipmi", NOT_YET), Attempt(17.3, 40152, "ipmi", ESTABLISHED, clock=START)),
    ),
    "http-date": Scene(
        "The random shows no clock, but the BMC's port 80 dates its pages, in clear.",
        BEHIND,
        (Attempt(6.2, 40162, "ipmi", NOT_YET),),
        shows_clock=False,
        pages=(0, 3.1),
    ),
}


def make_people() -> dict[str, Identity]:
    """Return the certificates of the story: the BMC's, the one pinned on it, and the engineer's own."""
    before, after = datetime(2016, 5, 19, 9, 46, 36, tzinfo=UTC), datetime(2026, 5, 17, 9, 46, 36, tzinfo=UTC)
    works = "O=Example BMC Works,ST=California,C=US"
    return {
        "bmc": self_signed(f"CN=bmc.example,{works}", before, after),
        "ipmi": self_signed(f"CN=IPMI,{works}", before, after),
        "home-made": self_signed("CN=console test,C=US", START - timedelta(days=1), START + timedelta(days=365)),
    }


def make_capture(path: Path, scene: Scene, people: dict[str, Identity]) -> None:
    """Write one capture. Raises RuntimeError where the server did not answer as the scene says."""
    played = [_attempt(scene, attempt, people) for attempt in scene.attempts]
    with path.open("wb") as file, Recorder(file, seed=scene.attempts[0].port) as recorder:
        for number, after in enumerate(scene.pages):
            _record_page(recorder, scene, after, 40_900 + 2 * number)
        for attempt, flights in zip(scene.attempts, played, strict=True):
            _record(recorder, scene, attempt, flights)
            shown = datetime.fromtimestamp(int.from_bytes(flights[1][1][11:15], "big"), UTC)
            said = f"clock {shown:%Y-%m-%d %H:%M:%S}" if scene.shows_clock else "32 random bytes"
            end = "success" if attempt.label.alert is None else f"alert {attempt.label.alert}"
            print(f"{path.name}: client shows {attempt.shows or 'no certificate'}, server {said}: {end}")


def play(job: dict[str, str | None]) -> list[tuple[str, str]]:
    """Let BMC and client talk, in the child whose clock is the BMC's; return the flights in hex."""
    bmc = Identity.from_pem(str(job["bmc"]).encode())
    pinned = Identity.from_pem(str(job["ipmi"]).encode())
    shown = job["shown"]
    client = Client(
        Identity.from_pem(shown.encode()) if shown else None,
        trusted=(bmc.certificate,),
        clock=START,
        ciphers="ECDHE-RSA-AES256-GCM-SHA384",
    )
    device = Device(bmc, trusted=(pinned.certificate,), shows_clock=job["shows_clock"] is not None)
    dialogue = Dialogue(device, client)
    flights = dialogue.handshake()
    if dialogue.established:  # the greeting of RFC 6143 §7.1.1, both ways; then they part without close_notify
        flights += dialogue.send("server", b"RFB 003.008\n") + dialogue.send("client", b"RFB 003.008\n")
    return [(side, flight.hex()) for side, flight in flights]


def _attempt(scene: Scene, attempt: Attempt, people: dict[str, Identity]) -> list[Flight]:
    """Return the flights of one attempt, played in a process whose clock is the BMC's."""
    clock = (attempt.clock or scene.clock) + timedelta(seconds=attempt.after, milliseconds=FLIGHTS[1])
    shown = people[attempt.shows].to_pem().decode() if attempt.shows else None
    job = {
        "bmc": people["bmc"].to_pem().decode(),
        "ipmi": people["ipmi"].to_pem().decode(),
        "shown": shown,
        "shows_clock": "yes" if scene.shows_clock else None,
    }
    while True:
        flights = _in_child(job, clock)
        _check(attempt, flights)
        # Four random bytes below 2**31 would read as a date before 2038: that is another story.
        if scene.shows_clock or flights[1][1][11] >= 0x80:
            return flights


def _in_child(job: dict[str, str | None], clock: datetime) -> list[Flight]:
    done = subprocess.run(  # noqa: S603 - this very script
        [sys.executable, __file__],
        input=json.dumps(job).encode(),
        stdout=subprocess.PIPE,
        env=faketime.environment(clock, frozen=True),
        check=True,
    )
    return [(side, bytes.fromhex(flight)) for side, flight in json.loads(done.stdout)]


def _check(attempt: Attempt, flights: list[Flight]) -> None:
    """Raise RuntimeError unless the handshake ended as planned: in TLS 1.2 a refusal is not encrypted."""
    last = flights[-1][1]
    alert = last[6] if last[0] == 21 and len(last) == 7 else None
    if alert != attempt.label.alert:
        raise RuntimeError(f"the server answered with {alert}, not with {attempt.label.alert}")


def _record(recorder: Recorder, scene: Scene, attempt: Attempt, flights: list[Flight]) -> None:
    """Give the flights addresses and times. A server that refused closes; after a success the client does."""
    start = round(scene.start.timestamp() * 1000 + attempt.after * 1000) * MS
    conversation = recorder.open((CLIENT, attempt.port), (attempt.server, 5900), start)
    time = start
    for number, (side, flight) in enumerate(flights):
        time = start + FLIGHTS[number] * MS if number < len(FLIGHTS) else time + 12 * MS
        conversation.send(side, flight, time)
    if attempt.label.alert is None:
        conversation.close("client", time + 350 * MS)
    else:
        conversation.close("server", time + 1 * MS)


def _record_page(recorder: Recorder, scene: Scene, after: float, port: int) -> None:
    """Record a page in clear, dated by the BMC's clock (RFC 9110 §6.6.1). Written by hand: there is no server."""
    start = round(scene.start.timestamp() * 1000 + after * 1000) * MS
    clock = scene.clock + timedelta(seconds=after)
    asks = f"GET / HTTP/1.1\r\nHost: {BMC}\r\nConnection: close\r\n\r\n"
    head = f"HTTP/1.1 302 Found\r\nDate: {clock:%a, %d %b %Y %H:%M:%S} GMT\r\nLocation: https://{BMC}/\r\n"
    conversation = recorder.open((CLIENT, port), (BMC, 80), start)
    conversation.send("client", asks.encode("ascii"), start + 1 * MS)
    conversation.send("server", f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode("ascii"), start + 9 * MS)
    conversation.close("server", start + 10 * MS)


if __name__ == "__main__":
    json.dump(play(json.load(sys.stdin)), sys.stdout)
