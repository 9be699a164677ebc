"""What a client needs of a ClientHello: that it can be made afresh, and answered to.

:class:`tlsalert.replay.hello.Hello` is all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Protocol


class KeyShare(Protocol):
    """The client's half of a key exchange in TLS 1.3, RFC 8446 §4.2.8."""

    def shared(self, peer: bytes, /) -> bytes:
        """Return the secret shared with ``peer``. Raises ValueError where that is no share of the group."""


class FreshHello(Protocol):
    """A ClientHello that is about to be sent: the message with its header of 4 bytes, and its records."""

    @property
    def message(self) -> bytes:
        """The handshake message."""

    @property
    def records(self) -> tuple[bytes, ...]:
        """The same in records, cut as they were once seen."""

    @property
    def shares(self) -> Mapping[int, KeyShare]:
        """The key shares in it, by their groups."""

    def retry(self, server_hello: bytes, /) -> FreshHello:
        """Return the answer to a HelloRetryRequest (a message with its header), RFC 8446 §4.1.2.

        Raises :class:`~tlsalert.errors.TlsalertError` where it is not allowed, or asks for what cannot be done.
        """


class Hello(Protocol):
    """A ClientHello that can be sent any number of times."""

    def for_version(self, version: str, /) -> Hello:
        """Return it narrowed to one version."""

    def fresh(self, random: Random | None = None, server_name: str | None = None) -> FreshHello:
        """Return it with all fresh that must be."""
