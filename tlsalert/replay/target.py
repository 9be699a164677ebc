"""Whom to ask, and how much may come of it: addresses, and the limits that every read keeps to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from tlsalert.errors import UsageError

#: ``host:port`` or ``[v6]:port``.
_WRITTEN: Final = re.compile(r"\A(?:\[([^\[\]]+)\]|([^\[\]:/\s]+)):([0-9]{1,5})\Z")
_LARGEST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Target:
    """A server. ``starttls`` names the protocol in which TLS is asked for, ``server_name`` goes into SNI.

    ``through`` is the proxy (host, port) that is connected to in place of the server, for "http-connect", "socks4" and
    "socks5"; without one the server itself is taken for the proxy.
    """

    host: str
    port: int
    starttls: str | None = None
    server_name: str | None = None
    through: tuple[str, int] | None = None

    @classmethod
    def parse(cls, text: str, *, starttls: str | None = None, server_name: str | None = None) -> Self:
        """Return the target written as ``HOST:PORT`` or ``[IPv6]:PORT``. Raises :class:`UsageError`."""
        found = _WRITTEN.match(text.strip())
        if found is None:
            raise UsageError("is no address of a server", text, "write HOST:PORT, or [ADDRESS]:PORT for IPv6")
        port = int(found[3])
        if not 0 < port <= _LARGEST_PORT:
            raise UsageError(f"port {port} does not exist", text, "ports go from 1 to 65535")
        return cls(found[1] or found[2], port, starttls, server_name)

    @property
    def place(self) -> tuple[str, int]:
        """The host and port to which TCP connects."""
        return self.through or (self.host, self.port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is waited (in seconds) and how much is taken.

    ``connect`` is for the TCP connection, ``read`` for the next byte of the server while something is due, ``total``
    for the whole try. ``linger`` is how long a TLS 1.3 server may stay silent after the client's flight before that
    counts as acceptance, and how long an answer to a request may pause; ``settle`` is waited after a proof of
    acceptance, for a server that closes at once after it (Node.js looks at the certificate only then).
    ``bytes``, ``records`` and ``messages`` are the most that is taken from the server, ``message`` is the longest
    handshake message.
    """

    connect: float = 10.0
    read: float = 10.0
    total: float = 60.0
    linger: float = 1.0
    settle: float = 0.02
    bytes: int = 4 << 20
    records: int = 20_000
    messages: int = 1_000
    message: int = 1 << 20
