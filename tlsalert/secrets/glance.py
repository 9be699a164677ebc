"""A quick look into what is encrypted, for those who only want what failed: whether a connection surely went well.

Of a connection in TLS 1.3 the client's flight is opened up to its Finished, and what the server said after it; up to
TLS 1.2, where the messages and their order are seen from outside, the beginning of the server's data and its alerts.
That is all that a verdict leans on where nothing went wrong: the rest of the server's flight is left shut, and no
model is built. Where anything is out of the ordinary the look says no, and the connection is opened in full.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final, final

from mypy_extensions import i64, mypyc_attr

from tlsalert.secrets.keyring import Keyring
from tlsalert.secrets.suites import Suite, suite_of
from tlsalert.wire.opened import INSIDE, dated_answer
from tlsalert.wire.transcript import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    GAP,
    HANDSHAKE,
    HELLO_RETRY_REQUEST,
    KEPT_ITEMS,
    RUN,
    SHORT,
    TLS13,
    Event,
    Transcript,
    in_order,
    selected_version,
)

TLS12: Final = 0x0303
CLIENT_HELLO: Final = 1
SERVER_HELLO: Final = 2
NEW_SESSION_TICKET: Final = 4
CERTIFICATE: Final = 11
FINISHED: Final = 20
#: Level warning, description 0.
CLOSE_NOTIFY: Final = b"\x01\x00"
#: The length of a Finished up to TLS 1.2, RFC 5246 §7.4.9, with its header.
FINISHED_LENGTH: Final = 16
#: Records of application data of one side after which only short ones are opened: they may be alerts.
ENOUGH: Final = 8
#: Records that a server may have sent under its traffic keys before the client's Finished came (RFC 8446 §4.6.1).
EARLY: Final = 4
#: How an HTTP response begins, RFC 9112 §4.
HTTP: Final = b"HTTP/1."

#: HMAC's pads as translations of a whole key, RFC 2104 §2.
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


@final
@mypyc_attr(acyclic=True)
class Way:
    """How records of one cipher suite are opened: its hash, its cipher, and their lengths in bytes."""

    def __init__(self, suite: Suite, digest: Any, block: i64, cipher: Any) -> None:
        self.digest = digest
        self.block = block
        self.cipher = cipher
        self.hash_length: i64 = 48 if suite.prf_hash == "sha384" else 32
        self.key_length: i64 = suite.key_length
        self.iv_length: i64 = suite.fixed_iv_length
        self.explicit: i64 = suite.record_iv_length
        self.tag_length: i64 = suite.tag_length
        # HkdfLabel with an empty context, and the number of HKDF-Expand's first block: RFC 8446 §7.1, RFC 5869 §2.3
        self.key_label = bytes((0, suite.key_length)) + b"\x09tls13 key\0\x01"
        self.iv_label = bytes((0, suite.fixed_iv_length)) + b"\x08tls13 iv\0\x01"


@final
@mypyc_attr(acyclic=True)
class Mac:
    """HMAC under one key, RFC 2104: the hash called twice takes half the time of a call that looks the hash up."""

    def __init__(self, way: Way, key: bytes) -> None:
        self.digest = way.digest
        self.inner = key.translate(_INNER).ljust(way.block, b"\x36")
        self.outer = key.translate(_OUTER).ljust(way.block, b"\x5c")

    def of(self, data: bytes) -> bytes:
        """Return the code of ``data``."""
        digest = self.digest
        inside: bytes = digest(self.inner + data).digest()
        code: bytes = digest(self.outer + inside).digest()
        return code


@final
@mypyc_attr(acyclic=True)
class Opener:
    """The records of one side under one key, in their order. ``sequence`` is the next one's number."""

    def __init__(self, way: Way, key: bytes, iv: bytes) -> None:
        self.decrypt: Callable[[bytes, bytes, bytes], bytes] = way.cipher(key)
        self.iv = iv
        self.number = int.from_bytes(iv, "big")
        self.over = way.explicit + way.tag_length
        self.explicit = way.explicit > 0
        self.sequence: i64 = 0

    def open13(self, fragment: bytes) -> bytes:
        """Return content and content type of a TLS 1.3 record, RFC 8446 §5.2; nothing where it does not open."""
        size: i64 = len(fragment)
        header = b"\x17\x03\x03" + bytes((int(size >> 8), int(size & 0xFF)))
        nonce = (self.number ^ int(self.sequence)).to_bytes(12, "big")
        plain = self._open(nonce, fragment, header).rstrip(b"\0")
        if len(plain) > 0:
            self.sequence += 1
        return plain

    def open12(self, kind: i64, fragment: bytes) -> bytes | None:
        """Return what is in a TLS 1.2 record, RFC 5246 §6.2.3.3; None where it does not open."""
        size: i64 = i64(len(fragment)) - self.over
        if size <= 0:
            return None
        sequence = int(self.sequence)
        header = sequence.to_bytes(8, "big") + bytes((int(kind), 3, 3, int(size >> 8), int(size & 0xFF)))
        if self.explicit:
            plain = self._open(self.iv + fragment[:8], fragment[8:], header)
        else:
            plain = self._open((self.number ^ sequence).to_bytes(12, "big"), fragment, header)
        if len(plain) != size:
            return None
        self.sequence += 1
        return plain

    def _open(self, nonce: bytes, fragment: bytes, header: bytes) -> bytes:
        try:
            return self.decrypt(nonce, fragment, header)
        except Exception:  # InvalidTag, or a length that cannot be: it does not open, for whatever reason
            return b""


@final
class Glance:
    """Looks at connections with the secrets of a key log."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._ways: dict[int, Way | None] = {}

    def surely_well(self, transcript: Transcript, client: i64) -> bool:
        """Whether a connection surely was established and nobody refused anything in its handshake or its alerts.

        What the server said inside TLS is then in ``transcript.inside``: whether that refuses is for others to say.
        So are the Date of its answer, and in TLS 1.3 the client's certificate, put where decryption would put them.
        It may say no where the full diagnosis says yes, never the other way.
        """
        kept = transcript.kept
        if kept is None or client != transcript.client_side or len(kept.items) >= KEPT_ITEMS:
            return False
        if not transcript.went_well() or transcript.null_cipher:
            return False
        way = self._way(transcript)
        if way is None:
            return False
        items = in_order(kept.items)
        hello = b""
        chosen = b""
        ticket = b""
        hellos: i64 = 0
        choices: i64 = 0
        for item in items:
            if item.code < 0:
                if item.kind == GAP or item.kind == CHANGE_CIPHER_SPEC:
                    return False
                continue
            if item.cut or (item.kind != HANDSHAKE and item.kind != CHANGE_CIPHER_SPEC and item.kind != RUN):
                return False
            if item.kind == HANDSHAKE:
                body = item.body
                if body is None:
                    return False
                if item.code == CLIENT_HELLO:
                    hellos += 1
                    hello = body
                elif item.code == SERVER_HELLO:
                    choices += 1
                    chosen = body
                elif item.code == NEW_SESSION_TICKET and len(body) > 6:
                    ticket = body[6:]
        if hellos != choices or hellos > 2 or len(hello) < 34 or len(chosen) < 38:
            return False
        random = hello[2:34]
        if transcript.version == TLS13:
            if chosen[2:34] == HELLO_RETRY_REQUEST or not _plain13(chosen):
                return False
            return self._well13(transcript, items, way, client, random)
        end: i64 = 35 + i64(chosen[34])
        if hellos != 1 or len(chosen) < end + 3 or chosen[end + 2] != 0:  # with compression it is another matter
            return False
        return self._well12(transcript, items, way, client, random, chosen, ticket)

    def _well13(self, transcript: Transcript, items: list[Event], way: Way, client: i64, random: bytes) -> bool:
        """Look at a connection in TLS 1.3: what the server sent after the client's Finished shows that it agreed."""
        of_client = self._keyring.keylog.only(random, "CLIENT_HANDSHAKE_TRAFFIC_SECRET")
        of_server = self._keyring.keylog.only(random, "SERVER_TRAFFIC_SECRET_0")
        if len(of_client) != way.hash_length or len(of_server) != way.hash_length:
            return False
        ours = _opener13(way, of_client)
        theirs = _opener13(way, of_server)
        flight = b""
        certificate: Event | None = None
        inside = b""
        before: list[bytes] = []
        began = False
        finished = False
        answered = False
        data: i64 = 0
        places: i64 = 0
        for item in items:
            if item.code >= 0 and item.kind != RUN:
                continue
            fragment = item.body
            places += item.code if item.kind == RUN else 1
            if item.side == client:
                if finished:
                    continue  # it has said all that the handshake asks of it
                if item.kind != APPLICATION_DATA or fragment is None:
                    return False
                content = ours.open13(fragment)
                if not content.endswith(b"\x16"):
                    return False
                flight += content[:-1]
                at: i64 = 0
                while i64(len(flight)) - at >= 4:
                    end = at + 4 + _u24(flight, at + 1)
                    if end > i64(len(flight)):
                        break
                    code: i64 = flight[at]
                    if code == CERTIFICATE:
                        body = flight[at + 4 : end]
                        certificate = Event(HANDSHAKE, code, client, item.frame, item.time, i64(len(body)), body, False)
                    elif code == FINISHED:
                        finished = True
                    at = end
                flight = flight[at:]
                if finished and (len(flight) > 0 or not began):
                    return False
            elif not finished:
                began = True
                if fragment is not None:
                    before.append(fragment)
            elif item.kind == RUN:
                theirs.sequence += item.code
            elif item.kind != APPLICATION_DATA or fragment is None:
                return False
            elif data >= ENOUGH and item.length > SHORT:
                theirs.sequence += 1
            else:
                content = _first13(theirs, fragment, before)
                size: i64 = i64(len(content)) - 1
                if size < 0:
                    return False
                kind: i64 = content[size]
                if kind == APPLICATION_DATA:
                    data += 1
                    if i64(len(inside)) < INSIDE:
                        inside += content[: min(size, INSIDE - i64(len(inside)))]
                        dated_answer(transcript, item, inside)
                    if item.length > SHORT and places < ENOUGH + ENOUGH:  # such a record is surely among those told
                        answered = True
                elif kind == HANDSHAKE:
                    if not _tickets(content, size):
                        return False
                elif kind != ALERT or content[:size] != CLOSE_NOTIFY:
                    return False
        if not answered or HTTP.startswith(inside):
            return False
        if certificate is not None:
            certificate.mark_decrypted()
            transcript.events = [*transcript.events, certificate]
        transcript.inside = [b"", inside] if client == 0 else [inside, b""]
        return True

    def _well12(
        self,
        transcript: Transcript,
        items: list[Event],
        way: Way,
        client: i64,
        random: bytes,
        chosen: bytes,
        ticket: bytes,
    ) -> bool:
        """Look at a connection in TLS 1.2 whose handshake was seen from outside to have come to its end."""
        master = self._keyring.keylog.only(random, "CLIENT_RANDOM")
        if len(master) == 0:
            return False
        theirs = _opener12(way, master, chosen[2:34] + random)
        inside = b""
        changed = False
        finals: i64 = 0
        for item in items:
            kind = item.kind
            if item.code >= 0 and kind != RUN:
                if kind == CHANGE_CIPHER_SPEC and item.side != client:
                    changed = True
                continue
            if kind == ALERT and finals < 2:
                return False
            if kind == HANDSHAKE:
                finals += 1
                if item.length != FINISHED_LENGTH + theirs.over:
                    return False
            if item.side == client:
                continue
            if not changed:
                return False
            fragment = item.body
            if kind == RUN:
                theirs.sequence += item.code
            elif kind == HANDSHAKE or (kind == APPLICATION_DATA and i64(len(inside)) >= INSIDE):
                theirs.sequence += 1
            elif fragment is None or (kind != APPLICATION_DATA and kind != ALERT):
                return False
            else:
                content = theirs.open12(kind, fragment)
                if content is None or (kind == ALERT and content != CLOSE_NOTIFY):
                    return False
                if kind == APPLICATION_DATA:
                    inside += content[: INSIDE - i64(len(inside))]
                    dated_answer(transcript, item, inside)
        if HTTP.startswith(inside):
            return False
        self._keyring.remember(chosen[35 : 35 + chosen[34]], ticket, master)
        transcript.inside = [b"", inside] if client == 0 else [inside, b""]
        return True

    def _way(self, transcript: Transcript) -> Way | None:
        """Return how records are opened under the cipher suite in use; None where that takes more than a look."""
        number = int(transcript.version << 16 | transcript.cipher)
        if number not in self._ways:
            self._ways[number] = _way(int(transcript.version), int(transcript.cipher))
        return self._ways[number]


def _way(version: int, code: int) -> Way | None:
    suite = suite_of(code)
    if suite is None or not suite.readable or not suite.aead or suite.tls13 != (version == TLS13):
        return None
    if version not in (TLS12, TLS13) or suite.prf_hash not in ("sha256", "sha384"):
        return None
    cipher = _cipher(suite)
    if cipher is None:
        return None
    return (
        Way(suite, hashlib.sha384, 128, cipher)
        if suite.prf_hash == "sha384"
        else Way(suite, hashlib.sha256, 64, cipher)
    )


def _cipher(suite: Suite) -> Any:
    """Return what makes a function of a key that decrypts: AES-GCM and ChaCha20-Poly1305 are what nearly all speak."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

    if suite.cipher == "AES" and suite.mode == "GCM":
        return _Aead(AESGCM).under
    if suite.cipher == "CHACHA20" and suite.mode == "POLY1305":
        return _Aead(ChaCha20Poly1305).under
    return None


class _Aead:
    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def under(self, key: bytes) -> Any:
        return self._kind(key).decrypt


def _opener13(way: Way, secret: bytes) -> Opener:
    """Return the opener under a traffic secret, RFC 8446 §7.3."""
    mac = Mac(way, secret)
    return Opener(way, mac.of(way.key_label)[: way.key_length], mac.of(way.iv_label)[: way.iv_length])


def _opener12(way: Way, master: bytes, randoms: bytes) -> Opener:
    """Return the opener of the server's records, RFC 5246 §6.3: an AEAD's key block has no MAC keys."""
    mac = Mac(way, master)
    seed = b"key expansion" + randoms
    start = way.key_length * 2 + way.iv_length
    need = start + way.iv_length
    block = b""
    turn = seed
    while i64(len(block)) < need:  # P_hash, RFC 5246 §5
        turn = mac.of(turn)
        block += mac.of(turn + seed)
    return Opener(way, block[way.key_length : way.key_length * 2], block[start:need])


def _first13(theirs: Opener, fragment: bytes, before: list[bytes]) -> bytes:
    """Open the server's next record; where none was opened yet, tickets may have gone ``before``, as Go sends them."""
    content = theirs.open13(fragment)
    early: i64 = 0
    while len(content) == 0 and theirs.sequence == early and early < min(EARLY, len(before)):
        early += 1
        theirs.sequence = early
        content = theirs.open13(fragment)
    if len(content) == 0 or early == 0:
        return content
    reached = theirs.sequence
    theirs.sequence = 0
    for one in before[i64(len(before)) - early :]:
        ticket = theirs.open13(one)
        if not ticket.endswith(b"\x16") or not _tickets(ticket, i64(len(ticket)) - 1):
            return b""
    theirs.sequence = reached
    return content


def _tickets(content: bytes, end: i64) -> bool:
    """Whether a record holds whole NewSessionTickets and nothing else."""
    at: i64 = 0
    while at + 4 <= end and content[at] == NEW_SESSION_TICKET:
        at += 4 + _u24(content, at + 1)
    return at == end


def _plain13(chosen: bytes) -> bool:
    """Whether a ServerHello chose TLS 1.3 itself, and none of its drafts."""
    end: i64 = 35 + i64(chosen[34])
    return chosen[0] == 3 and chosen[1] == 3 and selected_version(chosen, end + 3) == TLS13


def _u24(data: bytes, at: i64) -> i64:
    return i64(data[at]) << 16 | i64(data[at + 1]) << 8 | i64(data[at + 2])
