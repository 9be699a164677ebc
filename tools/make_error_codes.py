"""Makes tlsalert/registry/library_errors/*.py: the numbers that TLS libraries give to their errors.

    python tools/make_error_codes.py              (with the development files of the five libraries)

The numbers and names are those of the libraries' public headers; OpenSSL's words for a verify error are asked
of the libcrypto that is installed. Each module says of which version it is, and holds one table, so that who
explains one line loads one table.
"""

from __future__ import annotations

import argparse
import ctypes
import ctypes.util
import datetime
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "tlsalert" / "registry" / "library_errors"
NAMES = "NAMES: dict[int, str]"

OpenSsl = dict[int, str]


def main() -> None:
    """Read the headers and write the modules."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--include", type=Path, default=Path("/usr/include"))
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    arguments = parser.parse_args()
    include: Path = arguments.include
    modules = {
        "openssl_reasons": (
            "The reasons of OpenSSL's SSL library (number 20): what stands behind ERR_GET_REASON.",
            "libssl-dev", "openssl/sslerr.h", reasons(include / "openssl/sslerr.h", "SSL_R_"),
        ),
        "openssl_x509_reasons": (
            "The reasons of OpenSSL's X.509 library (number 11).",
            "libssl-dev", "openssl/x509err.h", reasons(include / "openssl/x509err.h", "X509_R_"),
        ),
        "openssl_verify": (
            "OpenSSL's verify errors (X509_V_ERR_…) as \"NAME words\".",
            "libssl-dev", "openssl/x509_vfy.h", verify_errors(include / "openssl/x509_vfy.h"),
        ),
        "gnutls": (
            "GnuTLS's errors (GNUTLS_E_…).",
            "libgnutls28-dev", "gnutls/gnutls.h", reasons(include / "gnutls/gnutls.h", "GNUTLS_E_"),
        ),
        "nss": (
            "NSS's errors (SSL_ERROR_…, SEC_ERROR_…, MOZILLA_PKIX_…).",
            "libnss3-dev", "nss/sslerr.h, secerr.h", nss(include / "nss") | MOZILLA_PKIX,
        ),
        "mbedtls": (
            "Mbed TLS's errors (MBEDTLS_ERR_…), those of SSL, X.509, PK and networks; 2.x and 3.x together.",
            "libmbedtls-dev", "mbedtls/ssl.h, x509.h, pk.h, net_sockets.h", both(mbedtls(include), MBEDTLS_3),
        ),
        "wolfssl": (
            "wolfSSL's errors of TLS (-300 …) and of certificates (-140 … -190).",
            "libwolfssl-dev", "wolfssl/error-ssl.h, wolfcrypt/error-crypt.h", wolfssl(include / "wolfssl"),
        ),
    }  # fmt: skip
    for name, (doc, package, header, table) in modules.items():
        source = f"{header} of {package} {version(package)}, {datetime.date.today()}"
        (arguments.output / f"{name}.py").write_text(module(doc, source, table))


# mozilla::pkix gives its errors numbers of its own: PSM's -0x4000, pkix/pkixnss.h of Firefox's NSS glue.
MOZILLA_PKIX = {
    -0x4000 + number: f"MOZILLA_PKIX_ERROR_{name}"
    for number, name in enumerate(
        (
            "KEY_PINNING_FAILURE", "CA_CERT_USED_AS_END_ENTITY", "INADEQUATE_KEY_SIZE", "V1_CERT_USED_AS_CA",
            "NO_RFC822NAME_MATCH", "NOT_YET_VALID_CERTIFICATE", "NOT_YET_VALID_ISSUER_CERTIFICATE",
            "SIGNATURE_ALGORITHM_MISMATCH", "OCSP_RESPONSE_FOR_CERT_MISSING", "VALIDITY_TOO_LONG",
            "REQUIRED_TLS_FEATURE_MISSING", "INVALID_INTEGER_ENCODING", "EMPTY_ISSUER_NAME",
            "ADDITIONAL_POLICY_CONSTRAINT_FAILED", "SELF_SIGNED_CERT", "MITM_DETECTED",
        )
    )
}  # fmt: skip
# Those that Mbed TLS 3 brought or gave another meaning, include/mbedtls/ssl.h of 3.6.
MBEDTLS_3 = {
    -0x6600: "MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER",
    -0x6E00: "MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE",
    -0x6E80: "MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION",
    -0x7300: "MBEDTLS_ERR_SSL_DECODE_ERROR",
    -0x7500: "MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION",
    -0x7580: "MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL",
    -0x7800: "MBEDTLS_ERR_SSL_UNRECOGNIZED_NAME",
    -0x7A00: "MBEDTLS_ERR_SSL_BAD_CERTIFICATE",
}


def reasons(header: Path, prefix: str) -> OpenSsl:
    """Return the numbers and the names without their prefix of a header's defines."""
    found = re.findall(rf"^#\s*define\s+{prefix}(\w+)\s+\(?(-?\d+)\)?", header.read_text(), re.M)
    return {int(number): name for name, number in found}


def verify_errors(header: Path) -> OpenSsl:
    """Return each verify error's name and, after a space, libcrypto's words for it."""
    crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
    crypto.X509_verify_cert_error_string.restype = ctypes.c_char_p
    names = reasons(header, "X509_V_ERR_")
    return {
        number: f"{name} {crypto.X509_verify_cert_error_string(ctypes.c_long(number)).decode()}"
        for number, name in sorted(names.items())
    }


def nss(folder: Path) -> OpenSsl:
    """Return NSS's errors: offsets from the base of their header."""
    table: OpenSsl = {}
    for header, prefix, base in (("sslerr.h", "SSL_ERROR_", -0x3000), ("secerr.h", "SEC_ERROR_", -0x2000)):
        text = re.sub(r"/\*.*?\*/", "", (folder / header).read_text(), flags=re.S)
        for name, offset in re.findall(rf"\b({prefix}\w+)\s*=\s*\(?{prefix}BASE\s*\+\s*(\d+)\)?", text):
            if "UNUSED" not in name:
                table[base + int(offset)] = name
    return table


def mbedtls(include: Path) -> OpenSsl:
    """Return Mbed TLS's errors of the headers that a handshake can end with."""
    table: OpenSsl = {}
    for header in ("ssl", "x509", "pk", "net_sockets"):
        text = (include / f"mbedtls/{header}.h").read_text()
        for name, number in re.findall(r"^#define\s+(MBEDTLS_ERR_\w+)\s+-(0x[0-9A-Fa-f]+)", text, re.M):
            table[-int(number, 16)] = name
    return table


def both(older: OpenSsl, newer: OpenSsl) -> OpenSsl:
    """Return two versions' errors in one table; a number with two meanings has both names, the newer first."""
    joint = {number: f"{name}|{older[number]}" for number, name in newer.items() if older.get(number, name) != name}
    return older | newer | joint


def wolfssl(folder: Path) -> OpenSsl:
    """Return wolfSSL's errors of TLS, and those of wolfCrypt about certificates."""
    table: OpenSsl = {}
    for header, least, most in (("error-ssl.h", -600, -300), ("wolfcrypt/error-crypt.h", -299, -100)):
        for name, number in re.findall(r"^\s*(\w+)\s*=\s*(-\d+)", (folder / header).read_text(), re.M):
            if least <= int(number) <= most and not name.startswith(("MAX_CODE", "WC_LAST", "MIN_CODE")):
                table[int(number)] = name
    return table


def version(package: str) -> str:
    """Return the version of an installed Debian package."""
    command = ["dpkg-query", "-W", "-f", "${Version}", package]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split(":")[-1].split("-")[0]


def module(doc: str, source: str, table: OpenSsl) -> str:
    """Return the text of one module."""
    return "\n".join(
        [f'"""{doc}', "", "Generated by tools/make_error_codes.py from", f"{source}.", '"""', "", *_rows(table), ""]
    )


def _rows(table: OpenSsl) -> Iterator[str]:
    yield "from __future__ import annotations"
    yield ""
    yield f"{NAMES} = {{"
    for number, name in sorted(table.items(), key=lambda row: abs(row[0])):
        yield f'    {number}: "{name}",'
    yield "}"


if __name__ == "__main__":
    main()
