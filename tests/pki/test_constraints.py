"""Names inside and outside of what a CA may issue for: RFC 5280 §4.2.1.10."""

from __future__ import annotations

import pytest

from tlsalert.model import Certificate
from tlsalert.pki.constraints import violation


def named(*names: str, subject: str = "") -> Certificate:
    return Certificate(b"", "", subject=subject, subject_alt_names=names)


def issuer(*permitted: str, excluded: tuple[str, ...] = ()) -> Certificate:
    return Certificate(b"", "", permitted_names=permitted, excluded_names=excluded)


@pytest.mark.parametrize(
    ("name", "base", "inside"),
    [
        ("DNS:host.example.com", "DNS:host.example.com", True),
        ("DNS:my.host.example.com", "DNS:host.example.com", True),
        ("DNS:HOST.Example.com", "DNS:example.COM", True),
        ("DNS:host1.example.com", "DNS:host.example.com", False),
        ("DNS:notexample.com", "DNS:example.com", False),
        ("DNS:a.example.com", "DNS:.example.com", True),
        ("DNS:anything", "DNS:", True),
        ("email:root@example.com", "email:root@example.com", True),
        ("email:Root@example.com", "email:root@example.com", False),
        ("email:root@EXAMPLE.com", "email:root@example.com", True),
        ("email:root@example.com", "email:example.com", True),
        ("email:root@my.example.com", "email:example.com", False),
        ("email:root@my.example.com", "email:.example.com", True),
        ("email:root@example.com", "email:.example.com", False),
        ("URI:https://host.example.com:8443/path", "URI:host.example.com", True),
        ("URI:https://my.host.example.com/", "URI:host.example.com", False),
        ("URI:https://user@my.host.example.com?q", "URI:.example.com", True),
        ("IP:10.1.2.3", "IP:10.0.0.0/255.0.0.0", True),
        ("IP:11.1.2.3", "IP:10.0.0.0/255.0.0.0", False),
        ("IP:2001:db8::1", "IP:10.0.0.0/255.0.0.0", False),
        ("dirName:CN=a,O=Example,C=US", "dirName:O=Example,C=US", True),
        ("dirName:CN=a,O=example,C=us", "dirName:O=Example,C=US", True),
        ("dirName:CN=a,OU=b,O=Other,C=US", "dirName:O=Example,C=US", False),
        ("dirName:CN=a\\,O=Example,C=US", "dirName:O=Example,C=US", False),
        ("dirName:CN=a\\\\,O=Example,C=US", "dirName:O=Example,C=US", True),
        ("dirName:CN=a", "dirName:", True),
    ],
)
def test_a_name_is_inside_a_constraint_or_not(name: str, base: str, inside: bool) -> None:
    permits = violation(named(name), issuer(base))
    excludes = violation(named(name), issuer(excluded=(base,)))
    assert (permits is None) is inside
    assert (excludes is not None) is inside


def test_names_of_other_kinds_are_free() -> None:
    assert violation(named("IP:10.0.0.7", "otherName:00"), issuer("DNS:example.com", "otherName:01")) is None


def test_one_of_several_permitted_is_enough_and_each_name_counts() -> None:
    both = issuer("DNS:example.com", "DNS:example.net")
    assert violation(named("DNS:a.example.net"), both) is None
    said = violation(named("DNS:a.example.net", "DNS:b.example.org"), both)
    assert said is not None
    assert "DNS:b.example.org" in said
    assert "DNS:example.com, DNS:example.net" in said


def test_the_subject_is_a_directory_name_unless_it_is_empty() -> None:
    constrained = issuer("dirName:O=Example")
    assert violation(named(subject="CN=a,O=Example"), constrained) is None
    assert violation(named(subject="CN=a,O=Other"), constrained) is not None
    assert violation(named(subject=""), constrained) is None


def test_an_address_in_the_subject_counts_where_no_other_does() -> None:
    """RFC 5280 §4.2.1.10: legacy certificates have emailAddress in the subject."""
    constrained = issuer("email:example.com")
    subject = "CN=a,emailAddress=root@example.net"
    assert violation(named(subject=subject), constrained) is not None
    assert violation(named("email:root@example.com", subject=subject), constrained) is None


def test_a_constraint_that_is_no_network_holds_nothing() -> None:
    assert violation(named("IP:10.0.0.7"), issuer("IP:nonsense")) is not None
