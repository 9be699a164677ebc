"""How TLS libraries spell what has a name of IANA's: messages, alerts, versions, cipher suites, names of people."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from tlsalert.registry.alerts import AlertDescription
from tlsalert.registry.cipher_suites import CipherSuite
from tlsalert.registry.handshake_types import HandshakeType

_LETTERS: Final = re.compile(r"[^a-z0-9]+")

#: Handshake messages by their letters alone, in the words of OpenSSL (-msg, -trace), curl, GnuTLS and JSSE where those
#: are not the RFC's.
_MESSAGES: Final = {
    "helloverifyrequest": 3,
    "sessionticket": 4,
    "serverhellodone": 14,
    "serverfinished": 14,  # curl's name for ServerHelloDone
    "requestcert": 13,
    "certverify": 15,
    "certstatus": 22,
    "keyexchange": 12,
    "serverdone": 14,
    "servercertificate": 11,
    "servercertificaterequest": 13,
    "servercertificateverify": 15,
    "clientcertificate": 11,
    "serversessionticket": 4,
    "certificatestatus": 22,
    "keyupdate": 24,
    "newsessionticket": 4,
    "endofearlydata": 5,
    "clientcertificateverify": 15,
    "compressedcertificate": 25,
    "servercompressedcertificate": 25,
    "clientcompressedcertificate": 25,
}
#: Alerts whose words are not the RFC's: OpenSSL's long strings, Go's, GnuTLS's, NSS's.
_ALERTS: Final = {
    "ssl30nocertificate": 41,
    "nocertificate": 41,
    "badcert": 42,
    "expiredcert": 45,
    "revokedcert": 44,
    "handshakefailurealert": 40,
    "handshakeunexpected": 10,
    "badmac": 20,
    "unsupportedcert": 43,
    "certificatewasrevoked": 44,
    "revokedcertificate": 44,
    "certificateisbad": 42,
    "certificateisnotsupported": 43,
    "certificatehasexpired": 45,
    "expiredcertificate": 45,
    "unknowncertificate": 46,
    "caisunknown": 48,
    "unknowncertificateauthority": 48,
    "accesswasdenied": 49,
    "decodeerror": 50,
    "errordecodingmessage": 50,
    "errordecryptingmessage": 51,
    "decryptionoccurredfailed": 51,
    "decrypterror": 51,
    "handshakefailed": 40,
    "certificateisrequired": 116,
    "errorinprotocolversion": 70,
    "protocolversionnotsupported": 70,
    "insufficientsecuritylevel": 71,
    "usercanceled": 90,
    "unexpectedpacketwasreceived": 10,
    "badrecordmac": 20,
    "illegalparameter": 47,
    "anillegalparameterhasbeenreceived": 47,
    "norenegotiationisallowed": 100,
    "unsupportedextension": 110,
    "anunsupportedextensionwassent": 110,
    "theservernamesentwasnotrecognized": 112,
    "unrecognizedname": 112,
    "unrecognizedservername": 112,
    "tlsalertunknownpskidentity": 115,
    "noapplicationprotocolcouldbenegotiated": 120,
    "badcertificatestatusresponse": 113,
    "certificateunobtainable": 111,
    "badcertificatehashvalue": 114,
}


def letters(text: str) -> str:
    """Return what is left of a name without case and punctuation."""
    return _LETTERS.sub("", text.lower())


def _by_letters(names: dict[str, int]) -> dict[str, int]:
    return {letters(name): code for name, code in names.items()}


_ALL_MESSAGES: Final = {
    **_by_letters({name: int(member) for name, member in HandshakeType.__members__.items()}),
    **_MESSAGES,
}
_ALL_ALERTS: Final = {
    **_by_letters({name: int(member) for name, member in AlertDescription.__members__.items()}),
    **_ALERTS,
}


def message_code(name: str) -> int | None:
    """Return the handshake type of a message's name, in any library's spelling."""
    return _ALL_MESSAGES.get(letters(name))


def alert_code(name: str) -> int | None:
    """Return the number of an alert's name, in any library's spelling."""
    return _ALL_ALERTS.get(letters(name))


_VERSION: Final = re.compile(r"(?i)(tls|ssl|dtls)\s*v?\s*([0-9])(?:[._]([0-9]))?(?![0-9])")


def version_name(text: str) -> str | None:
    """Return a version as it is called here ("TLS 1.2") from a library's name of it ("TLSv1.2", "SSLv3", "TLS1.3")."""
    found = _VERSION.search(text)
    if found is None:
        return None
    kind, major, minor = found[1].upper(), found[2], found[3]
    if kind == "SSL":
        return f"SSLv{major}" if major in "23" else None
    return f"{kind} {major}.{minor or 0}"


@lru_cache(maxsize=512)
def cipher_name(text: str) -> str | None:
    """Return IANA's name of a cipher suite from OpenSSL's ("ECDHE-RSA-AES256-GCM-SHA384") or GnuTLS's; None: unknown.

    OpenSSL's names leave out what was the rule once: RSA as the key exchange, CBC as the mode.
    """
    if text in CipherSuite.__members__:
        return text
    if text.startswith("GNUTLS_"):
        return _gnutls_cipher(text[7:])
    return _openssl_cipher(text)


#: Key exchanges as OpenSSL's names begin, and as IANA's do.
_EXCHANGES: Final = (
    *(("ECDHE-ECDSA-", "ECDHE_ECDSA"), ("ECDHE-RSA-", "ECDHE_RSA"), ("ECDHE-PSK-", "ECDHE_PSK")),
    *(("ECDH-ECDSA-", "ECDH_ECDSA"), ("ECDH-RSA-", "ECDH_RSA"), ("AECDH-", "ECDH_anon"), ("ADH-", "DH_anon")),
    *(("DHE-RSA-", "DHE_RSA"), ("DHE-DSS-", "DHE_DSS"), ("EDH-RSA-", "DHE_RSA"), ("EDH-DSS-", "DHE_DSS")),
    *(("DH-RSA-", "DH_RSA"), ("DH-DSS-", "DH_DSS"), ("DHE-PSK-", "DHE_PSK"), ("RSA-PSK-", "RSA_PSK"), ("PSK-", "PSK")),
    *(("SRP-RSA-", "SRP_SHA_RSA"), ("SRP-DSS-", "SRP_SHA_DSS"), ("SRP-", "SRP_SHA"), ("", "RSA")),
)
_CIPHERS: Final = {
    "DES-CBC3": "3DES_EDE_CBC",
    "3DES-EDE-CBC": "3DES_EDE_CBC",
    "DES-CBC": "DES_CBC",
    "RC4": "RC4_128",
    "IDEA-CBC": "IDEA_CBC",
    "SEED": "SEED_CBC",
    "NULL": "NULL",
    "CHACHA20-POLY1305": "CHACHA20_POLY1305",
}


def _openssl_cipher(text: str) -> str | None:
    begins, exchange = next(pair for pair in _EXCHANGES if text.startswith(pair[0]))
    rest = text[len(begins) :]
    if rest == "CHACHA20-POLY1305":
        rest += "-SHA256"
    block = re.fullmatch(r"(AES|CAMELLIA|ARIA)(128|256)(?:-(GCM|CCM8|CCM|CBC))?(?:-(SHA\d*))?", rest)
    if block is not None:
        mode = block[3] or "CBC"
        name = f"TLS_{exchange}_WITH_{block[1]}_{block[2]}_{mode}"
        if mode.startswith("CCM"):
            name = name.replace("CCM8", "CCM_8")
        else:
            name += f"_{block[4]}"
    else:
        cipher, _, digest = rest.rpartition("-")
        name = f"TLS_{exchange}_WITH_{_CIPHERS.get(cipher, cipher)}_{digest}"
    return name if name in CipherSuite.__members__ else None


def _gnutls_cipher(text: str) -> str | None:
    plain = re.sub(r"SHA1$", "SHA", text)
    if f"TLS_{plain}" in CipherSuite.__members__:
        return f"TLS_{plain}"
    for kind in ("ECDHE_ECDSA_", "ECDHE_RSA_", "ECDHE_PSK_", "DHE_RSA_", "DHE_DSS_", "DHE_PSK_", "RSA_PSK_", "RSA_"):
        if plain.startswith(kind):
            tail = plain[len(kind) :]
            tail += "_SHA256" if tail == "CHACHA20_POLY1305" else ""
            name = f"TLS_{kind}WITH_{tail}"
            return name if name in CipherSuite.__members__ else None
    return None


_PART: Final = re.compile(r"(?:^|[,/]\s*)([A-Za-z][A-Za-z0-9]*|[0-9.]+)\s*=\s*")


_SPECIAL: Final = re.compile(r"[,+<>;]")


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[0]


def name_in_order(text: str) -> str:
    """Return a name that is written from the root down ("/C=US/CN=a", "C = US, CN = a") as RFC 4514 text.

    Text that is no such name is given back as it is: a value may hold what separates parts, and is not guessed at.
    """
    text = text.strip()
    slashes = text.startswith("/")
    marks = list(re.finditer(r"/([A-Za-z][A-Za-z0-9]*|[0-9.]+)=" if slashes else _PART.pattern, text))
    if not marks or marks[0].start():
        return text
    parts = []
    for at, mark in enumerate(marks):
        stop = marks[at + 1].start() if at + 1 < len(marks) else len(text)
        value = text[mark.end() : stop].strip()
        quoted = len(value) > 1 and value[0] == value[-1] == '"'
        value = value[1:-1].replace("\\", "") if quoted else value
        parts.append(f"{mark[1]}={_SPECIAL.sub(_escaped, value)}")
    return ",".join(reversed(parts))
