"""The record layer of a client: bytes to records and back, RFC 8446 §5, RFC 5246 §6.2, RFC 6101 §5.2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from tlsalert.replay.sealing import Sealer
from tlsalert.secrets.protection import RecordOpener

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT = 20, 21, 22, 23, 24
CONTENT_TYPES: Final = frozenset((CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT))
#: The largest plaintext of a record, RFC 5246 §6.2.1, and the largest fragment, §6.2.3.
PLAINTEXT: Final = 1 << 14
FRAGMENT: Final = PLAINTEXT + 2048
HEADER: Final = 5


class Record(NamedTuple):
    """One record as it came."""

    content_type: int
    version: int
    fragment: bytes


class NotTls(ValueError):  # noqa: N818
    """What came is no record; ``data`` is how it begins."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


class TooLong(ValueError):  # noqa: N818
    """A record claims more than a record can hold."""


class RecordReader:
    """Cuts a server's bytes into records, and opens them under the keys that are due.

    ``opener`` None means that they are in clear; ``earlier`` are the keys before those, for alerts that some TLS 1.3
    servers send under them (Mbed TLS 3.5, Erlang/OTP).
    """

    def __init__(self) -> None:
        self.opener: RecordOpener | None = None
        self.earlier: RecordOpener | None = None
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._data += data

    @property
    def waiting(self) -> bytes:
        """The beginning of a record that has not come whole."""
        return bytes(self._data[:64])

    def records(self) -> Iterator[Record]:
        """Give each whole record in turn. Raises :class:`NotTls` and :class:`TooLong`."""
        while len(self._data) >= HEADER:
            head = self._data[:HEADER]
            length = head[3] << 8 | head[4]
            if head[0] not in CONTENT_TYPES or head[1] != 3:
                raise NotTls(self.waiting)
            if length > FRAGMENT:
                raise TooLong(f"a record claims {length} bytes")
            if len(self._data) < HEADER + length:
                return
            fragment = bytes(self._data[HEADER : HEADER + length])
            del self._data[: HEADER + length]
            yield Record(head[0], head[1] << 8 | head[2], fragment)
        if self._data and self._data[0] not in CONTENT_TYPES:
            raise NotTls(self.waiting)

    def open(self, record: Record) -> tuple[int, bytes] | str:
        """Return content type and content of a record, or why it cannot be opened."""
        if self.opener is None or (self.opener.suite.tls13 and record.content_type != APPLICATION_DATA):
            return record.content_type, record.fragment
        opened = self.opener.open(record.content_type, record.version, record.fragment)
        if isinstance(opened, str) and self.earlier is not None:
            before = self.earlier.open(record.content_type, record.version, record.fragment)
            if not isinstance(before, str) and before.content_type == ALERT:
                return ALERT, before.data
        return opened if isinstance(opened, str) else (opened.content_type, opened.data)


class RecordWriter:
    """Makes records of what the client says. ``limit`` is the most content that one may hold."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.sealer: Sealer | None = None
        self.limit = PLAINTEXT

    def write(self, content_type: int, content: bytes) -> bytes:
        """Return ``content`` in as many records as it takes."""
        pieces = [content[at : at + self.limit] for at in range(0, len(content), self.limit)] or [b""]
        return b"".join(self._one(content_type, piece) for piece in pieces)

    def _one(self, content_type: int, content: bytes) -> bytes:
        if self.sealer is not None:
            content_type, content = self.sealer.seal(content_type, content)
        return bytes((content_type,)) + self.version.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content
