"""The device's clock by every way that it shows, each in turn; then what all say together, and what it means.

for reading in tlsalert.clock("10.0.0.7", certificates=["client.crt"]): print(reading.way, reading.skew_seconds)

TCP timestamps are no way: they count from a start of the system, or of the connection, that nobody tells (RFC 7323
§5.4), so they show how fast a clock runs, and not what time it tells.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Final, overload

from tlsalert.clockways import certificates as by_its_certificates
from tlsalert.clockways import http_date, ipmi, ntp, redfish, server_hello
from tlsalert.clockways.effects import Effect, effects
from tlsalert.clockways.http import Place
from tlsalert.clockways.joint import Joint, joint
from tlsalert.clockways.manners import Login, Manners
from tlsalert.clockways.reading import Reading, not_asked
from tlsalert.errors import UsageError
from tlsalert.given import read_chain
from tlsalert.model import Certificate, when
from tlsalert.pki.material import Material, load_material
from tlsalert.replay.target import Target
from tlsalert.starttls import protocol_named

#: All ways, in the order in which they are asked, and what each is.
WAYS: Final = {
    "random": "ServerHello.random of several handshakes",
    "https": "HTTP Date over TLS",
    "http": "HTTP Date",
    "redfish": "Redfish: the managers' DateTime",
    "ipmi": "IPMI: Get SEL Time",
    "ntp": "NTP, where the device serves it",
    "certificates": "bisection with certificates of chosen dates",
}
#: The ports that are asked where the user names none; the ways that speak TLS ask the one that stands in the target.
PORTS: Final = {"random": 443, "https": 443, "http": 80, "redfish": 443, "ipmi": 623, "ntp": 123, "certificates": 443}
FIRST, LAST = 1, 65535


@dataclass(frozen=True, slots=True)
class Device:
    """Whom to ask, and with what. ``port`` is the one in the target, None where it names none; ``ports`` go before it.

    ``material`` holds the CA whose key asks with certificates.
    """

    host: str
    port: int | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    starttls: str | None = None
    server_name: str | None = None
    login: Login | None = None
    material: Material | None = None

    def ports_of(self, way: str) -> tuple[int, ...]:
        """Return the ports at which a way is tried, one after the other."""
        if way in self.ports:
            return (self.ports[way],)
        if self.port is None or way in ("redfish", "ipmi", "ntp"):
            return (PORTS[way],)
        if way in ("https", "http") and self.port != PORTS[way]:
            return (self.port, PORTS[way])
        return (self.port,)

    def __str__(self) -> str:
        return self.host if self.port is None else str(Target(self.host, self.port))


@dataclass(frozen=True, slots=True)
class Readings(Sequence[Reading]):
    """What the device's ways say, in the order in which they were asked; a sequence of :class:`Reading`.

    ``joint`` is what they say together; ``effects`` what that does to the certificates at hand.
    """

    target: str
    readings: tuple[Reading, ...]
    joint: Joint
    effects: tuple[Effect, ...] = ()

    def __len__(self) -> int:
        return len(self.readings)

    @overload
    def __getitem__(self, place: int) -> Reading: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Reading, ...]: ...
    def __getitem__(self, place: int | slice) -> Reading | tuple[Reading, ...]:
        """Return one reading, or several."""
        return self.readings[place]

    def __iter__(self) -> Iterator[Reading]:
        return iter(self.readings)

    @property
    def skew_seconds(self) -> float | None:
        """Seconds that the clock which judges certificates is ahead of ours; None where none is known."""
        return None if self.joint.judge is None else self.joint.judge.skew_seconds

    @property
    def reached(self) -> bool:
        """Whether anything answered at all."""
        return any(one.reached for one in self.readings)

    def as_json(self) -> list[dict[str, object]]:
        """Return what ``tlsalert clock --format json`` writes: the ways, then "joint" with the certificates."""
        judge = self.joint.judge or Reading("joint", "")
        last = judge.as_json() | {"way": "joint", "says": " ".join(self.joint.says)}
        last |= {"judge": self.joint.judge.way if self.joint.judge is not None else None}
        last |= {"agreeing": list(self.joint.agreeing), "differing": list(self.joint.differing)}
        last |= {"certificates": [one.as_json() for one in self.effects]}
        return [*(one.as_json() for one in self.readings), last]


def clock(
    target: str,
    *,
    ways: Iterable[str] | None = None,
    ports: Mapping[str, int] | None = None,
    starttls: str | None = None,
    server_name: str | None = None,
    user: str | None = None,
    password: str | None = None,
    certificates: Iterable[str | os.PathLike[str]] = (),
    certificate: str | os.PathLike[str] | None = None,
    key: str | os.PathLike[str] | None = None,
    ca_certificate: str | os.PathLike[str] | None = None,
    ca_key: str | os.PathLike[str] | None = None,
    passphrase: bytes | None = None,
    timeout: float = 5.0,
) -> Readings:
    """Ask the device at ``target`` ("HOST" or "HOST:PORT") for its clock by every way, or by ``ways`` alone.

    ``ports`` are those of single ways. ``user`` and ``password`` are of an account for Redfish and IPMI.
    ``certificates`` are files whose certificates the skew is held against. ``ca_certificate`` and ``ca_key`` let the
    device be asked with certificates of chosen dates, made like ``certificate``. ``timeout`` is for each answer, in
    seconds.

    Raises :class:`UsageError` for a target, way or port that there is not, and :class:`CaptureError` for a file that
    cannot be read. What the device answers raises nothing: each reading says it.
    """
    files = [os.fspath(path) for path in certificates]
    shown = [(path, read_chain(path)) for path in files]
    named = [None if one is None else os.fspath(one) for one in (certificate, key, ca_certificate, ca_key)]
    material = load_material(when(time.time_ns()), named[0], named[1], (), named[2], named[3], lambda _: passphrase)
    login = None if user is None else Login(user, password or "")
    device = device_at(target, ports or {}, starttls, server_name, login, material)
    return held_together(device, ask_each(device, chosen(ways), Manners(timeout=timeout)), shown)


def device_at(
    target: str,
    ports: Mapping[str, int],
    starttls: str | None = None,
    server_name: str | None = None,
    login: Login | None = None,
    material: Material | None = None,
) -> Device:
    """Return the device written as ``HOST``, ``HOST:PORT`` or ``[IPv6]:PORT``. Raises :class:`UsageError`."""
    if starttls is not None:
        protocol_named(starttls)
    for way, number in ports.items():
        chosen([way])
        if not FIRST <= number <= LAST:
            raise UsageError(f"port {number} does not exist", way, "ports go from 1 to 65535")
    host, port = _parted(target.strip())
    return Device(host, port, dict(ports), starttls, server_name, login, material)


def _parted(target: str) -> tuple[str, int | None]:
    """Return a host and the port behind it, if any; an IPv6 address alone needs no brackets."""
    inside = target[1:-1] if target.startswith("[") and target.endswith("]") else target
    with suppress(ValueError):
        return str(IPv6Address(inside)), None
    if ":" not in target:
        return Target.parse(f"{target}:{LAST}").host, None
    found = Target.parse(target)
    return found.host, found.port


def chosen(ways: Iterable[str] | None) -> tuple[str, ...]:
    """Return the ways that were asked for, in the order of :data:`WAYS`. Raises :class:`UsageError`."""
    if ways is None:
        return tuple(WAYS)
    asked = [ways] if isinstance(ways, str) else list(ways)
    unknown = next((one for one in asked if one not in WAYS), None)
    if unknown is not None:
        raise UsageError("there is no such way", unknown, f"the ways are {', '.join(WAYS)}")
    return tuple(way for way in WAYS if way in asked)


def ask_each(device: Device, ways: Iterable[str], manners: Manners | None = None) -> Iterator[Reading]:
    """Ask each way in turn, and yield what it says; bisection begins where the ways before it ended."""
    readings: list[Reading] = []
    for way in ways:
        readings.append(_asked(device, way, manners or Manners(), readings))
        yield readings[-1]


def held_together(
    device: Device, readings: Iterable[Reading], shown: Iterable[tuple[str, Sequence[Certificate]]] = ()
) -> Readings:
    """Return what readings come to, also where not all ways could be asked."""
    found = tuple(readings)
    together = joint(found)
    return Readings(str(device), found, together, effects(shown, together.judge, time.time_ns()))


def _asked(device: Device, way: str, manners: Manners, before: Sequence[Reading]) -> Reading:
    ports = device.ports_of(way)
    if way in ("https", "http"):
        places = [Place(device.host, port, way == "https", device.server_name) for port in ports]
        return http_date.by_date(way, places, manners)
    if way == "redfish":
        return redfish.by_redfish(Place(device.host, ports[0], True, device.server_name), device.login, manners)
    if way == "ipmi":
        return ipmi.by_ipmi(device.host, ports[0], device.login, manners)
    if way == "ntp":
        return ntp.by_ntp(device.host, ports[0], manners)
    target = Target(device.host, ports[0], device.starttls, device.server_name)
    if way == "random":
        return server_hello.by_random(target, manners)
    if device.material is None or device.material.ca is None:
        return not_asked(way, by_its_certificates.NEEDS)
    now = time.time_ns()
    guesses = [when(now + round(skew * 1e9)) for one in before if (skew := one.skew_seconds) is not None]
    return by_its_certificates.by_certificates(target, device.material, guesses[:3], manners)
