"""Plots of many connections: they count right, hold any name, and are the same each time."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from tests import stories
from tests.evidence import CAPTURES
from tests.render.notebook.pages import assert_harmless
from tlsalert import read
from tlsalert.connections import Connections
from tlsalert.errors import UsageError
from tlsalert.model import Endpoint
from tlsalert.render.plots import GROUPS, Plot
from tlsalert.render.themes import LIGHT

pytest.importorskip("matplotlib")
SVG = "{http://www.w3.org/2000/svg}"
MARKUP = "</text><script>alert(1)</script>$\\frac{"


def all_of(connections: Connections) -> list[Plot]:
    plots = connections.plot
    return [plots.alerts_over_time(), plots.timeline(), plots.matrix(), plots.matrix("client_certificate", "cause")]


def texts(plot: Plot) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(plot.svg()).iter(f"{SVG}text")]


def console() -> Connections:
    return read(CAPTURES / "console.pcap")


def test_alerts_are_counted_by_what_they_say() -> None:
    said = texts(console().plot.alerts_over_time())
    assert {"handshake_failure (1)", "unknown_ca (1)", "bad_certificate (1)"} <= set(said)
    assert console().plot.alerts_over_time(60).title == "3 alerts, per minute"


def test_goodbyes_are_no_alerts_to_be_counted() -> None:
    assert Connections([stories.good()]).plot.alerts_over_time().title == "no alerts"


def test_a_bar_is_as_wide_as_was_asked_for() -> None:
    one, many = (console().plot.alerts_over_time(per) for per in (3600, 1))
    assert (len(_bars(one)), len(_bars(many))) == (3, 9)  # each alert's bars: in one bin, or in three
    assert sum(bar.get_height() for bar in _bars(one)) == sum(bar.get_height() for bar in _bars(many)) == 3


@pytest.mark.parametrize("seconds", [0.001, 0.3, 7, 59, 214, 900, 4000, 30_000, 250_000, 2_000_000, 4e7, 1e9])
def test_alerts_of_any_span_have_a_scale(seconds: float) -> None:
    first = stories.console()
    (alert,) = first.alerts
    assert alert.time is not None
    later = replace(first, alerts=(replace(alert, time=alert.time + int(seconds * 1e9)),))
    plot = Connections([first, later]).plot.alerts_over_time()
    assert len(_bars(plot)) in (1, 2)
    assert len(plot.axes.get_xticks()) >= 1


@pytest.mark.parametrize("per", [0, -1, float("nan"), 1e-9])
def test_bars_without_width_or_without_number_are_refused(per: float) -> None:
    with pytest.raises(UsageError):
        console().plot.alerts_over_time(per)


def test_the_matrix_counts_pairs_the_most_frequent_first() -> None:
    other = replace(stories.console(), server=Endpoint("10.0.0.9", 5900))
    plot = Connections([other, *[stories.console()] * 7]).plot.matrix("server", "cause")
    said = texts(plot)
    assert said.index("10.0.0.7:5900") < said.index("10.0.0.9:5900")
    assert {"7", "1", "certificate_not_yet_valid"} <= set(said)
    assert plot.title == "8 connections by server and cause"


def test_what_is_beyond_the_table_is_summed_up() -> None:
    many = [replace(stories.console(), server=Endpoint(f"10.0.1.{n}", 443)) for n in range(40)]
    said = texts(Connections(many).plot.matrix())
    assert "others" in said
    assert "16" in said


@pytest.mark.parametrize("name", GROUPS)
def test_connections_are_sorted_by_any_of_the_names(name: str) -> None:
    for connections in (console(), Connections([stories.bare(), stories.hostile()])):
        assert connections.plot.matrix(name, "outcome").svg()


def test_another_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="sorted by that; take one of server, client, server_name"):
        console().plot.matrix("colour")


def test_the_timeline_has_a_line_for_each_certificate_the_worst_first() -> None:
    plot = console().plot.timeline()
    labels = [label.get_text() for label in plot.axes.get_yticklabels()]
    assert labels == ["client: CN=console test", "client: CN=IPMI", "server: CN=bmc.example"]
    assert "server's clock" in texts(plot)


@pytest.mark.parametrize("connections", [Connections(), Connections([stories.bare()])], ids=["none", "empty"])
def test_nothing_to_draw_is_said(connections: Connections) -> None:
    for plot in all_of(connections):
        assert texts(plot)


def test_names_are_neither_markup_nor_mathematics() -> None:
    enemy = replace(stories.hostile(), server_name=MARKUP, cipher_suite=MARKUP)
    plot = Connections([enemy]).plot.matrix("server_name", "cipher_suite")
    assert "<script" not in plot.svg()
    assert any(text.startswith("</text><script>") for text in texts(plot))
    for one in (plot, *all_of(Connections([enemy]))):
        assert_harmless(one._repr_mimebundle_()["text/html"])


def test_a_plot_is_the_same_each_time_and_follows_the_theme() -> None:
    for first, second in zip(all_of(console()), all_of(console()), strict=True):
        assert first.svg() == second.svg() == first.svg()
    drawn = console().plot.matrix().svg(styled=False)
    assert "var(--tp-ink)" in drawn
    assert not any(re.search(colour, drawn, re.IGNORECASE) for colour in LIGHT.values())


def test_a_plot_is_saved_in_the_form_of_its_name(tmp_path: Path) -> None:
    plot = console().plot.matrix()
    plot.save(tmp_path / "a.svg")
    plot.save(tmp_path / "a.png")
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == plot.svg()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert repr(plot) == "<Plot: 3 connections by server and alert>"


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"this needs matplotlib, which is not installed; pip install 'tlsalert\[note"):
        console().plot.matrix()


def _bars(plot: Plot) -> list[Any]:
    return list(plot.axes.patches)
