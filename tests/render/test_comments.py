"""What Wireshark is to show beside the packets: the hello, the certificate that was refused, the alert, the end."""

from __future__ import annotations

from msgspec import structs

from tests import stories
from tests.evidence import CAPTURES
from tlsalert.capture import read
from tlsalert.model import Closing, Connection, Position, Summary, Verdict
from tlsalert.render.comments import LONGEST, MOST_VERDICTS, packet_comments, section_comment, verdict_comment


def told(connection: Connection) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for frame, text in packet_comments(connection):
        found.setdefault(frame, []).append(text)
    return found


def test_the_founding_case() -> None:
    connection = read(CAPTURES / "console.pcap")[2]
    comments = told(connection)
    summary = "The server refused the client's certificate: it is not valid yet by the server's clock."
    assert comments[28] == [f"tlsalert #2: 10.0.0.5:40112 → 10.0.0.7:5900: {summary}"]
    assert comments[30][0].startswith("tlsalert #2: ServerHello.random says 2015-03-12 05:41:50")
    assert comments[31][-1] == (
        "tlsalert #2: the client's certificate, which the server refused: "
        "CN=IPMI,O=Example BMC Works,ST=California,C=US, valid from 2016-05-19 to 2026-05-17"
    )
    assert comments[33] == [f"tlsalert #2: the server sends alert fatal bad_certificate (42): {summary}"]
    assert sorted(comments) == [28, 30, 31, 33]


def test_no_certificate_is_told_as_none() -> None:
    connection = read(CAPTURES / "console.pcap")[0]
    assert any(
        text.endswith("which the server refused: there is none")
        for texts in told(connection).values()
        for text in texts
    )


def test_a_certificate_is_not_called_refused_where_something_else_was() -> None:
    connection = read(CAPTURES / "console.pcap")[2]
    assert connection.verdict is not None
    other = structs.replace(connection, verdict=structs.replace(connection.verdict, cause="decryption_failed"))
    assert any("the client's certificate: CN=IPMI" in text for text in told(other)[31])


def test_where_no_alert_came_the_close_has_the_verdict() -> None:
    (connection,) = read(CAPTURES / "closed-without-alert.pcap")
    assert connection.verdict is not None
    assert connection.closed.position is not None
    assert connection.closed.position.frame is not None
    (text,) = [one for one in told(connection)[connection.closed.position.frame] if " the server closes " in one]
    assert text.endswith(connection.verdict.summary)


def test_nothing_from_the_wire_steers_and_nothing_is_endless() -> None:
    hostile = stories.hostile()
    for texts in told(hostile).values():
        for text in texts:
            assert text.isprintable()
            assert len(text) <= LONGEST
    endless = Connection(
        source="x",
        connection=0,
        verdict=Verdict("failed", "x" * 9000),
        closed=Closing("rst", "client", Position(3)),
    )
    ((frame, text),) = packet_comments(endless)
    assert (frame, len(text)) == (3, LONGEST)


def test_a_log_has_no_frames_to_comment() -> None:
    connection = Connection(source="x", connection=0, closed=Closing("fin", "client", Position(line=3)))
    assert list(packet_comments(structs.replace(connection, verdict=Verdict("failed", "so")))) == []


def test_the_whole_is_told_with_counts_and_the_first_verdicts() -> None:
    connection = read(CAPTURES / "console.pcap")[2]
    line = verdict_comment(connection)
    assert line.startswith("#2: The server refused the client's certificate: it is not valid yet")
    assert "frame.number in {28..34}" in line
    some = section_comment(Summary("x", connections=3, failed_by_server=1, failed_other=1), [line])
    assert some == f"tlsalert: 3 TLS connections, 2 failed\n{line}"
    many = section_comment(Summary("x", connections=1), ["a verdict"] * (MOST_VERDICTS + 1)).splitlines()
    assert many[0] == "tlsalert: 1 TLS connection, 0 failed"
    assert many[1:] == ["a verdict"] * MOST_VERDICTS + ["…"]
