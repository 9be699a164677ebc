"""The ladder: what stands in which order, and what shares an arrow."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests import stories
from tests.evidence import CAPTURES
from tests.wire.tls import u16, vector
from tlsalert.capture import Reader
from tlsalert.model import (
    Alert,
    Certificates,
    Clocks,
    Connection,
    EncryptedRecord,
    HandshakeMessage,
    Position,
    Preamble,
    Side,
)
from tlsalert.registry.alerts import AlertDescription, AlertLevel
from tlsalert.render.ladder import MOST_STEPS, common_name, ladder, steps
from tlsalert.render.spans import line_cells

replace = msgspec.structs.replace


def message(name: str, sender: Side, frame: int, length: int = 10) -> HandshakeMessage:
    return HandshakeMessage(name, 11 if name == "certificate" else 16, sender, Position(frame=frame), None, length)


def warning(code: int, sender: Side, frame: int, after: str | None) -> Alert:
    return Alert(AlertLevel(1), AlertDescription(code), sender, Position(frame=frame), None, after=after)


def drawn(connection: Connection, width: int = 100) -> list[str]:
    return ["".join(text for text, _ in line) for line in ladder(connection, width)]


def labels(connection: Connection) -> list[tuple[str, ...]]:
    return [step.labels for step in steps(connection)]


@pytest.mark.parametrize(
    ("protocol", "preamble", "line"),
    [
        ("smtp", Preamble("STARTTLS", Position(3), Position(4)), "smtp STARTTLS until frame 4"),
        ("http-connect", Preamble(until=Position(2)), "http-connect until frame 2"),
        (
            "pop3",
            Preamble("STLS", Position(1), Position(2), "-ERR", Position(2)),
            "pop3 STLS, declined in frame 2",
        ),
    ],
)
def test_what_was_spoken_before_tls_stands_first(protocol: str, preamble: Preamble, line: str) -> None:
    lines = drawn(replace(stories.console(), protocol=protocol, preamble=preamble))
    assert lines[1].strip() == line
    assert lines[2:] == drawn(stories.console())[1:]


def test_messages_of_one_side_in_one_frame_share_an_arrow() -> None:
    assert labels(stories.console()) == [
        ("client_hello",),
        ("server_hello",),  # alone: the clock stands beside it
        (
            "certificate CN=bmc-17.example.net",
            "server_key_exchange",
            "certificate_request",
            "server_hello_done",
        ),
        (
            "certificate CN=IPMI",
            "client_key_exchange",
            "certificate_verify",
            "change_cipher_spec",
            "encrypted_handshake",
        ),
        ("ALERT fatal bad_certificate (42)",),
        ("FIN",),
    ]


def test_the_same_message_again_and_again_is_counted() -> None:
    story = Connection(source="x", connection=0, messages=(message("new_session_ticket", "server", 3),) * 3)
    assert labels(story) == [("new_session_ticket × 3",)]


def test_the_alert_is_drawn_thick_and_in_its_own_style() -> None:
    (line,) = [line for line in ladder(stories.console(), 100) if "ALERT" in line[-1][0]]
    assert "━" in line[1][0]
    assert [style for _, style in line[1:]] == ["alert", "alert"]


def test_records_that_were_not_read_stand_where_they_were() -> None:
    assert labels(stories.unread())[2:] == [
        ("encrypted × 3",),
        ("change_cipher_spec",),
        ("encrypted × 2",),
        ("ALERT encrypted (fatal, by its shape)",),
        ("RST",),
    ]


@pytest.mark.parametrize(
    ("version", "opened", "label"),
    [
        ("TLS 1.2", False, "application_data"),
        ("TLS 1.2", True, "application_data"),
        ("TLS 1.3", False, "encrypted"),
        ("TLS 1.3", True, "application_data"),
    ],
)
def test_application_data_is_called_so_where_it_is_known_to_be_that(version: str, opened: bool, label: str) -> None:
    """RFC 8446 §5.2: in TLS 1.3 all that is encrypted looks like it from outside."""
    record = EncryptedRecord(23, "client", Position(frame=3), None, 99, opened)
    story = Connection(source="x", connection=0, tls_version=version, encrypted_records=(record,))
    assert labels(story) == [(label,)]


def test_a_record_that_is_told_as_an_alert_is_not_told_twice() -> None:
    record = EncryptedRecord(23, "server", Position(frame=9), None, 19)
    story = stories.unread()
    assert labels(replace(story, encrypted_records=(*story.encrypted_records, record))) == labels(story)


@pytest.mark.parametrize(
    ("after", "order"),
    [
        ("server_hello_done", ["server_hello_done", "ALERT", "client_key_exchange"]),
        ("client_key_exchange", ["server_hello_done", "client_key_exchange", "ALERT"]),
        (None, ["server_hello_done", "client_key_exchange", "ALERT"]),
    ],
)
def test_an_alert_stands_after_the_message_it_names(after: str | None, order: list[str]) -> None:
    """SSLv3's client says no_certificate before its ClientKeyExchange, in the same packet (RFC 6101 §5.6.6)."""
    story = Connection(
        source="x",
        connection=0,
        messages=(message("server_hello_done", "server", 6), message("client_key_exchange", "client", 8)),
        alerts=(warning(41, "client", 8, after),),
    )
    assert [label[0].split()[0] for label in labels(story)] == order


@pytest.mark.parametrize(
    ("length", "label"), [(3, "certificate (empty)"), (4, "certificate (empty)"), (900, "certificate")]
)
def test_a_certificate_message_without_certificates_says_so(length: int, label: str) -> None:
    story = Connection(source="x", connection=0, messages=(message("certificate", "client", 8, length),))
    assert labels(story) == [(label,)]


def test_evidence_in_lines_without_times_has_no_column_for_them() -> None:
    hello = HandshakeMessage("client_hello", 1, "client", Position(line=17), None, 200)
    header, first = drawn(Connection(source="strace.log", connection=0, messages=(hello,)))
    assert "line" in header
    assert "+ms" not in header
    assert first.split()[:2] == ["17", "client_hello"]


def test_times_of_a_fast_handshake_have_a_decimal() -> None:
    assert any(line.split()[:2] == ["6", "1.0"] for line in drawn(stories.unread()))
    assert any(line.split()[:2] == ["6", "41"] for line in drawn(stories.console()))


def test_a_clock_that_agrees_does_not_stand_out() -> None:
    story = stories.console()
    agreeing = replace(stories.BEHIND, time=story.start)
    (remark,) = [step.remark for step in steps(replace(story, clocks=Clocks(story.start, agreeing))) if step.remark[0]]
    assert remark == ("clock in random 2021-06-17 08:51:09", "dim")


@pytest.mark.parametrize("change", [{"source": "HTTP Date"}, {"position": Position(frame=99)}])
def test_only_a_clock_of_this_hello_stands_beside_it(change: dict[str, object]) -> None:
    story = stories.console()
    clock = replace(stories.BEHIND, **change)
    assert not any(step.remark[0] for step in steps(replace(story, clocks=Clocks(story.start, clock))))


def test_an_unlikely_clock_is_called_unlikely() -> None:
    story = stories.console()
    clock = replace(stories.BEHIND, confidence=0.2)
    assert any("perhaps a clock" in line for line in drawn(replace(story, clocks=Clocks(story.start, clock))))


def test_a_random_number_that_merely_reads_as_a_time_is_not_shown() -> None:
    story = stories.console()
    clock = replace(stories.BEHIND, confidence=0.01)
    assert not any(step.remark[0] for step in steps(replace(story, clocks=Clocks(story.start, clock))))


def test_a_remark_stands_beside_the_ladder_where_there_is_room() -> None:
    story = replace(stories.console(), messages=stories.console().messages[:2])
    (line,) = [line for line in drawn(story, 120) if "server_hello" in line]
    assert line.endswith("server_hello   clock in random 2015-03-12 05:41:50")


def key_exchange(scheme: int = 0x0403) -> HandshakeMessage:
    body = b"\x03" + u16(29) + vector(1, bytes(32)) + u16(scheme) + vector(2, bytes(70))
    return HandshakeMessage("server_key_exchange", 12, "server", Position(frame=6), None, len(body), body=body)


def test_what_a_message_says_stands_behind_its_name_and_is_dim() -> None:
    story = replace(stories.console(), messages=(key_exchange(), message("server_hello_done", "server", 6)), alerts=())
    (line,) = [line for line in ladder(story, 100) if any("server_key_exchange" in text for text, _ in line)]
    assert (" x25519, ecdsa_secp256r1_sha256", "dim") in line
    assert (" server_key_exchange", "") in line


@pytest.mark.parametrize(
    ("width", "before", "says"),
    [
        (90, "certificate", "certificate CN=bmc-17.example.net · server_key_exchange x25519"),
        (80, "a" * 26, f"{'a' * 26} · server_key_exchange"),
    ],
)
def test_where_room_is_short_the_group_is_told_or_nothing(width: int, before: str, says: str) -> None:
    story = replace(stories.console(), messages=(message(before, "server", 6), key_exchange()), alerts=())
    assert any(line.endswith(says) for line in drawn(story, width))


def test_equal_messages_that_say_different_things_say_none() -> None:
    story = replace(stories.console(), messages=(key_exchange(), key_exchange(0x0503)), alerts=())
    assert labels(story)[0] == ("server_key_exchange × 2",)
    assert not any("x25519" in line for line in drawn(story))


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.pcap")), ids=lambda path: path.name)
def test_words_make_no_line_more(path: Path, width: int) -> None:
    for story in Reader(path):
        silent = tuple(replace(one, body=None) for one in story.messages)
        spoken = ladder(story, width)
        assert len(spoken) <= len(ladder(replace(story, messages=silent), width))
        assert max(map(line_cells, spoken), default=0) <= width


def test_of_a_long_ladder_both_ends_are_shown() -> None:
    sides: tuple[Side, Side] = ("client", "server")
    many = tuple(message("key_update", sides[number % 2], number + 1) for number in range(1000))
    lines = drawn(Connection(source="x", connection=0, messages=many))
    assert len(lines) <= MOST_STEPS + 2
    assert any("… 962 more …" in line for line in lines)
    assert lines[-1].split()[0] == "1000"


def test_nothing_said_is_no_ladder() -> None:
    assert ladder(stories.bare(), 80) == []


@pytest.mark.parametrize("width", range(80, 121))
@pytest.mark.parametrize("story", [stories.console(), stories.unread(), stories.hostile()])
def test_no_line_is_wider_than_the_terminal(story: Connection, width: int) -> None:
    assert max(line_cells(line) for line in ladder(story, width)) <= width


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("OU=Software,CN=IPMI,C=US", "CN=IPMI"),
        (r"CN=Smith\, John,O=X", r"CN=Smith\, John"),
        ("O=Only", "O=Only"),
        ("CN=\x1b[31m", r"CN=\x1b[31m"),
        (None, None),
        ("", None),
    ],
)
def test_a_name_is_told_by_its_cn(subject: str | None, name: str | None) -> None:
    assert common_name(subject) == name


def test_a_chain_is_told_by_its_leaf() -> None:
    chain = Certificates(client=(stories.IPMI, stories.BMC))
    story = Connection(source="x", connection=0, certificates=chain, messages=(message("certificate", "client", 8),))
    assert labels(story) == [("certificate CN=IPMI",)]
