"""For what each TLS stack sends an alert: the rows of one alert, with the names of the stacks."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec

#: The families of stacks in the order in which they are shown, with the names that people know.
STACKS: dict[str, str] = {
    "openssl>=1.1.1": "OpenSSL 1.1.1 to 4.0",
    "openssl<=1.0.2": "OpenSSL 0.9.8 to 1.0.2",
    "boringssl": "BoringSSL",
    "gnutls": "GnuTLS",
    "nss": "NSS (Firefox)",
    "mbedtls": "Mbed TLS",
    "wolfssl": "wolfSSL",
    "java": "Java (JSSE)",
    "go": "Go 1.20 and later",
    "go<=1.19": "Go up to 1.19",
    "rustls": "rustls",
    "schannel": "Schannel (Windows)",
    "s2n": "s2n-tls",
    "erlang": "Erlang/OTP",
    "botan": "Botan",
    "nginx": "nginx",
    "node": "Node.js",
    "grpc": "gRPC",
    "stunnel-pinned": "stunnel (pinned)",
    "gnutls-serv": "gnutls-serv",
}
#: What is said of a stack that has no rows because its sources cannot be read and none was at hand.
UNKNOWN = "closed source and not measured: what it sends an alert for is not known here"

#: Stacks that give one answer to nearly all that can be wrong with a certificate, as knowledge has them; to load
#: that for a list of words would take longer than all the rest.
ONE_ANSWER = frozenset({"gnutls", "gnutls-serv", "java", "go<=1.19", "node", "grpc", "botan"})

Row = tuple[str, str, str, str]  # cause, stack, condition, source


@cache
def rows(code: int) -> tuple[Row, ...]:
    """Return what is known of an alert: cause, stack, condition and source, by stack, the likeliest first."""
    name = f"tlsalert.registry.alert_causes.a{code}"
    if not find_spec(name):
        return ()
    found: tuple[Row, ...] = import_module(name).ROWS
    return found


def stack_named(words: str) -> tuple[str, ...]:
    """Return the families that a user means: by key, by name, by its beginning; () where none is meant."""
    asked = "".join(words.lower().split())
    for key, name in STACKS.items():
        if asked in (key, "".join(name.lower().split())):
            return (key,)
    aliases = {
        "openssl1.0": ("openssl<=1.0.2",), "openssl0.9.8": ("openssl<=1.0.2",), "openssl1.0.1": ("openssl<=1.0.2",),
        "openssl1.0.2": ("openssl<=1.0.2",), "libressl": ("openssl<=1.0.2",), "openssl1.1": ("openssl>=1.1.1",),
        "openssl1.1.1": ("openssl>=1.1.1",), "openssl3": ("openssl>=1.1.1",), "openssl3.0": ("openssl>=1.1.1",),
        "openssl4": ("openssl>=1.1.1",), "apache": ("openssl>=1.1.1",), "haproxy": ("openssl>=1.1.1",),
        "jsse": ("java",), "windows": ("schannel",), "firefox": ("nss",), "chrome": ("boringssl",),
        "chromium": ("boringssl",), "stunnel": ("stunnel-pinned", "openssl>=1.1.1"), "go1.19": ("go<=1.19",),
        "s2n-tls": ("s2n",), "node": ("node",), "golang": ("go", "go<=1.19"),
    }  # fmt: skip
    if asked in aliases:
        return aliases[asked]
    return tuple(
        key for key, name in STACKS.items() if asked and (key.startswith(asked) or name.lower().startswith(asked))
    )
