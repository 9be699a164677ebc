"""Every type of handshake message has a decoded form; what breaks its grammar becomes a problem, never an exception."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pki.test_ocsp import answer, response, revoked
from tests.wire import tls
from tests.wire.tls import TLS10, TLS12, TLS13, extensions_block, u16, vector
from tlsalert.messages import (
    CertificateEntry,
    CertificateMessage,
    CertificateRequestMessage,
    CertificateStatus,
    CertificateUrl,
    CertificateVerify,
    ChannelId,
    CompressedCertificate,
    Contents,
    EktKey,
    EncryptedExtensions,
    EndOfEarlyData,
    Finished,
    HelloRequest,
    HelloRetryRequest,
    HelloVerifyRequest,
    KeyUpdate,
    MessageHash,
    NewConnectionId,
    NewSessionTicket,
    NextProtocol,
    OidFilter,
    RequestConnectionId,
    ServerHelloDone,
    ServerKeyExchange,
    Signature,
    SupplementalData,
    UnknownMessage,
    UrlAndHash,
)
from tlsalert.model import ClientHello, Extension, ServerHello
from tlsalert.pki.ocsp import read_ocsp
from tlsalert.registry.handshake_types import HandshakeType
from tlsalert.wire.contents import MOST_ENTRIES, READERS, read_contents, tls_version

NOT_KNOWN = -1
SUITE, SUITE_13 = 0xC02F, 0x1301
OCSP = response(answer(revoked(1)))
BROKEN_OCSP = response() + b"!"
ALPN = tls.alpn(b"h2")
CERTIFICATE_13 = tls.certificate_list_13(b"one", b"two")


def u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def test_every_listed_type_has_a_reader_and_nothing_else_has() -> None:
    assert READERS.keys() == {member.value for member in HandshakeType if member.name in HandshakeType.__members__}


TICKET_13 = u32(7200) + u32(0xFFFFFFFF) + vector(1, b"\0\1") + vector(2, b"ticket")


@pytest.mark.parametrize(
    ("kind", "version", "body", "says"),
    [
        pytest.param(0, TLS12, b"", HelloRequest(), id="hello_request"),
        pytest.param(
            3, 0xFEFD, u16(0xFEFF) + vector(1, b"cookie"), HelloVerifyRequest(0xFEFF, b"cookie"), id="hello_verify"
        ),
        pytest.param(4, TLS12, u32(300) + vector(2, b"ticket"), NewSessionTicket(300, b"ticket"), id="ticket"),
        pytest.param(4, TLS12, u32(0) + vector(2, b""), NewSessionTicket(), id="empty ticket, RFC 5077 §3.3"),
        pytest.param(
            4,
            TLS13,
            TICKET_13 + extensions_block([(42, u32(16384))]),
            NewSessionTicket(7200, b"ticket", 0xFFFFFFFF, b"\0\1", 16384, (Extension(42, u32(16384)),)),
            id="ticket of TLS 1.3",
        ),
        pytest.param(
            4,
            0,
            TICKET_13 + extensions_block([]),
            NewSessionTicket(7200, b"ticket", 0xFFFFFFFF, b"\0\1"),
            id="ticket whose form tells the version",
        ),
        pytest.param(5, TLS13, b"", EndOfEarlyData(), id="end_of_early_data"),
        pytest.param(
            6,
            0x7F12,
            u16(0x7F12) + extensions_block([(40, u16(29))]),
            HelloRetryRequest(0x7F12, None, (Extension(40, u16(29)),)),
            id="hello_retry_request, draft 18",
        ),
        pytest.param(
            6,
            0x7F13,
            u16(0x7F13, 0x1301) + extensions_block([(40, u16(29))]),
            HelloRetryRequest(0x7F13, 0x1301, (Extension(40, u16(29)),)),
            id="hello_retry_request, draft 19",
        ),
        pytest.param(8, TLS13, extensions_block([ALPN]), EncryptedExtensions((Extension(*ALPN),)), id="ee"),
        pytest.param(9, 0xFEFC, b"\x03", RequestConnectionId(3), id="request_connection_id"),
        pytest.param(
            10,
            0xFEFC,
            vector(2, vector(1, b"cid") + vector(1, b"")) + b"\x01",
            NewConnectionId((b"cid", b""), 1),
            id="new_connection_id",
        ),
        pytest.param(
            11,
            TLS12,
            tls.certificate_list(b"one", b"two"),
            CertificateMessage(None, (CertificateEntry(b"one"), CertificateEntry(b"two"))),
            id="certificate",
        ),
        pytest.param(
            11,
            TLS13,
            vector(1, b"ctx") + vector(3, vector(3, b"one") + extensions_block([(18, b"")])),
            CertificateMessage(
                b"ctx", (CertificateEntry(b"one", (Extension(18, b""),)),), ("extension 18: it is empty",)
            ),
            id="certificate of TLS 1.3",
        ),
        pytest.param(
            11,
            0,
            CERTIFICATE_13,
            CertificateMessage(b"", (CertificateEntry(b"one"), CertificateEntry(b"two"))),
            id="certificate whose form tells the version",
        ),
        pytest.param(
            12, TLS12, b"", ServerKeyExchange("ECDHE_RSA", problems=("curve_type needs 1 bytes, 0 left",)), id="ske"
        ),
        pytest.param(
            13,
            TLS12,
            vector(1, b"\1\x40") + vector(2, u16(0x0401)) + vector(2, vector(2, b"dn")),
            CertificateRequestMessage(None, (1, 64), (0x0401,), None, (b"dn",)),
            id="certificate_request",
        ),
        pytest.param(
            13,
            TLS10,
            vector(1, b"\1") + vector(2, vector(2, b"dn")),
            CertificateRequestMessage(None, (1,), (), None, (b"dn",)),
            id="certificate_request before TLS 1.2",
        ),
        pytest.param(
            13,
            0,
            vector(1, b"\1") + vector(2, vector(2, b"dn")),
            CertificateRequestMessage(None, (1,), (), None, (b"dn",)),
            id="certificate_request whose form tells the version",
        ),
        pytest.param(14, TLS12, b"", ServerHelloDone(), id="server_hello_done"),
        pytest.param(
            15, TLS12, u16(0x0804) + vector(2, b"sig"), CertificateVerify(Signature(0x0804, b"sig")), id="verify"
        ),
        pytest.param(15, TLS10, vector(2, b"sig"), CertificateVerify(Signature(None, b"sig")), id="verify, TLS 1.0"),
        pytest.param(
            15, 0xFEFD, u16(0x0401) + vector(2, b""), CertificateVerify(Signature(0x0401, b"")), id="verify, DTLS 1.2"
        ),
        pytest.param(20, TLS12, b"v" * 12, Finished(b"v" * 12), id="finished"),
        pytest.param(
            21,
            TLS12,
            b"\x01" + vector(2, vector(2, b"http://a/") + b"\x01" + b"h" * 20 + vector(2, b"http://b/") + b"\0"),
            CertificateUrl(1, (UrlAndHash("http://a/", b"h" * 20), UrlAndHash("http://b/", None))),
            id="certificate_url",
        ),
        pytest.param(
            22, TLS12, b"\x01" + vector(3, OCSP), CertificateStatus(1, (read_ocsp(OCSP),)), id="certificate_status"
        ),
        pytest.param(
            22,
            TLS12,
            b"\x02" + vector(3, vector(3, OCSP) + vector(3, b"") + vector(3, BROKEN_OCSP)),
            CertificateStatus(
                2, (read_ocsp(OCSP), None, read_ocsp(BROKEN_OCSP)), ("1 bytes follow the OCSP response",)
            ),
            id="certificate_status of several",
        ),
        pytest.param(
            22, TLS12, b"\x09??", CertificateStatus(9, (), ("status_type 9 is not known",)), id="other status"
        ),
        pytest.param(
            23, TLS12, vector(3, u16(0) + vector(2, b"upn")), SupplementalData(((0, b"upn"),)), id="supplemental_data"
        ),
        pytest.param(24, TLS13, b"\x01", KeyUpdate(1), id="key_update"),
        pytest.param(
            24, TLS13, b"\x07", KeyUpdate(7, ("request_update 7 is not known",)), id="key_update of another kind"
        ),
        pytest.param(
            25,
            TLS13,
            u16(1) + len(CERTIFICATE_13).to_bytes(3, "big") + vector(3, zlib.compress(CERTIFICATE_13)),
            CompressedCertificate(
                1,
                len(CERTIFICATE_13),
                len(zlib.compress(CERTIFICATE_13)),
                CertificateMessage(b"", (CertificateEntry(b"one"), CertificateEntry(b"two"))),
            ),
            id="compressed_certificate",
        ),
        pytest.param(
            25,
            TLS13,
            u16(9) + b"\0\0\5" + vector(3, b"????"),
            CompressedCertificate(9, 5, 4, None, ("compression algorithm 9 is not known",)),
            id="compressed_certificate in another way",
        ),
        pytest.param(
            26,
            0xFEFD,
            vector(2, b"key") + vector(2, b"salt") + u16(7) + b"\0\1\0",
            EktKey(b"key", b"salt", 7, 256),
            id="ekt_key",
        ),
        pytest.param(67, TLS12, vector(1, b"h2") + vector(1, bytes(28)), NextProtocol("h2", 28), id="next_protocol"),
        pytest.param(
            203, TLS12, u16(30032) + vector(2, bytes(128)), ChannelId((Extension(30032, bytes(128)),)), id="channel_id"
        ),
        pytest.param(254, TLS13, b"h" * 32, MessageHash(b"h" * 32), id="message_hash"),
        pytest.param(99, TLS12, b"what", UnknownMessage(99, b"what"), id="unknown"),
    ],
)
def test_a_message_says(kind: int, version: int, body: bytes, says: Contents) -> None:
    assert read_contents(kind, body, version, SUITE) == says


@pytest.mark.parametrize("kind", [13, 17])
def test_a_request_of_tls_1_3_has_all_in_its_extensions(kind: int) -> None:
    """RFC 8446 §4.3.2, RFC 9261 §4."""
    extensions = [
        (13, vector(2, u16(0x0804))),
        (50, vector(2, u16(0x0401))),
        (47, vector(2, vector(2, b"dn"))),
        (48, vector(2, vector(1, b"oid") + vector(2, b"values"))),
        (5, b""),
    ]
    body = vector(1, b"ctx") + extensions_block(extensions)
    assert read_contents(kind, body, TLS13, SUITE_13) == CertificateRequestMessage(
        b"ctx",
        (),
        (0x0804,),
        (0x0401,),
        (b"dn",),
        (OidFilter(b"oid", b"values"),),
        tuple(Extension(*one) for one in extensions),
    )


def test_an_extension_of_a_request_that_is_broken_is_left_out_and_told() -> None:
    body = vector(1, b"") + extensions_block([(13, b"\0"), (47, vector(2, vector(2, b"dn")))])
    found = read_contents(13, body, TLS13, SUITE_13)
    assert isinstance(found, CertificateRequestMessage)
    assert (found.schemes, found.authorities) == ((), (b"dn",))
    assert found.problems == ("extension 13: list needs 2 bytes, 1 left",)


def test_the_hellos_are_those_of_the_model() -> None:
    client = read_contents(1, tls.client_hello(), 0, NOT_KNOWN)
    server = read_contents(2, tls.server_hello(), 0, NOT_KNOWN)
    assert isinstance(client, ClientHello)
    assert isinstance(server, ServerHello)
    assert server.cipher_suite == tls.ECDHE_RSA_AES_128_GCM


@pytest.mark.parametrize(
    ("kind", "version", "body", "problem"),
    [
        (0, TLS12, b"!", "hello_request has 1 bytes too many"),
        (3, TLS12, b"\xfe\xff\x05abc", "cookie claims 5 bytes, 3 left"),
        (4, TLS12, b"\0\0\1\x2c\0\x09abc", "ticket claims 9 bytes, 3 left"),
        (4, TLS13, TICKET_13, "extensions needs 2 bytes, 0 left"),
        (5, TLS13, b"!", "end_of_early_data has 1 bytes too many"),
        (6, 0x7F12, b"\x7f", "server_version needs 2 bytes, 1 left"),
        (8, TLS13, b"\0\x09", "extensions claims 9 bytes, 0 left"),
        (8, TLS13, b"\0\0!", "encrypted_extensions has 1 bytes too many"),
        (9, TLS13, b"", "num_cids needs 1 bytes, 0 left"),
        (10, TLS13, b"\0\0", "usage needs 1 bytes, 0 left"),
        (11, TLS12, b"\0\0\x09\0\0\x08abc", "certificate_list claims 9 bytes, 6 left"),
        (11, TLS13, b"\0\0\0\4\0\0\1c", "extensions needs 2 bytes, 0 left"),
        (13, TLS12, b"\1", "certificate_types claims 1 bytes, 0 left"),
        (13, TLS13, b"\1", "certificate_request_context claims 1 bytes, 0 left"),
        (14, TLS12, b"!", "server_hello_done has 1 bytes too many"),
        (15, TLS12, b"\x08\x04\0\x05sig", "signature claims 5 bytes, 3 left"),
        (20, TLS12, b"", "verify_data is empty"),
        (21, TLS12, b"\0\0\x03\0\1u", "padding needs 1 bytes, 0 left"),
        (22, TLS12, b"\1\0\0\5\x30", "OCSPResponse claims 5 bytes, 1 left"),
        (23, TLS12, b"\0\0\2\0\0", "supp_data_entry needs 2 bytes, 0 left"),
        (24, TLS13, b"\1\2", "key_update has 1 bytes too many"),
        (25, TLS13, b"\0\1\xff\xff\xff\0\0\1x", "uncompressed_length claims 16777215 bytes, 1048576 are allowed"),
        (26, TLS12, b"\0\1k", "srtp_master_salt needs 2 bytes, 0 left"),
        (67, TLS12, b"\x02h2", "padding needs 1 bytes, 0 left"),
        (203, TLS12, b"\x75\x50\0\x80", "extension 30032 claims 128 bytes, 0 left"),
    ],
)
def test_what_breaks_the_grammar_is_a_problem(kind: int, version: int, body: bytes, problem: str) -> None:
    assert read_contents(kind, body, version, SUITE).problems == (problem,)


def test_what_was_read_before_is_kept() -> None:
    body = vector(1, b"") + vector(3, vector(3, b"one") + vector(2, b"") + b"\0\0\x09tw")
    found = read_contents(11, body, TLS13, SUITE_13)
    assert found == CertificateMessage(b"", (CertificateEntry(b"one"),), ("certificate claims 9 bytes, 2 left",))


@pytest.mark.parametrize(
    ("kind", "version", "entry"),
    [(11, TLS12, vector(3, b"")), (11, TLS13, vector(3, b"") + vector(2, b"")), (23, TLS12, u16(0, 0))],
)
def test_a_list_without_end_is_kept_to_a_limit_and_says_so(kind: int, version: int, entry: bytes) -> None:
    context = b"\0" if version == TLS13 else b""
    found: Any = read_contents(kind, context + vector(3, entry * (MOST_ENTRIES + 1)), version, SUITE)
    assert len(found.entries) == MOST_ENTRIES
    assert "only the first ones are told" in found.problems[0]


def test_so_are_channel_ids_and_stapled_responses() -> None:
    channel: Any = read_contents(203, u16(30032, 0) * (MOST_ENTRIES + 1), TLS12, SUITE)
    stapled: Any = read_contents(22, b"\2" + vector(3, vector(3, b"") * (MOST_ENTRIES + 1)), TLS12, SUITE)
    assert (len(channel.extensions), len(stapled.responses)) == (MOST_ENTRIES, MOST_ENTRIES)
    assert "only the first ones are told" in channel.problems[0]
    assert "only the first ones are told" in stapled.problems[0]


@pytest.mark.parametrize("kind", sorted(READERS))
@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"\0\1", b"\1\0\0"])
def test_the_longest_message_that_is_kept_fills_no_memory_with_problems(kind: int, fill: bytes) -> None:
    for version in (0, TLS10, TLS12, TLS13):
        assert len(read_contents(kind, fill * ((1 << 20) // len(fill)), version, SUITE).problems) < 100


@pytest.mark.parametrize(
    ("wire", "tls_form"),
    [
        (0x0301, 0x0301),
        (0x0304, 0x0304),
        (0, 0),
        (0xFEFF, 0x0302),
        (0x0100, 0x0302),
        (0x0101, 0x0302),
        (0xFEFD, 0x0303),
        (0xFEFC, 0x0304),
        (0x7F1C, 0x0304),
        (0xFB1A, 0x0304),
    ],
)
def test_dtls_tlcp_and_the_drafts_have_the_forms_of_a_version_of_tls(wire: int, tls_form: int) -> None:
    assert tls_version(wire) == tls_form


@pytest.mark.parametrize(
    ("kind", "version", "body"),
    [
        (3, 0xFEFD, u16(0xFEFD) + vector(1, b"cookie")),
        (4, TLS12, u32(300) + vector(2, b"ticket")),
        (4, TLS13, TICKET_13 + extensions_block([(42, u32(16384))])),
        (8, TLS13, extensions_block([ALPN, (28, u16(64))])),
        (10, TLS13, vector(2, vector(1, b"cid")) + b"\0"),
        (11, TLS12, tls.certificate_list(b"one", b"two")),
        (11, TLS13, CERTIFICATE_13),
        (12, TLS12, b"\x03" + u16(29) + vector(1, bytes(32)) + u16(0x0804) + vector(2, bytes(64))),
        (13, TLS12, vector(1, b"\1") + vector(2, u16(0x0401)) + vector(2, vector(2, b"dn"))),
        (13, TLS13, vector(1, b"") + extensions_block([(13, vector(2, u16(0x0401)))])),
        (15, TLS12, u16(0x0804) + vector(2, bytes(64))),
        (16, TLS12, vector(1, bytes(32))),
        (21, TLS12, b"\0" + vector(2, vector(2, b"http://a/") + b"\1" + bytes(20))),
        (22, TLS12, b"\x01" + vector(3, OCSP)),
        (23, TLS12, vector(3, u16(0) + vector(2, b"upn"))),
        (25, TLS13, u16(1) + u32(len(CERTIFICATE_13))[1:] + vector(3, zlib.compress(CERTIFICATE_13))),
        (26, TLS12, vector(2, b"key") + vector(2, b"salt") + u16(7) + b"\0\1\0"),
        (67, TLS12, vector(1, b"h2") + vector(1, bytes(28))),
    ],
)
def test_a_message_that_was_cut_anywhere_says_so(kind: int, version: int, body: bytes) -> None:
    whole = read_contents(kind, body, version, SUITE)
    assert whole.problems == ()
    for end in range(1, len(body)):
        assert read_contents(kind, body[:end], version, SUITE).problems, f"the first {end} bytes"
    assert read_contents(kind, body + b"\0", version, SUITE).problems


KINDS = st.one_of(st.sampled_from(sorted(READERS)), st.integers(0, 255))
VERSIONS = st.sampled_from([0, 2, 0x0101, 0x0300, 0x0301, 0x0303, 0x0304, 0x7F12, 0xFEFF, 0xFEFD, 0xFEFC, 0xFFFF])


@given(kind=KINDS, body=st.binary(max_size=300), version=VERSIONS, suite=st.sampled_from([-1, SUITE, SUITE_13, 0x2F]))
def test_any_bytes_are_a_value(kind: int, body: bytes, version: int, suite: int) -> None:
    found = read_contents(kind, body, version, suite)
    assert all(isinstance(problem, str) and problem for problem in found.problems)
    assert found == read_contents(kind, body, version, suite)
