"""All secrets at hand for opening connections: key logs, private keys, pre-shared keys, and sessions seen before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct

from tlsalert.model import Side
from tlsalert.secrets.handshake import Handshake
from tlsalert.secrets.keylog import (
    CLIENT_EARLY,
    CLIENT_HANDSHAKE,
    CLIENT_RANDOM,
    CLIENT_TRAFFIC,
    PMS_CLIENT_RANDOM,
    SERVER_HANDSHAKE,
    SERVER_TRAFFIC,
    KeyLog,
)
from tlsalert.secrets.private_keys import RsaKey, encrypted_premaster
from tlsalert.secrets.schedule import (
    EarlySchedule,
    derive_secret,
    master_secret,
    psk_premaster,
    session_hash,
)
from tlsalert.secrets.secret import Secret
from tlsalert.secrets.suites import Suite

#: Sessions that are remembered for the connections that resume them.
MAX_SESSIONS: Final = 1 << 16
#: Secrets of a key log that are tried where the ClientHello, and with it the random, was not captured.
MAX_GUESSES: Final = 256

Epoch = str

#: The labels of TLS 1.3's traffic secrets by side and epoch.
TRAFFIC_LABELS: Final[dict[tuple[Side, Epoch], str]] = {
    ("client", "early"): CLIENT_EARLY,
    ("client", "handshake"): CLIENT_HANDSHAKE,
    ("client", "application"): CLIENT_TRAFFIC,
    ("server", "handshake"): SERVER_HANDSHAKE,
    ("server", "application"): SERVER_TRAFFIC,
}
_WORDS: Final = {CLIENT_HANDSHAKE: "c hs traffic", SERVER_HANDSHAKE: "s hs traffic"} | {
    CLIENT_TRAFFIC: "c ap traffic",
    SERVER_TRAFFIC: "s ap traffic",
}


class Found(Struct, frozen=True):
    """A secret that may be the one, and how many KeyUpdates it is from the first of its kind."""

    secret: Secret
    generation: int = 0
    derived: bool = False


class Keyring:
    """Everything that may open a connection. What it derives, and a record proves, is in :attr:`derived`."""

    def __init__(
        self, keylog: KeyLog | None = None, rsa_keys: Sequence[RsaKey] = (), psks: Sequence[bytes] = ()
    ) -> None:
        self.keylog = KeyLog() if keylog is None else keylog
        self.rsa_keys = tuple(rsa_keys)
        self.psks = tuple(Secret(psk) for psk in psks)
        self._sessions: dict[bytes, Secret] = {}
        self._derived: dict[tuple[str, bytes, bytes], None] = {}

    def __repr__(self) -> str:
        return f"<keyring: {self.keylog!r}, {len(self.rsa_keys)} RSA keys, {len(self.psks)} PSKs>"

    @property
    def generation(self) -> int:
        """Counts up whenever secrets came in."""
        return self.keylog.generation + len(self._sessions)

    @property
    def derived(self) -> list[tuple[str, bytes, bytes]]:
        """Label, client random and secret of all that was derived and proven: what a key log would hold."""
        return list(self._derived)

    # -- TLS 1.3

    def traffic_secrets(self, handshake: Handshake, side: Side, epoch: Epoch) -> list[Found]:
        """Return the traffic secrets that may be the one of this side and epoch."""
        label = TRAFFIC_LABELS[side, epoch]
        if handshake.client_random is None:
            every = (secret for name, _, secret in self.keylog.entries() if name == label)
            return [Found(secret) for secret in islice(every, MAX_GUESSES)]
        found = [Found(secret) for secret in self.keylog.find(handshake.client_random, label)]
        if epoch == "application":
            found += [Found(secret, number) for number, secret in self.keylog.later(handshake.client_random, label)]
        if self.psks and not found:
            found += [Found(secret, derived=True) for secret in self._from_psks(handshake, label)]
        return found

    def _from_psks(self, handshake: Handshake, label: str) -> Iterator[Secret]:
        """Derive a traffic secret from the PSK whose binder is right, as far as a PSK reaches (RFC 8446 §7.1)."""
        for schedule in self._proven(handshake):
            if label == CLIENT_EARLY:
                yield schedule.early_traffic(handshake.client_hello)
            elif handshake.psk_alone and handshake.psk_selected is not None:
                base = schedule.handshake()
                messages = handshake.to_server_hello()
                if label in (CLIENT_TRAFFIC, SERVER_TRAFFIC):
                    base, messages = schedule.master(base), handshake.to_server_finished()
                if messages is not None:
                    yield derive_secret(base, _WORDS[label], messages, schedule.hash_name)

    def _proven(self, handshake: Handshake) -> Iterator[EarlySchedule]:
        if handshake.retried or not handshake.binders:
            return
        truncated = handshake.client_hello[: handshake.binders_at]
        for psk in self.psks:
            for hash_name in ("sha256", "sha384"):
                for external in (True, False):
                    schedule = EarlySchedule(psk, hash_name, external)
                    if schedule.binder(truncated) in handshake.binders:
                        yield schedule

    # -- SSLv3 to TLS 1.2

    def masters(self, handshake: Handshake, suite: Suite) -> list[Found]:
        """Return the master secrets that may be the one, those that need no deriving first."""
        client_random = handshake.client_random
        found: list[Found] = []
        if client_random is not None:
            found += [Found(secret) for secret in self.keylog.find(client_random, CLIENT_RANDOM)]
        if handshake.key_exchange is None:  # resumed: the session's master secret, RFC 5246 §7.3
            found += [Found(secret, derived=True) for secret in self._resumed(handshake)]
        elif (logged := self.keylog.master(handshake.session_id)) is not None:
            found.append(Found(logged))
        if not found:
            premasters = [] if client_random is None else self.keylog.find(client_random, PMS_CLIENT_RANDOM)
            premasters += self._premasters(handshake, suite)
            made = [self._master(premaster, handshake, suite) for premaster in premasters]
            found += [Found(master, derived=True) for master in made if master is not None]
        return found

    def proven(self, handshake: Handshake, label: str, found: Found) -> None:
        """Remember a secret that opened a record: for a key log of what was derived, and for resumption."""
        if label == CLIENT_RANDOM:
            self.remember(handshake.session_id, handshake.new_ticket, found.secret)
        if found.derived and handshake.client_random is not None:
            self._derived[label, handshake.client_random, found.secret] = None

    def remember(self, session_id: bytes, ticket: bytes, master: bytes) -> None:
        """Remember a session's master secret for the connections that resume it: RFC 5246 §7.3, RFC 5077 §3.1."""
        for name in (session_id, _ticket_name(ticket)):
            if name and self._sessions.get(name) != master:
                self._sessions[name] = Secret(master)
                if len(self._sessions) > MAX_SESSIONS:
                    del self._sessions[next(iter(self._sessions))]

    def missing(self, handshake: Handshake, suite: Suite | None) -> str:
        """Say why there is no secret, in words for the user."""
        if handshake.client_random is None:
            return "the ClientHello was not captured, and no secret that is there opens the record"
        said = "the key log has no secret for this client random"
        if not len(self.keylog):
            said = "there is no secret for this client random"
        why = None if suite is None else self._no_help(handshake, suite)
        return said if why is None else f"{said}, and {why}"

    def _no_help(self, handshake: Handshake, suite: Suite) -> str | None:
        """Say why the private keys and pre-shared keys at hand do not help."""
        exchange = "TLS 1.3's" if suite.tls13 else suite.key_exchange
        if self.psks and (suite.tls13 or "PSK" in exchange):
            if suite.tls13 and handshake.psk_selected is None:
                return "no pre-shared key was used"
            if exchange in ("DHE_PSK", "ECDHE_PSK", "PSK_DHE") or (suite.tls13 and not handshake.psk_alone):
                return "a PSK does not open a key exchange that adds Diffie-Hellman to it"
            return "none of the PSKs is the one that was used"
        if not self.rsa_keys:
            return None
        if exchange not in ("RSA", "RSA_PSK"):
            return f"an RSA key does not open {exchange} key exchange"
        if handshake.key_exchange is None:
            return "the session it resumes was not captured"
        if handshake.extended_master and not handshake.whole:
            return "for the RSA key parts of the handshake are missing"
        return "the RSA key is not the server's"

    def _resumed(self, handshake: Handshake) -> list[Secret]:
        names = (handshake.session_id, _ticket_name(handshake.ticket))
        found = [self._sessions.get(name) for name in names if name] + [self.keylog.master(handshake.session_id)]
        return [secret for secret in found if secret is not None]

    def _premasters(self, handshake: Handshake, suite: Suite) -> list[Secret]:
        exchange = handshake.key_exchange
        if exchange is None:
            return []
        if suite.key_exchange == "RSA":
            logged = self.keylog.premaster(encrypted_premaster(exchange))
            return [logged] if logged is not None else self._decrypted(exchange)
        if suite.key_exchange == "PSK":
            return [psk_premaster(psk) for psk in self.psks]
        if suite.key_exchange == "RSA_PSK":  # the identity stands first, RFC 4279 §4
            inner = exchange[2 + int.from_bytes(exchange[:2], "big") :]
            return [psk_premaster(psk, other) for other in self._decrypted(inner) for psk in self.psks]
        return []

    def _decrypted(self, exchange: bytes) -> list[Secret]:
        found = (key.premaster(exchange) for key in self.rsa_keys)
        return [premaster for premaster in found if premaster is not None]

    def _master(self, premaster: Secret, handshake: Handshake, suite: Suite) -> Secret | None:
        if handshake.client_random is None or handshake.server_random is None:
            return None
        seed: bytes | None = None
        if handshake.extended_master:
            messages = handshake.to_key_exchange()
            if messages is None:
                return None
            seed = session_hash(messages, handshake.version, suite.prf_hash)
        randoms = handshake.client_random, handshake.server_random
        return master_secret(premaster, *randoms, handshake.version, suite.prf_hash, seed)


def _ticket_name(ticket: bytes) -> bytes:
    """Return what a ticket is remembered under: tickets are long, and a session ID has at most 32 bytes."""
    return b"ticket" + hashlib.sha256(ticket).digest() if ticket else b""
