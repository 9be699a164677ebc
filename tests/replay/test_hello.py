"""A ClientHello that was captured is sent again as it was, and says where it is not."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.evidence import CAPTURES
from tests.replay.hellos import Server, connection, decoded, first_message, sslv2_connection
from tests.wire import tls
from tlsalert.capture import read
from tlsalert.errors import CaptureError, DecodeError, UsageError
from tlsalert.model import Connection
from tlsalert.replay.hello import Hello, from_capture, from_connection, from_profile
from tlsalert.replay.hello_parts import read_shares, write_shares
from tlsalert.replay.key_shares import make_share
from tlsalert.wire.fingerprint import ja3, ja4
from tlsalert.wire.hello import read_server_hello
from tlsalert.wire.transcript import HELLO_RETRY_REQUEST

GREASE = 0x3A3A
X25519 = write_shares(((GREASE, b"\0"), (29, bytes(range(32)))))
VERSIONS = (43, tls.vector(1, tls.u16(GREASE, 0x0304, 0x0303)))
GROUPS = (10, tls.vector(2, tls.u16(GREASE, 29, 23, 24)))
#: What a browser of today sends, as RFC 8446 and RFC 8701 have it.
MODERN = [
    (GREASE, b""),
    tls.server_name(b"bmc.example"),
    GROUPS,
    (11, b"\1\0"),
    (35, b""),
    (13, tls.vector(2, tls.u16(0x0403, 0x0804, 0x0401))),
    (51, X25519),
    (45, b"\1\1"),
    VERSIONS,
    (65037, b"\0" * 40),
    (0x9A9A, b"\0"),
    (21, bytes(90)),
]


def modern(*more: tuple[int, bytes], without: int | None = None, session_id: bytes = b"\7" * 32) -> bytes:
    """Return the body of a hello like a browser's, with more extensions at its end."""
    extensions = [one for one in MODERN if one[0] != without] + list(more)
    return tls.client_hello(suites=(GREASE, 0x1301, 0xC02F), extensions=extensions, session_id=session_id)


def taken(body: bytes, records: tuple[tuple[int, int], ...] | None = None) -> Hello:
    return from_connection(connection(body, records))


def test_all_but_what_must_be_fresh_is_sent_again_byte_by_byte() -> None:
    captured, sent = connection(modern()).client_hello, decoded(taken(modern()).fresh())
    assert captured is not None
    assert (sent.legacy_version, sent.cipher_suites, sent.compression_methods) == (
        0x0303,
        (GREASE, 0x1301, 0xC02F),
        (0,),
    )
    assert [one for one in sent.extensions if one.type != 51] == [one for one in captured.extensions if one.type != 51]
    assert (ja3(sent), ja4(sent)) == (ja3(captured), ja4(captured))
    assert sent.random != captured.random
    assert (len(sent.session_id), sent.session_id != captured.session_id) == (32, True)
    assert taken(modern()).lost == ()


def test_key_shares_are_fresh_and_those_that_were_sent_and_grease_stays_as_it_is() -> None:
    fresh = taken(modern()).fresh()
    (data,) = (one.data for one in decoded(fresh).extensions if one.type == 51)
    assert read_shares(data) == ((GREASE, b"\0"), (29, fresh.shares[29].public))
    assert fresh.shares[29].public != bytes(range(32))
    peer = make_share(29)
    assert peer is not None
    assert fresh.shares[29].shared(peer.public) == peer.shared(fresh.shares[29].public)


def test_what_is_fresh_is_other_each_time_unless_a_seed_says_the_same() -> None:
    hello = taken(modern())
    assert hello.fresh().message != hello.fresh().message
    assert hello.fresh(Random(5)).message == hello.fresh(Random(5)).message
    assert hello.fresh(Random(5)).random != hello.fresh(Random(6)).random


@pytest.mark.parametrize(
    ("records", "told"),
    [
        pytest.param(((0x0301, 999),), [(0x0301, None)], id="one record"),
        pytest.param(((0x0303, 1), (0x0303, 3), (0x0303, 995)), [(0x0303, 1), (0x0303, 3), (0x0303, None)], id="three"),
        pytest.param(
            ((0x0300, 100),) * 3, [(0x0300, 100), (0x0300, 100), (0x0300, None)], id="the last takes the rest"
        ),
    ],
)
def test_it_is_cut_into_records_as_it_was(
    records: tuple[tuple[int, int], ...], told: list[tuple[int, int | None]]
) -> None:
    fresh = taken(modern(), records).fresh()
    versions = [int.from_bytes(one[1:3], "big") for one in fresh.records]
    lengths = [int.from_bytes(one[3:5], "big") for one in fresh.records]
    assert all(one[0] == 22 and len(one) == 5 + size for one, size in zip(fresh.records, lengths, strict=True))
    rest = len(fresh.message) - sum(length or 0 for _, length in told)
    assert list(zip(versions, lengths, strict=True)) == [(code, length or rest) for code, length in told]


@pytest.mark.parametrize(
    ("extension", "data", "becomes", "says"),
    [
        pytest.param(41, b"\0\1", None, "pre_shared_key(41) is left out, which changes JA3", id="PSK"),
        pytest.param(42, b"", None, "early_data(42) is left out", id="0-RTT"),
        pytest.param(33, b"", None, "tls_cert_with_extern_psk(33) is left out", id="certificate with PSK, RFC 8773"),
        pytest.param(44, b"\0\1\0", None, "cookie(44) is left out", id="cookie"),
        pytest.param(35, b"ticket", b"", "the session ticket is left out", id="ticket"),
        pytest.param(
            65281, b"\x0c" + bytes(12), b"\0", "renegotiation_info(65281) is that of a first", id="renegotiation"
        ),
    ],
)
def test_what_belongs_to_another_session_is_not_sent_again(
    extension: int, data: bytes, becomes: bytes | None, says: str
) -> None:
    hello = taken(modern((extension, data), without=extension))
    assert hello.extension(extension) == becomes
    assert [one for one in hello.lost if one.startswith(says)]
    assert hello.extension(45) == b"\1\1"  # psk_key_exchange_modes stays, RFC 8446 §4.2.9


def test_shares_of_groups_that_cannot_be_done_are_left_out_and_named() -> None:
    kyber = (51, write_shares(((25497, bytes(1216)), (29, bytes(32)))))
    hello = taken(modern(kyber, without=51))
    assert list(hello.fresh().shares) == [29]
    assert hello.lost == ("the key shares of groups that cannot be done are left out: X25519Kyber768Draft00(25497)",)


def test_a_hello_whose_only_share_cannot_be_done_gets_one_of_the_first_group_that_can() -> None:
    hello = taken(modern((51, write_shares(((25497, bytes(1216)),))), without=51))
    assert list(hello.fresh().shares) == [29]
    assert hello.lost[1] == "a share of x25519(29) stands in their place"


def test_a_client_that_sent_no_share_on_purpose_sends_none() -> None:
    hello = taken(modern((51, b"\0\0"), without=51))
    assert (hello.fresh().shares, hello.extension(51), hello.lost) == ({}, b"\0\0", ())


@pytest.mark.parametrize("name", ["a", "a-much-longer-name.of-a.device.example"])
def test_padding_keeps_the_length_whatever_the_name(name: str) -> None:
    """RFC 7685: it is there because some servers hang at certain lengths."""
    hello = taken(modern())
    assert len(hello.fresh(server_name=name).message) == len(modern()) + 4
    assert decoded(hello.fresh(server_name=name)).server_name == name


def test_padding_that_is_used_up_stays_as_an_empty_extension() -> None:
    sent = decoded(taken(modern()).fresh(server_name="x" * 63 + "." + "y" * 63))
    assert [one.data for one in sent.extensions if one.type == 21] == [b""]
    assert sent.problems == ()


def test_bytes_of_padding_that_are_not_zero_stay() -> None:
    hello = taken(modern((21, b"\1\2\3"), without=21))
    assert decoded(hello.fresh()).extensions[-1].data == b"\1\2\3"


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        (None, "bmc.example"),
        ("other.example", "other.example"),
        ("", None),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_the_server_name_is_kept_replaced_or_taken_out(asked: str | None, sent: str | None) -> None:
    hello = decoded(taken(modern()).fresh(server_name=asked))
    assert hello.server_name == sent
    assert [one.type for one in hello.extensions][1] == (0 if sent else 10)


@pytest.mark.parametrize("name", ["x" * 256, "a..é", "x" * 64 + ".é"])
def test_what_can_be_no_name_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        taken(modern()).fresh(server_name=name)


def test_a_hello_without_a_name_gets_one_at_its_beginning() -> None:
    fresh = taken(modern(without=0)).fresh(server_name="bmc.example")
    assert [one.type for one in decoded(fresh).extensions][:2] == [0, GREASE]


@pytest.mark.parametrize("extensions", [None, ()], ids=["none", "an empty list"])
def test_no_extensions_and_an_empty_list_of_them_are_told_apart(
    extensions: tuple[tuple[int, bytes], ...] | None,
) -> None:
    body = tls.client_hello(tls.SSL3, extensions=extensions)
    assert len(taken(body).fresh().message) == 4 + len(body)
    assert taken(body).lost == ()


def test_a_hello_of_ssl_3_keeps_its_records_version() -> None:
    body = tls.client_hello(tls.SSL3, suites=(0x0005, 0x000A), extensions=None, compressions=b"\1\0")
    fresh = taken(body, ((tls.SSL3, len(body) + 4),)).fresh()
    assert fresh.records[0][:3] == b"\x16\x03\x00"
    assert (decoded(fresh).legacy_version, decoded(fresh).compression_methods) == (tls.SSL3, (1, 0))


def test_a_hello_in_the_format_of_sslv2_is_sent_as_one_of_ssl_3() -> None:
    hello = from_connection(sslv2_connection(tls.sslv2_client_hello(tls.TLS10, [0x010080, 0x00002F, 0x0000FF])))
    sent = decoded(hello.fresh())
    assert (sent.legacy_version, sent.cipher_suites, sent.extensions) == (tls.TLS10, (0x002F, 0x00FF), ())
    assert hello.fresh().records[0][:3] == b"\x16\x03\x01"
    assert hello.lost == (
        "it came in SSLv2's format and is sent as an SSLv3 or TLS client_hello (RFC 5246 §E.2)",
        "1 cipher kinds of SSLv2 are left out",
    )


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        pytest.param(Connection(source="a.pcap", connection=3), "shows no client_hello", id="no hello"),
        pytest.param(connection(modern()[:300], cut=True), "only the beginning", id="cut by the snap length"),
        pytest.param(connection(modern()[:20]), "only the beginning", id="ends in the random"),
        pytest.param(connection(tls.client_hello(0xFEFD)), "speaks DTLS 1.2", id="DTLS"),
        pytest.param(connection(tls.client_hello(suites=())), "offers no cipher suite", id="no suites"),
        pytest.param(
            sslv2_connection(tls.sslv2_client_hello(0x0002, [0x010080])), "speaks SSLv2 alone", id="SSLv2 alone"
        ),
        pytest.param(
            sslv2_connection(tls.sslv2_client_hello(0x0300, [0x010080])), "offers no cipher suite", id="SSLv2's suites"
        ),
    ],
)
def test_what_cannot_be_sent_again_is_a_usage_error_that_names_the_connection(shown: Connection, says: str) -> None:
    with pytest.raises(UsageError, match=says) as raised:
        from_connection(shown)
    assert raised.value.where == "a.pcap #3"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(modern() + b"junk", "damaged, .*: client_hello has 4 bytes too many", id="bytes after it"),
        pytest.param(modern()[:-10], "damaged, .*extensions claims", id="extensions that end early"),
        pytest.param(
            tls.u16(0x0303) + tls.RANDOM + b"\0" + tls.vector(2, b"\x13\x01\x00") + b"\1\0",
            "damaged, .*odd length",
            id="an odd list of suites",
        ),
        pytest.param(modern((51, b"\0\5\0"), without=51), "key_share.51. breaks its grammar", id="shares that break"),
    ],
)
def test_damage_is_said(body: bytes, says: str) -> None:
    hello = taken(body)
    assert any(re.search(says, one) for one in hello.lost)
    assert decoded(hello.fresh()).cipher_suites


def test_an_extension_that_breaks_its_own_grammar_is_sent_as_it_was() -> None:
    hello = taken(modern((10, b"\0\7\1"), without=10))
    assert (hello.extension(10), hello.lost) == (b"\0\7\1", ())


def test_cuts_that_were_not_seen_or_differ_are_said() -> None:
    assert taken(modern(), ()).lost == ("how it was cut into records was not seen (tcp): it is sent in one",)
    assert taken(modern(), ((0x0301, 9), (0x0303, 9))).lost == (
        "its records had different versions and are sent with the first one's",
    )


@settings(deadline=None)
@given(
    body=st.binary(max_size=200) | st.binary(max_size=120).map(lambda tail: tls.client_hello(extensions=None) + tail)
)
def test_any_bytes_make_a_hello_or_a_usage_error(body: bytes) -> None:
    try:
        hello = taken(body)
    except UsageError:
        return
    assert decoded(hello.fresh(Random(1))).cipher_suites == hello.cipher_suites


def test_a_hello_of_quic_loses_what_is_an_error_over_tcp() -> None:
    """RFC 9001 §8.2."""
    hello = from_connection(structs.replace(connection(modern((57, b"\1")), ()), transport="quic"))
    assert hello.extension(57) is None
    assert hello.lost == (
        "it came in QUIC and is sent over TCP, in one record",
        "quic_transport_parameters(57) is left out, which changes JA3 and JA4: it is for QUIC alone",
    )
    assert taken(modern((57, b"\1"))).extension(57) == b"\1"


# HelloRetryRequest


def request(*extensions: tuple[int, bytes]) -> bytes:
    """Return a HelloRetryRequest with its handshake header."""
    body = tls.server_hello(suite=0x1301, random=HELLO_RETRY_REQUEST, extensions=[(43, b"\3\4"), *extensions])
    return tls.message(tls.SERVER_HELLO, body)


def test_a_retry_changes_the_share_and_adds_the_cookie_and_nothing_else() -> None:
    first = taken(modern(), ((0x0301, 100), (0x0301, 500))).fresh()
    second = first.retry(request((51, tls.u16(23)), (44, b"\0\2ab")))
    one, two = decoded(first), decoded(second)
    assert (two.random, two.session_id, two.cipher_suites) == (one.random, one.session_id, one.cipher_suites)
    changed = [after for before, after in zip(one.extensions, two.extensions, strict=False) if before != after]
    assert [extension.type for extension in changed] == [51, 44]  # the cookie before the padding
    assert changed[0].data == write_shares(((23, second.shares[23].public),))
    assert (list(second.shares), changed[1].data, two.extensions[-1]) == ([23], b"\0\2ab", one.extensions[-1])
    assert next((record[:3], len(record) - 5) for record in second.records) == (b"\x16\x03\x03", 100)


def test_a_retry_takes_the_decoded_message_and_bytes_with_or_without_the_header() -> None:
    first, whole = taken(modern()).fresh(), request((44, b"\0\1a"))
    by_model = first.retry(read_server_hello(whole[4:]))
    assert first.retry(whole).message == first.retry(whole[4:]).message == by_model.message
    assert list(by_model.shares) == [29]  # they stay where no other group was asked for


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        pytest.param(request(), "no change", id="nothing to change"),
        pytest.param(request((51, tls.u16(29))), r"x25519\(29\), which it had", id="a share that it had"),
        pytest.param(request((51, tls.u16(25))), r"secp521r1\(25\), which was not offered", id="a group not offered"),
        pytest.param(tls.message(2, tls.server_hello_13()), "no hello_retry_request", id="a server_hello"),
        pytest.param(b"", "no hello_retry_request", id="nothing"),
    ],
)
def test_a_retry_that_is_not_allowed_is_a_decode_error(asked: bytes, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        taken(modern()).fresh().retry(asked)


def test_a_second_retry_is_not_allowed() -> None:
    second = taken(modern()).fresh().retry(request((51, tls.u16(23))))
    with pytest.raises(DecodeError, match="second hello_retry_request"):
        second.retry(request((51, tls.u16(24))))


def test_a_retry_with_a_group_that_cannot_be_done_says_who_cannot() -> None:
    hello = taken(modern((10, tls.vector(2, tls.u16(29, 512))), without=10))
    with pytest.raises(UsageError, match="which the client offers and a replay cannot do"):
        hello.fresh().retry(request((51, tls.u16(512))))


def test_openssl_takes_the_second_hello_after_its_retry(tmp_path: Path) -> None:
    server, first = Server(tmp_path, curve="secp384r1"), from_profile("openssl-3.0").fresh()
    asked = first_message(server.answer(b"".join(first.records)))
    second = first.retry(asked)
    assert list(second.shares) == [24]
    chosen = read_server_hello(first_message(server.answer(b"".join(second.records)))[4:])
    assert (chosen.hello_retry_request, chosen.version, chosen.group) == (False, 0x0304, 24)
    (share,) = (one.data for one in chosen.extensions if one.type == 51)
    assert len(second.shares[24].shared(share[4:])) == 48


def test_openssl_refuses_a_second_hello_that_differs_in_more(tmp_path: Path) -> None:
    """What the test before it shows is not what OpenSSL takes from anybody."""
    server, first = Server(tmp_path, curve="secp384r1"), from_profile("openssl-3.0").fresh()
    server.answer(b"".join(first.records))
    with pytest.raises(ssl.SSLError):
        server.answer(b"".join(from_profile("java-17").fresh().records))


# Captures


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.pcap*")), ids=lambda path: path.name)
def test_every_hello_of_our_own_captures_is_sent_as_it_was(path: Path) -> None:
    for shown in read(path):
        if shown.client_hello is None:
            continue
        hello = from_connection(shown)
        fresh = hello.fresh()
        sent = decoded(fresh)
        assert hello.lost == ()
        assert (ja3(sent), ja4(sent)) == (shown.ja3, shown.ja4)
        cuts = tuple((int.from_bytes(one[1:3], "big"), len(one) - 5) for one in fresh.records)
        assert cuts == shown.hello_records
        changing = (51,)
        assert [one for one in sent.extensions if one.type not in changing] == [
            one for one in shown.client_hello.extensions if one.type not in changing
        ]


def test_a_number_chooses_the_connection() -> None:
    console = str(CAPTURES / "console.pcap")
    assert from_capture(f"{console}:2").name == f"{console} #2"


def test_without_a_number_it_is_the_first_that_was_asked_for_a_certificate_or_failed() -> None:
    for path in sorted(CAPTURES.glob("*.pcap*")):
        shown = [one for one in read(path) if one.client_hello is not None]
        if not shown:
            continue
        telling = [
            one
            for one in shown
            if one.certificate_request is not None or (one.verdict is not None and one.verdict.outcome == "failed")
        ]
        assert from_capture(str(path)).name == f"{path} #{(telling or shown)[0].connection}"


def test_a_file_whose_name_ends_like_a_number_is_a_file(tmp_path: Path) -> None:
    odd = tmp_path / "capture:7"
    odd.write_bytes((CAPTURES / "console.pcap").read_bytes())
    assert from_capture(str(odd)).name == f"{odd} #0"
    assert from_capture(f"{odd}:1").name == f"{odd} #1"


def test_what_is_neither_a_file_nor_a_profile_is_answered_with_the_profiles() -> None:
    with pytest.raises(CaptureError, match=r"curl: there is no such file, nor such a profile; .*curl-7\.88"):
        from_capture("curl")


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no connection 99"):
        from_capture(f"{CAPTURES / 'console.pcap'}:99")
    with pytest.raises(CaptureError):
        from_capture(str(tmp_path / "none.pcap"))
    with pytest.raises(UsageError, match=r"there is no profile 'netscape'; choose from openssl-1\.0\.2"):
        from_profile("netscape")
