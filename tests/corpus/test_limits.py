"""No public capture, whole, cut off anywhere or broken, makes a traceback or takes too much time or memory.

In CI a sample of what the long suite does; which one is decided by fixed random numbers, so a failure comes again.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.corpus.trial import Job, tried
from tests.evidence import CORPUS, captures_under, needs_corpus
from tests.wire import packets
from tests.wire.reading import without_positions
from tlsalert.errors import TlsalertError
from tlsalert.sources.files import ByteSource

pytestmark = needs_corpus

FILES = list(captures_under(CORPUS)) if CORPUS.is_dir() else []
#: Files below this size are cut at every byte in the long suite.
SMALL = 3000


def cut_anywhere(random: Random, each: int, small: int) -> list[Job]:
    """Return jobs that cut every file ``each`` times, and those below ``small`` bytes at every byte."""
    jobs = []
    for path in FILES:
        size = path.stat().st_size
        places = range(size) if size < small else (random.randrange(size) for _ in range(each))
        jobs += [Job(str(path), cut=place) for place in places]
    return jobs


def broken(count: int, first: int, largest: int) -> list[Job]:
    """Return ``count`` jobs that break files of at most ``largest`` bytes, each with a number of its own."""
    files = [path for path in FILES if path.stat().st_size <= largest]
    return [Job(str(files[number % len(files)]), seed=number) for number in range(first, first + count)]


def test_each_is_read_whole() -> None:
    assert len(FILES) > 300
    assert tried([Job(str(path)) for path in FILES]) == []


def test_each_is_read_as_far_as_it_goes_when_cut() -> None:
    assert tried(cut_anywhere(Random(1), 2, 0)) == []


@pytest.mark.long
def test_each_is_read_as_far_as_it_goes_wherever_it_is_cut() -> None:
    assert tried(cut_anywhere(Random(2), 25, SMALL)) == []


def test_five_hundred_broken_ones_are_read() -> None:
    assert tried(broken(500, 0, 60_000)) == []


@pytest.mark.long
def test_ten_thousand_broken_ones_are_read() -> None:
    assert tried(broken(10_000, 500, 400_000)) == []


def sliced(path: Path, size: int) -> list[tuple[object, ...]]:
    """Return what is told of every flow of a capture that comes ``size`` bytes at a time."""
    with ByteSource(path) as source:
        data = b"".join(source.chunks())
    capture = packets.Capture(*(data[at : at + size] for at in range(0, len(data), size)))
    return [
        (int(flow.number), *without_positions(flow.transcript), *flow.transcript.notes)
        for flow in capture.flows
        if flow.transcript is not None
    ]


def differing(files: list[Path], random: Random) -> list[str]:
    """Return the files of which something else is told when they come in small pieces."""
    wrong = []
    for path in files:
        size = random.choice((1, 7, 100, 1500, 9000))
        try:
            if sliced(path, size) != sliced(path, 65536):
                wrong.append(f"{path} in pieces of {size}")
        except TlsalertError:  # no capture: then it is none in pieces either
            with pytest.raises(TlsalertError):
                sliced(path, 65536)
    return wrong


def test_pieces_of_any_size_tell_the_same() -> None:
    files = [path for path in FILES if path.stat().st_size < 100_000]
    assert differing(Random(3).sample(files, 60), Random(3)) == []


@pytest.mark.long
def test_all_of_them_tell_the_same_in_pieces_of_any_size() -> None:
    assert differing([path for path in FILES if path.stat().st_size < 400_000] * 3, Random(4)) == []
