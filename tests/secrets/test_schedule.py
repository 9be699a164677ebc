"""Key schedules give the values of the RFCs' own examples."""

from __future__ import annotations

import hashlib

import pytest

from tests.secrets import rfc8448
from tlsalert.secrets.schedule import (
    SSLV3,
    TLS10,
    TLS11,
    TLS12,
    EarlySchedule,
    connection_keys,
    derive_secret,
    finished_13,
    hkdf_expand,
    hkdf_extract,
    master_secret,
    next_traffic_secret,
    prf,
    psk_premaster,
    session_hash,
    tls_equivalent,
    traffic_keys,
    verify_data,
)
from tlsalert.secrets.suites import parse_suite

AES_128_GCM = parse_suite("TLS_AES_128_GCM_SHA256")


def messages(*records: str) -> bytes:
    return b"".join(bytes.fromhex(record)[5:] for record in records)


# RFC 5869 App. A.1, A.3, A.4
@pytest.mark.parametrize(
    ("hash_name", "material", "salt", "info", "length", "extracted", "expanded"),
    [
        pytest.param(
            "sha256",
            "0b" * 22,
            bytes(range(13)).hex(),
            bytes(range(0xF0, 0xFA)).hex(),
            42,
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            id="A.1",
        ),
        pytest.param(
            "sha256",
            "0b" * 22,
            "",
            "",
            42,
            "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            id="A.3, without salt and info",
        ),
        pytest.param(
            "sha1",
            "0b" * 11,
            bytes(range(13)).hex(),
            bytes(range(0xF0, 0xFA)).hex(),
            42,
            "9b6c18c432a7bf8f0e71c8eb88f4b30baa2ba243",
            "085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896",
            id="A.4, SHA-1",
        ),
    ],
)
def test_hkdf(hash_name: str, material: str, salt: str, info: str, length: int, extracted: str, expanded: str) -> None:
    secret = hkdf_extract(bytes.fromhex(salt), bytes.fromhex(material), hash_name)
    assert secret.hex() == extracted
    assert hkdf_expand(secret, bytes.fromhex(info), length, hash_name).hex() == expanded


def test_tls13_from_the_shared_secret_to_the_traffic_secrets() -> None:
    """RFC 8448 §3."""
    hellos = messages(rfc8448.CLIENT_HELLO, rfc8448.SERVER_HELLO)
    schedule = EarlySchedule(b"", "sha256")
    handshake = schedule.handshake(bytes.fromhex(rfc8448.SHARED_SECRET))
    assert schedule.secret.hex() == rfc8448.EARLY_SECRET
    assert handshake.hex() == rfc8448.HANDSHAKE_SECRET
    assert derive_secret(handshake, "c hs traffic", hellos, "sha256").hex() == rfc8448.CLIENT_HANDSHAKE
    assert derive_secret(handshake, "s hs traffic", hellos, "sha256").hex() == rfc8448.SERVER_HANDSHAKE
    assert schedule.master(handshake).hex() == rfc8448.MASTER_SECRET


def test_tls13_from_the_traffic_secret_to_key_and_iv() -> None:
    """RFC 8448 §3."""
    keys = traffic_keys(bytes.fromhex(rfc8448.SERVER_HANDSHAKE), AES_128_GCM)
    assert (keys.key.hex(), keys.iv.hex()) == ("3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30")


def test_tls13_early_traffic_and_binder_of_a_resumption() -> None:
    """RFC 8448 §4."""
    schedule = EarlySchedule(bytes.fromhex(rfc8448.PSK), "sha256", external=False)
    assert schedule.binder(bytes.fromhex(rfc8448.RESUMED_HELLO_PREFIX)).hex() == rfc8448.BINDER
    assert schedule.early_traffic(rfc8448.RESUMED_HELLO).hex() == rfc8448.EARLY_TRAFFIC


def test_tls13_finished() -> None:
    """RFC 8448 §3: the server's Finished over the transcript to CertificateVerify."""
    transcript_hash = bytes.fromhex("edb7725fa7a3473b031ec8ef65a2485493900138a2b91291407d7951a06110ed")
    found = finished_13(bytes.fromhex(rfc8448.SERVER_HANDSHAKE), transcript_hash, "sha256")
    assert found.hex() == "9b9b141d906337fbd2cbdce71df4deda4ab42c309572cb7fffee5454b78f0718"


def test_key_updates_go_on_from_each_other() -> None:
    """RFC 9001 App. A.5 has the label "quic ku"; TLS's own has no published example: HKDF by hand."""
    info = b"\x00\x20" + b"\x11tls13 traffic upd" + b"\x00"
    secret = bytes(range(32))
    assert next_traffic_secret(secret, "sha256") == hkdf_expand(secret, info, 32, "sha256")


def test_prf_of_tls12() -> None:
    """The IETF TLS working group's test vector for P_SHA256, 2009."""
    secret = bytes.fromhex("9bbe436ba940f017b17652849a71db35")
    seed = bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c")
    assert prf(secret, b"test label", seed, 100, TLS12, "sha256").hex() == (
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa0"
        "22f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66"
    )


@pytest.mark.parametrize("version", [TLS10, TLS11])
def test_prf_of_tls10(version: int) -> None:
    """The IETF TLS working group's test vector for the PRF of MD5 and SHA-1, 1997."""
    assert prf(b"\xab" * 48, b"PRF Testvector", b"\xcd" * 64, 104, version, "sha256").hex() == (
        "d3d4d1e349b5d515044666d51de32bab258cb521b6b053463e354832fd976754443bcf9a296519bc289abcbc1187e4ebd31e6023"
        "53776c408aafb74cbc85eff69255f9788faa184cbb957a9819d84a5d7eb006eb459d3ae8de9810454b8b2d8f1afbc655a8c9a013"
    )


def test_an_odd_secret_shares_its_middle_byte() -> None:
    """RFC 2246 §5."""
    odd = prf(b"abcde", b"label", b"seed", 16, TLS10, "sha256")
    assert odd != prf(b"abde", b"label", b"seed", 16, TLS10, "sha256")
    assert odd == prf(b"abccde", b"label", b"seed", 16, TLS10, "sha256")


def test_sslv3_master_secret_is_three_hashes_of_a_bb_and_ccc() -> None:
    """RFC 6101 §6.1."""
    premaster, client, server = b"p" * 48, b"c" * 32, b"s" * 32
    parts = [
        hashlib.md5(premaster + hashlib.sha1(word + premaster + client + server).digest()).digest()
        for word in (b"A", b"BB", b"CCC")
    ]
    assert master_secret(premaster, client, server, SSLV3, "sha256") == b"".join(parts)


def test_sslv3_finished_is_an_md5_and_a_sha() -> None:
    """RFC 6101 §5.6.9."""
    master, said = b"m" * 48, b"messages"
    inner_md5 = hashlib.md5(said + b"CLNT" + master + b"6" * 48).digest()
    inner_sha = hashlib.sha1(said + b"CLNT" + master + b"6" * 40).digest()
    expected = (
        hashlib.md5(master + b"\\" * 48 + inner_md5).digest() + hashlib.sha1(master + b"\\" * 40 + inner_sha).digest()
    )
    assert verify_data(master, said, SSLV3, "sha256", client=True) == expected


def test_finished_of_tls_is_twelve_bytes_that_differ_by_side() -> None:
    found = {
        verify_data(b"m" * 48, b"said", version, "sha256", side) for version in (TLS10, TLS12) for side in (True, False)
    }
    assert len(found) == 4
    assert {len(data) for data in found} == {12}


def test_the_extended_master_secret_leans_on_the_messages_not_on_the_randoms() -> None:
    """RFC 7627 §4."""
    seed = session_hash(b"messages", TLS12, "sha256")
    one = master_secret(b"p" * 48, b"c" * 32, b"s" * 32, TLS12, "sha256", seed)
    assert one == master_secret(b"p" * 48, b"x" * 32, b"y" * 32, TLS12, "sha256", seed)
    assert one == prf(b"p" * 48, b"extended master secret", hashlib.sha256(b"messages").digest(), 48, TLS12, "sha256")


def test_the_session_hash_before_tls12_is_md5_and_sha1() -> None:
    assert session_hash(b"x", TLS11, "sha256") == hashlib.md5(b"x").digest() + hashlib.sha1(b"x").digest()


@pytest.mark.parametrize(
    ("name", "version", "lengths"),
    [
        ("TLS_RSA_WITH_AES_128_CBC_SHA", TLS10, (20, 16, 16)),
        ("TLS_RSA_WITH_AES_128_CBC_SHA", TLS11, (20, 16, 0)),
        ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", SSLV3, (20, 24, 8)),
        ("TLS_RSA_WITH_AES_256_GCM_SHA384", TLS12, (0, 32, 4)),
        ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", TLS12, (0, 32, 12)),
        ("TLS_RSA_WITH_RC4_128_MD5", TLS10, (16, 16, 0)),
        ("TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", TLS10, (20, 8, 8)),
        ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", SSLV3, (16, 16, 0)),
    ],
)
def test_the_key_block_is_cut_into_parts_that_differ(name: str, version: int, lengths: tuple[int, int, int]) -> None:
    client, server = connection_keys(b"m" * 48, b"c" * 32, b"s" * 32, version, parse_suite(name))
    for keys in (client, server):
        assert (len(keys.mac_key), len(keys.key), len(keys.iv)) == lengths
    parts = [part for keys in (client, server) for part in (keys.mac_key, keys.key, keys.iv) if part]
    assert len(set(parts)) == len(parts)


def test_keys_of_aead_stand_first_in_the_key_block() -> None:
    """RFC 5246 §6.3."""
    block = prf(b"m" * 48, b"key expansion", b"s" * 32 + b"c" * 32, 40, TLS12, "sha256")
    suite = parse_suite("TLS_RSA_WITH_AES_128_GCM_SHA256")
    client, server = connection_keys(b"m" * 48, b"c" * 32, b"s" * 32, TLS12, suite)
    assert (client.key, server.key, client.iv, server.iv) == (block[:16], block[16:32], block[32:36], block[36:])


def test_an_export_key_grows_from_five_bytes() -> None:
    """RFC 2246 §6.3.1 and its example in §6.3."""
    suite, master, client_random, server_random = (
        parse_suite("TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5"),
        b"m" * 48,
        b"c" * 32,
        b"s" * 32,
    )
    block = prf(master, b"key expansion", server_random + client_random, 42, TLS10, "sha256")
    client, _ = connection_keys(master, client_random, server_random, TLS10, suite)
    assert client.mac_key == block[:16]
    assert client.key == prf(block[32:37], b"client write key", client_random + server_random, 16, TLS10, "sha256")
    assert client.iv == prf(b"", b"IV block", client_random + server_random, 16, TLS10, "sha256")[:8]


def test_premaster_of_a_plain_psk() -> None:
    """RFC 4279 §2: as many zeros as the PSK is long, then the PSK."""
    assert psk_premaster(b"key") == b"\0\x03\0\0\0\0\x03key"
    assert psk_premaster(b"key", b"other") == b"\0\x05other\0\x03key"


def test_dtls_derives_as_tls_does() -> None:
    assert [tls_equivalent(version) for version in (0xFEFF, 0xFEFD, 0x0303)] == [TLS11, TLS12, TLS12]
