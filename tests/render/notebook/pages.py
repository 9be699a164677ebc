"""What tests of the notebook share: a reader of HTML, and how IPython would write."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

VOID = ("br", "meta")


class Tags(HTMLParser):
    """Collects tags, attributes and text, and fails on what is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str | None] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value for name, value in attrs if name.endswith(("href", "src", "srcset"))}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value for name, value in attrs if name.endswith(("href", "src", "srcset"))}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def assert_harmless(html: str) -> Tags:
    """Check that nothing runs, nothing is loaded, and all is closed; return what was seen."""
    seen = Tags(html)
    assert seen.open == []
    assert not seen.tags & {"script", "link", "img", "iframe", "object", "embed", "foreignobject", "image", "a"}
    assert not any(name.startswith("on") for name in seen.attributes)
    assert all(link is not None and link.startswith("#") for link in seen.links)  # within the picture itself
    assert "url(" not in html.replace("url(#", "")
    assert all(character.isprintable() or character == "\n" for character in html)
    return seen


class Page:
    """Stands in for IPython's printer: ``depth`` tells how deep what is shown lies within others."""

    def __init__(self, depth: int = 1) -> None:
        self.stack = list(range(depth))
        self.said = ""

    def text(self, obj: str) -> None:
        self.said += obj


def shown(thing: Any, depth: int = 1) -> str:
    page = Page(depth)
    thing._repr_pretty_(page, False)
    return page.said
