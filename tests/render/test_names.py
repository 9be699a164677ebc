"""Numbers by their IANA names; what is unlisted keeps its number."""

from __future__ import annotations

import pytest

from tests import stories
from tlsalert.model import Alert, Position
from tlsalert.registry.alerts import AlertDescription, AlertLevel
from tlsalert.render import names

HERE = Position(frame=1)


def alert(level: int, code: int) -> Alert:
    return Alert(AlertLevel(level), AlertDescription(code), "server", HERE, None)


def unread(inferred: str | None) -> Alert:
    return Alert(None, None, "server", HERE, None, encrypted=True, inferred=inferred)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0x1301, "TLS_AES_128_GCM_SHA256"),
        (0xEEEE, "0xEEEE"),
        (0x1A1A, "GREASE(0x1A1A)"),
        (0x010080, "SSL_CK_RC4_128_WITH_MD5"),
        (0xFFFFFF, "unlisted(0xFFFFFF)"),
    ],
)
def test_cipher_suites_and_the_cipher_kinds_of_sslv2(code: int, name: str) -> None:
    assert names.suite_name(code) == name


def test_a_list_of_any_length_is_named() -> None:
    codes = (0x1301,) * 40_000
    assert names.suites(codes) == ["TLS_AES_128_GCM_SHA256"] * 40_000


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (alert(2, 42), "fatal bad_certificate (42)"),
        (alert(1, 0), "warning close_notify (0)"),
        (alert(9, 200), "unlisted(9) unlisted (200)"),
        (Alert(None, AlertDescription(48), "server", HERE, None), "unknown_ca (48)"),
        (unread("fatal alert"), "encrypted (fatal, by its shape)"),
        (unread("close_notify"), "encrypted (close_notify, by its shape)"),
        (unread(None), "encrypted"),
    ],
)
def test_an_alert_in_words(said: Alert, words: str) -> None:
    assert names.alert_words(said) == words


def test_the_deciding_alert_is_the_first_fatal_one() -> None:
    alerts = (alert(1, 112), alert(2, 40), alert(2, 80))
    assert names.deciding_alert(alerts) is alerts[1]


def test_without_a_fatal_alert_it_is_the_last_that_was_no_goodbye() -> None:
    alerts = (alert(1, 112), alert(1, 90), alert(1, 0), unread("close_notify"))
    assert names.deciding_alert(alerts) is alerts[1]
    assert names.deciding_alert((alert(1, 0),)) is None


def test_the_deciding_alert_may_be_one_that_was_not_read() -> None:
    story = stories.unread()
    assert names.deciding_alert(story.alerts) is story.alerts[0]
