"""Whether the names of a certificate keep to what an issuer above it may issue for, RFC 5280 §4.2.1.10."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from typing import Final

from tlsalert.model import Certificate

#: How many permitted names a sentence lists.
LISTED: Final = 3
#: emailAddress in a subject, RFC 2985 §5.2.1: it counts where there is no such subjectAltName.
EMAIL: Final = re.compile(r"(?:^|[,+])emailAddress=((?:\\.|[^,+\\])*)", re.IGNORECASE)


def violation(certificate: Certificate, issuer: Certificate) -> str | None:
    """Return how a certificate breaks the name constraints of an issuer above it, or None where it does not."""
    for name in _names(certificate):
        kind = name.partition(":")[0]
        matches = MATCHERS.get(kind)
        if matches is None:
            continue
        said = name.partition(":")[2]
        for excluded in _of_kind(issuer.excluded_names, kind):
            if matches(said, excluded):
                return f"{name} is among the names that it excludes ({kind}:{excluded})"
        permitted = list(_of_kind(issuer.permitted_names, kind))
        if permitted and not any(matches(said, allowed) for allowed in permitted):
            listed = ", ".join([f"{kind}:{allowed}" for allowed in permitted[:LISTED]])
            more = " and others" if len(permitted) > LISTED else ""
            return f"{name} is not among the names that it permits ({listed}{more})"
    return None


def _of_kind(constraints: tuple[str, ...], kind: str) -> Iterator[str]:
    return (base.partition(":")[2] for base in constraints if base.partition(":")[0] == kind)


def _names(certificate: Certificate) -> Iterator[str]:
    """Go through all that a certificate says it is: the subject, unless empty, and its subjectAltName."""
    yield from certificate.subject_alt_names
    if not certificate.subject:
        return
    yield "dirName:" + certificate.subject
    if not any(name.startswith("email:") for name in certificate.subject_alt_names):
        for address in EMAIL.findall(certificate.subject):
            yield "email:" + address


def _dns(name: str, base: str) -> bool:
    """Any name made by adding labels on the left is inside."""
    name, base = name.lower().rstrip("."), base.lower().rstrip(".")
    return not base or name == base.lstrip(".") or name.endswith("." + base.lstrip("."))


def _email(name: str, base: str) -> bool:
    """A mailbox, all mailboxes of a host, or those of all hosts below a domain."""
    host = name.rpartition("@")[2].lower()
    base = base.lower() if "@" not in base else base
    if "@" in base:
        return name.rpartition("@")[0] == base.rpartition("@")[0] and host == base.rpartition("@")[2].lower()
    return host.endswith(base) if base.startswith(".") else not base or host == base


def _uri(name: str, base: str) -> bool:
    """By the URI's host: itself, or all hosts below a domain."""
    rest = name.partition("//")[2] or name
    host = re.split("[/?#]", rest)[0].rpartition("@")[2].partition(":")[0].lower()
    base = base.lower()
    return host.endswith(base) if base.startswith(".") else not base or host == base


def _address(name: str, base: str) -> bool:
    try:
        return ip_address(name) in ip_network(base, strict=False)
    except ValueError:
        return False


def _directory(name: str, base: str) -> bool:
    """A name whose last relative names (written last to first, RFC 4514) are those of the constraint."""
    name, base = name.lower(), base.lower()
    if not base or name == base:
        return True
    before = name.removesuffix("," + base)
    return before != name and (len(before) - len(before.rstrip("\\"))) % 2 == 0


MATCHERS: Final[dict[str, Callable[[str, str], bool]]] = {
    "DNS": _dns,
    "email": _email,
    "URI": _uri,
    "IP": _address,
    "dirName": _directory,
}
