"""Plots of many connections, drawn by matplotlib: alerts over time, certificates against clocks, who was refused how.

    capture.failed.plot.matrix("server", "cause").save("refused.svg")

A plot shows itself in a notebook, in the notebook's theme. Its ``figure`` is matplotlib's, to be changed at will.
"""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple

from tlsalert.errors import UsageError
from tlsalert.model import Certificate, Connection, Side, when
from tlsalert.render.ladder import common_name, credible
from tlsalert.render.names import alert_name, alert_words, deciding_alert
from tlsalert.render.notebook.cells import cell
from tlsalert.render.picture.svg import STYLESHEET, words
from tlsalert.render.picture.timeline import nanoseconds
from tlsalert.render.spans import cut
from tlsalert.render.style import escape
from tlsalert.render.tables import library
from tlsalert.render.themes import COLOURS, LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colours for kinds of things that hold on both grounds and for the colour-blind (Okabe and Ito).
KINDS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
OTHER = "#8a939c"
MOST_KINDS = len(KINDS)
MOST_BINS = 40
MOST_ROWS = 24
MOST_COLUMNS = 16
LONGEST = 34  # cells of a name
SECOND = 1_000_000_000
#: Widths of bins that people think in, in seconds.
BINS = (0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 86_400, 7 * 86_400, 30 * 86_400)
BIN_NAMES = {60: "minute", 3600: "hour", 86_400: "day", 7 * 86_400: "week"}

#: By what a matrix can sort connections.
GROUPS: dict[str, Callable[[Connection], str | None]] = {
    "server": lambda one: None if one.server is None else str(one.server),
    "client": lambda one: None if one.client is None else one.client.address,
    "server_name": lambda one: one.server_name,
    "alert": lambda one: None if (alert := deciding_alert(one.alerts)) is None else alert_words(alert),
    "cause": lambda one: None if one.verdict is None else one.verdict.cause,
    "outcome": lambda one: None if one.verdict is None else one.verdict.outcome,
    "refused_by": lambda one: None if one.verdict is None else one.verdict.refused_by,
    "tls_version": lambda one: one.tls_version,
    "cipher_suite": lambda one: one.cipher_suite,
    "client_certificate": lambda one: _leaf(one.certificates.client),
    "server_certificate": lambda one: _leaf(one.certificates.server),
}


class Plot:
    """A picture that a notebook shows; ``figure`` is matplotlib's, ``title`` says what is to be seen."""

    def __init__(self, figure: Figure, title: str) -> None:
        self.figure = figure
        self.title = title
        with _style():  # each time that it is laid out it moves a little: once is enough
            figure.draw_without_rendering()
            figure.set_layout_engine("none")

    @property
    def axes(self) -> Axes:
        """The axes, to be drawn on."""
        return self.figure.axes[0]

    def svg(self, styled: bool = True) -> str:
        """Return the picture as SVG, the same each time; it follows the reader's theme."""
        out = io.StringIO()
        with _style():
            self.figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        drawn = out.getvalue()
        drawn = drawn[drawn.index("<svg") :]
        for colour, name in COLOURS.items():
            drawn = drawn.replace(colour, f"var(--tp-{name})")
        head, _, rest = drawn.partition(">")
        named = f"<title>{words(self.title)}</title>"
        if styled:
            named += f'<style>{STYLESHEET}</style><rect width="100%" height="100%" style="fill:var(--tp-back)"/>'
        return f'{head} class="tlsalert-picture" role="img" aria-label="{words(self.title)}">{named}{rest}'

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file: SVG, or what matplotlib makes of the name's ending."""
        name = os.fspath(path)
        if name.endswith(".svg"):
            with open(name, "w", encoding="utf-8") as file:
                file.write(self.svg())
        else:
            with _style():
                self.figure.savefig(name, dpi=150)

    def __repr__(self) -> str:
        return f"<Plot: {self.title}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": cell(self.svg(styled=False)), "image/svg+xml": self.svg()}


class Plots:
    """The plots of some connections; without matplotlib (extra ``notebook``) each raises :class:`UsageError`."""

    def __init__(self, connections: Iterable[Connection]) -> None:
        self._connections = connections

    def alerts_over_time(self, per: float | None = None) -> Plot:
        """Draw how many alerts were sent when, by what they say; goodbyes (close_notify) are left out.

        ``per`` is the width of a bar in seconds; by default one that gives no more than forty.
        """
        said = [
            (alert.time, alert_name(alert) or "encrypted")
            for one in self._connections
            for alert in one.alerts
            if alert.time is not None and alert.code != 0 and alert.inferred != "close_notify"
        ]
        if per is not None and not per > 0:
            raise UsageError("a bar must be wider than nothing", f"per={per}", "give seconds")
        first, last = min((time for time, _ in said), default=0), max((time for time, _ in said), default=0)
        width = per or next((one for one in BINS if (last - first) / SECOND / one < MOST_BINS), BINS[-1])
        if (last - first) / SECOND / width > 100_000:
            raise UsageError("that would be too many bars", f"per={per}", "give more seconds")
        with _style():
            figure, axes = _figure(2.8)
            if said:
                _bars(axes, said, first, width)
            else:
                _empty(axes, "no alert was seen")
        name = BIN_NAMES.get(int(width), f"{width:g} s") if width >= 1 else f"{width * 1000:g} ms"
        title = f"{len(said)} alerts, per {name}" if said else "no alerts"
        axes.set_ylabel(f"alerts per {name}" if said else "")
        return Plot(figure, title)

    def timeline(self) -> Plot:
        """Draw each certificate's validity as a bar, and on it the clocks that it was seen by or judged by.

        Those whose dates do not suit a clock stand first.
        """
        lines = _validities(self._connections)
        shown = lines[:MOST_ROWS]
        with _style():
            figure, axes = _figure(1.1 + 0.34 * max(len(shown), 1))
            if shown:
                _timeline(axes, shown)
            else:
                _empty(axes, "no certificate was seen")
        left = f", {len(lines) - len(shown)} more are not shown" if len(lines) > len(shown) else ""
        return Plot(figure, f"the validity of {len(lines)} certificates against the clocks{left}")

    def matrix(self, rows: str = "server", columns: str = "alert") -> Plot:
        """Draw how many connections there are of each pair, as a table of numbers.

        Rows and columns are ``server``, ``client``, ``server_name``, ``alert``, ``cause``, ``outcome``, ``refused_by``,
        ``tls_version``, ``cipher_suite``, ``client_certificate`` or ``server_certificate``; the most frequent stand
        first, and what is beyond 24 rows or 16 columns is one more called "others".
        """
        for name in (rows, columns):
            if name not in GROUPS:
                raise UsageError("connections are not sorted by that", name, f"take one of {', '.join(GROUPS)}")
        pairs = Counter((_name(GROUPS[rows](one)), _name(GROUPS[columns](one))) for one in self._connections)
        downs, acrosses = _kept((r, n) for (r, _), n in pairs.items()), _kept(((c, n) for (_, c), n in pairs.items()))
        downs, acrosses = downs[:MOST_ROWS], acrosses[:MOST_COLUMNS]
        counts: Counter[tuple[str, str]] = Counter()
        for (down, across), many in pairs.items():
            counts[down if down in downs else "others", across if across in acrosses else "others"] += many
        downs += ["others"] * any(down == "others" for down, _ in counts)
        acrosses += ["others"] * any(across == "others" for _, across in counts)
        with _style():
            figure, axes = _figure(1.5 + 0.3 * max(len(downs), 1))
            if counts:
                _matrix(axes, downs, acrosses, counts)
            else:
                _empty(axes, "no connections")
        return Plot(figure, f"{pairs.total()} connections by {rows} and {columns}".replace("_", " "))


class _Validity(NamedTuple):
    """A certificate, whose it is, and the clocks that saw it, each with its name."""

    name: str
    side: Side
    first: int
    last: int
    clocks: tuple[tuple[str, int], ...]

    @property
    def out(self) -> int:
        """How many of the clocks stand outside."""
        return sum(not self.first <= time <= self.last for _, time in self.clocks)


def _validities(connections: Iterable[Connection]) -> list[_Validity]:
    """Return each certificate once, those first that are out of date by some clock."""
    facts: dict[str, _Validity] = {}
    clocks: dict[str, dict[tuple[str, int], int]] = {}
    for one in connections:
        seen = _clocks(one)
        chains: tuple[tuple[Side, tuple[Certificate, ...]], ...] = (
            ("client", one.certificates.client),
            ("server", one.certificates.server),
        )
        for side, chain in chains:
            for certificate in chain:
                if certificate.not_before is None or certificate.not_after is None:
                    continue
                first, last = nanoseconds(certificate.not_before), nanoseconds(certificate.not_after)
                name = common_name(certificate.subject) or "(no name)"
                facts.setdefault(certificate.sha256, _Validity(name, side, first, last, ()))
                known = clocks.setdefault(certificate.sha256, {})
                for clock, time in seen:
                    if clock != f"{side}'s clock":  # nobody judges his own by his clock
                        known.setdefault((clock, time // (86_400 * SECOND)), time)
    lines = []
    for digest, one_line in facts.items():
        named = tuple((clock, time) for (clock, _), time in clocks[digest].items())
        lines.append(one_line._replace(clocks=named))
    return sorted(lines, key=lambda line: -line.out)


def _clocks(connection: Connection) -> list[tuple[str, int]]:
    """Return the clocks that are known of a connection; without one of a side the capture's stands for it."""
    clocks = connection.clocks
    known = [] if clocks.capture is None else [("capture", clocks.capture)]
    for side, clock in (("server", credible(clocks.server)), ("client", credible(clocks.client))):
        if clock is not None:
            known.append((f"{side}'s clock", clock.time))
    return known


MARKERS = {"capture": "^", "server's clock": "D", "client's clock": "s"}


def _timeline(axes: Any, lines: Sequence[_Validity]) -> None:
    seen: dict[str, None] = {}
    for row, line in enumerate(lines):
        colour = LIGHT["bad"] if line.out else LIGHT["good"]
        start, end = when(line.first), when(line.last)
        axes.plot([start, end], [row, row], color=LIGHT["good"], linewidth=9, solid_capstyle="butt", alpha=0.45)
        for name, time in line.clocks[:40]:
            outside = not line.first <= time <= line.last
            at = when(time)
            if outside:
                edge = start if time < line.first else end
                axes.plot([at, edge], [row, row], color=colour, linewidth=1.2, linestyle=(0, (3, 2)))
            seen[name] = None
            face = LIGHT["bad"] if outside else LIGHT["ink"]
            axes.plot([at], [row], MARKERS[name], color=face, markersize=6, linestyle="none")
    axes.set_yticks(range(len(lines)), [cut(escape(f"{line.side}: {line.name}"), LONGEST) for line in lines])
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.grid(axis="x", color=LIGHT["line"], linewidth=0.6)
    for name in seen:  # nothing but a sign for the legend, in the colour of a clock that is right
        axes.plot([], [], MARKERS[name], color=LIGHT["ink"], markersize=6, linestyle="none", label=name)
    if seen:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)


def _bars(axes: Any, said: Sequence[tuple[int, str]], first: int, width: float) -> None:
    """Draw the stacked bars of alerts, the most frequent at the bottom."""
    step = int(width * SECOND)
    begin = first // step * step
    names = [name for name, _ in Counter(name for _, name in said).most_common()]
    kept = names[:MOST_KINDS]
    counts: Counter[tuple[str, int]] = Counter()
    for time, name in said:
        counts[name if name in kept else "others", (time - begin) // step] += 1
    bins = sorted({number for _, number in counts})
    base = dict.fromkeys(bins, 0)
    dates = library("matplotlib.dates", "notebook")
    for name in [*kept, *(["others"] if len(names) > len(kept) else [])]:
        heights = [counts[name, number] for number in bins]
        colour = OTHER if name == "others" else KINDS[kept.index(name)]
        places = [dates.date2num(when(begin + number * step)) for number in bins]
        label = f"{escape(name)} ({sum(heights)})"
        days = width / 86_400
        axes.bar(places, heights, days * 0.92, list(base.values()), align="edge", color=colour, label=label)
        for number, height in zip(bins, heights, strict=True):
            base[number] += height
    axes.xaxis_date()
    locator = dates.AutoDateLocator(minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    if len(bins) == 1:  # one bar would fill the whole width
        axes.set_xlim(places[0] - 5 * days, places[0] + 6 * days)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="y", color=LIGHT["line"], linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), frameon=False, borderaxespad=0)


def _matrix(axes: Any, downs: Sequence[str], acrosses: Sequence[str], counts: Counter[tuple[str, str]]) -> None:
    patches = library("matplotlib.patches", "notebook")
    most = max(counts.values())
    for row, down in enumerate(downs):
        for place, across in enumerate(acrosses):
            many = counts[down, across]
            deep = 0.12 + 0.48 * many / most if many else 0.0
            box = patches.Rectangle(
                (place - 0.48, row - 0.46), 0.96, 0.92, facecolor=LIGHT["good"], alpha=deep, linewidth=0
            )
            axes.add_patch(box)
            colour = LIGHT["ink"] if many else LIGHT["line"]
            axes.text(place, row, str(many) if many else "·", ha="center", va="center", color=colour)
    axes.set_yticks(range(len(downs)), [cut(escape(name), LONGEST) for name in downs])
    axes.set_xticks(range(len(acrosses)), [cut(escape(name), LONGEST) for name in acrosses], rotation=30, ha="left")
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    # Few columns do not become wider than their numbers deserve.
    axes.set_xlim(-0.5, max(len(acrosses), 6) - 0.5)
    axes.set_ylim(len(downs) - 0.5, -0.5)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _figure(height: float) -> tuple[Figure, Any]:
    figure = library("matplotlib.figure", "notebook").Figure(figsize=(8.4, height), layout="constrained")
    axes: Any = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _empty(axes: Any, says: str) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, says, ha="center", va="center", color=LIGHT["dim"], transform=axes.transAxes)


def _style() -> AbstractContextManager[Any]:
    """Return the settings of all plots, whatever the user's own are. Names are never read as mathematics."""
    matplotlib = library("matplotlib", "notebook")
    ink, dim = LIGHT["ink"], LIGHT["dim"]
    manager: AbstractContextManager[Any] = matplotlib.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "tlsalert",
            "text.parse_math": False,
            "text.usetex": False,
            "font.family": "sans-serif",
            "font.size": 9,
            "text.color": ink,
            "axes.labelcolor": dim,
            "axes.edgecolor": LIGHT["line"],
            "xtick.color": dim,
            "ytick.color": ink,
            "xtick.labelcolor": dim,
            "axes.facecolor": "none",
            "figure.facecolor": LIGHT["back"],
            "timezone": "UTC",
        }
    )
    return manager


def _kept(counted: Iterable[tuple[str, int]]) -> list[str]:
    """Return names by how often they occur."""
    sums: Counter[str] = Counter()
    for name, many in counted:
        sums[name] += many
    return [name for name, _ in sums.most_common()]


def _leaf(chain: tuple[Certificate, ...]) -> str | None:
    return (common_name(chain[0].subject) or "(no name)") if chain else None


def _name(name: str | None) -> str:
    return "none" if name is None else name.removeprefix("fatal ")
