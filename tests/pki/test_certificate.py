"""A certificate's facts: whole ones say what cryptography says of them, broken ones what is broken and all the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose
from cryptography.x509.oid import NameOID
from cryptography.x509.oid import ObjectIdentifier as Oid
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evidence import ATLAS, CASES, CORPUS, captures_under, needs_atlas, needs_corpus
from tests.pki.certificates import KEY, NOT_AFTER, NOT_BEFORE, PURPOSES, SUBJECT, USAGE_FIELDS, made, told
from tests.pki.encoded import (
    EXTENSIONS,
    GENERALIZED_TIME,
    INTEGER,
    SEQUENCE,
    UTC_TIME,
    extension,
    name,
    oid,
    taken_apart,
    tlv,
)
from tests.pki.issuing import issue
from tlsalert.capture import read
from tlsalert.model import Certificate
from tlsalert.pki import der as reading
from tlsalert.pki.certificate import KEY_USAGES, read_certificate

RSA = rsa.generate_private_key(65537, 2048)
EKU, SAN, BASIC_CONSTRAINTS = "2.5.29.37", "2.5.29.17", "2.5.29.19"


def usage(*fields: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{field: field in fields for field in USAGE_FIELDS})


def alternative(*names: x509.GeneralName) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(names)


def facts(certificate: Certificate) -> dict[str, object]:
    """Return the facts that :func:`told` tells, in the same words."""
    names = tuple("otherName" if entry.startswith("otherName:") else entry for entry in certificate.subject_alt_names)
    usages = certificate.key_usage
    if "keyAgreement" not in usages:  # RFC 5280 §4.2.1.3: these two have no meaning without it
        usages = tuple(entry for entry in usages if entry not in ("encipherOnly", "decipherOnly"))
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": certificate.serial,
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
        "key": certificate.key,
        "signature_algorithm": certificate.signature_algorithm,
        "subject_alt_names": names,
        "key_usage": usages,
        "extended_key_usage": certificate.extended_key_usage,
        "ca": certificate.ca,
    }


# --- whole certificates ---------------------------------------------------------------------------------------------

ISSUER = x509.Name.from_rfc4514_string("CN=Example CA,O=Example")
KINDS = {
    "EC P-256": made(),
    "EC P-384": made(key=ec.generate_private_key(ec.SECP384R1()), digest=hashes.SHA384()),
    "EC P-521": made(key=ec.generate_private_key(ec.SECP521R1()), digest=hashes.SHA512()),
    "EC secp256k1": made(key=ec.generate_private_key(ec.SECP256K1())),
    "RSA 2048": made(key=RSA),
    "RSA 1024, SHA-512": made(key=rsa.generate_private_key(65537, 1024), digest=hashes.SHA512()),
    "Ed25519": made(key=ed25519.Ed25519PrivateKey.generate()),
    "Ed448": made(key=ed448.Ed448PrivateKey.generate()),
    "of another": made(issuer=ISSUER),
    "without a subject": made(subject=x509.Name([]), issuer=ISSUER),
    "UTCTime": made(
        not_before=datetime(1950, 1, 1, tzinfo=UTC), not_after=datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
    ),
    "GeneralizedTime": made(not_after=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    "serial of 20 bytes": made(serial=2**159 - 1),
    "serial with a high bit": made(serial=0xFFFF),
    "authority": made(x509.BasicConstraints(ca=True, path_length=0), usage("key_cert_sign", "crl_sign")),
    "no authority": made(x509.BasicConstraints(ca=False, path_length=None)),
    "usages": made(usage("digital_signature", "key_agreement", "decipher_only")),
    "all usages but two": made(usage(*USAGE_FIELDS[:7])),
    "purposes": made(x509.ExtendedKeyUsage([*PURPOSES, Oid("1.2.3.4")])),
    "all kinds of names": made(
        alternative(
            x509.DNSName("bmc.example.net"),
            x509.DNSName("*.example.net"),
            x509.RFC822Name("root@example.net"),
            x509.UniformResourceIdentifier("https://example.net/"),
            x509.IPAddress(ip_address("10.0.0.7")),
            x509.IPAddress(ip_address("2001:db8::7")),
            x509.DirectoryName(SUBJECT),
            x509.RegisteredID(Oid("1.2.3.4")),
            x509.OtherName(Oid("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x01a"),
        )
    ),
    "multi-valued relative name": made(
        subject=x509.Name(
            [
                x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example, Inc.")]),
                x509.RelativeDistinguishedName(
                    [
                        x509.NameAttribute(NameOID.COMMON_NAME, "IPMI"),
                        x509.NameAttribute(NameOID.EMAIL_ADDRESS, "a+b@example.net"),
                    ]
                ),
            ]
        )
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_certificate_says_what_cryptography_says_of_it(kind: str) -> None:
    certificate = read_certificate(KINDS[kind])
    assert facts(certificate) == told(KINDS[kind])
    assert certificate.problems == ()
    assert certificate.der == KINDS[kind]
    assert certificate.self_signed is (certificate.subject == certificate.issuer)


NAMES = st.lists(
    st.one_of(
        st.sampled_from(["a.example", "*.example.net"]).map(x509.DNSName),
        st.ip_addresses().map(x509.IPAddress),
        st.just(x509.RFC822Name("a@example.net")),
    ),
    min_size=1,
    max_size=4,
)
TIMES = st.datetimes(datetime(1950, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(
    st.integers(1, 2**159 - 1),
    TIMES.map(lambda time: time.replace(microsecond=0)),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20),
    st.sets(st.sampled_from(USAGE_FIELDS[:7]), min_size=1),
    st.lists(st.sampled_from([*PURPOSES]), min_size=1, unique=True),
    NAMES,
    st.sampled_from([None, True, False]),
)
def test_any_whole_certificate_says_what_cryptography_says_of_it(
    serial: int,
    begin: datetime,
    common_name: str,
    usages: set[str],
    purposes: list[Oid],
    names: list[x509.GeneralName],
    authority: bool | None,
) -> None:
    constraints = () if authority is None else (x509.BasicConstraints(ca=authority, path_length=None),)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"a{common_name}z")])  # blanks at its ends: test_names
    der = made(
        *constraints, alternative(*names), usage(*usages), x509.ExtendedKeyUsage(purposes),
        subject=subject, serial=serial, not_before=begin, not_after=begin.replace(year=2400),
    )  # fmt: skip
    certificate = read_certificate(der)
    assert facts(certificate) == told(der)
    assert certificate.problems == ()


def test_the_same_name_with_another_key_identifier_is_not_self_signed() -> None:
    """A CA that got a new key under its old name: RFC 5280 §4.2.1.1."""
    own = x509.SubjectKeyIdentifier.from_public_key(KEY.public_key())
    other = x509.AuthorityKeyIdentifier(b"another key", None, None)
    same = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)
    assert read_certificate(made(own, other)).self_signed is False
    assert read_certificate(made(own, same)).self_signed is True
    assert read_certificate(made(other)).self_signed is True


def test_a_key_identifier_that_cannot_be_read_says_nothing_about_who_signed() -> None:
    both = (extension("2.5.29.14", tlv(0x04, b"key")), extension("2.5.29.35", b"\x30\x7f"))
    assert read_certificate(but(extensions=both)).self_signed is True


@pytest.mark.parametrize(
    ("curve", "key"),
    [
        pytest.param("1.3.36.3.3.2.8.1.1.7", "EC brainpoolP256r1", id="a curve that is not NIST's"),
        pytest.param("1.2.3.4", "EC 1.2.3.4", id="a curve nobody knows"),
    ],
)
def test_the_curve_is_named_whatever_it_is(curve: str, key: str) -> None:
    point = tlv(0x03, b"\0\x04" + bytes(64))
    encoded = tlv(SEQUENCE, tlv(SEQUENCE, oid("1.2.840.10045.2.1"), oid(curve)), point)
    assert read_certificate(GOOD.but(key=encoded)).key == key


def test_a_key_of_an_unknown_kind_keeps_its_number() -> None:
    encoded = tlv(SEQUENCE, tlv(SEQUENCE, oid("1.2.3.4")), tlv(0x03, b"\0\1"))
    certificate = read_certificate(GOOD.but(key=encoded))
    assert (certificate.key, certificate.problems) == ("1.2.3.4", ())


def test_explicit_curve_parameters_are_told_as_such() -> None:
    """RFC 5480 §2.1.1 forbids them; they are met all the same."""
    encoded = tlv(SEQUENCE, tlv(SEQUENCE, oid("1.2.840.10045.2.1"), tlv(SEQUENCE)), tlv(0x03, b"\0\4"))
    assert read_certificate(GOOD.but(key=encoded)).key == "EC explicit parameters"


# --- certificates in public captures --------------------------------------------------------------------------------


def sent_in(*folders: Path) -> dict[bytes, Certificate]:
    """Return the certificates that were sent in the captures under some folders."""
    found: dict[bytes, Certificate] = {}
    for path in captures_under(*folders):
        for connection in read(path):
            for certificate in (*connection.certificates.client, *connection.certificates.server):
                found[certificate.der] = certificate
    return found


@needs_corpus
@needs_atlas
def test_certificates_in_the_wild_say_what_cryptography_says_of_them() -> None:
    compared = 0
    for der, certificate in sent_in(CORPUS, CASES, ATLAS).items():
        try:
            expected = told(der)
        except (ValueError, x509.DuplicateExtension):  # it refuses the whole for one part
            continue
        assert facts(certificate) == expected
        assert [problem for problem in certificate.problems if "serial number" not in problem] == []
        compared += 1
    assert compared > 300


# --- what a chain is judged by ---------------------------------------------------------------------------------------

POISON = x509.PrecertPoison()


def test_a_ca_says_how_long_a_path_may_be_and_for_what_names() -> None:
    """RFC 5280 §4.2.1.9 and §4.2.1.10."""
    constraints = x509.NameConstraints(
        [x509.DNSName(".example.net"), x509.IPAddress(ip_network("10.0.0.0/8"))], [x509.DirectoryName(SUBJECT)]
    )
    certificate = read_certificate(made(x509.BasicConstraints(ca=True, path_length=2), constraints))
    assert (certificate.version, certificate.ca, certificate.path_length) == (3, True, 2)
    assert certificate.permitted_names == ("DNS:.example.net", "IP:10.0.0.0/255.0.0.0")
    assert certificate.excluded_names == (f"dirName:{certificate.subject}",)
    assert read_certificate(made()).path_length is None


def test_key_identifiers_name_the_own_key_and_the_issuers() -> None:
    """RFC 5280 §4.2.1.1 and §4.2.1.2."""
    own = x509.SubjectKeyIdentifier(bytes(range(20)))
    certificate = read_certificate(made(own, x509.AuthorityKeyIdentifier(b"\xaa\xbb", None, None)))
    assert (certificate.key_identifier, certificate.issuer_key_identifier) == (bytes(range(20)).hex(), "aabb")
    assert read_certificate(made()).issuer_key_identifier is None


def test_a_critical_extension_that_nobody_processes_is_told() -> None:
    """RFC 5280 §4.2: a system that meets one must reject the certificate."""
    common = (x509.BasicConstraints(ca=True, path_length=None), usage("key_cert_sign"))
    assert issue("CN=a", None, critical=common).certificate.unknown_critical == ()
    assert issue("CN=a", None, POISON).certificate.unknown_critical == ()
    assert issue("CN=a", None, critical=(POISON,)).certificate.unknown_critical == ("1.3.6.1.4.1.11129.2.4.3",)


# --- broken certificates --------------------------------------------------------------------------------------------

GOOD = taken_apart(
    made(
        alternative(x509.DNSName("bmc.example.net")),
        x509.ExtendedKeyUsage([Purpose.CLIENT_AUTH]),
        x509.BasicConstraints(ca=False, path_length=None),
        usage("digital_signature"),
    )
)
WHOLE = facts(read_certificate(GOOD.der()))
BEGIN, END = tlv(UTC_TIME, b"160519094636Z"), tlv(UTC_TIME, b"260517094636Z")


def but(**parts: bytes | tuple[bytes, ...]) -> bytes:
    return GOOD.but(**parts)


def with_signed(signed: bytes) -> bytes:
    return tlv(SEQUENCE, signed + GOOD.rest)


def test_a_certificate_that_was_put_together_again_is_whole() -> None:
    assert read_certificate(GOOD.der()).problems == ()
    assert WHOLE["subject"] == "CN=IPMI,OU=Software,O=Super Micro Computer,ST=California,C=US"
    assert (WHOLE["not_before"], WHOLE["not_after"]) == (NOT_BEFORE, NOT_AFTER)


#: Each defect: the bytes, words of the problem that is told, and the facts that are lost to it.
DEFECTS = {
    "empty": (b"", "not a certificate", {*WHOLE}),
    "garbage": (b"certainly not DER" * 40, "not a certificate", {*WHOLE}),
    "an empty sequence": (tlv(SEQUENCE), "not a certificate", {*WHOLE}),
    "a sequence of nothing": (tlv(SEQUENCE, tlv(SEQUENCE)), "not a certificate", {*WHOLE}),
    "truncated": (GOOD.der()[:-100], "not a certificate", {*WHOLE}),
    "trailing bytes": (GOOD.der() + bytes(16), "16 bytes follow the certificate", set()),
    "bad time": (but(validity=tlv(SEQUENCE, BEGIN, tlv(UTC_TIME, b"tomorrow"))), "notAfter: ", {"not_after"}),
    "a time of another type": (but(validity=tlv(SEQUENCE, tlv(2, b"\1"), END)), "notBefore: ", {"not_before"}),
    "a time beyond the calendar": (
        but(validity=tlv(SEQUENCE, BEGIN, tlv(GENERALIZED_TIME, b"99991231235959-0100"))), "notAfter: ", {"not_after"}),
    "one time": (but(validity=tlv(SEQUENCE, BEGIN)), "notAfter: ", {"not_after"}),
    "validity upside down": (
        but(validity=tlv(SEQUENCE, END, BEGIN)), "notAfter lies before notBefore", {"not_before", "not_after"}),
    "negative serial": (but(serial=tlv(INTEGER, b"\xfb")), "negative", {"serial"}),
    "no serial": (but(serial=tlv(INTEGER, b"\0")), "the serial number is zero", {"serial"}),
    "long serial": (but(serial=tlv(INTEGER, b"\1" * 38)), "the serial number has 38 bytes", {"serial"}),
    "no seconds": (
        but(validity=tlv(SEQUENCE, tlv(UTC_TIME, b"1605190946Z"), END)), "notBefore: it has no seconds",
        {"not_before"}),
    "a later version": (but(version=tlv(0xA0, tlv(INTEGER, b"\3"))), "its version is 4", set()),
    "extensions before their version": (but(version=b""), "it has extensions, but its version is 1", set()),
    "duplicate extension": (
        but(extensions=(*GOOD.extensions, extension(EKU, tlv(SEQUENCE, oid("1.3.6.1.5.5.7.3.1"))))), "twice", set()),
    "broken extension": (
        but(extensions=(*GOOD.extensions[:1], extension(EKU, b"\x30\x7f"), *GOOD.extensions[2:])),
        "extendedKeyUsage: ", {"extended_key_usage"}),
    "an extension without a value": (
        but(extensions=(*GOOD.extensions, tlv(SEQUENCE, oid("1.2.3.4")))),
        "extensions: ",
        set(),
    ),
    "broken wrapper of the extensions": (
        with_signed(GOOD.signed(tlv(EXTENSIONS, b"\x30\x7f"))),
        "extensions: ", {"subject_alt_names", "key_usage", "extended_key_usage", "ca"}),
    "empty wrapper of the extensions": (
        with_signed(GOOD.signed(tlv(EXTENSIONS))),
        "extensions: ", {"subject_alt_names", "key_usage", "extended_key_usage", "ca"}),
    "an attribute without a value": (
        but(subject=name((tlv(SEQUENCE, oid("2.5.4.3")),))), "subject: ", {"subject"}),
    "a key cut short": (but(key=tlv(SEQUENCE, tlv(SEQUENCE, oid("1.2.840.113549.1.1.1")))),
        "subjectPublicKeyInfo: ", {"key"}),
    "another algorithm outside": (
        tlv(SEQUENCE, GOOD.signed(tlv(EXTENSIONS, tlv(SEQUENCE, *GOOD.extensions))), tlv(SEQUENCE, oid("1.3.101.112")),
            tlv(0x03, b"\0")), "Ed25519 outside", set()),
}  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_broken_certificate_names_what_is_broken_and_keeps_the_rest(defect: str) -> None:
    der, says, lost = DEFECTS[defect]
    certificate = read_certificate(der)
    assert any(says in problem for problem in certificate.problems), certificate.problems
    kept = {fact: value for fact, value in facts(certificate).items() if fact not in lost}
    assert kept == {fact: value for fact, value in WHOLE.items() if fact not in lost}


def test_of_an_extension_that_stands_twice_the_first_counts() -> None:
    certificate = read_certificate(DEFECTS["duplicate extension"][0])
    assert certificate.extended_key_usage == ("clientAuth",)


def test_a_version_1_certificate_has_neither_version_nor_extensions() -> None:
    certificate = read_certificate(but(version=b"", extensions=()))
    assert (certificate.subject, certificate.subject_alt_names, certificate.ca) == (WHOLE["subject"], (), None)
    assert certificate.version == 1
    assert certificate.problems == ()


def test_an_address_of_a_wrong_length_stays_visible() -> None:
    names = extension(SAN, tlv(SEQUENCE, tlv(0x87, b"\x0a\0\0"), tlv(0x82, b"a.example")))
    certificate = read_certificate(but(extensions=(names,)))
    assert certificate.subject_alt_names[1] == "DNS:a.example"
    assert "0a0000" in certificate.subject_alt_names[0]


@pytest.mark.parametrize(
    ("encoded", "authority"),
    [
        pytest.param(tlv(SEQUENCE), False, id="cA left out is false, RFC 5280 §4.2.1.9"),
        pytest.param(tlv(SEQUENCE, tlv(0x01, b"\0")), False, id="false written out: no DER, but met"),
        pytest.param(tlv(SEQUENCE, tlv(0x01, b"\x01")), True, id="true as BER has it"),
        pytest.param(tlv(SEQUENCE, tlv(0x02, b"\3")), False, id="a path length alone"),
    ],
)
def test_basic_constraints_are_read_in_all_their_forms(encoded: bytes, authority: bool) -> None:
    assert read_certificate(but(extensions=(extension(BASIC_CONSTRAINTS, encoded),))).ca is authority


@pytest.mark.parametrize("bits", range(9))
def test_each_key_usage_has_its_bit(bits: int) -> None:
    """RFC 5280 §4.2.1.3: a BIT STRING, the first bit leftmost."""
    content = (0x8000 >> bits).to_bytes(2)
    value = tlv(0x03, b"\x07" + content) if bits == 8 else tlv(0x03, bytes([7 - bits]) + content[:1])
    assert read_certificate(but(extensions=(extension("2.5.29.15", value),))).key_usage == (KEY_USAGES[bits],)


# --- hostile certificates -------------------------------------------------------------------------------------------

#: What the interpreter says when code, not data, is at fault: no words for a user.
INTERNALS = ("index out of range", "to unpack", "int_max_str", "object has no", "codec can't", "out of bounds")


def assert_told(certificate: Certificate, der: bytes) -> None:
    assert certificate.der == der
    assert not [problem for problem in certificate.problems for internal in INTERNALS if internal in problem]
    assert not any(character < " " for problem in certificate.problems for character in problem)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_certificate(der: bytes) -> None:
    certificate = read_certificate(der)
    assert_told(certificate, der)
    assert certificate.problems


SEEDS = [GOOD.der(), KINDS["all kinds of names"], KINDS["RSA 2048"]]
CHANGES = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=6)


@given(st.sampled_from(SEEDS), CHANGES)
def test_any_change_of_a_good_certificate_gives_a_certificate(seed: bytes, changes: list[tuple[int, int]]) -> None:
    der = bytearray(seed)
    for place, value in changes:
        der[place % len(der)] = value
    assert_told(read_certificate(bytes(der)), bytes(der))


@given(st.sampled_from(SEEDS), st.integers(0, 2000), st.integers(0, 40), st.binary(max_size=40))
def test_any_part_taken_out_or_put_in_gives_a_certificate(seed: bytes, place: int, size: int, added: bytes) -> None:
    place %= len(seed)
    der = seed[:place] + added + seed[place + size :]
    assert_told(read_certificate(der), der)


@given(st.sampled_from(["serial", "signature", "issuer", "validity", "subject", "key"]), st.binary(max_size=60))
def test_one_field_of_any_bytes_spoils_no_other(field: str, content: bytes) -> None:
    der = but(**{field: tlv(INTEGER if field == "serial" else SEQUENCE, content)})
    certificate = read_certificate(der)
    assert_told(certificate, der)
    lost = {"validity": {"not_before", "not_after"}, "signature": {"signature_algorithm"}}.get(field, {field})
    kept = {fact: value for fact, value in facts(certificate).items() if fact not in lost}
    assert kept == {fact: value for fact, value in WHOLE.items() if fact not in lost}


def test_an_identifier_as_large_as_a_message_may_be_is_refused_at_once() -> None:
    """What grows with the square of its length would take minutes here."""
    hostile = tlv(SEQUENCE, tlv(0x06, b"\x55" + b"\xff" * 1_000_000 + b"\x01"))
    certificate = read_certificate(but(signature=hostile))
    assert any(problem.startswith("signatureAlgorithm: ") for problem in certificate.problems)
    assert certificate.subject == WHOLE["subject"]


HALF_A_MILLION = b"\x05\0" * (1 << 19)


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(tlv(SEQUENCE, GOOD.signed(b"") + GOOD.rest + HALF_A_MILLION), id="outside"),
        pytest.param(with_signed(GOOD.signed(HALF_A_MILLION)), id="fields"),
        pytest.param(but(issuer=tlv(SEQUENCE, HALF_A_MILLION)), id="name"),
        pytest.param(but(validity=tlv(SEQUENCE, HALF_A_MILLION)), id="validity"),
        pytest.param(but(key=tlv(SEQUENCE, tlv(SEQUENCE, HALF_A_MILLION), b"\3\0")), id="key's algorithm"),
        pytest.param(but(extensions=(HALF_A_MILLION,)), id="extensions"),
        pytest.param(but(extensions=(tlv(SEQUENCE, HALF_A_MILLION),)), id="an extension"),
        pytest.param(but(extensions=(extension(SAN, tlv(SEQUENCE, HALF_A_MILLION)),)), id="names"),
        pytest.param(but(extensions=(extension(EKU, tlv(SEQUENCE, HALF_A_MILLION)),)), id="usages"),
        pytest.param(but(extensions=(extension(BASIC_CONSTRAINTS, tlv(SEQUENCE, HALF_A_MILLION)),)), id="constraints"),
        pytest.param(
            but(extensions=(extension("2.5.29.30", tlv(SEQUENCE, HALF_A_MILLION)),)), id="constraints of names"
        ),
        pytest.param(but(extensions=(extension("2.5.29.35", tlv(SEQUENCE, HALF_A_MILLION)),)), id="key identifier"),
    ],
)
def test_a_megabyte_of_empty_elements_is_not_gone_through(hostile: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0

    def counted(data: bytes, at: int = 0, end: int | None = None) -> reading.Element:
        nonlocal read
        read += 1
        return element(data, at, end)

    element = reading.element
    monkeypatch.setattr(reading, "element", counted)
    assert read_certificate(hostile).der == hostile
    assert 0 < read < 5 * reading.MOST_CHILDREN


@pytest.mark.long
@settings(max_examples=50_000, deadline=None)
@given(st.sampled_from(SEEDS), CHANGES, st.integers(0, 2000), st.binary(max_size=8))
def test_at_length_any_change_gives_a_certificate(
    seed: bytes, changes: list[tuple[int, int]], place: int, added: bytes
) -> None:
    der = bytearray(seed[: place % len(seed)] + added + seed[place % len(seed) :])
    for where, value in changes:
        der[where % len(der)] = value
    assert_told(read_certificate(bytes(der)), bytes(der))
