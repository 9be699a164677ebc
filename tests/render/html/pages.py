"""Pages for the tests: what is in them, and a capture whose names are markup."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests import stories
from tlsalert.model import Connection, Endpoint
from tlsalert.recorder import Recorder

#: Each would run, if any of it were read as markup: it ends what it may stand in, and sets a flag.
SCRIPT = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
NAME = "<img/src=x/onerror=window.hacked=1>"
VOID = {"meta", "input", "br", "img", "link"}


class Page(HTMLParser):
    """A page in parts: its elements in order, their attributes, and the texts of its scripts, styles and the rest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.said: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        tag = self.open[-1] if self.open else ""
        self.texts.setdefault(tag, []).append(data)
        if tag not in ("script", "style"):
            self.said.append(data)

    @property
    def text(self) -> str:
        """What a reader reads."""
        return "".join(self.said)

    @property
    def data(self) -> dict[str, Any]:
        """What the script reads."""
        told: dict[str, Any] = json.loads(self.texts["script"][0])
        return told

    @property
    def policy(self) -> str:
        """The Content-Security-Policy."""
        return next(
            attributes["content"] or ""
            for _, attributes in self.elements
            if attributes.get("http-equiv") == "Content-Security-Policy"
        )


def loads_nothing(html: str) -> bool:
    """Whether nothing in the page names anything to load, and no element has a handler or a style of its own."""
    page = Page(html)
    for tag, attributes in page.elements:
        if tag in ("link", "img", "iframe", "object", "embed", "base", "use", "image", "foreignobject"):
            return False
        if any(name.startswith("on") or name in ("src", "style", "srcset", "action") for name in attributes):
            return False
        link = attributes.get("href")
        if link is not None and not link.startswith("#"):
            return False
    return page.open == [] and not re.search(r"url\(|@import", html)


def many(count: int) -> list[Connection]:
    """Return as many connections: the founding case at seven servers, every third gone well."""
    made: list[Connection] = []
    for number in range(count):
        story = stories.good() if number % 3 == 0 else stories.console()
        server = Endpoint(f"10.0.0.{number % 7 + 1}", 5900)
        made.append(msgspec.structs.replace(story, connection=number, server=server, source="many.pcap"))
    return made


def hostile_capture(path: Path) -> Path:
    """Write a capture of a true handshake in which subject, issuer and server name are markup."""
    pytest.importorskip("OpenSSL")
    from tlsalert.lab.certificates import self_signed
    from tlsalert.lab.device import Client, Device, Dialogue

    start = datetime(2021, 6, 17, 8, 51, 3, tzinfo=UTC)
    subject = f"CN={_escaped(NAME)},O={_escaped(SCRIPT[:60])}"
    shown = self_signed(subject, start, start + timedelta(90))
    device = Device(self_signed("CN=device", start, start + timedelta(90)), trusted=(), clock=start)
    flights = Dialogue(device, Client(shown, server_name=SCRIPT)).handshake()
    with path.open("wb") as file, Recorder(file) as recorder:
        at = int(start.timestamp()) * 1_000_000_000
        conversation = recorder.open(("10.0.0.5", 40112), ("10.0.0.7", 443), at)
        for number, (side, flight) in enumerate(flights, 1):
            conversation.send(side, flight, at + number * 10_000_000)
        conversation.close("server", at + 900_000_000)
    return path


def _escaped(text: str) -> str:
    """Return a text as RFC 4514 §2.4 has it in a name."""
    return re.sub(r'([,+"\\<>;=])', r"\\\1", text)
