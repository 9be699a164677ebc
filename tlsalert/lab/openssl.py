"""What the lab needs of OpenSSL and pyOpenSSL does not name, reached through the bindings under it.

Everything untyped stays in this module.
"""

from __future__ import annotations

from calendar import timegm
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from OpenSSL import SSL, crypto

#: What decides on one certificate of a chain: the certificate, OpenSSL's error (0: none), its depth (0: the leaf).
Judge = Callable[[crypto.X509, int, int], bool]

#: X509_V_ERR_CERT_REJECTED of openssl/x509_vfy.h, for which OpenSSL sends bad_certificate (42).
CERT_REJECTED = 28

_lib: Any = vars(SSL)["_lib"]
_ffi: Any = vars(SSL)["_ffi"]


def judge_by(context: SSL.Context, mode: int, judge: Judge) -> None:
    """Let ``judge`` have the last word on each certificate; ``mode`` is that of ``Context.set_verify``.

    A certificate with which OpenSSL finds no fault and the judge does is answered with bad_certificate (42), as
    stunnel does it: without an error OpenSSL would send internal_error (80).
    """

    def told(connection: SSL.Connection, certificate: crypto.X509, error: int, depth: int, ok: int) -> bool:
        return judge(certificate, error, depth)

    context.set_verify(mode, told)
    inner: Any = vars(context)["_verify_callback"]

    def outer(ok: int, store: Any) -> int:
        verdict: int = inner(ok, store)
        if not verdict and not _lib.X509_STORE_CTX_get_error(store):
            _lib.X509_STORE_CTX_set_error(store, CERT_REJECTED)
        return verdict

    callback = _ffi.callback("int (*)(int, X509_STORE_CTX *)", outer)
    vars(context)["_lab_verify_callback"] = callback  # OpenSSL does not keep it alive
    _lib.SSL_CTX_set_verify(vars(context)["_context"], mode, callback)


def set_clock(connection: SSL.Connection, clock: datetime) -> None:
    """Let one connection judge certificates by ``clock`` (X509_VERIFY_PARAM_set_time).

    ``X509Store.set_time`` sets it for all connections of a context, and only once.
    """
    parameters = _lib.SSL_get0_param(vars(connection)["_ssl"])
    _lib.X509_VERIFY_PARAM_set_time(parameters, timegm(clock.astimezone(UTC).utctimetuple()))


def verify_error(connection: SSL.Connection) -> str | None:
    """Return what OpenSSL found wrong with the peer's certificate, in its words; None where it found nothing."""
    code: int = _lib.SSL_get_verify_result(vars(connection)["_ssl"])
    if not code:
        return None
    said: bytes = _ffi.string(_lib.X509_verify_cert_error_string(code))
    return said.decode("ascii", "replace")
