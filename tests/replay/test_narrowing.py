"""A hello narrowed to one version: what that version lacks goes, what it needs comes, and all of it is said."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.replay.hellos import Server, connection, decoded, first_message
from tests.replay.test_hello import GREASE, modern, taken
from tests.wire import tls
from tlsalert.errors import UsageError
from tlsalert.replay.hello import VERSIONS, Hello, from_profile
from tlsalert.replay.profiles import PROFILES
from tlsalert.wire.fingerprint import ja3, ja4
from tlsalert.wire.hello import read_server_hello

OLD = tls.client_hello(
    tls.TLS12,
    suites=(0xC02F, 0xC013, 0x003C, 0x002F, 0x0005, 0x00FF),
    extensions=[
        tls.server_name(b"bmc.example"),
        (11, b"\3\0\1\2"),
        (10, tls.vector(2, tls.u16(23, 24))),
        (13, tls.vector(2, tls.u16(0x0401, 0x0201))),
    ],
    compressions=b"\1\0",
)


def kinds(hello: Hello) -> list[int]:
    return [one.type for one in hello.extensions]


def test_the_versions_are_those_of_the_model() -> None:
    assert VERSIONS == {"SSLv3": 0x0300, "TLS 1.0": 0x0301, "TLS 1.1": 0x0302, "TLS 1.2": 0x0303, "TLS 1.3": 0x0304}
    with pytest.raises(UsageError, match=r"no version 'TLS 1\.4' to replay; choose from SSLv3, TLS 1\.0"):
        taken(OLD).for_version("TLS 1.4")


def test_at_its_highest_version_an_old_hello_is_as_it_was() -> None:
    assert taken(OLD).for_version("TLS 1.2") == taken(OLD)


def test_at_tls_1_3_only_supported_versions_is_cut_so_that_ja3_and_ja4_stay() -> None:
    hello, captured = taken(modern()).for_version("TLS 1.3"), connection(modern()).client_hello
    assert captured is not None
    sent = decoded(hello.fresh())
    assert sent.versions == (GREASE, 0x0304)
    assert (ja3(sent), ja4(sent)) == (ja3(captured), ja4(captured))
    assert (hello.cipher_suites, hello.session_id_length) == (captured.cipher_suites, 32)
    assert hello.lost == ("supported_versions(43) offers TLS 1.3 alone",)


def test_a_hello_of_tls_1_3_narrowed_to_1_2_loses_what_1_2_lacks() -> None:
    hello = taken(modern()).for_version("TLS 1.2")
    assert hello.cipher_suites == (GREASE, 0xC02F)
    assert kinds(hello) == [GREASE, 0, 10, 11, 35, 13, 43, 0x9A9A, 21]
    sent = decoded(hello.fresh())
    assert (sent.legacy_version, sent.versions, len(sent.session_id)) == (0x0303, (GREASE, 0x0303), 32)
    assert hello.lost == (
        "1 cipher suites that TLS 1.2 lacks are left out",
        "extensions that TLS 1.2 lacks are left out:"
        " key_share(51), psk_key_exchange_modes(45), encrypted_client_hello(65037)",
        "supported_versions(43) offers TLS 1.2 alone",
    )


def test_a_hello_of_tls_1_2_narrowed_to_1_0_loses_what_came_with_1_2() -> None:
    hello = taken(OLD, ((0x0303, 300),)).for_version("TLS 1.0")
    assert hello.cipher_suites == (0xC013, 0x002F, 0x0005, 0x00FF)
    assert (kinds(hello), hello.legacy_version, hello.record_version) == ([0, 11, 10], 0x0301, 0x0301)
    assert hello.compression_methods == (1, 0)
    assert hello.lost == (
        "2 cipher suites that TLS 1.0 lacks are left out",
        "extensions that TLS 1.0 lacks are left out: signature_algorithms(13)",
        "legacy_version is TLS 1.0, not TLS 1.2",
        "its records have the version of TLS 1.0",
    )


def test_ssl_3_has_neither_extensions_nor_elliptic_curves() -> None:
    body = tls.client_hello(suites=(0xC013, 0x002F), extensions=[(65281, b"\0"), (35, b"")])
    hello = taken(body).for_version("SSLv3")
    assert (hello.cipher_suites, hello.extensions, hello.record_version) == ((0x002F, 0x00FF), (), 0x0300)
    assert len(hello.fresh().message) == 4 + 2 + 32 + 1 + 2 + 4 + 2
    assert "TLS_EMPTY_RENEGOTIATION_INFO_SCSV stands in the place of renegotiation_info(65281)" in hello.lost


def test_a_client_without_a_suite_for_an_old_version_gets_those_of_openssl_1_0_2() -> None:
    hello = taken(tls.client_hello(suites=(0xC02F, 0x00FF))).for_version("TLS 1.0")
    assert hello.cipher_suites[:3] == (0xC014, 0xC00A, 0x0039)
    assert hello.cipher_suites.count(0x00FF) == 1
    assert any("it gets the 50 of the profile openssl-1.0.2" in one for one in hello.lost)


def test_an_old_hello_raised_to_tls_1_3_gets_what_that_needs() -> None:
    hello = taken(OLD).for_version("TLS 1.3")
    sent = decoded(hello.fresh())
    assert sent.cipher_suites == (0x1302, 0x1303, 0x1301, 0xC02F, 0xC013, 0x003C, 0x002F, 0x0005, 0x00FF)
    assert (sent.versions, sent.groups, sent.key_shares) == ((0x0304,), (23, 24), (23,))
    assert sent.signature_schemes == (0x0401, 0x0201, 0x0809, 0x080A, 0x080B, 0x0804, 0x0805, 0x0806)
    assert (sent.compression_methods, len(sent.session_id), sent.problems) == ((0,), 32, ())
    assert kinds(hello) == [0, 11, 10, 13, 43, 45, 51]
    assert hello.lost == (
        "the client does not offer TLS 1.3",
        "compression_methods is null alone, as TLS 1.3 demands",
        "it gets what TLS 1.3 needs from the profile openssl-3.0: cipher suites, RSA-PSS in signature_algorithms(13),"
        " supported_versions(43), psk_key_exchange_modes(45), key_share(51)",
    )


def test_a_hello_without_any_extension_can_be_raised() -> None:
    sent = decoded(taken(tls.client_hello(tls.SSL3, suites=(0x0005,), extensions=None)).for_version("TLS 1.3").fresh())
    assert (sent.legacy_version, sent.versions, sent.key_shares) == (0x0303, (0x0304,), (29,))


def test_groups_that_tls_1_3_lacks_are_replaced() -> None:
    body = tls.client_hello(extensions=[(10, tls.vector(2, tls.u16(9, 10)))])
    assert decoded(taken(body).for_version("TLS 1.3").fresh()).key_shares == (29,)


def test_a_hello_of_tls_1_0_raised_to_1_2_says_which_signatures_it_takes() -> None:
    hello = taken(tls.client_hello(tls.TLS10, suites=(0x002F, 0x5600), extensions=None)).for_version("TLS 1.2")
    assert (hello.legacy_version, kinds(hello), hello.cipher_suites) == (0x0303, [13], (0x002F,))
    assert hello.lost == (
        "the client does not offer TLS 1.2",
        "TLS_FALLBACK_SCSV is left out: this is no fallback",
        "it gets what TLS 1.2 needs from the profile openssl-3.0: signature_algorithms(13)",
        "legacy_version is TLS 1.2, not TLS 1.0",
    )


def test_a_fallback_stays_one_at_its_own_version_and_is_none_below() -> None:
    hello = taken(tls.client_hello(tls.TLS11, suites=(0x002F, 0x5600)))
    assert hello.for_version("TLS 1.1").cipher_suites == (0x002F, 0x5600)
    assert hello.for_version("TLS 1.0").cipher_suites == (0x002F,)


def test_a_draft_of_tls_1_3_is_replaced_by_the_final_version() -> None:
    share = tls.vector(2, tls.u16(29) + tls.vector(2, bytes(32)))
    draft = [
        (43, tls.vector(1, tls.u16(0x7F12, 0x0303))),
        (10, tls.vector(2, tls.u16(29))),
        (13, tls.vector(2, tls.u16(0x0804))),
        (45, b"\1\1"),
        (40, share),
    ]
    hello = taken(tls.client_hello(suites=(0x1301,), extensions=draft)).for_version("TLS 1.3")
    assert decoded(hello.fresh()).versions == (0x0304,)
    assert kinds(hello) == [43, 10, 13, 45, 51]
    assert hello.lost[0] == "the client does not offer TLS 1.3, only a draft of it"


def test_a_version_that_supported_versions_leaves_out_is_said_to_be_none_of_the_clients() -> None:
    hello = taken(modern()).for_version("TLS 1.0")
    assert hello.lost[0] == "the client does not offer TLS 1.0"
    assert decoded(hello.fresh()).versions == (GREASE, 0x0301)


@pytest.mark.parametrize("extensions", [None, [(43, b"")], [(43, tls.vector(1, tls.u16(0x0A0A)))]])
def test_a_version_that_is_still_to_come_is_no_reason_to_lose_all_suites(
    extensions: list[tuple[int, bytes]] | None,
) -> None:
    hello = taken(tls.client_hello(0x0305, [0xC013], extensions)).for_version("TLS 1.3")
    assert hello.cipher_suites == (0x1302, 0x1303, 0x1301, 0xC013)
    assert 0x0304 in decoded(hello.fresh()).versions


@settings(deadline=None)
@given(
    version=st.sampled_from(sorted(VERSIONS)),
    legacy=st.sampled_from([0x0300, 0x0301, 0x0303, 0x0305]),
    suites=st.lists(st.sampled_from([0x1301, 0xC02F, 0xC013, 0x002F, 0x5600, 0x00FF, 0x0A0A])),
    extensions=st.none()
    | st.lists(st.tuples(st.sampled_from([0, 10, 13, 21, 35, 40, 43, 45, 51]), st.binary(max_size=9))),
)
def test_any_hello_narrowed_is_one_that_can_be_sent(
    version: str, legacy: int, suites: list[int], extensions: list[tuple[int, bytes]] | None
) -> None:
    hello = taken(tls.client_hello(legacy, [0xC013, *suites], extensions)).for_version(version)
    sent = decoded(hello.fresh())
    assert sent.legacy_version == min(VERSIONS[version], 0x0303)
    assert any(suite not in (0x5600, 0x00FF, 0x0A0A) for suite in sent.cipher_suites)
    again = hello.for_version(version)
    assert (again.cipher_suites, again.extensions) == (hello.cipher_suites, hello.extensions)


OPENSSL_SPEAKS = {"TLS 1.2": ssl.TLSVersion.TLSv1_2, "TLS 1.3": ssl.TLSVersion.TLSv1_3}


@pytest.mark.parametrize("version", OPENSSL_SPEAKS)
@pytest.mark.parametrize("name", PROFILES)
def test_a_server_that_speaks_one_version_alone_answers_every_profile_narrowed_to_it(
    name: str, version: str, tmp_path: Path
) -> None:
    server, hello = Server(tmp_path, OPENSSL_SPEAKS[version]), from_profile(name).for_version(version)
    answer = server.answer(b"".join(hello.fresh(server_name="bmc.example").records))
    chosen = read_server_hello(first_message(answer)[4:])
    assert chosen.version == VERSIONS[version]
    assert not chosen.hello_retry_request
