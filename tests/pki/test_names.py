"""Distinguished names as RFC 4514 text: what is read back from it is the name that was written."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from tests.pki.encoded import SEQUENCE, SET, attribute, name, oid, tlv, whole
from tlsalert.errors import DecodeError
from tlsalert.pki.names import ATTRIBUTES, MOST_ATTRIBUTES, name_from_der, name_from_words, name_text

CN, O, C, EMAIL = "2.5.4.3", "2.5.4.10", "2.5.4.6", "1.2.840.113549.1.9.1"  # noqa: E741 - their names

#: How cryptography, left to itself, calls fewer attributes by a name.
SHORT_NAMES = {x509.ObjectIdentifier(dotted): short for dotted, short in ATTRIBUTES.items()}


def common_name(value: str) -> str:
    return name_text(whole(name((attribute(CN, value.encode()),))))


def test_the_most_specific_part_comes_first() -> None:
    """RFC 4514 §2.1."""
    encoded = name((attribute(C, b"US"),), (attribute(O, b"Example"),), (attribute(CN, b"IPMI"),))
    assert name_text(whole(encoded)) == "CN=IPMI,O=Example,C=US"


def test_attributes_of_one_relative_name_are_joined_by_plus() -> None:
    """RFC 4514 §2.2."""
    encoded = name((attribute(O, b"Example"),), (attribute(CN, b"IPMI"), attribute(EMAIL, b"a@example.net", 0x16)))
    assert name_text(whole(encoded)) == "CN=IPMI+emailAddress=a@example.net,O=Example"


def test_an_attribute_without_a_short_name_keeps_its_number() -> None:
    assert name_text(whole(name((attribute("1.2.3.4", b"x"),)))) == "1.2.3.4=x"


def test_a_name_of_more_attributes_than_any_honest_one_is_refused() -> None:
    one = (attribute(CN, b"x"),)
    assert name_text(whole(name(*[one] * MOST_ATTRIBUTES))).count("CN=x") == MOST_ATTRIBUTES
    with pytest.raises(DecodeError, match=f"a name of more than {MOST_ATTRIBUTES} attributes"):
        name_text(whole(name(*[one] * (MOST_ATTRIBUTES + 1))))


def test_no_name_is_no_text() -> None:
    assert name_text(whole(name())) == ""


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a,b", r"a\,b"),
        ('a"b', r"a\"b"),
        ("a+b", r"a\+b"),
        ("a;b", r"a\;b"),
        ("<a>", r"\<a\>"),
        ("a\\b", r"a\\b"),
        ("#a#", r"\#a#"),
        (" a b ", r"\ a b\ "),
        (" ", r"\ "),
        ("  ", r"\ \ "),
        ("a=b", "a=b"),
        ("a\0b", r"a\00b"),
        ("Zürich", "Zürich"),
    ],
)
def test_special_characters_are_escaped(value: str, written: str) -> None:
    """RFC 4514 §2.4. "=" may be escaped, need not be."""
    assert common_name(value).replace(r"\=", "=") == f"CN={written}"


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12))
def test_what_was_written_is_read_back_by_another_reader(value: str) -> None:
    parsed = x509.Name.from_rfc4514_string(common_name(value))
    assert [part.value for part in parsed] == [value]


VALUES = st.text(st.sampled_from('aZ0 ,+"\\<>;#=ü'), min_size=2, max_size=8)
PARTS = st.tuples(st.sampled_from([NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.EMAIL_ADDRESS]), VALUES)


@given(st.lists(st.lists(PARTS, min_size=1, max_size=3, unique_by=lambda part: part[0]), max_size=4))
def test_names_read_as_cryptography_reads_them(parts: list[list[tuple[x509.ObjectIdentifier, str]]]) -> None:
    made = x509.Name(
        x509.RelativeDistinguishedName(x509.NameAttribute(kind, value) for kind, value in relative)
        for relative in parts
    )
    encoded = made.public_bytes()
    again = x509.Name.from_rfc4514_string(
        name_text(whole(encoded)), {short: kind for kind, short in SHORT_NAMES.items()}
    )
    assert [set(relative) for relative in again.rdns] == [set(relative) for relative in made.rdns]


def test_known_names_are_those_of_cryptography() -> None:
    theirs = {kind.dotted_string: kind for kind in vars(NameOID).values() if isinstance(kind, x509.ObjectIdentifier)}
    assert {*ATTRIBUTES} <= {*theirs}
    made = x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "California")
    assert made.rfc4514_string() == "ST=California" == name_text(whole(x509.Name([made]).public_bytes()))


def test_bytes_that_are_no_text_stay_visible() -> None:
    assert "ff" in name_text(whole(name((attribute(CN, b"a\xffb"),))))


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(tlv(SEQUENCE, tlv(SET, oid(CN))), id="an attribute that is no sequence"),
        pytest.param(tlv(SEQUENCE, tlv(SET, tlv(SEQUENCE, oid(CN)))), id="an attribute without a value"),
        pytest.param(tlv(SEQUENCE, tlv(SET, tlv(SEQUENCE))), id="an empty attribute"),
        pytest.param(tlv(SEQUENCE, b"\x31\x09a"), id="a relative name cut short"),
        pytest.param(tlv(SEQUENCE, tlv(SET, tlv(SEQUENCE, tlv(6), tlv(12, b"x")))), id="an empty identifier"),
    ],
)
def test_a_broken_name_says_that_it_is_broken(encoded: bytes) -> None:
    with pytest.raises(DecodeError):
        name_text(whole(encoded))
    assert name_from_der(encoded).startswith("(a name that cannot be read: ")


@given(st.binary(max_size=80))
def test_any_bytes_give_some_text(encoded: bytes) -> None:
    assert isinstance(name_from_der(encoded), str)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("/C=US/O=Example Works/CN=console", "CN=console,O=Example Works,C=US"),
        ("C = US, O = Example Works, CN = console", "CN=console,O=Example Works,C=US"),
        ("C=US, O=Example, Inc, CN=a/b", "CN=a/b,O=Example\\, Inc,C=US"),
        ("/CN=a/b=c", "b=c,CN=a"),
        ("CN=console", "CN=console"),
        ("no name", "no name"),
        ("", ""),
    ],
)
def test_a_name_that_openssl_printed(said: str, text: str) -> None:
    assert name_from_words(said) == text
