"""What a device whose clock is off refuses for dates says nothing of what the variant shows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.diagnosis.devices import BEGINS, ENDS, FACTS, NOW, measured
from tests.diagnosis.test_device_mind import found
from tlsalert.diagnosis.device_look import DeviceClock
from tlsalert.diagnosis.device_mind import mind
from tlsalert.diagnosis.refused_for_dates import judged_for_themselves
from tlsalert.diagnosis.tried import Tried

IN_2015 = datetime(2015, 3, 12, tzinfo=UTC)
LONG = datetime(2005, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)
LAST_YEAR = datetime(2019, 6, 1, tzinfo=UTC), datetime(2020, 6, 1, tzinfo=UTC)
NEXT_YEAR = datetime(2022, 6, 1, tzinfo=UTC), datetime(2023, 6, 1, tzinfo=UTC)
RIGHT = found(NOW)


def shown(variant: str, validity: tuple[datetime, datetime] = (BEGINS, ENDS), answer: str = "42") -> Tried:
    return Tried(variant, "TLS 1.2", answer, 0, 0, *validity)


@pytest.mark.parametrize(
    ("one", "clock", "counts"),
    [
        pytest.param(shown("key_mismatch"), found(IN_2015), False, id="not valid yet, so the key was not looked at"),
        pytest.param(shown("key_mismatch"), RIGHT, True, id="valid"),
        pytest.param(shown("key_mismatch", LONG), found(IN_2015), True, id="valid in 2015 as well"),
        pytest.param(shown("key_mismatch", LAST_YEAR), RIGHT, False, id="ended by a right clock too"),
        pytest.param(shown("expired", LAST_YEAR), RIGHT, True, id="expired, as it is meant"),
        pytest.param(shown("expired", LAST_YEAR), found(IN_2015), False, id="not expired yet, but not begun"),
        pytest.param(shown("not_yet_valid", NEXT_YEAR), found(IN_2015), True, id="not begun, as it is meant"),
        pytest.param(shown("inverted_validity", NEXT_YEAR[::-1]), RIGHT, True, id="its beginning comes first"),
        pytest.param(shown("expired_intermediate", LONG), found(IN_2015), False, id="its issuer has not begun"),
        pytest.param(shown("expired_intermediate", LONG), RIGHT, True, id="its issuer has ended"),
        pytest.param(shown("self_signed_unknown"), found(IN_2015), True, id="strangers were measured so as well"),
        pytest.param(Tried("garbage_der", "TLS 1.2", "50"), found(IN_2015), True, id="without dates"),
        pytest.param(shown("good"), DeviceClock(latest=BEGINS), False, id="the clock is before it"),
        pytest.param(shown("key_mismatch", LONG), DeviceClock(latest=BEGINS), True, id="it may be within"),
        pytest.param(shown("good"), DeviceClock(earliest=ENDS), False, id="the clock is behind it"),
        pytest.param(shown("good"), DeviceClock(BEGINS, NOW), True, id="between two dates within"),
    ],
)
def test_what_counts(one: Tried, clock: DeviceClock, counts: bool) -> None:
    assert judged_for_themselves([one], clock) == ((one,) if counts else ())


def test_a_stack_is_not_held_to_what_its_clock_refused() -> None:
    answers = measured("openssl-3.0").answers["TLS 1.2"]
    dated = [shown(name) for name in ("good", "key_mismatch", "cv_corrupted", "cv_omitted", "missing_intermediate")]
    others = [
        shown(name, LONG, answers[name])
        for name in ("none_sent", "self_signed_unknown", "garbage_der", "eku_server_only", "sig_tampered")
    ]
    told = mind([*dated, *others], FACTS, found=found(IN_2015))
    assert told.stack[0].differs == ()
    assert told.stack[0].compared == len(others)
    assert any("openssl-3.0" in one.servers for one in told.stack[:1])
    assert told.stack_says[0].startswith("It answers exactly as ")


def test_where_no_clock_is_known_all_counts() -> None:
    known = measured("openssl-3.0").answers["TLS 1.2"]
    told = mind([shown(name, (BEGINS, ENDS), known[name]) for name in ("none_sent", "key_mismatch", "good")], FACTS)
    assert told.stack[0].compared == 3
