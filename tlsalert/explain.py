"""What an alert, an error code or a line of a log means.

``explain("42")``, ``explain("0x2a")`` and ``explain("SSL_AD_BAD_CERTIFICATE")`` say the same; an error code, bytes
as strace prints them and any line of a log are understood too (:mod:`tlsalert.understanding`). One answer a run
does not pay for slow imports: the answers are named tuples and not msgspec structs as the model is, patterns are
compiled where they are used, and what only lines need is loaded for lines.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from tlsalert.registry.alert_facts import FACTS, SENDERS
from tlsalert.registry.alerts import AlertDescription

if TYPE_CHECKING:
    from tlsalert.understanding.kinds import Understood

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
LONGEST = 200  # characters of a bare name or number: no spelling of an alert comes near
BARE = 60  # characters: a longer line of a log is no bare number or name
NOTHING = "This line says nothing of TLS that is understood here."
SEVERAL = 3  # meanings of one number that are told


class ExplainedAlert(NamedTuple):
    """The alert that was meant: its number, IANA's name, where it is defined and the versions that have it.

    ``severity`` says whether it ends the connection, ``sent_by`` who may send it, ``note`` what became of it; they
    are None where they are not known. An unassigned number has no ``rfc`` and no ``versions``.
    """

    code: int
    description: str
    rfc: str | None = None
    versions: tuple[str, ...] = ()
    severity: str | None = None
    note: str | None = None
    sent_by: str | None = None


class Cause(NamedTuple):
    """One reason for which a TLS stack sends an alert, and the source of that knowledge.

    ``stack`` is a family as :data:`tlsalert.understanding.causes.STACKS` names it. ``source`` is a file of that
    project, or says with which program and versions it was measured.
    """

    cause: str
    stack: str
    condition: str
    source: str


class OtherAlert(NamedTuple):
    """Another alert that it may have been, and when: "in TLS 1.3"."""

    code: int
    description: str
    when: str


class Explanation(NamedTuple):
    """What a text means. ``understood`` is False where it says nothing; ``meaning`` then says what would be.

    ``alert`` is None where none is told. ``program`` is who printed the text, ``direction`` says whether that
    program received the alert or sent it, and ``error_code`` is its own code or name of the error; a bare number
    or name tells none of the three. ``certain`` is False where the text names no alert, but an error that the
    program will have answered with this one. ``found`` is the cause that the text itself tells.
    """

    input: str
    meaning: str
    alert: ExplainedAlert | None = None
    next: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    program: str | None = None
    direction: str | None = None
    error_code: str | None = None
    others: tuple[OtherAlert, ...] = ()
    found: str | None = None
    certain: bool = True
    understood: bool = True
    said: str = ""

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
                "severity": alert.severity,
                "sent_by": alert.sent_by,
            },
            "error_code": self.error_code,
            "meaning": f"{self.said} {self.meaning}".strip() if self.said != self.meaning else self.meaning,
            "causes": [
                {"cause": one.cause, "stack": one.stack, "condition": one.condition, "source": one.source}
                for one in self.causes
            ],
            "next": list(self.next),
            "cause": self.found,
            "certain": self.certain,
            "other_alerts": [
                {"code": one.code, "description": one.description, "when": one.when} for one in self.others
            ],
        }


def explain(text: str, stacks: tuple[str, ...] = (), *, in_log: bool = False) -> Explanation:
    """Return what ``text`` means: an alert's number or name, an error code, bytes, a line of a log. Never raises.

    ``stacks`` are the families of TLS stacks that may have sent the alert; without it the causes of all are told.
    ``in_log`` says that the text is one of many lines, which may well be about something else than TLS.
    """
    if in_log and len(text) > BARE:
        found = _understood(text, "", in_log=True)
        return _explain_found(text, found, stacks) if found else Explanation(text, NOTHING, understood=False)
    asked = " ".join(text[:LONGEST].split())
    if (code := _number(asked)) is not None and code <= 0xFF:
        return _explain_number(text, code, stacks)
    if (alert := _named(asked)) is not None:
        return _explain_number(text, int(alert), stacks)
    if (both := re.fullmatch(NAME_AND_NUMBER, asked)) and " " not in both[1].strip():
        return _explain_both(text, both[1], both[2], stacks)
    if found := _understood(text, asked, in_log=in_log):
        return _explain_found(text, found, stacks)
    if in_log:
        return Explanation(text, NOTHING, understood=False)
    if code is not None:
        return _too_large(text)
    return _explain_announced(text, asked, stacks)


def _understood(text: str, asked: str, *, in_log: bool) -> list[Understood]:
    """Return what a text says that is no bare number or name of an alert."""
    from tlsalert.understanding.bare import of_code, of_constant
    from tlsalert.understanding.octets import in_text

    if " " not in asked and (found := of_code(asked)):
        return found
    if len(text) <= LONGEST and (octets := in_text(text)):
        from tlsalert.understanding.decoded import of_octets

        return [of_octets(octets, "")]
    from tlsalert.understanding.line import understand

    if re.fullmatch(r"\w+", asked) and (found := of_constant(asked)):
        return found
    return understand(text, asked=not in_log)


def _explain_announced(text: str, asked: str, stacks: tuple[str, ...]) -> Explanation:
    """Explain "alert 42" and the like, a cause of a verdict, or say that nothing was understood."""
    if announced := re.fullmatch(ANNOUNCED, asked):
        asked = announced[1]
        if (code := _number(asked)) is not None:
            return _explain_number(text, code, stacks) if code <= 0xFF else _too_large(text)
        if (alert := _named(asked)) is not None:
            return _explain_number(text, int(alert), stacks)
    if both := re.fullmatch(NAME_AND_NUMBER, asked):
        return _explain_both(text, both[1], both[2], stacks)
    from tlsalert.understanding.faults import of_cause

    return of_cause(text, asked) or _not_understood(text, asked)


def _explain_both(text: str, name: str, digits: str, stacks: tuple[str, ...]) -> Explanation:
    """Explain "name(number)". A name that says nothing ("unlisted(200)") leaves it to the number."""
    code, alert = _number(digits), _named(name)
    if code is None:
        return _not_understood(text, name)
    if code > 0xFF and alert is None:
        return _too_large(text)
    if alert is None or alert == code:
        return _explain_number(text, code, stacks)
    other = AlertDescription(code).name if code <= 0xFF else "no alert"
    meaning = f"Name and number disagree: {alert.name} is {int(alert)}, and {code} is {other}."
    return Explanation(text, meaning, understood=False)


def _explain_number(text: str, code: int, stacks: tuple[str, ...]) -> Explanation:
    """Explain an alert's number, RFC 8446 §6: one byte."""
    alert = AlertDescription(code)
    facts = FACTS.get(alert)
    if facts is None:
        return _unassigned(text, alert)
    return Explanation(text, facts.meaning, _told(alert), facts.next, _causes(code, stacks))


def _told(alert: AlertDescription) -> ExplainedAlert:
    """Return the facts of an alert."""
    facts = FACTS.get(alert)
    if facts is None:
        return ExplainedAlert(int(alert), alert.name)
    sender = SENDERS.get(alert, "either side")
    return ExplainedAlert(int(alert), alert.name, facts.rfc, facts.versions, facts.severity, facts.note, sender)


def _causes(code: int, stacks: tuple[str, ...], only: str | None = None) -> tuple[Cause, ...]:
    """Return for what an alert is sent: by ``stacks`` (all where none is named), for one cause or for all."""
    from tlsalert.understanding.causes import rows

    return tuple(
        Cause(*row) for row in rows(code) if (not stacks or row[1] in stacks) and (only is None or row[0] == only)
    )


def _explain_found(text: str, found: list[Understood], stacks: tuple[str, ...]) -> Explanation:
    """Explain what a line says. Further alerts that it names are told as others."""
    from tlsalert.understanding.remedies import NEXT

    one = found[0]
    others = tuple(OtherAlert(code, AlertDescription(code).name, when) for code, when in one.also)
    others += tuple(
        OtherAlert(more.alert, AlertDescription(more.alert).name, "the line names it, too")
        for more in found[1:]
        if more.alert is not None and more.alert != one.alert and more.certain
    )
    said = one.meaning
    codes = "; ".join(more.error_code for more in found[:SEVERAL] if more.error_code) or None
    if len(found) > 1 and not any(more.alert is not None and more.certain for more in found):
        said = "This number has several meanings. " + " ".join(
            f"{more.program}: {more.error_code}. {more.meaning}" for more in found[:SEVERAL]
        )
    if one.alert is None:
        hints = one.next or NEXT.get(one.cause or "", ())
        return Explanation(
            text, said, None, hints, (), one.program, one.direction, codes, others, one.cause, one.certain, said=said
        )
    alert = AlertDescription(one.alert)
    facts = FACTS.get(alert)
    meaning = facts.meaning if facts else f"No RFC gives {one.alert} a meaning."
    hints = one.next or NEXT.get(one.cause or "", ()) or (facts.next if facts else ())
    sender = stacks or ((one.stack,) if one.direction == "sent" and one.stack else ())
    causes = _causes(one.alert, sender, one.cause if one.direction == "sent" and one.cause else None)
    if not causes and one.cause and one.direction == "sent" and one.stack:
        causes = (Cause(one.cause, one.stack, one.error_code or said, "what the line itself says"),)
    return Explanation(
        text, meaning, _told(alert), hints, causes, one.program, one.direction, codes, others, one.cause, one.certain,
        said=said,
    )  # fmt: skip


def _too_large(text: str) -> Explanation:
    meaning = (
        "A number over 255 is no alert: an alert's number is one byte. Nor is it an error code that is known here."
    )
    return Explanation(text, meaning, understood=False)


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
        "This is no alert that is known here. What is understood: an alert's number (42, 0x2a) or its name in any"
        " spelling (bad_certificate, SSL_AD_BAD_CERTIFICATE), error codes of TLS libraries (14094412, -12271,"
        " 0x80090326), the bytes of an alert (02 2a), and lines of logs that tell of TLS."
    )
    return Explanation(text, meaning, None, hints, understood=False)


def _number(text: str) -> int | None:
    """Return the number: decimal, hexadecimal after "0x", or two hexadecimal digits with a letter."""
    if text.isascii() and text.isdecimal():
        return int(text.lstrip("0")[:10] or "0")  # longer ones only need to stay too large
    found = re.fullmatch(HEXADECIMAL, text)
    return int(found[1] or found[2], 16) if found else None


def _named(text: str) -> AlertDescription | None:
    """Return the alert of this name, whatever the case, the punctuation and the library's prefix."""
    return _names().get(_squeeze(text))


@cache
def _names() -> dict[str, AlertDescription]:
    """Return the alerts by their names without case, punctuation and prefix."""
    return ALIASES | {_squeeze(name): alert for name, alert in AlertDescription.__members__.items()}


def _squeeze(name: str) -> str:
    """Return the name without prefix, case, punctuation and the RFCs' mark of what is reserved."""
    bare = re.sub(PREFIX, "", name).lower()
    return re.sub(r"[\W_]+", "", bare).removesuffix("reserved").removesuffix("alert")
