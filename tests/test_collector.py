"""The cycle collector waits while much is made, and is as it was afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.evidence import CAPTURES
from tlsalert import read
from tlsalert.collector import paused
from tlsalert.packet_reader import Reader


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    gc.enable()


def test_it_waits_and_goes_on() -> None:
    with paused():
        assert not gc.isenabled()
        with paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), paused():
        1 / 0  # noqa: B018
    assert gc.isenabled()


def test_who_had_it_off_keeps_it_off() -> None:
    gc.disable()
    with paused():
        pass
    assert not gc.isenabled()


def test_a_capture_is_read_to_its_end_without_it_and_asked_for_one_connection_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[bool] = []
    told = Reader._told

    def watched(self: Reader, final: bool = False) -> object:
        seen.append(gc.isenabled())
        return told(self, final)

    monkeypatch.setattr(Reader, "_told", watched)
    len(read(CAPTURES / "console.pcap"))
    read(CAPTURES / "console.pcap")[0]
    assert seen == [False, True]
    assert gc.isenabled()
