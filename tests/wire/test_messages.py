"""Certificate and CertificateRequest: what they hold, and what is left of them where they are broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import tls
from tlsalert.errors import DecodeError
from tlsalert.wire.messages import read_certificate_list, read_certificate_request

ONE, TWO = b"\x30" + b"a" * 99, b"\x30" + b"b" * 299
NAME = bytes.fromhex("300d310b3009060355040613024445")


@pytest.mark.parametrize("chain", [(), (ONE,), (ONE, TWO), (ONE, TWO, ONE)], ids=len)
def test_certificates_come_in_their_order(chain: tuple[bytes, ...]) -> None:
    assert read_certificate_list(tls.certificate_list(*chain), tls13=False) == (list(chain), None)
    assert read_certificate_list(tls.certificate_list_13(*chain), tls13=True) == (list(chain), None)


def test_in_tls_1_3_a_context_comes_first_and_entries_have_extensions() -> None:
    """RFC 8446 §4.4.2."""
    stapled = tls.vector(3, ONE) + tls.vector(2, tls.u16(5) + tls.vector(2, b"ocsp"))
    body = tls.vector(1, b"context") + tls.vector(3, stapled + tls.vector(3, TWO) + tls.vector(2, b""))
    assert read_certificate_list(body, tls13=True) == ([ONE, TWO], None)


@given(chain=st.lists(st.binary(max_size=60), max_size=6), tls13=st.booleans())
def test_any_chain_is_read_back(chain: list[bytes], tls13: bool) -> None:
    body = tls.certificate_list_13(*chain) if tls13 else tls.certificate_list(*chain)
    assert read_certificate_list(body, tls13) == (chain, None)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "certificate_list needs 3 bytes, 0 left"),
        (b"\x00\x00\x09abc", "certificate_list claims 9 bytes, 3 left"),
        (tls.certificate_list(ONE) + b"xy", "certificate has 2 bytes too many"),
        (tls.vector(3, b"\0\0"), "certificate needs 3 bytes, 2 left"),
    ],
)
def test_a_broken_list_says_what_is_wrong(body: bytes, problem: str) -> None:
    assert read_certificate_list(body, tls13=False)[1] == problem


def test_the_certificates_that_lie_whole_in_a_cut_message_are_kept() -> None:
    body = tls.certificate_list(ONE, TWO)
    for size in range(3, len(body)):
        found, problem = read_certificate_list(body[:size], tls13=False)
        assert found == ([ONE] if size >= 3 + 103 else []), f"cut to {size} bytes"
        assert problem is not None


def test_certificates_before_a_broken_entry_are_kept() -> None:
    body = tls.vector(3, tls.vector(3, ONE) + b"\xff\xff\xff" + TWO)
    assert read_certificate_list(body, tls13=False) == ([ONE], "certificate claims 16777215 bytes, 300 left")


@given(body=st.binary(max_size=200), tls13=st.booleans())
def test_any_bytes_make_a_list_and_perhaps_a_problem(body: bytes, tls13: bool) -> None:
    found, problem = read_certificate_list(body, tls13)
    assert sum(map(len, found)) <= len(body)
    assert problem is None or problem


REQUEST_12 = tls.vector(1, b"\x01\x40") + tls.vector(2, tls.u16(0x0401, 0x0403)) + tls.vector(2, tls.vector(2, NAME))
REQUEST_10 = tls.vector(1, b"\x01\x02") + tls.vector(2, tls.vector(2, NAME) + tls.vector(2, NAME[:-2]))


def test_a_request_of_tls_1_2_has_schemes() -> None:
    """RFC 5246 §7.4.4."""
    assert read_certificate_request(REQUEST_12, 0x0303) == ([NAME], (0x0401, 0x0403), (1, 64))


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302])
def test_a_request_before_tls_1_2_has_none(version: int) -> None:
    """RFC 4346 §7.4.4."""
    assert read_certificate_request(REQUEST_10, version) == ([NAME, NAME[:-2]], (), (1, 2))


@pytest.mark.parametrize(
    ("body", "expected"),
    [(REQUEST_12, ([NAME], (0x0401, 0x0403), (1, 64))), (REQUEST_10, ([NAME, NAME[:-2]], (), (1, 2)))],
    ids=["TLS 1.2", "TLS 1.0"],
)
def test_where_the_version_was_not_seen_the_form_that_fits_is_taken(
    body: bytes, expected: tuple[list[bytes], tuple[int, ...], tuple[int, ...]]
) -> None:
    assert read_certificate_request(body, 0) == expected


def test_a_request_of_tls_1_3_has_extensions() -> None:
    """RFC 8446 §4.3.2: signature_algorithms (13) and certificate_authorities (47); others are passed over."""
    extensions = (
        tls.u16(13) + tls.vector(2, tls.vector(2, tls.u16(0x0804, 0x0807)))
        + tls.u16(5) + tls.vector(2, b"")
        + tls.u16(47) + tls.vector(2, tls.vector(2, tls.vector(2, NAME)))
    )  # fmt: skip
    body = tls.vector(1, b"") + tls.vector(2, extensions)
    assert read_certificate_request(body, 0x0304) == ([NAME], (0x0804, 0x0807), ())


def test_a_request_may_name_nobody() -> None:
    body = tls.vector(1, b"\x01") + tls.vector(2, tls.u16(0x0401)) + tls.vector(2, b"")
    assert read_certificate_request(body, 0x0303) == ([], (0x0401,), (1,))


@pytest.mark.parametrize(
    ("body", "version", "says"),
    [
        (b"", 0x0303, "certificate_types needs 1 bytes, 0 left"),
        (REQUEST_12[:-1], 0x0303, "certificate_authorities claims 17 bytes, 16 left"),
        (REQUEST_12 + b"\0", 0x0303, "certificate_request has 1 bytes too many"),
        (b"\0\0\4\0\x0d\0", 0x0304, "extensions claims 4 bytes, 3 left"),
    ],
)
def test_a_broken_request_raises_what_is_wrong(body: bytes, version: int, says: str) -> None:
    with pytest.raises(DecodeError, match=f"^{says}$"):
        read_certificate_request(body, version)


@given(body=st.binary(max_size=100), version=st.sampled_from([0, 0x0300, 0x0301, 0x0303, 0x0304, 0x7F12]))
def test_any_bytes_make_a_request_or_a_decode_error(body: bytes, version: int) -> None:
    try:
        names, schemes, types = read_certificate_request(body, version)
    except DecodeError:
        return
    assert sum(map(len, names)) + 2 * len(schemes) + len(types) <= len(body)
