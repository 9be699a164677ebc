"""Metrics keep to the text format, whatever strangers name their certificates."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.render.things import AT, CLIENT, DAMAGE, FOUND
from tlsalert.render.prometheus import metrics

LINE = re.compile(r'[a-z_]+(\{([a-z0-9_]+="(\\[\\"n]|[^"\\\n])*",?)+\})? -?\d+')


def test_the_ends_are_told_in_seconds() -> None:
    text = metrics(FOUND, DAMAGE, AT).decode()
    assert "# TYPE tlsalert_certificate_not_after_seconds gauge" in text
    assert f'sha256="{"86f2" * 16}"}} 1779011196' in text
    assert "tlsalert_certs_damaged 1\n" in text
    assert "tlsalert_certs_time_seconds 1623888000\n" in text


def test_a_series_is_told_once() -> None:
    lines = metrics((CLIENT, CLIENT, replace(CLIENT, where="b")), (), AT).decode().splitlines()
    assert len(set(lines)) == len(lines)
    assert sum(line.startswith("tlsalert_certificate_not_after_seconds{") for line in lines) == 2


@given(st.text(max_size=80))
def test_any_name_is_a_label(name: str) -> None:
    text = metrics((replace(CLIENT, subject=name, where=name),), (), AT).decode()
    for line in text.removesuffix("\n").split("\n"):
        assert line.startswith("# ") or LINE.fullmatch(line)
