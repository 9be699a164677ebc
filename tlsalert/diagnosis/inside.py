"""What the server's first HTTP answer inside TLS says: some let every handshake finish and refuse certificates there.

Pages are known by the words that their servers put into them: nginx (src/http/ngx_http_special_response.c), IIS (its
list of substatus codes, https://learn.microsoft.com/troubleshoot/iis/http-status-code), Apache's mod_ssl
(modules/ssl/ssl_engine_kernel.c), Tomcat and JBoss Web (the authenticator's messages), Kong's mtls-auth. OpenBMC's
bmcweb asks for a certificate, accepts any, and answers 401 where it logs nobody in.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from tlsalert.diagnosis.ending import Ending, certificate_asked, certificate_sent
from tlsalert.diagnosis.plain import first_line
from tlsalert.model import Connection, Position

NO_CERTIFICATE: Final = "no_client_certificate"
#: Causes among which a page that names them lets choose.
_DATES: Final = frozenset({"certificate_expired", "certificate_not_yet_valid"})
_REVOKED: Final = frozenset({"certificate_revoked", "revocation_status_unavailable"})
_UNTRUSTED: Final = frozenset(
    {
        "unknown_ca",
        "chain_incomplete",
        "chain_invalid",
        "bad_certificate_signature",
        "wrong_certificate_usage",
        "weak_certificate",
        "certificate_not_pinned",
    }
)
_ANY: Final[frozenset[str]] = frozenset()
_NONE_SENT: Final = frozenset({NO_CERTIFICATE})

#: The status, what stands in the answer, the stack that says so where it is one that is known, and what it is about.
_PAGES: Final[tuple[tuple[int, re.Pattern[bytes], str | None, frozenset[str]], ...]] = (
    (400, re.compile(rb"No required SSL certificate was sent"), "nginx", _NONE_SENT),
    (400, re.compile(rb"The SSL certificate error"), "nginx", _ANY),
    (403, re.compile(rb"\b403[.]7\b[^<\r\n]*"), "schannel", _NONE_SENT),
    (403, re.compile(rb"\b403[.]13\b[^<\r\n]*"), "schannel", _REVOKED),
    (403, re.compile(rb"\b403[.]16\b[^<\r\n]*"), "schannel", _UNTRUSTED),
    (403, re.compile(rb"\b403[.]17\b[^<\r\n]*"), "schannel", _DATES),
    (403, re.compile(rb"Cannot perform Post-Handshake Authentication"), None, _NONE_SENT),
    (401, re.compile(rb"No client certificate chain in this request"), None, _NONE_SENT),
    (401, re.compile(rb"No required TLS certificate was sent"), None, _NONE_SENT),
    (401, re.compile(rb"TLS certificate failed verification"), None, _ANY),
)
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?![0-9])")
_INTERIM: Final = re.compile(rb"HTTP/1\.[01] 1[0-9][0-9][ \r].*?\r\n\r\n", re.DOTALL)
#: Headers of a request by which its sender logs in otherwise than with a certificate (RFC 9110 §11.6.2, RFC 6265 §5.4,
#: and the token of Redfish, DSP0266).
_OTHER_LOGIN: Final = re.compile(rb"\r\n(?:(?:proxy-)?authorization|cookie|x-auth-token)[ \t]*:", re.IGNORECASE)
_ENDS_ITSELF: Final = re.compile(rb"\r\n(?:content-length[ \t]*:|transfer-encoding[ \t]*:[^\r]*chunked)", re.IGNORECASE)
UNAUTHORIZED: Final = 401
#: The status codes of answers that may refuse a certificate.
_REFUSING: Final = frozenset((UNAUTHORIZED, *(status for status, *_ in _PAGES)))
#: Status codes of responses that have no body, RFC 9110 §15.3.5, §15.4.5.
_BODILESS: Final = (204, 304)

#: RFC 9113 §4.1, §6.1, §6.2; RFC 7541 §6.1: how a header block begins that says ":status: 400" by the static table.
_H2_HEAD, _H2_DATA, _H2_HEADERS, _H2_PADDED, _H2_PRIORITY, _H2_400 = 9, 0, 1, 0x08, 0x20, 0x8C


class HttpAnswer(Struct, frozen=True):
    """The first answer: its ``status`` and first ``line``.

    ``phrase`` is what it says about the client's certificate where it refuses for its sake; ``among`` are the causes
    that it leaves (empty: any), ``stack`` the family that says so, if that is known. ``whole`` says that the answer
    itself tells where it ends (RFC 9112 §6.3).
    """

    status: int
    line: str
    position: Position | None = None
    phrase: str | None = None
    stack: str | None = None
    among: frozenset[str] = frozenset()
    whole: bool = False

    @property
    def none_sent(self) -> bool:
        """Whether it says that no certificate was sent."""
        return self.among == _NONE_SENT

    @property
    def quote(self) -> str:
        """What it said, as in a sentence."""
        return f"{self.line!r}" if self.phrase is None or self.phrase in self.line else f"{self.line!r}: {self.phrase}"


def http_answer(connection: Connection) -> HttpAnswer | None:
    """Return the first final HTTP answer of the server inside TLS; None where none was decrypted."""
    said = connection.inside[1]
    if connection.alpn == "h2":
        return _http2_answer(connection, said)
    while (interim := _INTERIM.match(said)) is not None:
        said = said[interim.end() :]
    status = _STATUS.match(said)
    if status is None:
        return None
    code, head = int(status[1]), said.partition(b"\r\n\r\n")[0]
    whole = _ENDS_ITSELF.search(head) is not None or code in _BODILESS
    return _answer(connection, code, first_line(said), said, whole)


def may_refuse(said: bytes) -> bool:
    """Whether what a server says inside TLS, from its beginning, may be a refusal of a certificate.

    For those who have no more than these bytes: in whatever protocol, and where it is one only with what the client
    said, it says yes.
    """
    if said.startswith(b"HTTP/1."):
        status = said[9:12]
        return not status.isdigit() or status.startswith(b"1") or int(status) in _REFUSING
    return b"\x8c" in said and _http2_refusal(said) is not None


def refused_inside(connection: Connection) -> HttpAnswer | None:
    """Return the answer with which the server refused the client's certificate, or that it sent none, inside TLS.

    Any other status is the application's business.
    """
    if not connection.inside[1]:
        return None
    answer = http_answer(connection)
    return answer if answer is not None and answer.phrase is not None else None


def ending_inside(answer: HttpAnswer) -> Ending:
    """Return how a connection ended whose handshake succeeded and that was refused by an answer inside it."""
    return Ending("failed", "inside", "http", "server", None, answer.position, quote=answer.quote)


def cut_off(connection: Connection) -> str | None:
    """Say that what a side sent last may be cut off: it closed without a close_notify (RFC 8446 §6.1, RFC 5246 §7.2.1).

    Many leave it out, so it is told only where it can matter: the data was decrypted, and an HTTP answer does not tell
    its own end (RFC 9112 §9.8).
    """
    closed = connection.closed
    if closed.how != "fin" or closed.sender != "server" or any(a.sender == "server" for a in connection.alerts):
        return None
    spoke = any(r.sender == "server" and r.decrypted for r in connection.encrypted_records)
    if not spoke or not connection.inside[1]:
        return None
    answer = http_answer(connection)
    if answer is None or answer.whole:
        return None
    return "the server closed without close_notify, and its answer does not tell its own length: the end may be cut off"


def _answer(connection: Connection, status: int, line: str, said: bytes, whole: bool) -> HttpAnswer:
    records = connection.encrypted_records
    position = next((r.position for r in records if r.sender == "server" and r.decrypted), None)
    plain = HttpAnswer(status, line, position, whole=whole)
    for code, pattern, stack, among in _PAGES:
        found = pattern.search(said) if code == status else None
        if found is not None:
            phrase = found[0].decode("latin-1").strip()
            return HttpAnswer(status, line, position, phrase, stack, among, whole)
    if status == UNAUTHORIZED and _only_certificate(connection):
        phrase = "the certificate was all that the client showed, and nobody is logged in by it"
        return HttpAnswer(status, line, position, phrase, whole=whole)
    return plain


def _only_certificate(connection: Connection) -> bool:
    """Whether the request is there, and its sender had nothing but a certificate to log in with."""
    request = connection.inside[0]
    if not request.partition(b"\r\n")[0].endswith((b" HTTP/1.1", b" HTTP/1.0")) or b"\r\n\r\n" not in request:
        return False
    head = request.partition(b"\r\n\r\n")[0]
    asked = certificate_asked(connection) is True and certificate_sent(connection) is True
    return asked and _OTHER_LOGIN.search(head) is None


def _http2_answer(connection: Connection, said: bytes) -> HttpAnswer | None:
    """Read HTTP/2 as far as it needs no tables: an answer of 400, and what its body says."""
    body = _http2_refusal(said)
    return None if body is None else _answer(connection, 400, "HTTP/2 400", body, True)


def _http2_refusal(said: bytes) -> bytes | None:
    """Return the body of an HTTP/2 answer of 400, or None where there is no such answer."""
    refused, body = False, b""
    at = 0
    while at + _H2_HEAD <= len(said):
        size, kind, flags = int.from_bytes(said[at : at + 3], "big"), said[at + 3], said[at + 4]
        content = said[at + _H2_HEAD : at + _H2_HEAD + size]
        if flags & _H2_PADDED and kind in (_H2_DATA, _H2_HEADERS):
            content = content[1:]
        if kind == _H2_HEADERS:
            block = content[5:] if flags & _H2_PRIORITY else content
            while block and block[0] & 0xE0 == 0x20:  # the table's size changes, RFC 7541 §6.3
                block = block[1:]
            refused = refused or block[:1] == bytes((_H2_400,))
        elif kind == _H2_DATA:
            body += content
        at += _H2_HEAD + size
    return body if refused else None
