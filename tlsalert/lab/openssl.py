"""What the lab needs of OpenSSL and pyOpenSSL does not name, reached through the bindings under it.

Everything untyped stays in this module.
"""

from __future__ import annotations

from calendar import timegm
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from OpenSSL import SSL, crypto
from OpenSSL._util import ffi, lib

#: What decides on one certificate of a chain: the certificate, OpenSSL's error (0: none) and its depth (0: the leaf).
#: It returns the error to go on with; 0 accepts.
Judge = Callable[[crypto.X509, int, int], int]

#: X509_V_ERR_CERT_REJECTED of openssl/x509_vfy.h, for which OpenSSL sends bad_certificate (42).
CERT_REJECTED = 28

_lib: Any = lib
_ffi: Any = ffi


def judge_by(context: SSL.Context, mode: int, judge: Judge) -> None:
    """Let ``judge`` have the last word on each certificate; ``mode`` is that of ``Context.set_verify``.

    The callback of ``set_verify`` can accept and refuse, but not say why, and the alert goes by that.
    """

    def judged(_: int, store: Any) -> int:
        raw = _lib.X509_STORE_CTX_get_current_cert(store)
        _lib.X509_up_ref(raw)
        certificate = crypto.X509._from_raw_x509_ptr(raw)
        error: int = _lib.X509_STORE_CTX_get_error(store)
        error = judge(certificate, error, _lib.X509_STORE_CTX_get_error_depth(store))
        _lib.X509_STORE_CTX_set_error(store, error)
        return int(not error)

    callback = _ffi.callback("int (*)(int, X509_STORE_CTX *)", judged)
    context.set_app_data((context.get_app_data(), callback))  # OpenSSL does not keep it alive
    _lib.SSL_CTX_set_verify(context._context, mode, callback)


def set_clock(connection: SSL.Connection, clock: datetime) -> None:
    """Let one connection judge certificates by ``clock`` (X509_VERIFY_PARAM_set_time).

    ``X509Store.set_time`` sets it for all connections of a context, and only once.
    """
    parameters = _lib.SSL_get0_param(connection._ssl)
    _lib.X509_VERIFY_PARAM_set_time(parameters, timegm(clock.astimezone(UTC).utctimetuple()))


def verify_error(connection: SSL.Connection) -> str | None:
    """Return what OpenSSL found wrong with the peer's certificate, in its words; None where it found nothing."""
    code: int = _lib.SSL_get_verify_result(connection._ssl)
    if not code:
        return None
    said: bytes = _ffi.string(_lib.X509_verify_cert_error_string(code))
    return said.decode("ascii", "replace")
