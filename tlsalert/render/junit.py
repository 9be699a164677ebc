"""JUnit XML, which every CI shows: one test case for each variant and TLS version.

A case fails where the answer is not the expected one, or not the baseline's; what was not tried is skipped, and a
target that could not be reached is an error. There are no times in it, so that it too can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from tlsalert.replay.compare import short_answer
from tlsalert.replay.result import Result, Row

#: What XML 1.0 has no place for, not even escaped (§2.2).
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

#: What was wrong with each (variant, TLS version): sentences.
Failures = Mapping[tuple[str, str], Sequence[str]]


def junit(results: Sequence[tuple[Result, Failures]]) -> str:
    """Return the results, a test suite each, as one document."""
    root = Element("testsuites", name="tlsalert replay")
    for result, failures in results:
        _suite(root, result, failures)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, result: Result, failures: Failures) -> None:
    suite = SubElement(root, "testsuite", name=_text(result.target))
    told = dict(failures)
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for row in result.rows:
        kind = _case(suite, result.target, row, told.pop(row.place, ()))
        counts["tests"] += 1
        if kind is not None:
            counts[kind] += 1
    for (variant, version), sentences in told.items():  # the baseline has it, this run has not
        case = _new(suite, result.target, variant, version)
        _say(case, "failure", sentences)
        counts["tests"] += 1
        counts["failures"] += 1
    for name, count in counts.items():
        suite.set(name, str(count))
    if result.verdict is not None or result.notes:
        said = [result.verdict.summary] if result.verdict is not None else []
        SubElement(suite, "system-out").text = _text("\n".join([*said, *result.notes]))


def _case(suite: Element, target: str, row: Row, sentences: Sequence[str]) -> str | None:
    """Add one case; return which of the counts it belongs to."""
    case = _new(suite, target, row.variant, row.tls_version)
    if row.outcome == "unreachable":
        _say(case, "error", [row.note or "the target could not be reached"])
        return "errors"
    if sentences:
        _say(case, "failure", sentences)
        return "failures"
    if row.outcome == "not_tried":
        SubElement(case, "skipped", message=_text(row.note or "not tried"))
        return "skipped"
    said = short_answer(row) if row.note is None else f"{short_answer(row)}; {row.note}"
    SubElement(case, "system-out").text = _text(said)
    return None


def _new(suite: Element, target: str, variant: str, version: str) -> Element:
    # Dots part packages in most readers, so the address must not have any.
    name = _text(f"{variant} [{version}]")
    return SubElement(suite, "testcase", classname="tlsalert." + _text(target).replace(".", "_"), name=name)


def _say(case: Element, tag: str, sentences: Sequence[str]) -> None:
    SubElement(case, tag, message=_text(sentences[0])).text = _text("\n".join(sentences))


def _text(text: str) -> str:
    """Return ``text`` as XML can hold it; what it can't is written as an escape."""
    return _NO_XML.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
