"""What was spoken before TLS: the protocol, by the first bytes of both sides.

TLS begins inside another protocol after a command (STARTTLS and its kin), after a proxy has opened the way, or after
a header that a proxy puts before everything. Each protocol is told by its own greeting or request, never by a port.
"""

from __future__ import annotations

import re
from typing import Final

#: PROXY protocol version 2 (haproxy's doc/proxy-protocol.txt, 2.2).
PROXY_V2: Final = b"\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a"
#: The object identifier of LDAP's StartTLS, RFC 4511 §4.14.
LDAP_START_TLS: Final = b"1.3.6.1.4.1.1466.20037"
#: PostgreSQL's SSLRequest: length 8 and the code 80877103 (its manual, "Message Formats").
POSTGRESQL_REQUEST: Final = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
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

#: Answers by which a server declines TLS, by protocol: RFC 3207 §4, RFC 2595 §3 and §4, RFC 4217 §4, RFC 4642 §2.2,
#: RFC 5804 §2.2, RFC 6120 §5.4.2.2, IRCv3's tls extension, PostgreSQL's and MS-RDPBCGR 2.2.1.2.2.
_REFUSALS: Final = {
    "smtp": re.compile(rb"^(?:4|5)\d\d[ -]", re.MULTILINE),
    "lmtp": re.compile(rb"^(?:4|5)\d\d[ -]", re.MULTILINE),
    "ftp": re.compile(rb"^(?:4|5)\d\d[ -]", re.MULTILINE),
    "nntp": re.compile(rb"^(?:4|5)\d\d ", re.MULTILINE),
    "imap": re.compile(rb"^[A-Za-z0-9.+*_$-]{1,40} (?:NO|BAD)\b", re.IGNORECASE | re.MULTILINE),
    "pop3": re.compile(rb"^-ERR", re.MULTILINE),
    "managesieve": re.compile(rb"^(?:NO|BYE)\b", re.IGNORECASE | re.MULTILINE),
    "xmpp": re.compile(rb"<failure"),
    "irc": re.compile(rb" (?:691|421) "),
    "http-connect": re.compile(rb"^HTTP/1\.[01] (?!2\d\d)\d\d\d", re.MULTILINE),
    "http-upgrade": re.compile(rb"^HTTP/1\.[01] (?!101)\d\d\d", re.MULTILINE),
}


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


def refusal(protocol: str, client: bytes, server: bytes) -> str | None:
    """Return the words with which a server declined TLS in ``protocol``; None where it did not."""
    if protocol == "postgresql":
        return "N" if server[:1] == b"N" else _postgresql_error(server)
    if protocol == "rdp":
        return _rdp_failure(server)
    if protocol == "socks4" and len(server) >= 2 and server[0] == 0 and 0x5B <= server[1] <= 0x5D:
        return f"request rejected or failed ({server[1]})"
    if protocol == "socks5" and len(server) >= 4 and server[0] == 5 and server[2:3] == b"\x05" and server[3] > 0:
        return f"reply {server[3]}"
    pattern = _REFUSALS.get(protocol)
    found = pattern.search(server) if pattern is not None else None
    if found is None:
        return None
    end = server.find(b"\n", found.start())
    return server[found.start() : end if end > 0 else len(server)].decode("utf-8", "backslashreplace").strip()[:200]


def _by_bytes(client: bytes, server: bytes) -> str | None:
    """Tell protocols of binary form."""
    if client.startswith(POSTGRESQL_REQUEST):
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
    """Return an ErrorResponse's text, which very old servers give in place of S or N."""
    if server[:1] != b"E":
        return None
    return server[1:200].decode("utf-8", "backslashreplace").strip("\0\n ")


def _rdp_failure(server: bytes) -> str | None:
    """Return RDP's negotiation failure: MS-RDPBCGR 2.2.1.2.2, behind TPKT and X.224's connection confirm."""
    if len(server) < 19 or server[0] != 3 or server[5] != 0xD0 or server[11] != 3:
        return None
    return f"negotiation failure {int.from_bytes(server[15:19], 'little')}"
