"""Texts as programs print them, made in tests: dumps of bytes, and handshakes of the lab's device."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from pathlib import Path

import pytest

import tlsalert
from tlsalert.model import Connection

NOT_BEFORE = datetime(2016, 5, 19, 9, 46, 36, tzinfo=UTC)
NOT_AFTER = datetime(2026, 5, 17, 9, 46, 36, tzinfo=UTC)


def bio_dump(data: bytes, trim: bool = False) -> str:
    """Return a dump as OpenSSL's BIO_dump prints it; with ``trim`` as it did before 1.1.0."""
    shown = data.rstrip(b" \0") if trim else data
    rows = []
    for at in range(0, len(shown), 16):
        row = shown[at : at + 16]
        pairs = "".join(f"{byte:02x}{'-' if place == 7 else ' '}" for place, byte in enumerate(row))
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        rows.append(f"{at:04x} - {pairs:<48}  {text}")
    if len(shown) < len(data):
        rows.append(f"{len(data):04x} - <SPACES/NULS>")
    return "\n".join(rows)


def debug(own: bool, data: bytes, trim: bool = False) -> str:
    """Return what -debug prints of one read or write."""
    size = len(data)
    verb = "write to" if own else "read from"
    return f"{verb} 0x55f0 [0x55f1] ({size} bytes => {size} (0x{size:X}))\n{bio_dump(data, trim)}\n"


def flights(clock: datetime, certificate: bool = True, version: str = "TLS 1.2") -> list[tuple[str, bytes]]:
    """Return who said what in a handshake with the device, whose clock says ``clock``."""
    return list(_flights(clock, certificate, version))


@functools.cache
def _flights(clock: datetime, certificate: bool, version: str) -> tuple[tuple[str, bytes], ...]:
    pytest.importorskip("OpenSSL", reason="needs the extra lab")
    from tlsalert.lab.certificates import self_signed
    from tlsalert.lab.device import Client, Device, handshake

    ipmi = self_signed("CN=IPMI,O=Example BMC Works,C=US", NOT_BEFORE, NOT_AFTER)
    bmc = self_signed("CN=bmc.example,O=Example BMC Works,C=US", NOT_BEFORE, NOT_AFTER, "p256")
    versions = (version, version)
    device = Device(bmc, trusted=(ipmi.certificate,), clock=clock, versions=versions)  # type: ignore[arg-type]
    client = Client(ipmi if certificate else None, versions=versions)  # type: ignore[arg-type]
    return tuple((side, bytes(flight)) for side, flight in handshake(device, client))


def read(folder: Path, text: str | bytes) -> list[Connection]:
    """Return the connections of a text."""
    path = folder / "session.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(tlsalert.read(path))


def said(connection: Connection) -> list[str]:
    """Return who said what, in order."""
    return [f"{one.sender} {one.message}" for one in connection.messages]


def alerts(connection: Connection) -> list[tuple[str, int | None]]:
    """Return who sent which alerts."""
    return [(one.sender, one.code) for one in connection.alerts]


def outcome(connection: Connection) -> tuple[str, str | None, str | None]:
    """Return how it ended, who refused, and why."""
    verdict = connection.verdict
    assert verdict is not None
    return verdict.outcome, verdict.refused_by, verdict.cause
