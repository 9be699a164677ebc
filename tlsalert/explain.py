"""What an alert means, from its number or its name in any spelling.

``explain("42")``, ``explain("0x2a")`` and ``explain("SSL_AD_BAD_CERTIFICATE")`` say the same. One answer
a run does not pay for slow imports: the answers are named tuples and not msgspec structs as the model is, and
patterns are compiled where they are used.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tlsalert.registry.alert_facts import FACTS
from tlsalert.registry.alerts import AlertDescription

HEXADECIMAL = r"(?i)0x([0-9a-f]{1,8})|((?=[0-9a-f]?[a-f])[0-9a-f]{2})"
NAME_AND_NUMBER = r"(?i)(.*?)\s*[(\[]\s*([0-9a-fx]+)\s*[)\]]"
ANNOUNCED = r"(?i)(?:(?:ssl|tls)(?:v\d+)?[ _:]*)?alert(?:[ _]number)?[ _:#=]+(.+)"
# How libraries begin the names of their constants: OpenSSL, GnuTLS, Schannel, enums of Python.
PREFIX = r"(?i)^(?:(?:ssl3?|tls1?)_ad_|gnutls_a_|tls1_alert_|alertdescription[.:]+)"
# Spellings that differ by more than case and punctuation: Go's crypto/tls, Schannel, OpenSSL, rustls.
ALIASES: dict[str, AlertDescription] = {
    "unknowncertificateauthority": AlertDescription.unknown_ca,
    "unknowncertificate": AlertDescription.certificate_unknown,
    "expiredcertificate": AlertDescription.certificate_expired,
    "revokedcertificate": AlertDescription.certificate_revoked,
    "errordecodingmessage": AlertDescription.decode_error,
    "errordecryptingmessage": AlertDescription.decrypt_error,
    "protocolversionnotsupported": AlertDescription.protocol_version,
    "insufficientsecuritylevel": AlertDescription.insufficient_security,
    "encryptedclienthellorequired": AlertDescription.ech_required,
    "unsupportedcert": AlertDescription.unsupported_certificate,
    "decompressionfail": AlertDescription.decompression_failure,
    "usercancelled": AlertDescription.user_canceled,
}
LONGEST = 200  # characters of a text that are looked at: no spelling of an alert comes near


class ExplainedAlert(NamedTuple):
    """The alert that was meant: its number, IANA's name, where it is defined and the versions that have it.

    ``severity`` says whether it ends the connection, ``note`` what became of it; both are None where they are
    not known. An unassigned number has no ``rfc`` and no ``versions``.
    """

    code: int
    description: str
    rfc: str | None = None
    versions: tuple[str, ...] = ()
    severity: str | None = None
    note: str | None = None


class Cause(NamedTuple):
    """One reason for which a TLS stack sends an alert, and the source of that knowledge."""

    cause: str
    stack: str
    condition: str
    source: str


class Explanation(NamedTuple):
    """What a text means. ``alert`` is None where it was not understood; ``meaning`` then says what would be.

    ``program`` is who printed it, ``direction`` is "received" or "sent" and ``error_code`` is that
    program's own code; a bare number or name tells none of the three.
    """

    input: str
    meaning: str
    alert: ExplainedAlert | None = None
    next: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    program: str | None = None
    direction: str | None = None
    error_code: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the explanation as ``explain --format json`` gives it, ready for ``json.dumps``."""
        alert = self.alert
        return {
            "input": self.input,
            "program": self.program,
            "direction": self.direction,
            "alert": alert
            and {
                "code": alert.code,
                "description": alert.description,
                "rfc": alert.rfc,
                "versions": list(alert.versions),
            },
            "error_code": self.error_code,
            "meaning": self.meaning,
            "causes": [
                {"cause": one.cause, "stack": one.stack, "condition": one.condition, "source": one.source}
                for one in self.causes
            ],
            "next": list(self.next),
        }


def explain(text: str) -> Explanation:
    """Return what ``text`` means: an alert's number, its name, or both: "unknown_ca (48)". Never raises."""
    asked = " ".join(text[:LONGEST].split())
    if announced := not asked.isdecimal() and re.fullmatch(ANNOUNCED, asked):
        asked = announced[1]
    if (code := _number(asked)) is not None:
        return _explain_number(text, code)
    if both := re.fullmatch(NAME_AND_NUMBER, asked):
        return _explain_both(text, both[1], both[2])
    alert = _named(asked)
    return _not_understood(text, asked) if alert is None else _explain_number(text, int(alert))


def _explain_both(text: str, name: str, digits: str) -> Explanation:
    """Explain "name(number)". A name that says nothing ("unlisted(200)") leaves it to the number."""
    code, alert = _number(digits), _named(name)
    if code is None:
        return _not_understood(text, name)
    if alert is None or alert == code:
        return _explain_number(text, code)
    other = AlertDescription(code).name if code <= 0xFF else "no alert"
    meaning = f"Name and number disagree: {alert.name} is {int(alert)}, and {code} is {other}."
    return Explanation(text, meaning)


def _explain_number(text: str, code: int) -> Explanation:
    """Explain an alert's number, RFC 8446 §6: one byte."""
    if code > 0xFF:
        return Explanation(text, "A number over 255 is no alert: an alert's number is one byte.")
    alert = AlertDescription(code)
    facts = FACTS.get(alert)
    if facts is None:
        return _unassigned(text, alert)
    told = ExplainedAlert(code, alert.name, facts.rfc, facts.versions, facts.severity, facts.note)
    return Explanation(text, facts.meaning, told, facts.next)


def _unassigned(text: str, alert: AlertDescription) -> Explanation:
    meaning = f"No RFC gives {int(alert)} a meaning. A program that sends it is broken or has its own use for it."
    hints = (
        "if the record was encrypted, this byte is ciphertext and not an alert's number",
        "check that the number was read in the right base: 0x28 is 40",
    )
    return Explanation(text, meaning, ExplainedAlert(int(alert), alert.name), hints)


def _not_understood(text: str, asked: str) -> Explanation:
    """Say what is understood, and which names are near to what was asked."""
    import difflib  # only here: it is slow to import, and most questions are answered without

    names = {_squeeze(alert.name): alert for alert in AlertDescription.__members__.values()}
    near = difflib.get_close_matches(_squeeze(asked), names, n=3, cutoff=0.6)
    hints = tuple(f"did you mean {names[name].name} ({int(names[name])})?" for name in near)
    meaning = (
        "This is no alert that is known here. What is understood: an alert's number (42, 0x2a)"
        " or its name in any spelling (bad_certificate, SSL_AD_BAD_CERTIFICATE)."
    )
    return Explanation(text, meaning, None, hints)


def _number(text: str) -> int | None:
    """Return the number: decimal, hexadecimal after "0x", or two hexadecimal digits with a letter."""
    if text.isascii() and text.isdecimal():
        return int(text.lstrip("0")[:10] or "0")  # longer ones only need to stay too large
    found = re.fullmatch(HEXADECIMAL, text)
    return int(found[1] or found[2], 16) if found else None


def _named(text: str) -> AlertDescription | None:
    """Return the alert of this name, whatever the case, the punctuation and the library's prefix."""
    squeezed = _squeeze(text)
    for name, alert in AlertDescription.__members__.items():
        if _squeeze(name) == squeezed:
            return alert
    return ALIASES.get(squeezed)


def _squeeze(name: str) -> str:
    """Return the name without prefix, case, punctuation and the RFCs' mark of what is reserved."""
    bare = re.sub(PREFIX, "", name).lower()
    return re.sub(r"[\W_]+", "", bare).removesuffix("reserved").removesuffix("alert")
