"""Where a device's answers depend on what came before, or on nothing that can be seen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from tlsalert.diagnosis.tried import ACCEPTED, TELLS_NOTHING, Tried, said

#: Variants that lack an intermediate certificate: a stack that keeps those it has seen accepts them later.
LACKS_INTERMEDIATE = ("missing_intermediate",)


def memory(tried: Iterable[Tried]) -> tuple[str, ...]:
    """Say where answers to one variant differ: from order to order (the device remembers), or within one (flaky)."""
    groups: defaultdict[tuple[str, str], list[Tried]] = defaultdict(list)
    for one in tried:
        groups[one.variant, one.tls_version].append(one)
    sentences = []
    for (variant, version), several in groups.items():
        by_order: defaultdict[int, list[str]] = defaultdict(list)
        for one in several:
            by_order[one.order].append(one.answer)
        if any(len(set(answers)) > 1 for answers in by_order.values()):
            sentences.append(_flaky(variant, version, several))
        elif len({answers[0] for answers in by_order.values()} - TELLS_NOTHING) > 1:
            sentences.append(_ordered(variant, version, [by_order[order][0] for order in sorted(by_order)]))
    return tuple(sentences)


def _flaky(variant: str, version: str, several: list[Tried]) -> str:
    counts = Counter(one.answer for one in several).most_common()
    listed = ", ".join(f"{said(answer)} ({count} of {len(several)})" for answer, count in counts)
    return f"{variant} in {version} is flaky: {listed}."


def _ordered(variant: str, version: str, answers: list[str]) -> str:
    listed = ", then ".join(said(answer) for answer in answers)
    if variant in LACKS_INTERMEDIATE and ACCEPTED in answers:
        why = "the device remembers intermediate certificates that others sent"
        return f"{variant} in {version} depends on the order ({listed}): {why}."
    return f"{variant} in {version} depends on the order: {listed}."
