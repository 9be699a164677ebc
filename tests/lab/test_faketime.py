"""A child process under libfaketime has a clock of its own."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tlsalert.errors import UsageError
from tlsalert.lab import faketime

CLOCK = datetime(2015, 3, 12, 5, 41, 50, tzinfo=UTC)
installed = pytest.mark.skipif(faketime.library() is None, reason="needs libfaketime")


def child_time(clock: datetime, *, frozen: bool) -> int:
    command = [sys.executable, "-c", "import time; print(int(time.time()))"]
    environment = faketime.environment(clock, frozen=frozen)
    return int(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)


@installed
def test_a_frozen_clock_stands_still_to_the_second() -> None:
    assert child_time(CLOCK, frozen=True) == int(CLOCK.timestamp())


@installed
def test_the_clock_is_given_in_any_time_zone() -> None:
    elsewhere = CLOCK.astimezone(timezone(timedelta(hours=-8)))
    assert child_time(elsewhere, frozen=True) == int(CLOCK.timestamp())


@installed
def test_another_clock_runs_on_from_its_start() -> None:
    assert child_time(CLOCK, frozen=False) in range(int(CLOCK.timestamp()), int(CLOCK.timestamp()) + 3600)


def test_where_it_is_missing_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faketime, "PLACES", ())
    with pytest.raises(UsageError, match="libfaketime is not installed; install it"):
        faketime.environment(CLOCK)
