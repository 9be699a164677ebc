"""Where answers depend on the order, or on nothing."""

from __future__ import annotations

from tlsalert.diagnosis.memory import memory
from tlsalert.diagnosis.tried import Tried


def test_equal_answers_need_no_word() -> None:
    assert memory([Tried("good", "TLS 1.2", "ok", order, repeat) for order in (0, 1) for repeat in (0, 1)]) == ()


def test_a_stack_that_keeps_intermediates_is_found_by_two_orders() -> None:
    variant = "missing_intermediate"
    (told,) = memory([Tried(variant, "TLS 1.2", "48", 0), Tried(variant, "TLS 1.2", "ok", 1)])
    assert "remembers intermediate certificates" in told
    assert "48, then accepted" in told


def test_other_dependence_on_the_order_is_told_without_a_reason() -> None:
    assert memory([Tried("good", "TLS 1.3", "42", 0), Tried("good", "TLS 1.3", "45", 1)]) == (
        "good in TLS 1.3 depends on the order: 42, then 45.",
    )


def test_differences_within_an_order_are_flaky() -> None:
    (told,) = memory([Tried("good", "TLS 1.2", answer, 0, n) for n, answer in enumerate(("ok", "rst", "ok"))])
    assert told == "good in TLS 1.2 is flaky: accepted (2 of 3), reset without an alert (1 of 3)."


def test_versions_are_kept_apart() -> None:
    assert memory([Tried("good", "TLS 1.2", "42"), Tried("good", "TLS 1.3", "46")]) == ()
