"""The protected records of a whole connection, opened in their order as far as the secrets at hand allow.

Feed a :class:`Decryptor` every record, or the plain handshake messages and the protected records; it follows hellos,
change_cipher_spec, Finished, KeyUpdate and renegotiations by itself. Each direction needs only its own secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from tlsalert.model import Side
from tlsalert.secrets.direction import Direction12, Direction13, Failure, Plaintext, Record
from tlsalert.secrets.handshake import END_OF_EARLY_DATA, FINISHED, KEY_UPDATE, Handshake
from tlsalert.secrets.keyring import Keyring

__all__ = ["Decryptor", "Failure", "Plaintext", "Record", "decrypt"]

CHANGE_CIPHER_SPEC, HANDSHAKE, APPLICATION_DATA = 20, 22, 23
#: A longer handshake message is not put together.
MAX_MESSAGE: Final = 1 << 20


def decrypt(records: Iterable[Record], keyring: Keyring) -> Iterator[Plaintext | Failure]:
    """Open the protected records among ``records``, all those of one connection in the order they were seen."""
    decryptor = Decryptor(keyring)
    for record in records:
        if (told := decryptor.feed(record)) is not None:
            yield told


class Decryptor:
    """Opens one connection's records as they come in."""

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring
        self.handshake = Handshake()
        self._old: dict[Side, Direction12] = {}
        self._new: dict[Side, Direction13] = {}
        self._parts: dict[Side, bytes] = {"client": b"", "server": b""}
        self._unsure: set[Side] = set()
        self._failures: dict[tuple[str, Side, str], Failure] = {}

    @property
    def failures(self) -> list[Failure]:
        """The first failure of each kind, side and epoch; records that were merely not kept are none."""
        return list(self._failures.values())

    def feed(self, record: Record) -> Plaintext | Failure | None:
        """Take the next record of either side. Return what was in it, or why it stays shut; None if it was in clear."""
        told = self._open(record)
        if isinstance(told, Plaintext):
            self._follow(told)
        elif told is not None:
            self._missed(told)
        return told

    def message(self, side: Side, message: bytes) -> None:
        """Take a handshake message that was sent in clear, with its header of four bytes."""
        if len(message) < 4:
            return
        if self.handshake.begins_anew(message[0]):
            self.handshake = Handshake()
        self.handshake.take(side, message)

    def sslv2_hello(self, message: bytes) -> None:
        """Take a ClientHello in SSLv2's form, from its type on: old clients begin TLS with it (RFC 5246 App. E.2)."""
        self.handshake.take_sslv2(message)

    def change_cipher_spec(self, side: Side) -> None:
        """Take a change_cipher_spec that was sent in clear. TLS 1.3's has no meaning, RFC 8446 §5."""
        if not self.handshake.tls13:
            self._unsure.discard(side)
            self._old_side(side).change(self.handshake)

    def gap(self, side: Side, missing: int | None = None) -> None:
        """Take note that ``missing`` bytes of this side were not captured; None where nobody knows how many."""
        self._parts[side] = b""
        self.handshake.miss()
        if self.handshake.tls13:
            self._new_side(side).gap(missing)
        else:
            self._unsure.add(side)
            self._old_side(side).gap(missing)

    def _old_side(self, side: Side) -> Direction12:
        return self._old.setdefault(side, Direction12(side, self.keyring))

    def _new_side(self, side: Side) -> Direction13:
        return self._new.setdefault(side, Direction13(side, self.keyring))

    def _open(self, record: Record) -> Plaintext | Failure | None:
        side = record.side
        if side in self._unsure and (told := self._after_a_lost_change(record)) is not None:
            return told
        if (old := self._old.get(side)) is not None and old.protected:
            return old.open(record)
        if record.content_type == APPLICATION_DATA and (self.handshake.tls13 or not self.handshake.version):
            new = self._new.get(side) or self._new_side(side)
            return new.open(record, self.handshake)
        if record.content_type == APPLICATION_DATA:
            says = "the change_cipher_spec was not captured, and the record does not open"
            return self._after_a_lost_change(record) or self._old_side(side).failed(record, "no_state", "0", says)
        if record.content_type == CHANGE_CIPHER_SPEC:
            self.change_cipher_spec(side)
        elif record.content_type == HANDSHAKE:
            self._in_clear(record)
        return None

    def _after_a_lost_change(self, record: Record) -> Plaintext | None:
        """Open a record behind a gap that may have swallowed a change_cipher_spec."""
        side, handshake = record.side, self.handshake
        old = self._old_side(side)
        if handshake.tls13 or handshake.server_random is None or old.under(handshake) or record.fragment is None:
            return None
        if (found := old.tried(record, handshake)) is None:
            return None
        self._old[side], told = found
        self._unsure.discard(side)
        return told

    def _in_clear(self, record: Record) -> None:
        if record.fragment is None:
            self._parts[record.side] = b""
            self.handshake.miss()
        else:
            self._join(record.side, record.fragment)

    def _follow(self, plain: Plaintext) -> None:
        """Learn from what was inside."""
        if plain.content_type == HANDSHAKE:
            self._join(plain.side, plain.data)
        elif plain.content_type == CHANGE_CIPHER_SPEC and plain.side in self._old:
            self._old[plain.side].change(self.handshake)

    def _missed(self, failure: Failure) -> None:
        self._parts[failure.side] = b""
        if failure.kind != "not_kept":
            self._failures.setdefault((failure.kind, failure.side, failure.epoch), failure)

    def _join(self, side: Side, data: bytes) -> None:
        """Put handshake messages together, which may begin and end anywhere in records."""
        data = self._parts[side] + data
        at = 0
        while len(data) - at >= 4:
            end = at + 4 + int.from_bytes(data[at + 1 : at + 4], "big")
            if end - at > MAX_MESSAGE:
                data, at = b"", 0
                self.handshake.miss()
                break
            if end > len(data):
                break
            self._message(side, data[at:end])
            at = end
        self._parts[side] = data[at:]

    def _message(self, side: Side, message: bytes) -> None:
        self.message(side, message)
        direction, kind = self._new.get(side), message[0]
        if direction is None or not self.handshake.tls13:
            return
        if kind == FINISHED:
            direction.finished()
        elif kind == END_OF_EARLY_DATA:
            direction.end_of_early_data()
        elif kind == KEY_UPDATE:
            direction.update(self.handshake)
