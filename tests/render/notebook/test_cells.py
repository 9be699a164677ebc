"""Connections, verdicts and certificates in a cell: the founding case is golden, and an enemy's stays text."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec.structs import replace

from tests import stories
from tests.evidence import CAPTURES
from tests.render.notebook.pages import assert_harmless, shown
from tlsalert import read
from tlsalert.connections import Connections
from tlsalert.model import Certificate, Certificates, Verdict
from tlsalert.render.notebook.cells import connection_html, connections_html
from tlsalert.render.picture.svg import STYLESHEET

Golden = Callable[[str, str], None]
PICTURE = re.compile("<svg .*?</svg>", re.DOTALL)
STYLE = re.compile("<style>.*?</style>", re.DOTALL)
MARKUP = "</td></style><script>alert(1)</script>\x1b[31m\" onload='x'"


def test_the_founding_case_is_shown_as_always(golden: Golden) -> None:
    html = connection_html(stories.console())
    assert_harmless(html)
    # The pictures have tests of their own.
    golden("console.html", PICTURE.sub("<svg/>", STYLE.sub("<style></style>", html)) + "\n")


def test_a_cell_has_one_stylesheet_with_that_of_the_pictures_and_the_notebooks_themes() -> None:
    html = connection_html(stories.console())
    assert html.count("<style>") == 1
    assert STYLESHEET in html
    assert "[data-jp-theme-light=false] .tlsalert-cell .tlsalert-picture" in html


def test_words_stand_beside_the_pictures_for_pages_that_take_those_away() -> None:
    seen = assert_harmless(re.sub("<svg.*?</svg>", "", connection_html(stories.console()), flags=re.DOTALL))
    for said in (
        "The server refused the client's certificate",
        "2015-03-12",
        "CN=IPMI",
        "at fault: server",
        "(frame 6)",
    ):
        assert said in seen.text


def test_a_connection_offers_its_picture_as_well() -> None:
    bundle = stories.console()._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml"}
    assert bundle["image/svg+xml"].startswith("<svg")


def test_markup_and_controls_from_the_wire_are_text() -> None:
    enemy = replace(
        stories.hostile(),
        source=MARKUP,
        server_name=MARKUP,
        protocol=MARKUP,
        cipher_suite=MARKUP,
        notes=(MARKUP,),
        verdict=Verdict("failed", MARKUP, cause=MARKUP, advice=(MARKUP,)),
    )
    for html in (connection_html(enemy), connections_html(Connections([enemy]))):
        assert "<script" not in html
        assert "alert(1)" in assert_harmless(html).text
    certificate = Certificate(b"", MARKUP, subject=MARKUP, issuer=MARKUP, key=MARKUP, subject_alt_names=(MARKUP,))
    assert "<script" not in certificate._repr_html_()
    assert_harmless(certificate._repr_html_())


def test_all_our_captures_are_shown_without_harm() -> None:
    for path in sorted(CAPTURES.glob("*.pcap*")):
        capture = read(path)
        assert_harmless(capture._repr_html_())
        for one in capture:
            assert_harmless(connection_html(one))


def test_a_connection_with_nothing_in_it_is_shown() -> None:
    assert_harmless(connection_html(stories.bare()))


def test_a_capture_is_a_table_with_a_line_for_each_of_the_first_twenty() -> None:
    many = Connections([stories.console()] * 23)
    seen = assert_harmless(many._repr_html_())
    assert seen.text.count("certificate_not_yet_valid") == 20
    assert "console.pcap: 23 connections, 23 failed" in seen.text
    assert "… 3 more" in seen.text
    assert "0 connections" in assert_harmless(Connections()._repr_html_()).text


def test_a_verdict_is_shown_with_its_reasons() -> None:
    verdict = stories.console().verdict
    assert verdict is not None
    seen = assert_harmless(verdict._repr_html_())
    assert verdict.summary in seen.text
    assert all(one.says in seen.text for one in verdict.evidence)


def test_a_certificate_is_its_facts_and_its_validity_as_a_bar() -> None:
    certificate = read(CAPTURES / "console.pcap")[2].certificates.client[0]
    html = certificate._repr_html_()
    seen = assert_harmless(html)
    for said in ("CN=IPMI", "itself", "2016-05-19T09:46:36Z to 2026-05-17T09:46:36Z", "RSA 2048", certificate.sha256):
        assert said in seen.text
    assert "<svg" in html
    undated = Certificate(b"", "00", problems=("no dates",))
    assert "<svg" not in undated._repr_html_()
    assert "no dates" in undated._repr_html_()


def test_both_chains_of_a_connection_are_shown() -> None:
    connection = read(CAPTURES / "console.pcap")[2]
    seen = assert_harmless(connection.certificates._repr_html_()).text
    assert "client 1 certificate" in seen
    assert all(one.sha256 in seen for one in (*connection.certificates.client, *connection.certificates.server))
    assert "no certificates" in assert_harmless(Certificates()._repr_html_()).text
    assert shown(connection.certificates).startswith("client   CN=IPMI")
    assert shown(Certificates()) == "client   no certificate\nserver   no certificate"
    assert "\n" not in shown(connection.certificates, depth=2)
