"""Where variants are made: the parts that recipes share, each made once, when the first recipe asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any

from tlsalert.errors import DecodeError
from tlsalert.pki import build, der, write
from tlsalert.pki.build import Body, Extension
from tlsalert.pki.key_pool import kind_of
from tlsalert.pki.material import Material, is_self_signed, public_key
from tlsalert.pki.presentation import Presentation, PrivateKey
from tlsalert.pki.signatures import ALGORITHMS, signed_by
from tlsalert.pki.signing import HASHES, Digest, Signer, key_info, key_kind

YEAR = timedelta(days=365)
REVOKED = {"revoked": 1, "revoked_hold": 6, "revoked_intermediate": 2}  # the reasons of RFC 5280 §5.3.1
#: The most CAs under the one whose key is given that a variant shows.
LONGEST_CHAIN = 110


class CannotMakeError(Exception):
    """A recipe lacks something; the text says what would be needed."""


@dataclass(frozen=True)
class Issuer:
    """Who signs: its Name, its key and key identifier, and the certificates to send behind what it issued."""

    name: bytes
    key: PrivateKey
    identifier: bytes
    sent: tuple[bytes, ...] = ()
    path_length: int | None = None

    def __repr__(self) -> str:  # the key stays out of logs and tracebacks
        return f"Issuer(with {len(self.sent)} certificates to send)"


@dataclass(frozen=True)
class Good:
    """The sound certificate that a variant spoils: the one at hand, or one that the CA's key issued."""

    certificate: bytes
    key: PrivateKey
    intermediates: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Good(certificate of {len(self.certificate)} bytes)"

    @property
    def sent(self) -> tuple[bytes, ...]:
        """The certificates as they are sent: no root, RFC 5246 §7.4.2 lets it be left out."""
        return (self.certificate, *self.intermediates)


class Workshop:
    """The parts that are made from one material. They cost time and agree with each other, so each is made once."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.at = material.at.replace(microsecond=0)

    # What is at hand

    @cached_property
    def body(self) -> Body:
        """What a certificate that the CA issues says: as the one at hand does, or else the least a client needs."""
        if self.material.certificate is None:
            return self._neutral
        try:
            body = body_of_any(self.material.certificate)
        except (DecodeError, ValueError) as error:
            raise CannotMakeError(f"the good certificate cannot be read ({error})") from None
        if self._within(body):
            return body
        began, ends = self.window
        return replace(body, not_before=began, not_after=ends)

    @cached_property
    def key(self) -> PrivateKey:
        """The key of what is issued: the one at hand, or else a new one of the same kind."""
        if self.material.key is not None:
            return self.material.key
        return self.material.keys.key(self.kind, "client")

    @cached_property
    def kind(self) -> str:
        """The kind of the client's key, in the key pool's words."""
        if self.material.key is not None:
            return kind_of(self.material.key)
        if self.material.certificate is not None:
            return kind_of(public_key(self.material.certificate))
        return kind_of(self.material.ca.key) if self.material.ca is not None else "rsa2048"

    @cached_property
    def good(self) -> Good:
        """The certificate at hand with its key, or one that the CA's key issues."""
        if self.material.certificate is not None and self.material.key is not None:
            # Told by its names: a root that a device trusts is not sent.
            return Good(self.material.certificate, self.material.key, self.material.intermediates)
        return self.issue()

    @cached_property
    def chained(self) -> Good:
        """A sound certificate with at least one intermediate CA above it."""
        if self.material.certificate is not None and self.material.key is not None and self.material.intermediates:
            return self.good
        if self.material.ca is None:
            raise CannotMakeError(
                "needs the intermediate's certificate (--chain), or the CA's key (--ca-key) to make one"
            )
        return self.issue(self.authority if self.authority.sent else self.intermediate)

    @cached_property
    def root(self) -> bytes:
        """The root's certificate."""
        if self.material.anchor is None:
            raise CannotMakeError("needs the root's certificate (--chain or --ca-cert)")
        return self.material.anchor

    @cached_property
    def root_name(self) -> bytes:
        """The Name of the uppermost CA that is known of, by its certificate or by what it issued."""
        if self.material.anchor is not None:
            return body_of_any(self.material.anchor).subject
        below = (*self.material.chain[-1:], self.material.certificate)
        if self.material.ca is not None:
            below = (self.material.ca.certificate,)
        return body_of_any(next(one for one in below if one is not None)).issuer

    # Issuers

    @cached_property
    def authority(self) -> Issuer:
        """The CA whose key is at hand."""
        ca = self.material.ca
        if ca is None:
            raise CannotMakeError("needs the CA's key (--ca-key)")
        try:
            body = body_of_any(ca.certificate)
        except (DecodeError, ValueError) as error:
            raise CannotMakeError(f"the CA's certificate cannot be read ({error})") from None
        sent: tuple[bytes, ...] = ()
        if not is_self_signed(ca.certificate):
            places = [place for place, one in enumerate(self.material.chain) if one == ca.certificate]
            above = self.material.chain[places[0] + 1 :] if places else ()
            sent = (ca.certificate, *(one for one in above if not is_self_signed(one)))
        return Issuer(body.subject, ca.key, own_identifier(body), sent, path_length(body))

    @cached_property
    def intermediate(self) -> Issuer:
        """A sound CA under the one whose key is at hand; no CA may stand under it."""
        return self.subordinate(path_length=0)

    @cached_property
    def rsa_issuer(self) -> Issuer:
        """A CA with an RSA key: the one at hand, or one under it."""
        if key_kind(self.authority.key) == "rsa":
            return self.authority
        return self.subordinate("tlsalert RSA CA", key=self.material.keys.key("rsa2048", "CA"), path_length=0)

    @cached_property
    def stranger(self) -> Issuer:
        """A root that no device knows."""
        return self.self_issued("tlsalert unknown root")

    def subordinate(
        self,
        name: str = "tlsalert intermediate CA",
        by: Issuer | None = None,
        *,
        key: PrivateKey | None = None,
        path_length: int | None = None,
        signer: Signer | None = None,
        add: Sequence[Extension] = (),
        drop: Sequence[str] = (),
        even_where_forbidden: bool = False,
        **changes: Any,
    ) -> Issuer:
        """Make a CA under ``by`` (or the one whose key is at hand), sound but for what is changed."""
        above = by or self.authority
        if above.path_length == 0 and not even_where_forbidden:
            raise CannotMakeError(
                "needs a CA that may have others under it (its path length is 0): give the root's key"
            )
        own = key or self.material.keys.key(kind_of(above.key), "CA")
        began, ends = self.window
        body = Body(
            build.random_serial(),
            above.name,
            began,
            ends,
            write.common_name(name),
            key_info(own),
            (
                build.basic_constraints(True, path_length),
                build.key_usage(build.CERTIFICATE_SIGNING, build.CRL_SIGNING),
                build.subject_identifier(build.identifier_of(key_info(own))),
                build.authority_identifier(above.identifier),
            ),
        )
        body = changed(body, add, drop, changes)
        made = build.certificate(body, signer or self.signer(above.key))
        limits = [path_length, None if above.path_length is None else max(above.path_length - 1, 0)]
        below = min((limit for limit in limits if limit is not None), default=None)
        identifier = build.identifier_of(key_info(own))
        return Issuer(body.subject, own, identifier, (made, *above.sent), below)

    def self_issued(self, name: str | bytes, *, purpose: str = "unknown root") -> Issuer:
        """Make a root of our own, by a text or by another's Name. What it ``sent`` is its own certificate."""
        own = self.material.keys.key(self.kind, purpose)
        named = name if isinstance(name, bytes) else write.common_name(name)
        info = key_info(own)
        began, ends = self.window
        extensions = (
            build.basic_constraints(True),
            build.key_usage(build.CERTIFICATE_SIGNING, build.CRL_SIGNING),
            build.subject_identifier(build.identifier_of(info)),
        )
        body = Body(build.random_serial(), named, began, ends, named, info, extensions)
        return Issuer(named, own, build.identifier_of(info), (build.certificate(body, self.signer(own)),))

    @cached_property
    def ladder(self) -> tuple[Issuer, ...]:
        """CAs under each other, as many as the longest chain shows; they share one key, for keys take time."""
        found: list[Issuer] = []
        if self.authority.path_length is not None:
            raise CannotMakeError(
                f"needs a CA without a path length (this one's is {self.authority.path_length}): give the root's key"
            )
        for number in range(1, LONGEST_CHAIN + 1):
            above = found[-1] if found else self.authority
            found.append(self.subordinate(f"tlsalert CA {number}", above))
        return tuple(found)

    # What is issued

    def issue(self, by: Issuer | None = None, **changes: Any) -> Good:
        """Issue a client certificate with one thing changed, and give it with what is sent behind it."""
        issuer = by or self.authority
        key = changes.get("key") or self.key
        return Good(self.leaf(issuer, **changes), key, issuer.sent)

    def leaf(
        self,
        by: Issuer,
        *,
        key: PrivateKey | None = None,
        info: bytes | None = None,
        signer: Signer | None = None,
        add: Sequence[Extension] = (),
        drop: Sequence[str] = (),
        inner: bytes | None = None,
        outer: bytes | None = None,
        edit: Callable[[Body], Body] | None = None,
        **changes: Any,
    ) -> bytes:
        """Return a client certificate that ``by`` signed: as the one at hand but for what is changed.

        ``info`` is a SubjectPublicKeyInfo in the place of the key's, ``inner`` and ``outer`` are AlgorithmIdentifiers,
        ``changes`` are fields of :class:`Body`, and ``edit`` has the last word on it. Key
        identifiers follow the keys, for they would be a second defect.
        """
        own = key or self.key
        public = info or key_info(own)
        body = replace(self.body, serial=build.random_serial(), issuer=by.name)
        if public != body.key and not (key is None and info is None and self._is_own_key):
            body = _for_key(replace(body, key=public), own)
        known = body.extension(build.AUTHORITY_KEY_IDENTIFIER)
        if known is not None and not self._issued_by(by):
            body = body.with_extension(build.authority_identifier(by.identifier))
        body = changed(body, add, drop, changes)
        if body.extensions and "version" not in changes:  # the one at hand may be of version 1, as many home-made are
            body = replace(body, version=2)
        if edit is not None:
            body = edit(body)
        return build.certificate(body, signer or self.signer(by.key), inner=inner, outer=outer)

    def signer(self, key: PrivateKey) -> Signer:
        """Return how a key signs: with the hash of the certificate at hand, where that can be."""
        return Signer(key, self._digest if key_kind(key) in ("rsa", "dsa") else None)

    @cached_property
    def serials(self) -> dict[str, bytes]:
        """The serial numbers of what is revoked.

        They follow from the CA's key, so that a CRL which was given to the device once holds for later runs.
        """
        info = key_info(self.authority.key)
        return {
            name: write.integer(int.from_bytes(sha256(info + name.encode()).digest()[:15], "big") | 1 << 119)
            for name in REVOKED
        }

    @cached_property
    def crl(self) -> bytes:
        """The CA's CRL with all of them: a device holds one CRL of each issuer."""
        entries = [build.Revoked(self.serials[name], reason) for name, reason in REVOKED.items()]
        return self.crl_of(self.authority, entries)

    def crl_of(self, issuer: Issuer, entries: Sequence[build.Revoked] = ()) -> bytes:
        """Return an issuer's CRL, good for a year to either side."""
        signer = self.signer(issuer.key)
        return build.revocation_list(issuer.name, signer, entries, self.at - YEAR, self.at + YEAR, issuer.identifier)

    # Dates

    @cached_property
    def window(self) -> tuple[bytes, bytes]:
        """The validity of what is made: that of the CA, or else a year to either side of the moment."""
        if self.material.ca is not None:
            try:
                body = body_of_any(self.material.ca.certificate)
            except (DecodeError, ValueError):
                pass
            else:
                if self._within(body):
                    return body.not_before, body.not_after
        return self.dates(-YEAR, YEAR)

    def dates(self, begins: timedelta, ends: timedelta) -> tuple[bytes, bytes]:
        """Return two times by their distance from the moment; they stay between the years 1950 and 9999."""
        return write.time(_moved(self.at, begins)), write.time(_moved(self.at, ends))

    def _within(self, body: Body) -> bool:
        try:
            began, ends = der.time(der.element(body.not_before)), der.time(der.element(body.not_after))
        except DecodeError:
            return False
        return began <= self.at <= ends

    # Details

    @cached_property
    def _neutral(self) -> Body:
        began, ends = self.window
        info = key_info(self.key)
        # Who issues it is put in when it is issued.
        return Body(b"", b"", began, ends, write.common_name(self.material.name), info, client_extensions(info, b""))

    @cached_property
    def _is_own_key(self) -> bool:
        """Whether the key at hand is the certificate's own, though it may be written in another way."""
        return self.material.certificate is not None and self.material.key is not None

    def _issued_by(self, issuer: Issuer) -> bool:
        """Whether it is the issuer of the certificate at hand, whose key identifier then stays as it is."""
        ca, good = self.material.ca, self.material.certificate
        if ca is None or good is None or issuer.key is not ca.key or issuer.name != body_of_any(good).issuer:
            return False
        return signed_by(good, ca.certificate) is True

    @cached_property
    def _digest(self) -> Digest | None:
        if self.material.certificate is None:
            return None
        try:
            algorithm = der.first_of(der.element(self.material.certificate), 2)[1]
            hashed = ALGORITHMS.get(der.oid(der.first(algorithm)), ("", ""))
        except (DecodeError, ValueError, IndexError):
            return None
        found = [name for name in HASHES if name == hashed[1]]
        # MD5 is no hash to take over: it would be a defect of its own.
        return found[0] if found and found[0] != "md5" and hashed[0] == "rsa" else None


def show(good: Good, *certificates: bytes, **how: Any) -> Presentation:
    """Present a good certificate, or ``certificates`` in its place, with its key."""
    return Presentation(certificates or good.sent, good.key, **how)


def client_extensions(info: bytes, issuer: bytes) -> tuple[Extension, ...]:
    """Return the extensions of a client's certificate: its key's ``info``, and the key identifier of its ``issuer``."""
    return (
        build.basic_constraints(False),
        build.key_usage(build.DIGITAL_SIGNATURE),
        build.extended_usage(build.CLIENT_AUTH),
        build.subject_identifier(build.identifier_of(info)),
        build.authority_identifier(issuer),
    )


def alone(good: Good) -> Presentation:
    """Present a certificate without its issuers."""
    return show(good, good.certificate)


def changed(body: Body, add: Sequence[Extension], drop: Sequence[str], fields: dict[str, Any]) -> Body:
    """Return the body with extensions replaced or taken away and other fields put in."""
    body = body.without(*drop)
    for one in add:
        body = body.with_extension(one)
    return replace(body, **fields)


def body_of_any(certificate: bytes) -> Body:
    """Return the parts of a certificate. Raises :class:`DecodeError` where it is none (an empty one, too)."""
    try:
        return build.body_of(certificate)
    except ValueError as error:
        raise DecodeError(str(error)) from None


def own_identifier(body: Body) -> bytes:
    """Return the key identifier that a certificate gives itself, or the one that it should."""
    own = body.extension(build.SUBJECT_KEY_IDENTIFIER)
    try:
        return build.identifier_of(body.key) if own is None else der.element(own.value).content
    except DecodeError:
        return build.identifier_of(body.key)


def path_length(body: Body) -> int | None:
    """Return how many CAs may stand under one, None where there is no limit."""
    constraints = body.extension(build.BASIC_CONSTRAINTS)
    if constraints is None:
        return None
    try:
        inside = der.first_of(der.element(constraints.value), 2)
    except DecodeError:
        return None
    return next((int.from_bytes(part.content, "big") for part in inside if part.tag == der.INTEGER), None)


def _for_key(body: Body, key: PrivateKey) -> Body:
    """Return the body for another key: with its identifier, and without the usages that such a key cannot have."""
    if body.extension(build.SUBJECT_KEY_IDENTIFIER) is not None:
        body = body.with_extension(build.subject_identifier(build.identifier_of(body.key)))
    usage = body.extension(build.KEY_USAGE)
    if usage is not None and key_kind(key) != "rsa":  # RFC 8410 §5, RFC 5480 §3: no encipherment
        body = body.with_extension(build.key_usage(build.DIGITAL_SIGNATURE, critical=usage.critical))
    return body


def _moved(at: datetime, by: timedelta) -> datetime:
    try:
        moved = at + by
    except OverflowError:
        return at
    return moved if moved.year >= 1950 else moved.replace(year=1950)
