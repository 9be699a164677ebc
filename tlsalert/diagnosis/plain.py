"""What speaks on a port where TLS was meant to: named by its first words, in a sentence and with what to do."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tlsalert.model import Side

#: How much of the first line is shown.
SHOWN: Final = 80


class Plain(NamedTuple):
    """A protocol without TLS: its name, what its first words mean, and what to do."""

    name: str
    says: str
    do: str


_PORT: Final = "use the port where the server speaks TLS, or switch TLS on for this one"
_STARTTLS: Final = (
    "let the client begin in plain {name} and ask for TLS there ({command}), or use the port with implicit TLS"
)
#: What openssl s_client -starttls calls them (its manual page).
_OPENSSL: Final = {
    "SMTP": "smtp",
    "SMTP or FTP": "smtp (or ftp)",
    "FTP": "ftp",
    "IMAP": "imap",
    "POP3": "pop3",
    "NNTP": "nntp",
    "MySQL": "mysql",
    "XMPP": "xmpp",
    "PostgreSQL": "postgres",
}

#: What a server's first bytes look like: the pattern, the protocol's name, and the command that begins TLS there.
_GREETINGS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (rb"220[ -].*(?i:smtp|mail|postfix|exim|sendmail)", "SMTP", "STARTTLS, RFC 3207"),
    (rb"220[ -].*(?i:ftp)", "FTP", "AUTH TLS, RFC 4217"),
    (rb"220[ -]", "SMTP or FTP", "STARTTLS or AUTH TLS"),
    (rb"\* (?:OK|PREAUTH|BYE)", "IMAP", "STARTTLS, RFC 9051 §6.2.1"),
    (rb"\+OK", "POP3", "STLS, RFC 2595 §4"),
    (rb"20[01] ", "NNTP", "STARTTLS, RFC 4642"),
    (rb"[0-9]{3}[ -]", "a protocol of lines", "its own command"),
    (rb".{3}\x00\x0a[0-9]+\.[0-9]+\.", "MySQL", "the SSL request of MySQL's protocol"),
    (rb"<\?xml|<stream:", "XMPP", "starttls, RFC 6120 §5"),
    (rb"[SN]$", "PostgreSQL", "SSLRequest"),
)
#: Protocols that never turn into TLS on the same port.
_OTHERS: Final[tuple[tuple[bytes, str], ...]] = (
    (rb"SSH-[12]", "SSH"),
    (rb"RFB [0-9]{3}\.", "VNC (RFB)"),
    (rb"\x03\x00\x00", "RDP (TPKT)"),
    (rb"RTSP/1", "RTSP"),
    (rb"SIP/2", "SIP"),
    (rb"-ERR|-NOAUTH|-DENIED", "Redis"),
    (rb"\xff[\xfb-\xfe]", "Telnet"),
    (rb"AMQP", "AMQP"),
    (rb"[\x04\x05][\x00-\xff]$", "SOCKS"),
)
_REQUEST: Final = re.compile(rb"(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE|CONNECT|PRI) \S")
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")


def recognised(plain: bytes, side: Side, asked: bytes = b"") -> Plain:
    """Say what ``side`` speaks instead of TLS; ``asked`` is what the other side had said in plain before."""
    status = _STATUS.match(plain)
    if status is not None:
        return _response(plain, int(status[1]), side, asked)
    if _REQUEST.match(plain) is not None:
        said = f"the {side} sends a plain HTTP request: {first_line(plain)!r}"
        return Plain("HTTP", said, "let it use https, or a port where the other side expects plain HTTP")
    if re.match(rb"\s*<(?:!doctype|html|head|body)", plain, re.IGNORECASE) is not None:
        said = f"the {side} answers with an HTML page, without TLS and without HTTP's head: {first_line(plain)!r}"
        return Plain("HTTP", said, _PORT)
    for pattern, name, command in _GREETINGS:
        if re.match(pattern, plain, re.DOTALL) is not None:
            said = f"the {side} speaks plain {name}: {first_line(plain)!r}"
            do = _STARTTLS.format(name=name, command=command)
            if name in _OPENSSL:
                do += f"; to try it: openssl s_client -starttls {_OPENSSL[name]} -connect HOST:PORT"
            return Plain(name, said, do)
    for pattern, name in _OTHERS:
        if re.match(pattern, plain, re.DOTALL) is not None:
            return Plain(name, f"the {side} speaks {name}: {first_line(plain)!r}", f"this is a port of {name}: {_PORT}")
    return Plain(
        "", f"the {side} says {first_line(plain)!r}", "check the port, and whether TLS begins inside another protocol"
    )


def first_line(plain: bytes) -> str:
    """Return the first line of what was said, cut where it is long."""
    line = re.split(rb"[\r\n]", plain, maxsplit=1)[0] or plain[:SHOWN]
    return line[:SHOWN].decode("latin-1")


def _response(plain: bytes, status: int, side: Side, asked: bytes) -> Plain:
    if asked.startswith(b"CONNECT "):
        said = f"the proxy answers {first_line(asked)!r} with {first_line(plain)!r}"
        if status == 407:
            return Plain("an HTTP proxy", said, "give the client the proxy's user name and password")
        if status >= 300:
            return Plain("an HTTP proxy", said, "look at the proxy's rules and its log: it opened no tunnel")
        return Plain("an HTTP proxy", said, "look at what follows the proxy's answer")
    return Plain("HTTP", f"the {side} answers in plain HTTP: {first_line(plain)!r}", _PORT)
