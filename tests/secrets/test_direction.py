"""Keys that may be the ones are tried within limits, and what was opened is counted."""

from __future__ import annotations

import pytest

from tests.secrets.hellos import clear, client_hello, server_hello
from tests.secrets.sealing import Sealer, Sealer13
from tlsalert.secrets.direction import MAX_SLACK, Budget, Direction12, Direction13, Failure, Keys, Plaintext, Record
from tlsalert.secrets.handshake import Handshake
from tlsalert.secrets.keylog import CLIENT_RANDOM, SERVER_HANDSHAKE, SERVER_TRAFFIC, KeyLog
from tlsalert.secrets.keyring import Found, Keyring
from tlsalert.secrets.protection import IV_UNKNOWN, NOT_AUTHENTIC, Opened, Options, RecordOpener, opener_for
from tlsalert.secrets.schedule import DirectionKeys, traffic_keys
from tlsalert.secrets.secret import Secret
from tlsalert.secrets.suites import parse_suite

SUITE = parse_suite("TLS_CHACHA20_POLY1305_SHA256")


def opener(secret: bytes) -> RecordOpener:
    made = opener_for(SUITE, 0x0304, traffic_keys(secret, SUITE))
    assert isinstance(made, RecordOpener)
    return made


def keys_of(*secrets: bytes) -> Keys:
    keys = Keys()
    for secret in secrets:
        keys.add(opener(secret), Found(Secret(secret)))
    return keys


def record(secret: bytes, before: int = 0) -> tuple[Record, bytes]:
    sealer = Sealer13(SUITE, secret)
    sealer.sequence = before
    made = sealer.record("server", 21, b"\x02\x2a", frame=7)
    assert made.fragment is not None
    return made, made.fragment


def test_the_first_keys_that_open_a_record_are_the_ones() -> None:
    keys = keys_of(b"a" * 32, b"b" * 32, b"c" * 32)
    assert keys.open(*record(b"b" * 32), Budget()) == Opened(21, b"\x02\x2a", 0)
    assert keys.chosen
    assert [found.secret for _, found in keys.candidates] == [b"b" * 32]


def test_no_keys_give_no_reason() -> None:
    assert Keys().open(*record(b"a" * 32), Budget()) is None


@pytest.mark.parametrize(("slack", "told"), [(4, NOT_AUTHENTIC), (5, Opened(21, b"\x02\x2a", 5))])
def test_so_many_missing_records_as_were_reckoned_with_are_bridged(slack: int, told: object) -> None:
    keys = keys_of(b"a" * 32)
    keys.lose(slack)
    assert keys.open(*record(b"a" * 32, before=5), Budget()) == told


def test_keys_that_come_behind_a_gap_know_of_it() -> None:
    suite = parse_suite("TLS_RSA_WITH_AES_128_CBC_SHA")
    drawn = DirectionKeys(Secret(bytes(16)), Secret(bytes(16)), Secret(bytes(20)))
    made = opener_for(suite, 0x0301, drawn, Options(encrypt_then_mac=True))
    assert isinstance(made, RecordOpener)
    keys, sealer = Keys(), Sealer(suite, 0x0301, drawn, Options(encrypt_then_mac=True))
    keys.lose(1)
    keys.add(made, Found(Secret()))
    fragment = sealer.seal(23, b"data")
    assert keys.open(Record("client", 23, 0x0301, len(fragment), fragment), fragment, Budget(0)) == IV_UNKNOWN


def test_slack_has_a_limit() -> None:
    keys = keys_of(b"a" * 32)
    for _ in range(3):
        keys.lose(MAX_SLACK - 1)
    assert keys.slack == MAX_SLACK


def test_a_budget_that_is_spent_ends_the_searching() -> None:
    keys, budget = keys_of(b"a" * 32), Budget(9)
    keys.lose(5)
    assert keys.open(*record(b"a" * 32, before=6), budget) == NOT_AUTHENTIC
    assert budget.left == 4
    assert keys.open(*record(b"a" * 32, before=5), budget) == NOT_AUTHENTIC
    assert budget.left == 0


@pytest.mark.parametrize(
    ("length", "slow", "each"), [(19, False, 1), (16384, False, 65), (19, True, 50), (512, True, 150)]
)
def test_long_records_and_slow_ciphers_cost_more(length: int, slow: bool, each: int) -> None:
    suite = parse_suite("TLS_RSA_WITH_ARIA_128_GCM_SHA256" if slow else "TLS_RSA_WITH_AES_128_GCM_SHA256")
    assert suite.slow == slow
    made = opener_for(suite, 0x0303, DirectionKeys(Secret(bytes(16)), Secret(bytes(4))))
    assert isinstance(made, RecordOpener)
    budget = Budget(1000)
    assert budget.spend(3, made, bytes(length)) == 3
    assert budget.left == 1000 - 3 * each


def test_a_budget_limits_how_many_keys_are_tried() -> None:
    keys = keys_of(b"a" * 32, b"b" * 32)
    assert keys.open(*record(b"b" * 32), Budget(1)) == NOT_AUTHENTIC
    assert keys.open(*record(b"b" * 32), Budget(2)) == Opened(21, b"\x02\x2a", 0)


def test_keys_that_cannot_be_made_say_why() -> None:
    keys = Keys()
    keys.add("is missing", Found(Secret()))
    assert (keys.there, keys.trouble) == (False, "is missing")


def shaken(suite: int, selected: int = 0) -> Handshake:
    handshake = Handshake()
    handshake.take("client", client_hello([suite], tls13=bool(selected)))
    handshake.take("server", server_hello(suite, selected=selected))
    return handshake


def test_what_is_told_of_a_record() -> None:
    ring = Keyring(KeyLog())
    ring.keylog.put(SERVER_HANDSHAKE, bytes(range(32)), b"s" * 32)
    direction = Direction13("server", ring)
    handshake = shaken(0x1303, 0x0304)
    other, _ = record(b"x" * 32)
    right, _ = record(b"s" * 32, before=1)
    failure = direction.open(other, handshake)
    says = "secret found, record 0 of the server does not authenticate"
    assert failure == Failure("not_authentic", "server", 7, 0, "handshake", says)
    assert str(failure) == says
    assert direction.open(right, handshake) == Plaintext("server", 21, b"\x02\x2a", 7, 0, 1, "handshake", 1)


def test_secrets_that_come_later_are_used() -> None:
    ring = Keyring(KeyLog())
    direction, handshake = Direction13("server", ring), shaken(0x1303, 0x0304)
    first, _ = record(b"s" * 32)
    second, _ = record(b"s" * 32, before=1)
    assert isinstance(direction.open(first, handshake), Failure)
    ring.keylog.put(SERVER_TRAFFIC, bytes(range(32)), b"s" * 32)
    assert isinstance(direction.open(second, handshake), Plaintext)
    assert direction.epoch == "application"


def test_a_suite_that_cannot_be_opened_in_tls13_is_named() -> None:
    ring = Keyring(KeyLog())
    ring.keylog.put(SERVER_HANDSHAKE, bytes(range(32)), b"s" * 32)
    told = Direction13("server", ring).open(record(b"s" * 32)[0], shaken(0x1307, 0x0304))
    assert isinstance(told, Failure)
    assert told.kind == "unsupported"
    assert str(told) == "TLS_AEGIS_128L_SHA256 is a cipher suite that cannot be opened here"


def test_before_the_change_cipher_spec_nothing_is_protected() -> None:
    ring = Keyring(KeyLog())
    ring.keylog.put(CLIENT_RANDOM, bytes(range(32)), b"m" * 48)
    direction = Direction12("client", ring)
    before = direction.protected
    direction.change(shaken(0x009C))
    assert (before, direction.protected) == (False, True)
    told = direction.open(clear("client", 22, b"not encrypted"))
    assert isinstance(told, Failure)
    assert str(told) == "secret found, record 0 of the client is too short for its cipher"
