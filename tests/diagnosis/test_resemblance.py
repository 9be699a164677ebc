"""Which stack a device answers like: every measured server is known again, also by answers that were held back."""

from __future__ import annotations

from random import Random

import pytest

from tests.diagnosis.devices import replayed, rows
from tlsalert.diagnosis.resemblance import TELLING, Candidate, candidates, in_words, resembles, separating
from tlsalert.diagnosis.tried import Tried

ANSWERS = ("40", "42", "45", "46", "48", "50", "51", "80", "fin", "ok")


def measured(setup: str, version: str) -> list[Candidate]:
    return [one for one in candidates() if one.setup == setup and version in one.answers]


def recognised(one: Candidate, version: str, tried: list[Tried], held_back: bool) -> bool:
    hidden = frozenset([(one.server, version)]) if held_back else frozenset()
    return one.family in resembles(tried, hidden=hidden)[0].families


@pytest.mark.parametrize("version", ["SSLv3", "TLS 1.0", "TLS 1.2", "TLS 1.3"])
def test_every_server_is_known_again_by_ten_answers_of_any_kind(version: str) -> None:
    random = Random(1)
    for one in measured("trust store", version):
        row = one.answers[version]
        some = {variant: row[variant] for variant in random.sample(sorted(row), min(10, len(row)))}
        first = resembles(rows(some, version))[0]
        assert one.server in first.servers
        assert first.share == 1.0
        assert not first.differs


@pytest.mark.parametrize("setup", ["clock behind", "clock ahead", "pinned", "pinned leaf"])
@pytest.mark.parametrize("version", ["TLS 1.0", "TLS 1.2", "TLS 1.3"])
def test_it_is_known_as_well_where_its_clock_is_off_or_certificates_are_pinned(setup: str, version: str) -> None:
    assert all(
        recognised(one, version, rows(one.answers[version], version), held_back=False)
        for one in measured(setup, version)
    )


@pytest.mark.parametrize(("version", "least"), [("TLS 1.0", 1.0), ("TLS 1.2", 0.95), ("TLS 1.3", 0.95)])
def test_a_server_whose_answers_in_one_version_are_held_back_is_known_by_others(version: str, least: float) -> None:
    """Leave one configuration out: what is measured in TLS 1.3 must be known by TLS 1.2, or by the stack's kin."""
    tried = measured("trust store", version)
    hits = [recognised(one, version, rows(one.answers[version], version), held_back=True) for one in tried]
    assert sum(hits) / len(hits) >= least


@pytest.mark.parametrize("version", ["TLS 1.2", "TLS 1.3"])
def test_noise_in_one_cell_of_ten_does_not_matter_with_forty(version: str) -> None:
    random = Random(2)
    for one in measured("trust store", version):
        row = one.answers[version]
        noisy = {
            variant: random.choice(ANSWERS) if random.random() < 0.1 else row[variant]
            for variant in random.sample(sorted(row), min(40, len(row)))
        }
        assert recognised(one, version, rows(noisy, version), held_back=False)


def test_five_harmless_probes_tell_nearly_all_families() -> None:
    """The five of the measurements: only Go and BoringSSL share them."""
    ties = set()
    for one in measured("trust store", "TLS 1.2"):
        tried = rows({variant: one.answers["TLS 1.2"][variant] for variant in TELLING})
        first = resembles(tried)[0]
        assert one.family in first.families
        if len(first.families) > 1:
            ties.add(frozenset(first.families))
    assert frozenset({"go", "boringssl"}) in ties
    assert ties <= {frozenset({"go", "boringssl"}), frozenset({"openssl>=1.1.1", "stunnel-pinned"})}


def test_a_tie_is_told_with_what_would_end_it() -> None:
    tried = [one for one in replayed("go-1.27") if one.variant in TELLING]
    ranked = resembles(tried)
    assert set(ranked[0].families) == {"go", "boringssl"}
    assert "same_name_ca_no_keyid" in separating(ranked, tried)
    text = " ".join(in_words(ranked, tried))
    assert "Go or BoringSSL" in text
    assert "try " in text


def test_the_variants_that_separate_do_separate() -> None:
    tried = [one for one in replayed("go-1.27") if one.variant in TELLING]
    for variant in separating(resembles(tried), tried):
        more = [*tried, *[one for one in replayed("go-1.27") if one.variant == variant]]
        assert resembles(more)[0].families == ("go",)


def test_too_few_answers_are_said_to_be_too_few() -> None:
    tried = rows({"good": "ok", "none_sent": "40"})
    text = " ".join(in_words(resembles(tried), tried))
    assert text.startswith("Too little was tried")
    assert "garbage_der" in text
    assert in_words(resembles([]), []) != ()


def test_differences_are_told_with_both_answers() -> None:
    tried = replayed("openssl-1.1.1w", expired="48")
    first = resembles(tried)[0]
    assert "openssl>=1.1.1" in first.families
    assert [str(one) for one in first.differs] == ["expired in TLS 1.2 got 48 where it gives 45"]
    assert "expired in TLS 1.2 got 48 where it gives 45" in " ".join(in_words([first], tried))


def test_a_device_that_answers_like_none_is_not_likened_to_any() -> None:
    random = Random(3)
    tried = rows({one.variant: random.choice(ANSWERS) for one in replayed("openssl-3.0")})
    assert "like none of the stacks" in " ".join(in_words(resembles(tried), tried))


def test_who_speaks_tls13_is_no_old_openssl() -> None:
    found = resembles(rows({"good": "ok", "none_sent": "40", "self_signed_unknown": "48"}, "TLS 1.3"))
    assert all("openssl<=1.0.2" not in one.families for one in found)


def test_other_signs_of_the_stack_count() -> None:
    tried = [one for one in replayed("go-1.27") if one.variant in TELLING]
    tried += rows({"good_ed25519": "50"})  # as neither
    by_handshake = resembles(tried, {"boringssl": 0.99})
    assert by_handshake[0].families[0] == "boringssl"


def test_probabilities_stay_within_one() -> None:
    ranked = resembles(replayed("nss", ("TLS 1.2", "TLS 1.3")))
    assert all(0 <= one.confidence <= 1 for one in ranked)
    assert sum(one.confidence for one in ranked) <= 1.000001
    assert [one.confidence for one in ranked] == sorted((one.confidence for one in ranked), reverse=True)


def test_variants_and_versions_that_nobody_measured_are_passed_over() -> None:
    assert resembles([Tried("no_such_variant", "TLS 1.2", "42"), Tried("good", "TLS 9", "42")]) == []


def test_what_the_measuring_client_made_up_is_not_compared() -> None:
    told = resembles(replayed("openssl-3.0", ed448="ok"))[0]
    assert "openssl-3.0" in told.servers
    assert told.differs == ()
