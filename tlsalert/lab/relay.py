"""Forwards connections to a real server and tells what passed on each, as a running device tells of its own."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, cast

from tlsalert.errors import UsageError
from tlsalert.lab.line import Limits
from tlsalert.lab.served import Happened, Recording, Served
from tlsalert.lab.tape import Tape
from tlsalert.model import Connection, Side
from tlsalert.recorder import Address
from tlsalert.sources.forwarder import Forwarder, Place

#: What a client is told by that has no address.
_NOBODY: Address = ("127.0.0.1", 0)


class Relay:
    """Listens on ``address`` and forwards to ``target``. Leaving its ``with`` block stops it.

    What happened is read from the bytes, as ``tlsalert read`` reads a capture. The key log stays empty: the secrets
    are the server's.
    """

    def __init__(
        self,
        target: Address,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        limits: Limits | None = None,
        record: Path | None = None,
        told: Callable[[Served], None] | None = None,
    ) -> None:
        self.counts: Counter[Happened] = Counter()
        self._told = told
        self._lock = threading.Lock()
        self._tapes: dict[int, tuple[Tape, Address]] = {}
        limits = limits or Limits()
        self._forwarder = Forwarder((host, port), target, self, limits.idle, limits.total)
        self._tellers = ThreadPoolExecutor(4, "lab relay")  # to read a connection takes longer than to pass it on
        try:
            self._recording = None if record is None else Recording(record)
        except UsageError:
            self._forwarder.stop()
            raise

    @property
    def address(self) -> Address:
        """Where to connect to."""
        return cast("Address", self._forwarder.address)

    def start(self) -> Self:
        """Begin to forward."""
        self._forwarder.start()
        return self

    def stop(self) -> None:
        """Stop listening, and end the connections that are open."""
        self._forwarder.stop()
        self._tellers.shutdown()
        recording, self._recording = self._recording, None
        if recording is not None:
            recording.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- what the forwarder tells

    def opened(self, number: int, client: Place | None, server: Place | None) -> None:
        """Begin a connection's tape."""
        self._tapes[number] = (Tape(), client if isinstance(client, tuple) else _NOBODY)

    def said(self, number: int, side: Side, data: bytes) -> None:
        """Take note of bytes."""
        self._tapes[number][0].note(side, data)

    def ended(self, number: int, side: Side, how: Literal["fin", "rst"]) -> None:
        """Take note of a FIN or a RST."""
        self._tapes[number][0].note(side, how)

    def closed(self, number: int) -> None:
        """Tell of a connection that has ended."""
        self._tellers.submit(self._tell, number, *self._tapes.pop(number))

    def unreachable(self, number: int, client: Place | None, says: str) -> None:
        """Tell of a connection that came to nothing."""
        self._tellers.submit(self._tell, number, Tape(), client if isinstance(client, tuple) else _NOBODY)

    def _tell(self, number: int, tape: Tape, peer: Address) -> None:
        served = self._told_of(tape, peer, number)
        with self._lock:
            self.counts[served.happened] += 1
        if self._told is not None:
            self._told(served)

    def _told_of(self, tape: Tape, peer: Address, number: int) -> Served:
        left_out = ""
        if self._recording is not None:
            try:
                self._recording.keep(number, tape, peer, self.address, [])
            except OSError as error:
                left_out = f"; not recorded: {error.strerror}"
        connection = read_tape(tape, peer, self.address)
        if connection is None or connection.verdict is None:
            return Served(number, tape.start, peer, "left", f"no TLS passed{left_out}")
        happened, says = _happened(connection), connection.verdict.summary
        return Served(
            number,
            tape.start,
            peer,
            happened,
            ("" if happened == "accepted" else says) + left_out,
            connection.tls_version,
            connection.cipher_suite,
            alert_sent=_code(connection, "server"),
            alert_received=_code(connection, "client"),
        )


def read_tape(tape: Tape, client: Address, server: Address) -> Connection | None:
    """Return what ``tlsalert read`` makes of a tape; None where no TLS passed."""
    from tlsalert.capture import read

    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(tape.pcap(client, server))
        file.flush()
        return next(iter(read(file.name)), None)


def _happened(connection: Connection) -> Happened:
    verdict = connection.verdict
    if verdict is None or verdict.outcome == "not_tls":
        return "no_tls"
    if verdict.outcome == "established":
        return "accepted"
    if verdict.outcome == "incomplete":
        return "left"
    return "client_refused" if verdict.refused_by == "client" else "refused"


def _code(connection: Connection, side: Side) -> int | None:
    return next((alert.code for alert in connection.alerts if alert.fatal and alert.sender == side), None)
