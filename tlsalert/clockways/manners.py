"""How a device is asked: one target, few requests, a limit on everything that it may answer with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tlsalert.replay.target import Limits


@dataclass(frozen=True, slots=True)
class Login:
    """An account of the device. The password stays out of logs and tracebacks."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.user!r})"


@dataclass(frozen=True, slots=True)
class Manners:
    """How long is waited, and how often is asked.

    ``timeout`` is for a connection and for each whole answer, in seconds; ``samples`` how often a way is asked,
    ``pause`` seconds apart, so that the answers fall on different parts of a second and span more than two.
    """

    timeout: float = 5.0
    samples: int = 4
    pause: float = 0.73
    rest: Callable[[float], None] = time.sleep

    @property
    def limits(self) -> Limits:
        """The same for a handshake of the replay's client."""
        return Limits(
            connect=self.timeout,
            read=self.timeout,
            total=3 * self.timeout,
            linger=min(1.0, self.timeout),
            bytes=1 << 20,
        )


def port_said(host: str, port: int) -> str:
    """Return an address as it is written."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def why(error: OSError | ValueError) -> str:
    """Return why there is no connection, in a few words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, ValueError):
        return "the name of the host is none"
    return (error.strerror or str(error)).lower()
