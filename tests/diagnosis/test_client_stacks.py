"""Which stack a client is, by hellos that were seen on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stories import HELLO
from tlsalert.diagnosis.client_stacks import RECOGNISED, client_stack
from tlsalert.diagnosis.knowledge import STACKS
from tlsalert.model import ClientHello, Extension

#: Extensions in their order, as each program sent them.
SEEN = {
    "OpenSSL 3.0.17 s_client": ((0, 11, 10, 35, 22, 23, 13, 43, 45, 51), "openssl>=1.1.1"),
    "OpenSSL 3.0.17, TLS 1.2": ((0, 11, 10, 35, 22, 23, 13), "openssl>=1.1.1"),
    "OpenSSL 1.0.2v": ((0, 11, 10, 35, 13, 15), "openssl<=1.0.2"),
    "OpenSSL 1.0.1e": ((0, 11, 10, 35, 13, 15), "openssl<=1.0.2"),
    "GnuTLS 3.7.9": ((13, 65281, 22, 5, 10, 0, 51, 23, 43, 28, 11, 45, 35), "gnutls"),
    "Java 17": ((0, 5, 10, 11, 17, 23, 35, 13, 43, 45, 50, 51), "java"),
    "Chromium": ((0x0A0A, 0, 23, 65281, 10, 11, 35, 16, 5, 13, 18, 51, 45, 43, 0x1A1A), "boringssl"),
}


def hello(kinds: tuple[int, ...], suites: tuple[int, ...] = (0xC02F,)) -> ClientHello:
    extensions = tuple(Extension(kind, b"") for kind in kinds)
    return ClientHello(0x0303, bytes(32), b"", suites, (0,), extensions, versions=(0x0303,))


@pytest.mark.parametrize("program", SEEN)
def test_a_client_is_known_by_its_extensions(program: str) -> None:
    kinds, stack = SEEN[program]
    found = client_stack(hello(kinds))
    assert max(found, key=lambda name: found[name]) == stack
    assert found[stack] == RECOGNISED


def test_grease_among_the_cipher_suites_is_enough() -> None:
    """RFC 8701 §3.1."""
    assert client_stack(hello((0, 10, 11), (0x2A2A, 0xC02F)))["boringssl"] == RECOGNISED
    assert client_stack(HELLO)["boringssl"] == RECOGNISED


@pytest.mark.parametrize("unknown", [None, hello(()), hello((0, 10, 11, 13))], ids=["no hello", "bare", "in order"])
def test_a_client_that_is_not_known_may_be_any(unknown: ClientHello | None) -> None:
    assert set(client_stack(unknown).values()) == {1 / len(STACKS)}


@given(st.lists(st.sampled_from([0, 10, 11, 13, 17, 22, 23, 28, 35, 50, 0x0A0A]), max_size=8))
def test_it_is_a_probability_over_all_stacks(kinds: list[int]) -> None:
    found = client_stack(hello(tuple(kinds)))
    assert {*found} == {*STACKS}
    assert sum(found.values()) == pytest.approx(1)
