"""Makes the captures in this directory: ``python captures/make.py [DIRECTORY]``.

An engineer's PC (10.0.0.5) opens the remote console of a BMC (10.0.0.7:5900), which asks for a client
certificate and judges it by its own clock. Each handshake is a real one, between two OpenSSL endpoints in
a child process under libfaketime: so the server's clock shows in ServerHello.random as an old BMC's does.
The recorder then gives the bytes the addresses and times of the story. Keys are made anew and thrown away.

Needs the extra ``lab`` and libfaketime (Debian: package faketime). Exits with 2 where that is missing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from cryptography.hazmat.backends.openssl import backend

from tlsalert.errors import UsageError
from tlsalert.lab import faketime
from tlsalert.lab.certificates import Identity, self_signed
from tlsalert.lab.device import Client, Device, Dialogue, Flight
from tlsalert.lab.recorder import Recorder

#: What the capturing PC's clock says at the first SYN.
START = datetime(2021, 6, 17, 8, 51, 3, 217_000, tzinfo=UTC)
MS = 1_000_000

#: When each flight leaves, in milliseconds after the SYN: the BMC is slow at RSA.
FLIGHTS = (1, 42, 59, 265)


@dataclass(frozen=True)
class Attempt:
    """One connection: ``after`` seconds from the start, from ``port``, with the certificate ``shows``."""

    after: float
    port: int
    shows: str | None
    ends_with: int | None
    """The number of the alert that the server must answer with, or None for success."""


@dataclass(frozen=True)
class Scene:
    """One capture. ``clock`` is what the BMC's clock says when the capture starts, ``start`` what the PC's says."""

    clock: datetime
    attempts: tuple[Attempt, ...]
    shows_clock: bool = True
    start: datetime = START


BEHIND = datetime(2015, 3, 12, 5, 41, 50, 300_000, tzinfo=UTC)
#: After the certificate's last day: by then the right clock refuses it, too.
LATER = datetime(2026, 7, 1, 8, 51, 3, 217_000, tzinfo=UTC)
SCENES = {
    "no-client-certificate": Scene(BEHIND, (Attempt(0, 40098, None, 40),)),
    "unknown-ca": Scene(BEHIND, (Attempt(0, 40104, "home-made", 48),)),
    "not-yet-valid": Scene(
        BEHIND,
        (
            Attempt(0, 40112, "ipmi", 42),
            Attempt(4.27, 40114, "ipmi", 42),
            Attempt(8.55, 40118, "ipmi", 42),
        ),
    ),
    "not-yet-valid-no-clock": Scene(BEHIND, (Attempt(0, 40112, "ipmi", 42),), shows_clock=False),
    "expired": Scene(LATER, (Attempt(0, 40126, "ipmi", 45),), start=LATER),
    "success": Scene(START, (Attempt(0, 40130, "ipmi", None),)),
    "console": Scene(
        BEHIND - timedelta(seconds=40.36),
        (
            Attempt(0, 40098, None, 40),
            Attempt(16.9, 40104, "home-made", 48),
            Attempt(40.4, 40112, "ipmi", 42),
        ),
    ),
}


def main() -> int:
    """Make all captures, and print what each of them holds."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("directory", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--play", action="store_true", help="used by this script itself, for its child")
    arguments = parser.parse_args()
    if arguments.play:
        json.dump(play(json.load(sys.stdin)), sys.stdout)
        return 0
    try:
        faketime.environment(START)
    except UsageError as error:
        print(f"make.py: {error}", file=sys.stderr)
        return error.exit_code
    print(f"pyOpenSSL {version('pyOpenSSL')}, {backend.openssl_version_text()}, {faketime.library()}")
    people = make_people()
    for name, scene in SCENES.items():
        make_capture(arguments.directory / f"{name}.pcap", scene, people)
    return 0


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
        for attempt, flights in zip(scene.attempts, played, strict=True):
            _record(recorder, scene, attempt, flights)
            shown = datetime.fromtimestamp(int.from_bytes(flights[1][1][11:15], "big"), UTC)
            said = f"clock {shown:%Y-%m-%d %H:%M:%S}" if scene.shows_clock else "32 random bytes"
            end = "success" if attempt.ends_with is None else f"alert {attempt.ends_with}"
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
    clock = scene.clock + timedelta(seconds=attempt.after, milliseconds=FLIGHTS[1])
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
        [sys.executable, __file__, "--play"],
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
    if alert != attempt.ends_with:
        raise RuntimeError(f"the server answered with {alert}, not with {attempt.ends_with}")


def _record(recorder: Recorder, scene: Scene, attempt: Attempt, flights: list[Flight]) -> None:
    """Give the flights addresses and times. A server that refused closes; after a success the client does."""
    start = round(scene.start.timestamp() * 1000 + attempt.after * 1000) * MS
    conversation = recorder.open(("10.0.0.5", attempt.port), ("10.0.0.7", 5900), start)
    time = start
    for number, (side, flight) in enumerate(flights):
        time = start + FLIGHTS[number] * MS if number < len(FLIGHTS) else time + 12 * MS
        conversation.send(side, flight, time)
    if attempt.ends_with is None:
        conversation.close("client", time + 350 * MS)
    else:
        conversation.close("server", time + 1 * MS)


if __name__ == "__main__":
    sys.exit(main())
