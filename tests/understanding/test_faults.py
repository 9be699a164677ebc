"""A fault in place of an alert."""

import pytest

from tlsalert.understanding.faults import of_cause
from tlsalert.understanding.remedies import SHORT


def test_a_fault_is_told_with_the_answer_of_each_stack() -> None:
    explanation = of_cause("x", "not yet valid")
    assert explanation is not None
    answers = {one.stack: one.condition for one in explanation.causes}
    assert answers["openssl>=1.1.1"] == "OpenSSL 1.1.1 to 4.0: 42"
    assert answers["java"] == "Java (JSSE): 46"
    assert answers["node"].startswith("Node.js: closes without an alert")


@pytest.mark.parametrize("cause", SHORT)
def test_every_cause_of_a_verdict_is_known_by_name_and_words(cause: str) -> None:
    for words in (cause, cause.replace("_", " "), SHORT[cause]):
        explanation = of_cause(words, words)
        assert explanation is not None
        assert explanation.understood


def test_other_words_are_no_fault() -> None:
    assert of_cause("x", "hello") is None
