"""The parts of a hello: written as they are read; each version has the suites and extensions of its RFC."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import tls
from tlsalert.model import Extension
from tlsalert.registry.cipher_suites import CipherSuite
from tlsalert.replay.hello_parts import (
    PADDING,
    SUITES_OF_TLS13,
    group_for_share,
    has_extension,
    has_suite,
    narrowed_versions,
    numbers,
    padded,
    put,
    read_shares,
    records,
    with_shares,
    write_server_name,
    write_shares,
)

VERSIONS = [0x0300, 0x0301, 0x0302, 0x0303, 0x0304]


@pytest.mark.parametrize(
    ("suite", "versions"),
    [
        pytest.param(CipherSuite.TLS_AES_128_GCM_SHA256, [0x0304], id="RFC 8446"),
        pytest.param(CipherSuite.TLS_SHA256_SHA256, [0x0304], id="RFC 9150"),
        pytest.param(CipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA, VERSIONS[:4], id="RFC 3268"),
        pytest.param(CipherSuite.TLS_RSA_WITH_RC4_128_MD5, VERSIONS[:4], id="RFC 6101"),
        pytest.param(CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, VERSIONS[1:4], id="RFC 4492: no SSLv3"),
        pytest.param(CipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA256, [0x0303], id="RFC 5246"),
        pytest.param(CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, [0x0303], id="RFC 5289"),
        pytest.param(CipherSuite.TLS_RSA_WITH_AES_128_CCM_8, [0x0303], id="RFC 6655"),
        pytest.param(0xCCA8, [0x0303], id="RFC 7905"),
        pytest.param(0x00FF, VERSIONS, id="a signal"),
        pytest.param(0x1A1A, VERSIONS, id="GREASE"),
        pytest.param(0xFEED, VERSIONS, id="unlisted"),
    ],
)
def test_a_suite_is_of_these_versions(suite: int, versions: list[int]) -> None:
    assert [version for version in VERSIONS if has_suite(version, suite)] == versions


def test_suites_of_tls_1_3_have_no_key_exchange_in_their_names() -> None:
    for suite in SUITES_OF_TLS13:
        assert "_WITH_" not in CipherSuite(suite).name or suite >= 0xC103


@pytest.mark.parametrize(
    ("kind", "versions"),
    [
        (0, VERSIONS[1:]),
        (13, VERSIONS[3:]),
        (50, VERSIONS[3:]),
        (51, VERSIONS[4:]),
        (49, VERSIONS[4:]),
        (43, VERSIONS[1:]),
    ],
)
def test_an_extension_is_of_these_versions(kind: int, versions: list[int]) -> None:
    assert [version for version in VERSIONS if has_extension(version, kind)] == versions


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=9))
def test_shares_are_read_as_they_were_written(shares: list[tuple[int, bytes]]) -> None:
    assert read_shares(write_shares(tuple(shares))) == tuple(shares)


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\1\0", b"\0\0\0", tls.vector(2, b"\0\x1d\0\5abcd"), b"\0\3\0\x1d\0"])
def test_shares_that_break_their_grammar_are_none(data: bytes) -> None:
    assert read_shares(data) is None


def test_shares_that_can_be_done_stay_without_a_word() -> None:
    lost: list[str] = []
    extensions = (Extension(51, write_shares(((29, bytes(32)), (0x1A1A, b"\0")))), Extension(0, b"x"))
    assert with_shares(extensions, lost) == extensions
    assert lost == []


def test_where_no_group_can_be_done_no_share_is_left() -> None:
    lost: list[str] = []
    only = (Extension(10, tls.vector(2, tls.u16(512))), Extension(51, write_shares(((512, bytes(800)),))))
    assert with_shares(only, lost)[1].data == b"\0\0"
    assert lost == ["the key shares of groups that cannot be done are left out: MLKEM512(512)"]


@pytest.mark.parametrize(("groups", "first"), [([0x1A1A, 22, 24, 29], 24), ([22, 9, 512], None), ([], None)])
def test_a_share_is_made_of_the_first_group_of_tls_1_3(groups: list[int], first: int | None) -> None:
    assert group_for_share((Extension(10, tls.vector(2, tls.u16(*groups))),)) == first


def test_a_new_extension_comes_before_padding_and_a_known_one_in_its_place() -> None:
    old = (Extension(0, b"a"), Extension(PADDING, b""))
    assert put(old, Extension(44, b"c")) == (old[0], Extension(44, b"c"), old[1])
    assert put(old, Extension(0, b"b")) == (Extension(0, b"b"), old[1])
    assert put((), Extension(0, b"b")) == (Extension(0, b"b"),)


@pytest.mark.parametrize(
    ("size", "wanted", "left"),
    [(100, 100, b"\1\1"), (100, 103, bytes(5)), (100, 98, b""), (100, 90, b""), (100, 0, b"\1\1")],
)
def test_padding_makes_up_for_what_is_missing(size: int, wanted: int, left: bytes) -> None:
    assert padded((Extension(PADDING, b"\1\1"),), size, wanted) == (Extension(PADDING, left),)
    assert padded((Extension(0, b""),), size, wanted) == (Extension(0, b""),)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (tls.vector(1, tls.u16(0x1A1A, 0x0304, 0x0303)), tls.vector(1, tls.u16(0x1A1A, 0x0303))),
        (tls.vector(1, tls.u16(0x0304)), tls.vector(1, tls.u16(0x0303))),
        (b"", tls.vector(1, tls.u16(0x0303))),
    ],
)
def test_one_version_is_left_and_grease(data: bytes, told: bytes) -> None:
    assert narrowed_versions(data, 0x0303) == told


def test_numbers_leave_an_odd_byte_out() -> None:
    assert numbers(b"\0\1\0\2\3") == (1, 2)


def test_a_server_name_is_written_as_rfc_6066_has_it() -> None:
    assert (0, write_server_name(b"bmc.example")) == tls.server_name(b"bmc.example")


@given(st.binary(min_size=1, max_size=60), st.lists(st.integers(1, 30), max_size=5))
def test_records_hold_the_message_whatever_the_cuts(message: bytes, lengths: list[int]) -> None:
    cut = records(message, 0x0301, tuple(lengths))
    assert b"".join(one[5:] for one in cut) == message
    assert all(one[:3] == b"\x16\3\1" and int.from_bytes(one[3:5], "big") == len(one) - 5 > 0 for one in cut)
    assert [len(one) - 5 for one in cut[:-1]] == lengths[: len(cut) - 1]


def test_no_record_holds_more_than_2_to_the_14() -> None:
    sizes = [len(one) - 5 for one in records(bytes(40_000), 0x0301, (5,))]
    assert sizes == [16384, 16384, 7232]
