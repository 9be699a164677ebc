"""What an OCSP response says of which certificate, RFC 6960 §4.2.1. Signatures are not checked."""

from __future__ import annotations

from functools import lru_cache

from tlsalert.errors import DecodeError
from tlsalert.messages import OcspResponse, OcspSingle
from tlsalert.pki import der
from tlsalert.pki.der import Element, children, element, first, parts

#: Longer responses are read anew each time: a hostile capture must not fill the memory with them.
REMEMBERED_BYTES = 8192
#: Answers that are kept of one response; a staple has one.
MOST_ANSWERS = 256

BASIC = "1.3.6.1.5.5.7.48.1.1"
ENUMERATED = 0x0A
STATUSES = {0: "good", 1: "revoked", 2: "unknown"}


def read_ocsp(encoded: bytes) -> OcspResponse:
    """Return what the DER bytes of an OCSPResponse say; never raises: ``problems`` says what could not be read."""
    return _remembered(encoded) if len(encoded) <= REMEMBERED_BYTES else _read(encoded)


@lru_cache(maxsize=256)
def _remembered(encoded: bytes) -> OcspResponse:
    """Read a response once: a server staples the same one for days."""
    return _read(encoded)


def _read(encoded: bytes) -> OcspResponse:
    status: int | None = None
    produced = None
    found: list[OcspSingle] = []
    problems: list[str] = []
    try:
        outer = element(encoded)
        if outer.stop != len(encoded):
            problems.append(f"{len(encoded) - outer.stop} bytes follow the OCSP response")
        inside = list(children(outer))
        if not inside or inside[0].tag != ENUMERATED:
            raise DecodeError("an OCSP response without a status")
        status = int.from_bytes(inside[0].content[:4], "big")
        if len(inside) > 1:  # only a successful one has more
            basic = _basic(inside[1])
            data = [part for part in children(first(basic)) if part.tag != 0xA0]  # 0xA0: the version
            if len(data) < 3:
                raise DecodeError(f"response data with {len(data)} of 3 parts", f"byte {basic.begin}")
            produced = der.time(data[1])
            for single in children(data[2]):
                if len(found) == MOST_ANSWERS:
                    problems.append(f"only the first {MOST_ANSWERS} answers are told")
                    break
                found.append(_single(single))
    except DecodeError as error:
        problems.append(str(error))
    return OcspResponse(len(encoded), status, produced, tuple(found), tuple(problems))


def _basic(wrapped: Element) -> Element:
    """Return the BasicOCSPResponse inside responseBytes."""
    kind, response = parts(first(wrapped), 2)
    if (dotted := der.oid(kind)) != BASIC:
        raise DecodeError(f"an OCSP response of type {dotted}")
    return first(response)


def _single(answer: Element) -> OcspSingle:
    identity, status, this_update, *rest = _at_least_three(answer)
    serial = parts(identity, 4)[3]
    kind = STATUSES.get(status.tag & 0x1F)
    if kind is None or status.tag & 0xC0 != 0x80:
        raise DecodeError(f"a certificate status of tag 0x{status.tag:02x}", f"byte {status.begin}")
    revoked_at = reason = None
    if kind == "revoked":
        said = list(children(status))
        if not said:
            raise DecodeError("a revocation without its time", f"byte {status.begin}")
        revoked_at = der.time(said[0])
        if len(said) > 1 and said[1].tag == 0xA0:
            reason = int.from_bytes(first(said[1]).content[:4], "big")
    until = next((part for part in rest if part.tag == 0xA0), None)
    return OcspSingle(
        f"{int.from_bytes(serial.content, 'big', signed=True):x}",
        kind,
        der.time(this_update),
        der.time(first(until)) if until else None,
        revoked_at,
        reason,
    )


def _at_least_three(answer: Element) -> list[Element]:
    found = list(children(answer))
    if len(found) < 3:
        raise DecodeError(f"an answer with {len(found)} of 3 parts", f"byte {answer.begin}")
    return found
