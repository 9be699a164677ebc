"""What a sender protected opens, and nothing else does."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.secrets.sealing import Sealer, Sealer13, algorithm
from tlsalert.registry.cipher_suites import NAMES
from tlsalert.secrets import protection
from tlsalert.secrets.protection import (
    IV_UNKNOWN,
    MAX_PLAINTEXT,
    NO_CONTENT_TYPE,
    NOT_AUTHENTIC,
    NOT_INFLATED,
    TOO_SHORT,
    Inflater,
    Opened,
    Options,
    RecordOpener,
    opener_for,
)
from tlsalert.secrets.schedule import SSLV3, TLS10, TLS11, TLS12, connection_keys, traffic_keys
from tlsalert.secrets.secret import Secret
from tlsalert.secrets.suites import Suite, parse_suite, suite_of

SUITES = [suite for code in NAMES if (suite := suite_of(code)) is not None and suite.readable]
#: One suite for each way of protecting records: the key exchange makes no difference here.
KINDS = list(
    {(s.tls13, s.cipher, s.mode, s.key_length, s.key_material, s.tag_length, s.mac): s for s in SUITES}.values()
)
KINDS = [suite for suite in KINDS if suite.mode != "draft-POLY1305" and suite.name != "TLS_NULL_WITH_NULL_NULL"]
OLD = [suite for suite in KINDS if not suite.tls13]
NEW = [suite for suite in KINDS if suite.tls13]
SECRETS = {"sha256": bytes(range(32)), "sha384": bytes(range(48)), "sm3": bytes(range(32))}
AES_CBC = parse_suite("TLS_RSA_WITH_AES_128_CBC_SHA")
AES_GCM = parse_suite("TLS_RSA_WITH_AES_128_GCM_SHA256")
RC4 = parse_suite("TLS_RSA_WITH_RC4_128_SHA")
TLS13 = parse_suite("TLS_AES_128_GCM_SHA256")


def versions(suite: Suite) -> list[int]:
    if suite.aead or suite.mac in ("sha256", "sha384", "sm3"):
        return [TLS12]
    return [SSLV3, TLS10, TLS11, TLS12]


def pair(suite: Suite, version: int, options: Options = protection.NO_OPTIONS) -> tuple[Sealer, RecordOpener]:
    keys, _ = connection_keys(b"m" * 48, b"c" * 32, b"s" * 32, version, suite)
    opener = opener_for(suite, version, keys, options)
    assert isinstance(opener, RecordOpener), opener
    return Sealer(suite, version, keys, options), opener


def pair13(suite: Suite) -> tuple[Sealer13, RecordOpener]:
    secret = SECRETS[suite.prf_hash]
    opener = opener_for(suite, 0x0304, traffic_keys(secret, suite))
    assert isinstance(opener, RecordOpener), opener
    return Sealer13(suite, secret), opener


@pytest.mark.parametrize("suite", OLD, ids=lambda suite: suite.name)
def test_records_open_in_every_version_that_has_the_suite(suite: Suite) -> None:
    for version in versions(suite):
        sealer, opener = pair(suite, version)
        for number, (kind, content) in enumerate([(22, b"finished"), (23, b""), (23, b"x" * 16384), (21, b"\x02\x2a")]):
            assert opener.open(kind, version, sealer.seal(kind, content)) == Opened(kind, content, number)


@pytest.mark.parametrize("suite", NEW, ids=lambda suite: suite.name)
def test_records_of_tls13_open_and_lose_their_padding(suite: Suite) -> None:
    sealer, opener = pair13(suite)
    for number, (kind, content, padding) in enumerate([(22, b"finished", 0), (23, b"", 7), (21, b"\x02\x2a", 500)]):
        told = opener.open(23, 0x0303, sealer.seal(kind, content, padding))
        assert told == Opened(kind, content, number, padding)


@pytest.mark.parametrize("suite", [s for s in OLD if s.mode == "CBC"], ids=lambda suite: suite.name)
@pytest.mark.parametrize("truncated", [False, True])
def test_encrypt_then_mac(suite: Suite, truncated: bool) -> None:
    """RFC 7366, and the MAC of 10 bytes of RFC 6066 §7."""
    options = Options(encrypt_then_mac=True, truncated_mac=truncated)
    for version in versions(suite)[1:] or [TLS12]:
        sealer, opener = pair(suite, version, options)
        for content in (b"one", b"", b"three" * 100):
            told = opener.open(23, version, sealer.seal(23, content))
            assert isinstance(told, Opened)
            assert told.data == content


@pytest.mark.parametrize("version", [TLS10, TLS12])
def test_padding_may_be_longer_than_it_must(version: int) -> None:
    """RFC 5246 §6.2.3.2: up to 255 bytes."""
    sealer, opener = pair(AES_CBC, version)
    assert opener.open(23, version, sealer.seal(23, b"text", padding=14)) == Opened(23, b"text", 0)


def test_padding_of_sslv3_may_hold_anything() -> None:
    """RFC 6101 §5.2.3.2: only the last byte counts."""
    keys, _ = connection_keys(b"m" * 48, b"c" * 32, b"s" * 32, SSLV3, AES_CBC)
    sealer, opener = pair(AES_CBC, SSLV3)
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    content = b"abcd"
    plain = content + sealer._mac(22, content) + b"\x99\x98\x97\x96\x95\x94\x93\x07"
    sealed = Cipher(algorithm("AES", bytes(keys.key)), modes.CBC(bytes(keys.iv))).encryptor().update(plain)
    assert opener.open(22, SSLV3, sealed) == Opened(22, content, 0)


@settings(deadline=None)
@given(suite=st.sampled_from(OLD), content=st.binary(max_size=70), data=st.data())
def test_a_record_that_was_changed_does_not_open(suite: Suite, content: bytes, data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(versions(suite)))
    after = suite.mode == "CBC" and version != SSLV3 and data.draw(st.booleans())
    sealer, opener = pair(suite, version, Options(encrypt_then_mac=after))
    sealed = sealer.seal(23, content)
    changed = bytearray(sealed)
    if not changed:
        return
    at = data.draw(st.integers(0, len(changed) - 1))
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    told = opener.open(23, version, bytes(changed))
    if version == SSLV3 and suite.mode == "CBC" and isinstance(told, Opened):
        assert told.data == content  # SSLv3's padding is covered by nothing: POODLE
    else:
        assert told in (NOT_AUTHENTIC, TOO_SHORT)
    if suite.mac_length or suite.aead:
        assert opener_for_again(suite, version, after).open(22, version, sealed) in (NOT_AUTHENTIC, TOO_SHORT)


def opener_for_again(suite: Suite, version: int, after: bool) -> RecordOpener:
    return pair(suite, version, Options(encrypt_then_mac=after))[1]


@settings(deadline=None)
@given(suite=st.sampled_from(NEW), content=st.binary(max_size=40), data=st.data())
def test_a_record_of_tls13_that_was_changed_does_not_open(suite: Suite, content: bytes, data: st.DataObject) -> None:
    sealer, opener = pair13(suite)
    sealed = bytearray(sealer.seal(23, content))
    assert opener.open(22, 0x0303, bytes(sealed)) == NOT_AUTHENTIC
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert opener.open(23, 0x0303, bytes(sealed)) == NOT_AUTHENTIC


@settings(deadline=None)
@given(
    suite=st.sampled_from(KINDS),
    kind=st.integers(0, 255),
    version=st.integers(0, 0xFFFF),
    fragments=st.lists(st.binary(max_size=80), max_size=4),
    data=st.data(),
)
def test_any_bytes_are_told_and_never_raise(
    suite: Suite, kind: int, version: int, fragments: list[bytes], data: st.DataObject
) -> None:
    opener = pair13(suite)[1] if suite.tls13 else pair(suite, data.draw(st.sampled_from(versions(suite))))[1]
    for fragment in fragments:
        told = opener.open(kind, version, fragment)
        assert isinstance(told, str)
        opener.search(kind, version, fragment, 3, data.draw(st.integers(0, 100)))
        opener.skip(len(fragment), fragment[-16:])
        opener.lose()


@pytest.mark.parametrize("suite", KINDS, ids=lambda suite: suite.name)
def test_a_failure_leaves_the_opener_as_it_was(suite: Suite) -> None:
    version = 0x0303 if suite.tls13 else versions(suite)[-1]
    sealer, opener = pair13(suite) if suite.tls13 else pair(suite, version)
    sealed = sealer.seal(23, b"content")
    assert isinstance(opener.open(23, version, sealed[:-1] + bytes((sealed[-1] ^ 1,))), str)
    assert isinstance(opener.open(23, version, sealed), Opened)


@pytest.mark.parametrize("suite", KINDS, ids=lambda suite: suite.name)
def test_records_that_were_not_kept_are_stepped_over(suite: Suite) -> None:
    for version in [0x0303] if suite.tls13 else versions(suite):
        sealer, opener = pair13(suite) if suite.tls13 else pair(suite, version)
        for length in (3, 1000, 16384):
            sealed = sealer.seal(23, b"x" * length)
            opener.skip(len(sealed), sealed[-32:])
        assert opener.open(23 if suite.tls13 else 21, version, sealer.seal(21, b"\x02\x2a")) == Opened(
            21, b"\x02\x2a", 3
        )


@pytest.mark.parametrize("suite", KINDS, ids=lambda suite: suite.name)
def test_a_record_behind_a_gap_is_found(suite: Suite) -> None:
    version = 0x0303 if suite.tls13 else versions(suite)[-1]
    sealer, opener = pair13(suite) if suite.tls13 else pair(suite, version)
    lost = sum(5 + len(sealer.seal(23, b"x" * length)) for length in (3, 1000, 16384))
    opener.lose()
    kind = 23 if suite.tls13 else 21
    sealed = sealer.seal(21, b"\x02\x2a")
    assert opener.search(kind, version, sealed, 10, lost) == Opened(21, b"\x02\x2a", 3)
    assert isinstance(opener.open(kind, version, sealer.seal(21, b"\x01\x00")), Opened)


def test_the_suite_that_protects_nothing_opens_anything() -> None:
    _, opener = pair(parse_suite("TLS_NULL_WITH_NULL_NULL"), TLS12)
    assert opener.open(23, TLS12, b"anything") == Opened(23, b"anything", 0)


def test_a_gap_that_is_longer_than_was_reckoned_with_is_not_bridged() -> None:
    sealer, opener = pair(AES_GCM, TLS12)
    for _ in range(5):
        sealer.seal(23, b"")
    assert opener.search(21, TLS12, sealer.seal(21, b"\x02\x2a"), 4) == NOT_AUTHENTIC


@pytest.mark.parametrize(
    "suite", [s for s in OLD if s.mode == "CBC" and s.mac in ("md5", "sha1")], ids=lambda s: s.name
)
@pytest.mark.parametrize("version", [SSLV3, TLS10])
def test_an_alert_is_read_though_its_iv_was_not_kept(suite: Suite, version: int) -> None:
    """Up to TLS 1.0 the IV is the end of the record before; the MAC tells which of 512 alerts it was."""
    sealer, opener = pair(suite, version)
    for _ in range(2):
        opener.skip(len(sealer.seal(23, b"data")))
    assert opener.open(21, version, sealer.seal(21, b"\x02\x2d")) == Opened(21, b"\x02\x2d", 2)
    assert opener.open(21, version, sealer.seal(21, b"\x01\x00")) == Opened(21, b"\x01\x00", 3)


def test_with_encrypt_then_mac_no_first_block_of_garbage_is_read() -> None:
    """RFC 7366 §3: the MAC does not cover an IV that is not sent, so it has to come from a record that is sound."""
    sealer, opener = pair(AES_CBC, TLS10, Options(encrypt_then_mac=True))
    damaged = bytearray(sealer.seal(23, b"x" * 40))
    damaged[40] ^= 1
    assert opener.open(23, TLS10, bytes(damaged)) == NOT_AUTHENTIC
    opener.fail(bytes(damaged))
    after = sealer.seal(23, b"y" * 40)
    assert opener.open(23, TLS10, after) == IV_UNKNOWN
    opener.fail(after)
    assert opener.open(23, TLS10, sealer.seal(23, b"z" * 40)) == Opened(23, b"z" * 40, 2)


@pytest.mark.parametrize(("after", "told"), [(True, IV_UNKNOWN), (False, Opened(23, b"y", 0))])
def test_an_iv_in_doubt_is_used_only_where_a_mac_can_tell_that_it_is_wrong(after: bool, told: object) -> None:
    sealer, opener = pair(AES_CBC, TLS10, Options(encrypt_then_mac=after))
    opener.lose()
    assert opener.open(23, TLS10, sealer.seal(23, b"y")) == told


def test_a_record_found_behind_missing_ones_has_no_iv() -> None:
    sealer, opener = pair(AES_CBC, TLS10, Options(encrypt_then_mac=True))
    sealer.seal(23, b"missing")
    sealed = sealer.seal(23, b"y")
    assert opener.open(23, TLS10, sealed, 1) == IV_UNKNOWN
    assert opener.search(23, TLS10, sealed, 3) == NOT_AUTHENTIC


def test_without_it_a_damaged_record_costs_only_itself() -> None:
    sealer, opener = pair(AES_CBC, TLS10)
    damaged = bytearray(sealer.seal(23, b"x" * 40))
    damaged[0] ^= 1
    assert opener.open(23, TLS10, bytes(damaged)) == NOT_AUTHENTIC
    opener.fail(bytes(damaged))
    assert opener.open(23, TLS10, sealer.seal(23, b"y")) == Opened(23, b"y", 1)


def test_other_content_without_its_iv_is_told_as_that() -> None:
    sealer, opener = pair(AES_CBC, TLS10)
    opener.skip(len(sealer.seal(23, b"data")))
    assert opener.open(22, TLS10, sealer.seal(22, b"handshake")) == IV_UNKNOWN


def test_a_wrong_alert_without_its_iv_does_not_open() -> None:
    sealer, opener = pair(AES_CBC, TLS10)
    opener.skip(len(sealer.seal(23, b"data")))
    sealed = sealer.seal(21, b"\x02\x2d")
    opener.sequence += 1
    assert opener.open(21, TLS10, sealed) == NOT_AUTHENTIC


def test_a_record_of_padding_alone_is_told() -> None:
    """RFC 8446 §5.4."""
    sealer, opener = pair13(TLS13)
    assert opener.open(23, 0x0303, sealer.seal(0, b"\0\0")) == NO_CONTENT_TYPE


def test_drafts_of_tls13_authenticate_no_header() -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    keys = traffic_keys(SECRETS["sha256"], TLS13)
    opener = opener_for(TLS13, 0x0304, keys, Options(bare=True))
    assert isinstance(opener, RecordOpener)
    assert opener.open(23, 0x0301, AESGCM(keys.key).encrypt(keys.iv, b"\x02\x28\x15", b"")) == Opened(
        21, b"\x02\x28", 0
    )


def test_the_first_chacha_suites_had_a_nonce_of_eight_bytes() -> None:
    """draft-agl-tls-chacha20poly1305-04 §5, with the primitives of RFC 8439 put together as the draft says."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
    from cryptography.hazmat.primitives.poly1305 import Poly1305

    suite = parse_suite("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256_draft")
    keys, _ = connection_keys(b"m" * 48, b"c" * 32, b"s" * 32, TLS12, suite)
    stream = Cipher(algorithms.ChaCha20(bytes(keys.key), bytes(16)), None).encryptor()
    one_time = stream.update(bytes(64))[:32]
    sealed, header = stream.update(b"hello"), bytes(8) + b"\x17\x03\x03\x00\x05"
    tag = Poly1305.generate_tag(one_time, header + b"\x0d" + bytes(7) + sealed + b"\x05" + bytes(7))
    opener = opener_for(suite, TLS12, keys)
    assert isinstance(opener, RecordOpener)
    assert opener.open(23, TLS12, sealed + tag[:-1] + bytes((tag[-1] ^ 1,))) == NOT_AUTHENTIC
    assert opener.open(23, TLS12, sealed + tag) == Opened(23, b"hello", 0)


def test_sequence_numbers_of_dtls_come_from_outside() -> None:
    sealer, opener = pair(AES_GCM, TLS12)
    sealer.sequence = 1 << 48 | 7
    sealed = sealer.seal(21, b"\x02\x2a")
    assert opener.open(21, TLS12, sealed) == NOT_AUTHENTIC
    assert opener.open(21, TLS12, sealed, 1 << 48 | 7) == Opened(21, b"\x02\x2a", 1 << 48 | 7)


def test_compressed_records_lean_on_those_before_them() -> None:
    """RFC 3749 §2."""
    sealer, opener = pair(AES_CBC, TLS12, Options(deflate=True))
    for content in (b"GET / HTTP/1.0\r\n" * 9, b"GET / HTTP/1.0\r\n", b""):
        told = opener.open(23, TLS12, sealer.seal(23, content))
        assert isinstance(told, Opened)
        assert told.data == content
    opener.skip(len(sealer.seal(23, b"not kept")))
    assert opener.open(23, TLS12, sealer.seal(23, b"GET / HTTP/1.0\r\n")) == NOT_INFLATED


def test_a_bomb_is_not_inflated() -> None:
    assert Inflater().inflate(zlib.compress(bytes(MAX_PLAINTEXT))) == bytes(MAX_PLAINTEXT)
    assert Inflater().inflate(zlib.compress(bytes(10_000_000))) is None


@given(st.binary(min_size=1))
def test_bytes_that_are_not_compressed_are_told(data: bytes) -> None:
    inflater = Inflater()
    first = inflater.inflate(b"\xff" + data)
    assert first is None
    assert inflater.inflate(zlib.compress(b"later")) is None


@pytest.mark.parametrize("name", ["TLS_AEGIS_256_SHA512", "TLS_RSA_WITH_SALSA20_SHA1", "TLS_SHA256_SHA256"])
def test_a_suite_that_cannot_be_opened_is_named(name: str) -> None:
    suite = parse_suite(name)
    keys = traffic_keys(bytes(32), suite) if suite.tls13 else connection_keys(bytes(48), b"", b"", TLS12, suite)[0]
    assert opener_for(suite, TLS12, keys) == f"{name} is a cipher suite that cannot be opened here"


def test_a_cipher_that_the_package_has_lost_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm

    def missing(name: str) -> Any:
        raise UnsupportedAlgorithm(name)

    keys, _ = connection_keys(Secret(b"m" * 48), b"c" * 32, b"s" * 32, TLS12, RC4)
    monkeypatch.setattr(protection, "_algorithm", missing)
    assert opener_for(RC4, TLS12, keys) == "RC4 is missing in the installed cryptography package"
