"""How a cipher suite exchanges keys up to TLS 1.2, by its name: what the two key exchange messages hold.

RFC 5246 §7.4.3 and §7.4.7 (DH, RSA), RFC 2246 §7.4.3 (export), RFC 8422 §5.4 and §5.7 (elliptic curves), RFC 4279 §2
to §4 and RFC 5489 §2 (PSK), RFC 5054 §2.5 (SRP), RFC 2712 §3 (Kerberos), RFC 9189 §4 (GOST), GB/T 38636-2020 (TLCP).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from tlsalert.registry.cipher_suites import cipher_suite_name


class KeyExchange(NamedTuple):
    """The form of both messages.

    ``server`` is "ec", "dh", "rsa", "srp", "" for no parameters, or "opaque" where they are not read; ``signed`` says
    whether a signature follows; ``psk`` whether the server's identity hint and the client's identity stand before;
    ``client`` is "ec", "dh", "rsa", "srp", "krb5", "psk" (nothing but the identity) or "opaque".
    """

    name: str
    server: str
    signed: bool
    psk: bool
    client: str


_FORMS = {
    "RSA": ("", False, False, "rsa"),
    "RSA_FIPS": ("", False, False, "rsa"),
    "RSA_OLDFIPS": ("", False, False, "rsa"),
    "RSA_EXPORT": ("rsa", True, False, "rsa"),
    "RSA_EXPORT1024": ("rsa", True, False, "rsa"),
    "DH_anon": ("dh", False, False, "dh"),
    "DH_DSS": ("", False, False, "dh"),
    "DH_RSA": ("", False, False, "dh"),
    "DHE_DSS": ("dh", True, False, "dh"),
    "DHE_RSA": ("dh", True, False, "dh"),
    "ECDH_anon": ("ec", False, False, "ec"),
    "ECDH_ECDSA": ("", False, False, "ec"),
    "ECDH_RSA": ("", False, False, "ec"),
    "ECDHE_ECDSA": ("ec", True, False, "ec"),
    "ECDHE_RSA": ("ec", True, False, "ec"),
    "PSK": ("", False, True, "psk"),
    "RSA_PSK": ("", False, True, "rsa"),
    "DHE_PSK": ("dh", False, True, "dh"),
    "PSK_DHE": ("dh", False, True, "dh"),
    "ECDHE_PSK": ("ec", False, True, "ec"),
    "SRP_SHA": ("srp", False, False, "srp"),
    "SRP_SHA_DSS": ("srp", True, False, "srp"),
    "SRP_SHA_RSA": ("srp", True, False, "srp"),
    "KRB5": ("", False, False, "krb5"),
    # TLCP: the signature is over the server's encryption certificate and has no parameters before it.
    "ECC": ("", True, False, "opaque"),
    "ECDHE": ("ec", True, False, "opaque"),
}
_EXPORTS = {f"{name}_{end}" for name in ("DHE_DSS", "DHE_RSA", "DH_DSS", "DH_RSA", "DH_anon", "KRB5")
            for end in ("EXPORT", "EXPORT1024")}  # fmt: skip


@lru_cache(maxsize=1024)
def key_exchange(suite: int) -> KeyExchange | None:
    """Return the key exchange of a cipher suite; None for an unlisted one and for those of TLS 1.3."""
    name = cipher_suite_name(suite) if 0 <= suite <= 0xFFFF else ""
    exchange, separator, _ = name.removeprefix("TLS_").removeprefix("SSL_").partition("_WITH_")
    if not separator:
        first = name.partition("_")[0]
        if first not in ("ECDHE", "ECC", "RSA", "IBSDH", "IBC"):  # TLCP's names have no "_WITH_"
            return None
        exchange = first
    elif exchange == "NULL":
        return None
    form = _FORMS.get(exchange.rpartition("_")[0] if exchange in _EXPORTS else exchange)
    return KeyExchange(exchange, *(form or ("opaque", False, False, "opaque")))
