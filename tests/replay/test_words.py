"""Every variant fits into a sentence."""

from __future__ import annotations

import pytest

from tlsalert.replay.words import PHRASES, phrase


@pytest.mark.parametrize("variant", PHRASES)
def test_a_phrase_has_an_article_or_tells_of_nothing(variant: str) -> None:
    first, _, rest = phrase(variant).partition(" ")
    assert first in ("a", "an", "another", "the", "no", "random")
    assert rest
    assert (first == "an") == ((rest[0] in "aeiou" and first in ("a", "an")) or rest.startswith("X.509"))


def test_a_variant_without_words_is_told_by_its_name() -> None:
    assert phrase("something_new") == "the certificate of variant something_new"
