"""Versions, and how people write them."""

import pytest

from tlsalert.registry.versions import Version, version_label


@pytest.mark.parametrize(
    ("code", "label"),
    [
        (0x0002, "SSLv2"),
        (0x0300, "SSLv3"),
        (0x0301, "TLS 1.0"),
        (0x0302, "TLS 1.1"),
        (0x0303, "TLS 1.2"),
        (0x0304, "TLS 1.3"),
        (0xFEFF, "DTLS 1.0"),
        (0xFEFD, "DTLS 1.2"),
        (0xFEFC, "DTLS 1.3"),
        (0x7F1C, "TLS 1.3 draft 28"),
        (0x7F0E, "TLS 1.3 draft 14"),
        (0xFB1A, "TLS 1.3 draft 26 (Facebook)"),
        (0x1234, "0x1234"),
        (0x00FF, "0x00FF"),
        (0x7F00, "0x7F00"),
        (0x7A7A, "GREASE 0x7A7A"),
    ],
)
def test_a_version_is_written_as_people_write_it(code: int, label: str) -> None:
    assert version_label(code) == label
    assert Version(code).label == label


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (0x0303, "TLSv1_2(0x0303)"),
        (0xFEFD, "DTLSv1_2(0xFEFD)"),
        (0x7F1C, "TLSv1_3_draft28(0x7F1C)"),
        (0xFB17, "TLSv1_3_draft23_facebook(0xFB17)"),
        (0x0305, "unlisted(0x0305)"),
    ],
)
def test_a_version_is_told_by_name_and_hexadecimal_number(code: int, told: str) -> None:
    assert str(Version(code)) == told


def test_no_two_versions_are_written_alike() -> None:
    assert len({version_label(code) for code in range(0x10000)}) == 0x10000
