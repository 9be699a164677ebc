"""A flow's transcript becomes the public model of a connection."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from tests.wire import tls
from tests.wire.packets import (
    ACK,
    CLIENT6,
    FIN,
    RST,
    SECOND,
    SERVER6,
    START,
    SYN,
    Line,
    ethernet,
    flow_of,
    flows_of,
    ipv6,
    pcap,
    segment,
)
from tlsalert.model import Connection, EncryptedRecord, Endpoint, Position
from tlsalert.registry.alerts import AlertDescription, AlertLevel
from tlsalert.wire.connection import MOST_COMPRESSED, address, connection
from tlsalert.wire.transcript import HELLO_RETRY_REQUEST

CAPTURES = Path(__file__).parents[2] / "captures"

HELLO_BODY = tls.client_hello(extensions=[tls.server_name(b"bmc.example"), tls.alpn(b"h2", b"http/1.1")])
HELLO = tls.said(tls.message(tls.CLIENT_HELLO, HELLO_BODY))
SERVER_HELLO = tls.message(tls.SERVER_HELLO, tls.server_hello(extensions=[tls.alpn(b"h2")]))
DONE = tls.message(tls.SERVER_HELLO_DONE)
KEY_EXCHANGE = tls.said(tls.message(tls.CLIENT_KEY_EXCHANGE, bytes(66)))
KEYS = tls.change_cipher_spec() + tls.encrypted(tls.HANDSHAKE, 40)


def compressed(*certificates: bytes) -> bytes:
    """Return a CompressedCertificate packed with zlib, RFC 8879 §4."""
    plain = tls.certificate_list_13(*certificates)
    return tls.message(25, tls.u16(1) + len(plain).to_bytes(3, "big") + tls.vector(3, zlib.compress(plain)))


def built(line: Line, number: int = 0, digits: int = 6) -> Connection:
    return connection(line.end(), "lab.pcap", number, digits)


def spoken(*turns: tuple[str, bytes]) -> Connection:
    """Return the connection in which these turns were said, each in a packet."""
    line = Line().open()
    sent = {"client": 0, "server": 0}
    for side, data in turns:
        assert side in ("client", "server")
        line.put("client" if side == "client" else "server", sent[side], data)
        sent[side] += len(data)
    return built(line)


def names(made: Connection) -> list[str]:
    return [f"{message.sender} {message.message}" for message in made.messages]


class TestWho:
    def test_ends_are_told_with_address_and_port(self) -> None:
        made = spoken(("client", HELLO))
        assert (made.client, made.server) == (Endpoint("10.0.0.5", 40112), Endpoint("10.0.0.7", 5900))
        assert (made.source, made.connection, made.transport) == ("lab.pcap", 0, "tcp")

    def test_the_hello_says_who_the_client_is_whoever_was_seen_first(self) -> None:
        made = built(Line().syn_ack().put("client", 0, HELLO).put("server", 0, tls.said(SERVER_HELLO)))
        assert (made.client, made.server) == (Endpoint("10.0.0.5", 40112), Endpoint("10.0.0.7", 5900))
        assert names(made) == ["client client_hello", "server server_hello"]

    def test_else_the_syn_says_it(self) -> None:
        for line in (Line().open(), Line().syn_ack()):
            made = built(line.put("server", 0, tls.alert(2, 40)))
            assert made.client == Endpoint("10.0.0.5", 40112)
            assert made.alerts[0].sender == "server"

    def test_else_the_higher_port_does(self) -> None:
        made = built(Line().put("server", 0, tls.alert(2, 40)).put("client", 0, tls.alert(1, 0)))
        assert made.client == Endpoint("10.0.0.5", 40112)
        assert [alert.sender for alert in made.alerts] == ["server", "client"]

    @pytest.mark.parametrize(
        ("packed", "text"),
        [
            (b"\x7f\0\0\1", "127.0.0.1"),
            (bytes(15) + b"\1", "::1"),
            (bytes.fromhex("20010db8000000000000000000000007"), SERVER6),
            (bytes.fromhex("20010db8000000010000000000000005"), "2001:db8:0:1::5"),
        ],
    )
    def test_addresses_are_written_as_people_write_them(self, packed: bytes, text: str) -> None:
        """RFC 5952."""
        assert address(packed) == text

    def test_both_ends_of_ipv6_are_told(self) -> None:
        (flow,) = flows_of(pcap([ethernet(ipv6(segment(HELLO)), 0x86DD)]))
        made = connection(flow, "lab.pcap", 0, 6)
        assert (made.client, made.server) == (Endpoint(CLIENT6, 40112), Endpoint(SERVER6, 5900))


class TestWhatWasSaid:
    def test_a_handshake_is_told_in_order_with_places_and_times(self) -> None:
        made = spoken(("client", HELLO), ("server", tls.said(SERVER_HELLO, DONE)), ("client", KEY_EXCHANGE + KEYS))
        assert names(made) == [
            "client client_hello",
            "server server_hello",
            "server server_hello_done",
            "client client_key_exchange",
            "client change_cipher_spec",
            "client encrypted_handshake",
        ]
        assert [message.type for message in made.messages] == [1, 2, 14, 16, None, None]
        assert [message.position.frame for message in made.messages] == [4, 5, 5, 6, 6, 6]
        assert [message.length for message in made.messages] == [len(HELLO_BODY), len(SERVER_HELLO) - 4, 0, 66, 1, 40]
        assert [message.encrypted for message in made.messages] == [False] * 5 + [True]
        assert (made.messages[0].time, made.messages[5].time) == (START + 4_000_000, START + 6_000_000)
        assert made.messages[0].body == HELLO_BODY
        assert (made.start, made.end) == (START + 1_000_000, START + 6_000_000)

    def test_the_hellos_are_decoded(self) -> None:
        made = spoken(("client", HELLO), ("server", tls.said(SERVER_HELLO, DONE)))
        assert (made.tls_version, made.cipher_suite) == ("TLS 1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
        assert (made.server_name, made.alpn, made.resumed) == ("bmc.example", "h2", False)
        assert made.client_hello is not None
        assert made.client_hello.alpn == ("h2", "http/1.1")
        assert made.server_hello is not None
        assert made.server_hello.random == tls.RANDOM[::-1]
        assert made.ja3 is not None
        assert made.ja3s is not None
        assert made.ja4 is not None
        assert made.ja4.startswith("t12d0102h2_")

    def test_before_a_server_hello_nothing_is_negotiated(self) -> None:
        made = spoken(("client", HELLO), ("server", tls.alert(2, 40)))
        assert (made.tls_version, made.cipher_suite, made.alpn, made.ja3s, made.server_hello) == (None,) * 5

    @pytest.mark.parametrize(
        ("version", "label"),
        [(0x0300, "SSLv3"), (0x0301, "TLS 1.0"), (0x0302, "TLS 1.1"), (0x0303, "TLS 1.2"), (0x0399, "0x0399")],
    )
    def test_the_version_is_the_one_that_was_negotiated(self, version: int, label: str) -> None:
        made = spoken(("client", HELLO), ("server", tls.said(tls.message(2, tls.server_hello(version, 0x002F, None)))))
        assert (made.tls_version, made.cipher_suite) == (label, "TLS_RSA_WITH_AES_128_CBC_SHA")

    @pytest.mark.parametrize(("selected", "label"), [(0x0304, "TLS 1.3"), (0x7F1C, "TLS 1.3 draft 28")])
    def test_that_of_tls_1_3_is_the_selected_one(self, selected: int, label: str) -> None:
        made = spoken(("client", HELLO), ("server", tls.said(tls.message(2, tls.server_hello_13(version=selected)))))
        assert made.tls_version == label

    def test_a_message_of_an_unlisted_type_has_its_number_for_a_name(self) -> None:
        made = spoken(("client", HELLO), ("server", tls.said(SERVER_HELLO, tls.message(77, b"abc"))))
        assert (made.messages[-1].message, made.messages[-1].type) == ("unlisted(77)", 77)

    def test_a_hello_retry_request_has_its_own_name(self) -> None:
        """RFC 8446 §4.1.4; both ClientHellos are messages, the first is the one that is shown."""
        retry = tls.server_hello(random=HELLO_RETRY_REQUEST, extensions=[(43, tls.u16(0x0304)), (51, tls.u16(24))])
        second = tls.client_hello(extensions=[tls.server_name(b"bmc.example"), (44, b"\0\1x")])
        made = spoken(
            ("client", HELLO),
            ("server", tls.said(tls.message(2, retry))),
            ("client", tls.said(tls.message(1, second))),
            ("server", tls.said(tls.message(2, tls.server_hello_13()))),
        )
        assert names(made) == [
            "client client_hello",
            "server hello_retry_request",
            "client client_hello",
            "server server_hello",
        ]
        assert made.messages[1].type == 2
        assert made.client_hello is not None
        assert made.client_hello.alpn == ("h2", "http/1.1")
        assert made.server_hello is not None
        assert not made.server_hello.hello_retry_request

    def test_where_the_retry_was_not_captured_the_first_hello_is_shown_all_the_same(self) -> None:
        """RFC 8446 §4.1.2: the second one has the same random."""
        second = tls.said(tls.message(1, tls.client_hello(extensions=[(44, b"\0\1x")])))
        alone, twice = spoken(("client", HELLO)), spoken(("client", HELLO), ("client", second))
        assert (twice.client_hello, twice.ja3, twice.ja4) == (alone.client_hello, alone.ja3, alone.ja4)

    def test_of_a_renegotiation_in_clear_the_last_hello_is_shown(self) -> None:
        """With a NULL cipher: another handshake has another random (RFC 5246 §7.4.1.2)."""
        again = tls.said(tls.message(1, tls.client_hello(random=b"\x77" * 32)))
        made = spoken(("client", HELLO), ("server", tls.said(SERVER_HELLO, DONE)), ("client", again))
        assert made.client_hello is not None
        assert made.client_hello.random == b"\x77" * 32

    def test_what_is_wrong_with_a_message_is_a_note(self) -> None:
        broken = tls.message(tls.CERTIFICATE, b"\0\0\x09abc")
        made = spoken(("client", HELLO), ("server", tls.said(SERVER_HELLO, broken)))
        assert made.notes == ("frame 5: certificate: certificate_list claims 9 bytes, 3 left",)

    def test_compressed_certificates_are_certificates(self) -> None:
        made = spoken(("client", HELLO), ("server", tls.said(SERVER_HELLO, compressed(b"one", b"two"))))
        assert [one.der for one in made.certificates.server] == [b"one", b"two"]
        assert made.messages[-1].message == "compressed_certificate"
        assert made.notes == ()

    def test_compressed_certificates_that_cannot_be_unpacked_are_a_note(self) -> None:
        broken = tls.message(25, tls.u16(9) + b"\0\0\5" + tls.vector(3, b"?"))
        made = spoken(("client", HELLO), ("server", tls.said(SERVER_HELLO, broken)))
        assert made.certificates.server == ()
        assert made.notes == ("frame 5: compressed_certificate: compression algorithm 9 is not known",)

    def test_of_a_few_bytes_that_unpack_to_thousands_of_certificates_the_first_are_told(self) -> None:
        bomb = compressed(*[b"%d" % number for number in range(4000)])
        made = spoken(("client", HELLO), ("server", tls.said(SERVER_HELLO, bomb)))
        assert len(made.certificates.server) == MOST_COMPRESSED
        assert made.notes == ("frame 5: compressed_certificate: of 4000 certificates only the first 32 are told",)

    def test_a_request_that_cannot_be_read_is_a_note_and_none(self) -> None:
        made = spoken(("client", HELLO), ("server", tls.said(SERVER_HELLO, tls.message(13, b"\1"))))
        assert made.certificate_request is None
        assert made.notes == ("frame 5: certificate_request: certificate_types claims 1 bytes, 0 left",)

    def test_a_request_is_told_in_names(self) -> None:
        name = bytes.fromhex("300d310b3009060355040613024445")
        body = (
            tls.vector(1, b"\x01\x40\xee") + tls.vector(2, tls.u16(0x0804, 0xEEEE)) + tls.vector(2, tls.vector(2, name))
        )
        made = spoken(("client", HELLO), ("server", tls.said(SERVER_HELLO, tls.message(13, body))))
        assert made.certificate_request is not None
        assert made.certificate_request.authorities == ("C=DE",)
        assert made.certificate_request.types[:2] == ("rsa_sign", "ecdsa_sign")
        assert made.certificate_request.signature_schemes[0] == "rsa_pss_rsae_sha256"
        assert "238" in made.certificate_request.types[2]

    def test_an_sslv2_hello_is_decoded(self) -> None:
        hello = tls.sslv2_record(tls.sslv2_client_hello(0x0301, (0x010080, 0x00002F)))
        made = spoken(("client", hello), ("server", tls.said(SERVER_HELLO, DONE)))
        assert names(made)[0] == "client sslv2_client_hello"
        assert made.client_hello is not None
        assert made.client_hello.cipher_suites == (0x010080, 0x2F)
        assert made.tls_version == "TLS 1.2"

    def test_a_handshake_of_sslv2_is_told(self) -> None:
        made = spoken(
            ("client", tls.sslv2_record(tls.sslv2_client_hello(0x0002, (0x010080,)))),
            ("server", tls.sslv2_record(tls.sslv2_server_hello(b"\x30\x03\x02\x01\x05", (0x010080,)))),
            ("client", tls.sslv2_record(b"\x02\x01\x00\x80" + bytes(6)) + tls.sslv2_record(bytes(33))),
        )
        assert names(made) == [
            "client sslv2_client_hello",
            "server sslv2_server_hello",
            "client sslv2_client_master_key",
        ]
        assert made.tls_version == "SSLv2"
        assert [certificate.der for certificate in made.certificates.server] == [b"\x30\x03\x02\x01\x05"]
        assert made.application_records == (1, 0)

    def test_digits_are_the_captures(self) -> None:
        assert built(Line().open().put("client", 0, HELLO), digits=9).digits == 9


class TestResumption:
    def test_a_server_that_changes_its_cipher_at_once_has_resumed(self) -> None:
        """RFC 5246 §7.3."""
        made = spoken(("client", HELLO), ("server", tls.said(SERVER_HELLO) + KEYS), ("client", KEYS))
        assert made.resumed

    def test_a_ticket_before_that_changes_nothing(self) -> None:
        """RFC 5077 §3.1."""
        ticket = tls.message(tls.NEW_SESSION_TICKET, bytes(200))
        assert spoken(("client", HELLO), ("server", tls.said(SERVER_HELLO, ticket) + KEYS)).resumed

    def test_a_full_handshake_is_none(self) -> None:
        flight = tls.said(SERVER_HELLO, tls.message(11, tls.certificate_list()), DONE)
        assert not spoken(("client", HELLO), ("server", flight), ("client", KEYS), ("server", KEYS)).resumed

    @pytest.mark.parametrize("taken", [True, False])
    def test_in_tls_1_3_the_server_takes_up_a_pre_shared_key(self, taken: bool) -> None:
        """RFC 8446 §2.2 and §4.2.11."""
        extensions = [(43, tls.u16(0x0304)), (51, tls.u16(29) + bytes(34))] + ([(41, b"\0\0")] if taken else [])
        hello = tls.server_hello(suite=tls.AES_128_GCM, extensions=extensions)
        made = spoken(("client", HELLO), ("server", tls.said(tls.message(2, hello)) + tls.change_cipher_spec()))
        assert made.resumed is taken


class TestAlerts:
    def test_one_in_clear_is_told_with_what_went_before(self) -> None:
        made = spoken(("client", HELLO), ("server", tls.said(SERVER_HELLO, DONE)), ("client", tls.alert(2, 48)))
        (alert,) = made.alerts
        assert (alert.level, alert.description) == (AlertLevel.fatal, AlertDescription.unknown_ca)
        assert (alert.sender, alert.position, alert.time) == ("client", Position(frame=6), START + 6_000_000)
        assert (alert.encrypted, alert.inferred, alert.after) == (False, None, "server_hello_done")

    def test_one_before_everything_has_nothing_before_it(self) -> None:
        assert spoken(("server", tls.alert(2, 40))).alerts[0].after is None

    def test_unlisted_levels_and_descriptions_survive(self) -> None:
        (alert,) = spoken(("client", HELLO), ("server", tls.alert(2, 200))).alerts
        assert (alert.code, str(alert.description)) == (200, "unlisted(200)")

    def test_an_encrypted_one_is_told_as_such(self) -> None:
        made = spoken(
            ("client", HELLO),
            ("server", tls.said(SERVER_HELLO, DONE)),
            ("client", KEY_EXCHANGE + KEYS),
            ("server", KEYS),
            ("client", tls.encrypted(tls.ALERT, 26)),
        )
        (alert,) = made.alerts
        assert (alert.level, alert.description, alert.code) == (None, None, None)
        assert (alert.encrypted, alert.decrypted, alert.inferred) == (True, False, "close_notify")
        assert alert.after == "encrypted_handshake"

    def test_in_tls_1_3_one_is_inferred_from_its_record(self) -> None:
        made = spoken(
            ("client", HELLO),
            ("server", tls.said(tls.message(2, tls.server_hello_13())) + tls.application_data(900)),
            ("client", tls.application_data(19)),
        )
        (alert,) = made.alerts
        assert (alert.sender, alert.inferred, alert.encrypted) == ("client", "fatal alert", True)
        assert (alert.description, alert.position) == (None, Position(frame=6))


class TestRecords:
    def test_those_that_cannot_be_read_are_told_and_counted_by_side(self) -> None:
        made = spoken(
            ("client", HELLO), ("server", tls.said(SERVER_HELLO, DONE)), ("client", KEYS), ("server", KEYS),
            ("client", tls.application_data(100)), ("server", tls.application_data(200) * 2),
        )  # fmt: skip
        assert made.application_records == (1, 2)
        assert made.encrypted_records == (
            EncryptedRecord(23, "client", Position(frame=8), START + 8_000_000, 100),
            EncryptedRecord(23, "server", Position(frame=9), START + 9_000_000, 200),
            EncryptedRecord(23, "server", Position(frame=9), START + 9_000_000, 200),
        )

    def test_sides_are_the_clients_and_the_servers_whoever_was_seen_first(self) -> None:
        line = Line().syn_ack().put("server", 0, b"220 ready\r\n").put("client", 0, HELLO)
        made = built(line.put("client", len(HELLO), tls.application_data(40)))
        assert made.application_records == (1, 0)
        assert made.plain == (b"", b"220 ready\r\n")

    def test_what_is_no_tls_is_kept_from_its_beginning(self) -> None:
        made = spoken(("client", HELLO), ("server", b"HTTP/1.0 400 Bad Request\r\n"))
        assert made.plain == (b"", b"HTTP/1.0 400 Bad Request\r\n")


class TestEnd:
    def test_an_open_connection_has_none(self) -> None:
        made = spoken(("client", HELLO))
        assert (made.closed.how, made.closed.sender, made.closed.position, made.reset) == ("open", None, None, None)

    def test_who_closed_it_and_how_is_told(self) -> None:
        made = built(Line().open().put("client", 0, HELLO).put("server", 0, tls.alert(2, 40), FIN | ACK))
        assert (made.closed.how, made.closed.sender) == ("fin", "server")
        assert (made.closed.position, made.closed.time) == (Position(frame=5), START + 5_000_000)
        assert made.reset is None

    def test_a_reset_is_told_besides(self) -> None:
        line = Line().open().put("client", 0, HELLO).put("server", 0, tls.alert(2, 40), FIN | ACK)
        made = built(line.put("client", len(HELLO), flags=RST))
        assert (made.closed.how, made.closed.sender) == ("fin", "server")
        assert made.reset is not None
        assert (made.reset.how, made.reset.sender, made.reset.position) == ("rst", "client", Position(frame=6))


class TestWhatIsMissing:
    def test_bytes_that_were_not_captured_are_a_note(self) -> None:
        flight = tls.said(SERVER_HELLO, tls.message(11, tls.certificate_list(b"\x30" * 900)), DONE)
        line = Line().open().put("client", 0, HELLO).put("server", 0, flight[:500]).put("server", 700, flight[700:])
        made = built(line)
        assert made.notes[0] == "frame 6: 200 bytes before it are missing from the capture"
        assert any("of a handshake message of 906 bytes only" in note for note in made.notes)

    def test_a_snap_length_is_a_note(self) -> None:
        made = built(Line().open().put("client", 0, HELLO, cut=10))
        assert made.notes[0] == "1 packets were cut short by the capture's snap length (record with tcpdump -s 0)"

    def test_a_cut_hello_is_told_as_far_as_it_goes_without_fingerprints(self) -> None:
        """A fingerprint of half a hello is another client's, or nobody's."""
        made = built(Line().open().put("client", 0, HELLO, cut=5))
        assert made.messages[0].cut
        assert made.server_name == "bmc.example"
        assert (made.ja3, made.ja4) == (None, None)

    @pytest.mark.parametrize(("version", "label"), [(tls.TLS10, "TLS 1.0"), (tls.TLS12, None)])
    def test_a_server_hello_cut_before_its_extensions_leaves_tls_1_3_open(
        self, version: int, label: str | None
    ) -> None:
        """RFC 8446 §4.2.1: 0x0303 is in both, and what tells them apart was not captured."""
        server = tls.said(tls.message(2, tls.server_hello(version, session_id=bytes(32), extensions=[(43, b"\3\4")])))
        made = built(Line().open().put("client", 0, HELLO).put("server", 0, server, cut=30))
        assert names(made) == ["client client_hello", "server server_hello"]
        assert (made.tls_version, made.cipher_suite, made.ja3s) == (label, None, None)

    def test_a_hello_of_a_few_bytes_is_a_message_and_no_more(self) -> None:
        made = built(Line().open().put("client", 0, HELLO, cut=len(HELLO) - 20))
        assert (made.messages[0].message, made.messages[0].cut, made.client_hello) == ("client_hello", True, None)


def test_a_connection_of_which_only_a_syn_and_noise_is_known_can_be_built() -> None:
    flow = Line().put("client", -1, flags=SYN).put("server", 0, b"\0" * 9).end()
    made = connection(flow, "lab.pcap", 3, 0)
    assert (made.messages, made.alerts, made.tls_version, made.connection) == ((), (), None, 3)
    assert made.plain == (b"", b"\0" * 9)


def test_a_connection_on_which_nothing_was_said_can_be_built() -> None:
    made = connection(flow_of(b"\x0a\0\0\5\x0a\0\0\7\0\1\0\2"), "lab.pcap", 0, 6)
    assert (made.messages, made.notes, made.plain, made.start) == ((), (), (b"", b""), START)


#: What captures/README.md says: the server's alerts by connection, each with its frame.
STORIES: dict[str, list[tuple[int, int] | None]] = {
    "no-client-certificate": [(40, 9)],
    "unknown-ca": [(48, 9)],
    "not-yet-valid": [(42, 9), (42, 21), (42, 33)],
    "not-yet-valid-no-clock": [(42, 9)],
    "expired": [(45, 9)],
    "success": [None],
    "console": [(40, 9), (48, 21), (42, 33)],
}


@pytest.mark.parametrize("name", STORIES)
def test_the_projects_captures_say_what_their_notes_say(name: str) -> None:
    flows = flows_of((CAPTURES / f"{name}.pcap").read_bytes())
    made = [connection(flow, name, number, 6) for number, flow in enumerate(flows)]
    assert len(made) == len(STORIES[name])
    for one, alert in zip(made, STORIES[name], strict=True):
        found = [(a.code, a.position.frame, a.sender) for a in one.alerts]
        assert found == ([(*alert, "server")] if alert else [])
        assert one.notes == ()
        assert (one.tls_version, one.cipher_suite) == ("TLS 1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
        assert (one.client and one.client.address, one.server) == ("10.0.0.5", Endpoint("10.0.0.7", 5900))
        assert one.certificate_request is not None
        (certificate,) = one.certificates.server
        assert certificate.subject is not None
        assert certificate.subject.startswith("CN=bmc.example")
        assert (one.closed.how, one.closed.sender) == ("fin", "server" if alert else "client")
        assert one.start is not None
        assert one.end is not None
        assert 0 < one.end - one.start < 3 * SECOND
        assert one.application_records == ((0, 0) if alert else (1, 1))


SIZE = 4 + len(HELLO_BODY)


def hello_records(*sent: bytes, begun: bool = True) -> tuple[tuple[int, int], ...]:
    """Return the records of a ClientHello that came so, each of them in a segment of its own."""
    line = Line().open() if begun else Line()
    at = 0
    for data in sent:
        line.put("client", at, data)
        at += len(data)
    return connection(line.end(), "a.pcap", 0, 6).hello_records


@pytest.mark.parametrize(
    ("cuts", "version"),
    [
        pytest.param([SIZE], tls.TLS10, id="in one"),
        pytest.param([1, SIZE - 1], tls.SSL3, id="inside the handshake header"),
        pytest.param([3, 3, SIZE - 6], tls.TLS10, id="twice in it"),
        pytest.param([4, SIZE - 4], tls.TLS12, id="behind it"),
        pytest.param([40, 1, 1, SIZE - 42], tls.TLS12, id="in four"),
    ],
)
def test_the_records_of_the_hello_are_told_with_their_version(cuts: list[int], version: int) -> None:
    message, sent, at = tls.message(tls.CLIENT_HELLO, HELLO_BODY), [], 0
    for size in cuts:
        sent.append(tls.record(tls.HANDSHAKE, message[at : at + size], version))
        at += size
    told = tuple((version, size) for size in cuts)
    assert hello_records(*sent) == hello_records(b"".join(sent)) == told


def test_what_follows_the_hello_in_its_record_does_not_count() -> None:
    message = tls.message(tls.CLIENT_HELLO, HELLO_BODY)
    assert hello_records(tls.said(message + message)) == ((tls.TLS12, SIZE),)
    first, rest = tls.said(message[:50]), tls.said(message[50:] + message)
    assert hello_records(first, rest) == ((tls.TLS12, 50), (tls.TLS12, SIZE - 50))


def test_a_second_hello_does_not_change_what_is_told_of_the_first() -> None:
    message = tls.message(tls.CLIENT_HELLO, HELLO_BODY)
    second = tls.record(tls.HANDSHAKE, message[:9], tls.TLS12) + tls.record(tls.HANDSHAKE, message[9:], tls.TLS12)
    assert hello_records(tls.record(tls.HANDSHAKE, message, tls.TLS10), second) == ((tls.TLS10, SIZE),)


def test_records_are_told_of_a_connection_that_was_not_seen_from_its_beginning() -> None:
    assert hello_records(HELLO, begun=False) == ((tls.TLS12, SIZE),)


def test_of_a_hello_in_a_thousand_records_the_first_ones_are_told() -> None:
    body = tls.client_hello(extensions=[(21, bytes(3000))])
    message = tls.message(tls.CLIENT_HELLO, body)
    told = hello_records(b"".join(tls.said(message[at : at + 1]) for at in range(len(message))))
    assert told == ((tls.TLS12, 1),) * 1024


def test_without_a_hello_in_records_none_are_told() -> None:
    assert hello_records(tls.sslv2_record(tls.sslv2_client_hello(tls.TLS10, [0x2F]))) == ()
    server = Line().open().put("server", 0, tls.said(SERVER_HELLO)).end()
    assert connection(server, "a.pcap", 0, 6).hello_records == ()
