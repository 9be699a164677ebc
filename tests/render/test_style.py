"""Colours where they can be shown; strangers' text without teeth."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.render.style import STYLES, escape, painter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def no_colour_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


def test_a_terminal_gets_colours_and_a_file_none() -> None:
    assert painter(Terminal())("42", "alert") == "\x1b[1;31m42\x1b[0m"
    assert painter(io.StringIO())("42", "alert") == "42"


@pytest.mark.parametrize(
    ("no_color", "force_color", "terminal", "painted"),
    [
        pytest.param("1", "", True, False, id="NO_COLOR takes them from a terminal"),
        pytest.param("1", "1", True, False, id="NO_COLOR is stronger"),
        pytest.param("", "1", False, True, id="FORCE_COLOR gives them to a file"),
        pytest.param("", "", True, True, id="empty settings are none"),
        pytest.param("", "", False, False, id="empty settings are none for a file"),
    ],
)
def test_the_environment_decides(
    monkeypatch: pytest.MonkeyPatch, no_color: str, force_color: str, terminal: bool, painted: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("FORCE_COLOR", force_color)
    stream = Terminal() if terminal else io.StringIO()
    assert (painter(stream)("x", "head") != "x") == painted


def test_a_closed_stream_gets_no_colours() -> None:
    stream = Terminal()
    stream.close()
    assert painter(stream)("x", "dim") == "x"


def test_a_dumb_terminal_gets_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert painter(Terminal())("x", "dim") == "x"


#: The colours of xterm and of the Linux console as they come, by their SGR parameter.
PALETTES = {
    "xterm": {"31": (205, 0, 0), "35": (205, 0, 205), "94": (92, 92, 255)},
    "linux": {"31": (170, 0, 0), "35": (170, 0, 170), "94": (85, 85, 255)},
}


def light(colour: tuple[int, int, int]) -> float:
    """The relative luminance of WCAG 2."""
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("style", ["alert", "warn", "good"])
def test_colours_can_be_read_on_black_and_on_white(palette: str, style: str) -> None:
    seen = light(PALETTES[palette][STYLES[style].split(";")[-1]])
    assert (seen + 0.05) / 0.05 > 2.5
    assert 1.05 / (seen + 0.05) > 4


def test_good_and_bad_do_not_differ_by_red_and_green_alone() -> None:
    # Who cannot tell red from green still sees how blue a colour is.
    for colours in PALETTES.values():
        good, bad = (colours[STYLES[style].split(";")[-1]] for style in ("good", "alert"))
        assert abs(good[2] - bad[2]) > 150


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()], ids=["terminal", "file"])
def test_a_style_that_does_not_exist_is_a_mistake_everywhere(stream: io.StringIO) -> None:
    with pytest.raises(KeyError):
        painter(stream)("x", "sparkling")


def test_the_styles_that_others_count_on_are_there() -> None:
    assert {"alert", "good", "dim", "head", "warn"} <= set(STYLES)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain text, ünïcödé, 日本 → ok", "plain text, ünïcödé, 日本 → ok", id="what prints stays"),
        pytest.param("\x1b[31mred", r"\x1b[31mred", id="escape sequence"),
        pytest.param("a\u202eb", r"a\u202eb", id="bidirectional override"),
        pytest.param("a\u2066b\u200fc", r"a\u2066b\u200fc", id="isolates and marks"),
        pytest.param("a\nb\r\tc", r"a\nb\r\tc", id="line feed, return, tab"),
        pytest.param("a\x00b\x7fc\x9bd", r"a\x00b\x7fc\x9bd", id="NUL, DEL and the C1 form of CSI"),
        pytest.param("a\u200bb\ufeffc", r"a\u200bb\ufeffc", id="zero width"),
        pytest.param("a\u00a0b\u2028c", r"a\xa0b\u2028c", id="spaces that are none"),
        pytest.param("a\ud800b", r"a\ud800b", id="lone surrogate"),
        pytest.param("a\U000e0041b", r"a\U000e0041b", id="tag characters"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_what_does_not_print_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(text=st.text())
def test_escaped_text_always_prints(text: str) -> None:
    assert escape(text).isprintable()
    escape(text).encode("utf-8")  # raises at a lone surrogate


@given(text=st.text())
def test_escaping_twice_changes_nothing_more(text: str) -> None:
    assert escape(escape(text)) == escape(text)
