"""``tlsalert.live`` gives connections as they end, and stops when it shall."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import tlsalert
from tests.sources.test_live import FakeInterface, packets
from tests.talks import established, refused, write
from tlsalert import live_reader
from tlsalert.sources.live import LiveSource
from tlsalert.sources.passing import Passing


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[LiveSource]:
    """Let live() find interfaces on which three refusals and a good connection pass, and then nothing."""
    talks = [refused(42, port=4001), established(at=5, port=4002), refused(48, at=10, port=4003), refused(at=20)]
    chunk = packets(write(tmp_path / "talk.pcap", *talks))
    made: list[LiveSource] = []

    def listen(names: object, bpf: str | None) -> LiveSource:
        assert (names, bpf) == (["eth0"], "port 443")
        made.append(LiveSource([FakeInterface("eth0", chunk)]))
        return made[-1]

    monkeypatch.setattr(live_reader, "listen", listen)
    return made


def test_connections_come_while_it_listens_and_count_ends_it(sources: list[LiveSource]) -> None:
    found = list(tlsalert.live("eth0", bpf="port 443", count=2))
    assert [connection.connection for connection in found] == [0, 1]
    assert not sources[0]._thread.is_alive()


def test_only_failures_are_given_where_only_they_are_wanted(sources: list[LiveSource]) -> None:
    found = list(tlsalert.live("eth0", bpf="port 443", only="failed", count=2))
    assert [connection.connection for connection in found] == [0, 2]


def test_duration_ends_it_and_what_is_open_is_given_as_it_stands(sources: list[LiveSource]) -> None:
    assert len(list(tlsalert.live("eth0", bpf="port 443", duration=0.1))) == 4


def test_who_has_seen_enough_ends_the_listening(sources: list[LiveSource]) -> None:
    watching = tlsalert.live("eth0", bpf="port 443")
    assert len(list(itertools.islice(watching, 1))) == 1
    assert sources[0]._thread.is_alive()
    watching.close()  # type: ignore[attr-defined]
    assert not sources[0]._thread.is_alive()


def test_an_interface_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(tlsalert.TlsalertError, match="nothing0: there is no such interface"):
        tlsalert.live("nothing0")


def test_a_source_is_stopped_after_its_time() -> None:
    class Stopped(Passing):
        def stop(self) -> None:
            self.end()

    source = Stopped("eth0", b"")
    with live_reader.stopping_after(source, 0.01):  # type: ignore[arg-type]
        assert [chunk for chunk in source.chunks() if chunk] == []
