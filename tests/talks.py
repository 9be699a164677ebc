"""Captures made for tests: conversations as a network shows them, with the little of TLS that a story needs."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from tests.pki.certificates import made
from tests.wire import tls
from tlsalert.model import Side
from tlsalert.recorder import Address, Conversation, Recorder

#: What the clocks of these captures say: 2021-06-17 08:51:03 UTC, in seconds; and that of the device.
NOON, IN_2015 = 1_623_919_863, 1_426_138_910
SECOND, MILLISECOND = 1_000_000_000, 1_000_000
CLIENT, SERVER = "10.0.0.5", "10.0.0.7"
#: Valid from 2016-05-19 to 2026-05-17.
CERTIFICATE = made()

Flight = tuple[Side, bytes]


@dataclass(frozen=True)
class Talk:
    """One conversation: its flights come ``pace`` milliseconds apart, the first ``at`` seconds after NOON."""

    flights: tuple[Flight, ...]
    at: float = 0
    port: int = 40112
    server: Address = (SERVER, 5900)
    client: str = CLIENT
    closer: Side | None = "server"
    how: Literal["fin", "rst"] = "fin"
    pace: int = 10

    def steps(self) -> list[tuple[int, Side | None, bytes]]:
        """Return what happens when: the opening, each flight, the close."""
        start = NOON * SECOND + int(self.at * SECOND)
        said: list[tuple[Side | None, bytes]] = [(None, b""), *self.flights]
        if self.closer is not None:
            said.append((self.closer, b""))
        return [(start + number * self.pace * MILLISECOND, side, data) for number, (side, data) in enumerate(said)]


def write(path: Path, *talks: Talk) -> Path:
    """Write the conversations as one capture, in the order of time."""
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file, Recorder(file) as recorder:
        steps = [(*step, talk) for talk in talks for step in talk.steps()]
        open_: dict[int, Conversation] = {}
        for time, side, data, talk in sorted(steps, key=lambda step: step[0]):
            if side is None:
                open_[id(talk)] = recorder.open((talk.client, talk.port), talk.server, time)
            elif data:
                open_[id(talk)].send(side, data, time)
            else:
                open_[id(talk)].close(side, time, talk.how)
    return path


def random(clock: int | None, seed: object) -> bytes:
    """Return 32 bytes that begin with a clock, or are all as good as random; the same for the same seed."""
    drawn = sha256(repr(seed).encode()).digest()
    return drawn if clock is None else clock.to_bytes(4) + drawn[4:]


def hello(seed: object = 0, clock: int | None = None) -> Flight:
    """Return a ClientHello of TLS 1.2."""
    return "client", tls.said(tls.message(tls.CLIENT_HELLO, tls.client_hello(random=random(clock, ("client", seed)))))


def flight(seed: object = 0, clock: int | None = None) -> Flight:
    """Return a server's flight of TLS 1.2 that asks for a certificate. ``clock`` is what its random begins with."""
    request = tls.vector(1, b"\x01\x40") + tls.vector(2, tls.u16(0x0401, 0x0403)) + tls.vector(2, b"")
    return "server", tls.said(
        tls.message(tls.SERVER_HELLO, tls.server_hello(random=random(clock, ("server", seed)))),
        tls.message(tls.CERTIFICATE, tls.certificate_list(CERTIFICATE)),
        tls.message(tls.CERTIFICATE_REQUEST, request),
        tls.message(tls.SERVER_HELLO_DONE),
    )


def answer(*certificates: bytes) -> Flight:
    """Return the client's flight."""
    messages = [tls.message(tls.CERTIFICATE, tls.certificate_list(*certificates))]
    messages.append(tls.message(tls.CLIENT_KEY_EXCHANGE, bytes(66)))
    if certificates:
        messages.append(tls.message(tls.CERTIFICATE_VERIFY, bytes(260)))
    return "client", tls.said(*messages) + tls.change_cipher_spec() + tls.encrypted(tls.HANDSHAKE, 40)


FINISHED: Flight = ("server", tls.change_cipher_spec() + tls.encrypted(tls.HANDSHAKE, 40))
DATA: tuple[Flight, Flight] = ("client", tls.application_data(90)), ("server", tls.application_data(900))


def refused(code: int = 42, at: float = 0, port: int = 40112, clock: int | None = None, **fields: object) -> Talk:
    """Return a talk in which the server answers the client's certificate with a fatal alert.

    ``clock`` is what the server's clock said at NOON; it runs with the capture's.
    """
    shown = None if clock is None else clock + int(at)
    flights = (hello(port), flight(port, shown), answer(CERTIFICATE), ("server", tls.alert(2, code)))
    return Talk(flights, at, port, **fields)  # type: ignore[arg-type]


def refused_hello(code: int = 40, at: float = 0, port: int = 40112, **fields: object) -> Talk:
    """Return a talk in which the server answers the ClientHello with a fatal alert."""
    return Talk((hello(port), ("server", tls.alert(2, code))), at, port, **fields)  # type: ignore[arg-type]


def established(at: float = 0, port: int = 40112, clock: int | None = None, **fields: object) -> Talk:
    """Return a talk in which all goes well."""
    flights = (hello(port), flight(port, clock), answer(CERTIFICATE), FINISHED, *DATA)
    return Talk(flights, at, port, **fields)  # type: ignore[arg-type]


def other(at: float = 0, port: int = 40112, **fields: object) -> Talk:
    """Return a talk without a word of TLS."""
    flights: tuple[Flight, ...] = (("client", b"GET / HTTP/1.0\r\n\r\n"), ("server", b"HTTP/1.0 200 OK\r\n\r\n"))
    return Talk(flights, at, port, **fields)  # type: ignore[arg-type]
