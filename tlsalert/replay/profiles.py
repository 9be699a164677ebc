"""ClientHellos of well-known clients, to send where there is no capture to take one from.

Each says in ``source`` where it comes from. Those that were recorded are what the program sends by default to a server
of which it knows the name (``tools/make_profiles.py`` makes them); the others are put together from their sources.
What is fresh in every hello is left out: key shares hold their groups alone, and server_name holds the place of a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tlsalert.model import Extension


@dataclass(frozen=True, slots=True)
class Profile:
    """A client's hello. Numbers are IANA's; ``size`` is what padding fills the message up to, 0 for none."""

    name: str
    source: str
    legacy_version: int
    cipher_suites: tuple[int, ...]
    compression_methods: tuple[int, ...]
    extensions: tuple[Extension, ...]
    session_id_length: int
    record_version: int
    size: int


def _profile(
    name: str,
    source: str,
    suites: str,
    extensions: tuple[tuple[int, str], ...],
    *,
    record_version: int = 0x0301,
    session_id_length: int = 32,
    size: int = 0,
) -> Profile:
    """Make a profile of numbers and bytes in hexadecimal."""
    return Profile(
        name,
        source,
        0x0303,
        tuple(int(suite, 16) for suite in suites.split()),
        (0,),
        tuple(Extension(kind, bytes.fromhex(data)) for kind, data in extensions),
        session_id_length,
        record_version,
        size,
    )


#: OpenSSL 3.0's own lists, which the programs that use it offer as they are.
_OPENSSL_3_SUITES: Final = """
    1302 1303 1301 c02c c030 009f cca9 cca8 ccaa c02b c02f 009e c024 c028 006b c023 c027 0067 c00a c014 0039 c009 c013
    0033 009d 009c 003d 003c 0035 002f 00ff
"""
_OPENSSL_3_GROUPS: Final = "0014 001d 0017 001e 0019 0018 0100 0101 0102 0103 0104"
_OPENSSL_3_SCHEMES: Final = """
    0028 0403 0503 0603 0807 0808 0809 080a 080b 0804 0805 0806 0401 0501 0601 0303 0301 0302 0402 0502 0602
"""
_OPENSSL_3_EXTENSIONS: Final = (
    (0, ""),
    (11, "03 00 01 02"),
    (10, _OPENSSL_3_GROUPS),
    (35, ""),
    (22, ""),
    (23, ""),
    (13, _OPENSSL_3_SCHEMES),
    (43, "08 0304 0303 0302 0301"),
    (45, "01 01"),
    (51, "0004 001d 0000"),
)
_JAVA_17_SCHEMES: Final = """
    002a 0403 0503 0603 0807 0808 0804 0805 0806 0809 080a 080b 0401 0501 0601 0402 0303 0301 0302 0203 0201 0202
"""

_ALL: Final = (
    _profile(
        "openssl-1.0.2",
        "put together: OpenSSL 1.0.2 built without options, ssl/ssl.h (SSL_DEFAULT_CIPHER_LIST"
        " ALL:!EXPORT:!LOW:!aNULL:!eNULL:!SSLv2) and ssl/t1_lib.c (eccurves_auto); equal to public captures",
        """
        c030 c02c c028 c024 c014 c00a 00a5 00a3 00a1 009f 006b 006a 0069 0068 0039 0038 0037 0036 0088 0087 0086 0085
        c032 c02e c02a c026 c00f c005 009d 003d 0035 0084 c02f c02b c027 c023 c013 c009 00a4 00a2 00a0 009e 0067 0040
        003f 003e 0033 0032 0031 0030 009a 0099 0098 0097 0045 0044 0043 0042 c031 c02d c029 c025 c00e c004 009c 003c
        002f 0096 0041 0007 c011 c007 c00c c002 0005 0004 c012 c008 0016 0013 0010 000d c00d c003 000a 00ff
        """,
        (
            (0, ""),
            (11, "03 00 01 02"),
            (10, "001a 0017 0019 001c 001b 0018 001a 0016 000e 000d 000b 000c 0009 000a"),
            (35, ""),
            (13, "001e 0601 0602 0603 0501 0502 0503 0401 0402 0403 0301 0302 0303 0201 0202 0203"),
            (15, "01"),
        ),
        session_id_length=0,
    ),
    _profile(
        "java-8",
        "put together: OpenJDK 8 with extended_master_secret (8u161) and without 3DES (JDK-8175075), before TLS 1.3"
        " came to it: sun.security.ssl.CipherSuite (its order), java.security (jdk.tls.disabledAlgorithms); equal to a"
        " public capture but for the record's version, which is that of Java's own debug output",
        """
        c024 c028 003d c026 c02a 006b 006a c00a c014 0035 c005 c00f 0039 0038 c023 c027 003c c025 c029 0067 0040 c009
        c013 002f c004 c00e 0033 0032 c02c c02b c030 009d c02e c032 009f 00a3 c02f 009c c02d c031 009e 00a2 00ff
        """,
        (
            (10, "0014 0017 0018 0019 0009 000a 000b 000c 000d 000e 0016"),
            (11, "01 00"),
            (13, "001a 0603 0601 0503 0501 0403 0401 0402 0303 0301 0302 0203 0201 0202"),
            (23, ""),
            (0, ""),
        ),
        record_version=0x0303,
        session_id_length=0,
    ),
    _profile(
        "openssl-3.0",
        "recorded: openssl s_client 3.0.19 (Debian 12)",
        _OPENSSL_3_SUITES,
        _OPENSSL_3_EXTENSIONS,
    ),
    _profile(
        "openssl-4.0",
        "recorded: OpenSSL 4.0.3 through pyOpenSSL 26.4.0 (a context of TLS_CLIENT_METHOD, nothing set)",
        """
        1302 1303 1301 c02c c030 009f cca9 cca8 ccaa c02b c02f 009e c024 c028 006b c023 c027 0067 c00a c014 0039 c009
        c013 0033 009d 009c 003d 003c 0035 002f
        """,
        (
            (65281, "00"),
            (11, "01 00"),
            (10, "0016 11ec 11eb 11ee 001d 0017 001e 0018 0019 0029 0100 0101"),
            (35, ""),
            (22, ""),
            (23, ""),
            (
                13,
                "0036 0905 0906 0904 0403 0503 0603 0807 0808 081a 081b 081c 0809 080a 080b 0804 0805 0806 0401 0501"
                "0601 0303 0301 0302 0402 0502 0602 0708",
            ),
            (43, "04 0304 0303"),
            (45, "01 01"),
            (51, "0008 11ec 0000 001d 0000"),
            (0, ""),
        ),
    ),
    _profile(
        "curl-7.88",
        "recorded: curl 7.88.1 with OpenSSL 3.0.19 (Debian 12), an https URL",
        _OPENSSL_3_SUITES,
        (
            (0, ""),
            (11, "03 00 01 02"),
            (10, _OPENSSL_3_GROUPS),
            (16, "000c 02 6832 08 687474702f312e31"),
            (22, ""),
            (23, ""),
            (49, ""),
            (13, _OPENSSL_3_SCHEMES),
            (43, "08 0304 0303 0302 0301"),
            (45, "01 01"),
            (51, "0004 001d 0000"),
            (21, ""),
        ),
        size=512,
    ),
    _profile(
        "python-3.11",
        "recorded: ssl.create_default_context of CPython 3.11.2 with OpenSSL 3.0.19 (Debian 12)",
        _OPENSSL_3_SUITES,
        (*_OPENSSL_3_EXTENSIONS, (21, "")),
        size=512,
    ),
    _profile(
        "java-17",
        "recorded: the default SSLSocketFactory of OpenJDK 17.0.15 (Debian 12)",
        """
        1302 1301 1303 c02c c02b cca9 c030 cca8 c02f 009f ccaa 00a3 009e 00a2 c024 c028 c023 c027 006b 006a 0067 0040
        c00a c014 c009 c013 0039 0038 0033 0032 009d 009c 003d 003c 0035 002f 00ff
        """,
        (
            (0, ""),
            (5, "01 0000 0000"),
            (10, "0014 001d 0017 0018 0019 001e 0100 0101 0102 0103 0104"),
            (11, "01 00"),
            (17, "0007 02 0004 0000 0000"),
            (23, ""),
            (35, ""),
            (13, _JAVA_17_SCHEMES),
            (43, "04 0304 0303"),
            (45, "01 01"),
            (50, _JAVA_17_SCHEMES),
            (51, "0008 001d 0000 0017 0000"),
        ),
        record_version=0x0303,
    ),
    _profile(
        "node-20",
        "recorded: tls.connect of Node.js 20.20.2 with the OpenSSL that Debian 12 gives it",
        """
        1302 1303 1301 c02f c02b c030 c02c 009e c027 0067 c028 006b 00a3 009f cca9 cca8 ccaa c0af c0ad c0a3 c09f c05d
        c061 c057 c053 00a2 c0ae c0ac c0a2 c09e c05c c060 c056 c052 c024 006a c023 0040 c00a c014 0039 0038 c009 c013
        0033 0032 009d c0a1 c09d c051 009c c0a0 c09c c050 003d 003c 0035 002f 00ff
        """,
        (
            (0, ""),
            (11, "03 00 01 02"),
            (10, _OPENSSL_3_GROUPS),
            (35, ""),
            (22, ""),
            (23, ""),
            (13, _OPENSSL_3_SCHEMES),
            (43, "04 0304 0303"),
            (45, "01 01"),
            (51, "0004 001d 0000"),
        ),
    ),
    _profile(
        "gnutls-3.7",
        "recorded: gnutls-cli 3.7.9 (Debian 12)",
        """
        1302 1303 1301 1304 c02c cca9 c0ad c00a c02b c0ac c009 c030 cca8 c014 c02f c013 009d c09d 0035 009c c09c 002f
        009f ccaa c09f 0039 009e c09e 0033
        """,
        (
            (5, "01 0000 0000"),
            (10, "0014 0017 0018 0019 001d 001e 0100 0101 0102 0103 0104"),
            (11, "01 00"),
            (13, "0020 0401 0809 0804 0403 0807 0501 080a 0805 0503 0808 0601 080b 0806 0603 0201 0203"),
            (22, ""),
            (23, ""),
            (35, ""),
            (51, "0008 0017 0000 001d 0000"),
            (43, "08 0304 0303 0302 0301"),
            (65281, "00"),
            (0, ""),
            (45, "02 01 00"),
            (28, "4001"),
        ),
    ),
)

#: The profiles by their names.
PROFILES: Final = {profile.name: profile for profile in _ALL}
