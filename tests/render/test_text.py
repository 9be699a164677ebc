"""What people see. The whole of it lives in golden/*.txt: ``pytest --rewrite-golden`` writes it anew."""

from __future__ import annotations

import io
from collections.abc import Callable

import msgspec
import pytest

from tests import stories
from tlsalert.model import Alert, CertificateRequest, Certificates, Connection, Position, Summary, Verdict
from tlsalert.registry.alerts import AlertDescription, AlertLevel
from tlsalert.render.spans import cells
from tlsalert.render.text import TextWriter, terminal_width

replace = msgspec.structs.replace
Golden = Callable[[str, str], None]


def shown(*connections: Connection, width: int = 100, full: bool = False, summary: Summary | None = None) -> str:
    out = io.StringIO()
    writer = TextWriter(out, width, full)
    for connection in connections:
        writer.write(connection)
    if summary is not None:
        writer.finish(summary)
    return out.getvalue()


def encoded(connection: Connection, encoding: str) -> str:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding, newline="")
    TextWriter(out, 100).write(connection)
    out.flush()
    return raw.getvalue().decode(encoding)


CONSOLE = Summary(
    "console.pcap",
    start=stories.START - 30_000_000_000,
    end=stories.START + 11_000_000_000,
    connections=3,
    failed_by_server=1,
    packets=2204,
)


@pytest.fixture(autouse=True)
def no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_the_founding_case_in_a_file_with_good_connections(width: int, golden: Golden) -> None:
    good = stories.good()
    story = (good, replace(good, connection=1), stories.console())
    golden(f"console-{width}.txt", shown(*story, width=width, summary=CONSOLE))


def test_an_alert_that_was_not_read(golden: Golden) -> None:
    golden("unread.txt", shown(stories.unread()))


def test_a_good_connection_in_full(golden: Golden) -> None:
    golden("good-full.txt", shown(stories.good(), full=True))


def test_hostile_names(golden: Golden) -> None:
    golden("hostile.txt", shown(stories.hostile()))


def test_without_arrows_in_the_encoding(golden: Golden) -> None:
    text = encoded(stories.console(), "ascii")
    assert "client_hello ---" in text
    assert "->" in text
    assert "<====" in text
    assert text.isascii()
    golden("console-ascii.txt", text)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "cp1252", "koi8-r", "utf-8", "utf-16-le"])
@pytest.mark.parametrize("story", [stories.console(), stories.hostile()])
def test_writing_never_fails_for_an_encoding(story: Connection, encoding: str) -> None:
    name = b"caf\xe9-\xff".decode("utf-8", "surrogateescape") + "東京"
    assert "ALERT" in encoded(replace(story, source=name, server_name=name), encoding)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    "story", [stories.console(), stories.good(), stories.unread(), stories.hostile(), stories.bare()]
)
def test_no_line_is_wider_than_the_terminal_and_none_ends_in_blanks(story: Connection, full: bool) -> None:
    for width in range(40, 121):
        for line in shown(story, width=width, full=full).splitlines():
            assert cells(line) <= width
            assert line == line.rstrip()


def test_nothing_from_the_wire_steers_the_terminal() -> None:
    for line in shown(stories.hostile(), summary=Summary(stories.HOSTILE, notes=(stories.HOSTILE,))).split("\n"):
        assert line.isprintable()


def test_colours_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = shown(stories.console())
    assert "\x1b[1;31m ALERT fatal bad_certificate (42)\x1b[0m" in text
    assert "\x1b[1mThe server refused" in text


def test_a_thousand_good_connections_are_a_thousand_lines() -> None:
    lines = shown(*[replace(stories.good(), connection=number) for number in range(1000)]).splitlines()
    assert len(lines) == 1002  # the heading and a blank line
    assert all("   ok   " in line for line in lines[2:])


def test_a_failed_connection_among_good_ones_stands_apart() -> None:
    lines = shown(stories.good(), stories.console(), stories.good()).splitlines()
    first = lines.index("#2  10.0.0.5:40112 → 10.0.0.7:5900   TLS 1.2   TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
    assert lines[first - 1] == ""
    assert lines[-2] == ""
    assert lines[-1].startswith("#0")


def test_an_established_connection_with_a_warning_names_it() -> None:
    warning = Alert(AlertLevel.warning, AlertDescription.unrecognized_name, "server", Position(frame=2), None)
    text = shown(replace(stories.good(), alerts=(warning,)), width=120)
    assert "warning unrecognized_name (112)" in text


def test_an_established_connection_with_a_cause_gets_its_block() -> None:
    lost = Verdict("established", "Refused after the handshake.", "server", "no_client_certificate", 0.8)
    assert "Refused after the handshake." in shown(replace(stories.good(), verdict=lost))


def test_an_incomplete_connection_has_its_sentence_below_it() -> None:
    cut = Verdict("incomplete", "The capture ends before the handshake does.")
    lines = shown(replace(stories.good(), verdict=cut)).splitlines()
    assert lines[-1].strip() == "The capture ends before the handshake does."


def test_a_connection_of_which_nothing_is_known() -> None:
    assert shown(stories.bare()).splitlines()[-1].split() == ["#0", "?", "→", "?", "—"]
    assert shown(stories.bare(), full=True).splitlines()[-1] == "#0  ? → ?"


def test_what_is_odd_stands_in_notes() -> None:
    lines = shown(stories.unread(), width=120).splitlines()
    (note,) = (line for line in lines if line.startswith("        note"))
    assert note.endswith("the capture ends before both sides have closed")


def test_the_authorities_that_the_server_asked_for() -> None:
    names = tuple(f"CN=CA {number},O=Example" for number in range(5))
    text = shown(replace(stories.console(), certificate_request=CertificateRequest(names)))
    assert "asked for  a certificate issued by CN=CA 0 or CN=CA 1 or CN=CA 2 or 2 more" in text


def test_of_a_long_chain_the_first_certificates_are_shown() -> None:
    chain = tuple(replace(stories.BMC, subject=f"CN=link {number}") for number in range(100))
    text = shown(replace(stories.console(), certificates=Certificates(server=chain)))
    assert "CN=link 3" in text
    assert "CN=link 4" not in text
    assert "… 96 more …" in text


def test_a_certificate_without_a_subject_is_told_by_its_other_names() -> None:
    nameless = replace(stories.BMC, subject=None)
    unknown = replace(nameless, subject_alt_names=(), key=None, not_after=None)
    text = shown(replace(stories.console(), certificates=Certificates(server=(nameless, unknown))))
    assert "server     bmc-17.example.net   2016-05-19 to 2026-05-17" in text
    assert "(no name)            2016-05-19 to ?" in text


@pytest.mark.parametrize("width", [60, 100])
def test_of_a_certificate_of_which_a_log_has_the_name_alone_no_dates_are_asked(width: int) -> None:
    named = replace(stories.BMC, key=None, not_before=None, not_after=None, self_signed=False)
    text = shown(replace(stories.console(), certificates=Certificates(server=(named,))), width=width)
    assert "server     CN=" in text
    assert "?" not in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_a_name_without_cn_is_told_whole() -> None:
    odd = replace(stories.IPMI, subject="O=Super Micro Computer,C=US", self_signed=False)
    text = shown(replace(stories.console(), certificates=Certificates(client=(odd,))))
    assert "client     O=Super Micro Computer,C=US" in text.replace(", ", ",")


def test_problems_of_a_certificate_stand_below_it() -> None:
    odd = replace(stories.IPMI, problems=("the serial number is negative",))
    assert "\n                   the serial number is negative\n" in shown(
        replace(stories.console(), certificates=Certificates(client=(odd,)))
    )


def test_a_storm_of_notes_is_cut() -> None:
    text = shown(replace(stories.console(), notes=("a gap",) * 500))
    assert text.count("a gap") == 20
    assert "… 480 more …" in text


@pytest.mark.parametrize(
    ("summary", "line"),
    [
        (Summary("a.pcap"), "a.pcap   0 connections"),
        (
            Summary("a.pcap", packets=7, other_streams=2),
            "a.pcap   0 connections, 2 streams without TLS, 7 packets",
        ),
        (
            Summary("a.pcap", stories.START, stories.START + 7_400_000_000_000, 9, 1, 0, 1, 0, 1),
            "a.pcap   2021-06-17 08:51, 2 h 3 min   1 connection, 1 refused by the client, 1 stream without TLS",
        ),
        (
            Summary("a.pcap", stories.START, stories.START + 300_000_000_000, 44, 9, 1, 1, 2),
            "a.pcap   2021-06-17 08:51, 5 min   "
            "9 connections, 1 refused by the server, 1 refused by the client, 2 failed otherwise",
        ),
        (Summary("a.pcap", stories.START), "a.pcap   2021-06-17 08:51   0 connections"),
    ],
)
def test_the_sum_of_a_file(summary: Summary, line: str) -> None:
    assert shown(width=120, summary=summary).splitlines() == [line]


def test_notes_about_the_file_stand_below_its_sum() -> None:
    summary = Summary("a.pcap", notes=("the file ends inside packet 12: it was cut short",))
    assert shown(summary=summary).splitlines()[1] == "    note  the file ends inside packet 12: it was cut short"


def test_each_file_has_its_heading() -> None:
    lines = shown(stories.good(), replace(stories.good(), source="/long/" * 40 + "b.pcap")).splitlines()
    assert lines[0] == "console.pcap   2021-06-17 08:50"
    assert any(line.startswith("…") and line.endswith("/b.pcap   2021-06-17 08:50") for line in lines)


@pytest.mark.parametrize(("columns", "width"), [("20", 40), ("40", 40), ("97", 97), ("300", 120)])
def test_the_width_follows_the_terminal_within_limits(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal_width() == width
