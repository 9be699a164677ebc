"""Texts come back in the order of their frames, also where they did not fit into memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.spool import Spool

ENTRIES = st.lists(st.tuples(st.integers(1, 20), st.text(max_size=20)), max_size=60)


@pytest.mark.parametrize("room", [1 << 20, 500, 0])
@given(entries=ENTRIES)
def test_each_frame_comes_once_with_its_texts_in_their_order(room: int, entries: list[tuple[int, str]]) -> None:
    spool = Spool(room)
    for frame, text in entries:
        spool.add(frame, text)
    wanted = {frame: [text for at, text in entries if at == frame] for frame in sorted({at for at, _ in entries})}
    assert len(spool) == len(entries)
    assert list(spool.sorted()) == list(wanted.items())
