"""What a log is to its reader: lines in, connections out; and which kinds of logs there are, by their content."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Protocol

from msgspec import Struct

from tlsalert.model import Certificate, Connection
from tlsalert.sources.other_traces import OTHER_TRACES
from tlsalert.wire.conversation import Conversation
from tlsalert.wire.transcript import Keeping


class Log(Protocol):
    """One kind of log in the making: it is fed line by line and gives what has ended.

    A log gives conversations where it holds bytes, and connections, complete but for clocks and verdict, where it holds
    words alone. Their numbers count from 0 in the order of their first lines.
    """

    #: Whether its lines carry times; known once some were read.
    timed: bool
    #: The first and the last time in it, nanoseconds since 1970 (UTC), or None.
    began: int | None
    ended: int | None
    #: The client's certificate where the log shows it apart from a handshake, leaf first.
    chain: tuple[Certificate, ...]

    def line(self, text: bytes, number: int) -> None:
        """Take line ``number`` (from 1), without its end."""

    def take(self) -> Sequence[Conversation | Connection]:
        """Return what has ended since the last call."""

    def finish(self) -> None:
        """Say that there are no more lines: what is open has ended, too."""

    def notes(self) -> Sequence[str]:
        """Return what is to be said of the log as a whole."""


class Kind(Struct, frozen=True):
    """A kind of log: its name, what one of its lines matches, and the module whose ``open_log`` makes its Log.

    ``open_log(source, keeping)`` gets the file's name and whether protected records are kept for decryption.
    """

    name: str
    sign: re.Pattern[bytes]
    module: str

    def open(self, source: str, keeping: Keeping) -> Log:
        """Return a fresh log of this kind."""
        make: Callable[[str, Keeping], Log] = import_module(self.module).open_log
        return make(source, keeping)


#: A call that returned, or one that did not yet, with or without process and time before it (strace(1)).
STRACE = re.compile(
    rb"^(?:\[pid +\d+(?:<[^>]*>)?\] |\d{1,7}(?:<[^>]*>)? +)?"
    rb"(?:\d\d:\d\d:\d\d\S* +|\d{9,11}\S* +)? *(?:\(?\+? *\d+\.\d{3,}\)? +)?"
    rb"(?:\[[ \da-f?]+\] +){0,2}"
    rb"(?:[a-z_]\w*\((?:[^)].*)?(?:\) += (?:-?\d+|0x[0-9a-f]+|\?)(?:<.*>)?(?: [A-Z(<].*)?|<unfinished \.\.\.>)$"
    rb"|<\.\.\. \w+ resumed>|(?:strace: )?Process \d+ attached"
    rb"|--- SIG[A-Z0-9_]+ \{si_signo|\+\+\+ exited with \d+ \+\+\+)"
)

#: The kinds of logs, those first whose signs are surest.
KINDS: tuple[Kind, ...] = (
    *(Kind(name, re.compile(sign), "tlsalert.sources.other_traces") for name, sign in OTHER_TRACES.items()),
    Kind("strace", STRACE, "tlsalert.sources.strace"),
    Kind(
        "openssl s_client or s_server",
        re.compile(
            rb"^(?:CONNECTED\([0-9A-Fa-f]{8}\)"
            rb"|(?:read from|write to) (?:0x)?[0-9A-Fa-f]+ \[(?:0x)?[0-9A-Fa-f]+\] \(\d+ bytes"
            rb"|(?:>>>|<<<) (?:TLS|DTLS|SSL|\?\?\?|Not TLS).*\[length [0-9a-fA-F]{4}"
            rb"|SSL_(?:connect|accept):\S+ |SSL3 alert (?:read|write):|verify depth is \d+"
            rb"|(?:Sent|Received) (?:TLS )?Record\r?$|ACCEPT\r?$|-----BEGIN SSL SESSION PARAMETERS-----"
            rb"|\S{0,200}[$#%>] .{0,1000}\bopenssl[-.\w]*\s+s_(?:client|server)\b|openssl\s+s_(?:client|server)\s)"
        ),
        "tlsalert.sources.openssl_text",
    ),
    Kind(
        "curl -v, --trace or --trace-ascii",
        re.compile(
            rb"^(?:\d\d:\d\d:\d\d\.\d{6} )?(?:\[\d+-[\dx]+\] )?(?:\*|== Info:)\s+(?:Trying [\[0-9a-fA-F]|Connected to |"
            rb"\S+ \((?:IN|OUT)\), TLS |SSLv\d, TLS |NSS: |NSS error )"
        ),
        "tlsalert.sources.curl_text",
    ),
    Kind(
        "gnutls-cli or gnutls-serv, -d 4 and more",
        re.compile(
            rb"^(?:\|<\d+>\| (?:HSK|REC|EXT|ASSERT)|Processed \d+ CA certificate|- Certificate type: X\.509"
            rb"|Connecting to ')"
        ),
        "tlsalert.sources.gnutls_text",
    ),
    Kind(
        "Java with -Djavax.net.debug",
        re.compile(
            rb"^(?:javax\.net\.ssl\|[A-Z]+\||\*\*\* (?:ClientHello|ServerHello), "
            rb"|.{0,200}, (?:READ|WRITE): (?:TLS|SSL)v\S+ |\[Raw (?:read|write)\]: length = )"
        ),
        "tlsalert.sources.jsse_text",
    ),
    Kind(
        "server",
        re.compile(
            rb"LOG[0-7]\[[^\]]*\]: "  # stunnel
            rb"|\[(?:debug|info|notice|warn|error|crit)\] \d+#\d+: "  # nginx
            rb"|\[(?:[a-z0-9_]+:)?(?:error|warn|notice|info|debug)\] "
            rb"(?:\[(?:pid|client) |mod_ssl)|\bAH0\d{4}: "  # Apache
            rb"|\b(?:haproxy|dovecot|stunnel\d?|ovpn-\S+|openvpn)(?:\[\d+\])?: "
            rb"|\bpostfix[\w-]*/[\w/-]+\[\d+\]: "
            rb"|\b(?:imap|pop3|managesieve|submission)-login: "
            rb"|VERIFY (?:OK|ERROR): depth=|\bTLS Error: |OpenVPN \d\.\d"
        ),
        "tlsalert.sources.server_log",
    ),
)
#: What is taken for a log of single error lines where a file shows no kind at all: any word of an alert.
LAST = Kind(
    "error lines",
    re.compile(
        rb"(?i)\balert\b.{0,80}\b(?:bad|unknown|expired|revoked|failure|unsupported|denied|version|required|number|"
        rb"error|internal|message|code|\d+)|(?:sslv3|tlsv1|tlsv13|tls)[ _]alert|SSL routines:|remote error: tls|"
        rb"fatal alert|SSL_ERROR_\w+_ALERT|tls: failed to verify (?:client )?certificate: x509|"
        rb"^Error in handshake: |^\s*code: '(?:CERT|UNABLE|DEPTH_ZERO|SELF_SIGNED|INVALID_(?:CA|PURPOSE)|"
        rb"ERR_TLS_CERT)_?\w*'"
    ),
    "tlsalert.sources.server_log",
)


def kind_of(line: bytes) -> Kind | None:
    """Return the kind of log that a line is a sign of."""
    for kind in KINDS:
        if kind.sign.search(line):
            return kind
    return None
