"""nginx's error log: what its servers and its upstream connections say of TLS.

The lines are made in src/core/ngx_log.c, src/event/ngx_event_openssl.c (ngx_ssl_connection_error),
src/http/ngx_http_request.c (ngx_http_ssl_handshake_handler, ngx_http_process_request) and, for upstreams,
src/http/ngx_http_upstream.c; stream and mail have the same words. A connection is numbered: "26899#26899: *15".
A certificate that does not verify is refused inside TLS, with HTTP 400 (495 and 496 in nginx's own counting).
"""

from __future__ import annotations

import re
from typing import Final

from tlsalert.model import Objection, Side
from tlsalert.registry.verify_errors import by_code
from tlsalert.sources.stamps import Entry
from tlsalert.sources.talks import Talks, endpoint
from tlsalert.sources.teller import Teller

SIGN: Final = re.compile(r"\[(?:debug|info|notice|warn|error|crit|alert|emerg)\] (\d+)#(\d+): (?:\*(\d+) )?")

_VERIFY: Final = re.compile(r"(client|upstream) SSL certificate verify error: \((\d+):([^)]*)\)")
_NONE_SENT: Final = re.compile(r"client sent no required SSL certificate")
_FAILED: Final = re.compile(r"SSL_do_handshake\(\) failed|SSL_(?:read|write|shutdown|early_data)\w*\(\) failed")
_PLAIN: Final = re.compile(r"client sent plain HTTP request to HTTPS port|plain HTTP request")
_NAME: Final = re.compile(r"upstream SSL certificate does not match \"([^\"]*)\"")
_CLOSED: Final = re.compile(
    r"(client|peer|upstream)[^,]*? closed (?:connection|prematurely)?.*?(?:in|while) SSL handshak"
)
_RESET: Final = re.compile(r"\(104: |reset by peer")
_TIMED_OUT: Final = re.compile(r"(client|upstream|peer) timed out .*while SSL handshak")
_UPSTREAM: Final = re.compile(r"to upstream|, upstream: \"")
_STEPS: Final = re.compile(r"(SSL_do_handshake: -?\d+|SSL handshake handler|SSL: (TLSv\S+), cipher: \"(\S+) )")
_OCSP: Final = re.compile(r"client SSL certificate (?:status|OCSP).*(?:revoked)|certificate status \"revoked\"")
_CLIENT: Final = re.compile(r", client: ([^,\s]+)")
_SERVER: Final = re.compile(r", server: ([^,\s]+:\d+)")
_ADDRESS: Final = re.compile(r", upstream: \"(?:[a-z]+://)?(\[[0-9a-fA-F:.]+\]:\d+|[^\"/:]+:\d+)")
_ENDED: Final = re.compile(r"close http connection: ")


class NginxLog:
    """Takes nginx's lines: those of clients are told by the server, those of upstreams by the client that nginx is."""

    name = "nginx"

    def __init__(self, talks: Talks) -> None:
        self._talks = talks

    def takes(self, entry: Entry) -> bool:
        """Whether a line is one of nginx's."""
        return SIGN.match(entry.text) is not None

    def line(self, entry: Entry, number: int) -> None:
        """Take a line."""
        sign = SIGN.match(entry.text)
        if sign is None:
            return
        said = entry.text[sign.end() :]
        side: Side = "client" if _UPSTREAM.search(said) is not None else "server"
        key = f"nginx {entry.host} {sign[1]} {sign[3] or sign[2]} {side}"
        talk = self._talks.get(key)
        if _ENDED.match(said) is not None:
            self._talks.end(f"nginx {entry.host} {sign[1]} {sign[3] or sign[2]} server")
            return
        if (found := _STEPS.search(said)) is not None and found[2] is not None:
            talk = self._talks.reach(key, "nginx", number, entry.time, side)
            self._negotiated(talk, found[2], found[3])
            return
        if not self._tells(said):
            return
        if talk is not None and (talk.refused or talk.over):  # keep-alive to an upstream begins anew with each try
            self._talks.end(key)
        talk = self._talks.reach(key, "nginx", number, entry.time, side)
        self._peers(talk, said, side)
        self._say(talk, said, side)
        if talk.refused or talk.over:
            self._talks.end(key)

    def _negotiated(self, talk: Teller, version: str, cipher: str) -> None:
        from tlsalert.sources.teller import told_suite, told_version

        talk.version, talk.suite = told_version(version), told_suite(cipher)
        talk.done()

    def _tells(self, said: str) -> bool:
        told = (_VERIFY, _NONE_SENT, _FAILED, _PLAIN, _NAME, _CLOSED, _TIMED_OUT, _OCSP)
        return ("SSL" in said or "HTTPS" in said) and any(pattern.search(said) is not None for pattern in told)

    def _peers(self, talk: Teller, said: str, side: Side) -> None:
        if side == "server":
            if (found := _CLIENT.search(said)) is not None:
                talk.notes.append(f"the client is {found[1].rstrip(',')}; its port is not in the log")
            if (found := _SERVER.search(said)) is not None and (own := endpoint(found[1])) is not None:
                talk.peer("server", *own)
        elif (found := _ADDRESS.search(said)) is not None and (peer := endpoint(found[1])) is not None:
            talk.peer("server", *peer)

    def _say(self, talk: Teller, said: str, side: Side) -> None:
        if (found := _VERIFY.search(said)) is not None:
            inside = side == "server"
            if inside:
                talk.done()
            talk.verify_error(by_code(int(found[2][:4])), found[3], inside=inside)
        elif _NONE_SENT.search(said) is not None:
            talk.done()
            talk.none_sent()
            talk.object(Objection(_NONE_SENT.pattern, talk.here, "no_client_certificate", inside=True))
        elif (found := _NAME.search(said)) is not None:
            talk.object(Objection(found[0], talk.here, "name_mismatch", True))
        elif _OCSP.search(said) is not None:
            talk.object(Objection(_OCSP.search(said)[0], talk.here, "certificate_revoked", True, inside=True))  # type: ignore[index]
        elif _PLAIN.search(said) is not None:
            talk.object(Objection("client sent plain HTTP request to HTTPS port", talk.here, "not_tls"))
        elif (found := _CLOSED.search(said)) is not None or (found := _TIMED_OUT.search(said)) is not None:
            talk.spoke = True
            if _TIMED_OUT.search(said) is not None:
                talk.notes.append("the other side did not answer in time, says the log")
            else:
                talk.gone("rst" if _RESET.search(said) is not None else "fin")
            talk.over = True
        else:
            if not talk.errors(said) and _RESET.search(said) is not None:
                talk.gone("rst")
            talk.spoke = talk.over = True
