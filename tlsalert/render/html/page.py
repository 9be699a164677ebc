"""What all pages have in common: the templates, a policy that runs nothing but the page's own code, JSON inside HTML.

Jinja2 escapes all that templates show. Values for scripts stand in a block of JSON that no browser runs, and in which
no ``<`` is left. The Content-Security-Policy names the page's style and script by their SHA-256 (W3C CSP 3 §2.3.1), and
allows nothing else: no network, no event handlers in attributes, no markup made from text.
"""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from tlsalert.render import style
from tlsalert.render.encoded import encoded
from tlsalert.render.picture.svg import STYLESHEET

#: Characters of one text from the evidence that a page shows; of a longer one it says how long it was.
LONGEST = 2000

_IN_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def template(name: str) -> Template:
    """Return one of the package's templates; the variables of :func:`frame` are for all of them."""
    return _environment().get_template(name)


def frame(title: str, script: str | None = None) -> dict[str, Any]:
    """Return what every page needs: title, style, script, and the policy that names both by hash."""
    look = asset("page.css") + STYLESHEET
    code = "" if script is None else asset(script)
    return {
        "title": shown(title),
        "css": Markup(look),  # noqa: S704 - the package's own file
        "script": Markup(code),  # noqa: S704 - the package's own file
        "policy": policy(look, code),
    }


def policy(look: str, code: str) -> str:
    """Return the Content-Security-Policy of a page with this style and, unless it is "", this script."""
    scripts = f"'{digest(code)}'" if code else "'none'"
    return (
        f"default-src 'none'; style-src '{digest(look)}'; script-src {scripts}; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'"
    )


def digest(text: str) -> str:
    """Return the hash by which a policy names an inline style or script."""
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode("ascii")


@lru_cache(16)
def asset(name: str) -> str:
    """Return one of the package's own files of style or script."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8").strip()


def shown(text: str) -> str:
    """Return a text from anybody without anything that does not print, and not too long; markup is left to Jinja2."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text)} characters)"
    return style.escape(text)


def safe(value: object) -> object:
    """Return a value that JSON knows with :func:`shown` on each text in it, keys included."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {shown(str(key)): safe(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [safe(one) for one in value]
    return value


def script_json(value: object) -> str:
    """Return a value as JSON that can stand inside a script element: it neither ends it nor begins another."""
    return encoded(value).translate(_IN_SCRIPT)


@lru_cache(1)
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("tlsalert.render.html", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["shown"] = shown
    return made
