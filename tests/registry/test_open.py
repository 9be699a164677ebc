"""Registries are open sets: every code lives in them, listed or not."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.registry.alerts import AlertDescription, AlertLevel
from tlsalert.registry.certificates import (
    CertificateCompressionAlgorithm,
    CertificateStatusType,
    CertificateType,
    ClientCertificateType,
)
from tlsalert.registry.cipher_suites import CipherSuite, Sslv2CipherKind
from tlsalert.registry.compression import CompressionMethod
from tlsalert.registry.content_types import ContentType
from tlsalert.registry.extensions import ExtensionType
from tlsalert.registry.groups import NamedGroup
from tlsalert.registry.handshake_types import HandshakeType
from tlsalert.registry.open import Registry, is_grease
from tlsalert.registry.signature_schemes import SignatureScheme
from tlsalert.registry.versions import Version

REGISTRIES: list[type[Registry]] = [
    AlertDescription,
    AlertLevel,
    CertificateCompressionAlgorithm,
    CertificateStatusType,
    CertificateType,
    CipherSuite,
    ClientCertificateType,
    CompressionMethod,
    ContentType,
    ExtensionType,
    HandshakeType,
    NamedGroup,
    SignatureScheme,
    Sslv2CipherKind,
    Version,
]
GREASE = [0x0A0A + 0x1010 * n for n in range(16)]  # RFC 8701 §2
GREASED: list[type[Registry]] = [CipherSuite, ExtensionType, NamedGroup, SignatureScheme, Version]

each_registry = pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.__name__)


@each_registry
@given(code=st.integers(0, 0xFFFF))
def test_any_code_of_two_bytes_round_trips_and_is_one_object(registry: type[Registry], code: int) -> None:
    member = registry(code)
    assert int(member) == code
    assert member is registry(code)
    assert member is registry(member)


@each_registry
@given(code=st.integers(0, 0xFFFFFF))
def test_any_code_prints_pickles_copies_and_hashes(registry: type[Registry], code: int) -> None:
    member = registry(code)
    assert str(member) == f"{member}" == f"{member:s}"
    assert str(member).startswith(member.name + "(")
    assert int(str(member).partition("(")[2].rstrip(")"), 0) == code
    assert pickle.loads(pickle.dumps(member)) == member
    assert copy.deepcopy(member) is member
    assert hash(member) == hash(code)


@each_registry
def test_every_two_byte_code_at_once(registry: type[Registry]) -> None:
    assert [int(registry(code)) for code in range(0x10000)] == list(range(0x10000))


@each_registry
def test_names_are_unique_and_none_is_a_mere_alias(registry: type[Registry]) -> None:
    assert len(registry.__members__) == len({int(member) for member in registry.__members__.values()})


@each_registry
def test_names_leave_the_words_for_what_is_not_listed_alone(registry: type[Registry]) -> None:
    assert not {"unlisted", "private_use", "GREASE"} & set(registry.__members__)


@each_registry
@pytest.mark.parametrize("code", [-1, 0x1000000, "nonsense", None, 1.5])
def test_what_cannot_be_a_code_is_refused(registry: type[Registry], code: object) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        registry(code)  # type: ignore[arg-type]


@each_registry
def test_unlisted_codes_do_not_join_the_list(registry: type[Registry]) -> None:
    listed = len(registry)
    registry(0xFE)
    assert len(registry) == listed


@pytest.mark.parametrize("registry", GREASED)
@pytest.mark.parametrize("code", GREASE)
def test_grease_is_named_where_it_is_offered(registry: type[Registry], code: int) -> None:
    assert registry(code).name == "GREASE"


def test_there_are_sixteen_grease_values() -> None:
    assert [code for code in range(0x10000) if is_grease(code)] == GREASE
    assert not is_grease(0x10A0A)


def test_an_unlisted_alert_survives() -> None:
    assert str(AlertDescription(200)) == "unlisted(200)"
    assert AlertDescription(200).name == "unlisted"


def test_members_format_to_a_width() -> None:
    assert f"{AlertDescription.unknown_ca:>16}" == "  unknown_ca(48)"


def test_codes_of_three_bytes_do_not_pile_up_without_end() -> None:
    for code in range(0x100000, 0x140000):
        Sslv2CipherKind(code)
    assert len(Sslv2CipherKind._value2member_map_) <= 0x20000
    assert int(Sslv2CipherKind(0x13FFFF)) == 0x13FFFF
