"""A fault instead of an alert: "certificate_not_yet_valid", "expired" and who answers it with what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tlsalert.understanding.causes import STACKS
from tlsalert.understanding.remedies import NEXT, SHORT

if TYPE_CHECKING:
    from tlsalert.explain import Explanation

ANSWERS = {
    "fin": "closes without an alert",
    "rst": "resets without an alert",
    "accepted": "accepts it",
    "http400": "HTTP 400 inside",
}


def of_cause(text: str, asked: str) -> Explanation | None:
    """Return which stack answers a fault with which alert; None where the text is no cause of a verdict."""
    from tlsalert.explain import Cause, Explanation

    squeezed = _squeeze(asked)
    cause = next((name for name, words in SHORT.items() if squeezed in (_squeeze(name), _squeeze(words))), None)
    if cause is None:
        return None
    from tlsalert.diagnosis.knowledge import habit

    causes = []
    for stack, name in STACKS.items():
        if stack == "s2n" or not (before := habit(stack, "tls1.2", cause)):
            continue
        after = habit(stack, "tls1.3", cause)
        words = f"{name}: {_answers(before)}" + (f"; in TLS 1.3 {_answers(after)}" if after != before else "")
        causes.append(
            Cause(cause, stack, words, "tlsalert/diagnosis/alert_habits.py: measured on loopback, gaps from sources")
        )
    meaning = f"A fault, and no alert: {SHORT[cause]}. What it is answered with depends on the TLS stack that finds it."
    return Explanation(text, meaning, None, NEXT.get(cause, ()), tuple(causes), found=cause, said=meaning)


def _answers(answers: tuple[int | str, ...]) -> str:
    return " or ".join(ANSWERS.get(str(answer), str(answer)) for answer in answers)


def _squeeze(words: str) -> str:
    return re.sub(r"[\W_]+", "", words.lower())
