"""What a line of any log says about TLS: ``understand(line)``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from tlsalert.understanding.kinds import Understood

LONGEST = 4000  # characters of a line that are looked at
#: A line without any of these says nothing of TLS; pieces in lower case.
SIGNS = (
    "ssl", "tls", "cert", "alert", "handshake", "x509", "verif", "pkix", "sec_e_", "crypt_e_", "gnutls", "0x8009",
    "0x800b", "err_", "_error_", "error:", "issuer", "notbefore", "notafter", '"description"', "invalidcontenttype",
    "corrupt message", "end_of_file", "connect_reset", "\\25\\3", "\\x15\\x03", "15 03 0", "15030", "3688", "36874",
    "peer", "crl", "trust", "cipher", "last_rx", "last_tx", "quic", "crypto_error", "asn_", "curl: (", "-0x7",
    "-0x2", "openssl", "revo",
)  # fmt: skip
#: What lines that tell of an error hold as well; without any of these a line is about what went well.
TROUBLE = (
    "unobtain", "legacy", "unhandled", "negative", "unadvertised", "inappropriate", "downgrade", "unconfigured",
    "insecure", "empty", "null cert", "incommon", "present", "disabled", "exceed", "length", "https", "0 bytes",
    "response", "too many", "neither", "unwrap", "reason(", "error", "fail", "alert", "verif", "refus", "reject",
    "expire", "valid", "unknown", "trust", "match", "no ", "not", "unable", "unsupported", "clos", "eof", "reset",
    "timeout", "timed", "bad", "wrong", "revo", "deni", "missing", "self", "n't", "requir", "weak", "small",
    "illegal", "malformed", "corrupt", "incompatib", "disconnect", "terminat", "abort", "0x8", "0x7", "-0x", "err_",
    "_e_", "cannot", "plain", "incorrect", "unexpected", "overs", "exception", "invalid", "peer", "crypto_error",
    "15 03", "1503", "\\25\\3", "\\x15\\x03", "3688", "last_", "-1", "36874", "violation", "lost", "none",
    "tls_alert", "curl: (", "stopped", "untrusted", "description", "date", "interrupted", "unrec", "insuff",
    "fatal",
)  # fmt: skip
CODE = re.compile(r"(?<![0-9a-z])(?:error[:= ]*(?:code)?[:= ]*)(?:0x)?([0-9a-f]{8})(?![0-9a-f])", re.I)
VERIFY_NUMBER = re.compile(
    r"(?:verify[ _]?(?:error|return code|result|status)?[:= ]*(?:\(?num(?:ber)?[=:]|error[ =:]*)\(?"
    r"|verify return code: |verify error: ?num=|certificate verification: error \(|certificate verify error: \(|:num=)"
    r"(\d{1,3})\b",
    re.I,
)
ERROR_AT_DEPTH = re.compile(r"\berror (\d{1,3}) at (\d+) depth lookup", re.I)
CONSTANT = re.compile(r"\b((?:MOZILLA_PKIX_ERROR|SSL_ERROR|SEC_ERROR|PR)_[A-Z0-9_]+)\b")
GNUTLS_NAME = re.compile(r"\bGNUTLS_E_([A-Z0-9_]+)\b")
MBEDTLS_NAME = re.compile(r"\bMBEDTLS_ERR_[A-Z0-9_]+\b")
MBEDTLS_NUMBER = re.compile(r"-0x([0-9a-f]{4})\b", re.I)
SCHANNEL_NAME = re.compile(r"\b(?:SEC_E|CRYPT_E|CERT_E)_[A-Z0-9_]+\b")
HRESULT = re.compile(r"0x(80[0-9a-f]{6})\b", re.I)
CHROME_NAME = re.compile(r"\b(?:net::)?(ERR_(?:SSL|CERT|CERTIFICATE|BAD_SSL|ECH|CONNECTION|EMPTY)_[A-Z_]+)\b")
CURL_EXIT = re.compile(r"^curl: ?\((\d{1,3})\)")
X509_CONSTANT = re.compile(r"\bX509_V_ERR_([A-Z0-9_]+)\b")
NSS_NUMBER = re.compile(r"(?<![\w.])-(12\d{3}|81\d{2}|80\d{2}|163\d{2})(?!\d)")
#: Words of other programs that hold OpenSSL's.
NOT_OPENSSL = (
    "x509: ",
    "the certificate has expired",
    "the certificate of ",
    "client certificate not trusted",
    "peer's certificate has expired",
    "issued certificate",
)
VALIDITY = re.compile(r"\s*not(before|after) ?=")


def understand(line: str, *, asked: bool = False) -> list[Understood]:
    """Return what a line says, the surest first; an empty list where it says nothing of TLS. Never raises.

    An alert that the line names stands before one that follows from an error, and that before what names none.
    Lines are cheap to ask about: most are passed over after a look for a few words. ``asked`` says that somebody
    gave this very line as an error of TLS: then it is looked into even where it shows no sign of TLS.
    """
    line = line[:LONGEST]
    low = line.lower()
    if not asked and not (any(sign in low for sign in SIGNS) and any(word in low for word in TROUBLE)):
        return []
    return _joined(list(_findings(line, low)), line, low)


def _findings(line: str, low: str) -> Iterator[Understood]:
    """Give everything that a line says, each time once for each way of saying it."""
    from tlsalert.understanding import named, octets

    if found := named.find(line, low):
        yield found
    yield from _packed(line, low)
    yield from _constants(line, low)
    if not found and (seen := octets.in_line(line, low)):
        yield _of_octets(seen, low)
    yield from _verify(line, low)
    yield from _reasons(line, low)
    yield from _own(low)
    yield from _curl(line)
    if match := VALIDITY.match(low):
        end = "beginning" if match[1] == "before" else "end"
        words = f"The {end} of a certificate's validity, as OpenSSL prints it: compare it with the refuser's clock."
        yield Understood(words, "OpenSSL")


def _packed(line: str, low: str) -> Iterator[Understood]:
    from tlsalert.understanding.openssl import unpack

    if "error" not in low:
        return
    boring = "openssl_internal" in low
    for match in CODE.finditer(line):
        if packed := unpack(match[1], boring=boring):
            from tlsalert.understanding.decoded import of_packed

            yield of_packed(packed, line)


def _constants(line: str, low: str) -> Iterator[Understood]:
    """Give the errors that stand in a line as a constant or with their library's number."""
    if "_" in line:
        from tlsalert.understanding import library_codes as codes

        for match in CONSTANT.finditer(line):
            known = codes.nss_numbers()
            if match[1] in codes.NSS_ALERTS or match[1] in known:
                yield codes.nss(match[1], known.get(match[1]))
            elif match[1] in ("PR_END_OF_FILE_ERROR", "PR_CONNECT_RESET_ERROR"):
                yield codes.nss(match[1])
        for match in GNUTLS_NAME.finditer(line):
            yield codes.gnutls(match[1])
        for match in MBEDTLS_NAME.finditer(line):
            yield codes.mbedtls(match[0])
        for match in SCHANNEL_NAME.finditer(line):
            if found := codes.schannel(codes.schannel_numbers().get(match[0], 0)):
                yield found
        for match in CHROME_NAME.finditer(line):
            if match[1] in codes.CHROME_CAUSES or match[1] in codes.CHROME.values():
                yield codes.chrome(match[1])
    if "0x80" in low:
        from tlsalert.understanding import library_codes as codes

        for match in HRESULT.finditer(line):
            if found := codes.schannel(int(match[1], 16)):
                yield found
    yield from _numbers(line, low)


def _numbers(line: str, low: str) -> Iterator[Understood]:
    """Give the errors that are told as a bare number by a library that the line shows."""
    from tlsalert.understanding import library_codes as codes

    if "-" not in line and "alert has been" not in low:
        return
    if "nss" in low or "tstclnt" in low or "selfserv" in low or "bad server cert" in low:
        for match in NSS_NUMBER.finditer(line):
            if found := codes.nss_number(-int(match[1])):
                yield found
    if "-0x" in low:
        for match in MBEDTLS_NUMBER.finditer(line):
            if found := codes.mbedtls_number(-int(match[1], 16)):
                yield found
    if "tls fatal alert has been received" in low or "tls warning alert has been received" in low:
        yield codes.gnutls("FATAL_ALERT_RECEIVED" if "fatal" in low else "WARNING_ALERT_RECEIVED")
    elif "gnutls" in low:
        for match in re.finditer(r"(?<![\w.])(-\d{1,3})(?!\d)", line):
            if found := codes.gnutls_number(int(match[1])):
                yield found
    if (
        "wolfssl" in low
        or "cyassl" in low
        or "err = " in low
        or "ssl_connect error" in low
        or "ssl_accept error" in low
    ):
        for match in re.finditer(r"(?<![\w.])(-[1-4]\d{2})(?!\d)", line):
            if found := codes.wolfssl_number(int(match[1])):
                yield found
    if "net_error" in low:
        for match in re.finditer(r"net_error (-\d{1,3})", low):
            if found := codes.chrome_number(int(match[1])):
                yield found
    for match in re.finditer(r"(?<![\w.])(-98[0-4]\d)(?!\d)", line):
        if found := codes.apple(int(match[1])):
            yield found


def _of_octets(seen: object, low: str) -> Understood:
    from tlsalert.understanding.decoded import of_octets

    return of_octets(seen, low)


def _verify(line: str, low: str) -> Iterator[Understood]:
    """Give OpenSSL's verify errors: by number, by constant, by words."""
    if not any(
        word in low
        for word in (
            "verif",
            "cert",
            "depth",
            "crl",
            "issuer",
            "x509",
            "self",
            "mismatch",
            "trust",
            "signature",
            "key too",
        )
    ):
        return
    if any(words in low for words in NOT_OPENSSL):
        return
    from tlsalert.registry import verify_errors
    from tlsalert.understanding import decoded, openssl

    number = VERIFY_NUMBER.search(line) or ERROR_AT_DEPTH.search(line)
    if number and (error := verify_errors.by_code(int(number[1]))):
        yield decoded.of_verify(error, low)
        return
    constant = X509_CONSTANT.search(line)
    if constant and (error := verify_errors.by_name(constant[1])):
        yield decoded.of_verify(error, low)
        return
    if (words := openssl.verify_pattern().search(low)) and (error := openssl.verify_named(words[1])):
        yield decoded.of_verify(error, low)


def _reasons(line: str, low: str) -> Iterator[Understood]:
    """Give the reasons of OpenSSL that stand in a line without their code."""
    if not any(word in low for word in ("ssl", "tls", "error", "handshake", "reason:")):
        return
    from tlsalert.understanding import decoded, openssl

    if match := openssl.local_pattern().search(low):
        name, local = openssl.local_named(match[1])
        if _is_reason(match, line, low):
            yield decoded.of_reason(name, local, line)


def _is_reason(match: re.Match[str], line: str, low: str) -> bool:
    """Return whether words that could be plain English stand where OpenSSL's reasons do."""
    if "_" in match[1] or "ssl routines" in low or "[ssl" in low or "ssl_" in low or "error:" in low:
        return True
    return " " in match[1] and match[1] not in (
        "unexpected message",
        "bad extension",
        "internal error",
        "bad signature",
    )


@cache
def _own_rows() -> list[tuple[str, tuple[str, ...], object]]:
    from tlsalert.understanding.local_errors import rows

    return [((pieces := row.needle.split("|"))[0], tuple(pieces[1:]), row) for row in rows()]


def _own(low: str) -> Iterator[Understood]:
    """Give the errors that a program tells in words of its own: the first row that fits."""
    for first, others, row in _own_rows():
        if first in low and all(other in low for other in others):
            from tlsalert.understanding.decoded import of_local
            from tlsalert.understanding.times_said import times_said

            found = of_local(row)
            yield found._replace(meaning=f"{found.meaning} {times_said(low)}".rstrip())
            return
    if "peer" in low or "client certificate" in low:
        from tlsalert.understanding.library_codes import NSS_WORDS

        for words, code in NSS_WORDS.items():
            if words in low:
                yield Understood("The peer sent this alert; NSS received it.", "NSS", "nss", "received", code)
                return


def _curl(line: str) -> Iterator[Understood]:
    if match := CURL_EXIT.match(line):
        from tlsalert.understanding.library_codes import curl

        if found := curl(int(match[1])):
            yield found


def _joined(found: list[Understood], line: str, low: str) -> list[Understood]:
    """Return one value for each alert, the named first; what adds nothing is dropped."""
    if not found:
        return []
    from tlsalert.understanding.decoded import join
    from tlsalert.understanding.programs import program_of

    return join(found, program_of(low), line)
