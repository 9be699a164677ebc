"""What IPython shows as text: the terminal's words alone in a cell, one line within something else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests import stories
from tests.evidence import CAPTURES
from tests.render.notebook.pages import shown
from tests.replay.fake_device import FOUNDING, alert
from tlsalert import read
from tlsalert.connections import Connections
from tlsalert.replay.result import HelloTold, Result, row_of

Golden = Callable[[str, str], None]


def test_the_founding_case_is_told_as_always(golden: Golden) -> None:
    golden("console.txt", shown(stories.console()) + "\n")


def test_a_capture_is_told_in_a_line_each(golden: Golden) -> None:
    golden("captures.txt", shown(Connections([stories.console(), stories.good(), stories.unread()])) + "\n")


def test_within_a_list_everything_is_one_short_line() -> None:
    one = stories.console()
    assert shown(one, 2) == "<Connection 2: 10.0.0.5:40112 → 10.0.0.7:5900, fatal bad_certificate (42)>"
    assert shown(stories.good(), 2).endswith(", established>")
    assert shown(Connections([one]), 2) == "<1 connection>"
    assert shown(one.verdict, 2).startswith("<Verdict: The server refused")
    certificate = read(CAPTURES / "console.pcap")[2].certificates.client[0]
    assert shown(certificate, 2) == "<Certificate CN=IPMI,O=Example BMC Works,ST=California,C=US>"


def test_a_verdict_and_a_certificate_are_told_in_full_alone() -> None:
    assert "certain    0.99   certificate_not_yet_valid   at fault: server" in shown(stories.console().verdict)
    told = shown(read(CAPTURES / "console.pcap")[2].certificates.client[0])
    assert told.splitlines()[0] == "subject     CN=IPMI,O=Example BMC Works,ST=California,C=US"
    assert "valid       2016-05-19T09:46:36Z to 2026-05-17T09:46:36Z" in told


def test_results_and_comparisons_are_told_as_the_terminal_tells_them() -> None:
    rows = (row_of("expired", "TLS 1.2", alert(45)),)
    result = Result("10.0.0.7:5900", HelloTold("x"), rows, FOUNDING.verdict, label="a")
    assert "its clock is 2015-01-03" in shown(result)
    assert shown(result, 2) == "<Result of 10.0.0.7:5900: 1 answer>"
    assert "no difference" in shown(result.compare(result))
    assert shown(result.compare(result), 2) == "<Comparison of a (before) and a (now)>"


@pytest.mark.parametrize("depth", [1, 2])
def test_nothing_from_the_wire_steers_the_terminal(depth: int) -> None:
    for thing in (stories.hostile(), Connections([stories.hostile()]), stories.hostile().verdict):
        assert all(character.isprintable() or character == "\n" for character in shown(thing, depth))


def test_ipython_itself_takes_these_words() -> None:
    pretty = pytest.importorskip("IPython.lib.pretty").pretty
    capture = read(CAPTURES / "console.pcap")
    assert pretty(capture[2]) == shown(capture[2])
    assert pretty([capture[2]]) == f"[{shown(capture[2], 2)}]"
    assert pretty(capture) == shown(capture)
