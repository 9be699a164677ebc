"""What the extensions say, decoded: :class:`ExtensionContents` holds a plain value, or one of the records below.

``tlsalert.wire.extensions.read_extension`` makes them; its docstring says which extension has which value. Numbers
are IANA's, as they were sent, with GREASE (RFC 8701) among them.
"""

from __future__ import annotations

from msgspec import Struct

from tlsalert.messages import OcspResponse, OidFilter


class StatusRequest(Struct, frozen=True):
    """A wish for a revocation status, RFC 6066 §8: how many responders are named, how many bytes of extensions."""

    kind: int
    responders: int = 0
    extensions_length: int = 0


class TrustedAuthority(Struct, frozen=True):
    """An authority that the client trusts, RFC 6066 §6: 0 agreed on before, 1 and 3 a SHA-1, 2 a name in DER."""

    kind: int
    identifier: bytes = b""


class SrtpProfiles(Struct, frozen=True):
    """Protection profiles for SRTP and the master key identifier, RFC 5764 §4.1."""

    profiles: tuple[int, ...]
    mki: bytes = b""


class Timestamp(Struct, frozen=True):
    """A signed certificate timestamp, RFC 6962 §3.2: ``time`` in milliseconds since 1970."""

    version: int
    log_id: bytes
    time: int
    scheme: int
    signature_length: int


class TokenBinding(Struct, frozen=True):
    """Token binding's version (major << 8 | minor) and key parameters, RFC 8472 §2."""

    version: int
    parameters: tuple[int, ...]


class CachedObject(Struct, frozen=True):
    """Something that the client has from before, RFC 7924 §3: 1 a certificate, 2 a request; its hash."""

    kind: int
    hash: bytes = b""


class PskIdentity(Struct, frozen=True):
    """A ticket or external key that is offered: its length and obfuscated age (in milliseconds), RFC 8446 §4.2.11."""

    length: int
    obfuscated_age: int


class PskOffer(Struct, frozen=True):
    """The keys that a client offers to resume with, and the lengths of its proofs, RFC 8446 §4.2.11."""

    identities: tuple[PskIdentity, ...]
    binders: tuple[int, ...]


class KeyShare(Struct, frozen=True):
    """A group and the length of its share, RFC 8446 §4.2.8."""

    group: int
    length: int


class TransItem(Struct, frozen=True):
    """An item of transparency information, RFC 9162 §4.5: its type and length."""

    kind: int
    length: int


class QuicParameter(Struct, frozen=True):
    """A transport parameter of QUIC, RFC 9000 §18."""

    id: int
    value: bytes


class TicketRequest(Struct, frozen=True):
    """How many tickets a client wants for a new and for a resumed session, RFC 9149 §3."""

    new_sessions: int
    resumptions: int


class DnssecChain(Struct, frozen=True):
    """A server's DNSSEC chain, RFC 9102 §2.2: ``lifetime`` in hours, how long it promises to support the extension."""

    lifetime: int
    length: int


class DelegatedCredential(Struct, frozen=True):
    """A key that stands in for a certificate's, RFC 9345 §4.

    ``valid_time`` is in seconds from the certificate's notBefore.
    """

    valid_time: int
    scheme: int
    key_length: int
    signature_scheme: int
    signature_length: int


class EchOuter(Struct, frozen=True):
    """An encrypted ClientHello (real or GREASE), RFC 9849 §5: HPKE's suite, the key's ID and lengths."""

    kdf: int
    aead: int
    config_id: int
    enc_length: int
    payload_length: int


class EchInner(Struct, frozen=True):
    """The mark of the ClientHello that was inside, RFC 9849 §5."""


class EchConfig(Struct, frozen=True):
    """A configuration to try again with, RFC 9849 §4; of another version than 0xfe0d only that is read."""

    version: int
    config_id: int | None = None
    kem: int | None = None
    suites: tuple[tuple[int, int], ...] = ()
    public_name: str | None = None


class EncryptedServerName(Struct, frozen=True):
    """An encrypted server name, draft-ietf-tls-esni-02 §5.1."""

    cipher_suite: int
    group: int
    length: int


ExtensionValue = (
    None
    | int
    | str
    | bytes
    | StatusRequest
    | SrtpProfiles
    | TokenBinding
    | PskOffer
    | TicketRequest
    | DnssecChain
    | DelegatedCredential
    | EchOuter
    | EchInner
    | EncryptedServerName
    | OcspResponse
    | KeyShare
    | tuple[int, ...]
    | tuple[str, ...]
    | tuple[bytes, ...]
    | tuple[StatusRequest, ...]
    | tuple[TrustedAuthority, ...]
    | tuple[Timestamp, ...]
    | tuple[CachedObject, ...]
    | tuple[OidFilter, ...]
    | tuple[KeyShare, ...]
    | tuple[TransItem, ...]
    | tuple[QuicParameter, ...]
    | tuple[EchConfig, ...]
)


class ExtensionContents(Struct, frozen=True):
    """An extension's number and what it says.

    ``value`` is None where it is empty or could not be read; an extension that is not known keeps its bytes.
    ``problem`` says what was wrong.
    """

    type: int
    value: ExtensionValue
    problem: str | None = None
