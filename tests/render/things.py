"""Things that were found, for the tests of how they are shown."""

from __future__ import annotations

from datetime import UTC, datetime

from tlsalert.model import Certificate
from tlsalert.pki.found import Damage, Found, Use
from tlsalert.secrets.secret import Secret

AT = datetime(2021, 6, 17, tzinfo=UTC)
BEGINS, ENDS = datetime(2016, 5, 19, 9, 46, 36, tzinfo=UTC), datetime(2026, 5, 17, 9, 46, 36, tzinfo=UTC)
JAR = "fw.bin!cramfs@0x400000:/console.jar"
USE = Use(
    "fw.bin!cramfs@0x400000:/etc/stunnel.conf", "stunnel", "ikvm", "CAfile", (("accept", "5900"), ("verify", "3"))
)

CLIENT = Found(
    f"{JAR}!/res/client.crt",
    "certificate",
    "86f2" * 16,
    "3a18" * 16,
    "CN=IPMI,O=Super Micro Computer",
    "CN=IPMI,O=Super Micro Computer",
    "6b05",
    BEGINS,
    ENDS,
    "RSA 2048",
    fits=(f"{JAR}!/res/client.key",),
    issued_by=(f"{JAR}!/res/client.crt", "other.crt"),
    duplicates=("other.crt",),
    used_by=(USE,),
    certificate=Certificate(b"", "", self_signed=True),
)
KEY = Found(
    f"{JAR}!/res/client.key",
    "private_key",
    "aaaa" * 16,
    "3a18" * 16,
    key="RSA 2048",
    fits=(f"{JAR}!/res/client.crt",),
    problems=("the private key comes with fw.bin: who has that file has the key",),
    secret=Secret(b"the secret itself"),
)
HOSTILE = Found(
    "a\x1b[31m\n.crt",
    "certificate",
    "cccc" * 16,
    None,
    'CN=\u202eevil"\\,\n;=cmd()',
    "=HYPERLINK()",
    not_before=ENDS,
    not_after=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    problems=("not valid yet: it begins on 2026-05-17, in 1795 days",),
)
EXPIRED = Found(
    "old.crt", "certificate", "dddd" * 16, None, "CN=old", "CN=root", "1", datetime(1999, 1, 1, tzinfo=UTC), BEGINS
)
STORE = Found("s.p12", "keystore", "eeee" * 16, key="PKCS #12", encrypted=True)
FOUND = (CLIENT, KEY, HOSTILE, EXPIRED, STORE)
DAMAGE = (Damage("fw.bin!/b\x1b.crt", "the member is damaged"),)
