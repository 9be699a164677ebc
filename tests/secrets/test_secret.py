"""A secret is bytes that do not print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.secrets.direction import Failure
from tlsalert.secrets.keylog import CLIENT_RANDOM, KeyLog, Secrets
from tlsalert.secrets.keyring import Found, Keyring
from tlsalert.secrets.protection import opener_for
from tlsalert.secrets.schedule import DirectionKeys, connection_keys
from tlsalert.secrets.secret import Secret
from tlsalert.secrets.suites import parse_suite

VALUE = bytes(range(65, 113))


@pytest.mark.parametrize(
    "shown", [repr, str, ascii, format, "{}".format, "{!r:>60}".format, "%s".__mod__, "%r".__mod__]
)
def test_no_way_of_printing_shows_it(shown: object) -> None:
    assert callable(shown)
    text = shown(Secret(VALUE))
    assert "ABC" not in text
    assert VALUE.hex() not in text
    assert "<secret of 48 bytes>" in text


@given(st.binary())
def test_it_is_equal_to_the_bytes_it_holds(data: bytes) -> None:
    assert Secret(data) == data
    assert hash(Secret(data)) == hash(data)


def test_nothing_that_holds_one_shows_it() -> None:
    keylog = KeyLog()
    keylog.put(CLIENT_RANDOM, bytes(32), VALUE)
    suite = parse_suite("TLS_RSA_WITH_AES_128_CBC_SHA")
    keys, _ = connection_keys(VALUE, bytes(32), bytes(32), 0x0303, suite)
    holders = [
        keylog,
        keylog.secrets(bytes(32)),
        Secrets(bytes(32), [(CLIENT_RANDOM, VALUE)]),
        Keyring(keylog, psks=[VALUE]),
        Found(Secret(VALUE)),
        DirectionKeys(Secret(VALUE), Secret(VALUE), Secret(VALUE)),
        keys,
        opener_for(suite, 0x0303, keys),
        Failure("no_secret", "client", 1, 0, "1", "says"),
    ]
    for holder in holders:
        assert "ABC" not in repr(holder) + str(holder)
        assert VALUE.hex()[:8] not in repr(holder) + str(holder)
