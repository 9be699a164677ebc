"""The model: plain values that print, compare, hash and pickle, with times that lose nothing."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import stories
from tlsalert.model import (
    EPOCH,
    Alert,
    Clock,
    Connection,
    Endpoint,
    Position,
    Summary,
    Verdict,
    rfc3339,
    when,
)
from tlsalert.registry.alerts import AlertDescription, AlertLevel

STORIES = [stories.console(), stories.good(), stories.unread(), stories.hostile(), stories.bare()]
DAYS = st.integers(0, 4_102_444_800)  # seconds until 2100


@pytest.mark.parametrize(
    ("digits", "text"),
    [
        (0, "2021-06-17T08:51:09Z"),
        (3, "2021-06-17T08:51:09.123Z"),
        (6, "2021-06-17T08:51:09.123456Z"),
        (9, "2021-06-17T08:51:09.123456789Z"),
    ],
)
def test_times_are_rfc_3339_with_the_evidences_precision(digits: int, text: str) -> None:
    assert rfc3339(stories.START + 789, digits) == text


@given(DAYS, st.integers(0, 999_999_999))
def test_no_nanosecond_is_lost(seconds: int, fraction: int) -> None:
    text = rfc3339(seconds * 1_000_000_000 + fraction, 9)
    assert int(text[20:29]) == fraction
    assert datetime.fromisoformat(text[:19] + "Z") == EPOCH + timedelta(seconds=seconds)


@given(DAYS, st.integers(0, 999_999))
def test_a_datetime_is_cut_to_microseconds(seconds: int, microseconds: int) -> None:
    time = (seconds * 1_000_000 + microseconds) * 1000
    assert when(time + 999) == when(time) == EPOCH + timedelta(seconds=seconds, microseconds=microseconds)


def test_times_before_1970_are_times() -> None:
    assert rfc3339(-1, 9) == "1969-12-31T23:59:59.999999999Z"
    assert when(-1_000_000_000) == datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)


@given(st.one_of(st.integers(-(2**70), 2**70), st.integers(-(2**63), 2**63)), st.integers(0, 9))
def test_any_number_is_some_time(time: int, digits: int) -> None:
    """A damaged capture can hold any number."""
    assert len(rfc3339(time, digits)) == 20 + (digits + 1 if digits else 0)
    assert datetime.min <= when(time).replace(tzinfo=None) <= datetime.max


def test_positions_and_endpoints_print_as_people_write_them() -> None:
    assert str(Position(frame=9)) == "frame 9"
    assert str(Position(line=3)) == "line 3"
    assert str(Endpoint("10.0.0.7", 5900)) == "10.0.0.7:5900"
    assert str(Endpoint("2001:db8::7", 443)) == "[2001:db8::7]:443"


@pytest.mark.parametrize(
    ("level", "code", "inferred", "fatal"),
    [
        (2, 42, None, True),
        (1, 42, None, False),
        (1, 0, None, False),
        (7, 42, None, False),
        (None, None, "fatal alert", True),
        (None, None, "close_notify", False),
        (None, None, None, False),
    ],
)
def test_an_alert_is_fatal_by_its_level_or_by_what_was_inferred(
    level: int | None, code: int | None, inferred: str | None, fatal: bool
) -> None:
    alert = Alert(
        None if level is None else AlertLevel(level),
        None if code is None else AlertDescription(code),
        "server",
        Position(frame=1),
        None,
        encrypted=code is None,
        inferred=inferred,
    )
    assert (alert.code, alert.fatal) == (code, fatal)


def test_a_clocks_skew_is_negative_where_it_is_behind() -> None:
    assert Clock(1_000_000_000, 4_500_000_000, "ServerHello.random", 0.9).skew_seconds == -3.5
    assert Clock(4_500_000_000, 1_000_000_000, "ServerHello.random", 0.9).skew_seconds == 3.5


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.source[:12].encode().hex())
def test_connections_compare_hash_and_pickle(story: Connection) -> None:
    again = pickle.loads(pickle.dumps(story))
    assert again == story
    assert hash(again) == hash(story)


def test_stories_differ() -> None:
    assert len(set(STORIES)) == len(STORIES)


@pytest.mark.parametrize("value", [Position(frame=1), Endpoint("10.0.0.7", 1), Verdict("failed", "x"), stories.bare()])
def test_values_are_frozen(value: object) -> None:
    name = next(iter(type(value).__annotations__))
    with pytest.raises(AttributeError):
        setattr(value, name, None)


def test_of_an_unknown_connection_nothing_is_known() -> None:
    """Unknown is None, none is empty."""
    bare = stories.bare()
    assert (bare.client, bare.start, bare.tls_version, bare.verdict) == (None, None, None, None)
    assert (bare.messages, bare.alerts, bare.notes, bare.certificates.client) == ((), (), (), ())
    assert (bare.closed.how, bare.reset, bare.clocks.capture) == ("open", None, None)


def test_a_summary_begins_with_nothing_counted() -> None:
    summary = Summary("x")
    assert (summary.start, summary.packets, summary.connections, summary.notes) == (None, 0, 0, ())
