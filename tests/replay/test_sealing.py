"""What is sealed is opened again by the other half, tlsalert.secrets.protection, under every suite that it knows."""

from __future__ import annotations

import os

import pytest

from tlsalert.registry.cipher_suites import NAMES
from tlsalert.replay.sealing import sealer_for
from tlsalert.secrets.protection import NO_OPTIONS, Opened, Options, opener_for
from tlsalert.secrets.schedule import SSLV3, TLS10, TLS12, TLS13, DirectionKeys, connection_keys, traffic_keys
from tlsalert.secrets.suites import Suite, parse_suite, suite_of

KNOWN = [suite for code in NAMES if (suite := suite_of(code)) is not None and suite.readable]
SPOKEN = [suite for suite in KNOWN if suite.mode != "draft-POLY1305"]
#: One suite of each cipher, mode, MAC and generation.
KINDS = {(s.tls13, s.cipher, s.mode, s.key_length, s.mac, s.tag_length, s.export): s for s in SPOKEN}
CONTENTS = (b"", b"\2\x28", b"GET / HTTP/1.0\r\n\r\n", bytes(16384))


def keys(suite: Suite, version: int) -> DirectionKeys:
    if suite.tls13:
        return traffic_keys(os.urandom(32), suite)
    return connection_keys(os.urandom(48), bytes(32), bytes(range(32)), version, suite)[0]


def passes(suite: Suite, version: int, options: Options = NO_OPTIONS) -> None:
    made = keys(suite, version)
    sealer, opener = sealer_for(suite, version, made, options), opener_for(suite, version, made, options)
    assert not isinstance(opener, str)
    header = TLS12 if version == TLS13 else version
    for content in CONTENTS:
        content_type, fragment = sealer.seal(23, content)
        told = opener.open(content_type, header, fragment)
        assert isinstance(told, Opened)
        assert (told.content_type, told.data) == (23, content)


@pytest.mark.parametrize("suite", KINDS.values(), ids=lambda suite: suite.name)
def test_what_is_sealed_can_be_opened(suite: Suite) -> None:
    for version in (TLS13,) if suite.tls13 else (TLS12,) if suite.aead else (SSLV3, TLS10, 0x0302, TLS12):
        if version != SSLV3 or suite.mac in ("md5", "sha1", None):
            passes(suite, version)


@pytest.mark.parametrize("version", [TLS10, 0x0302, TLS12])
@pytest.mark.parametrize(
    "options",
    [Options(encrypt_then_mac=True), Options(truncated_mac=True), Options(deflate=True)],
    ids=["encrypt-then-MAC", "a MAC of 10 bytes", "DEFLATE"],
)
def test_options_hold_for_both_halves(options: Options, version: int) -> None:
    passes(parse_suite("TLS_RSA_WITH_AES_128_CBC_SHA"), version, options)


def test_no_nonce_comes_twice() -> None:
    suite = parse_suite("TLS_AES_128_GCM_SHA256")
    sealer = sealer_for(suite, TLS13, keys(suite, TLS13))
    assert len({sealer.seal(22, b"the same") for _ in range(100)}) == 100


@pytest.mark.parametrize("name", ["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256_draft", "TLS_AEGIS_256_SHA512"])
def test_what_cannot_be_spoken_is_said(name: str) -> None:
    suite = parse_suite(name)
    with pytest.raises(ValueError, match="cannot be spoken here"):
        sealer_for(suite, TLS12, DirectionKeys(os.urandom(0), os.urandom(0)))  # type: ignore[arg-type]
