"""JUnit XML as CI readers expect it."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from tests.replay.fake_device import ACCEPTED, FOUNDING, GONE, alert
from tlsalert.render.junit import Failures, junit
from tlsalert.replay.outcome import NotTried
from tlsalert.replay.result import HelloTold, Result, Row, row_of

V = "TLS 1.2"
RESULT = Result(
    "10.0.0.7:5900",
    HelloTold("x"),
    (
        row_of("good", V, ACCEPTED),
        row_of("expired", V, alert(48)),
        row_of("revoked", V, NotTried("needs the CA's key")),
        row_of("none_sent", V, GONE),
    ),
    FOUNDING.verdict,
)
FAILURES: Failures = {("expired", V): ["first", "second"], ("gone", V): ["has no trial of it"]}


def test_each_variant_and_version_is_a_test_case() -> None:
    root = ET.fromstring(junit([(RESULT, FAILURES)]))
    (suite,) = root
    assert suite.attrib == {
        "name": "10.0.0.7:5900",
        "tests": "5",
        "failures": "2",
        "errors": "1",
        "skipped": "1",
    }
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert list(cases) == [f"{name} [TLS 1.2]" for name in ("good", "expired", "revoked", "none_sent", "gone")]
    assert {case.get("classname") for case in cases.values()} == {"tlsalert.10_0_0_7:5900"}
    assert cases["good [TLS 1.2]"].findtext("system-out") == "accepted"
    failure = cases["expired [TLS 1.2]"].find("failure")
    assert failure is not None
    assert (failure.get("message"), failure.text) == ("first", "first\nsecond")
    skipped, error = cases["revoked [TLS 1.2]"].find("skipped"), cases["none_sent [TLS 1.2]"].find("error")
    assert skipped is not None
    assert error is not None
    assert (skipped.get("message"), error.get("message")) == ("needs the CA's key", "connection refused")
    assert "2015-01-03" in (suite.findtext("system-out") or "")


def test_several_targets_are_several_suites() -> None:
    assert len(ET.fromstring(junit([(RESULT, {}), (RESULT, {})]))) == 2


def test_what_xml_cannot_hold_is_escaped() -> None:
    bad = '\x00\x1b]]><&\ud800\ufffe"'
    text = junit(
        [(Result(bad, HelloTold(bad), (Row(bad, bad, "refused", note=bad),), notes=(bad,)), {(bad, bad): [bad]})]
    )
    root = ET.fromstring(text)
    assert root[0].get("name") == '\\x00\\x1b]]><&\\ud800\\ufffe"'


def test_it_is_the_same_each_time() -> None:
    assert junit([(RESULT, FAILURES)]) == junit([(RESULT, dict(FAILURES))])
