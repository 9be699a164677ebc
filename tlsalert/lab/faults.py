"""How a device can fail its clients: what it does in place of what TLS asks for, and at which moment.

A fault is written as ``NAME``, ``NAME:VALUE`` or either with ``@STAGE`` behind it: ``reset``, ``reset@hello``,
``alert:unknown_ca@certificate``, ``drip:0.2``.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal, Self, get_args

from tlsalert.errors import UsageError
from tlsalert.registry.alerts import AlertDescription

FaultName = Literal["reset", "close", "silence", "drip", "alert", "garbage", "plain", "huge-record"]
#: When it happens: as soon as the client has connected; in place of the answer to its ClientHello; in place of the
#: answer to what it sends after the server's hello (its certificate, where it shows one).
Stage = Literal["connect", "hello", "certificate"]

#: Each fault and what it does.
FAULTS: dict[FaultName, str] = {
    "reset": "resets the connection (RST); at the stage connect unless told otherwise",
    "close": "closes the connection (FIN) without an alert",
    "silence": "reads on and never answers",
    "drip": "answers rightly, one byte every VALUE seconds (0.05)",
    "alert": "sends the alert VALUE in clear (handshake_failure), by name or number, and closes",
    "garbage": "sends random bytes and closes",
    "plain": "answers with a page of plain HTTP, as a server does that speaks no TLS, and closes",
    "huge-record": "sends a record of 65,535 bytes, more than TLS allows (RFC 8446 §5.1), and closes",
}
STAGES: tuple[Stage, ...] = get_args(Stage)

DRIP_SECONDS = 0.05
GARBAGE_BYTES = 512
PAGE = b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nNo TLS here.\r\n"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: ``code`` is the alert's, ``seconds`` the pause between the bytes of ``drip``."""

    name: FaultName
    stage: Stage = "hello"
    code: int = int(AlertDescription.handshake_failure)
    seconds: float = DRIP_SECONDS

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a fault as the module's text says. Raises UsageError where there is no such fault."""
        rest, _, stage = text.partition("@")
        name, _, value = rest.partition(":")
        if name not in FAULTS:
            raise UsageError("there is no such fault", text, f"take one of {', '.join(FAULTS)}")
        if stage and stage not in STAGES:
            raise UsageError("there is no such stage", text, f"take one of {', '.join(STAGES)}")
        if value and name not in ("alert", "drip"):
            raise UsageError(f"{name} takes no value", text, "only alert and drip do")
        return cls(
            name,
            stage or ("connect" if name == "reset" else "hello"),
            _code(value, text) if name == "alert" and value else int(AlertDescription.handshake_failure),
            _seconds(value, text) if name == "drip" and value else DRIP_SECONDS,
        )

    def __str__(self) -> str:
        value = {"alert": f":{self.code}", "drip": f":{self.seconds:g}"}.get(self.name, "")
        return self.name + value + ("" if self.name == "drip" else f"@{self.stage}")

    def answer(self, version: int, seed: int) -> bytes:
        """Return the bytes that are sent in place of the right ones, if any. ``version`` is that of their record."""
        if self.name == "alert":  # RFC 8446 §6: level fatal (2)
            return b"\x15" + version.to_bytes(2, "big") + b"\0\2\2" + bytes([self.code])
        if self.name == "garbage":
            return Random(seed).randbytes(GARBAGE_BYTES)  # noqa: S311 - the same at each run, not secret
        if self.name == "plain":
            return PAGE
        if self.name == "huge-record":
            return b"\x16" + version.to_bytes(2, "big") + b"\xff\xff" + bytes(0xFFFF)
        return b""


def _code(value: str, text: str) -> int:
    if value.isascii() and value.isdigit() and int(value) < 256:
        return int(value)
    if value in AlertDescription.__members__:
        return int(AlertDescription[value])
    raise UsageError("there is no such alert", text, "give a number up to 255 or a name such as unknown_ca")


def _seconds(value: str, text: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 60:
        raise UsageError("that is no pause", text, "give 0 to 60 seconds")
    return seconds
