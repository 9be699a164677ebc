"""What variants are made from: the good certificate, its key, its issuers, a CA's key, whatever of them there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from tlsalert.errors import DecodeError, UsageError
from tlsalert.pki import key_files
from tlsalert.pki.build import body_of
from tlsalert.pki.key_files import Ask
from tlsalert.pki.key_pool import KEYS, KeyPool
from tlsalert.pki.presentation import PrivateKey
from tlsalert.pki.signatures import signed_by
from tlsalert.pki.signing import key_info

_KINDS = (
    rsa.RSAPrivateKey,
    ec.EllipticCurvePrivateKey,
    ed25519.Ed25519PrivateKey,
    ed448.Ed448PrivateKey,
    dsa.DSAPrivateKey,
)


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA's certificate (DER) and its key."""

    certificate: bytes
    key: PrivateKey

    def __repr__(self) -> str:  # the key stays out of logs and tracebacks
        return f"Authority(certificate of {len(self.certificate)} bytes)"


@dataclass(frozen=True, slots=True)
class Material:
    """All that there is to make variants from. Certificates are DER.

    ``at`` is the moment that dates are set by: now, or the device's clock where that is known. ``chain`` are the good
    certificate's issuers, the nearest first, with the root or without. ``ca`` is the root's or an intermediate's
    certificate with its key. ``name`` is the common name of what is made where there is no good certificate.
    """

    at: datetime
    certificate: bytes | None = None
    chain: tuple[bytes, ...] = ()
    key: PrivateKey | None = None
    ca: Authority | None = None
    root: bytes | None = None
    name: str = "tlsalert client"
    keys: KeyPool = field(default=KEYS, compare=False)

    def __repr__(self) -> str:  # the keys stay out of logs and tracebacks
        parts = [
            "certificate" if self.certificate is not None else "",
            f"{len(self.chain)} issuers" if self.chain else "",
            "its key" if self.key is not None else "",
            "a CA's key" if self.ca is not None else "",
        ]
        return f"Material({', '.join(filter(None, parts)) or 'nothing'}, at {self.at:%Y-%m-%d})"

    @property
    def self_signed(self) -> bool:
        """Whether the good certificate signed itself, as one that a device has pinned."""
        return self.certificate is not None and is_self_signed(self.certificate)

    @property
    def anchor(self) -> bytes | None:
        """The root's certificate, where one is known."""
        offered = (self.root, *self.chain, self.ca.certificate if self.ca is not None else None)
        return next((one for one in offered if one is not None and is_self_signed(one)), None)

    @property
    def intermediates(self) -> tuple[bytes, ...]:
        """The chain without the root."""
        return tuple(one for one in self.chain if not is_self_signed(one))


def is_self_signed(certificate: bytes) -> bool:
    """Whether a certificate names itself as its issuer and its own key signed it."""
    try:
        body = body_of(certificate)
    except (DecodeError, ValueError):
        return False
    # A signature that can't be judged (of an unknown kind) is taken on the names' word.
    return body.issuer == body.subject and signed_by(certificate, certificate) is not False


def load_material(
    at: datetime | None = None,
    certificate: str | None = None,
    key: str | None = None,
    chain: Sequence[str] = (),
    ca_certificate: str | None = None,
    ca_key: str | None = None,
    ask: Ask | None = None,
) -> Material:
    """Read the files that the user names: PEM, DER or PKCS #12, keys encrypted or not (``ask`` gives passphrases).

    The file of the certificate may hold its key and its issuers, too. Raises :class:`CaptureError` for a file that
    cannot be read, :class:`UsageError` for a key that does not open or does not fit.
    """
    good, held, beside = _holder(certificate, key, ask)
    issuers = (*beside, *(one for path in chain for one in _certificates(path, ask)))
    authority = None
    if ca_key is not None or ca_certificate is not None:
        signer, signs, above = _holder(ca_certificate, ca_key, ask)
        if signer is None:
            raise UsageError("the CA's key is of no use without its certificate", ca_key, "add --ca-cert")
        authority = Authority(signer, signs) if signs is not None else None
        issuers = (*issuers, *(one for one in (signer, *above) if one not in issuers))
    ordered = _ordered(good, issuers) if good is not None else issuers
    anchor = next((one for one in issuers if is_self_signed(one)), None)
    return Material(at or datetime.now(UTC), good, ordered, held, authority, anchor)


def check_fit(certificate: bytes, key: PrivateKey, where: str | None = None) -> None:
    """Raise :class:`UsageError` where ``key`` is not the one of ``certificate``."""
    try:
        info = body_of(certificate).key
    except (DecodeError, ValueError) as error:
        raise UsageError(f"is not a certificate: {error}", where) from None
    # A key may be encoded in several ways (its parameters left out): the numbers decide, where they can be read.
    if info != key_info(key) and not _same_numbers(info, key):
        raise UsageError("this key is not the certificate's", where, "look for the key that was made with it")


def _same_numbers(info: bytes, key: PrivateKey) -> bool:
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return bool(load_der_public_key(info) == key.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _holder(
    certificate: str | None, key: str | None, ask: Ask | None
) -> tuple[bytes | None, PrivateKey | None, tuple[bytes, ...]]:
    """Return a certificate, its key and what else lies in its file. A key beside the certificate is found there."""
    if certificate is None:
        return None, _private(key, ask) if key is not None else None, ()
    found, inside = key_files.read_identity(certificate, ask)
    private = _known(inside, certificate) if inside is not None and key is None else None
    if key is not None:
        private = _private(key, ask)
    if private is None:
        return found[0], None, tuple(found[1:])
    # PKCS #12 and some PEM files list the issuers first: the key says which one is the holder's.
    for place, one in enumerate(found):
        if _fits(one, private):
            return one, private, tuple(found[:place] + found[place + 1 :])
    check_fit(found[0], private, key or certificate)
    return found[0], private, tuple(found[1:])


def _fits(certificate: bytes, key: PrivateKey) -> bool:
    try:
        check_fit(certificate, key)
    except UsageError:
        return False
    return True


def _private(path: str, ask: Ask | None) -> PrivateKey:
    return _known(key_files.read_keys(path, ask)[0], path)


def _known(key: object, where: str) -> PrivateKey:
    if not isinstance(key, _KINDS):
        raise UsageError("is a kind of key that cannot sign a handshake", where, "RSA, EC, Ed25519, Ed448 and DSA can")
    return key


def _certificates(path: str, ask: Ask | None) -> list[bytes]:
    return key_files.read_identity(path, ask)[0]


def _ordered(leaf: bytes, issuers: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the issuers from the leaf's upwards; what is no issuer of the chain is left out.

    A file may list them in any order, and more of them than belong to this certificate.
    """
    found: list[bytes] = []
    below = leaf
    while not is_self_signed(below) and len(found) < len(issuers):
        names = body_of(below).issuer
        above = [one for one in issuers if one not in found and _subject(one) == names]
        # Of two with the same name the one that really signed it counts.
        above.sort(key=lambda one: signed_by(below, one) is not True)
        if not above:
            break
        below = above[0]
        found.append(below)
    return tuple(found)


def _subject(certificate: bytes) -> bytes | None:
    try:
        return body_of(certificate).subject
    except (DecodeError, ValueError):
        return None


def public_key(certificate: bytes) -> object:
    """Return a certificate's key as the library has it, None where it does not know it."""
    try:
        return x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
