"""What was spoken before TLS: the protocol, by the first bytes of both sides.

TLS begins inside another protocol after a command (STARTTLS and its kin), after a proxy has opened the way, or after
a header that a proxy puts before everything. Each protocol is told by its own greeting or request, never by a port.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

#: PROXY protocol version 2 (haproxy's doc/proxy-protocol.txt, 2.2).
PROXY_V2: Final = b"\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a"
#: The object identifier of LDAP's StartTLS, RFC 4511 §4.14.
LDAP_START_TLS: Final = b"1.3.6.1.4.1.1466.20037"
#: PostgreSQL's SSLRequest: length 8 and the code 80877103 (its manual, "Message Formats").
POSTGRESQL_REQUEST: Final = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
#: Its GSSENCRequest, which libpq may send before that one.
POSTGRESQL_GSS: Final = b"\x00\x00\x00\x08\x04\xd2\x16\x30"
#: AMQP's protocol header that asks for TLS: protocol id 2 (AMQP 1.0, 5.2.1).
AMQP_TLS: Final = b"AMQP\x02"

_CONNECT: Final = re.compile(rb"CONNECT [^ \r\n]+ HTTP/1\.[01]\r\n")
_PROXY_V1: Final = re.compile(rb"PROXY (?:TCP4|TCP6|UNKNOWN)[^\r\n]{0,95}\r\n")
_UPGRADE: Final = re.compile(rb"^Upgrade:[ \t]*TLS/", re.IGNORECASE | re.MULTILINE)
_IMAP_COMMAND: Final = re.compile(rb"^[A-Za-z0-9.+*_$-]{1,40} STARTTLS\r?$", re.IGNORECASE | re.MULTILINE)
_START: Final = re.compile(rb"^STARTTLS\r?$", re.IGNORECASE | re.MULTILINE)
_STLS: Final = re.compile(rb"^STLS\r?$", re.IGNORECASE | re.MULTILINE)
_AUTH: Final = re.compile(rb"^AUTH (?:TLS|SSL|TLS-C|TLS-P)\r?$", re.IGNORECASE | re.MULTILINE)
_EHLO: Final = re.compile(rb"^(?:EHLO|HELO)\b", re.IGNORECASE | re.MULTILINE)
_LHLO: Final = re.compile(rb"^LHLO\b", re.IGNORECASE | re.MULTILINE)
_IRC: Final = re.compile(rb"^(?::\S+ )?(?:NOTICE|670|691|CAP|020) ", re.MULTILINE)

#: The name of what asks for TLS, by protocol.
COMMANDS: Final = {
    **dict.fromkeys(("smtp", "lmtp", "imap", "nntp", "irc", "managesieve"), "STARTTLS"),
    "pop3": "STLS",
    "ftp": "AUTH TLS",
    "ldap": "StartTLS",
    "xmpp": "starttls",
    "postgresql": "SSLRequest",
    "mysql": "SSL request",
    "rdp": "negotiation request",
}
#: What asks for TLS, by protocol; where it is not listed the stream's first bytes do.
_ASKS: Final = {
    "smtp": _START,
    "lmtp": _START,
    "nntp": _START,
    "irc": _START,
    "managesieve": _START,
    "imap": _IMAP_COMMAND,
    "pop3": _STLS,
    "ftp": _AUTH,
    "ldap": re.compile(re.escape(LDAP_START_TLS)),
    "xmpp": re.compile(rb"<starttls"),
    "http-upgrade": _UPGRADE,
    "postgresql": re.compile(re.escape(POSTGRESQL_REQUEST)),
}
#: How a server answers, by protocol: the group is there where it declines. RFC 3207 §4, RFC 2595 §3 and §4, RFC 4217
#: §4, RFC 4642 §2.2, RFC 5804 §2.2, RFC 6120 §5.4.2, IRCv3's tls extension, RFC 9110 §9.3.6, RFC 2817 §3.
_ANSWERS: Final = {
    "smtp": re.compile(rb"^(?:220|((?:4|5)\d\d))[ -]", re.MULTILINE),
    "lmtp": re.compile(rb"^(?:220|((?:4|5)\d\d))[ -]", re.MULTILINE),
    "ftp": re.compile(rb"^(?:234|334|((?:4|5)\d\d))[ -]", re.MULTILINE),
    "nntp": re.compile(rb"^(?:382|((?:4|5)\d\d)) ", re.MULTILINE),
    "pop3": re.compile(rb"^(?:\+OK|(-ERR))", re.MULTILINE),
    "managesieve": re.compile(rb"^(?:OK|(NO|BYE))\b", re.IGNORECASE | re.MULTILINE),
    "xmpp": re.compile(rb"<proceed|(<failure|<stream:error)"),
    "irc": re.compile(rb" (?:670|(691|421)) "),
    "http-connect": re.compile(rb"^HTTP/1\.[01] (?:[12]\d\d|([3-5]\d\d))", re.MULTILINE),
    "http-upgrade": re.compile(rb"^HTTP/1\.[01] (?:101|([2-5]\d\d))", re.MULTILINE),
}
#: Lines that only a server says first: a client's words do not begin so.
_SERVERS: Final = b'123456789+*:"'

#: RFC 1928 §6.
_SOCKS5_REPLIES: Final = {
    1: "general failure",
    2: "not allowed by the ruleset",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "TTL expired",
    7: "command not supported",
    8: "address type not supported",
}
#: MS-RDPBCGR 2.2.1.2.2.
_RDP_FAILURES: Final = {
    1: "SSL_REQUIRED_BY_SERVER: the server wants TLS, which the client did not offer",
    2: "SSL_NOT_ALLOWED_BY_SERVER: the server is set to standard RDP security, without TLS",
    3: "SSL_CERT_NOT_ON_SERVER: the server has no certificate",
    4: "INCONSISTENT_FLAGS: what the client offers contradicts itself",
    5: "HYBRID_REQUIRED_BY_SERVER: the server wants network level authentication (CredSSP)",
    6: "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER: the server wants TLS with the user's certificate",
}
#: RFC 4511 §4.1.9, those that RFC 4511 §4.14.2 names first.
_LDAP_RESULTS: Final = {
    1: "operationsError",
    2: "protocolError",
    8: "strongerAuthRequired",
    10: "referral",
    50: "insufficientAccessRights",
    52: "unavailable",
    53: "unwillingToPerform",
}
_LDAP_ANSWER: Final = re.compile(
    rb"\x02[\x01-\x04].{1,4}?\x78(?:[\x00-\x7f]|\x81.|\x82..|\x84....)\x0a\x01(.)", re.DOTALL
)


class Declined(NamedTuple):
    """A server's refusal to begin TLS: the protocol, where the client asked for it, and the answer in words.

    ``asked`` is an offset into what the client said, ``at`` into what the server said.
    """

    protocol: str
    asked: int
    says: str
    at: int


def protocol_before(client: bytes, server: bytes) -> str | None:
    """Return the protocol that led to TLS, or would have, by what ``client`` and ``server`` said first; None if none.

    A header of the PROXY protocol is named only where nothing follows it.
    """
    header = proxy_header(client)
    rest = client[header:] if header > 0 else client
    found = _by_bytes(rest, server) or _by_text(rest, server)
    if found is None and header > 0:
        return "proxy-v2" if client.startswith(PROXY_V2) else "proxy-v1"
    return found


def proxy_header(data: bytes) -> int:
    """Return the length of the PROXY protocol's header that ``data`` begins with; 0 where it does not."""
    if data.startswith(PROXY_V2) and len(data) >= 16:
        return 16 + (data[14] << 8 | data[15])
    if data.startswith(b"PROXY "):
        match = _PROXY_V1.match(data)
        return match.end() if match is not None else 0
    return 0


def may_ask(said: bytes) -> bool:
    """Whether a side's first words ask for TLS, or for a tunnel."""
    if said.startswith(b"HTTP/"):  # most of what is not TLS: a server's answer
        return False
    if said[:1] in (b"\r", b"P"):
        said = said[proxy_header(said) :]
    if len(said) == 0 or said[0] in _SERVERS:
        return False
    first = said[0]
    if first == 0x30:
        return LDAP_START_TLS in said
    if first == 0:
        return POSTGRESQL_REQUEST in said[:16]
    if first < 32:
        return (first == 3 and len(said) >= 11 and said[5] == 0xE0) or ((first == 4 or first == 5) and len(said) >= 3)
    if said.startswith((b"CONNECT ", AMQP_TLS)):
        return True
    if b"TLS" not in said and b"tls" not in said and b"SSL" not in said:
        return False
    if b"<starttls" in said:
        return b"features" not in said
    found = _START.search(said) or _STLS.search(said) or _AUTH.search(said) or _IMAP_COMMAND.search(said)
    return found is not None or _UPGRADE.search(said) is not None


def asked_at(protocol: str, client: bytes) -> int:
    """Return where in its words the client asks for TLS (or for the tunnel), or -1."""
    pattern = _ASKS.get(protocol)
    if pattern is None:
        return proxy_header(client)
    found = pattern.search(client)
    return -1 if found is None else found.start()


def declined(client: bytes, server: bytes, pieces: list[tuple[int, int, int]], side: int) -> Declined | None:
    """Return how a server declined TLS, or None where it did not.

    ``pieces`` tell in which order the words came: side, offset, frame of each; ``side`` is the client's.
    """
    protocol = protocol_before(client, server)
    if protocol is None:
        return None
    asked = asked_at(protocol, client)
    if asked < 0:
        return None
    place = max((number for number, (who, at, _) in enumerate(pieces) if who == side and at <= asked), default=-1)
    heard = next((at for who, at, _ in pieces[place + 1 :] if who != side), len(server))
    found = refusal(protocol, client, server[heard:])
    return None if found is None else Declined(protocol, asked, found[0], heard + found[1])


def refusal(protocol: str, client: bytes, server: bytes) -> tuple[str, int] | None:
    """Return the words with which a server declined TLS in ``protocol``, and where they stand; None if it did not.

    ``server`` is what it said after the client had asked.
    """
    pattern = _ANSWERS.get(protocol)
    if protocol == "imap":
        command = _IMAP_COMMAND.search(client)
        tag = b"" if command is None else command[0].split(b" ")[0]
        pattern = re.compile(rb"^" + re.escape(tag) + rb" (?:OK|(NO|BAD))\b", re.IGNORECASE | re.MULTILINE)
    if pattern is None:
        if protocol == "socks5":
            return _socks5_error(server)
        says = _binary_refusal(protocol, client, server)
        return None if says is None else (says, 0)
    found = pattern.search(server)
    if found is None or found[1] is None:
        return None
    end = server.find(b"\n", found.start())
    start = found.start()
    if protocol == "irc":  # its number stands behind the server's name
        start = server.rfind(b"\n", 0, start) + 1
    return _text(server[start : end if end > start else len(server)]), start


def _binary_refusal(protocol: str, client: bytes, server: bytes) -> str | None:
    if protocol == "postgresql":
        return "N" if server[:1] == b"N" else _postgresql_error(server)
    if protocol == "rdp":
        return _rdp_refusal(client, server)
    if protocol == "ldap":
        return _ldap_error(server)
    if protocol == "socks4":
        if len(server) >= 2 and server[0] == 0 and 0x5B <= server[1] <= 0x5D:
            return f"request rejected or failed ({server[1]})"
        return None
    if protocol == "amqp" and len(server) >= 8 and server[:4] == b"AMQP" and server[4] != 2:
        return f"the header of protocol id {server[4]}, without TLS"
    return None


def _text(words: bytes) -> str:
    return words[:200].decode("utf-8", "backslashreplace").strip()


def _by_bytes(client: bytes, server: bytes) -> str | None:
    """Tell protocols of binary form."""
    if client.startswith((POSTGRESQL_REQUEST, POSTGRESQL_GSS)):
        return "postgresql"
    if LDAP_START_TLS in client and client[:1] == b"\x30":
        return "ldap"
    if len(server) > 6 and server[3] == 0 and server[4] == 10 and 32 <= server[5] < 127:
        return "mysql"  # a packet of sequence 0 with protocol version 10 and the server's version as text
    if len(client) >= 11 and client[0] == 3 and client[1] == 0 and client[5] == 0xE0:
        return "rdp"  # TPKT (RFC 1006 §6) with an X.224 connection request
    if len(client) >= 9 and client[0] == 0x12 and client[1] in (0, 1):
        return "tds"  # PRELOGIN, MS-TDS 2.2.3.1.1
    if client.startswith(AMQP_TLS):
        return "amqp"
    if len(client) >= 3 and client[0] == 5 and 1 <= client[1] <= 16 and len(server) >= 2 and server[0] == 5:
        return "socks5"  # RFC 1928 §3
    if len(client) >= 9 and client[0] == 4 and client[1] in (1, 2) and server[:1] in (b"", b"\x00"):
        return "socks4"
    return None


def _by_text(client: bytes, server: bytes) -> str | None:
    """Tell protocols of lines."""
    if _CONNECT.match(client):
        return "http-connect"
    if _UPGRADE.search(client) or _UPGRADE.search(server):
        return "http-upgrade"
    if b"<starttls" in client or b"<stream:stream" in client:
        return "xmpp"
    if server.startswith(b"+OK") or _STLS.search(client):
        return "pop3"
    if server.startswith((b"* OK", b"* PREAUTH", b"* BYE")) or _IMAP_COMMAND.search(client):
        return "imap"
    if server.startswith(b"INFO {"):
        return "nats"
    if server[:1] == b'"' and b'"IMPLEMENTATION"' in server.upper():
        return "managesieve"
    if _LHLO.search(client):
        return "lmtp"
    if _AUTH.search(client):
        return "ftp"
    if _EHLO.search(client):
        return "smtp"
    if not _START.search(client):
        return "irc" if client.startswith((b"CAP ", b"NICK ")) and _IRC.search(server) else None
    if server[:3] in (b"200", b"201"):
        return "nntp"
    return "smtp" if server.startswith(b"220") else "irc"


def _postgresql_error(server: bytes) -> str | None:
    """Return the message of an ErrorResponse, or the bare text that servers before protocol 3 give."""
    if server[:1] != b"E":
        return None
    found = server.find(b"\0M")
    words = server[found + 2 :] if found > 0 else server[1:]
    end = words.find(b"\0")
    return _text(words[: end if end >= 0 else len(words)])


def _rdp_refusal(client: bytes, server: bytes) -> str | None:
    """Return RDP's negotiation failure, or that a server took no notice of the client's wish for TLS.

    MS-RDPBCGR 2.2.1.1 and 2.2.1.2, behind TPKT and X.224's connection request and confirm.
    """
    if len(server) < 11 or server[0] != 3 or server[5] != 0xD0:
        return None
    wanted = client[-8:]
    if len(client) < 19 or wanted[0] != 1 or not wanted[4] & 0x0B:
        return None
    if len(server) < 19:
        return "no answer to the negotiation request: standard RDP security, without TLS" if server[4] == 6 else None
    code = int.from_bytes(server[15:19], "little")
    if server[11] == 3:
        return f"negotiation failure {code}, {_RDP_FAILURES.get(code, 'which is not in MS-RDPBCGR')}"
    return "standard RDP security, without TLS" if server[11] == 2 and code == 0 else None


def _ldap_error(server: bytes) -> str | None:
    """Return the result of an ExtendedResponse that is no success, and its diagnostic message (RFC 4511 §4.12)."""
    found = _LDAP_ANSWER.search(server)
    if found is None or found[1] == b"\0":
        return None
    code = found[1][0]
    at = found.end()
    if at + 1 < len(server) and server[at] == 4 and server[at + 1] < 128:
        at += 2 + server[at + 1]  # matchedDN
    words = ""
    if at + 1 < len(server) and server[at] == 4 and server[at + 1] < 128:
        words = _text(server[at + 2 : at + 2 + server[at + 1]])
    name = f"{_LDAP_RESULTS.get(code, 'result')} ({code})"
    return f"{name}: {words}" if words else name


def _socks5_error(server: bytes) -> tuple[str, int] | None:
    """Return why (and in which of its bytes) a SOCKS 5 proxy opened no way: RFC 1928 §3 and §6, RFC 1929 §2."""
    if len(server) < 2 or server[0] != 5:
        return None
    if server[1] == 0xFF:
        return "no acceptable authentication method", 0
    at = 2
    if server[1] == 2:
        if len(server) >= 4 and server[3] != 0:
            return "user name and password are not accepted", 2
        at = 4
    if len(server) < at + 2 or server[at] != 5 or server[at + 1] == 0:
        return None
    code = server[at + 1]
    return f"reply {code}, {_SOCKS5_REPLIES.get(code, 'which RFC 1928 does not list')}", at
