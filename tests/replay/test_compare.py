"""What changed, in words an engineer would use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.replay.fake_device import ACCEPTED, FOUNDING, GONE, LOST, alert, refused_hello
from tlsalert.replay.compare import compare, short_answer
from tlsalert.replay.outcome import Closed, NotTried, Outcome, Refused, Silent
from tlsalert.replay.result import HelloTold, Result, StackTold, row_of

Answers = Mapping[tuple[str, str], Outcome]
V12, V13 = "TLS 1.2", "TLS 1.3"
CLOSED_AT_HELLO = Closed("fin", "client_hello")


def result(label: str | None, answers: Answers, **others: object) -> Result:
    rows = tuple(row_of(*place, outcome) for place, outcome in answers.items())
    return Result("bmc:5900", HelloTold("x"), rows, label=label, **others)  # type: ignore[arg-type]


def told(before: Answers, after: Answers) -> list[str]:
    old, new = result("3.88", before), result("firmware 3.90", after)
    return [str(change) for change in compare(old, new).changes]


@pytest.mark.parametrize(
    ("variant", "before", "after", "sentence"),
    [
        (
            "expired",
            alert(45),
            alert(48),
            "firmware 3.90 answers unknown_ca (48) to an expired certificate where 3.88 answered"
            " certificate_expired (45)",
        ),
        ("none_sent", alert(40), ACCEPTED, "firmware 3.90 accepts a client with no certificate where 3.88 answered"),
        ("expired", ACCEPTED, alert(45), "to an expired certificate where 3.88 accepted it"),
        (
            "sha1_signed",
            alert(42),
            Closed("fin", "client_certificate"),
            "closes without an alert on a certificate signed",
        ),
        ("good", ACCEPTED, LOST, "resets the connection on the good certificate where 3.88 accepted it"),
        ("good", ACCEPTED, Silent(5, "client_certificate"), "says nothing to the good certificate where"),
        ("good", GONE, ACCEPTED, "where 3.88 could not be reached"),
        ("good", ACCEPTED, NotTried("needs {a key}"), "was not tried with the good certificate where .*needs {a key}"),
        (
            "expired",
            ACCEPTED,
            Refused("server", "established", says="HTTP 400"),
            r"refuses an expired certificate inside TLS \(HTTP 400\) where 3.88 accepted it",
        ),
        (
            "good",
            ACCEPTED,
            Refused("server", "starttls", says="454 no TLS"),
            r"refuses the good certificate before TLS \(454 no TLS\)",
        ),
        (
            "good",
            Refused("client", "server_hello", says="a message was cut"),
            ACCEPTED,
            r"where 3.88 brought it to give up \(the client gave up: a message was cut\)",
        ),
        ("good", ACCEPTED, alert(48, "client"), r"brings the client to refuse it with unknown_ca \(48\)"),
        (
            "good",
            alert(40),
            Refused("server", "server_hello", alert(40).alert),
            "handshake_failure .* but at another point: in its first flight and not after the client's certificate",
        ),
        ("expired", alert(45), alert(45, level=1), "as a warning to an expired certificate"),
        ("new_one", alert(45), alert(48), "to the certificate of variant new_one where"),
        ("huge_70k", ACCEPTED, alert(80), "to a certificate of 70 KB where"),
        ("chain_25_cas", ACCEPTED, alert(80), "to a chain of 25 CAs where"),
    ],
)
def test_a_change_is_a_sentence(variant: str, before: Outcome, after: Outcome, sentence: str) -> None:
    (said,) = told({(variant, V12): before}, {(variant, V12): after})
    if "(" in sentence and "\\" not in sentence:
        assert said.startswith(sentence)
    else:
        assert re.search(sentence, said), said


def test_the_same_change_in_all_versions_is_one_sentence_without_them() -> None:
    before = {("expired", V12): alert(45), ("expired", V13): alert(45)}
    assert len(told(before, dict.fromkeys(before, alert(48)))) == 1
    assert "TLS" not in told(before, dict.fromkeys(before, alert(48)))[0]


def test_a_change_in_some_versions_names_them() -> None:
    before: Answers = {("expired", V12): alert(45), ("expired", V13): alert(45), ("expired", "TLS 1.1"): alert(45)}
    after = {**before, ("expired", V12): alert(48), ("expired", V13): alert(48)}
    assert told(before, after) == [
        "firmware 3.90 answers unknown_ca (48) to an expired certificate in TLS 1.2 and TLS 1.3"
        " where 3.88 answered certificate_expired (45)"
    ]


def test_different_changes_of_one_variant_stand_together() -> None:
    before: Answers = {("expired", V12): alert(45), ("good", V12): ACCEPTED, ("expired", V13): alert(45)}
    after: Answers = {("expired", V12): alert(48), ("good", V12): alert(42), ("expired", V13): ACCEPTED}
    assert ["expired" in one for one in told(before, after)] == [True, True, False]


def test_what_only_one_of_them_tried_is_told() -> None:
    both: Answers = {("good", V12): ACCEPTED}
    one: Answers = {**both, ("expired", V12): alert(45)}
    assert told(both, one) == [
        "3.88 has no trial of an expired certificate (expired); firmware 3.90 answered certificate_expired (45)"
    ]
    assert told(one, both) == [
        "firmware 3.90 has no trial of an expired certificate (expired); 3.88 answered certificate_expired (45)"
    ]


def test_no_difference_is_told_too() -> None:
    same: Answers = {("good", V12): ACCEPTED, ("expired", V12): alert(45)}
    comparison = compare(result("a", dict(same)), result("b", dict(same)))
    assert not comparison.differs
    assert str(comparison) == "b answers as a did (2 answers)"


def test_the_order_of_rows_is_no_difference() -> None:
    answers: dict[tuple[str, str], Outcome] = {("good", V12): ACCEPTED, ("expired", V12): alert(45)}
    assert told(answers, dict(reversed(answers.items()))) == []


def test_only_what_was_asked_for_is_compared() -> None:
    old = result("a", {("good", V12): ACCEPTED, ("expired", V12): alert(45)})
    new = result("b", {("good", V12): ACCEPTED})
    assert compare(old, new).differs
    assert not compare(old, new, {("good", V12)}).differs


def test_clock_stack_hello_and_trust_are_remarks_and_no_difference() -> None:
    old = result("a", {}, trusts=("CN=old",), stack=StackTold("OpenSSL 1.0.2", 0.9))
    new = result("b", {}, trusts=("CN=new",), stack=FOUNDING.stack and StackTold("OpenSSL 3.0", 0.9))
    comparison = compare(old, new)
    assert not comparison.differs
    assert comparison.remarks == (
        "b trusts CN=new, a did not",
        "b does not trust CN=old any more",
        "b resembles OpenSSL 3.0, a resembled OpenSSL 1.0.2",
    )


def test_two_files_of_one_name_are_told_apart() -> None:
    comparison = compare(result("console", {("good", V12): ACCEPTED}), result("console", {("good", V12): alert(42)}))
    assert str(comparison).startswith("console (now) answers bad_certificate (42)")
    assert str(comparison).endswith("where console (before) accepted it")


@pytest.mark.parametrize(
    ("outcome", "short"),
    [
        (ACCEPTED, "accepted"),
        (alert(45), "certificate_expired (45)"),
        (alert(45, level=1), "warning certificate_expired (45)"),
        (alert(48, "client"), "unknown_ca (48) from the client"),
        (LOST, "reset, alert lost"),
        (Closed("rst", "server_hello"), "reset"),
        (Closed("fin", "server_hello"), "closed (FIN)"),
        (Silent(1, "server_hello"), "silent"),
        (NotTried("x"), "not tried"),
        (Refused("server", "established", says="HTTP 400"), "HTTP 400"),
        (Refused("client", "server_hello", says="a message was cut"), "the client gave up"),
    ],
)
def test_an_answer_in_short(outcome: Outcome, short: str) -> None:
    assert short_answer(row_of("v", V12, outcome)) == short


def test_a_hello_of_the_same_name_is_no_other_hello() -> None:
    old, new = result("a", {}), result("b", {})
    lost = replace(new, hello=HelloTold("x", ("an extension",)))
    assert compare(old, lost).remarks == (
        "the ClientHello is x in both, but what could not be reproduced of it differs",
    )
    assert compare(old, replace(new, hello=HelloTold("y"))).remarks == ("the ClientHello was another: x and now y",)


REFUSED_13 = refused_hello(70)
BOTH = {("good", V12): ACCEPTED, ("expired", V12): alert(45), ("good", V13): ACCEPTED, ("expired", V13): alert(45)}
OLD = {**BOTH, ("good", V13): REFUSED_13, ("expired", V13): REFUSED_13}


@pytest.mark.parametrize(
    ("before", "after", "sentences"),
    [
        pytest.param(
            OLD, BOTH, ["3.90 speaks TLS 1.3; 3.88 answered protocol_version (70) to its ClientHello, whatever .*"],
            id="spoken now",
        ),
        pytest.param(
            BOTH, OLD, ["3.90 answers protocol_version (70) to the ClientHello of TLS 1.3, .*; 3.88 spoke it"],
            id="spoken no more",
        ),
        pytest.param(
            OLD,
            {**OLD, ("good", V13): CLOSED_AT_HELLO, ("expired", V13): CLOSED_AT_HELLO},
            ["3.90 closes without an alert on the ClientHello of TLS 1.3; 3.88 answered protocol_version (70) .*"],
            id="refused otherwise",
        ),
        pytest.param(
            OLD, {**BOTH, ("good", V12): alert(42)},
            ["3.90 speaks TLS 1.3; .*", "3.90 answers bad_certificate (42) to the good certificate in TLS 1.2 .*"],
            id="and another change",
        ),
        pytest.param(OLD, OLD, [], id="no change"),
        pytest.param(
            {place: outcome for place, outcome in OLD.items() if place[1] == V12}, BOTH,
            ["3.88 has no trial of the good certificate .*", "3.88 has no trial of an expired certificate .*"],
            id="not tried before",
        ),
    ],
)  # fmt: skip
def test_what_changed_with_a_whole_tls_version_is_one_sentence(
    before: Answers, after: Answers, sentences: list[str]
) -> None:
    comparison = compare(result("3.88", before), result("3.90", after))
    assert len(comparison.sentences) == len(sentences)
    for sentence, pattern in zip(comparison.sentences, sentences, strict=True):
        assert re.fullmatch(pattern.replace("(", r"\(").replace(")", r"\)"), sentence)
    assert str(comparison).splitlines()[: len(sentences)] == list(comparison.sentences) or not sentences
    assert {change.variant for change in comparison.changes} >= {change.variant for change in comparison.apart}


def test_variants_that_changed_alike_are_told_together_where_they_are_many() -> None:
    many = ("good", "good_p256", "good_p384", "expired")
    before = {(name, V12): alert(42) for name in many}
    told = compare(result("3.88", before), result("3.90", {(name, V12): alert(48) for name in many})).sentences
    assert told == (
        "3.90 answers unknown_ca (48) to each of 4 variants in TLS 1.2 where 3.88 answered bad_certificate (42): "
        "good, good_p256, good_p384, expired",
    )
    after = {place: ACCEPTED if place[0] == "expired" else alert(48) for place in before}
    assert len(compare(result("3.88", before), result("3.90", after)).sentences) == 4
    assert len(compare(result("3.88", {}), result("3.90", before)).sentences) == 4
