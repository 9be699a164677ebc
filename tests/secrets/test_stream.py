"""A connection's records are opened in their order, whatever the keys, and what cannot be is told in a sentence."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.secrets import rfc8448
from tests.secrets.hellos import RANDOM, SERVER_RANDOM, clear, client_hello, extension, psk_hello, server_hello
from tests.secrets.sealing import Sealer, Sealer13
from tlsalert.model import Side
from tlsalert.registry.cipher_suites import CipherSuite
from tlsalert.secrets.direction import BUDGET, Record
from tlsalert.secrets.keylog import (
    CLIENT_EARLY,
    CLIENT_HANDSHAKE,
    CLIENT_RANDOM,
    CLIENT_TRAFFIC,
    SERVER_HANDSHAKE,
    SERVER_TRAFFIC,
    KeyLog,
)
from tlsalert.secrets.keyring import Keyring
from tlsalert.secrets.protection import NO_OPTIONS, Options
from tlsalert.secrets.schedule import (
    TLS10,
    TLS12,
    EarlySchedule,
    connection_keys,
    derive_secret,
    master_secret,
    next_traffic_secret,
    psk_premaster,
)
from tlsalert.secrets.stream import Decryptor, Failure, Plaintext, decrypt
from tlsalert.secrets.suites import parse_suite

MASTER = b"m" * 48
AES_13 = parse_suite("TLS_AES_128_GCM_SHA256")
SECRETS = {
    CLIENT_EARLY: b"e" * 32,
    CLIENT_HANDSHAKE: b"c" * 32,
    SERVER_HANDSHAKE: b"s" * 32,
    CLIENT_TRAFFIC: b"C" * 32,
    SERVER_TRAFFIC: b"S" * 32,
}
FINISHED, KEY_UPDATE = b"\x14\0\0\x20" + bytes(32), b"\x18\0\0\x01\0"
BAD_CERTIFICATE, CLOSE = b"\x02\x2a", b"\x01\0"


def hellos13(early: bool = False, suite: int = 0x1301, selected: int = 0x0304) -> list[Record]:
    offered = extension(42, b"") if early else b""
    return [
        clear("client", 22, client_hello([0x1301, 0x1302, 0x1303], extensions=offered, tls13=True)),
        clear("server", 22, server_hello(suite, selected=selected)),
    ]


def keyring(secrets: dict[str, bytes], psks: Iterable[bytes] = ()) -> Keyring:
    keylog = KeyLog()
    for label, secret in secrets.items():
        keylog.put(label, RANDOM, secret)
    return Keyring(keylog, psks=list(psks))


def sender(label: str) -> Sealer13:
    return Sealer13(AES_13, SECRETS[label])


def opened(records: Iterable[Record], ring: Keyring) -> list[Plaintext]:
    told = list(decrypt(records, ring))
    assert [str(one) for one in told if isinstance(one, Failure)] == []
    return [one for one in told if isinstance(one, Plaintext)]


def test_the_handshake_of_rfc_8448_is_read_whole() -> None:
    keylog = KeyLog()
    keylog.add(rfc8448.KEYLOG.encode())
    plain = opened(rfc8448.RECORDS, Keyring(keylog))
    assert [(one.side, one.epoch, one.content_type, one.frame, one.sequence, one.number) for one in plain] == [
        ("server", "handshake", 22, 3, 0, 0),
        ("client", "handshake", 22, 4, 0, 0),
        ("server", "application", 22, 5, 0, 1),
        ("client", "application", 23, 6, 0, 1),
        ("server", "application", 23, 7, 1, 2),
        ("client", "application", 21, 8, 1, 2),
        ("server", "application", 21, 9, 2, 3),
    ]
    assert plain[0].data[0] == 8  # EncryptedExtensions, and all up to Finished behind it
    assert plain[3].data == plain[4].data == bytes(range(50))
    assert plain[5].data == plain[6].data == CLOSE


@pytest.mark.parametrize("drop", [1, 0], ids=["without the ServerHello", "without the ClientHello"])
def test_one_hello_is_enough_for_tls13(drop: int) -> None:
    keylog = KeyLog()
    keylog.add(rfc8448.KEYLOG.encode())
    records = [record for place, record in enumerate(rfc8448.RECORDS) if place != drop]
    assert len(opened(records, Keyring(keylog))) == 7


def test_early_data_opens_by_the_psk_alone() -> None:
    """RFC 8448 §4."""
    record = Record("client", 23, 0x0303, 23, rfc8448.EARLY_DATA[5:])
    ring = Keyring(psks=[b"another", bytes.fromhex(rfc8448.PSK)])
    (plain,) = opened([clear("client", 22, rfc8448.RESUMED_HELLO), record], ring)
    assert (plain.epoch, plain.data) == ("early", b"ABCDEF")
    random = rfc8448.RESUMED_HELLO[6:38]
    assert ring.derived == [(CLIENT_EARLY, random, bytes.fromhex(rfc8448.EARLY_TRAFFIC))]


def test_epochs_of_tls13_follow_each_other() -> None:
    early, handshake, traffic = sender(CLIENT_EARLY), sender(CLIENT_HANDSHAKE), sender(CLIENT_TRAFFIC)
    hello, answer = hellos13(early=True)
    records = [
        hello,
        early.record("client", 23, b"0-RTT"),
        answer,
        early.record("client", 22, b"\x05\0\0\0"),
        clear("client", 20, b"\x01"),
        handshake.record("client", 22, FINISHED),
        traffic.record("client", 23, b"1-RTT", padding=100),
    ]
    plain = opened(records, keyring(SECRETS))
    assert [(one.epoch, one.padding) for one in plain] == [
        ("early", 0),
        ("early", 0),
        ("handshake", 0),
        ("application", 100),
    ]


def test_early_data_that_the_server_ignored_does_not_stop_the_client() -> None:
    early, handshake = sender(CLIENT_EARLY), sender(CLIENT_HANDSHAKE)
    hello, answer = hellos13(early=True)
    records = [hello, early.record("client", 23, b"0-RTT"), answer, handshake.record("client", 22, FINISHED)]
    assert [one.epoch for one in opened(records, keyring(SECRETS))] == ["early", "handshake"]


def test_an_alert_under_handshake_keys_is_read_though_traffic_keys_were_due() -> None:
    """Mbed TLS 3.5 and Erlang/OTP 25 refuse a client certificate like this."""
    handshake = sender(SERVER_HANDSHAKE)
    records = [*hellos13(), handshake.record("server", 22, FINISHED), handshake.record("server", 21, BAD_CERTIFICATE)]
    for secrets in (SECRETS, {SERVER_HANDSHAKE: SECRETS[SERVER_HANDSHAKE]}):
        finished, alert = opened(records, keyring(secrets))
        assert (finished.late, finished.epoch) == (False, "handshake")
        assert (alert.late, alert.epoch, alert.sequence, alert.data) == (True, "handshake", 1, BAD_CERTIFICATE)


def test_a_message_may_be_split_over_records_and_several_may_share_one() -> None:
    handshake, traffic = sender(SERVER_HANDSHAKE), sender(SERVER_TRAFFIC)
    records = [
        *hellos13(),
        handshake.record("server", 22, b"\x08\0\0\x02"),
        handshake.record("server", 22, b"\0\0" + FINISHED[:7]),
        handshake.record("server", 22, FINISHED[7:]),
        traffic.record("server", 21, CLOSE),
    ]
    assert [one.epoch for one in opened(records, keyring(SECRETS))] == ["handshake"] * 3 + ["application"]


def updates(count: int) -> list[Sealer13]:
    secret, made = SECRETS[SERVER_TRAFFIC], [sender(SERVER_TRAFFIC)]
    for _ in range(count):
        secret = next_traffic_secret(secret, "sha256")
        made.append(Sealer13(AES_13, secret))
    return made


def test_key_updates_are_followed() -> None:
    """RFC 8446 §7.2."""
    zero, one, two = updates(2)
    records = [*hellos13(), sender(SERVER_HANDSHAKE).record("server", 22, FINISHED)]
    records += [
        zero.record("server", 22, KEY_UPDATE),
        one.record("server", 23, b"x"),
        one.record("server", 22, KEY_UPDATE),
    ]
    records += [two.record("server", 21, CLOSE)]
    assert [(p.epoch, p.generation, p.sequence) for p in opened(records, keyring(SECRETS))] == [
        ("handshake", 0, 0),
        ("application", 0, 0),
        ("application", 1, 0),
        ("application", 1, 1),
        ("application", 2, 0),
    ]


@pytest.mark.parametrize("kept", [True, False], ids=["the update was lost", "records were not kept"])
def test_a_key_update_that_was_not_seen_is_noticed(kept: bool) -> None:
    zero, one = updates(1)
    decryptor = Decryptor(keyring(SECRETS))
    first = [*hellos13(), sender(SERVER_HANDSHAKE).record("server", 22, FINISHED), zero.record("server", 23, b"x")]
    lost = [zero.record("server", 22, KEY_UPDATE), one.record("server", 23, b"a"), one.record("server", 23, b"b")]
    for record in first:
        decryptor.feed(record)
    if kept:
        decryptor.gap("server", sum(5 + record.length for record in lost))
    else:
        for record in lost:
            decryptor.feed(Record("server", 23, 0x0303, record.length, None))
    told = decryptor.feed(one.record("server", 21, CLOSE))
    assert isinstance(told, Plaintext)
    assert (told.generation, told.sequence, told.data) == (1, 2, CLOSE)
    assert decryptor.failures == []


def test_records_before_the_alert_that_were_not_kept_are_counted() -> None:
    """Only handshakes and alerts may be worth keeping, and in TLS 1.3 an alert looks like data."""
    handshake, traffic = sender(SERVER_HANDSHAKE), sender(SERVER_TRAFFIC)
    records = [*hellos13()]
    for record in [
        handshake.record("server", 22, FINISHED),
        *(traffic.record("server", 23, b"x" * 99) for _ in range(50)),
    ]:
        records.append(Record("server", 23, 0x0303, record.length, None))
    decryptor = Decryptor(keyring(SECRETS))
    for record in records:
        decryptor.feed(record)
    told = decryptor.feed(traffic.record("server", 21, BAD_CERTIFICATE))
    assert isinstance(told, Plaintext)
    assert (told.epoch, told.sequence) == ("application", 50)
    assert decryptor.failures == []


def test_a_client_random_that_was_used_twice_has_both_secrets_tried() -> None:
    ring = keyring(SECRETS)
    ring.keylog.put(SERVER_HANDSHAKE, RANDOM, b"another".ljust(32))
    assert opened([*hellos13(), sender(SERVER_HANDSHAKE).record("server", 22, FINISHED)], ring)


@pytest.mark.parametrize(("selected", "bare"), [(0x7F1C, False), (0x7F16, True)], ids=["draft 28", "draft 22"])
def test_drafts_of_tls13(selected: int, bare: bool) -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from tlsalert.secrets.schedule import traffic_keys

    keys = traffic_keys(SECRETS[SERVER_HANDSHAKE], AES_13)
    header = b"" if bare else b"\x17\x03\x03\x00\x13"
    sealed = AESGCM(keys.key).encrypt(keys.iv, b"\x02\x28\x15", header)
    record = Record("server", 23, 0x0303, len(sealed), sealed)
    (plain,) = opened([*hellos13(selected=selected), record], keyring(SECRETS))
    assert plain.data == b"\x02\x28"


def test_a_psk_without_diffie_hellman_opens_the_whole_connection() -> None:
    """RFC 8446 §4.2.9: psk_ke."""
    psk = b"a key that both know"
    hello, answer = psk_hello(psk), server_hello(0x1301, selected=0x0304, extensions=extension(41, b"\0\0"))
    schedule = EarlySchedule(psk, "sha256")
    base = schedule.handshake()
    handshake = Sealer13(AES_13, derive_secret(base, "s hs traffic", hello + answer, "sha256"))
    extensions = b"\x08\0\0\x02\0\0"
    said = hello + answer + extensions + FINISHED
    secret = derive_secret(schedule.master(base), "s ap traffic", said, "sha256")
    records = [
        clear("client", 22, hello),
        clear("server", 22, answer),
        handshake.record("server", 22, extensions + FINISHED),
        Sealer13(AES_13, secret).record("server", 21, CLOSE),
    ]
    ring = Keyring(psks=[b"wrong", psk])
    assert [one.epoch for one in opened(records, ring)] == ["handshake", "application"]
    assert [label for label, _, _ in ring.derived] == [SERVER_HANDSHAKE, SERVER_TRAFFIC]


# SSLv3 to TLS 1.2


def old(
    name: str, version: int = TLS12, master: bytes = MASTER, options: Options = NO_OPTIONS, extensions: bytes = b""
) -> tuple[list[Record], Sealer, Sealer]:
    """Return the hellos of a handshake and what the client and the server send behind their change_cipher_specs."""
    code = int(CipherSuite[name])
    keys = connection_keys(master, RANDOM, SERVER_RANDOM, version, parse_suite(name))
    records = [
        clear("client", 22, client_hello([code], version), version),
        clear("server", 22, server_hello(code, version, extensions=extensions), version),
    ]
    client, server = (Sealer(parse_suite(name), version, one, options) for one in keys)
    return records, client, server


def sealed(side: Side, sealer: Sealer, kind: int, data: bytes) -> Record:
    fragment = sealer.seal(kind, data)
    return Record(side, kind, sealer.version, len(fragment), fragment, tail=fragment[-32:])


@pytest.mark.parametrize("name", ["TLS_PSK_WITH_AES_128_GCM_SHA256", "TLS_PSK_WITH_RC4_128_SHA"])
def test_a_psk_suite_opens_by_its_psk(name: str) -> None:
    psk = b"a key that both know"
    master = master_secret(psk_premaster(psk), RANDOM, SERVER_RANDOM, TLS12, "sha256")
    records, client, _ = old(name, master=master)
    records += [clear("client", 22, b"\x10\0\0\x04\0\x02me"), clear("client", 20, b"\x01")]
    records += [sealed("client", client, 22, FINISHED)]
    ring = Keyring(psks=[b"wrong", psk])
    assert [one.data for one in opened(records, ring)] == [FINISHED]
    assert ring.derived == [(CLIENT_RANDOM, RANDOM, master)]


@pytest.mark.parametrize("name", ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_RC4_128_SHA"])
@pytest.mark.parametrize("late", [False, True], ids=["the secret was there", "the secret came late"])
def test_old_ciphers_go_on_behind_records_that_were_not_kept(name: str, late: bool) -> None:
    records, client, _ = old(name, TLS10)
    ring = Keyring() if late else keyring({CLIENT_RANDOM: MASTER})
    decryptor = Decryptor(ring)
    for record in [*records, clear("client", 20, b"\x01")]:
        decryptor.feed(record)
    for record in [sealed("client", client, 22, FINISHED)] + [
        sealed("client", client, 23, b"x" * 99) for _ in range(3)
    ]:
        decryptor.feed(Record("client", record.content_type, TLS10, record.length, None, tail=record.tail))
    ring.keylog.put(CLIENT_RANDOM, RANDOM, MASTER)
    told = decryptor.feed(sealed("client", client, 21, CLOSE))
    assert isinstance(told, Plaintext)
    assert (told.data, told.sequence, told.number) == (CLOSE, 4, 4)


@pytest.mark.parametrize(
    "name",
    ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_AES_128_GCM_SHA256"],
)
@pytest.mark.parametrize("known", [True, False])
def test_an_alert_behind_a_gap_is_found(name: str, known: bool) -> None:
    version = TLS12 if "GCM" in name else TLS10
    records, client, _ = old(name, version)
    decryptor = Decryptor(keyring({CLIENT_RANDOM: MASTER}))
    for record in [*records, clear("client", 20, b"\x01"), sealed("client", client, 22, FINISHED)]:
        decryptor.feed(record)
    lost = sum(5 + sealed("client", client, 23, b"x" * 99).length for _ in range(3))
    decryptor.gap("client", lost if known else None)
    told = decryptor.feed(sealed("client", client, 21, BAD_CERTIFICATE))
    if "RC4" in name and not known:
        assert str(told) == "secret found, record 1 of the client does not authenticate"
        return
    assert isinstance(told, Plaintext)
    assert (told.data, told.sequence) == (BAD_CERTIFICATE, 4)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("kind", [22, 23, 21])
def test_a_change_cipher_spec_that_was_lost_is_noticed(kind: int, known: bool) -> None:
    records, client, _ = old("TLS_RSA_WITH_AES_128_GCM_SHA256")
    decryptor = Decryptor(keyring({CLIENT_RANDOM: MASTER}))
    for record in records:
        decryptor.feed(record)
    lost = 6 + 5 + sealed("client", client, 22, FINISHED).length
    decryptor.gap("client", lost if known else None)
    for number, data in enumerate([b"\x02\x2a", b"\x01\0"], 1):
        told = decryptor.feed(sealed("client", client, kind, data))
        assert isinstance(told, Plaintext)
        assert (told.data, told.epoch, told.sequence) == (data, "1", number)


def test_a_gap_inside_a_handshake_in_clear_is_not_taken_for_encryption() -> None:
    records, client, _ = old("TLS_RSA_WITH_AES_128_GCM_SHA256")
    decryptor = Decryptor(keyring({CLIENT_RANDOM: MASTER}))
    for record in records:
        decryptor.feed(record)
    decryptor.gap("client", 1000)
    assert decryptor.feed(clear("client", 22, b"\x0f\0\0\0")) is None
    decryptor.feed(clear("client", 20, b"\x01"))
    assert isinstance(decryptor.feed(sealed("client", client, 22, FINISHED)), Plaintext)
    assert decryptor.failures == []


def test_a_lost_change_cipher_spec_of_a_renegotiation_is_noticed() -> None:
    records, client, server = old("TLS_RSA_WITH_AES_128_GCM_SHA256")
    code, later = int(CipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256), b"L" * 32
    keys, _ = connection_keys(b"n" * 48, later, SERVER_RANDOM, TLS12, parse_suite("TLS_RSA_WITH_AES_128_GCM_SHA256"))
    second = Sealer(parse_suite("TLS_RSA_WITH_AES_128_GCM_SHA256"), TLS12, keys)
    ring = keyring({CLIENT_RANDOM: MASTER})
    ring.keylog.put(CLIENT_RANDOM, later, b"n" * 48)
    decryptor = Decryptor(ring)
    records += [clear("server", 20, b"\x01"), clear("client", 20, b"\x01")]
    records += [sealed("client", client, 22, client_hello([code], random=later))]
    records += [sealed("server", server, 22, server_hello(code))]
    for record in records:
        decryptor.feed(record)
    decryptor.gap("client", 5 + sealed("client", client, 20, b"\x01").length)
    told = decryptor.feed(sealed("client", second, 21, CLOSE))
    assert isinstance(told, Plaintext)
    assert (told.epoch, told.data) == ("2", CLOSE)


def test_data_without_a_change_cipher_spec_is_told() -> None:
    records, client, _ = old("TLS_RSA_WITH_AES_128_GCM_SHA256")
    records += [sealed("client", client, 23, b"data")]
    says = "the change_cipher_spec was not captured, and the record does not open"
    assert failures(records, keyring({})) == [("no_state", "client", says)]


def test_a_connection_that_began_with_an_sslv2_hello_opens() -> None:
    """RFC 5246 App. E.2: the challenge, right-aligned, is the client random."""
    records, client, _ = old("TLS_RSA_WITH_RC4_128_SHA", TLS10)
    ring = keyring({CLIENT_RANDOM: MASTER})
    decryptor = Decryptor(ring)
    challenge = RANDOM[1:]  # its first byte is the zero that a challenge of 31 bytes is filled up with
    decryptor.sslv2_hello(b"\x01\x03\x01\0\x03\0\0\0\x1f\0\0\x05" + challenge)
    for record in [records[1], clear("client", 20, b"\x01", TLS10)]:
        decryptor.feed(record)
    told = decryptor.feed(sealed("client", client, 21, CLOSE))
    assert isinstance(told, Plaintext)
    assert told.data == CLOSE


def test_encrypt_then_mac_is_taken_from_the_server_hello() -> None:
    options, extensions = Options(encrypt_then_mac=True), extension(22, b"")
    records, client, _ = old("TLS_RSA_WITH_AES_128_CBC_SHA", options=options, extensions=extensions)
    records += [clear("client", 20, b"\x01"), sealed("client", client, 21, CLOSE)]
    assert [one.data for one in opened(records, keyring({CLIENT_RANDOM: MASTER}))] == [CLOSE]


def test_a_renegotiation_begins_a_new_epoch_under_the_new_random() -> None:
    records, client, _ = old("TLS_RSA_WITH_AES_128_GCM_SHA256")
    code, later = int(CipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA), b"L" * 32
    keys, _ = connection_keys(b"n" * 48, later, SERVER_RANDOM, TLS12, parse_suite("TLS_RSA_WITH_AES_256_CBC_SHA"))
    second = Sealer(parse_suite("TLS_RSA_WITH_AES_256_CBC_SHA"), TLS12, keys)
    _, _, server = old("TLS_RSA_WITH_AES_128_GCM_SHA256")
    records += [
        clear("server", 20, b"\x01"),
        clear("client", 20, b"\x01"),
        sealed("client", client, 22, client_hello([code], random=later)),
        sealed("server", server, 22, server_hello(code)),
        sealed("client", client, 20, b"\x01"),
        sealed("client", second, 21, CLOSE),
    ]
    ring = keyring({CLIENT_RANDOM: MASTER})
    ring.keylog.put(CLIENT_RANDOM, later, b"n" * 48)
    assert [(one.side, one.epoch, one.content_type) for one in opened(records, ring)] == [
        ("client", "1", 22),
        ("server", "1", 22),
        ("client", "1", 20),
        ("client", "2", 21),
    ]


# What cannot be opened


def failures(records: Iterable[Record], ring: Keyring) -> list[tuple[str, str, str]]:
    decryptor = Decryptor(ring)
    for record in records:
        decryptor.feed(record)
    return [(failure.kind, failure.side, str(failure)) for failure in decryptor.failures]


def test_a_missing_secret_is_told_once_for_each_side() -> None:
    records, client, server = old("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
    records += [clear("client", 20, b"\x01"), clear("server", 20, b"\x01")]
    records += [sealed("client", client, 22, FINISHED), sealed("server", server, 22, FINISHED)]
    records += [sealed("client", client, 21, CLOSE)]
    ring = Keyring()
    ring.keylog.put(CLIENT_RANDOM, bytes(32), MASTER)
    assert failures(records, ring) == [
        ("no_secret", "client", "the key log has no secret for this client random"),
        ("no_secret", "server", "the key log has no secret for this client random"),
    ]


def test_a_wrong_secret_is_told_with_the_record() -> None:
    records = [*hellos13(), sender(SERVER_HANDSHAKE).record("server", 22, FINISHED)]
    secrets = dict.fromkeys(SECRETS, b"w" * 32)
    says = "secret found, record 0 of the server does not authenticate"
    assert failures(records, keyring(secrets)) == [("not_authentic", "server", says)]


def test_a_suite_that_cannot_be_opened_is_named() -> None:
    records, client, _ = old("TLS_RSA_WITH_AES_128_GCM_SHA256")
    records[1] = clear("server", 22, server_hello(int(CipherSuite.TLS_RSA_WITH_SALSA20_SHA1)))
    records += [clear("client", 20, b"\x01"), sealed("client", client, 22, FINISHED)]
    says = "TLS_RSA_WITH_SALSA20_SHA1 is a cipher suite that cannot be opened here"
    assert failures(records, keyring({CLIENT_RANDOM: MASTER})) == [("unsupported", "client", says)]


def test_a_capture_that_begins_too_late_is_told() -> None:
    _, client, _ = old("TLS_RSA_WITH_AES_128_GCM_SHA256")
    records = [clear("client", 20, b"\x01"), sealed("client", client, 22, FINISHED)]
    says = "the hellos of the handshake were not captured"
    assert failures(records, keyring({CLIENT_RANDOM: MASTER})) == [("no_hello", "client", says)]


def test_the_middle_of_tls13_is_told() -> None:
    says = "the ClientHello was not captured, and no secret that is there opens the record"
    record = sender(SERVER_TRAFFIC).record("server", 23, b"x")
    assert failures([record], keyring(SECRETS)) == [("no_hello", "server", says)]


def test_endless_records_that_do_not_open_cost_little() -> None:
    decryptor = Decryptor(keyring(SECRETS))
    for record in hellos13():
        decryptor.feed(record)
    decryptor.gap("server")
    for _ in range(3000):
        decryptor.feed(Record("server", 23, 0x0303, 30, bytes(30)))
    assert decryptor._new["server"].budget.left < BUDGET
    assert len(decryptor.failures) == 1


RECORDS = st.builds(
    Record,
    side=st.sampled_from(["client", "server"]),
    content_type=st.sampled_from([20, 21, 22, 23, 24, 255]),
    version=st.sampled_from([0x0300, 0x0301, 0x0303, 0xFEFD]),
    length=st.integers(0, 0x4800),
    fragment=st.none()
    | st.binary(max_size=60)
    | st.sampled_from(
        [hellos13()[0].fragment, hellos13()[1].fragment, old("TLS_RSA_WITH_AES_128_CBC_SHA")[0][1].fragment]
    ),
)


@settings(deadline=None)
@given(
    st.lists(
        RECORDS | st.tuples(st.sampled_from(["client", "server"]), st.none() | st.integers(0, 1 << 40)), max_size=12
    )
)
def test_any_records_are_told_and_never_raise(said: list[object]) -> None:
    secrets = {**SECRETS, CLIENT_RANDOM: MASTER}
    decryptor = Decryptor(keyring(secrets, psks=[b"psk"]))
    for one in said:
        if isinstance(one, Record):
            decryptor.feed(one)
        elif isinstance(one, tuple):
            decryptor.gap(*one)
    assert all(str(failure) for failure in decryptor.failures)


@settings(deadline=None)
@given(place=st.integers(2, 8), at=st.integers(0, 600), bit=st.integers(0, 7))
def test_a_changed_record_is_never_read_as_something_else(place: int, at: int, bit: int) -> None:
    keylog = KeyLog()
    keylog.add(rfc8448.KEYLOG.encode())
    whole = {(one.side, one.data) for one in opened(rfc8448.RECORDS, Keyring(keylog))}
    records = list(rfc8448.RECORDS)
    fragment = bytearray(records[place].fragment or b"")
    fragment[at % len(fragment)] ^= 1 << bit
    records[place] = Record(records[place].side, 23, 0x0303, len(fragment), bytes(fragment))
    told = list(decrypt(records, Keyring(keylog)))
    assert isinstance(told[place - 2], Failure)
    assert {(one.side, one.data) for one in told if isinstance(one, Plaintext)} < whole


@given(st.lists(st.binary(max_size=300), max_size=3))
def test_any_handshake_messages_in_clear_never_raise(messages: list[bytes]) -> None:
    decryptor = Decryptor(keyring(SECRETS))
    for message in messages:
        decryptor.message("client", message)
        decryptor.message("server", b"\x02" + message)
        decryptor.message("client", b"\x01" + message)
        decryptor.feed(clear("server", 22, message))
