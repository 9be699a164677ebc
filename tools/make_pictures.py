"""Makes the README's pictures of the report and of its drawings, from a capture that is really read.

    python tools/make_pictures.py captures/console.pcap -o captures [--connection 2] [--no-browser]

Writes NAME-timeline.svg and NAME-ladder.svg, which follow the reader's theme, and, with Chromium, its driver and
selenium, NAME-report-light.png and NAME-report-dark.png: what a browser shows of the report with that connection open.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tlsalert.capture import Capture, read
from tlsalert.model import Connection
from tlsalert.render.html.report import report
from tlsalert.render.picture.ladder import ladder_svg
from tlsalert.render.picture.timeline import connection_timeline, timeline_svg

WIDTH, HEIGHT = 1280, 880
THEMES = ("light", "dark")


def main() -> None:
    """Read the arguments and the capture, write the pictures."""
    parser = argparse.ArgumentParser(description="Make the pictures of a report and its drawings.")
    parser.add_argument("capture", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--connection", type=int, default=2, metavar="N", help="counted from 0 (default: 2)")
    parser.add_argument("--no-browser", action="store_true", help="the drawings alone")
    given = parser.parse_args()
    capture = read(given.capture)
    name = given.capture.name.partition(".")[0]
    for path, svg in drawings(capture[given.connection], given.output, name).items():
        path.write_text(svg, encoding="utf-8")
    if not given.no_browser:
        for theme in THEMES:
            picture = given.output / f"{name}-report-{theme}.png"
            picture.write_bytes(photograph(capture, given.connection, theme))


def drawings(connection: Connection, folder: Path, name: str) -> dict[Path, str]:
    """Return the drawings of a connection, by the files that they go to."""
    bars, marks = connection_timeline(connection)
    return {
        folder / f"{name}-timeline.svg": timeline_svg(bars, marks),
        folder / f"{name}-ladder.svg": ladder_svg(connection),
    }


def photograph(capture: Capture, number: int, theme: str) -> bytes:
    """Return what Chromium shows of the report with one connection open, as PNG. Raises what selenium raises."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}"):
        options.add_argument(argument)
    driver: Any = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder, "report.html")
            page.write_text(report(capture, [capture.summary]), encoding="utf-8")
            features = [{"name": "prefers-color-scheme", "value": theme}]
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            metrics = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            driver.get(f"{page.as_uri()}#c{number}")
            driver.execute_async_script(
                "const done = arguments[0];"
                "requestAnimationFrame(() => requestAnimationFrame(() => {"
                "  window.scrollBy(0, document.querySelector('tr.open').getBoundingClientRect().top - 40);"
                "  document.activeElement.blur();"
                "  requestAnimationFrame(() => requestAnimationFrame(done));"
                "}));"
            )
            picture: bytes = driver.get_screenshot_as_png()
            return picture
    finally:
        driver.quit()


if __name__ == "__main__":
    main()
