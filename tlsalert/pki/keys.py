"""Private and public keys: what kind, which SubjectPublicKeyInfo they have, and whether they are encrypted.

A private key's bytes go into a Secret and nowhere else; what errors libraries raise over them is never shown.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, Final

from tlsalert.errors import DecodeError
from tlsalert.pki import certificate, der
from tlsalert.pki.containers import Blob, Damage
from tlsalert.pki.der import Element, children, element, oid
from tlsalert.pki.found import Found
from tlsalert.secrets.secret import Secret

#: Rounds of a passphrase's derivation and memory (scrypt) that are paid for; a stranger may ask for 2^31.
MOST_ROUNDS: Final = 5_000_000
MOST_MEMORY: Final = 256 << 20
#: Longer ones are no keys.
LONGEST: Final = 64 << 10
#: Passphrases that protect nothing: none at all, and the one in Java's manuals.
KNOWN: Final = (b"", b"changeit")
#: What derives keys from passphrases, with its number of rounds as INTEGER: PBKDF2, PBES1 and PKCS #12's own.
_ROUNDS: Final = re.compile(r"1\.2\.840\.113549\.1\.(5\.\d+|12\.1\.\d+)")
#: The AlgorithmIdentifier rsaEncryption, RFC 3279 §2.3.1.
RSA_ALGORITHM: Final = bytes.fromhex("300d06092a864886f70d0101010500")
_SCRYPT: Final = "1.3.6.1.4.1.11591.4.11"


class Phrases:
    """Passphrases to try: those that were given, then what ``ask`` says for a file; each is asked for once.

    ``ask`` is told the name of what is locked, and returns None where nobody is there to answer.
    """

    def __init__(self, given: tuple[bytes, ...] = (), ask: Callable[[str], bytes | None] | None = None) -> None:
        self._given = list(given)
        self._ask = ask

    def __repr__(self) -> str:
        return f"<Phrases: {len(self._given)}>"

    def of(self, where: str) -> Iterator[bytes]:
        """Go through the passphrases to try on what lies at ``where``, those that everybody knows first."""
        yield from KNOWN
        yield from tuple(self._given)
        said = None if self._ask is None else self._ask(where)
        if said is None:
            self._ask = None  # nobody is there: the next files need not ask again
        elif said not in self._given:
            self._given.append(said)
            yield said


def private_found(
    data: bytes, blob: Blob, offset: int, phrases: Phrases, *, encrypted: bool, label: str | None = None
) -> Iterator[Found | Damage]:
    """Yield a private key in DER; one that does not open is told as encrypted, one that does not load as damage."""
    if len(data) > LONGEST:
        yield Damage(blob.where, f"what begins like a private key at byte {offset} is {len(data)} bytes long: not read")
        return
    problems: tuple[str, ...] = ()
    loaded = None
    if encrypted:
        if (why := locked_by(data)) is not None:
            problems = (why,)
        else:
            loaded, problems = _opened(data, blob.where, phrases)
    elif (loaded := _load(data, None)) is None:
        spki = _by_hand(data)
        if spki is None:
            yield Damage(blob.where, f"a private key at byte {offset} is damaged, or of a kind that is not known")
            return
        yield _private(blob, offset, data, spki, False, problems, label)
        return
    yield _private(blob, offset, data, None if loaded is None else spki_of(loaded), encrypted, problems, label)


def loaded_found(key: Any, blob: Blob, offset: int, label: str | None, problems: tuple[str, ...] = ()) -> Found:
    """Return a private key that a library loaded out of a key store."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    data = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return _private(blob, offset, data, spki_of(key), True, problems, label)


def _private(
    blob: Blob,
    offset: int,
    data: bytes,
    spki: bytes | None,
    encrypted: bool,
    problems: tuple[str, ...],
    label: str | None,
) -> Found:
    return Found(
        blob.where,
        "private_key",
        sha256(data).hexdigest(),
        None if spki is None else sha256(spki).hexdigest(),
        key=None if spki is None else describe_public(spki),
        encrypted=encrypted,
        problems=problems,
        offset=offset,
        label=label,
        secret=Secret(data),
        mode=blob.mode,
    )


def _opened(data: bytes, where: str, phrases: Phrases) -> tuple[Any, tuple[str, ...]]:
    """Return a key that a passphrase opened, and what is to be said of that passphrase."""
    for phrase in phrases.of(where):
        if (key := _load(data, phrase)) is not None:
            return key, well_known(phrase)
    return None, ()


def well_known(phrase: bytes) -> tuple[str, ...]:
    """Return what is wrong with a passphrase that protects nothing."""
    if phrase not in KNOWN:
        return ()
    said = repr(phrase.decode()) if phrase else "empty"
    return (f"its passphrase is {said}: it protects nothing",)


def spki_of(key: Any) -> bytes | None:
    """Return the SubjectPublicKeyInfo of a library's private key."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    form = PublicFormat.SubjectPublicKeyInfo
    found: bytes | None = attempt(lambda: key.public_key().public_bytes(Encoding.DER, form))
    return found


def describe_public(spki: bytes) -> str | None:
    """Return kind and size of a SubjectPublicKeyInfo: "RSA 2048"; None where it is none."""
    try:
        return certificate.key_text(element(spki))
    except (DecodeError, ValueError):
        return None


def locked_by(data: bytes) -> str | None:
    """Return why a passphrase is not tried: its derivation would take too long; None where it is as usual."""
    try:
        costs = list(_costs(element(data), 0))
    except DecodeError:
        return None
    if any(rounds > MOST_ROUNDS for rounds in costs):
        return "its passphrase is derived with so many rounds that it is not tried"
    return None


def _costs(part: Element, depth: int) -> Iterator[int]:
    """Go through the numbers of rounds in a structure; scrypt's memory counts as if a byte were a round's share."""
    if depth > 12:
        return
    if part.tag == der.OCTET_STRING and part.content[:1] == b"\x30":
        try:
            yield from _costs(element(part.data, part.start, part.stop), depth + 1)
        except DecodeError:
            return
        return
    if not part.tag & 0x20:
        return
    inside = list(children(part))
    named = [oid(inside[0])] if inside and inside[0].tag == der.OID else []
    if named and len(inside) > 1 and inside[1].tag == der.SEQUENCE:
        numbers = [int.from_bytes(one.content, "big") for one in children(inside[1]) if one.tag == der.INTEGER]
        if _ROUNDS.fullmatch(named[0]):
            yield from numbers[:1]
        elif named[0] == _SCRYPT and len(numbers) > 1:
            yield MOST_ROUNDS + 1 if 128 * numbers[0] * numbers[1] > MOST_MEMORY else 0
    elif len(inside) == 3 and [one.tag for one in inside] == [der.SEQUENCE, der.OCTET_STRING, der.INTEGER]:
        yield int.from_bytes(inside[2].content, "big")  # MacData of PKCS #12, RFC 7292 §4
    for one in inside:
        yield from _costs(one, depth + 1)


def attempt(load: Callable[[], Any]) -> Any:
    """Return what a library loads, or None where it refuses.

    Its texts may quote the bytes, so they go nowhere; and where its Rust code panics over hostile bytes, that comes as
    a BaseException of its own.
    """
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return load()
    except (ValueError, TypeError, UnsupportedAlgorithm, OverflowError, MemoryError):
        return None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return None


def _load(data: bytes, phrase: bytes | None) -> Any:
    """Return the library's private key, or None where it does not load."""
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    key = attempt(lambda: load_der_private_key(data, phrase, unsafe_skip_rsa_key_validation=True))
    return key if key is not None and _whole(key) else None


def _whole(key: Any) -> bool:
    """Whether an RSA key's modulus is the product of its primes: the library's proof takes seconds at 16384 bits."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if not isinstance(key, RSAPrivateKey):
        return True
    numbers = key.private_numbers()
    return numbers.p * numbers.q == numbers.public_numbers.n


def _by_hand(data: bytes) -> bytes | None:
    """Return the SubjectPublicKeyInfo of an RSA key that the library refuses: too short, or too long."""
    try:
        fields = [part for part in children(element(data)) if part.tag == der.INTEGER]
        if len(fields) < 9:
            inner = next(part for part in children(element(data)) if part.tag == der.OCTET_STRING)
            fields = list(children(first_sequence(inner)))
        _, modulus, public, _, one, other = (int.from_bytes(part.content, "big") for part in fields[:6])
    except (DecodeError, ValueError, StopIteration):
        return None
    if modulus.bit_length() < 256 or one * other != modulus:
        return None
    numbers = encoded(
        0x30, b"".join(encoded(2, b"\0" * (n.bit_length() % 8 == 0) + _bytes(n)) for n in (modulus, public))
    )
    return encoded(0x30, RSA_ALGORITHM + encoded(3, b"\0" + numbers))


def first_sequence(inner: Element) -> Element:
    """Return the element that an OCTET STRING holds."""
    return element(inner.data, inner.start, inner.stop)


def _bytes(number: int) -> bytes:
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def encoded(tag: int, content: bytes) -> bytes:
    """Return content as a DER element."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = _bytes(size)
    return bytes([tag, 0x80 | len(length)]) + length + content
