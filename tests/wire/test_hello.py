"""A hello's body becomes what it offered, in its order; a broken one is told as far as it goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import tls
from tlsalert.model import Extension
from tlsalert.wire.hello import read_client_hello, read_server_hello, read_sslv2_client_hello
from tlsalert.wire.transcript import HELLO_RETRY_REQUEST

GREASE = 0x2A2A
#: Every extension that the model shows, with GREASE (RFC 8701) where clients put it.
FULL = (
    (GREASE, b""),
    tls.server_name(b"console.example"),
    (10, tls.vector(2, tls.u16(GREASE, 29, 23))),
    (11, tls.vector(1, b"\x00\x01")),
    (13, tls.vector(2, tls.u16(0x0403, 0x0804))),
    tls.alpn(b"h2", b"http/1.1"),
    (43, tls.vector(1, tls.u16(GREASE, 0x0304, 0x0303))),
    (51, tls.vector(2, tls.u16(GREASE) + tls.vector(2, b"\0") + tls.u16(29) + tls.vector(2, bytes(32)))),
    (0xFE0D, b"\x00"),
)


def test_a_client_hello_is_told_in_the_order_of_its_offers() -> None:
    body = tls.client_hello(
        suites=(GREASE, 0x1301, 0xC02F, 0x00FF), extensions=FULL, session_id=b"\7" * 32, compressions=b"\1\0"
    )
    hello = read_client_hello(body)
    assert hello.legacy_version == 0x0303
    assert hello.random == tls.RANDOM
    assert hello.session_id == b"\7" * 32
    assert hello.cipher_suites == (GREASE, 0x1301, 0xC02F, 0x00FF)
    assert hello.compression_methods == (1, 0)
    assert hello.extensions == tuple(Extension(kind, data) for kind, data in FULL)
    assert hello.versions == (GREASE, 0x0304, 0x0303)
    assert hello.server_name == "console.example"
    assert hello.alpn == ("h2", "http/1.1")
    assert hello.groups == (GREASE, 29, 23)
    assert hello.point_formats == (0, 1)
    assert hello.signature_schemes == (0x0403, 0x0804)
    assert hello.key_shares == (GREASE, 29)
    assert hello.problems == ()


def test_without_supported_versions_the_legacy_version_is_the_only_one() -> None:
    assert read_client_hello(tls.client_hello(version=0x0302)).versions == (0x0302,)


@pytest.mark.parametrize("extensions", [None, ()], ids=["ends before them", "has none of them"])
def test_a_hello_may_have_no_extensions(extensions: tls.Extensions | None) -> None:
    """RFC 5246 §7.4.1.2: whether they are there shows in the bytes that are left."""
    assert read_client_hello(tls.client_hello(version=0x0300, extensions=extensions)).problems == ()
    assert read_server_hello(tls.server_hello(version=0x0300, extensions=extensions)).problems == ()


def test_before_rfc_8446_key_share_had_the_number_40() -> None:
    share = tls.vector(2, tls.u16(23) + tls.vector(2, bytes(65)))
    assert read_client_hello(tls.client_hello(extensions=[(40, share)])).key_shares == (23,)


def test_an_empty_server_name_is_none() -> None:
    """A server acknowledges the extension with one that is empty (RFC 6066 §3); some clients send it so, too."""
    hello = read_client_hello(tls.client_hello(extensions=[(0, b"")]))
    assert (hello.server_name, hello.problems) == (None, ())


def test_a_name_of_another_type_is_no_host_name() -> None:
    named = tls.vector(2, b"\x01" + tls.vector(2, b"x"))
    assert read_client_hello(tls.client_hello(extensions=[(0, named)])).server_name is None


def test_names_that_are_no_utf_8_keep_their_bytes_as_escapes() -> None:
    hello = read_client_hello(tls.client_hello(extensions=[tls.server_name(b"caf\xe9"), tls.alpn(b"\xab\xcd")]))
    assert hello.server_name == "caf\\xe9"
    assert hello.alpn == ("\\xab\\xcd",)


def test_an_extension_of_no_known_type_is_kept_as_it_is() -> None:
    hello = read_client_hello(tls.client_hello(extensions=[(0xABCD, b"\1\2\3")]))
    assert hello.extensions == (Extension(0xABCD, b"\1\2\3"),)
    assert hello.problems == ()


def test_a_server_hello_of_tls_1_2() -> None:
    body = tls.server_hello(
        suite=0xC030, session_id=b"\1\2", compression=1, extensions=[tls.alpn(b"h2"), (0xFF01, b"\0")]
    )
    hello = read_server_hello(body)
    assert (hello.legacy_version, hello.version) == (0x0303, 0x0303)
    assert hello.random == tls.RANDOM[::-1]
    assert hello.session_id == b"\1\2"
    assert (hello.cipher_suite, hello.compression_method) == (0xC030, 1)
    assert hello.extensions == (Extension(*tls.alpn(b"h2")), Extension(0xFF01, b"\0"))
    assert (hello.alpn, hello.group, hello.hello_retry_request, hello.problems) == ("h2", None, False, ())


def test_a_server_hello_of_tls_1_3_names_its_version_in_an_extension() -> None:
    hello = read_server_hello(tls.server_hello_13())
    assert (hello.legacy_version, hello.version, hello.group) == (0x0303, 0x0304, 29)
    assert not hello.hello_retry_request


def test_a_hello_retry_request_is_known_by_its_random() -> None:
    """RFC 8446 §4.1.3; its key_share holds the group alone (§4.2.8)."""
    body = tls.server_hello(random=HELLO_RETRY_REQUEST, extensions=[(43, tls.u16(0x0304)), (51, tls.u16(24))])
    hello = read_server_hello(body)
    assert (hello.hello_retry_request, hello.version, hello.group, hello.problems) == (True, 0x0304, 24, ())


@pytest.mark.parametrize("version", [0x7F12, 0x7F15, 0x0304], ids=["draft 18", "draft 21", "draft 14"])
def test_up_to_draft_21_a_server_hello_had_neither_session_id_nor_compression(version: int) -> None:
    """draft-ietf-tls-tls13-18 §4.1.3; up to draft 14 some wrote the final version's number."""
    body = tls.u16(version) + tls.RANDOM + tls.u16(0x1301) + tls.extensions_block([(40, tls.u16(29) + bytes(34))])
    hello = read_server_hello(body)
    assert (hello.version, hello.cipher_suite, hello.group, hello.problems) == (version, 0x1301, 29, ())


def test_a_client_hello_in_the_format_of_sslv2() -> None:
    """RFC 5246 §E.2: cipher kinds of three bytes, and a challenge that is the random's end."""
    body = tls.sslv2_client_hello(0x0301, (0x010080, 0x000035, 0x0000FF), challenge=b"\x77" * 16)
    hello = read_sslv2_client_hello(body)
    assert (hello.legacy_version, hello.versions) == (0x0301, (0x0301,))
    assert hello.cipher_suites == (0x010080, 0x35, 0xFF)
    assert hello.random == bytes(16) + b"\x77" * 16
    assert hello.problems == ()


def test_a_cut_hello_in_the_format_of_sslv2_says_what_is_missing() -> None:
    body = tls.sslv2_client_hello(0x0301, (0x010080, 0x000035, 0x0000FF))
    for size in range(1, len(body)):
        assert read_sslv2_client_hello(body[:size]).problems, f"cut to {size} bytes"


SMALL = tls.client_hello(extensions=[tls.server_name(b"a.example"), tls.alpn(b"h2"), (43, b"\2\3\4")])


def test_a_client_hello_cut_anywhere_is_told_as_far_as_it_goes() -> None:
    before_extensions, end_of_name = 41, 41 + 2 + 4 + 14
    for size in range(len(SMALL)):
        hello = read_client_hello(SMALL[:size])
        assert bool(hello.problems) is (size != before_extensions), f"cut to {size} bytes"
        assert hello.legacy_version == (0x0303 if size >= 2 else 0)
        assert hello.random == (tls.RANDOM if size >= 34 else b"")
        assert hello.cipher_suites == ((tls.ECDHE_RSA_AES_128_GCM,) if size >= 39 else ())
        assert hello.server_name == ("a.example" if size >= end_of_name else None), f"cut to {size} bytes"
        assert hello.alpn == (("h2",) if size >= end_of_name + 4 + 5 else ()), f"cut to {size} bytes"


def test_a_server_hello_cut_anywhere_is_told_as_far_as_it_goes() -> None:
    body = tls.server_hello_13()
    for size in range(2, len(body)):
        hello = read_server_hello(body[:size])
        assert bool(hello.problems) is (size != 38), f"cut to {size} bytes"
        assert hello.random == (tls.RANDOM[::-1] if size >= 34 else b"")
        assert hello.cipher_suite == (tls.AES_128_GCM if size >= 37 else -1)
        assert hello.version == (0x0304 if size >= 38 + 2 + 6 else 0x0303), f"cut to {size} bytes"


@pytest.mark.parametrize(
    ("extension", "problem"),
    [
        pytest.param((0, b"\x00\x09\x00\x00\x01a"), "extension 0: server_name_list claims 9 bytes, 4 left"),
        pytest.param((0, b"\x00\x04\x00\x00\x09a"), "extension 0: host_name claims 9 bytes, 1 left"),
        pytest.param((10, b"\x00\x03\x00\x1d\x00"), "extension 10: named_group_list needs 2 bytes, 1 left"),
        pytest.param((11, b"\x02\x00"), "extension 11: ec_point_format_list claims 2 bytes, 1 left"),
        pytest.param((13, b""), "extension 13: supported_signature_algorithms needs 2 bytes, 0 left"),
        pytest.param((16, b"\x00\x03\x05h2"), "extension 16: protocol_name claims 5 bytes, 2 left"),
        pytest.param((43, b"\x03\x03\x04\x03"), "extension 43: versions needs 2 bytes, 1 left"),
        pytest.param((51, b"\x00\x04\x00\x1d\x00\x20"), "extension 51: key_exchange claims 32 bytes, 0 left"),
    ],
)
def test_a_broken_extension_is_a_problem_and_the_others_are_read(extension: tuple[int, bytes], problem: str) -> None:
    hello = read_client_hello(tls.client_hello(extensions=[extension, (0xFF01, b"\0")]))
    assert hello.problems == (problem,)
    assert hello.extensions == (Extension(*extension), Extension(0xFF01, b"\0"))


@pytest.mark.parametrize(
    "extension", [one for one in FULL if one[0] in (0, 10, 11, 13, 16, 43, 51)], ids=lambda e: e[0]
)
def test_a_known_extension_is_held_to_its_length(extension: tuple[int, bytes]) -> None:
    kind, data = extension
    (problem,) = read_client_hello(tls.client_hello(extensions=[(kind, data + b"\xff\xff")])).problems
    assert problem.startswith(f"extension {kind}: ")
    assert problem.endswith("2 bytes too many")


@pytest.mark.parametrize(("kind", "data"), [(43, b"\3\4"), tls.alpn(b"h2")])
def test_a_servers_extension_is_held_to_its_length(kind: int, data: bytes) -> None:
    (problem,) = read_server_hello(tls.server_hello(extensions=[(kind, data + b"\xff\xff")])).problems
    assert problem.startswith(f"extension {kind}: ")
    assert problem.endswith("2 bytes too many")


def test_a_server_that_chooses_no_protocol_at_all_breaks_rfc_7301() -> None:
    (problem,) = read_server_hello(tls.server_hello(extensions=[tls.alpn()])).problems
    assert problem.startswith("extension 16: ")
    assert "index" not in problem


def test_bytes_after_the_extensions_are_a_problem() -> None:
    assert read_client_hello(tls.client_hello() + b"\0").problems == ("client_hello has 1 bytes too many",)
    assert read_server_hello(tls.server_hello() + b"\0\0").problems == ("server_hello has 2 bytes too many",)


NUMBERS = st.lists(st.integers(0, 0xFFFF), max_size=20)
TEXT = st.text(st.characters(codec="ascii", exclude_characters="\\"), max_size=20)


@given(
    version=st.integers(0, 0xFFFF),
    session_id=st.binary(max_size=32),
    suites=NUMBERS,
    groups=NUMBERS,
    schemes=NUMBERS,
    name=TEXT,
    protocols=st.lists(TEXT, max_size=5),
    unknown=st.lists(st.tuples(st.integers(0xF000, 0xFEFF), st.binary(max_size=30)), max_size=5),
)
def test_what_was_written_is_read_back(
    version: int,
    session_id: bytes,
    suites: list[int],
    groups: list[int],
    schemes: list[int],
    name: str,
    protocols: list[str],
    unknown: list[tuple[int, bytes]],
) -> None:
    extensions = [
        *unknown,
        tls.server_name(name.encode()),
        (10, tls.vector(2, tls.u16(*groups))),
        (13, tls.vector(2, tls.u16(*schemes))),
        tls.alpn(*[protocol.encode() for protocol in protocols]),
    ]
    hello = read_client_hello(tls.client_hello(version, suites, extensions, session_id=session_id))
    assert hello.problems == ()
    assert (hello.legacy_version, hello.session_id) == (version, session_id)
    assert (list(hello.cipher_suites), list(hello.groups), list(hello.signature_schemes)) == (suites, groups, schemes)
    assert (hello.server_name, list(hello.alpn)) == (name, protocols)
    assert [(one.type, one.data) for one in hello.extensions] == extensions
