"""The comparison of whole captures with what Wireshark sees in them, and the report of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import TextIO

from tlsalert.counted import counted
from tlsalert.cross_check.differences import Difference, differences
from tlsalert.cross_check.seen import streams_of
from tlsalert.errors import CaptureError
from tlsalert.model import Connection
from tlsalert.render.style import escape
from tlsalert.sources.files import ByteSource

#: Differences of one capture that are shown one by one.
MOST = 100


class Check:
    """Takes connections of one capture or several; :meth:`report` says how Wireshark sees them.

    ``keylogs`` decrypt for Wireshark what was decrypted for tlsalert.
    """

    def __init__(self, keylogs: Sequence[str] = ()) -> None:
        self._keylogs = keylogs
        self._connections: dict[str, list[Connection]] = defaultdict(list)

    def add(self, source: str) -> None:
        """Compare this capture too, though no connection of it may come."""
        self._connections.setdefault(source, [])

    def take(self, connection: Connection) -> None:
        """Take a connection."""
        self._connections[connection.source].append(connection)

    def report(self, out: TextIO) -> bool:
        """Write what differs, one line each; say whether there is something of which nobody knows why.

        Raises :class:`tlsalert.errors.UsageError` where pyshark or tshark is missing, and
        :class:`tlsalert.errors.CaptureError` where the capture came through a pipe.
        """
        with _joined(self._keylogs) as keylog:
            return self._report(out, keylog)

    def _report(self, out: TextIO, keylog: str | None) -> bool:
        odd = False
        for source, connections in self._connections.items():
            if source == "-":
                raise CaptureError("Wireshark reads the capture once more", source, "save the pipe to a file")
            ports = {c.server.port for c in connections if c.server is not None and c.protocol is None}
            streams, complaint = streams_of(source, ports, keylog)
            found = list(differences(streams, connections))
            unknown = [one for one in found if one.reason is None]
            odd = odd or bool(unknown)
            compared = sum(1 for one in streams if one.messages or one.alerts)
            said = f"{counted(compared, 'stream')} with TLS in Wireshark, {counted(len(unknown), 'difference')}"
            out.write(f"{escape(source)}: {said}, {len(found) - len(unknown)} more that are known\n")
            if complaint is not None:
                out.write(f"  tshark complains: {escape(complaint)}\n")
            for one in unknown[:MOST]:
                out.write(f"  {_told(one)}\n")
            if len(unknown) > MOST:
                out.write(f"  … {len(unknown) - MOST} more\n")
            for reason, many in Counter(one.reason for one in found if one.reason is not None).items():
                out.write(f"  known ({many}): {reason}\n")
        return odd


@contextmanager
def _joined(keylogs: Sequence[str]) -> Iterator[str | None]:
    """Give one key log of all, as Wireshark takes but one. It goes afterwards, and nobody else can read it."""
    if len(keylogs) < 2:
        yield next(iter(keylogs), None)
        return
    with NamedTemporaryFile(suffix=".keys") as file:
        for path in keylogs:
            with ByteSource(path) as source:
                file.writelines(source.chunks())
            file.write(b"\n")
        file.flush()
        yield file.name


def _told(one: Difference) -> str:
    ours = "no connection" if one.connection is None else f"#{one.connection}"
    said = f"Wireshark says {one.wireshark}, tlsalert {one.tlsalert}"
    return escape(f"tcp.stream {one.stream}, {ours}: {one.figure}: {said}")
