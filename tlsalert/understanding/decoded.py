"""Makes values of :class:`Understood` out of what was found in a line, and joins those that say the same."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from tlsalert.understanding.kinds import Direction, Understood
from tlsalert.understanding.library_codes import said
from tlsalert.understanding.named import MEANINGS
from tlsalert.understanding.sending import sent_for

if TYPE_CHECKING:
    from tlsalert.registry.openssl_reasons import Reason
    from tlsalert.registry.verify_errors import VerifyError
    from tlsalert.understanding.local_errors import LocalError
    from tlsalert.understanding.octets import Octets
    from tlsalert.understanding.openssl import Packed

BORING_REASON = re.compile(r"OPENSSL_internal:([A-Z0-9_]+)")
GOES_ON = re.compile(r"^\s*(?:verify error:|verification error:|verify return code:)")
REFUSED = "The program refused its peer's certificate; for what reason is not in this line."
READING = re.compile(r"\b(?:read|readv|recv|recvfrom|recvmsg|recvmmsg)\(|<<<|read from", re.I)
WRITING = re.compile(r"\b(?:write|writev|send|sendto|sendmsg|sendmmsg)\(|>>>|write to", re.I)
STACKS = {
    "OpenSSL 1": "openssl<=1.0.2",
    "OpenSSL 3": "openssl>=1.1.1",
    "BoringSSL": "boringssl",
    "LibreSSL": "openssl<=1.0.2",
}
#: Programs that answer a refused certificate with no alert, or with another than the library's.
QUIET = {
    "nginx": "nginx answers with HTTP 400 inside the connection and sends no alert",
    "Node.js": "Node closes without an alert",
}
#: The file names that only OpenSSL before 1.1.0 has: ssl/s3_pkt.c and kin.
OLD_FILES = re.compile(r"\b(?:s3|s23|s2|t1|d1)_\w+\.c:\d|:SSL[23]{1,2}_[A-Z_]+:")


def of_packed(packed: Packed, line: str) -> Understood:
    """Return what a packed code says."""
    from tlsalert.registry.openssl_reasons import REASONS, RECEIVED
    from tlsalert.understanding.openssl import SSL_LIBRARY, SYSTEM_LIBRARY, X509_LIBRARY

    parts = [f"{packed.library_name} library"]
    if packed.function:
        parts.append(f"function {packed.function}")
    parts.append(f"reason {packed.reason}" + (f" ({_words(packed.reason_name)})" if packed.reason_name else ""))
    family = f"{packed.family}.x" if packed.family.startswith("OpenSSL") else packed.family
    words = f"{family} error {packed.code} = {', '.join(parts)}"
    stack = stack_of(packed.family, line)
    program = "OpenSSL" if packed.family.startswith("OpenSSL") else packed.family
    if packed.alert is not None:
        words += f": {RECEIVED} and the number of an alert that was received."
        return Understood(words, program, stack, "received", packed.alert, error_code=packed.code)
    if packed.library == SYSTEM_LIBRARY:
        return Understood(
            f"{words}: {os.strerror(packed.reason)}. No TLS error.", program, stack, error_code=packed.code
        )
    if packed.family == "BoringSSL" and (boring := BORING_REASON.search(line)):
        packed = packed._replace(library=SSL_LIBRARY, reason_name=boring[1])
    name = packed.reason_name if packed.library in (SSL_LIBRARY, X509_LIBRARY) else None
    local = REASONS.get(name or "") or REASONS.get(f"X509_{name}")
    if local:
        found = of_reason(name or "", local, line)
        return found._replace(meaning=f"{words}. {found.meaning}", error_code=packed.code, stack=stack, program=program)
    return Understood(
        f"{words}. An error of the program's own: no alert is named.", program, stack, error_code=packed.code
    )


def stack_of(family: str, line: str) -> str:
    """Return the family of stacks, as knowledge has it, of whoever packs codes so."""
    if family == "OpenSSL 1":
        return "openssl<=1.0.2" if OLD_FILES.search(line) else "openssl>=1.1.1"
    return STACKS[family]


def of_reason(name: str, local: Reason, line: str) -> Understood:
    """Return what one of OpenSSL's own reasons says, and the alert that goes with it."""
    stack = "openssl<=1.0.2" if OLD_FILES.search(line) else "openssl>=1.1.1"
    code = f"SSL_R_{name}"
    if local.cause is None:
        words = (
            "The program refused its peer's certificate; for what reason says its verify error,"
            " and the alert that it sent follows from that."
        )
        return Understood(words, "OpenSSL", stack, "sent", None, False, code)
    if local.alert is None:
        return Understood(said(local.cause), "OpenSSL", stack, None, None, False, code, local.cause)
    also = ((local.tls13, "in TLS 1.3"),) if local.tls13 is not None else ()
    return Understood(said(local.cause), "OpenSSL", stack, "sent", local.alert, False, code, local.cause, also)


def of_verify(error: VerifyError, low: str) -> Understood:
    """Return what a verify error says, and the alert that OpenSSL sends for it."""
    code = f"X509_V_ERR_{error.name} ({error.code})"
    program = next((name for name in QUIET if name.lower().removesuffix(".js") in low), None)
    if "client ssl certificate verify error" in low:
        program = "nginx"
    words = f"The program refused its peer's certificate: {error.words[0]}."
    # A line has no chain to look at: 21 is said where the leaf came alone, and then its issuers are what is missing.
    cause = "chain_incomplete" if error.name == "UNABLE_TO_VERIFY_LEAF_SIGNATURE" else error.cause
    if program:
        return Understood(
            f"{words} {QUIET[program]}.",
            program,
            program.lower().removesuffix(".js"),
            None,
            None,
            False,
            code,
            cause,
        )
    if GOES_ON.search(low):
        words += " (s_client goes on all the same, unless -verify_return_error is given.)"
    also = ((45, "from BoringSSL"),) if error.name == "CERT_NOT_YET_VALID" else ()
    return Understood(words, "OpenSSL", "openssl>=1.1.1", "sent", error.alert, False, code, cause, also)


def of_local(row: object) -> Understood:
    """Return what a row of :mod:`tlsalert.understanding.local_errors` says."""
    local: LocalError = row  # type: ignore[assignment]
    if isinstance(local.sent, int):
        alerts: tuple[int, ...] = (local.sent,)
    elif local.sent == "none":
        alerts = ()
    else:
        alerts = sent_for(local.stack, local.cause, local.side)
    direction: Direction | None = "sent" if alerts else None
    also = local.also or tuple((code, "in TLS 1.3") for code in alerts[1:])
    words = local.words or (said(local.cause) if local.cause else REFUSED)
    return Understood(
        words, local.program, local.stack, direction, alerts[0] if alerts else None, False, None, local.cause, also
    )


def of_octets(seen: object, low: str) -> Understood:
    """Return what an alert in bytes says; the direction is that of the system call or of the dump."""
    octets: Octets = seen  # type: ignore[assignment]
    reading, writing = bool(READING.search(low)), bool(WRITING.search(low))
    direction: Direction | None = "received" if reading and not writing else "sent" if writing and not reading else None
    if octets.encrypted:
        words = "An encrypted alert: its number cannot be read without the keys of the connection."
        return Understood(words, None, None, direction)
    if octets.code is None:
        return Understood(
            "The beginning of an alert's record; its two bytes are not in this line.", None, None, direction
        )
    level = f"The record of a {octets.level} alert. "
    return Understood(level + MEANINGS[direction], None, None, direction, octets.code)


def join(found: list[Understood], program: str | None, line: str) -> list[Understood]:
    """Return one value for each alert: named ones first, and those without an alert only where none names one."""
    joined: list[Understood] = []
    for one in sorted(found, key=_rank):
        same = next((i for i, known in enumerate(joined) if _same(known, one)), None)
        if same is None:
            joined.append(one)
        else:
            joined[same] = _both(joined[same], one)
    if joined[0].alert is not None and joined[0].certain:
        joined = [
            _both(joined[0], extra) if not extra.certain or extra.alert is None else extra for extra in joined[:1]
        ] + [one for one in joined[1:] if one.alert is not None and one.certain]
    return [_finished(one, program, line) for one in joined]


def _rank(one: Understood) -> tuple[bool, bool, bool]:
    return (one.alert is None, not one.certain, one.cause is None)


def _same(known: Understood, one: Understood) -> bool:
    return one.alert is None or known.alert is None or known.alert == one.alert or not one.certain


def _both(known: Understood, one: Understood) -> Understood:
    """Return the surer of two with what the other adds."""
    code = known.error_code
    if one.error_code and one.error_code not in (code or ""):
        code = (
            f"{code}; {one.error_code}" if code and not one.error_code.startswith("SSL_R_") else code or one.error_code
        )
    cause = known.cause or (one.cause if not known.certain or known.alert is None else None)
    also = known.also or (one.also if not known.certain else ())
    alert = known.alert if known.alert is not None else one.alert
    same_kind = one.certain or not known.certain  # a guess tells nothing of an alert that is named
    words = (
        one.meaning
        if known.error_code is None and one.error_code and known.certain and known.alert == one.alert and one.certain
        else known.meaning
    )
    return known._replace(
        meaning=words, alert=alert, error_code=code, cause=cause, also=also,
        program=known.program or (one.program if same_kind else None),
        stack=known.stack or (one.stack if same_kind else None),
        direction=known.direction or (one.direction if same_kind else None),
    )  # fmt: skip


def _finished(one: Understood, program: str | None, line: str) -> Understood:
    """Return a value with the program that printed the line and the family of its TLS library."""
    stack = one.stack
    if stack == "openssl":
        stack = "openssl<=1.0.2" if OLD_FILES.search(line) else "openssl>=1.1.1"
    return one._replace(program=program or one.program, stack=stack)


def _words(name: str | None) -> str:
    return (name or "").replace("_", " ").lower()
