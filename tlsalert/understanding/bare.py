"""Texts that are nothing but a number or a code: of OpenSSL, or of a library that numbers its errors from -1 down."""

from __future__ import annotations

import re

from tlsalert.understanding.kinds import Understood

HEXADECIMAL = re.compile(r"(?:error:)?(?:0x)?([0-9a-f]{8})", re.I)
SIGNED_HEXADECIMAL = re.compile(r"-\s?0x([0-9a-f]{1,8})", re.I)
SIGNED = re.compile(r"-\d{1,10}")
EVENTS = {
    36887: ("Schannel received a fatal alert; its code stands in the event's text.", "received"),
    36888: ("Schannel generated a fatal alert and sent it; its code stands in the event's text.", "sent"),
    36874: ("Schannel shares no cipher suite with the client.", "sent"),
    36871: ("Schannel could not create its credential.", None),
    36870: ("Schannel could not reach the private key of its certificate.", None),
    36880: ("A TLS handshake completed.", None),
    36882: ("The remote server's certificate was issued by an authority that is not trusted.", "sent"),
    36881: ("The remote server's certificate has expired.", "sent"),
    36884: ("The remote server's certificate does not contain the expected name.", "sent"),
}  # learn.microsoft.com, "Schannel Events"
EVENT_CAUSES = {
    36874: "no_shared_cipher_suite", 36882: "unknown_ca", 36881: "certificate_expired", 36884: "name_mismatch",
}  # fmt: skip


def of_code(text: str) -> list[Understood]:
    """Return what a text that is one number or code means; several where several libraries use the number."""
    if match := HEXADECIMAL.fullmatch(text):
        return _eight_digits(match[1])
    if match := SIGNED_HEXADECIMAL.fullmatch(text):
        return _negative(-int(match[1], 16))
    if SIGNED.fullmatch(text):
        return _negative(int(text))
    if text.isascii() and text.isdecimal():
        return _positive(int(text[:11]))
    return []


def _eight_digits(digits: str) -> list[Understood]:
    from tlsalert.understanding.library_codes import schannel
    from tlsalert.understanding.openssl import unpack

    if found := schannel(int(digits, 16)):
        return [found]
    if packed := unpack(digits):
        from tlsalert.understanding.decoded import of_packed

        return [of_packed(packed, "")]
    return []


def _negative(number: int) -> list[Understood]:
    from tlsalert.understanding import library_codes as codes

    found: list[Understood | None] = []
    if number <= -0x70000000:
        return _eight_digits(f"{number & 0xFFFFFFFF:08x}")
    if number <= -4096:
        found = [codes.nss_number(number), codes.apple(number), codes.mbedtls_number(number)]
    else:
        found = [codes.gnutls_number(number), codes.chrome_number(number), codes.wolfssl_number(number)]
        if number <= -300:  # here GnuTLS has only what hardly anybody sees
            found.reverse()
    return [one for one in found if one]


def _positive(number: int) -> list[Understood]:
    """Return what a decimal number over 255 means: an OpenSSL reason, its info callback's value, an event, a code."""
    from tlsalert.registry.openssl_reasons import REASONS, RECEIVED
    from tlsalert.understanding.alert_names import listed
    from tlsalert.understanding.decoded import of_reason
    from tlsalert.understanding.openssl import SSL_LIBRARY, reason_name

    if number in EVENTS:
        words, direction = EVENTS[number]
        cause = EVENT_CAUSES.get(number)
        alert = 40 if number == 36874 else None
        return [Understood(words, "Schannel", "schannel", direction, alert, alert is None, f"event {number}", cause)]  # type: ignore[arg-type]
    if number in (0x100, 0x200):
        return []
    if 0 < number - 0x200 < 256 and listed(number - 0x200):
        words = (
            f"{number} is 0x{number:x}: a fatal alert's level (2) and its number, as OpenSSL's info callback has them."
        )
        return [Understood(words, "OpenSSL", "openssl>=1.1.1", None, number - 0x200, error_code=str(number))]
    if 0 <= number - RECEIVED < 256:
        words = f"The peer sent this alert: {number} is OpenSSL's reason for it, {RECEIVED} and the alert's number."
        return [
            Understood(words, "OpenSSL", "openssl>=1.1.1", "received", number - RECEIVED, error_code=f"reason {number}")
        ]
    if number > 0xFFFF:
        return _eight_digits(f"{number:08x}") if number <= 0xFFFFFFFF else []
    name = reason_name(SSL_LIBRARY, number)
    if name in REASONS:
        return [of_reason(name, REASONS[name], "")]
    return []


def of_constant(text: str) -> list[Understood]:
    """Return what a text that is one constant of a library means: SSL_R_…, GNUTLS_E_…, X509_V_ERR_… and kin."""
    from tlsalert.registry.openssl_reasons import REASONS
    from tlsalert.understanding import library_codes as codes

    name = text.upper()
    reason = re.sub(r"^(?:SSL_R|ERR_SSL|X509_R)_", "", name)
    if reason != name and reason in REASONS:
        from tlsalert.understanding.decoded import of_reason

        return [of_reason(reason, REASONS[reason], "")]
    if name.startswith("GNUTLS_E_"):
        from tlsalert.registry.library_errors.gnutls import NAMES as GNUTLS

        bare = name.removeprefix("GNUTLS_E_")
        number = next((number for number, known in GNUTLS.items() if known == bare), None)
        return [codes.gnutls(bare, number)] if number is not None else []
    if name.startswith("MBEDTLS_"):
        from tlsalert.registry.library_errors.mbedtls import NAMES as MBEDTLS

        number = next((number for number, known in MBEDTLS.items() if name in known.split("|")), None)
        if number is not None or "BADCERT" in name:
            return [codes.mbedtls(name, number)]
    from tlsalert.registry.library_errors.wolfssl import NAMES as WOLFSSL

    number = next((number for number, known in WOLFSSL.items() if known == name), None)
    if number is not None:
        return [codes.wolfssl(name, number)]
    apple = next((number for number, (known, _, _) in codes.APPLE.items() if known.upper() == name), None)
    return [found] if apple is not None and (found := codes.apple(apple)) else []
