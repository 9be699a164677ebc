"""Connections as they happen: what passes on an interface, or through a forwarder, is read like a capture."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime

from tlsalert.given import Given, given
from tlsalert.model import Connection
from tlsalert.packet_reader import Reader
from tlsalert.secrets.opening import OpenWith, open_with
from tlsalert.sources.live import LiveSource, listen
from tlsalert.sources.tapped import TapSource
from tlsalert.telling import Wanted


def reader_of(
    source: LiveSource | TapSource,
    wanted: Wanted = "all",
    secrets: OpenWith | None = None,
    given: Given | None = None,
) -> Reader:
    """Return what reads the connections of a source as they end. Its summary is whole when the source has stopped."""
    return Reader(source.name, wanted, secrets, given, source)


def live(
    interface: str | Sequence[str],
    *,
    bpf: str | None = None,
    only: Wanted = "all",
    duration: float | None = None,
    count: int | None = None,
    keylog: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    server_clock: str | datetime | None = None,
    client_cert: str | os.PathLike[str] | None = None,
) -> Iterator[Connection]:
    """Listen on an interface, on several, or on all ("any"), and give each connection as soon as it has ended.

        for connection in tlsalert.live("eth0", only="failed"):
            print(connection.verdict.summary)

    ``bpf`` is a filter in libpcap's language, ``only`` says which connections are given: "all", "failed", "alerts".
    It ends after ``duration`` seconds (what is open then is given as it stands) or with connection number ``count``.
    The files in ``keylog`` may grow while it listens. ``server_clock`` and ``client_cert`` are those of
    :func:`tlsalert.read`.

    Listening begins at once, and ends when the iterator is closed or forgotten.

    Raises :class:`tlsalert.errors.CaptureError` where there is no such interface or no right to listen on it, and
    :class:`tlsalert.errors.UsageError` where the filter is none.
    """
    logs = [keylog] if isinstance(keylog, str | os.PathLike) else list(keylog or ())
    secrets = open_with(logs) if logs else None
    facts = given(server_clock, client_cert)
    source = listen([interface] if isinstance(interface, str) else interface, bpf)
    return _given(source, reader_of(source, only, secrets, facts), duration, count)


def _given(source: LiveSource, reader: Reader, duration: float | None, count: int | None) -> Iterator[Connection]:
    with contextlib.closing(source), stopping_after(source, duration):
        left = count
        for connection in reader:
            yield connection
            if left is not None:
                left -= 1
                if left <= 0:
                    return


@contextlib.contextmanager
def stopping_after(source: LiveSource | TapSource, seconds: float | None) -> Iterator[None]:
    """Stop a source after so many seconds; None: never."""
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, source.stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
