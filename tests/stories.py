"""Connections made by hand for tests of what shows them: small true stories, and one from an enemy."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from tlsalert.model import (
    Alert,
    Alternative,
    Certificate,
    CertificateRequest,
    Certificates,
    ClientHello,
    Clock,
    Clocks,
    Closing,
    Connection,
    EncryptedRecord,
    Endpoint,
    Evidence,
    Extension,
    HandshakeMessage,
    Position,
    ServerHello,
    Side,
    Verdict,
)
from tlsalert.registry.alerts import AlertDescription, AlertLevel

MILLISECOND = 1_000_000
#: ESC and a colour, a newline, a right-to-left override, and a formula for a spreadsheet.
HOSTILE = "=cmd|'/c calc'!A1\x1b[31m\nroot\u202egnp\x9b2J"


def at(text: str) -> int:
    """Return a time in UTC as nanoseconds since 1970."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


START = at("2021-06-17 08:51:09") + 123_456_000


def console() -> Connection:
    """The founding case: a BMC whose clock stands in 2015 refuses a flawless client certificate with 42."""
    return Connection(
        source="console.pcap",
        connection=2,
        client=Endpoint("10.0.0.5", 40112),
        server=Endpoint("10.0.0.7", 5900),
        start=START,
        end=START + 264 * MILLISECOND,
        tls_version="TLS 1.2",
        cipher_suite="TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        ja3="e7d705a3286e19ea42f587b344ee6865",
        client_hello=HELLO,
        server_hello=ANSWER,
        messages=(
            _message("client_hello", 1, "client", 4, 0, 188),
            _message("server_hello", 2, "server", 6, 41, 77),
            _message("certificate", 11, "server", 6, 41, 1002),
            _message("server_key_exchange", 12, "server", 6, 41, 329),
            _message("certificate_request", 13, "server", 6, 41, 34),
            _message("server_hello_done", 14, "server", 6, 41, 0),
            _message("certificate", 11, "client", 8, 58, 998),
            _message("client_key_exchange", 16, "client", 8, 58, 66),
            _message("certificate_verify", 15, "client", 8, 58, 260),
            _message("change_cipher_spec", None, "client", 8, 58, 1),
            _message("encrypted_handshake", None, "client", 8, 58, 40, encrypted=True),
        ),
        alerts=(_alert(AlertDescription.bad_certificate, "server", 9, 264, "encrypted_handshake"),),
        certificates=Certificates(client=(IPMI,), server=(BMC,)),
        certificate_request=CertificateRequest((), ("rsa_pkcs1_sha256",), ("rsa_sign", "ecdsa_sign")),
        clocks=Clocks(START, server=BEHIND),
        closed=Closing("fin", "client", Position(frame=10), START + 265 * MILLISECOND),
        verdict=Verdict(
            outcome="failed",
            summary="The server refused the client's certificate: by the server's clock it is not valid yet.",
            refused_by="server",
            cause="certificate_not_yet_valid",
            confidence=0.99,
            at_fault="server",
            evidence=(
                Evidence(
                    Position(frame=6),
                    "ServerHello.random says 2015-03-12; three handshakes agree to the second",
                ),
                Evidence(Position(frame=8), "the certificate is valid from 2016-05-19"),
                Evidence(None, "OpenSSL answers a certificate that is not yet valid with 42, not with 45"),
            ),
            advice=("set the device's clock; from 2026-05-17 on the certificate itself will be refused (45)",),
            alternatives=(
                Alternative("weak_certificate", 0.006),
                Alternative("certificate_not_pinned", 0.004),
            ),
        ),
    )


def good() -> Connection:
    """A connection without any trouble."""
    return Connection(
        source="console.pcap",
        connection=0,
        client=Endpoint("10.0.0.5", 40110),
        server=Endpoint("2001:db8::7", 443),
        start=START - 30_000 * MILLISECOND,
        end=START,
        tls_version="TLS 1.3",
        cipher_suite="TLS_AES_256_GCM_SHA384",
        server_name="bmc.example.net",
        alpn="h2",
        messages=(
            _message("client_hello", 1, "client", 1, -30_000, 508),
            _message("server_hello", 2, "server", 2, -29_998, 90),
        ),
        clocks=Clocks(START - 30_000 * MILLISECOND),
        verdict=Verdict("established", "The handshake was completed.", cause="normal_close", confidence=0.9),
        application_records=(14, 20),
    )


def unread() -> Connection:
    """A TLS 1.3 connection whose alert can't be read without a key log."""
    return Connection(
        source="tls13.pcap",
        connection=0,
        client=Endpoint("192.0.2.10", 50122),
        server=Endpoint("192.0.2.20", 8443),
        start=START,
        end=START + 6 * MILLISECOND,
        tls_version="TLS 1.3",
        cipher_suite="TLS_AES_256_GCM_SHA384",
        server_name="console.example.net",
        messages=(
            _message("client_hello", 1, "client", 4, 0, 508),
            _message("server_hello", 2, "server", 6, 1, 118),
            _message("change_cipher_spec", None, "server", 6, 1, 1),
            _message("change_cipher_spec", None, "client", 8, 3, 1),
        ),
        encrypted_records=(
            EncryptedRecord(23, "server", Position(frame=6), START + MILLISECOND, 27),
            EncryptedRecord(23, "server", Position(frame=6), START + MILLISECOND, 950),
            EncryptedRecord(23, "server", Position(frame=7), START + MILLISECOND, 281),
            EncryptedRecord(23, "client", Position(frame=8), START + 3 * MILLISECOND, 1010),
            EncryptedRecord(23, "client", Position(frame=8), START + 3 * MILLISECOND, 69),
        ),
        alerts=(
            Alert(
                None,
                None,
                "server",
                Position(frame=9),
                START + 5 * MILLISECOND,
                True,
                False,
                "fatal alert",
                "change_cipher_spec",
            ),
        ),
        closed=Closing("rst", "server", Position(frame=10), START + 6 * MILLISECOND),
        verdict=Verdict(
            "failed",
            "The server ended the handshake with an alert that is encrypted, after the client's certificate.",
            "server",
            advice=("add --keylog, or --client-cert with the certificate that was sent",),
            evidence=(Evidence(Position(frame=9), "a record as long as an alert, then a reset"),),
            alert_lost=False,
        ),
        notes=("the capture ends before both sides have closed",),
    )


def hostile() -> Connection:
    """Every text that strangers can choose tries to steer the terminal, the spreadsheet or the reader."""
    story = console()
    bad = msgspec.structs.replace(
        IPMI,
        subject=f"CN={HOSTILE},O={HOSTILE}",
        issuer=HOSTILE,
        subject_alt_names=(HOSTILE,),
        problems=(HOSTILE,),
    )
    return msgspec.structs.replace(
        story,
        source=HOSTILE,
        server_name=HOSTILE,
        alpn=HOSTILE,
        protocol=HOSTILE,
        certificates=Certificates(client=(bad,), server=(bad, bad)),
        certificate_request=CertificateRequest((HOSTILE,)),
        notes=(HOSTILE,),
        verdict=Verdict(
            "failed",
            HOSTILE,
            "server",
            "bad_certificate_signature",
            advice=(HOSTILE,),
            evidence=(Evidence(None, HOSTILE), Evidence(Position(frame=1), HOSTILE)),
        ),
    )


def bare() -> Connection:
    """A connection of which nothing is known."""
    return Connection(source="nothing.log", connection=0)


def _message(
    name: str, code: int | None, sender: Side, frame: int, after: int, length: int, encrypted: bool = False
) -> HandshakeMessage:
    time = START + after * MILLISECOND
    return HandshakeMessage(name, code, sender, Position(frame=frame), time, length, encrypted)


def _alert(description: AlertDescription, sender: Side, frame: int, after: int, follows: str) -> Alert:
    time = START + after * MILLISECOND
    return Alert(AlertLevel.fatal, description, sender, Position(frame=frame), time, after=follows)


IPMI_NAME = "1.2.840.113549.1.9.1=Email,CN=IPMI,OU=Software,O=Super Micro Computer,L=San Jose,ST=California,C=US"
IPMI = Certificate(
    der=b"0\x82",
    sha256="86f2c91716a42c3ef608e94ad715c660ef0fa6a2ebdc693e347ff2142154c721",
    subject=IPMI_NAME,
    issuer=IPMI_NAME,
    serial="6b0554ee4179d0b298238a090dcbea2f946bbd2",
    not_before=datetime(2016, 5, 19, 9, 46, 36, tzinfo=UTC),
    not_after=datetime(2026, 5, 17, 9, 46, 36, tzinfo=UTC),
    key="RSA 2048",
    signature_algorithm="sha256WithRSAEncryption",
    self_signed=True,
)
BMC = Certificate(
    der=b"0\x81",
    sha256="0d3b317101145607ba0199f98a1211aca825fee3e5eff75c9659f35f6bb739af",
    subject="CN=bmc-17.example.net",
    issuer="CN=Example CA",
    serial="4eba724182879b44134d1b10663dfca60f348520",
    not_before=datetime(2016, 5, 19, 9, 43, 2, tzinfo=UTC),
    not_after=datetime(2026, 5, 17, 9, 43, 2, tzinfo=UTC),
    key="RSA 2048",
    signature_algorithm="sha256WithRSAEncryption",
    subject_alt_names=("bmc-17.example.net", "10.0.0.7"),
    self_signed=False,
)
BEHIND = Clock(at("2015-03-12 05:41:50"), START + 41 * MILLISECOND, "ServerHello.random", 0.99, Position(frame=6), 3)
HELLO = ClientHello(
    legacy_version=0x0303,
    random=bytes(range(32)),
    session_id=b"",
    cipher_suites=(0x0A0A, 0xC030, 0x009D, 0x00FF, 0xEEEE),
    compression_methods=(0,),
    extensions=(
        Extension(0x0A0A, b""),
        Extension(11, b"\3\0\1\2"),
        Extension(13, bytes(22)),
        Extension(0xEEEE, b"1"),
    ),
    versions=(0x0303, 0x7F1C),
    groups=(29, 23, 0xEEEE),
    point_formats=(0, 1, 9),
    signature_schemes=(0x0804, 0x0401),
)
ANSWER = ServerHello(
    legacy_version=0x0303,
    random=bytes.fromhex("5501271e087f2c9c5657297b6dd7b082d99fb2ad4a02acbd43cf29340ccb2225"),
    session_id=bytes(4),
    cipher_suite=0xC030,
    compression_method=0,
    extensions=(Extension(0xFF01, b"\0"),),
    version=0x0303,
)
