"""TLS servers for tests of the client: a device of the lab, or any function, behind a socket on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from tlsalert.lab import device as lab
from tlsalert.lab.certificates import Identity, issued, self_signed
from tlsalert.lab.device import Device
from tlsalert.pki.presentation import Presentation
from tlsalert.replay.target import Limits, Target

NOW = datetime.now(UTC).replace(microsecond=0)
BEFORE, AFTER = NOW - timedelta(days=30), NOW + timedelta(days=365)
#: Short enough for tests, long enough for a machine that is busy.
QUICK = Limits(connect=5, read=5, total=20, linger=1, settle=0.02)

Serve = Callable[[socket.socket], None]


def shown(identity: Identity) -> Presentation:
    """What a client that owns ``identity`` presents."""
    chain = (identity.certificate, *identity.chain)
    return Presentation(tuple(one.public_bytes(Encoding.DER) for one in chain), identity.key)


def authority() -> Identity:
    return self_signed("CN=replay CA", BEFORE, AFTER)


def leaf(issuer: Identity, subject: str = "CN=client") -> Identity:
    return issued(subject, issuer, BEFORE, AFTER, usage=("client",))


@contextlib.contextmanager
def listening(serve: Serve) -> Iterator[Target]:
    """Let ``serve`` handle each connection in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threads: list[threading.Thread] = []

        def accept() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                thread = threading.Thread(target=handled, args=(peer,), daemon=True)
                threads.append(thread)
                thread.start()

        def handled(peer: socket.socket) -> None:
            with peer, contextlib.suppress(OSError, SSL.Error):
                peer.settimeout(10)
                serve(peer)

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield Target("127.0.0.1", server.getsockname()[1])
        finally:
            server.shutdown(socket.SHUT_RDWR)
            accepting.join(5)
            for thread in threads:
                thread.join(10)


def serving(made: Device) -> SSL.Connection:
    """A device's end of one connection, in memory."""
    return lab._server(made)


def device(made: Device, after: Callable[[SSL.Connection], None] | None = None) -> Serve:
    """Serve as a device of the lab; ``after`` is what it does when the handshake is over."""

    def serve(peer: socket.socket) -> None:
        connection = serving(made)
        pump(connection, peer, connection.do_handshake)
        if after is not None:
            after(connection)
            _flush(connection, peer)
        with contextlib.suppress(SSL.ZeroReturnError):
            while True:
                pump(connection, peer, lambda: connection.recv(65536))

    return serve


def _flush(connection: SSL.Connection, peer: socket.socket) -> None:
    with contextlib.suppress(SSL.WantReadError):
        while True:
            peer.sendall(connection.bio_read(65536))


def pump(connection: SSL.Connection, peer: socket.socket, step: Callable[[], object]) -> None:
    while True:
        try:
            step()
        except SSL.WantReadError:
            _flush(connection, peer)
            data = peer.recv(65536)
            if not data:
                raise ConnectionError("the client is gone") from None
            connection.bio_write(data)
        except SSL.Error:
            _flush(connection, peer)
            raise
        else:
            _flush(connection, peer)
            return
