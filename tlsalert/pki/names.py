"""Distinguished names as text, RFC 4514."""

from __future__ import annotations

import re
from functools import lru_cache

from tlsalert.errors import DecodeError
from tlsalert.pki.der import Element, children, element, oid, parts, text

#: Attribute types by their short names: RFC 4514 §3, RFC 4519, RFC 2985 and the EV guidelines.
ATTRIBUTES = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.15": "businessCategory",
    "2.5.4.17": "postalCode",
    "2.5.4.42": "givenName",
    "2.5.4.46": "dnQualifier",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
    "1.3.6.1.4.1.311.60.2.1.1": "jurisdictionL",
    "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST",
    "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC",
}

#: Attributes of one name that are read: honest names have a dozen.
MOST_ATTRIBUTES = 256

#: Before an attribute of a name that is printed on one line: a slash, or a comma and a space.
_SLASHED = re.compile(r"/(?=[A-Za-z][\w.]*=)")
_LISTED = re.compile(r", (?=[A-Za-z][\w.]* ?=)")


def name_text(name: Element) -> str:
    """Return a Name as RFC 4514 text: the most specific part first. Raises :class:`DecodeError`."""
    said: list[str] = []
    left = MOST_ATTRIBUTES
    for relative in children(name):
        values = []
        for attribute in children(relative):
            if not left:
                raise DecodeError(f"a name of more than {MOST_ATTRIBUTES} attributes", f"byte {name.begin}")
            left -= 1
            kind, value = parts(attribute, 2)
            dotted = oid(kind)
            values.append(f"{ATTRIBUTES.get(dotted, dotted)}={_escaped(text(value))}")
        said.append("+".join(values))
    return ",".join(reversed(said))


@lru_cache(maxsize=1024)
def name_from_der(der: bytes) -> str:
    """Return a DER-encoded Name as text; one that is broken as what it is."""
    try:
        return name_text(element(der))
    except (DecodeError, ValueError) as error:
        return f"(a name that cannot be read: {error})"


def name_from_words(said: str) -> str:
    """Return a name that OpenSSL printed as RFC 4514 text, the most specific part first.

    Both of its forms begin with the least specific: "/C=US/CN=a" (X509_NAME_oneline) and "C = US, CN = a"
    (X509_NAME_print_ex). What is neither stays as it is.
    """
    if said.startswith("/"):
        parts = _SLASHED.split(said)[1:]
    else:
        parts = _LISTED.split(said)
        if len(parts) < 2 and "=" not in said:
            return said
    named = []
    for part in parts:
        kind, found, value = part.partition("=")
        if not found:
            return said
        named.append(f"{kind.strip()}={_escaped(value.strip())}")
    return ",".join(reversed(named)) if named else said


def _escaped(value: str) -> str:
    """Escape by RFC 4514 §2.4."""
    said = "".join(f"\\{c}" if c in '"+,;<>\\' else c for c in value).replace("\0", "\\00")
    if said[:1] in ("#", " "):
        said = "\\" + said
    return said[:-1] + "\\ " if value.endswith(" ") and len(value) > 1 else said
