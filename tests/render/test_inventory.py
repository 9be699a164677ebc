"""The inventory as a terminal shows it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.render.things import AT, CLIENT, DAMAGE, FOUND, STORE
from tlsalert.pki.found import Damage, Found
from tlsalert.render.inventory import InventoryText
from tlsalert.render.spans import cells


@pytest.fixture(autouse=True)
def no_colour_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def shown(found: tuple[Found, ...], damage: tuple[Damage, ...] = (), width: int = 80) -> str:
    out = io.StringIO()
    InventoryText(out, AT, width).write(found, damage)
    return out.getvalue()


def test_what_was_found_is_told_by_file(golden: Callable[[str, str], None]) -> None:
    golden("inventory.txt", shown(FOUND, DAMAGE))


@pytest.mark.parametrize("width", [40, 50, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    wide = replace(CLIENT, where="w" * 300, subject="CN=" + "名" * 300, fits=("f" * 300,), problems=("p " * 200,))
    assert max(cells(line) for line in shown((wide, *FOUND), DAMAGE, width).split("\n")) <= width


def test_what_strangers_wrote_steers_no_terminal() -> None:
    text = shown(FOUND, DAMAGE)
    assert all(character.isprintable() or character == "\n" for character in text)


def test_no_private_key_is_shown() -> None:
    assert "secret" not in shown(FOUND, DAMAGE)


def test_many_certificates_of_one_file_take_a_line_each() -> None:
    many = tuple(replace(CLIENT, where="ca.crt", subject=f"CN=ca{number}", problems=()) for number in range(9))
    assert len(shown(many).splitlines()) == 1 + 9 + 2


def test_a_stores_entries_stand_under_it() -> None:
    entries = tuple(replace(CLIENT, where=f"s.p12!/{number}") for number in range(9))
    assert shown((STORE, *entries)).count("s.p12\n") == 1


def test_an_encoding_without_lines_is_drawn_in_ascii() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    InventoryText(out, AT, 80).write(FOUND, DAMAGE)
    out.flush()
    assert b"2016-05-19 |-" in raw.getvalue()


def test_nothing_is_told_as_nothing() -> None:
    assert shown(()) == "no certificates and no keys\n"
