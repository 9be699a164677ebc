"""A capture that grows: what one thread puts in another reads, in order, bounded, and nothing goes without a word."""

from __future__ import annotations

import io
import threading
import time

import pytest

from tlsalert.errors import CaptureError
from tlsalert.sources import passing
from tlsalert.sources.passing import Passing


def source(limit: int = 100) -> Passing:
    return Passing("eth0", b"head", limit)


def test_chunks_come_in_order_behind_the_head() -> None:
    made = source()
    assert made.put(b"one")
    assert made.put(b"two")
    made.end()
    assert list(made.chunks()) == [b"head", b"one", b"two"]


def test_a_full_queue_takes_nothing_until_there_is_room() -> None:
    made = source(limit=5)
    assert made.put(b"12345678")
    assert not made.put(b"more", 0.01)
    chunks = made.chunks()
    assert [next(chunks), next(chunks)] == [b"head", b"12345678"]
    assert made.waiting == 0
    assert made.put(b"more")


def test_who_waits_for_room_goes_on_when_the_reader_has_come_round() -> None:
    made = source(limit=5)
    made.put(b"12345")
    taken: list[bool] = []
    thread = threading.Thread(target=lambda: taken.append(made.put(b"more", 30)))
    thread.start()
    chunks = made.chunks()
    assert [next(chunks) for _ in range(3)] == [b"head", b"12345", b"more"]
    thread.join(30)
    assert taken == [True]


def test_silence_is_told_by_an_empty_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing, "IDLE", 0.01)
    made = source()
    chunks = made.chunks()
    assert [next(chunks), next(chunks), next(chunks)] == [b"head", b"", b""]
    made.put(b"there")
    assert next(chunks) == b"there"


def test_what_waits_is_read_before_an_error_is_raised() -> None:
    made = source()
    made.put(b"last")
    made.end(CaptureError("the interface has gone", "eth0"))
    chunks = made.chunks()
    assert [next(chunks), next(chunks)] == [b"head", b"last"]
    with pytest.raises(CaptureError, match="has gone"):
        next(chunks)


def test_after_the_end_nothing_is_taken() -> None:
    made = source()
    made.end()
    assert not made.put(b"late", 60)
    assert list(made.chunks()) == [b"head"]


def test_closing_wakes_who_waits_for_room() -> None:
    made = source(limit=1)
    made.put(b"full")
    thread = threading.Thread(target=made.put, args=(b"more", 60))
    thread.start()
    time.sleep(0.01)
    with made:
        pass
    thread.join(30)
    assert not thread.is_alive()
    assert made.waiting == 0


def test_the_copy_is_what_was_read() -> None:
    made = source()
    made.copy = copy = io.BytesIO()
    made.put(b"one")
    made.end()
    assert copy.getvalue() == b""
    assert b"".join(made.chunks()) == copy.getvalue() == b"headone"


class Full(io.BytesIO):
    def write(self, data: object, /) -> int:
        raise OSError(28, "No space left on device")


def test_a_full_disk_ends_the_copy_and_not_the_reading() -> None:
    made = source()
    made.copy = Full()
    made.put(b"one")
    made.end()
    assert list(made.chunks()) == [b"head", b"one"]
    assert made.notes() == ["the packets are not written any more: No space left on device"]


def test_a_remark_is_told_once() -> None:
    made = source()
    made.say("odd")
    made.say("odd")
    assert made.notes() == ["odd"]
