"""What containers share: how places are told, and the limits that a budget keeps to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.pki.containers import OPENERS, Blob, Budget, Limits, RefusedError, opener_for, rooted


@pytest.mark.parametrize(
    ("path", "told"),
    [("a", "/a"), ("./a", "/a"), ("/a", "/a"), ("././/a", "/a"), ("../a", "/../a"), ("", "/"), (".a", "/.a")],
)
def test_a_member_is_told_from_the_archives_root(path: str, told: str) -> None:
    assert rooted(path) == told
    assert Blob("F", b"").member(path, b"").where == f"F!{told}"


def test_places_nest() -> None:
    image = Blob("F", b"").member("flash.bin", b"")
    file = image.inside("cramfs", 0x400000, "etc/a.crt", b"x", 0o644)
    assert file.where == "F!/flash.bin!cramfs@0x400000:/etc/a.crt"
    assert (file.depth, file.mode) == (2, 0o644)
    assert image.inside("gzip", 16, "", b"").where == "F!/flash.bin!gzip@0x10"


def test_a_blobs_bytes_are_not_printed() -> None:
    assert repr(Blob("F", b"secret")) == "Blob('F', 6 bytes)"


@given(packed=st.none() | st.integers(0, 10_000), plain=st.integers(0, 10_000))
def test_what_may_be_expanded_is_what_is_admitted(packed: int | None, plain: int) -> None:
    limits = Limits(member_bytes=5000, total_bytes=7000, ratio=10, ratio_from=1000)
    budget = Budget(limits)
    most = budget.most(packed)
    if plain <= most:
        budget.admit("F", packed, plain)
        assert not budget.spent
    elif packed is None or plain > packed:
        with pytest.raises(RefusedError, match=r"^F: "):
            budget.admit("F", packed, plain)


def test_what_is_stored_costs_nothing() -> None:
    budget = Budget(Limits(total_bytes=10))
    for _ in range(5):
        budget.admit("F", 10, 10)
    assert (budget.total, budget.members, budget.spent) == (0, 5, False)


def test_every_opener_is_there() -> None:
    from importlib import import_module

    assert all(callable(getattr(import_module(one.module), f"open_{one.name}")) for one in OPENERS)


@pytest.mark.parametrize("opener", [one for one in OPENERS if one.whole], ids=lambda one: one.name)
def test_an_opener_takes_its_own_sign_alone(opener: object) -> None:
    assert opener_for(b"\x7fELF" + bytes(20)) not in [one for one in OPENERS if one.whole]
    assert not opener.sign(b"")  # type: ignore[attr-defined]
