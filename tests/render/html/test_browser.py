"""The report in a real Chromium: it renders, filters, sorts, opens, prints, obeys the keyboard, and runs nothing else.

Left out where there is no Chromium with its driver, or no selenium.
"""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.evidence import CAPTURES
from tests.render.html.pages import NAME, SCRIPT, hostile_capture, many
from tlsalert.capture import read
from tlsalert.pki.found import Found
from tlsalert.render.html.certs import inventory_page
from tlsalert.render.html.report import report
from tlsalert.render.picture.timeline import connection_timeline, timeline_svg

selenium = pytest.importorskip("selenium")

from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="no Chromium with its driver"),
    pytest.mark.xdist_group("browser"),
]


class Browser:
    """One window with the page that is looked at."""

    def __init__(self, driver: Any, folder: Path) -> None:
        self.driver, self._folder = driver, folder

    def show(self, html: str, width: int = 1280, height: int = 900, after: str = "") -> None:
        """Show a page from disk, as somebody would who got it by mail."""
        page = self._folder / "report.html"
        page.write_text(html, encoding="utf-8")
        self.driver.set_window_size(width, height)
        self.driver.get("about:blank")
        self.driver.get(page.as_uri() + after)
        self.wait(lambda: self.run("return document.documentElement.dataset.ready") == "yes")

    def show_other(self, html: str) -> None:
        """Show a page that has no script."""
        page = self._folder / "other.html"
        page.write_text(html, encoding="utf-8")
        self.driver.get(page.as_uri())

    def run(self, code: str, *arguments: Any) -> Any:
        """Run a script in the page."""
        return self.driver.execute_script(code, *arguments)

    def wait(self, until: Any) -> None:
        """Wait until something is so; fail after ten seconds."""
        WebDriverWait(self.driver, 10).until(lambda _: until())

    def all(self, selector: str) -> list[WebElement]:
        """Return all elements that a selector names."""
        found: list[WebElement] = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return found

    def one(self, selector: str) -> WebElement:
        """Return the first of them."""
        return self.all(selector)[0]

    def click(self, selector: str, place: int = 0) -> None:
        """Click on an element, wherever the page is scrolled to."""
        element = self.all(selector)[place]
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def texts(self, selector: str) -> list[str]:
        """Return what stands in all elements that a selector names."""
        code = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)"
        told: list[str] = self.run(code, selector)
        return [text.strip() for text in told]

    @property
    def focused(self) -> str:
        """The label or text of what has the focus."""
        told = "const e = document.activeElement; return e.getAttribute('aria-label') || e.id || e.textContent"
        return str(self.run(told))

    @property
    def errors(self) -> list[str]:
        """What the console says that is an error: a broken policy is one."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield made
    made.quit()


@pytest.fixture
def browser(driver: Any, tmp_path: Path) -> Browser:
    return Browser(driver, tmp_path)


def console() -> str:
    capture = read(CAPTURES / "console.pcap")
    return report(capture, [capture.summary])


def test_the_founding_case_is_there_at_one_glance_and_opens(browser: Browser) -> None:
    browser.show(console())
    assert browser.texts("td.alert") == ["handshake_failure (40)", "unknown_ca (48)", "bad_certificate (42)"]
    assert "not valid for another 434 days" in browser.one("article .on-wide svg.timeline").text
    browser.click("button.row", 2)
    browser.wait(lambda: browser.all("tr.details svg.ladder") and browser.all("tr.details svg.timeline"))
    assert "not valid yet by the server's clock" in browser.one("tr.details .sentence").text
    drawn = browser.one("tr.details svg.timeline").text
    for words in ("client: CN=IPMI", "2016-05-19 to 2026-05-17", "server’s clock 2015-03-12", "capture 2021-06-17"):
        assert words in drawn
    assert "not valid for another 434 days" in drawn
    assert "ALERT fatal bad_certificate (42)" in browser.one("tr.details svg.ladder .step.alert").text
    assert browser.texts(".card h5") == ["CN=IPMI", "CN=bmc.example"]
    assert browser.errors == []


def test_the_scripts_timeline_is_that_of_the_page(browser: Browser) -> None:
    browser.show(console(), after="#c2")
    browser.wait(lambda: browser.all("tr.details svg.timeline"))
    script, static = (
        browser.run("return arguments[0].getAttribute('aria-label')", browser.one(f"{where} svg.timeline"))
        for where in ("tr.details", "article")
    )
    assert script == static
    begins = "return [...document.querySelectorAll(arguments[0])].map(e => e.x.baseVal.value)"
    for where in ("tr.details", "article"):  # both certificates are of one day
        first, second = browser.run(begins, f"{where} svg.timeline rect.valid")[:2]
        assert abs(first - second) < 2


@pytest.mark.parametrize("days", [0, 1, 3])
def test_the_scripts_timeline_has_the_scale_of_the_page(browser: Browser, days: int) -> None:
    story = read(CAPTURES / "console.pcap")[2]
    (first,) = story.certificates.server
    assert first.not_before is not None
    later = msgspec.structs.replace(first, not_before=first.not_before + timedelta(days), sha256="0" * 64)
    certificates = msgspec.structs.replace(story.certificates, server=(first, later))
    story = msgspec.structs.replace(story, certificates=certificates)
    browser.show(report([story]), after=f"#c{story.connection}")
    browser.wait(lambda: browser.all("tr.details svg.timeline"))
    of_script = browser.run("return arguments[0].outerHTML", browser.one("tr.details svg.timeline"))
    (width,) = re.findall(r'<svg[^>]* width="(\d+)"', of_script)
    of_page = timeline_svg(*connection_timeline(story), width=int(width))
    begins, lines = ([places(svg, what) for svg in (of_script, of_page)] for what in ("valid", "mark"))
    assert len(begins[0]) == 3
    assert begins[0] == pytest.approx(begins[1], abs=0.1)
    assert lines[0] == pytest.approx(lines[1], abs=0.1)


def places(svg: str, class_: str) -> list[float]:
    """Return where bars or lines of a class begin, from left to right."""
    found = re.findall(rf'<(?:rect|path)(?=[^>]*class="{class_}[ "])[^>]* (?:x="|d="M)([\d.]+)', svg)
    return [float(one) for one in found]


def test_a_clocks_line_goes_through_no_words(browser: Browser) -> None:
    for width in (1280, 500):
        browser.show(console(), width=width, after="#c2")
        browser.wait(lambda: browser.all("tr.details svg.timeline"))
        assert (
            browser.run(
                """return [...document.querySelectorAll("tr.details svg.timeline .mark")].flatMap((line) =>
              [...line.getAttribute("d").matchAll(/M([\\d.]+) ([\\d.]+)V([\\d.]+)/g)].flatMap(([, x, from, to]) =>
                [...line.ownerSVGElement.querySelectorAll("text:not(.dim)")].filter((text) => {
                  const box = text.getBBox();
                  return box.x < x && x < box.x + box.width && from < box.y + box.height - 3 && box.y + 3 < to;
                }).map((text) => text.textContent)))"""
            )
            == []
        )


@pytest.mark.parametrize("width", [1300, 1250, 1100, 1050, 900, 750])
def test_the_cause_has_its_column_among_many_files(browser: Browser, width: int) -> None:
    browser.show(many_files(), width=width)
    last, table = (
        browser.run("return arguments[0].getBoundingClientRect().toJSON()", browser.one(one))
        for one in ("th.cause", "#table")
    )
    assert last["right"] <= table["right"] + 1
    assert last["width"] >= 90


def many_files() -> str:
    """A report of two files, of two days."""
    day = 86_400 * 1_000_000_000
    return report(
        msgspec.structs.replace(one, source=f"{number % 2}.pcap", start=(one.start or 0) + number * day)
        for number, one in enumerate(many(4))
    )


def test_the_alert_has_its_name_on_a_telephone(browser: Browser) -> None:
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    )
    try:
        browser.show(console(), after="#c0")
        browser.wait(lambda: browser.all("tr.details svg.ladder"))
        (alert,) = browser.all("tr.details svg.ladder .step.alert .on")
        assert alert.text.endswith("handshake_failure (40)")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_an_opened_connection_says_when_it_started(browser: Browser) -> None:
    browser.show(console(), width=500, after="#c2")
    browser.wait(lambda: browser.all("tr.details .list"))
    assert "2021-06-17 08:51:43.617 UTC" in browser.texts("tr.details .list dd")


def test_the_evidence_leads_into_the_ladder_and_messages_tell_their_fields(browser: Browser) -> None:
    browser.show(console(), after="#c2")
    browser.wait(lambda: browser.all("tr.details svg.ladder"))
    (link,) = [one for one in browser.all(".seen .link") if one.text == "frame 33"]
    browser.run("arguments[0].scrollIntoView({block: 'center'})", link)
    link.click()
    lit = browser.all("tr.details .step.lit")
    assert ["bad_certificate" in one.text for one in lit] == [True]
    assert "ALERT" in browser.focused
    browser.press(Keys.HOME)
    assert "client_hello" in browser.focused
    said = browser.one("tr.details .said").text
    assert "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" in said
    assert "random" in said
    browser.press(Keys.ARROW_DOWN)
    assert "server_hello" in browser.focused


def test_time_is_to_scale_on_demand(browser: Browser) -> None:
    browser.show(console(), after="#c2")
    browser.wait(lambda: browser.all("tr.details svg.ladder"))
    heights = (
        "return [...document.querySelectorAll('tr.details .step .arrow')]"
        ".map(e => Number(/ ([\\d.]+)H/.exec(e.getAttribute('d'))[1]))"
    )
    even = browser.run(heights)
    browser.click("button.scale")
    timed = browser.run(heights)
    assert sorted(timed) == timed
    # 206 of 266 ms pass before the alert: that gap is the largest now.
    gaps = [after - before for before, after in pairwise(timed)]
    assert gaps.index(max(gaps)) == len(gaps) - 2
    assert max(gaps) > 3 * (even[-2] - even[-3])


def test_it_filters_by_text_and_by_value(browser: Browser) -> None:
    browser.show(report(many(1000)))
    assert browser.one("#count").text == "1,000 connections"
    Select(browser.one("#ending")).select_by_value("established")
    assert browser.one("#count").text == "334 of 1,000 connections"
    Select(browser.one("#server")).select_by_value("10.0.0.1:5900")
    assert browser.one("#count").text == "48 of 1,000 connections"
    browser.click("#clear")
    browser.press("")
    browser.one("#text").send_keys("not_yet 10.0.0.3")
    browser.wait(lambda: browser.one("#count").text.startswith("95 of"))
    assert set(browser.texts("td.cause")) == {"certificate_not_yet_valid"}
    browser.press(Keys.ESCAPE)
    browser.wait(lambda: browser.one("#count").text == "1,000 connections")
    browser.one("#text").send_keys("nothing is like this")
    browser.wait(lambda: browser.texts(".nothing") == ["No connection is like that."])


def test_a_cause_leads_to_its_connections(browser: Browser) -> None:
    browser.show(report(many(30)))
    browser.click("button.show")
    assert browser.one("#count").text == "20 of 30 connections"
    assert len(browser.all("tr.details")) == 1


def test_it_sorts_by_any_column_both_ways(browser: Browser) -> None:
    browser.show(report(many(200)))

    def first(column: str) -> str:
        return browser.texts(f"tr.row td.{column}")[0]

    browser.click("th.server button")
    assert first("server").startswith("10.0.0.1:")
    assert browser.one("th.server").get_attribute("aria-sort") == "ascending"
    browser.click("th.server button")
    assert first("server").startswith("10.0.0.7:")
    browser.click("th.number button")
    browser.click("th.number button")
    assert first("number").endswith("#199")


def test_a_thousand_connections_keep_few_rows_and_all_are_reached(browser: Browser) -> None:
    browser.show(report(many(1000)))
    assert len(browser.all("tr.row")) < 100
    assert browser.one("#table").get_attribute("aria-rowcount") == "1001"
    browser.run("window.scrollTo(0, document.body.scrollHeight)")
    browser.wait(lambda: any(text.endswith("#999") for text in browser.texts("td.number")))
    assert len(browser.all("tr.row")) < 100


def test_the_keyboard_does_it_all(browser: Browser) -> None:
    browser.show(report(many(1000)))
    browser.press("/")
    assert browser.focused == "text"
    browser.press(Keys.ARROW_DOWN)
    assert browser.focused.startswith("Connection 0:")
    browser.press(Keys.ARROW_DOWN)
    assert browser.focused.startswith("Connection 1:")
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.all("tr.details svg.ladder"))
    assert browser.run("return document.activeElement.getAttribute('aria-expanded')") == "true"
    browser.press(Keys.ESCAPE)
    assert browser.all("tr.details") == []
    assert browser.focused.startswith("Connection 1:")
    browser.press(Keys.END)
    assert browser.focused.startswith("Connection 999:")
    browser.press(Keys.ARROW_UP, Keys.PAGE_UP, Keys.HOME)
    assert browser.focused.startswith("Connection 0:")
    # A focus that cannot be seen is none.
    assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_every_control_has_a_name(browser: Browser) -> None:
    browser.show(console(), after="#c2")
    browser.wait(lambda: browser.all("tr.details svg.timeline"))
    for element in browser.all("button, input, select, table, figure, [role=button], svg[role]"):
        if element.is_displayed():
            assert element.accessible_name, element.get_attribute("outerHTML")


def test_it_prints_with_what_is_open(browser: Browser) -> None:
    browser.show(report(many(300)))
    browser.click("button.row", 1)
    browser.wait(lambda: browser.all("tr.details svg.ladder"))
    told = browser.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    pdf = base64.b64decode(told["data"])
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 4  # all 300 rows, not those in view alone
    assert len(browser.all("tr.row")) < 100  # and the page is as it was


def test_the_validity_of_many_certificates_stands_on_the_first_page(browser: Browser) -> None:
    day = timedelta(1)
    at = datetime(2026, 11, 25, tzinfo=UTC)
    found = [
        Found(
            f"{n}.pem",
            "certificate",
            subject=f"CN={n}",
            sha256=str(n),
            not_before=at - 900 * day,
            not_after=at - n * day,
        )
        for n in range(1, 30)
    ]
    browser.show_other(inventory_page(found, [], at))
    told = browser.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    pages = len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(told["data"])))
    assert pages <= 3  # the picture, and the table


def test_one_connection_is_counted_as_one(browser: Browser) -> None:
    browser.show(report(many(1)))
    assert browser.one("#count").text == "1 connection"


@pytest.mark.parametrize("width", [1280, 800, 500])
def test_nothing_is_wider_than_the_window(browser: Browser, width: int) -> None:
    browser.show(console(), width=width, after="#c2")
    browser.wait(lambda: browser.all("tr.details svg.timeline"))
    assert browser.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_both_themes_follow_the_system_and_the_button(browser: Browser) -> None:
    back = "return getComputedStyle(document.documentElement).backgroundColor"
    for scheme, colour in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 29)")):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.show(console())
        assert browser.run(back) == colour
    browser.click("#theme")
    assert browser.run(back) == "rgb(255, 255, 255)"
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_hostile_names_run_nothing(browser: Browser, tmp_path: Path) -> None:
    capture = read(hostile_capture(tmp_path / "hostile.pcap"))
    browser.show(report(capture, [capture.summary]), after="#c0")
    browser.wait(lambda: browser.all("tr.details svg.timeline") and browser.all("tr.details svg.ladder"))
    for target in browser.all("tr.details .point-at"):
        browser.run("arguments[0].focus()", target)
        assert browser.all("tr.details .said h4")
    page = browser.one("body").text
    assert NAME in page.replace("\\", "")
    assert SCRIPT in page
    assert browser.run("return window.hacked") is None
    assert browser.all("img") == []
    assert browser.run("return document.scripts.length") == 2
    assert browser.errors == []


def test_the_policy_stops_what_would_get_in(browser: Browser) -> None:
    browser.show(console())
    browser.run(
        "const s = document.createElement('script');"
        "try { s.textContent = 'window.hacked = 1'; document.body.append(s); } catch (refused) { }"
    )
    assert browser.run("return window.hacked") is None
    with pytest.raises(selenium.common.exceptions.JavascriptException, match="TrustedHTML"):
        browser.run("document.body.innerHTML = '<b>x</b>'")
    assert browser.errors  # the console tells of it
