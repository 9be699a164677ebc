"""A sequence of connections: what is cut out of it is one again, and it shows itself in words."""

from __future__ import annotations

import pytest

import tlsalert
from tests import stories
from tests.evidence import CAPTURES
from tlsalert.connections import Connections


def some() -> Connections:
    return Connections([stories.console(), stories.good(), stories.unread()])


def test_slices_filters_and_failures_are_connections_again() -> None:
    for part in (some()[:2], some()[::-1], some().failed, some().where(outcome="failed"), some()[5:]):
        assert isinstance(part, Connections)
    assert some()[1:][0] == stories.good()
    assert some()[-1] == stories.unread()
    assert some().failed.where(server="10.0.0.7")[0] == stories.console()


def test_it_is_a_sequence_as_any_other() -> None:
    assert len(some()) == 3
    assert stories.good() in some()
    assert some().index(stories.good()) == 1
    assert next(reversed(some())) == stories.unread()
    with pytest.raises(IndexError):
        some()[3]


def test_two_are_equal_where_their_connections_are() -> None:
    assert some() == some()
    assert some() == tuple(some())
    assert some() != some()[:2]
    assert some() != 3


def test_it_tells_how_many_there_are() -> None:
    assert repr(some()) == "<3 connections>"
    assert repr(some()[:1]) == "<1 connection>"
    assert not Connections()


def test_a_capture_is_such_a_sequence_and_reads_on_as_it_is_asked() -> None:
    capture = tlsalert.read(CAPTURES / "console.pcap")
    assert "0 connections read so far" in repr(capture)
    assert isinstance(capture, Connections)
    assert isinstance(capture[:2], Connections)
    assert [one.connection for one in capture.failed.where(alert=[42, 48])] == [1, 2]
    assert len(capture.where(server="10.0.0.7:5900")) == 3
