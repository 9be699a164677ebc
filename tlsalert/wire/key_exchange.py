"""ServerKeyExchange and ClientKeyExchange: body → value. The cipher suite chooses the form, the version the signature.

Where they are not known, the form is taken that fits to the last byte.
"""

from __future__ import annotations

from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.messages import (
    ClientKeyExchange,
    DhParameters,
    EcParameters,
    KeyParameters,
    RsaParameters,
    ServerKeyExchange,
    Signature,
    SrpParameters,
)
from tlsalert.registry.key_exchanges import KeyExchange, key_exchange
from tlsalert.wire.cursor import Cursor

SSL3: Final = 0x0300
TLS12: Final = 0x0303

EXPLICIT_PRIME: Final = 1
EXPLICIT_CHAR2: Final = 2
NAMED_CURVE: Final = 3

#: What is tried where the cipher suite is not known, the most common form first.
GUESSES: Final = (
    KeyExchange("", "ec", True, False, ""),
    KeyExchange("", "dh", True, False, ""),
    KeyExchange("", "ec", False, False, ""),
    KeyExchange("", "dh", False, False, ""),
    KeyExchange("", "ec", False, True, ""),
    KeyExchange("", "dh", False, True, ""),
    KeyExchange("", "", False, True, ""),
)


def read_server_key_exchange(body: bytes, version: int, suite: int) -> ServerKeyExchange:
    """Decode a ServerKeyExchange, RFC 5246 §7.4.3; never raises: ``problems`` says what could not be read.

    ``version`` is a version of TLS, or 0 where it is not known; ``suite`` is -1 then.
    """
    exchange = key_exchange(suite)
    if exchange is None:
        for guess in GUESSES:
            found = _server(body, version, guess, None)
            if not found.problems:
                return found
        return ServerKeyExchange(None, rest=body, problems=("the cipher suite is not known, and no form fits",))
    return _server(body, version, exchange, exchange.name)


def read_client_key_exchange(body: bytes, version: int, suite: int) -> ClientKeyExchange:
    """Decode a ClientKeyExchange, RFC 5246 §7.4.7; never raises. ``version`` and ``suite`` as above."""
    exchange = key_exchange(suite)
    if exchange is None:
        return _guessed(body)
    name, kind = exchange.name, exchange.client
    cursor = Cursor(body, 0, len(body))
    identity: bytes | None = None
    public = b""
    try:
        if exchange.psk:
            identity = cursor.vector(2, "psk_identity").rest()
        if kind == "rsa":
            public = _encrypted_secret(cursor, version)
        elif kind == "dh":
            if cursor.left:  # else it is in the client's certificate: RFC 5246 §7.4.7.2
                public = cursor.vector(2, "dh_Yc").rest()
        elif kind == "ec":
            if cursor.left:  # RFC 8422 §5.7
                public = cursor.vector(1, "ecdh_Yc").rest()
        elif kind == "srp":
            public = cursor.vector(2, "srp_A").rest()
        elif kind == "krb5":
            public = cursor.vector(2, "Ticket").rest()
            cursor.vector(2, "authenticator")
            cursor.vector(2, "EncryptedPreMasterSecret")
        elif kind == "opaque":
            public = cursor.rest()
        cursor.done("client_key_exchange")
    except DecodeError as error:
        return ClientKeyExchange(name, kind, public, identity, (error.what,))
    return ClientKeyExchange(name, kind, public, identity)


def read_signature(cursor: Cursor, version: int) -> Signature:
    """Read a signature; its scheme stands before it from TLS 1.2 on, RFC 5246 §4.7. Raises :class:`DecodeError`."""
    if version >= TLS12:
        return _with_scheme(cursor)
    if version == 0 and _fits_with_scheme(cursor):
        return _with_scheme(cursor)
    return Signature(None, cursor.vector(2, "signature").rest())


def _with_scheme(cursor: Cursor) -> Signature:
    scheme = cursor.u16("signature_scheme")
    return Signature(scheme, cursor.vector(2, "signature").rest())


def _fits_with_scheme(cursor: Cursor) -> bool:
    ahead = Cursor(cursor.data, cursor.at + 2, cursor.end)
    return cursor.left >= 4 and ahead.u16("signature") == cursor.left - 4


def _server(body: bytes, version: int, form: KeyExchange, name: str | None) -> ServerKeyExchange:
    cursor = Cursor(body, 0, len(body))
    hint: bytes | None = None
    parameters: KeyParameters | None = None
    signature: Signature | None = None
    rest = b""
    problems: tuple[str, ...] = ()
    try:
        if form.psk:
            hint = cursor.vector(2, "psk_identity_hint").rest()
        if form.server == "ec":
            parameters = _ec(cursor)
        elif form.server == "dh":
            prime, generator = cursor.vector(2, "dh_p").rest(), cursor.vector(2, "dh_g").rest()
            parameters = DhParameters(prime, generator, cursor.vector(2, "dh_Ys").rest())
        elif form.server == "rsa":
            modulus = cursor.vector(2, "rsa_modulus").rest()
            parameters = RsaParameters(modulus, cursor.vector(2, "rsa_exponent").rest())
        elif form.server == "srp":
            prime, generator = cursor.vector(2, "srp_N").rest(), cursor.vector(2, "srp_g").rest()
            salt = cursor.vector(1, "srp_s").rest()
            parameters = SrpParameters(prime, generator, salt, cursor.vector(2, "srp_B").rest())
        elif form.server == "opaque":
            rest = cursor.rest()
        if form.signed:
            signature = read_signature(cursor, version)
        cursor.done("server_key_exchange")
    except DecodeError as error:
        problems = (error.what,)
    return ServerKeyExchange(name, parameters, signature, hint, rest, problems)


def _ec(cursor: Cursor) -> EcParameters:
    """Read ECParameters and the point, RFC 8422 §5.4; the explicit curves are RFC 4492's."""
    kind = cursor.u8("curve_type")
    if kind == NAMED_CURVE:
        group = cursor.u16("namedcurve")
        return EcParameters(kind, group, None, cursor.vector(1, "public").rest())
    if kind == EXPLICIT_PRIME:
        bits = int.from_bytes(cursor.vector(1, "prime_p").rest(), "big").bit_length()
    elif kind == EXPLICIT_CHAR2:
        bits = cursor.u16("m")
        basis = cursor.u8("basis")
        if basis not in (1, 2):
            raise DecodeError(f"basis {basis} is not known")
        for _ in range(1 if basis == 1 else 3):
            cursor.vector(1, "k")
    else:
        raise DecodeError(f"curve_type {kind} is not known")
    for what in ("a", "b", "base", "order", "cofactor"):
        cursor.vector(1, what)
    return EcParameters(kind, None, bits, cursor.vector(1, "public").rest())


def _encrypted_secret(cursor: Cursor, version: int) -> bytes:
    """Read the encrypted premaster secret: SSLv3 has no length before it, RFC 5246 §7.4.7.1."""
    if version == SSL3:
        return cursor.rest()
    if version == 0 and (cursor.left < 2 or Cursor(cursor.data, cursor.at, cursor.end).u16("") != cursor.left - 2):
        return cursor.rest()
    return cursor.vector(2, "EncryptedPreMasterSecret").rest()


def _guessed(body: bytes) -> ClientKeyExchange:
    """Take the form whose length fits: a point behind one byte, a secret or public value behind two."""
    if len(body) > 1 and body[0] == len(body) - 1:
        return ClientKeyExchange(None, "ec", body[1:])
    if len(body) > 2 and body[0] << 8 | body[1] == len(body) - 2:
        return ClientKeyExchange(None, "rsa_or_dh", body[2:])
    return ClientKeyExchange(None, "opaque", body, problems=("the cipher suite is not known, and no form fits",))
