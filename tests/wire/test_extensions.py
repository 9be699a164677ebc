"""Each extension of IANA's registry that is met in practice has a decoded form; the others keep number and bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pki.test_ocsp import answer, response, revoked
from tests.wire.tls import u16, vector
from tlsalert.extensions import (
    CachedObject,
    DelegatedCredential,
    DnssecChain,
    EchConfig,
    EchInner,
    EchOuter,
    EncryptedServerName,
    ExtensionContents,
    ExtensionValue,
    KeyShare,
    PskIdentity,
    PskOffer,
    QuicParameter,
    SrtpProfiles,
    StatusRequest,
    TicketRequest,
    Timestamp,
    TokenBinding,
    TransItem,
    TrustedAuthority,
)
from tlsalert.messages import OcspResponse, OidFilter
from tlsalert.model import Extension
from tlsalert.registry.extensions import ExtensionType
from tlsalert.wire.cursor import Cursor
from tlsalert.wire.extensions import MOST_EXTENSIONS, MOST_PROBLEMS, READERS, read_extension, read_extensions

CH, SH, NST, HRR, EE, CT, CR = 1, 2, 4, 6, 8, 11, 13
CERT_ID = bytes(range(32))


def u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def sct(signature: bytes = b"sig") -> bytes:
    return (
        b"\0" + CERT_ID + (1_700_000_000_123).to_bytes(8, "big") + vector(2, b"") + u16(0x0403) + vector(2, signature)
    )


ECH_CONFIG = vector(
    2,
    b"\x07" + u16(0x20) + vector(2, bytes(32)) + vector(2, u16(1, 1, 1, 3))
    + b"\x40" + vector(1, b"a.example") + vector(2, b""),
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "message", "data", "value"),
    [
        pytest.param(0, CH, vector(2, b"\0" + vector(2, b"a.example")), "a.example", id="server_name"),
        pytest.param(0, SH, b"", None, id="server_name, taken up"),
        pytest.param(1, CH, b"\x02", 2, id="max_fragment_length"),
        pytest.param(2, CH, b"", None, id="client_certificate_url"),
        pytest.param(
            3,
            CH,
            vector(2, b"\0\x01" + b"k" * 20 + b"\x02" + vector(2, b"dn") + b"\x03" + b"c" * 20),
            (
                TrustedAuthority(0),
                TrustedAuthority(1, b"k" * 20),
                TrustedAuthority(2, b"dn"),
                TrustedAuthority(3, b"c" * 20),
            ),
            id="trusted_ca_keys",
        ),
        pytest.param(4, CH, b"", None, id="truncated_hmac"),
        pytest.param(
            5,
            CH,
            b"\x01" + vector(2, vector(2, b"r1") + vector(2, b"r2")) + vector(2, b"ext"),
            StatusRequest(1, 2, 3),
            id="status_request",
        ),
        pytest.param(5, CH, b"\x09opaque", StatusRequest(9), id="status_request of another type"),
        pytest.param(5, EE, b"", None, id="status_request, taken up"),
        pytest.param(5, CR, b"", None, id="status_request, asked of the client"),
        pytest.param(6, CH, vector(1, b"\x40"), (64,), id="user_mapping"),
        pytest.param(7, CH, vector(1, b"\0\x01"), (0, 1), id="client_authz"),
        pytest.param(8, SH, vector(1, b"\x01"), (1,), id="server_authz"),
        pytest.param(9, CH, vector(1, b"\0\x01"), (0, 1), id="cert_type"),
        pytest.param(9, SH, b"\x01", 1, id="cert_type, chosen"),
        pytest.param(10, CH, vector(2, u16(0x0A0A, 29)), (0x0A0A, 29), id="supported_groups"),
        pytest.param(11, CH, vector(1, b"\0\x01"), (0, 1), id="ec_point_formats"),
        pytest.param(12, CH, vector(1, b"alice"), "alice", id="srp"),
        pytest.param(13, CR, vector(2, u16(0x0804)), (0x0804,), id="signature_algorithms"),
        pytest.param(14, CH, vector(2, u16(7, 1)) + vector(1, b"m"), SrtpProfiles((7, 1), b"m"), id="use_srtp"),
        pytest.param(15, CH, b"\x01", 1, id="heartbeat"),
        pytest.param(16, CH, vector(2, vector(1, b"h2") + vector(1, b"\xff")), ("h2", "\\xff"), id="alpn"),
        pytest.param(16, EE, vector(2, vector(1, b"h2")), ("h2",), id="alpn, chosen"),
        pytest.param(
            17,
            CH,
            vector(2, b"\x02" + vector(2, vector(2, b"") + vector(2, b""))),
            (StatusRequest(2),),
            id="status_request_v2",
        ),
        pytest.param(18, CH, b"", None, id="signed_certificate_timestamp, asked for"),
        pytest.param(
            18,
            SH,
            vector(2, vector(2, sct()) + vector(2, sct(b""))),
            (Timestamp(0, CERT_ID, 1_700_000_000_123, 0x0403, 3), Timestamp(0, CERT_ID, 1_700_000_000_123, 0x0403, 0)),
            id="signed_certificate_timestamp",
        ),
        pytest.param(19, CH, vector(1, b"\x02\0"), (2, 0), id="client_certificate_type"),
        pytest.param(20, EE, b"\x02", 2, id="server_certificate_type, chosen"),
        pytest.param(21, CH, bytes(7), 7, id="padding"),
        pytest.param(22, SH, b"", None, id="encrypt_then_mac"),
        pytest.param(23, SH, b"", None, id="extended_master_secret"),
        pytest.param(24, CH, b"\x01\0" + vector(1, b"\x02"), TokenBinding(0x0100, (2,)), id="token_binding"),
        pytest.param(
            25,
            CH,
            vector(2, b"\x01" + vector(1, b"hash") + b"\x02" + vector(1, b"h2")),
            (CachedObject(1, b"hash"), CachedObject(2, b"h2")),
            id="cached_info",
        ),
        pytest.param(25, SH, vector(2, b"\x01"), (CachedObject(1),), id="cached_info, taken up"),
        pytest.param(27, CH, vector(1, u16(2, 1)), (2, 1), id="compress_certificate"),
        pytest.param(28, CH, u16(16385), 16385, id="record_size_limit"),
        pytest.param(34, CH, vector(2, u16(0x0403)), (0x0403,), id="delegated_credential, asked for"),
        pytest.param(
            34,
            CT,
            u32(604800) + u16(0x0403) + vector(3, bytes(91)) + u16(0x0804) + vector(2, bytes(256)),
            DelegatedCredential(604800, 0x0403, 91, 0x0804, 256),
            id="delegated_credential",
        ),
        pytest.param(35, CH, b"ticket", b"ticket", id="session_ticket"),
        pytest.param(35, SH, b"", None, id="session_ticket, to come"),
        pytest.param(39, CH, vector(1, b"\0\x01"), (0, 1), id="supported_ekt_ciphers"),
        pytest.param(40, CH, vector(2, u16(29) + vector(2, bytes(32))), (KeyShare(29, 32),), id="key_share, drafts"),
        pytest.param(
            41,
            CH,
            vector(2, vector(2, bytes(32)) + u32(1000) + vector(2, bytes(9)) + u32(0))
            + vector(2, vector(1, bytes(48)) + vector(1, bytes(32))),
            PskOffer((PskIdentity(32, 1000), PskIdentity(9, 0)), (48, 32)),
            id="pre_shared_key",
        ),
        pytest.param(41, SH, u16(1), 1, id="pre_shared_key, chosen"),
        pytest.param(42, CH, b"", None, id="early_data"),
        pytest.param(42, NST, u32(0xFFFFFFFF), 0xFFFFFFFF, id="early_data of a ticket"),
        pytest.param(43, CH, vector(1, u16(0x0304, 0x0303)), (0x0304, 0x0303), id="supported_versions"),
        pytest.param(43, SH, u16(0x0304), 0x0304, id="supported_versions, chosen"),
        pytest.param(43, HRR, u16(0x0304), 0x0304, id="supported_versions, to try again"),
        pytest.param(44, HRR, vector(2, b"cookie"), b"cookie", id="cookie"),
        pytest.param(45, CH, vector(1, b"\x01\0"), (1, 0), id="psk_key_exchange_modes"),
        pytest.param(47, CR, vector(2, vector(2, b"dn1") + vector(2, b"dn")), (b"dn1", b"dn"), id="authorities"),
        pytest.param(
            48,
            CR,
            vector(2, vector(1, b"oid") + vector(2, b"values") + vector(1, b"o") + vector(2, b"")),
            (OidFilter(b"oid", b"values"), OidFilter(b"o", b"")),
            id="oid_filters",
        ),
        pytest.param(49, CH, b"", None, id="post_handshake_auth"),
        pytest.param(50, CH, vector(2, u16(0x0804)), (0x0804,), id="signature_algorithms_cert"),
        pytest.param(
            51,
            CH,
            vector(2, u16(0x0A0A) + vector(2, b"\0") + u16(29) + vector(2, bytes(32))),
            (KeyShare(0x0A0A, 1), KeyShare(29, 32)),
            id="key_share",
        ),
        pytest.param(51, SH, u16(29) + vector(2, bytes(32)), KeyShare(29, 32), id="key_share, chosen"),
        pytest.param(51, HRR, u16(23), 23, id="key_share, to try again"),
        pytest.param(52, SH, vector(2, vector(2, u16(3) + b"xyz")), (TransItem(3, 5),), id="transparency_info"),
        pytest.param(54, CH, vector(1, b"cid"), b"cid", id="connection_id"),
        pytest.param(54, CH, b"\0", b"", id="connection_id, none wanted"),
        pytest.param(55, CH, vector(1, bytes(32)), bytes(32), id="external_id_hash"),
        pytest.param(56, CH, vector(1, bytes(20)), bytes(20), id="external_session_id"),
        pytest.param(
            57,
            CH,
            bytes.fromhex("01 04 80007530 0f 00 80ff73db 03 616263 40 0a 01 05"),
            (
                QuicParameter(1, bytes.fromhex("80007530")),
                QuicParameter(0x0F, b""),
                QuicParameter(0xFF73DB, b"abc"),
                QuicParameter(10, b"\x05"),
            ),
            id="quic_transport_parameters",
        ),
        pytest.param(58, CH, b"\x02\x01", TicketRequest(2, 1), id="ticket_request"),
        pytest.param(58, EE, b"\x02", 2, id="ticket_request, promised"),
        pytest.param(59, CH, u16(443), 443, id="dnssec_chain, asked for"),
        pytest.param(59, CT, u16(24) + bytes(100), DnssecChain(24, 100), id="dnssec_chain"),
        pytest.param(61, CH, b"", None, id="rrc"),
        pytest.param(62, CH, vector(1, b"\x01\x81"), (0, 8, 15), id="tls_flags"),
        pytest.param(13172, CH, b"", None, id="next_protocol_negotiation"),
        pytest.param(13172, SH, vector(1, b"spdy/3") + vector(1, b"h2"), ("spdy/3", "h2"), id="next protocols"),
        pytest.param(17613, CH, vector(2, vector(1, b"h2")), ("h2",), id="application_settings"),
        pytest.param(17513, EE, b"settings", b"settings", id="application_settings, chosen"),
        pytest.param(30032, CH, b"", None, id="channel_id"),
        pytest.param(
            51764, CH, vector(2, vector(1, b"\x82\x37") + vector(1, b"\x01")), (b"\x82\x37", b"\x01"), id="ta"
        ),
        pytest.param(64768, CH, vector(1, u16(10, 51)), (10, 51), id="ech_outer_extensions"),
        pytest.param(
            65037,
            CH,
            b"\0" + u16(1, 3) + b"\x63" + vector(2, bytes(32)) + vector(2, bytes(208)),
            EchOuter(1, 3, 0x63, 32, 208),
            id="encrypted_client_hello",
        ),
        pytest.param(65037, CH, b"\x01", EchInner(), id="encrypted_client_hello, inside"),
        pytest.param(65037, HRR, b"8 bytes!", b"8 bytes!", id="encrypted_client_hello, confirmed"),
        pytest.param(
            65037,
            EE,
            vector(2, u16(0xFE0D) + ECH_CONFIG + u16(0xFE0A) + vector(2, b"older")),
            (EchConfig(0xFE0D, 7, 0x20, ((1, 1), (1, 3)), "a.example"), EchConfig(0xFE0A)),
            id="encrypted_client_hello, to try again",
        ),
        pytest.param(65281, CH, b"\0", b"", id="renegotiation_info"),
        pytest.param(65281, SH, vector(1, bytes(24)), bytes(24), id="renegotiation_info, again"),
        pytest.param(
            65486,
            CH,
            u16(0x1301, 29) + vector(2, bytes(32)) + vector(2, bytes(32)) + vector(2, bytes(292)),
            EncryptedServerName(0x1301, 29, 292),
            id="encrypted_server_name",
        ),
    ],
)
def test_an_extension_says(kind: int, message: int, data: bytes, value: ExtensionValue) -> None:
    assert read_extension(kind, data, message) == ExtensionContents(kind, value)


def test_a_stapled_response_of_tls_1_3_stands_with_its_certificate() -> None:
    """RFC 8446 §4.4.2.1."""
    encoded = response(answer(revoked(1)))
    value = read_extension(5, b"\x01" + vector(3, encoded), CT).value
    assert isinstance(value, OcspResponse)
    assert [single.status for single in value.responses] == ["revoked"]


@pytest.mark.parametrize("kind", [0x0A0A, 0xFAFA, 60, 36, 4242, 65000])
@pytest.mark.parametrize("data", [b"", b"\0\1\2"])
def test_an_unknown_one_or_grease_keeps_its_bytes(kind: int, data: bytes) -> None:
    assert read_extension(kind, data, CH) == ExtensionContents(kind, data)


@pytest.mark.parametrize(
    ("kind", "message", "data", "problem"),
    [
        (0, CH, b"\x00\x05\0", "server_name_list claims 5 bytes, 1 left"),
        (0, CH, b"", "it is empty"),
        (0, CH, vector(2, b"\x07" + vector(2, b"?")), "name_type 7 is not known"),
        (1, CH, b"\1\2", "extension_data has 1 bytes too many"),
        (3, CH, vector(2, b"\x01short"), "sha1_hash needs 20 bytes, 5 left"),
        (3, CH, vector(2, b"\x09"), "identifier_type 9 is not known"),
        (5, CT, b"\x07rest", "status_type 7 is not known"),
        (10, CH, b"\0\3\0\x1d\0", "list needs 2 bytes, 1 left"),
        (21, CH, b"\0\0pad", "padding of 5 bytes, 3 are not zero"),
        (23, CH, b"\0", "extension_data has 1 bytes too many"),
        (41, CH, vector(2, vector(2, b"id") + b"\0"), "obfuscated_ticket_age needs 4 bytes, 1 left"),
        (43, SH, b"", "it is empty"),
        (51, CH, vector(2, u16(29) + b"\0\x20" + bytes(30)), "key_exchange claims 32 bytes, 30 left"),
        (57, CH, b"\x04\x40", "variable-length integer needs 1 bytes, 0 left"),
        (57, CH, b"\x04\x04\0", "transport parameter needs 4 bytes, 1 left"),
        (57, CH, b"\x04" + b"\xff" * 8, "transport parameter needs 4611686018427387903 bytes, 0 left"),
        (65037, CH, b"\x02abc", "ECHClientHelloType 2 is not known"),
    ],
)
def test_what_breaks_the_grammar_is_a_problem(kind: int, message: int, data: bytes, problem: str) -> None:
    assert read_extension(kind, data, message).problem == problem


def test_what_was_read_before_too_many_bytes_is_kept() -> None:
    assert read_extension(28, b"\x40\x01\xff", CH) == ExtensionContents(
        28, 0x4001, "extension_data has 1 bytes too many"
    )


def test_only_what_is_listed_is_read() -> None:
    """Each reader belongs to an extension that has a name."""
    assert all(ExtensionType(kind).name in ExtensionType.__members__ for kind in READERS)


def block(data: bytes) -> tuple[list[Extension], list[str]]:
    found: list[Extension] = []
    problems: list[str] = []
    read_extensions(Cursor(data, 0, len(data)), found, problems, EE)
    return found, problems


def test_a_block_of_extensions_with_what_is_wrong_in_each() -> None:
    data = vector(2, u16(28) + vector(2, b"\x40") + u16(9999) + vector(2, b"?"))
    assert block(data) == (
        [Extension(28, b"\x40"), Extension(9999, b"?")],
        ["extension 28: extension_data needs 2 bytes, 1 left"],
    )


def test_a_block_that_was_cut_is_told_as_far_as_it_goes() -> None:
    data = vector(2, u16(9999) + vector(2, b"?") + u16(28) + vector(2, b"\x40\1"))[:-1]
    assert block(data) == (
        [Extension(9999, b"?")],
        ["extensions claims 11 bytes, 10 left", "extension 28 claims 2 bytes, 1 left"],
    )


def test_a_block_without_end_is_kept_to_a_limit_and_says_so() -> None:
    found, problems = block(vector(2, (u16(9999) + vector(2, b"")) * (MOST_EXTENSIONS + 1)))
    assert len(found) == MOST_EXTENSIONS
    assert problems == ["there are more than 1024 extensions: only the first ones are told"]


def test_not_every_problem_of_a_broken_block_is_told() -> None:
    _, problems = block(vector(2, (u16(28) + vector(2, b"")) * 100))
    assert problems == ["extension 28: it is empty"] * MOST_PROBLEMS + [
        "there are more problems: only the first ones are told"
    ]


@given(
    kind=st.sampled_from(sorted(READERS)),
    data=st.binary(max_size=120),
    message=st.sampled_from([1, 2, 4, 6, 8, 11, 13, 17]),
)
def test_any_bytes_are_a_value_or_a_problem(kind: int, data: bytes, message: int) -> None:
    found = read_extension(kind, data, message)
    assert found.type == kind
    assert found.problem is None or found.problem
