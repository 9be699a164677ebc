"""One direction of a connection under keys: which keys a record was protected with, and what was in it.

Up to TLS 1.2 a change_cipher_spec begins an epoch. In TLS 1.3 early, handshake and application keys follow each
other without a mark that can be seen from outside, and KeyUpdate changes the last ones: what decrypts tells.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from tlsalert.model import Side
from tlsalert.secrets.handshake import Handshake
from tlsalert.secrets.keylog import CLIENT_RANDOM
from tlsalert.secrets.keyring import TRAFFIC_LABELS, Found, Keyring
from tlsalert.secrets.protection import NOT_AUTHENTIC, Opened, RecordOpener, opener_for
from tlsalert.secrets.schedule import connection_keys, next_traffic_secret, traffic_keys
from tlsalert.secrets.suites import HASH_LENGTHS, Suite, suite_of

#: So many missing records are reckoned with when a record does not open under the next number.
MAX_SLACK: Final = 1024
#: What one direction may cost beyond the first try of each record, in tries of short records: a tenth of a second.
BUDGET: Final = 20_000
#: So many times as long as others take those ciphers that no library has.
SLOW: Final = 50

Kind = Literal["no_secret", "not_authentic", "unsupported", "no_hello", "not_kept", "no_state"]


class Record(Struct, frozen=True):
    """One record as it was seen. ``fragment`` is what follows its header, or None where only the ``length`` was kept.

    ``tail`` may hold the last bytes of a fragment that was not kept: 32 are enough for the next one's IV. Without a
    fragment it may stand for several ``records`` in a row, whose length and tail are those of all together.
    """

    side: Side
    content_type: int
    version: int
    length: int
    fragment: bytes | None
    frame: int = 0
    time: int = 0
    tail: bytes = b""
    records: int = 1


class Plaintext(Struct, frozen=True):
    """What was in a protected record.

    ``number`` counts the protected records of a side from 0, ``sequence`` those under the same keys. ``epoch`` names
    the keys: "early", "handshake", "application" in TLS 1.3, else "1" for those of the first handshake, "2" for those
    of a renegotiation … ``generation`` counts KeyUpdates. ``late`` marks a record under handshake keys though the
    traffic keys were due.
    """

    side: Side
    content_type: int
    data: bytes
    frame: int
    time: int
    number: int
    epoch: str
    sequence: int
    generation: int = 0
    padding: int = 0
    late: bool = False


class Failure(Struct, frozen=True):
    """A protected record that was not opened, and why. Its text is a sentence for the user."""

    kind: Kind
    side: Side
    frame: int
    number: int
    epoch: str
    says: str

    def __str__(self) -> str:
        return self.says


class Keys:
    """Keys that may be those of an epoch, each with its own state; the first one that opens a record is the one."""

    def __init__(self) -> None:
        self.candidates: list[tuple[RecordOpener, Found]] = []
        self.chosen = False
        self.slack = 0
        self.trouble: str | None = None
        self.seen_generation = -1
        self.suite: Suite | None = None

    @property
    def there(self) -> bool:
        """Whether there is anything to try."""
        return bool(self.candidates)

    def add(self, opener: RecordOpener | str, found: Found) -> None:
        """Add keys that may be the ones."""
        if isinstance(opener, str):
            self.trouble = opener
            return
        if self.slack:
            opener.lose()
        self.candidates.append((opener, found))

    def open(self, record: Record, fragment: bytes, budget: Budget, lost: int | None = None) -> Opened | str | None:
        """Open a record; None where there are no keys, else the reason why none of them opens it."""
        reason: str | None = None
        count = len(self.candidates)
        if count > 1 and budget.spend(count, self.candidates[0][0], fragment) < count:
            return NOT_AUTHENTIC
        for place, (opener, _) in enumerate(self.candidates):
            opened = opener.open(record.content_type, record.version, fragment)
            if isinstance(opened, str) and self.slack and (tries := budget.spend(self.slack, opener, fragment)):
                opened = opener.search(record.content_type, record.version, fragment, tries, lost)
            if isinstance(opened, Opened):
                if place:
                    self.candidates[0], self.candidates[place] = self.candidates[place], self.candidates[0]
                del self.candidates[1:]
                self.chosen, self.slack = True, 0
                return opened
            reason = reason or opened
        return reason

    def skip(self, record: Record) -> None:
        """Step over a record that was not kept or does not open, though it is surely under these keys."""
        for opener, _ in self.candidates:
            if record.fragment is None:
                opener.skip(record.length, record.tail, record.records)
            else:
                opener.fail(record.fragment)

    def lose(self, records: int) -> None:
        """Take note that up to ``records`` records are missing before the next one."""
        self.slack = min(self.slack + records, MAX_SLACK)
        for opener, _ in self.candidates:
            opener.lose()


class Budget:
    """A limit to the work that damaged or hostile records can cause."""

    def __init__(self, left: int = BUDGET) -> None:
        self.left = left

    def spend(self, tries: int, opener: RecordOpener, fragment: bytes) -> int:
        """Return how many of so many tries may be made, and take them off what is left."""
        each = (1 + len(fragment) // 256) * (SLOW if opener.suite.slow else 1)
        granted = min(tries, self.left // each)
        self.left -= granted * each
        return granted


class Direction:
    """What both generations of the protocol share: counting, and turning an opened record into a value."""

    def __init__(self, side: Side, keyring: Keyring) -> None:
        self.side: Side = side
        self.keyring = keyring
        self.number = 0
        self.budget = Budget()

    def told(self, record: Record, opened: Opened, epoch: str, generation: int = 0, late: bool = False) -> Plaintext:
        """Return what was in a record, and count it."""
        self.number += 1
        return Plaintext(
            side=self.side,
            content_type=opened.content_type,
            data=opened.data,
            frame=record.frame,
            time=record.time,
            number=self.number - 1,
            epoch=epoch,
            sequence=opened.sequence,
            generation=generation,
            padding=opened.padding,
            late=late,
        )

    def failed(self, record: Record, kind: Kind, epoch: str, says: str) -> Failure:
        """Return why a record was not opened, and count it."""
        self.number += record.records
        return Failure(kind, self.side, record.frame, self.number - record.records, epoch, says)

    def not_authentic(self, record: Record, epoch: str, reason: str) -> Failure:
        """Return the failure of a record whose secret is there."""
        kind: Kind = "no_state" if "not kept" in reason else "not_authentic"
        return self.failed(record, kind, epoch, f"secret found, record {self.number} of the {self.side} {reason}")


class Direction12(Direction):
    """SSLv3 to TLS 1.2: every change_cipher_spec begins an epoch under the keys of the handshake before it."""

    def __init__(self, side: Side, keyring: Keyring) -> None:
        super().__init__(side, keyring)
        self.epoch = 0
        self._keys = Keys()
        self._handshake: Handshake | None = None
        self._passed = 0
        self._passed_bytes = 0
        self._tail = b""
        self._lost: int | None = 0

    @property
    def protected(self) -> bool:
        """Whether a change_cipher_spec was seen."""
        return self.epoch > 0

    def under(self, handshake: Handshake) -> bool:
        """Whether the keys in use are those of this handshake."""
        return self._handshake is handshake

    def tried(self, record: Record, handshake: Handshake) -> tuple[Direction12, Plaintext] | None:
        """Open a record as if a change_cipher_spec before it was lost; return the direction that then goes on."""
        trial = Direction12(self.side, self.keyring)
        trial.number, trial.epoch, trial.budget = self.number, self.epoch, self.budget
        trial.change(handshake)
        trial.gap(None)
        told = trial.open(record)
        return (trial, told) if isinstance(told, Plaintext) else None

    def change(self, handshake: Handshake) -> None:
        """Begin the next epoch."""
        self.epoch += 1
        self._handshake, self._keys = handshake, Keys()
        self._passed, self._passed_bytes, self._tail, self._lost = 0, 0, b"", 0

    def gap(self, missing: int | None) -> None:
        """Take note that ``missing`` bytes of the stream were not captured."""
        self._lost = None if missing is None or self._lost is None else self._lost + missing
        self._keys.lose(MAX_SLACK if missing is None else max(missing // 5, 1))

    def open(self, record: Record) -> Plaintext | Failure:
        """Open the next record of this direction."""
        epoch, handshake = str(self.epoch), self._handshake
        if handshake is None or handshake.suite is None or handshake.server_random is None:
            return self.failed(record, "no_hello", epoch, "the hellos of the handshake were not captured")
        suite = handshake.suite
        if not self._keys.there:
            self._find(handshake, suite)
        if not self._keys.there:
            self._pass(record)
            if self._keys.trouble is not None:
                return self.failed(record, "unsupported", epoch, self._keys.trouble)
            return self.failed(record, "no_secret", epoch, self.keyring.missing(handshake, suite))
        if record.fragment is None:
            self._keys.skip(record)
            return self.failed(record, "not_kept", epoch, "the record was not kept")
        fresh = not self._keys.chosen
        opened = self._keys.open(record, record.fragment, self.budget, self._lost)
        if not isinstance(opened, Opened):
            self._keys.skip(record)
            return self.not_authentic(record, epoch, opened or "")
        self._lost = 0
        if fresh:
            self.keyring.proven(handshake, CLIENT_RANDOM, self._keys.candidates[0][1])
        return self.told(record, opened, epoch)

    def _find(self, handshake: Handshake, suite: Suite) -> None:
        """Make the keys that the secrets at hand allow; the records that went by before are stepped over."""
        keys = self._keys
        if keys.seen_generation == self.keyring.generation or handshake.client_random is None:
            return
        keys.seen_generation = self.keyring.generation
        if not suite.readable:
            keys.trouble = f"{suite.name} is a cipher suite that cannot be opened here"
            return
        place = 0 if self.side == "client" else 1
        for found in self.keyring.masters(handshake, suite):
            pair = handshake.drawn.get(found.secret)
            if pair is None:
                randoms = handshake.client_random, handshake.server_random or b""
                pair = connection_keys(found.secret, *randoms, handshake.version, suite)
                handshake.drawn[found.secret] = pair
            opener = opener_for(suite, handshake.version, pair[place], handshake.options)
            if self._passed and isinstance(opener, RecordOpener):
                opener.skip(self._passed_bytes, self._tail, self._passed)
            keys.add(opener, found)

    def _pass(self, record: Record) -> None:
        self._passed += record.records
        self._passed_bytes += record.length
        self._tail = record.tail if record.fragment is None else record.fragment[-64:]


class Direction13(Direction):
    """TLS 1.3: early, handshake and application keys in turn, and KeyUpdates of the last ones."""

    def __init__(self, side: Side, keyring: Keyring) -> None:
        super().__init__(side, keyring)
        self.epochs = ("early", "handshake", "application") if side == "client" else ("handshake", "application")
        self.at = 0
        self.generation = 0
        self._keys = [Keys() for _ in self.epochs]
        self._since = 0

    @property
    def epoch(self) -> str:
        """The keys that are due."""
        return self.epochs[self.at]

    def finished(self) -> None:
        """Take note of a Finished: the application keys are due."""
        if self.epoch != "application":
            self.at = len(self.epochs) - 1

    def end_of_early_data(self) -> None:
        """Take note of an EndOfEarlyData: the handshake keys are due."""
        if self.epoch == "early":
            self.at += 1

    def update(self, handshake: Handshake) -> None:
        """Take note of a KeyUpdate: the next generation of application keys is due."""
        keys = self._keys[-1]
        if self.epoch == "application" and keys.chosen and (updated := self._next(handshake)) is not None:
            self._adopt(updated)

    def gap(self, missing: int | None) -> None:
        """Take note that ``missing`` bytes of the stream were not captured."""
        records = MAX_SLACK if missing is None else max(missing // 22, 1)  # header, content type and tag
        self._since += records
        for keys in self._keys[self.at :]:
            keys.lose(records)

    def open(self, record: Record, handshake: Handshake) -> Plaintext | Failure:
        """Open the next record of this direction."""
        if self.epoch == "early" and not handshake.early_data and handshake.client_random is not None:
            self.at = 1
        if record.fragment is None:
            self._step_over(record)
            return self.failed(record, "not_kept", self.epoch, "the record was not kept")
        if (plain := self._under_later_keys(record, record.fragment, handshake)) is not None:
            return plain
        if (plain := self._under_earlier_keys(record, record.fragment, handshake)) is not None:
            return plain
        return self._unopened(record, handshake)

    def _under_later_keys(self, record: Record, fragment: bytes, handshake: Handshake) -> Plaintext | None:
        """Open a record under the keys that are due, those after them, or those after a KeyUpdate that was missed."""
        for place in range(self.at, len(self.epochs)):
            keys = self._prepared(place, handshake)
            fresh = not keys.chosen
            opened = keys.open(record, fragment, self.budget)
            if isinstance(opened, Opened):
                self.at = place
                if fresh:
                    self._proven(handshake, place)
                return self.told(record, opened, self.epoch, self.generation if place == len(self.epochs) - 1 else 0)
        last = self._keys[-1]
        if self.epoch == "application" and last.chosen and self.budget.spend(1, last.candidates[0][0], fragment):
            updated = self._next(handshake)
            if updated is not None:
                updated.slack = min(self._since, MAX_SLACK)
                opened = updated.open(record, fragment, self.budget)
                if isinstance(opened, Opened):
                    self._adopt(updated)
                    return self.told(record, opened, self.epoch, self.generation)
        return None

    def _under_earlier_keys(self, record: Record, fragment: bytes, handshake: Handshake) -> Plaintext | None:
        """Open a record under keys that are over: some stacks send alerts so (Mbed TLS 3.5, Erlang/OTP)."""
        for place in range(self.at - 1, -1, -1):
            keys = self._prepared(place, handshake)
            if not keys.there or not self.budget.spend(1, keys.candidates[0][0], fragment):
                continue
            opened = keys.open(record, fragment, self.budget)
            if isinstance(opened, Opened):
                late = self.epoch == "application" and self.epochs[place] == "handshake"
                return self.told(record, opened, self.epochs[place], late=late)
        return None

    def _unopened(self, record: Record, handshake: Handshake) -> Failure:
        epoch, keys = self.epoch, self._keys[self.at]
        for later in self._keys[self.at :]:
            later.lose(1)
        self._since += 1
        trouble = next((other.trouble for other in self._keys if other.trouble is not None), None)
        if trouble is not None:
            return self.failed(record, "unsupported", epoch, trouble)
        if not keys.there or handshake.client_random is None:
            kind: Kind = "no_hello" if not handshake.offered and handshake.suite is None else "no_secret"
            return self.failed(record, kind, epoch, self._lacking(handshake, epoch))
        return self.not_authentic(record, epoch, "does not authenticate")

    def _lacking(self, handshake: Handshake, epoch: str) -> str:
        says = self.keyring.missing(handshake, handshake.suite)
        secrets = self.keyring.keylog.secrets(handshake.client_random or b"")
        if secrets is not None:
            return f"the key log has secrets for this client random, but not {TRAFFIC_LABELS[self.side, epoch]}"
        return says

    def _step_over(self, record: Record) -> None:
        """Count a record that was not kept; under which keys it was is sure only at the end."""
        if self.epoch == "application" and self._keys[-1].chosen:
            self._keys[-1].skip(record)
            self._since += record.records
            return
        for keys in self._keys[self.at :]:
            keys.lose(record.records)

    def _prepared(self, place: int, handshake: Handshake) -> Keys:
        """Return the keys of an epoch, made from the secrets that are there; again where some came in since."""
        keys = self._keys[place]
        if keys.chosen:
            return keys
        state, suite = self.keyring.generation, handshake.suite
        waiting = not keys.there and bool(self.keyring.psks) and bool(handshake.binders)
        if keys.seen_generation == state and keys.suite is suite and not waiting:
            return keys
        keys.seen_generation, keys.suite, keys.candidates = state, suite, []
        for found in self.keyring.traffic_secrets(handshake, self.side, self.epochs[place]):
            for one in _suites(handshake, len(found.secret)):
                drawn = traffic_keys(found.secret, one, handshake.prefix)
                keys.add(opener_for(one, handshake.version, drawn, handshake.options), found)
        return keys

    def _proven(self, handshake: Handshake, place: int) -> None:
        found = self._keys[place].candidates[0][1]
        if self.epochs[place] == "application":
            self.generation, self._since = found.generation, 0
        self.keyring.proven(handshake, TRAFFIC_LABELS[self.side, self.epochs[place]], found)

    def _next(self, handshake: Handshake) -> Keys | None:
        opener, found = self._keys[-1].candidates[0]
        suite = opener.suite
        secret = next_traffic_secret(found.secret, suite.prf_hash, handshake.prefix)
        updated = Keys()
        drawn = traffic_keys(secret, suite, handshake.prefix)
        updated.add(opener_for(suite, handshake.version, drawn, handshake.options), Found(secret, found.generation + 1))
        return updated if updated.there else None

    def _adopt(self, updated: Keys) -> None:
        self._keys[-1] = updated
        updated.chosen, self._since = True, 0
        self.generation = updated.candidates[0][1].generation


def _suites(handshake: Handshake, length: int) -> list[Suite]:
    """Return the suite in use; before a ServerHello names it, those on offer with secrets of ``length`` bytes."""
    if handshake.suite is not None:
        return [handshake.suite] if handshake.suite.tls13 and HASH_LENGTHS[handshake.suite.prf_hash] == length else []
    offered = (suite_of(code) for code in handshake.offered)
    suites = [suite for suite in offered if suite is not None and suite.tls13]
    return [suite for suite in suites if suite.readable and HASH_LENGTHS[suite.prf_hash] == length][:8]
