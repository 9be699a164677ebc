"""Lines that name an alert, by word or number, each program in its own way; the direction is part of it."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from tlsalert.understanding import alert_names
from tlsalert.understanding.kinds import Direction, Understood


class Form(NamedTuple):
    """One way to say it. The pattern's groups: ``name``, ``number``, ``pair`` (level and number as one), ``way``."""

    needle: str
    pattern: str
    program: str | None
    stack: str | None
    direction: Direction | None


NAME = "(?P<name>@)"
NUMBER = r"(?P<number>\d{1,3})"
FORMS: tuple[Form, ...] = (
    # OpenSSL, ssl/record/rec_layer_s3.c: the error's data.
    Form("alert number", r"ssl alert number (?P<number>\d{1,3})", "OpenSSL", "openssl", "received"),
    Form("reason(1", r"reason\(1(?P<number>\d{3})\)", "OpenSSL", "openssl", "received"),
    # The info callback: apps/s_cb.c "SSL3 alert read:fatal:bad certificate"; stunnel "SSL alert (read): fatal: …".
    Form("alert", r"(?:ssl3?|tls) alert[ (]*(?P<way>read|write)\)?: ?(?:fatal|warning): ?" + NAME, "OpenSSL", "openssl", None),
    Form("where=0x400", r"where=0x400(?P<way>4|8), ret=(?P<pair>\d+)", "Dovecot", "openssl", None),
    # s_client -msg, and -trace.
    Form("alert", r"(?P<way><<<|>>>) [^,]*, (?:length \d+, )?alert.*?(?:fatal|warning) " + NAME, "OpenSSL", "openssl", None),
    Form("level=", r"level=(?:fatal|warning)\(\d\), description=" + NAME + r"\(" + NUMBER + r"\)", "OpenSSL", "openssl", None),
    # curl -v, lib/vtls/openssl.c: "TLSv1.3 (IN), TLS alert, bad certificate (554):"
    Form("tls alert,", r"\((?P<way>in|out)\), tls alert, [a-z0-9_ ]+\((?P<pair>\d{3})\)", "curl", "openssl", None),
    Form("tls alert,", r"\((?P<way>in|out)\), tls alert, " + NAME, "curl", "openssl", None),
    # GnuTLS: lib/alert.c, src/cli.c, lib/record.c's debug.
    Form("received alert [", r"received alert \[(?P<number>\d{1,3})\]", "GnuTLS", "gnutls", "received"),
    Form("received an alert", r"received an alert:? *\[?(?P<number>\d{1,3})\]?", "GnuTLS", "gnutls", "received"),
    Form("alert[", r"alert\[\d\|(?P<number>\d{1,3})\].*?(?P<way>was received|received|sending|sent)", "GnuTLS", "gnutls", None),
    Form("alert[", r"(?P<way>send|sending|sent)\w* alert\[\d\|(?P<number>\d{1,3})\]", "GnuTLS", "gnutls", None),
    Form("fatal alert has been received", r"alert has been received\.?:? *" + NAME, "GnuTLS", "gnutls", "received"),
    Form("gnutls", r"gnutls_handshake[^:]*: *(?:fatal: *)?" + NAME + "$", "GnuTLS", "gnutls", "received"),
    # wolfSSL: the alert history that applications print; its debug log.
    Form("last_rx", r"last_rx[^0-9]*(?:code)?[ =:]*(?P<number>\d{1,3})", "wolfSSL", "wolfssl", "received"),
    Form("last_tx", r"last_tx[^0-9]*(?:code)?[ =:]*(?P<number>\d{1,3})", "wolfSSL", "wolfssl", "sent"),
    Form("got alert", r"got alert.*?(?P<number>\d{1,3})", "wolfSSL", "wolfssl", "received"),
    Form("sendalert", r"sendalert: (?P<number>\d{1,3})", "wolfSSL", "wolfssl", "sent"),
    Form("alert type:", r"alert type: (?P<number>\d{1,3})", "wolfSSL", "wolfssl", "received"),
    # Mbed TLS's debug, library/ssl_msg.c: "got an alert message, type: [2:42]", "send alert message".
    Form("alert message", r"got an alert message, type: \[\d:(?P<number>\d{1,3})\]", "Mbed TLS", "mbedtls", "received"),
    Form("is a fatal alert message", r"is a fatal alert message \(msg (?P<number>\d{1,3})\)", "Mbed TLS", "mbedtls", "received"),
    Form("send alert", r"send alert level=\d message=(?P<number>\d{1,3})", "Mbed TLS", "mbedtls", "sent"),
    # rustls writes its alerts in one word, Java in small letters.
    Form("received fatal alert", r"received fatal alert: *(?-i:(?=[A-Z]))" + NAME, "rustls", "rustls", "received"),
    # Java: exceptions, both forms of javax.net.debug; Bouncy Castle.
    Form("received fatal alert", r"received fatal alert: *" + NAME, "Java", "java", "received"),
    Form("sslhandshakeexception", r"tlsfatalalertreceived: *" + NAME, "Bouncy Castle", None, "received"),
    Form("tlsfatalalertreceived", r"tlsfatalalertreceived: *" + NAME, "Bouncy Castle", None, "received"),
    Form("tlsfatalalert", r"tlsfatalalert: *" + NAME, "Bouncy Castle", None, "sent"),
    Form("raised fatal", r"raised (?:fatal|warning)\(\d\) " + NAME, "Bouncy Castle", None, "sent"),
    Form("received fatal(", r"received fatal\(\d\) " + NAME, "Bouncy Castle", None, "received"),
    Form("alert:", r"(?P<way>send|recv) [a-z0-9.]+ alert: *(?:fatal|warning), *(?:description *= *)?" + NAME, "Java", "java", None),
    Form("|fatal (", r"\|fatal \(" + NAME + r"\)", "Java", "java", "sent"),
    Form("fatal (", r"fatal \(" + NAME + r"\):", "Java", "java", "sent"),
    # Go, crypto/tls/alert.go
    Form("remote error: tls:", r"remote error: tls: *" + NAME, "Go", "go", "received"),
    Form("remote error:", r"remote error: *" + NAME, "Go", "go", "received"),
    Form("alert(", r"remote error: tls: alert\((?P<number>\d{1,3})\)", "Go", "go", "received"),
    Form("local error: tls:", r"local error: tls: *" + NAME, "Go", "go", "sent"),
    # quic-go and others: CRYPTO_ERROR 0x100 and the alert's number, RFC 9001 §4.8.
    Form("crypto_error", r"crypto_error (?:0x1(?P<hex>[0-9a-f]{2})|\(?0x1(?P<hex2>[0-9a-f]{2})\)?)", "QUIC", None, None),
    # rustls, rustls/src/error.rs and conn.rs
    Form("alertreceived", r"alertreceived\(" + NAME, "rustls", "rustls", "received"),
    Form("tls alert received", r"tls alert received: .*?description: *" + NAME, "rustls", "rustls", "received"),
    Form("sending fatal alert", r"sending fatal alert " + NAME, "rustls", "rustls", "sent"),
    # Schannel, events 36887 and 36888
    Form("fatal alert", r"fatal alert was (?P<way>received|generated)[^.]*: *(?P<number>\d{1,3})", "Schannel", "schannel", None),
    Form("fatal alert code", r"fatal alert code is (?P<number>\d{1,3})", "Schannel", "schannel", "received"),
    Form("fatal error code", r"fatal error code is (?P<number>\d{1,3})", "Schannel", "schannel", "sent"),
    Form("36887", r"36887\D.{0,80}?\b(?:code|alert|error|code:|with)\D{0,12}(?P<number>\d{1,3})\b", "Schannel", "schannel", "received"),
    Form("36888", r"36888\D.{0,80}?\b(?:code|alert|error|code:|with)\D{0,12}(?P<number>\d{1,3})\b", "Schannel", "schannel", "sent"),
    Form("36874", r"36874\D.{0,80}?\b(?:code|alert|error|code:|with)\D{0,12}(?P<number>\d{1,3})\b", "Schannel", "schannel", "sent"),
    # .NET: System.Net.Security on Linux and Windows
    Form("tls alert: '", r"tls alert: '" + NAME + "'", ".NET", None, "received"),
    # Erlang/OTP, lib/ssl/src/ssl_alert.erl
    Form("received ", r"received (?:server|client) alert: (?:fatal|warning) - " + NAME, "Erlang/OTP", "erlang", "received"),
    Form("generated ", r"generated (?:server|client) alert: (?:fatal|warning) - " + NAME, "Erlang/OTP", "erlang", "sent"),
    Form("tls_alert", r"tls_alert *, *\{? *[\"']?" + NAME, "Erlang/OTP", "erlang", None),
    # ssldump, tshark, scapy, Suricata and others that show packets
    Form("alert", r"level\s+(?:fatal|warning)\s+value\s+" + NAME, "ssldump", None, None),
    Form('"description"', r'"description" *: *"' + NAME, "Java", "java", None),
    Form("description:", r"description: *" + NAME + r"(?: *\(" + NUMBER + r"\))?", None, None, None),
    Form("alert", r"alert(?:_message)?[._ ]desc(?:ription)?[\"' ]*[=:]+[\"' ]*(?P<number>\d{1,3})\b", None, None, None),
    Form("alert", r"(?:level|lvl)[ =:(]+\d[),; ]+(?:desc(?:ription|r)?|code)[ =:(]+(?P<number>\d{1,3})", None, None, None),
)  # fmt: skip
OPENSSL = re.compile(r"error:[0-9a-f]{8}|ssl routines|err_ssl_|ssl_r_|\[ssl|reason")
#: An alert of TLS, and not of a monitor.
CONTEXT = re.compile(
    r"ssl|tls|handshake|cert|fatal|schannel|[ _]ca\b|peer|cipher|record.mac|close.notify|decrypt|renegotiat|psk"
)
UNNAMED = re.compile(r"alert[ (]*(read|write)\)?: ?(?:fatal|warning): ?unknown\s*$")
RECEIVED = re.compile(
    r"receiv|\bread\b|recv|\brx\b|\bgot\b|<<<|remote|by peer|from (?:the )?(?:server|client|peer|remote)|\bpeer (?:sent|reported|said|send)|\bincoming\b|\(in\)|alertreceived|sent (?:us )?(?:an? )?alert",
    re.I,
)
SENT = re.compile(r"\bsen[dt]\b|sending|generat|\bwrit|\btx\b|>>>|outgoing|\(out\)|raised|\bto (?:the )?peer", re.I)
WAYS: dict[str, Direction] = {
    "read": "received", "write": "sent", "4": "received", "8": "sent", "<<<": "received", ">>>": "sent", "in": "received",
    "out": "sent", "was received": "received", "received": "received", "recv": "received", "sending": "sent",
    "sent": "sent", "send": "sent", "generated": "sent",
}  # fmt: skip
MEANINGS = {
    "received": "The peer sent this alert; the program that printed the line received it.",
    "sent": "The program that printed the line sent this alert to its peer.",
    None: "The line names this alert; whether it was sent or received is not in it.",
}


def find(line: str, low: str) -> Understood | None:
    """Return the alert that a line names, by the first form that fits; ``low`` is the line in lower case."""
    for form in FORMS:
        if form.needle in low and (match := _compiled(form.pattern).search(line)) and (found := _told(form, match)):
            return found
    return _unnamed(low) or _reason(line, low) or _anywhere(line, low)


def _unnamed(low: str) -> Understood | None:
    """Return what "fatal: unknown" stands for: an alert that SSL_alert_desc_string_long() has no words for."""
    match = UNNAMED.search(low)
    if match is None:
        return None
    words = "OpenSSL has no words for this alert: in TLS 1.3 it is most likely this one."
    also = ((109, "OpenSSL names neither"), (86, "OpenSSL names neither"))
    direction = WAYS[match[1]]
    return Understood(words, "OpenSSL", "openssl>=1.1.1", direction, 116, False, None, None, also)


def _told(form: Form, match: re.Match[str]) -> Understood | None:
    groups = match.groupdict()
    if digits := groups.get("hex") or groups.get("hex2"):
        code = int(digits, 16)
    elif groups.get("number"):
        code = int(groups["number"])
    elif groups.get("pair"):
        code = int(groups["pair"]) & 0xFF
    elif groups.get("name"):
        code = alert_names.number(groups["name"])
    else:
        return None
    if code > 0xFF:
        return None
    direction = WAYS.get((groups.get("way") or "").lower(), form.direction)
    return Understood(MEANINGS[direction], form.program, form.stack, direction, code)


def _reason(line: str, low: str) -> Understood | None:
    """Return the alert that one of OpenSSL's reasons names: "sslv3 alert bad certificate", TLSV1_ALERT_….

    OpenSSL has renamed them twice: "sslv3 alert", "ssl/tls alert", "tls alert"; the version in them says nothing
    of the version in use. All are alerts that were received.
    """
    if "alert" in low or "tlsv1" in low:
        plain = "|tls|ssl" if OPENSSL.search(low) else ""  # the newest name reads like anybody's words
        for pattern in (
            rf"(?:sslv3|tlsv1(?:[._]?3)?|ssl/tls{plain})[ _]alert[ _]" + NAME,
            r"(?:sslv3|tlsv1(?:[._]?3)?|ssl/tls)[ _](?P<name>"
            + "|".join(words.replace(" ", "[ _]") for words in alert_names.WITHOUT_ALERT)
            + ")",
        ):
            if match := _compiled(pattern + "(?![a-z])").search(line):
                code = alert_names.number(match["name"])
                return Understood(MEANINGS["received"], "OpenSSL", "openssl", "received", code)
    return None


def _anywhere(line: str, low: str) -> Understood | None:
    """Return an alert whose name or number stands behind the word "alert", or before it."""
    if "alert" not in low or not CONTEXT.search(low):
        return None
    match = (
        _compiled(
            r"alert[^a-z0-9]*(?:received|sent|message|protocol|code|number|description|desc|level|fatal|warning|error|from|peer|client|server|[^a-z0-9])*[^a-z0-9]*"
            + NAME
            + "(?![a-z])"
        ).search(line)
        or _compiled(r"(?:fatal|warning)[^a-z0-9]+" + NAME + "(?![a-z])").search(line)
        or _compiled(r"(?<![a-z])" + NAME + r"[ _]?alert").search(line)
        or _compiled(r"alert(?!s?/)(?!\(21\))[^0-9]{0,24}?[^0-9.:x](?P<number>\d{2,3})(?![\d.:])").search(line)
        or _compiled(r"(?<![a-z])" + NAME + r"(?![a-z])").search(line)
    )
    if match is None:
        return None
    groups = match.groupdict()
    code = alert_names.number(groups["name"]) if groups.get("name") else int(groups["number"])
    if code > 0xFF or (not groups.get("name") and not alert_names.listed(code)):
        return None
    received, sent = bool(RECEIVED.search(line)), bool(SENT.search(line))
    direction: Direction | None = "received" if received and not sent else "sent" if sent and not received else None
    return Understood(MEANINGS[direction], None, None, direction, code)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("@", alert_names.pattern()), re.I)
