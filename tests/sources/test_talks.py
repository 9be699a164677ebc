"""Open connections: a bounded number, in the order in which they spoke."""

from __future__ import annotations

import pytest

from tlsalert.sources import talks
from tlsalert.sources.talks import Talks, endpoint


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        ("192.0.2.5:443", ("192.0.2.5", 443)),
        ("[2001:db8::1]:443", ("2001:db8::1", 443)),
        ("2001:db8::1:443", ("2001:db8::1", 443)),
        ("host.example:25", ("host.example", 25)),
        ("192.0.2.5", None),
        ("192.0.2.5:99999", None),
        (":1", None),
        ("a:", None),
        ("a:²", None),
    ],
)
def test_an_end_is_an_address_and_a_port(said: str, ends: tuple[str, int] | None) -> None:
    assert endpoint(said) == ends


def test_the_one_that_was_silent_longest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talks, "MOST_OPEN", 2)
    open_ones = Talks("log")
    open_ones.begin("a", "p", 1, None)
    open_ones.begin("b", "p", 2, None)
    open_ones.reach("a", "p", 3, None)
    open_ones.begin("c", "p", 4, None)
    assert [one.connection for one in open_ones.take()] == [1]
    assert open_ones.given_up == 1
    assert open_ones.keys("") == ["a", "c"]


def test_what_is_known_last_is_told_before_it_is_built() -> None:
    open_ones = Talks("log")
    talk = open_ones.begin("a", "p", 1, None)
    talk.settle = lambda one: one.peer("server", "192.0.2.7", 443)
    open_ones.end_all()
    (one,) = open_ones.take()
    assert one.server is not None
    assert one.server.port == 443


def test_what_is_over_is_let_go_without_a_word() -> None:
    open_ones = Talks("log")
    open_ones.begin("a", "p", 1, None).over = True
    for number in range(talks.LINGER + 1):
        open_ones.begin(f"b{number}", "p", 2, None)
    assert [one.connection for one in open_ones.take()] == [0]
    assert open_ones.given_up == 0
