"""Which answers to variants are no answers to what they show, because the device's clock stands outside their dates.

A clock that is years off refuses (nearly) all for their dates. What such a certificate was made to show was not looked
at, so it tells nothing of the TLS stack.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

from tlsalert.diagnosis.device_look import DeviceClock
from tlsalert.diagnosis.resemblance import UNDATED
from tlsalert.diagnosis.tried import Tried
from tlsalert.model import when

Side = Literal["before", "within", "after"]

#: Where the clock stands by the dates of variants that are wrong in them; in all others it is to stand within. Of dates
#: that lie the wrong way round the beginning is looked at first (OpenSSL's check_cert_time()).
_MEANT: Final[dict[str, Side]] = {
    "expired": "after",
    "expired_unknown_issuer": "after",
    "not_yet_valid": "before",
    "inverted_validity": "before",
    "pinned_expired": "after",
    "pinned_not_yet_valid": "before",
}
#: Variants whose issuer's dates are wrong by a year: by a clock that is off more than that they are wrong otherwise.
_ISSUERS_DATES: Final = frozenset(("expired_intermediate", "not_yet_valid_intermediate"))
_YEAR: Final = 365 * 86_400


def judged_for_themselves(tried: Iterable[Tried], clock: DeviceClock) -> tuple[Tried, ...]:
    """Return the trials that a device with this clock judged by what they show, and not by their dates."""
    return tuple(one for one in tried if not _by_dates(one, clock))


def _by_dates(one: Tried, clock: DeviceClock) -> bool:
    if one.variant in UNDATED:
        return False
    if one.variant in _ISSUERS_DATES and (clock.skew_seconds is None or abs(clock.skew_seconds) >= _YEAR):
        return True
    stands = _side(clock, one.not_before, one.not_after)
    return stands is not None and stands != _MEANT.get(one.variant, "within")


def _side(clock: DeviceClock, begins: datetime | None, ends: datetime | None) -> Side | None:
    """Return where the clock stands by these dates; None where it may be on either side of one."""
    if begins is None or ends is None:
        return None
    moment = None if clock.time is None else when(clock.time)
    earliest, latest = (clock.earliest, clock.latest) if moment is None else (moment, moment)
    # Both ends of a validity belong to it (RFC 5280 §4.1.2.5), and so the bounds of a clock may be within.
    if latest is not None and (latest < begins or (moment is None and latest == begins)):
        return "before"
    if earliest is not None and (earliest > ends or (moment is None and earliest == ends)):
        return "after"
    return "within" if earliest is not None and latest is not None and begins <= earliest and latest <= ends else None
