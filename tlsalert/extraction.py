"""Writes the packets of a few connections to a capture of their own, with the secrets that open them or without any."""

from __future__ import annotations

from collections.abc import Iterator

from tlsalert.bits import Bits
from tlsalert.counted import counted
from tlsalert.model import Connection
from tlsalert.private_file import PrivateFile
from tlsalert.secrets.opening import OpenWith
from tlsalert.sources.blocks import INTERFACE, SECTION, Blocks, key_log, unmeasured
from tlsalert.sources.files import ByteSource
from tlsalert.tracing import frames_of

#: Bytes of key log in one block of secrets: readers have limits on blocks.
SECRETS_AT_ONCE = 1 << 20


class Extraction:
    """Takes the connections that are chosen; :meth:`write` writes their packets to ``path``.

    Section headers, interface descriptions and the packets with their options are kept as they are. All other
    blocks are left out: they tell of other connections (names, statistics, secrets). ``with_secrets`` adds a block
    with the secrets of the chosen connections, and of no others.
    """

    def __init__(self, path: str, with_secrets: bool = False) -> None:
        self._path = path
        self._with_secrets = with_secrets
        self._flows = Bits()
        self._randoms: set[bytes] = set()
        self._chosen = 0

    def take(self, connection: Connection, flow: int) -> None:
        """Choose a connection, and the number of its flow: see :attr:`tlsalert.packet_reader.Reader.flow`."""
        self._flows.add(flow)
        self._chosen += 1
        if self._with_secrets and connection.client_hello is not None:
            self._randoms.add(connection.client_hello.random)

    def write(self, source: str, secrets: OpenWith | None) -> Iterator[str]:
        """Read the capture ``source`` again and write what was chosen; yield what is to be said about it.

        Raises :class:`tlsalert.errors.CaptureError` where it cannot be read, or ``path`` not be written.
        """
        with ByteSource(source) as evidence:
            frames = frames_of(evidence.chunks(), self._flows)
        lines = list(self._key_log(secrets)) if self._with_secrets else []
        dropped = 0
        with ByteSource(source) as evidence, PrivateFile(self._path) as out:
            first = True
            for block in Blocks(evidence.chunks(), frames):
                if block.kind in (SECTION, INTERFACE) or block.frame in frames:
                    out.write(unmeasured(block).data)
                    if first and lines:
                        for text in _batches(lines):
                            out.write(key_log(text, block.order).data)
                    first = False
                else:
                    dropped += 0 if block.frame else 1
        yield f"{self._path}: {counted(len(frames), 'packet')} of {counted(self._chosen, 'connection')}" + (
            f", with {counted(len(lines), 'secret')}" if lines else ""
        )
        if dropped:
            yield f"{self._path}: left out: {counted(dropped, 'block')} with names, statistics, secrets and the like"
        if self._with_secrets and not lines:
            yield f"{self._path}: no secrets of these connections are known"

    def _key_log(self, secrets: OpenWith | None) -> Iterator[bytes]:
        """Go through the lines of the key log that opens the chosen connections."""
        if secrets is None:
            return
        keyring = secrets.keyring
        known = [*keyring.keylog.entries(), *keyring.derived]
        for label, random, secret in dict.fromkeys(known):
            if random in self._randoms:
                yield b"%s %s %s\n" % (label.encode(), random.hex().encode(), bytes(secret).hex().encode())


def _batches(lines: list[bytes]) -> Iterator[bytes]:
    text = b""
    for line in lines:
        if len(text) + len(line) > SECRETS_AT_ONCE:
            yield text
            text = b""
        text += line
    yield text
