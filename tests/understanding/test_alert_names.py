"""The names of alerts as each library writes them."""

import re

import pytest

from tlsalert.registry.alerts import AlertDescription
from tlsalert.understanding.alert_names import WORDS, listed, number, pattern


@pytest.mark.parametrize("alert", list(AlertDescription.__members__.values()), ids=str)
def test_every_alert_is_found_in_each_way_of_writing(alert: AlertDescription) -> None:
    name = alert.name.removesuffix("_RESERVED")
    camel = "".join(word.capitalize() for word in name.split("_"))
    for spelling in (name, name.upper(), name.replace("_", " "), name.replace("_", "-"), camel):
        found = re.fullmatch(pattern(), spelling, re.IGNORECASE)
        assert found is not None
        assert number(found[0]) == alert


@pytest.mark.parametrize("words", WORDS)
def test_words_of_libraries_are_found(words: str) -> None:
    found = re.fullmatch(pattern(), words, re.IGNORECASE)
    assert found is not None
    assert number(words) == WORDS[words]


def test_the_longer_of_two_names_is_found() -> None:
    found = re.match(pattern(), "unknown certificate authority")
    assert found is not None
    assert number(found[0]) == AlertDescription.unknown_ca


def test_listed_is_what_an_rfc_names() -> None:
    assert listed(42)
    assert not listed(200)
