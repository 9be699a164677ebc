"""A result on a terminal: the matrix, without colour as clear as with it, and what it means."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from tests.replay.fake_device import ACCEPTED, FOUNDING, GONE, LOST, FakeDevice, alert, refused_hello
from tlsalert.render.replay_text import result_lines, write_comparison, write_result
from tlsalert.render.spans import line_cells
from tlsalert.replay import tally
from tlsalert.replay.compare import compare
from tlsalert.replay.expectation import called_for
from tlsalert.replay.outcome import Closed, NotTried, Outcome, Refused, Silent
from tlsalert.replay.result import FindingTold, HelloTold, Result, Row, row_of
from tlsalert.replay.runner import Plan, run_plan

OUTCOMES: dict[str, Outcome] = {
    "good": ACCEPTED,
    "none_sent": alert(40),
    "expired": alert(45),
    "not_yet_valid": alert(42),
    "sha1_signed": LOST,
    "finished_corrupted": Closed("fin", "client_certificate"),
    "huge_70k": Silent(5, "client_certificate"),
    "eku_any_only": Refused("server", "established", says="HTTP 400"),
    "rsa512": GONE,
    "revoked": NotTried("needs the CA's key"),
    "pathlen_exceeded": NotTried("needs the CA's key"),
}


def whole(versions: tuple[str, ...] = ("TLS 1.2", "TLS 1.3")) -> Result:
    rows = [row_of(variant, version, outcome) for variant, outcome in OUTCOMES.items() for version in versions]
    return Result(
        "10.0.0.7:5900",
        HelloTold("captures/console.pcap #0", ("a key share of 0x6399",)),
        tuple(rows),
        FOUNDING.verdict,
        FOUNDING.clock,
        FOUNDING.stack,
        FOUNDING.trusts,
        findings=(FindingTold("dates", "it looks at dates"), FindingTold("demand", "anybody is let in", True)),
    )


def written(result: Result, width: int = 120, **others: object) -> str:
    out = io.StringIO()
    write_result(out, result, width=width, **others)  # type: ignore[arg-type]
    return out.getvalue()


def line_of(text: str, variant: str) -> str:
    (line,) = [line for line in text.splitlines() if line.split()[:1] == [variant]]
    return line


def test_every_kind_of_answer_has_its_symbol_and_its_words() -> None:
    text = written(whole(("TLS 1.2",)))
    assert [line_of(text, variant).split(maxsplit=1)[1] for variant in list(OUTCOMES)[:9]] == [
        "✓ accepted",
        "✗ handshake_failure (40)",
        "✗ certificate_expired (45)",
        "✗ bad_certificate (42)",
        "○ reset, alert lost",
        "○ closed (FIN)",
        "… silent",
        "✗ HTTP 400",
        "! unreachable",
    ]


def test_versions_are_columns() -> None:
    lines = written(whole()).splitlines()
    head = next(line for line in lines if line.split()[:1] == ["variant"])
    good = next(line for line in lines if line.split()[:1] == ["good"])
    assert [place for place in range(len(good)) if good[place] == "✓"] == [head.index("TLS 1.2"), head.index("TLS 1.3")]


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize(
    "versions", [("TLS 1.2",), ("TLS 1.2", "TLS 1.3"), ("SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")]
)
def test_no_line_is_wider_than_the_terminal(width: int, versions: tuple[str, ...]) -> None:
    expected = called_for("certificate_expired")
    for line in result_lines(whole(versions), width, lambda _: expected):
        assert line_cells(line) <= width


def test_where_words_do_not_fit_numbers_stand_there_and_are_explained() -> None:
    text = written(whole(("TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")), 80)
    assert line_of(text, "expired").split()[1:] == ["✗", "45"] * 4
    assert "40 handshake_failure, 42 bad_certificate, 45 certificate_expired" in text


def test_an_answer_that_was_not_expected_is_marked_with_what_was() -> None:
    text = written(
        whole(("TLS 1.2",)), expected=lambda row: called_for("certificate_expired" if row.variant != "good" else None)
    )
    assert line_of(text, "not_yet_valid").endswith("✗ bad_certificate (42) ≠ 45")
    assert "≠" not in line_of(text, "expired")
    assert line_of(text, "none_sent").endswith("≠ 45")
    assert "≠ is followed by what the RFC calls for" in text
    assert "≠" not in line_of(text, "rsa512")  # nobody was there to answer


def test_a_version_that_is_not_spoken_takes_a_line_and_no_column() -> None:
    rows = [row_of(variant, "TLS 1.3", refused_hello(70)) for variant in OUTCOMES]
    text = written(replace(whole(("TLS 1.2",)), rows=(*whole(("TLS 1.2",)).rows, *rows)))
    assert "TLS 1.3   ✗ protocol_version (70)   to the ClientHello, before any certificate" in text
    assert line_of(text, "variant").split()[1:] == ["TLS", "1.2"]
    alone = written(replace(whole(), rows=tuple(rows)))
    assert "variant" not in alone


def test_what_was_not_tried_stands_below_by_its_reason() -> None:
    text = written(whole())
    assert "not tried (needs the CA's key): revoked, pathlen_exceeded" in text
    assert not any(line.split()[:1] == ["revoked"] for line in text.splitlines())


def test_a_variant_that_only_one_version_has_leaves_the_other_empty() -> None:
    rows = (row_of("a", "TLS 1.2", ACCEPTED), row_of("a", "TLS 1.3", NotTried("no such thing in TLS 1.3")))
    text = written(replace(whole(), rows=rows))
    assert line_of(text, "a").split() == ["a", "✓", "accepted", "–"]
    assert "not tried (no such thing in TLS 1.3): a in TLS 1.3" in text


def test_the_meaning_stands_below() -> None:
    text = written(whole())
    lines = [line.strip() for line in text.splitlines()]
    assert "The device trusts your CA and its clock is 2015-01-03 ± 1 s." in lines
    for line in (
        "alarming   anybody is let in",
        "trusts     CN=BMC console CA",
        "checks     it looks at dates",
        "clock      2015-01-03 00:00:00 ± 1 s, by 31 handshakes",
        "stack      answers as OpenSSL 1.0.2 in 96% of the trials; it differs in sha1_signed",
        "do         set the device's clock",
        "certain    0.98   certificate_not_yet_valid   at fault: server",
    ):
        assert line in lines
    assert "not as it was: a key share of 0x6399" in lines


def test_what_is_not_the_same_each_time_is_marked() -> None:
    device = FakeDevice({"expired": [alert(48), ACCEPTED]})
    run = run_plan(Plan(("expired",), ("TLS 1.2",), orders=2), device.try_one)
    text = written(Result("t", HelloTold("x"), tally.rows(run), notes=tally.notes(run)))
    assert line_of(text, "expired").endswith("✗ unknown_ca (48) *")
    assert "the order matters for: expired (TLS 1.2)" in text


def test_it_is_written_in_ascii_where_there_is_no_more() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    write_result(out, whole(), lambda _: called_for("unknown_ca"), width=80)
    out.flush()
    assert b"+ ok" in raw.getvalue()


def test_colour_adds_and_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import re

    plain = written(whole())
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = written(whole())
    assert coloured != plain
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain


def test_names_from_strangers_do_not_steer_the_terminal() -> None:
    bad = "\x1b[2J\u202e"
    result = Result(
        bad, HelloTold(bad, (bad,)), (Row(bad, bad, "refused", note=bad),), None, None, None, (bad,), (bad,)
    )
    skipped = replace(result, rows=(Row(bad, bad, "not_tried", note=bad),))
    for text in (written(result), written(skipped)):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_a_comparison_is_sentences_and_a_count() -> None:
    old = Result("t", HelloTold("x"), (row_of("expired", "TLS 1.2", alert(45)), row_of("good", "TLS 1.2", ACCEPTED)))
    new = replace(old, rows=(row_of("expired", "TLS 1.2", alert(48)), old.rows[1]), label="firmware 3.90")
    out = io.StringIO()
    write_comparison(out, compare(replace(old, label="3.88"), new), 200)
    assert out.getvalue().splitlines() == [
        "≠ firmware 3.90 answers unknown_ca (48) to an expired certificate where 3.88 answered"
        " certificate_expired (45)",
        "1 answer is the same",
    ]
    out = io.StringIO()
    write_comparison(out, compare(old, old), 80)
    assert out.getvalue() == "no difference: 2 answers are the same\n"


def test_what_a_version_got_as_such_is_one_answer() -> None:
    device = FakeDevice({(name, "TLS 1.3"): refused_hello(70) for name in OUTCOMES})
    plan = Plan(tuple(OUTCOMES), ("TLS 1.2", "TLS 1.3"))
    rows = tally.rows(run_plan(plan, device.try_one))
    assert len(rows) == 2 * len(OUTCOMES)
    first = written(Result("a:1", HelloTold("profile python"), rows)).splitlines()[0]
    assert first.endswith(f"   {len(OUTCOMES) + 1} answers")


def test_what_a_wrong_clock_refused_is_told_as_not_held_against_the_rfc() -> None:
    clocked = replace(whole(("TLS 1.2",)), by_dates=frozenset({("sha1_signed", "TLS 1.2"), ("rsa512", "TLS 1.2")}))
    text = " ".join(written(clocked, expected=lambda row: None).split())
    assert "2 refusals are not held against that: the device's clock is outside the dates of what was shown" in text
    assert "held against" not in written(clocked)
    assert "held against" not in written(whole(), expected=lambda row: None)
