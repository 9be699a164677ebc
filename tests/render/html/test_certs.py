"""Certificates and keys as a page: counted, drawn against the time of judgement, and what strangers named is text."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.evidence import CAPTURES
from tests.render.html.pages import SCRIPT, Page, loads_nothing
from tlsalert.pki.found import Damage, Found
from tlsalert.pki.inventory import inventory
from tlsalert.render.html.certs import MOST, inventory_page

AT = datetime(2021, 6, 17, tzinfo=UTC)


def test_what_is_in_a_capture_is_counted_and_drawn() -> None:
    taken = inventory([str(CAPTURES / "console.pcap"), str(CAPTURES / "client-expired.pcap")], AT)
    html = inventory_page(taken.found, taken.damage, AT)
    seen = Page(html)
    assert loads_nothing(html)
    assert f"{len(taken.found)} certificates" in seen.text
    assert "judged at 2021-06-17 00:00 UTC" in " ".join(seen.text.split())
    assert "CN=IPMI" in seen.text
    assert "expired 92 days ago" in seen.text
    assert "2021-01-01 to 2021-03-17 (ended)" in seen.text


def test_nothing_is_a_page_too() -> None:
    assert "No certificate and no key" in Page(inventory_page([], [], AT)).text


def test_what_does_not_fit_is_told() -> None:
    things = [Found(f"key{number}", "private_key") for number in range(MOST + 7)]
    text = Page(inventory_page(things, [], AT)).text
    assert "2,007 private keys" in text
    assert "7 more are left out" in text


def test_names_that_are_markup_are_text() -> None:
    bad = SCRIPT + "\x1b"
    found = Found(bad, "certificate", subject=bad, not_before=AT, not_after=AT, key=bad, fits=(bad,), problems=(bad,))
    html = inventory_page([found], [Damage(bad, bad)], AT)
    assert loads_nothing(html)
    assert "<script" not in html
    assert "\x1b" not in html


def test_a_certificate_at_many_places_has_one_row_that_names_them() -> None:
    places = [f"{letter}.pem" for letter in "abcdef"]
    things = [
        Found(
            one, "certificate", subject="CN=x", sha256="11", duplicates=tuple(other for other in places if other != one)
        )
        for one in places
    ]
    seen = Page(inventory_page([*things, Found("z.pem", "certificate", subject="CN=x", sha256="22")], [], AT))
    assert sum(tag == "tr" for tag, _ in seen.elements) == 1 + 2
    text = " ".join(seen.text.split())
    assert "7 certificates" in text
    assert "2 different certificates" in text
    assert "a.pem also in b.pem, c.pem, d.pem and 2 more" in text


def test_a_certificate_that_signed_itself_says_just_that() -> None:
    taken = inventory([str(CAPTURES / "console.pcap")], AT)
    text = " ".join(Page(inventory_page(taken.found, taken.damage, AT)).text.split())
    assert "issued by itself" in text


def test_the_table_has_a_name() -> None:
    html = inventory_page([Found("a.key", "private_key")], [], AT)
    assert [one.get("aria-labelledby") for tag, one in Page(html).elements if tag == "table"] == ["things"]
