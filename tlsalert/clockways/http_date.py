"""HTTP's Date, RFC 9110 §6.6.1: the time at which a server made its answer, of any status.

A server without a clock must not write one. A Date that stands still is fixed text; one that a cache or a proxy hands
on (Age, Via) is another machine's.
"""

from __future__ import annotations

from collections.abc import Sequence

from tlsalert.clockways.http import Answer, NoAnswerError, Place, ask
from tlsalert.clockways.manners import Manners
from tlsalert.clockways.reading import SECOND, Reading, Sample, judged, unreached
from tlsalert.wire.http_date import PASSED_ON, response_date


def by_date(way: str, places: Sequence[Place], manners: Manners) -> Reading:
    """Ask the first of ``places`` that answers in HTTP for its Date. Nothing that it answers raises an error."""
    failed: list[NoAnswerError] = []
    for place in places:
        try:
            return _asked(way, place, manners)
        except NoAnswerError as error:
            failed.append(error)
    says = "; ".join(dict.fromkeys(error.says for error in failed))
    return Reading(way, says) if any(error.reached for error in failed) else unreached(way, says)


def _asked(way: str, place: Place, manners: Manners) -> Reading:
    samples: list[Sample] = []
    method = "HEAD"
    for number in range(manners.samples):
        if number:
            manners.rest(manners.pause)
        try:
            answer = ask(place, method, "/", manners)
        except NoAnswerError as error:
            if samples:
                break  # it has had enough of us
            if method == "GET" or not error.reached:
                raise
            method = "GET"  # small servers know nothing else, and some close at once
            answer = ask(place, method, "/", manners)
        seconds = response_date(_crlf(answer.head))
        if seconds < 0:
            return Reading(way, f"{place}: {_without(answer)}")
        samples.append(Sample(seconds * SECOND, answer.sent, answer.came))
    return judged(way, samples, "Date")


def _without(answer: Answer) -> str:
    """Say why an answer tells no time."""
    passed = next((name.decode() for name in PASSED_ON if answer.field(name.decode()) is not None), None)
    if passed is not None:
        return f"its Date may be another machine's: a cache or proxy handed the answer on ({passed})"
    said = answer.field("Date")
    if said is None:
        return "it answers without a Date, as a server without a clock must (RFC 9110 §6.6.1)"
    return f"its Date tells no time: {said[:60]!r}"


def _crlf(head: bytes) -> bytes:
    """Return a head with the line ends that HTTP wants."""
    return head.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
