"""A shape leaves out what the fields do not tell, and nothing that they do."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.wire import tls
from tests.wire.test_contents import TICKET_13, u32
from tests.wire.test_key_exchange import DH, DHE_RSA, EC, ECDHE_RSA, PSK, RSA, SIGNED_10, SIGNED_12, SRP
from tests.wire.tls import TLS10, TLS12, TLS13, u16, vector
from tlsalert.render.fields import fields
from tlsalert.render.shapes import LONGEST_EXTENSION, LONGEST_MESSAGE, extension_shape, message_shape
from tlsalert.render.values import extension_value
from tlsalert.wire.contents import READERS
from tlsalert.wire.extensions import READERS as EXTENSIONS

SSL3 = 0x0300
ECH = b"\0" + u16(1, 1) + b"\x07" + vector(2, bytes(32)) + vector(2, bytes(144))
SHARES = vector(2, u16(0x0A0A) + vector(2, b"x") + u16(29) + vector(2, bytes(32)))
TICKET = u32(7200) + vector(2, bytes(160))

#: Messages whose keys, tickets and signatures differ each time: type, version, cipher suite, body, bytes that say more.
MESSAGES = [
    pytest.param(12, TLS12, ECDHE_RSA, EC + SIGNED_12, 8, id="curve, scheme and lengths"),
    pytest.param(12, TLS10, ECDHE_RSA, EC + SIGNED_10, 6, id="no scheme before TLS 1.2"),
    pytest.param(12, TLS12, DHE_RSA, DH + SIGNED_12, 139, id="prime, generator, scheme and lengths"),
    pytest.param(15, TLS12, ECDHE_RSA, SIGNED_12, 4, id="the proof's scheme and length"),
    pytest.param(15, TLS10, ECDHE_RSA, SIGNED_10, 2, id="the proof's length"),
    pytest.param(16, TLS12, ECDHE_RSA, vector(1, bytes(65)), 1, id="the client's point"),
    pytest.param(16, TLS12, RSA, vector(2, bytes(256)), 2, id="the encrypted secret"),
    pytest.param(16, SSL3, RSA, bytes(256), 0, id="the encrypted secret of SSLv3"),
    pytest.param(16, 0, -1, vector(2, bytes(256)), 2, id="of an unknown cipher suite"),
    pytest.param(4, TLS12, ECDHE_RSA, TICKET, 6, id="the ticket's lifetime and length"),
]
EXTENSION_SHAPES = [
    pytest.param(51, SHARES, 1, 8, id="groups and lengths of shares"),
    pytest.param(51, u16(29) + vector(2, bytes(32)), 2, 4, id="the server's share"),
    pytest.param(35, bytes(160), 1, 0, id="a ticket"),
    pytest.param(21, bytes(160), 1, 0, id="padding"),
    pytest.param(44, vector(2, bytes(50)), 1, 2, id="a cookie"),
    pytest.param(65037, ECH, 1, 10, id="an encrypted hello"),
]


@pytest.mark.parametrize(("kind", "tls", "suite", "body", "size"), MESSAGES)
def test_of_a_message_only_what_its_fields_tell_is_in_its_shape(
    kind: int, tls: int, suite: int, body: bytes, size: int
) -> None:
    assert len(message_shape(kind, body, tls, suite) or b"") == size


@pytest.mark.parametrize(("kind", "data", "message", "size"), EXTENSION_SHAPES)
def test_of_an_extension_only_what_its_value_tells_is_in_its_shape(
    kind: int, data: bytes, message: int, size: int
) -> None:
    assert len(extension_shape(kind, data, message) or b"") == size


@pytest.mark.parametrize(
    ("kind", "tls", "suite", "body"),
    [
        (3, 0xFEFD, -1, b"\xfe\xff\x02\xab\xcd"),
        (4, TLS13, -1, TICKET_13 + u16(0)),
        (12, TLS12, -1, EC + SIGNED_12),
        (12, TLS12, DHE_RSA, vector(2, bytes(LONGEST_MESSAGE)) + vector(2, b"\2") + vector(2, b"Y")),
        (12, TLS12, SRP, bytes(9)),
        (20, TLS12, RSA, bytes(12)),
        (22, TLS12, RSA, bytes(LONGEST_MESSAGE + 1)),
        (99, TLS12, RSA, b"?"),
    ],
)
def test_what_is_new_each_time_or_long_has_no_shape(kind: int, tls: int, suite: int, body: bytes) -> None:
    assert message_shape(kind, body, tls, suite) is None


@pytest.mark.parametrize(
    ("kind", "data"), [(0, b"?"), (41, b"?"), (10, bytes(LONGEST_EXTENSION + 1)), (21, b"\0\1"), (51, SHARES[:-1])]
)
def test_an_extension_that_is_new_each_time_or_long_or_broken_has_no_shape(kind: int, data: bytes) -> None:
    assert extension_shape(kind, data, 1) is None


BODIES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([EC + SIGNED_12, EC + SIGNED_10, DH + SIGNED_12, TICKET, SIGNED_12, vector(2, b"secret")]),
)
SUITES = st.sampled_from([-1, ECDHE_RSA, DHE_RSA, PSK, RSA, SRP])
CHANGES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4)


def changed(data: bytes, changes: list[tuple[int, int]]) -> bytes:
    other = bytearray(data)
    for place, value in changes:
        if other:
            other[place % len(other)] = value
    return bytes(other)


@given(st.sampled_from(sorted(READERS)), BODIES, st.sampled_from([0, SSL3, TLS10, TLS12, TLS13]), SUITES, CHANGES)
@example(12, EC + SIGNED_12, TLS12, ECDHE_RSA, [(9, 1), (68, 8)])
@example(12, EC + SIGNED_10, 0, ECDHE_RSA, [(72, 1)])
@example(15, SIGNED_12, 0, ECDHE_RSA, [(3, 9)])
def test_messages_of_one_shape_have_the_same_fields(
    kind: int, body: bytes, tls: int, suite: int, changes: list[tuple[int, int]]
) -> None:
    other = changed(body, changes)
    shape = message_shape(kind, body, tls, suite)
    if shape is not None and shape == message_shape(kind, other, tls, suite):
        assert fields(kind, body, tls, suite) == fields(kind, other, tls, suite)


DATA = st.one_of(
    st.binary(max_size=40), st.sampled_from([SHARES, ECH, u16(29) + vector(2, b"share"), tls.alpn(b"h2")[1]])
)


@given(st.sampled_from(sorted(EXTENSIONS)), DATA, st.sampled_from([1, 2, 6]), CHANGES)
def test_extensions_of_one_shape_have_the_same_value(
    kind: int, data: bytes, message: int, changes: list[tuple[int, int]]
) -> None:
    other = changed(data, changes)
    shape = extension_shape(kind, data, message)
    if shape is not None and shape == extension_shape(kind, other, message):
        assert extension_value(kind, data, message) == extension_value(kind, other, message)
