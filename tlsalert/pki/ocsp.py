"""What an OCSP response says of which certificate, RFC 6960 §4.2.1. Signatures are not checked."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice

from tlsalert.errors import DecodeError
from tlsalert.messages import OcspResponse, OcspSingle
from tlsalert.pki import der
from tlsalert.pki.der import Element, children, element, first

#: Longer responses are read anew each time: a hostile capture must not fill the memory with them.
REMEMBERED_BYTES = 8192
#: Parts of one element that are looked at: no element of a response but the list of answers has as many.
MOST_PARTS = 16
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
        inside = _parts(outer, 0)
        if not inside or inside[0].tag != ENUMERATED:
            raise DecodeError("an OCSP response without a status")
        status = int.from_bytes(inside[0].content[:4], "big")
        if len(inside) > 1:  # only a successful one has more
            basic = _basic(inside[1])
            data = _parts(first(basic), 3)
            if data[0].tag == 0xA0:  # the version
                data = _parts(first(basic), 4)[1:]
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
    kind, response = _parts(first(wrapped), 2)[:2]
    if (dotted := der.oid(kind)) != BASIC:
        raise DecodeError(f"an OCSP response of type {dotted}")
    return first(response)


def _single(answer: Element) -> OcspSingle:
    identity, status, this_update, *rest = _parts(answer, 3)
    serial = _parts(identity, 4)[3]
    kind = STATUSES.get(status.tag & 0x1F)
    if kind is None or status.tag & 0xC0 != 0x80:
        raise DecodeError(f"a certificate status of tag 0x{status.tag:02x}", f"byte {status.begin}")
    revoked_at = reason = None
    if kind == "revoked":
        said = _parts(status, 0)
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


def _parts(parent: Element, least: int) -> list[Element]:
    """Return the first parts of an element, which must be so many at least."""
    found = list(islice(children(parent), MOST_PARTS))
    if len(found) < least:
        raise DecodeError(f"an element with {len(found)} of {least} parts", f"byte {parent.begin}")
    return found
