"""What configurations say of certificates and keys: stunnel, nginx, Apache, HAProxy, Postfix and Dovecot.

Small readers of the options that name files and of those beside them that say what for; all else is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final, NamedTuple

#: Longer texts are no configurations.
LARGEST: Final = 1 << 20
#: Files and settings that are told of one configuration.
MOST: Final = 4096

PATHS: Final = {
    "stunnel": {"cert", "key", "CAfile", "CApath", "CRLfile", "CRLpath"},
    "nginx": {
        *("ssl_certificate", "ssl_certificate_key", "ssl_client_certificate", "ssl_trusted_certificate", "ssl_crl"),
        *("proxy_ssl_certificate", "proxy_ssl_certificate_key", "proxy_ssl_trusted_certificate", "proxy_ssl_crl"),
    },
    "apache": {
        *("sslcertificatefile", "sslcertificatekeyfile", "sslcertificatechainfile", "sslcacertificatefile"),
        *("sslcacertificatepath", "sslcarevocationfile", "sslcarevocationpath", "sslproxycacertificatefile"),
        *("sslproxymachinecertificatefile", "sslproxymachinecertificatechainfile"),
    },
    "haproxy": {"crt", "ca-file", "crl-file", "ca-verify-file", "key"},
}
BESIDE: Final = {
    "stunnel": {
        *("accept", "connect", "client", "verify", "verifyChain", "verifyPeer", "requireCert", "checkHost", "sni"),
        *("protocol", "exec", "sslVersion", "sslVersionMin", "sslVersionMax"),
    },
    "nginx": {"listen", "server_name", "ssl_verify_client", "ssl_verify_depth", "proxy_pass", "proxy_ssl_verify"},
    "apache": {"servername", "listen", "sslverifyclient", "sslverifydepth", "sslproxyverify", "sslengine"},
    "postfix": {"smtpd_tls_req_ccert", "smtpd_tls_ask_ccert", "smtpd_tls_security_level", "smtp_tls_security_level"},
    "dovecot": {"ssl_verify_client_cert", "ssl_request_client_cert", "ssl"},
}
_LINES: Final = re.MULTILINE | re.ASCII
#: A line that only this program's configuration has.
SIGNS: Final = (
    ("nginx", re.compile(rb"^[ \t]*(?:proxy_)?ssl_(?:client_|trusted_)?certificate(?:_key)?[ \t]+[^;=\n]+;", _LINES)),
    ("apache", re.compile(rb"^[ \t]*SSL(?:Proxy)?(?:CA|Machine)?Certificate\w*[ \t]+\S", _LINES | re.IGNORECASE)),
    (
        "haproxy",
        re.compile(rb"^[ \t]*(?:bind|server|default-server)[ \t][^\n]*[ \t](?:crt|ca-file|crl-file)[ \t]", _LINES),
    ),
    ("postfix", re.compile(rb"^(?:smtpd?|lmtp|tlsproxy(?:_client)?)_tls_\w+[ \t]*=", _LINES)),
    ("dovecot", re.compile(rb"^[ \t]*ssl_(?:cert|key|ca|client_ca|server_cert|server_key)\w*[ \t]*=", _LINES)),
)
#: stunnel's are told by two: one that names a file, and one that says for what.
_STUNNEL: Final = re.compile(rb"^[ \t]*(?:cert|key|CAfile|CApath)[ \t]*=[ \t]*\S", _LINES)


class Named(NamedTuple):
    """A file that a configuration names: in which section, by which option, and what is set beside it."""

    section: str
    role: str
    path: str
    settings: tuple[tuple[str, str], ...]


class Config(NamedTuple):
    """A configuration: whose, and the files that it names."""

    program: str
    named: tuple[Named, ...]


class _Section:
    """One section in the making."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.files: list[tuple[str, str]] = []
        self.settings: list[tuple[str, str]] = []


def read_config(data: bytes) -> Config | None:
    """Return what a configuration says; None where the text is none that is known, or names no file."""
    program = program_of(data)
    if program is None:
        return None
    text = data.decode("utf-8", "backslashreplace")
    sections = READERS[program](text)
    named = [
        Named(section.name, role, path, tuple(section.settings[:16]))
        for section in sections
        for role, path in section.files
    ]
    return Config(program, tuple(named[:MOST])) if named else None


def program_of(data: bytes) -> str | None:
    """Return whose configuration it is, by lines that no other program's has."""
    if len(data) > LARGEST:
        return None
    for program, sign in SIGNS:
        if sign.search(data):
            return program
    services = re.search(rb"^[ \t]*(?:accept|connect)[ \t]*=", data, _LINES)
    return "stunnel" if services and _STUNNEL.search(data) else None


def _lines(text: str, comments: str = "#") -> Iterator[str]:
    for line in text.splitlines():
        line = line.strip()
        if line and line[0] not in comments:
            yield line


def _stunnel(text: str) -> list[_Section]:
    """Read stunnel.conf: global options, which are the services' defaults, then [service] sections."""
    shared = _Section("")
    sections = [shared]
    for line in _lines(text, "#;"):
        if line.startswith("["):
            sections.append(_Section(line[1:].split("]")[0]))
            continue
        name, _, value = (part.strip() for part in line.partition("="))
        if name in PATHS["stunnel"] and value:
            sections[-1].files.append((name, value))
        elif name in BESIDE["stunnel"]:
            sections[-1].settings.append((name, value))
    for section in sections[1:]:
        own = {name for name, _ in section.files}
        section.files += [pair for pair in shared.files if pair[0] not in own]
        said = {name for name, _ in section.settings}
        section.settings += [pair for pair in shared.settings if pair[0] not in said]
    return sections[1:] or sections


def _nginx(text: str) -> list[_Section]:
    """Read nginx's blocks; what stands in an outer block counts for itself."""
    sections: list[_Section] = []
    stack = [_Section("")]
    for match in re.finditer(r"#[^\n]*|([^;{}#]+)([;{])|(\})", text):
        words, kind, closing = match.groups()
        if closing:
            if len(stack) > 1:
                sections.append(stack.pop())
        elif kind == "{" and len(stack) < 64:
            stack.append(_Section(" ".join(words.split())[:80]))
        elif kind == ";":
            name, _, value = " ".join(words.split()).partition(" ")
            value = value.strip("\"'")
            if name in PATHS["nginx"]:
                stack[-1].files.append((name, value))
            elif name in BESIDE["nginx"]:
                stack[-1].settings.append((name, value))
    return [*reversed(stack), *sections]


def _apache(text: str) -> list[_Section]:
    """Read Apache's directives by virtual host."""
    outer = _Section("")
    sections, stack = [outer], [outer]
    for line in _lines(text):
        if match := re.match(r"<(/?)(VirtualHost|Directory|Location)\b([^>]*)>", line, re.IGNORECASE):
            if match[1]:
                stack = stack[:-1] or [outer]
            else:
                stack.append(_Section(f"{match[2]}{match[3]}"))
                sections.append(stack[-1])
            continue
        name, *rest = line.split(None, 1)
        value = rest[0].strip("\"'") if rest else ""
        if name.lower() in PATHS["apache"] and value:
            stack[-1].files.append((name, value))
        elif name.lower() in BESIDE["apache"]:
            stack[-1].settings.append((name, value))
    return sections


def _haproxy(text: str) -> list[_Section]:
    """Read HAProxy's bind and server lines; each is told as a section of its own with its address."""
    sections: list[_Section] = []
    outer = ""
    for line in _lines(text):
        words = line.split(" #")[0].split()
        if words[0] in ("frontend", "backend", "listen", "defaults", "global", "peers"):
            outer = " ".join(words[:2])
        elif words[0] in ("bind", "server", "default-server"):
            section = _Section(outer)
            place = words[1:2] if words[0] == "bind" else words[2:3]
            section.settings += [(words[0], address) for address in place]
            for name, value in pairwise(words):
                if name in PATHS["haproxy"]:
                    section.files.append((name, value.removeprefix("@")))
                elif name in ("verify", "sni"):
                    section.settings.append((name, value))
            sections.append(section)
    return sections


def _assigned(program: str, is_file: Callable[[str], bool]) -> Callable[[str], list[_Section]]:
    """Return a reader of lines "name = value" without sections."""

    def read(text: str) -> list[_Section]:
        section = _Section("")
        for line in _lines(text):
            name, sign, value = (part.strip() for part in line.partition("="))
            if sign and is_file(name):
                parts = (part.strip().lstrip("<").strip() for part in value.split(","))
                section.files += [(name, part) for part in parts if part and "$" not in part]
            elif sign and name in BESIDE[program]:
                section.settings.append((name, value))
        return [section]

    return read


def _postfix_file(name: str) -> bool:
    return "_tls_" in name and name.endswith(("_file", "_files", "CAfile", "CApath"))


def _dovecot_file(name: str) -> bool:
    return (
        re.fullmatch(r"ssl_(cert|key|ca|client_ca_file|client_ca_dir|(server|client)_(cert|key|ca)_file)", name)
        is not None
    )


READERS: Final[dict[str, Callable[[str], list[_Section]]]] = {
    "stunnel": _stunnel,
    "nginx": _nginx,
    "apache": _apache,
    "haproxy": _haproxy,
    "postfix": _assigned("postfix", _postfix_file),
    "dovecot": _assigned("dovecot", _dovecot_file),
}
