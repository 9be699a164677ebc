"""What a device will answer to a certificate, as text and as what JSON knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from os.path import basename
from typing import Final

from tlsalert.diagnosis.knowledge import Answer
from tlsalert.diagnosis.stacks import LABELS
from tlsalert.diagnosis.words import WHY
from tlsalert.pki.predict import Prediction, Service, Spell, changes
from tlsalert.registry.alerts import AlertDescription
from tlsalert.render.inventory_json import time_text
from tlsalert.render.style import escape

#: Places that are listed of one thing.
LISTED: Final = 4
_OTHERS: Final = {
    "fin": "closed without an alert",
    "rst": "reset without an alert",
    "http400": "accepted by TLS, then refused in HTTP (400)",
}


def facts(prediction: Prediction, at: datetime) -> dict[str, object]:
    """Return a prediction as JSON has it; every key is always there. ``at`` is the time at which it is asked."""
    certificate = prediction.certificate
    return {
        "certificate": {
            "name": prediction.name,
            "sha256": certificate.sha256,
            "subject": certificate.subject,
            "issuer": certificate.issuer,
            "not_before": time_text(certificate.not_before),
            "not_after": time_text(certificate.not_after),
        },
        "keys": list(prediction.keys),
        "copies": list(prediction.copies),
        "libraries": [
            {"where": one.where, "name": one.name, "version": one.version, "released": one.released}
            for one in prediction.libraries
        ],
        "clock_starts": [{"where": one.where, "time": time_text(one.time)} for one in prediction.clock_starts],
        "services": [_service(service, prediction, at) for service in prediction.services],
        "says": list(sentences(prediction)),
    }


def _service(service: Service, prediction: Prediction, at: datetime) -> dict[str, object]:
    starts = [(one.where, service.at(one.time)) for one in prediction.clock_starts]
    return {
        "where": service.where,
        "program": service.program,
        "section": service.section or None,
        "address": service.address,
        "library": None if service.library is None else str(service.library),
        "stack": service.stack,
        "trusts": list(service.trusts),
        "assumed": service.where is None,
        "spells": [_spell(spell) for spell in service.spells],
        "now": _spell(service.at(at)),
        "at_start": [{"where": where, **_spell(spell)} for where, spell in starts],
        "without_certificate": _spell(service.without),
    }


def _spell(spell: Spell) -> dict[str, object]:
    return {
        "from": time_text(spell.begin),
        "until": time_text(spell.end),
        "outcome": spell.outcome,
        "cause": spell.cause,
        "answers": [_answer(answer) for answer in spell.answers],
    }


def _answer(answer: Answer) -> dict[str, object]:
    if isinstance(answer, str):
        return {"code": None, "description": None, "how": answer}
    return {"code": answer, "description": AlertDescription(answer).name, "how": "alert"}


def sentences(prediction: Prediction) -> Iterator[str]:
    """Yield what there is to know, a sentence for each service."""
    certificate = prediction.certificate
    valid = f"{prediction.name}: valid {_day(certificate.not_before)} to {_day(certificate.not_after)}"
    for service in prediction.services:
        ends = [begin for begin, before, after in changes(service) if before.outcome == "accepted" != after.outcome]
        if ends and certificate.not_after == ends[-1]:
            yield f"{valid}; from then on {service.name} fails"
        elif ends:
            yield f"{valid}; from {_day(ends[-1])} on {service.name} fails, for its issuer's certificate ends then"
        elif service.spells[0].outcome == "refused":
            told = _said(service.spells[0])
            yield f"{prediction.name}: {service.name} refuses it at any time: {_why(service.spells[0])} ({told})"
        elif service.spells[0].outcome == "not asked":
            yield f"{prediction.name}: {service.name} asks for no certificate"
        elif service.spells[0].outcome == "not known":
            yield (
                f"{prediction.name}: what {service.name} answers cannot be told: "
                "no certificate was found that its configuration says to trust"
            )
        for start in prediction.clock_starts:
            spell = service.at(start.time)
            if spell.outcome == "refused" and spell.cause == "certificate_not_yet_valid":
                yield (
                    f"{prediction.name}: while the device's clock is not set, which {start.where.rpartition('!')[2]} "
                    f"starts at {start.time:%Y-%m-%d}, {service.name} fails ({_said(spell)})"
                )
    if not prediction.services:
        yield f"{valid}; nothing here says who is trusted: no TLS server's configuration and no TLS library was found"


def lines(prediction: Prediction, at: datetime) -> Iterator[str]:
    """Yield the lines of text for a terminal; names from the image are escaped."""
    certificate = prediction.certificate
    yield escape(f"{prediction.name}   {certificate.subject or 'no subject'}")
    yield f"    valid      {_time(certificate.not_before)} to {_time(certificate.not_after)}"
    yield from _places("its key", prediction.keys)
    yield from _places("also in", prediction.copies)
    for service in prediction.services:
        yield ""
        address = f" ({service.address})" if service.address and service.section else ""
        yield escape(f"{service.name}{address}")
        yield from _places("said by", (service.where,) if service.where else ())
        library = f"{service.library}, " if service.library else ""
        yield escape(f"    answers    as {library}{LABELS.get(service.stack, service.stack)}")
        yield from _places("trusts", service.trusts)
        if service.where is None:
            yield "    taken      no configuration was found: all certificates here are taken to be trusted"
        for spell in service.spells:
            yield f"    {_when(spell):<34} {_said(spell)}" + (f": {_why(spell)}" if spell.cause else "")
        yield f"    {'without a certificate':<34} {_said(service.without)}"
        yield f"    {'today, if its clock is right':<34} {_said(service.at(at))}"
    yield ""
    yield from (escape(sentence) for sentence in sentences(prediction))


def _places(label: str, places: tuple[str, ...]) -> Iterator[str]:
    for i, where in enumerate(places[:LISTED]):
        outer, mark, inner = where.partition("!")
        yield escape(f"    {label if not i else '':<10} {basename(outer)}{mark}{inner}")
    if len(places) > LISTED:
        yield f"    {'':<10} and {len(places) - LISTED} more"


def _when(spell: Spell) -> str:
    if spell.begin is None and spell.end is None:
        return "at any time"
    if spell.end is None:
        return f"from {_time(spell.begin)} on"
    return f"until {_time(spell.end)}"


def _said(spell: Spell) -> str:
    """Return the answer in words."""
    if not spell.answers:
        return "accepted" if spell.outcome == "accepted" else spell.outcome
    told = [
        _OTHERS.get(answer, answer) if isinstance(answer, str) else f"{AlertDescription(answer).name} ({answer})"
        for answer in spell.answers[:2]
    ]
    return " or ".join(told) if spell.outcome == "accepted" else f"refused, {' or '.join(told)}"


def _why(spell: Spell) -> str:
    return WHY.get(spell.cause or "", spell.cause or "").format(refuser="server", owner="client")


def _day(moment: datetime | None) -> str:
    return "?" if moment is None else f"{moment:%Y-%m-%d}"


def _time(moment: datetime | None) -> str:
    return "?" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
