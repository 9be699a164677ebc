"""A hello that comes again with other random bytes is what it would be if it were decoded anew."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import tls
from tlsalert.wire import repeated
from tlsalert.wire.fingerprint import ja3, ja3s, ja4
from tlsalert.wire.hello import read_client_hello, read_server_hello
from tlsalert.wire.transcript import HELLO_RETRY_REQUEST


def shares(*keys: bytes) -> tuple[int, bytes]:
    return 51, tls.vector(2, b"".join(tls.u16(29 + place) + tls.vector(2, key) for place, key in enumerate(keys)))


def offer(random: bytes, name: bytes, key: bytes, ticket: bytes) -> bytes:
    extensions = (
        tls.server_name(name),
        (10, tls.vector(2, tls.u16(29, 23))),
        (13, tls.vector(2, tls.u16(0x0403, 0x0804))),
        tls.alpn(b"h2"),
        (43, tls.vector(1, tls.u16(0x0304, 0x0303))),
        shares(b"\0", key),
        (35, ticket),
        (23, b""),
    )
    return tls.client_hello(suites=(0x1301, 0xC02F), extensions=extensions, random=random, session_id=key)


def answer(random: bytes, key: bytes, ticket: bytes) -> bytes:
    extensions = ((43, tls.u16(0x0304)), (51, tls.u16(29) + tls.vector(2, key)), (35, ticket))
    return tls.server_hello(extensions=extensions, random=random, session_id=key)


def assert_read(body: bytes) -> None:
    """Both as a client's and as a server's hello a body is read as if nothing had been kept."""
    told = repeated.client_hello(body)
    plain = read_client_hello(body)
    assert told.hello == plain
    assert (told.ja3, told.ja4) == (ja3(plain), ja4(plain))
    said = repeated.server_hello(body)
    chosen = read_server_hello(body)
    assert (said.hello, said.ja3s) == (chosen, ja3s(chosen))


RANDOMS = st.binary(min_size=32, max_size=32)
KEYS = st.binary(min_size=16, max_size=32)


@given(st.lists(st.tuples(RANDOMS, st.sampled_from((b"a.example", b"b.example", b"\xff")), KEYS, KEYS), max_size=5))
def test_hellos_of_one_shape_keep_what_is_their_own(parts: list[tuple[bytes, bytes, bytes, bytes]]) -> None:
    for random, name, key, ticket in parts:
        assert_read(offer(random, name, key, ticket))
        assert_read(answer(random, key, ticket))


def test_one_that_comes_again_shares_what_it_has_in_common() -> None:
    first = repeated.client_hello(offer(bytes(32), b"a.example", bytes(32), b"1234"))
    again = repeated.client_hello(offer(b"r" * 32, b"b.example", b"k" * 32, b"5678"))
    assert again.hello.cipher_suites is first.hello.cipher_suites
    assert (again.hello.server_name, again.hello.session_id, again.hello.random) == ("b.example", b"k" * 32, b"r" * 32)


def test_broken_hellos_are_told_as_they_are() -> None:
    """Next to whole ones of nearly the same shape, cut and changed at any byte."""
    random = Random(3)
    whole = (offer(bytes(32), b"a.example", b"k" * 32, b"1234"), answer(bytes(32), b"k" * 32, b"1234"))
    for body in whole:
        assert_read(body)
        for at in range(len(body)):
            assert_read(body[:at])
            changed = bytearray(body)
            changed[at] = random.randrange(256)
            assert_read(bytes(changed))
            changed[at] = body[at] ^ 1
            assert_read(bytes(changed))
        assert_read(body + b"\0")


@given(st.binary(max_size=120))
def test_any_bytes_are_read_as_before(body: bytes) -> None:
    assert_read(body)


def test_a_hello_retry_request_is_told_from_a_server_hello() -> None:
    assert not repeated.server_hello(answer(bytes(32), b"k" * 32, b"")).hello.hello_retry_request
    assert repeated.server_hello(answer(HELLO_RETRY_REQUEST, b"k" * 32, b"")).hello.hello_retry_request


def test_what_is_kept_stays_bounded() -> None:
    for number in range(2 * repeated.MOST + 10):
        repeated.client_hello(tls.client_hello(suites=(number,)))
        repeated.server_hello(tls.server_hello(extensions=((number, b""),)))
    assert 0 < len(repeated._OFFERS) <= repeated.MOST
    assert 0 < len(repeated._ANSWERS) <= repeated.MOST


@pytest.mark.parametrize("count", [2000, 30_000])
def test_what_is_long_is_not_kept(count: int) -> None:
    before = len(repeated._OFFERS)
    assert_read(tls.client_hello(suites=tuple(range(count))))
    assert len(repeated._OFFERS) == before
