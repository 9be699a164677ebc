"""Each program's way to name an alert, for every alert that it can name."""

import pytest

from tlsalert.registry.alerts import AlertDescription
from tlsalert.registry.library_errors.openssl_reasons import NAMES as REASONS
from tlsalert.understanding.line import understand
from tlsalert.understanding.named import FORMS, find

ALERTS = [alert for alert in AlertDescription.__members__.values() if alert not in (1, 52)]
NAMES = {alert: alert.name.removesuffix("_RESERVED") for alert in ALERTS}


def words(alert: AlertDescription) -> str:
    return NAMES[alert].replace("_", " ")


def camel(alert: AlertDescription) -> str:
    return "".join(word.capitalize() for word in NAMES[alert].split("_"))


@pytest.mark.parametrize("alert", ALERTS, ids=str)
@pytest.mark.parametrize(
    ("form", "direction"),
    [
        ("SSL alert number {number}", "received"),
        ("error:0A000000:SSL routines::reason({reason})", "received"),
        ("SSL3 alert read:fatal:{words}", "received"),
        ("SSL3 alert write:fatal:{words}", "sent"),
        ("LOG7[0]: TLS alert (read): fatal: {words}", "received"),
        ("<<< TLS 1.3, Alert [length 0002], fatal {name}", "received"),
        ("* TLSv1.3 (IN), TLS alert, {words} ({pair}):", "received"),
        ("* TLSv1.2 (OUT), TLS alert, {words} ({pair}):", "sent"),
        ("*** Received alert [{number}]: whatever", "received"),
        ("|<5>| REC[0x55]: Alert[2|{number}] - whatever - was received", "received"),
        ("|<5>| REC[0x55]: Sending Alert[2|{number}] - whatever", "sent"),
        ("alert history: last_rx code {number} level 2", "received"),
        ("alert history: last_tx code {number} level 2", "sent"),
        ("got an alert message, type: [2:{number}]", "received"),
        ("javax.net.ssl.SSLHandshakeException: Received fatal alert: {name}", "received"),
        ("main, SEND TLSv1.2 ALERT:  fatal, description = {name}", "sent"),
        ("|TransportContext.java:352|Fatal ({upper}): whatever", "sent"),
        ("org.bouncycastle.tls.TlsFatalAlertReceived: {name}({number})", "received"),
        ("remote error: tls: {words}", "received"),
        ("received fatal alert: {camel}", "received"),
        ("AlertReceived({camel})", "received"),
        ("The TLS protocol defined fatal alert code is {number}.", "received"),
        ("The TLS protocol defined fatal error code is {number}.", "sent"),
        ("The following fatal alert was received: {number}.", "received"),
        ("the remote party sent a TLS alert: '{camel}'.", "received"),
        ("TLS client: In state x received SERVER ALERT: Fatal - {title}", "received"),
        ("TLS client: In state x generated CLIENT ALERT: Fatal - {title}", "sent"),
        ("ssl.SSLError: [SSL: SSLV3_ALERT_{upper}] sslv3 alert {words} (_ssl.c:1)", "received"),
        ("code: 'ERR_SSL_TLSV1_ALERT_{upper}'", "received"),
        ("SSL routines::ssl/tls alert {words}", "received"),
        ("Alert Message Level: Fatal (2) Description: {title} ({number})", None),
        ("CRYPTO_ERROR 0x1{hex} (remote)", None),
    ],
)
def test_every_alert_is_found_in_every_form(alert: AlertDescription, form: str, direction: str | None) -> None:
    line = form.format(
        number=int(alert),
        reason=1000 + alert,
        pair=0x200 + alert,
        hex=f"{int(alert):02x}",
        words=words(alert),
        name=NAMES[alert],
        upper=NAMES[alert].upper(),
        camel=camel(alert),
        title=words(alert).title(),
    )
    first = understand(line, asked=True)[0]
    assert (first.alert, first.direction) == (alert, direction)
    assert first.certain


@pytest.mark.parametrize("number", [number for number in REASONS if 1000 <= number < 1256])
def test_each_of_openssls_reasons_for_an_alert_is_known_by_its_words(number: int) -> None:
    """The words of the reason, without its number, as programs print them that have lost it."""
    first = understand(f"SSL routines: {REASONS[number].lower().replace('_', ' ')}")[0]
    assert (first.alert, first.direction) == (number - 1000, "received")


def test_each_form_has_a_needle_in_lower_case() -> None:
    assert all(form.needle == form.needle.lower() for form in FORMS)


@pytest.mark.parametrize(
    "line", ["alert 42 of the monitor", "/api/alerts/42", "ALERT: disk full on /var", "alert(21) length 2"]
)
def test_an_alert_of_something_else_is_none(line: str) -> None:
    assert find(line, line.lower()) is None
