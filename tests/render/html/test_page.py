"""What all pages have in common: a policy that fits the page, JSON that stays JSON, text that stays text."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.render.html.pages import SCRIPT
from tlsalert.render.html import page

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab<&"), inner, max_size=4),
    max_leaves=20,
)


@given(ANY_JSON)
def test_json_in_a_script_is_the_value_and_ends_no_script(value: object) -> None:
    text = page.script_json(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)


def test_the_policy_names_what_it_allows_by_hash_and_nothing_else() -> None:
    def hashed(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    told = dict(part.split(" ", 1) for part in page.policy("a{}", "f()").split("; "))
    assert told == {
        "default-src": "'none'",
        "style-src": hashed("a{}"),
        "script-src": hashed("f()"),
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
    }
    assert "script-src 'none'" in page.policy("a{}", "")


@pytest.mark.parametrize("name", ["page.css", "report.js"])
def test_the_pages_own_code_loads_nothing_and_ends_no_element(name: str) -> None:
    text = page.asset(name)
    assert "</" not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert not [
        word for word in ("url(", "@import", "innerHTML", "outerHTML", "eval(", "document.write") if word in text
    ]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[2Jb\u202ec\n", r"a\x1b[2Jb\u202ec\n"),
        (SCRIPT, SCRIPT),
        ("x" * 2001, "x" * 2000 + "… (2001 characters)"),
    ],
    ids=["plain", "what does not print", "markup is left to the template", "too long"],
)
def test_text_is_shown_as_text(said: str, shown: str) -> None:
    assert page.shown(said) == shown
    assert page.safe({said: [said, 1, None]}) == {shown: [shown, 1, None]}
